// SPDX-License-Identifier: GPL-2.0-only
/*
 * Character devices whose descriptions have no state but an offset: null, zero,
 * full, random, urandom, and others of which that is known.
 */
#include <linux/fs.h>
#include <linux/major.h>
#include <linux/miscdevice.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"

/**
 * ckpt_memdev_is_known() - whether a device is one of these
 * @major: as of Documentation/admin-guide/devices.txt
 * @minor: likewise
 *
 * Return: true if it is, whether there is such a device here or not.
 */
bool ckpt_memdev_is_known(u32 major, u32 minor)
{
	switch (major) {
	case MEM_MAJOR:
		/* mem, null, port, zero, full, random, urandom */
		return minor == 1 || (minor >= 3 && minor <= 9 && minor != 6);
	case MISC_MAJOR:
		/* What kvm makes are files of their own. */
		return minor == HWRNG_MINOR || minor == KVM_MINOR ||
		       minor == BTRFS_MINOR || minor == LOOP_CTRL_MINOR;
	case MSR_MAJOR:
	case CPUID_MAJOR:
		return true;
	}
	return false;
}

static bool ckpt_file_memdev_match(const void *obj)
{
	const struct inode *inode = file_inode(obj);

	return S_ISCHR(inode->i_mode) &&
	       ckpt_memdev_is_known(imajor(inode), iminor(inode));
}

static int ckpt_file_memdev_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	return ckpt_file_save(ctx, obj, CKPT_REC_FILE_MEMDEV);
}

static int ckpt_file_memdev_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	u32 major = le32_to_cpu(rec->stat.rdev_major);
	u32 minor = le32_to_cpu(rec->stat.rdev_minor);

	if (!ckpt_memdev_is_known(major, minor))
		return rstr_bad(ctx, obj->rec, "device %u:%u", major, minor);
	return ckpt_file_check(ctx, obj, S_IFCHR);
}

/* Their offset is where nothing is; to seek there would set it to zero. */
static int ckpt_file_memdev_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file *rec = rstr_payload(obj->rec);
	struct file *file;
	int err;

	err = ckpt_file_open_at(ctx, obj);
	if (err)
		return err;
	file = obj->ptr;
	file->f_pos = le64_to_cpu(rec->pos);
	return 0;
}

const struct ckpt_kind ckpt_file_memdev_kind = {
	.type		= CKPT_REC_FILE_MEMDEV,
	.family		= CKPT_FILE,
	.name		= "memory device",
	.size		= sizeof(struct ckpt_rec_file),
	.parts		= ckpt_file_parts,
	.match		= ckpt_file_memdev_match,
	.users		= ckpt_file_lock_users,
	.checkpoint	= ckpt_file_memdev_checkpoint,
	.check		= ckpt_file_memdev_check,
	.restore	= ckpt_file_memdev_restore,
};
