// SPDX-License-Identifier: GPL-2.0-only
/* What the caller says of files that lead outside of the tree. */
#include <linux/err.h>
#include <linux/file.h>
#include <linux/limits.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/checkpoint.h>

#include "external.h"
#include "limits.h"
#include "log.h"

static int ckpt_external_read(struct ckpt_external *ext,
			      const struct checkpoint_external __user *from,
			      bool files)
{
	struct checkpoint_external arg;
	char *name;

	if (copy_from_user(&arg, from, sizeof(arg)))
		return -EFAULT;
	if (arg.reserved || (!files && arg.fd != -1))
		return -EINVAL;
	name = strndup_user(u64_to_user_ptr(arg.name), PATH_MAX);
	if (IS_ERR(name))
		return PTR_ERR(name);
	ext->name = name;
	if (!files)
		return 0;
	ext->file = fget(arg.fd);
	return ext->file ? 0 : -EBADF;
}

/**
 * ckpt_externals_read() - take over what the caller names
 * @externals: empty; to be released whatever is returned
 * @from: an array, the caller's
 * @nr: how many it has
 * @files: whether descriptors go with the names
 *
 * Return: 0; -E2BIG, -EFAULT, -EINVAL, -EBADF, -ENOMEM.
 */
int ckpt_externals_read(struct ckpt_externals *externals,
			const struct checkpoint_external __user *from, u32 nr,
			bool files)
{
	int err = 0;

	if (nr > CKPT_EXTERNALS_MAX)
		return -E2BIG;
	externals->ext = kvcalloc(nr, sizeof(*externals->ext),
				  GFP_KERNEL_ACCOUNT);
	if (nr && !externals->ext)
		return -ENOMEM;
	for (u32 i = 0; i < nr && !err; i++) {
		externals->nr = i + 1;
		err = ckpt_external_read(&externals->ext[i], from + i, files);
	}
	return err;
}

void ckpt_externals_release(struct ckpt_externals *externals)
{
	for (u32 i = 0; i < externals->nr; i++) {
		kfree(externals->ext[i].name);
		if (externals->ext[i].file)
			fput(externals->ext[i].file);
	}
	kvfree(externals->ext);
	*externals = (struct ckpt_externals){};
}

/**
 * ckpt_externals_unused() - find a name that nothing has
 * @log: where to say so
 * @externals: what the caller named
 *
 * Return: 0 or -ENOENT.
 */
int ckpt_externals_unused(struct ckpt_log *log,
			  const struct ckpt_externals *externals)
{
	for (u32 i = 0; i < externals->nr; i++)
		if (!externals->ext[i].used)
			return ckpt_refuse(log, -ENOENT,
					   "nothing is called %s that could be external",
					   externals->ext[i].name);
	return 0;
}
