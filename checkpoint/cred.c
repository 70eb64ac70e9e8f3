// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials. They change from those of the caller only as setresuid(2),
 * setresgid(2), setgroups(2), capset(2) and prctl(2) would let them, one after
 * the other: who may do none of this restarts with what he has himself, or not
 * at all. The keyring of the session is the caller's.
 */
#include <linux/capability.h>
#include <linux/cred.h>
#include <linux/key.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <linux/sched/user.h>
#include <linux/securebits.h>
#include <linux/security.h>
#include <linux/user_namespace.h>

#ifdef CONFIG_SECURITY_LANDLOCK
#include "../security/landlock/cred.h"
#endif
#include "checkpoint.h"
#include "process.h"
#include "restart.h"

#define CKPT_SECUREBITS_KNOWN	(SECURE_ALL_BITS | SECURE_ALL_LOCKS)

static int ckpt_uid_put(struct ckpt_ctx *ctx, __le32 *to, kuid_t kuid)
{
	uid_t uid = from_kuid(current_user_ns(), kuid);

	if (uid == (uid_t)-1)
		return ckpt_refuse(&ctx->log, -EOVERFLOW,
				   "uid: has no number in this user namespace");
	*to = cpu_to_le32(uid);
	return 0;
}

static int ckpt_gid_put(struct ckpt_ctx *ctx, __le32 *to, kgid_t kgid)
{
	gid_t gid = from_kgid(current_user_ns(), kgid);

	if (gid == (gid_t)-1)
		return ckpt_refuse(&ctx->log, -EOVERFLOW,
				   "gid: has no number in this user namespace");
	*to = cpu_to_le32(gid);
	return 0;
}

static int ckpt_ids_put(struct ckpt_ctx *ctx, struct ckpt_rec_cred *p,
			const struct cred *cred)
{
	return ckpt_uid_put(ctx, &p->uid, cred->uid) ?:
	       ckpt_uid_put(ctx, &p->euid, cred->euid) ?:
	       ckpt_uid_put(ctx, &p->suid, cred->suid) ?:
	       ckpt_uid_put(ctx, &p->fsuid, cred->fsuid) ?:
	       ckpt_gid_put(ctx, &p->gid, cred->gid) ?:
	       ckpt_gid_put(ctx, &p->egid, cred->egid) ?:
	       ckpt_gid_put(ctx, &p->sgid, cred->sgid) ?:
	       ckpt_gid_put(ctx, &p->fsgid, cred->fsgid);
}

static int ckpt_groups_put(struct ckpt_ctx *ctx, struct ckpt_rec_cred *p,
			   const struct group_info *groups)
{
	int err = 0;

	p->nr_groups = cpu_to_le32(groups->ngroups);
	for (int i = 0; i < groups->ngroups && !err; i++)
		err = ckpt_gid_put(ctx, &p->groups[i], groups->gid[i]);
	return err;
}

/* Rules of Landlock can't be read, and are not seen by way of hooks. */
static bool ckpt_landlocked(const struct cred *cred)
{
#ifdef CONFIG_SECURITY_LANDLOCK
	return landlock_initialized && landlock_cred(cred)->domain;
#else
	return false;
#endif
}

/* The name of what the credentials have that is not supported, or NULL. */
static const char *ckpt_cred_unsupported(const struct cred *cred)
{
	if (cred->user_ns != current_user_ns())
		return "credentials of another user namespace";
#ifdef CONFIG_KEYS
	if (cred->process_keyring || cred->thread_keyring)
		return "a keyring of its own";
	if (cred->jit_keyring != KEY_REQKEY_DEFL_DEFAULT)
		return "a keyring of its choice for keys that are requested";
#endif
	if (ckpt_landlocked(cred))
		return "a Landlock domain";
	return NULL;
}

static int ckpt_cred_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	const struct cred *cred = obj;
	const char *unsupported = ckpt_cred_unsupported(cred);
	struct ckpt_rec_cred *p;
	size_t size;

	if (unsupported)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP, "%s: not supported",
				   unsupported);

	size = struct_size(p, groups, cred->group_info->ngroups);
	p = ckpt_object_add(ctx, CKPT_REC_CRED, obj, size);
	if (IS_ERR(p))
		return PTR_ERR(p);

	p->securebits = cpu_to_le32(cred->securebits);
	p->inheritable = cpu_to_le64(cred->cap_inheritable.val);
	p->permitted = cpu_to_le64(cred->cap_permitted.val);
	p->effective = cpu_to_le64(cred->cap_effective.val);
	p->bset = cpu_to_le64(cred->cap_bset.val);
	p->ambient = cpu_to_le64(cred->cap_ambient.val);
	return ckpt_ids_put(ctx, p, cred) ?:
	       ckpt_groups_put(ctx, p, cred->group_info);
}

static int ckpt_caps_check(struct rstr_ctx *ctx, const struct ckpt_record *rec)
{
	const struct ckpt_rec_cred *p = rstr_payload(rec);
	u64 inheritable = le64_to_cpu(p->inheritable);
	u64 permitted = le64_to_cpu(p->permitted);
	u64 effective = le64_to_cpu(p->effective);
	u64 ambient = le64_to_cpu(p->ambient);

	if ((inheritable | permitted | le64_to_cpu(p->bset)) & ~CAP_VALID_MASK)
		return ckpt_refuse(&ctx->log, -EOPNOTSUPP,
				   "a capability that this kernel does not know");
	if (effective & ~permitted)
		return rstr_bad(ctx, rec, "effective capabilities not permitted");
	if (ambient & ~(permitted & inheritable))
		return rstr_bad(ctx, rec,
				"ambient capabilities not permitted or not inheritable");
	return 0;
}

static int ckpt_cred_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_cred *p = rstr_payload(obj->rec);
	u32 nr = le32_to_cpu(p->nr_groups);

	if (nr > NGROUPS_MAX)
		return rstr_bad(ctx, obj->rec, "%u groups: too many", nr);
	if (rstr_size(obj->rec) != struct_size(p, groups, nr))
		return rstr_bad(ctx, obj->rec, "%u groups do not fit", nr);
	if (le32_to_cpu(p->securebits) & ~(u32)CKPT_SECUREBITS_KNOWN)
		return rstr_bad(ctx, obj->rec, "unknown securebits");
	return ckpt_caps_check(ctx, obj->rec);
}

/*
 * Each function below changes @new, a copy of current's own, in one respect,
 * or refuses to.
 */

static int ckpt_uid_get(struct rstr_ctx *ctx, kuid_t *to, __le32 from, bool fs)
{
	const struct cred *old = current_cred();
	u32 uid = le32_to_cpu(from);
	kuid_t kuid = make_kuid(current_user_ns(), uid);

	if (!uid_valid(kuid))
		return ckpt_refuse(&ctx->log, -EINVAL,
				   "uid %u: not in this user namespace", uid);
	if (!uid_eq(kuid, old->uid) && !uid_eq(kuid, old->euid) &&
	    !uid_eq(kuid, old->suid) && !(fs && uid_eq(kuid, old->fsuid)) &&
	    !ns_capable_setid(old->user_ns, CAP_SETUID))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "uid %u: not permitted to become it", uid);
	*to = kuid;
	return 0;
}

static int ckpt_gid_get(struct rstr_ctx *ctx, kgid_t *to, __le32 from, bool fs)
{
	const struct cred *old = current_cred();
	u32 gid = le32_to_cpu(from);
	kgid_t kgid = make_kgid(current_user_ns(), gid);

	if (!gid_valid(kgid))
		return ckpt_refuse(&ctx->log, -EINVAL,
				   "gid %u: not in this user namespace", gid);
	if (!gid_eq(kgid, old->gid) && !gid_eq(kgid, old->egid) &&
	    !gid_eq(kgid, old->sgid) && !(fs && gid_eq(kgid, old->fsgid)) &&
	    !ns_capable_setid(old->user_ns, CAP_SETGID))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "gid %u: not permitted to become it", gid);
	*to = kgid;
	return 0;
}

static int ckpt_cred_approve(struct rstr_ctx *ctx, int err, const char *what)
{
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "%s: refused by a security module", what);
	return 0;
}

/* The user by whom the task is counted follows its uid. */
static int ckpt_cred_set_user(struct cred *new)
{
	struct user_struct *user;

	if (uid_eq(new->uid, current_uid()))
		return 0;
	user = alloc_uid(new->uid);
	if (!user)
		return -EAGAIN;
	free_uid(new->user);
	new->user = user;
	return set_cred_ucounts(new);
}

static int ckpt_cred_set_uids(struct rstr_ctx *ctx, struct cred *new,
			      const struct ckpt_rec_cred *p)
{
	int err;

	err = ckpt_uid_get(ctx, &new->uid, p->uid, false) ?:
	      ckpt_uid_get(ctx, &new->euid, p->euid, false) ?:
	      ckpt_uid_get(ctx, &new->suid, p->suid, false) ?:
	      ckpt_uid_get(ctx, &new->fsuid, p->fsuid, true) ?:
	      ckpt_cred_set_user(new);
	if (err)
		return err;
	err = security_task_fix_setuid(new, current_cred(), LSM_SETID_RES);
	return ckpt_cred_approve(ctx, err, "uids");
}

static int ckpt_cred_set_gids(struct rstr_ctx *ctx, struct cred *new,
			      const struct ckpt_rec_cred *p)
{
	int err;

	err = ckpt_gid_get(ctx, &new->gid, p->gid, false) ?:
	      ckpt_gid_get(ctx, &new->egid, p->egid, false) ?:
	      ckpt_gid_get(ctx, &new->sgid, p->sgid, false) ?:
	      ckpt_gid_get(ctx, &new->fsgid, p->fsgid, true);
	if (err)
		return err;
	err = security_task_fix_setgid(new, current_cred(), LSM_SETID_RES);
	return ckpt_cred_approve(ctx, err, "gids");
}

static int ckpt_groups_get(struct rstr_ctx *ctx, struct group_info *groups,
			   const struct ckpt_rec_cred *p)
{
	for (int i = 0; i < groups->ngroups; i++) {
		u32 gid = le32_to_cpu(p->groups[i]);

		groups->gid[i] = make_kgid(current_user_ns(), gid);
		if (!gid_valid(groups->gid[i]))
			return ckpt_refuse(&ctx->log, -EINVAL,
					   "group %u: not in this user namespace",
					   gid);
	}
	groups_sort(groups);
	return 0;
}

static bool ckpt_groups_equal(const struct group_info *a,
			      const struct group_info *b)
{
	return a->ngroups == b->ngroups &&
	       !memcmp(a->gid, b->gid, a->ngroups * sizeof(a->gid[0]));
}

static int ckpt_cred_set_groups(struct rstr_ctx *ctx, struct cred *new,
				const struct ckpt_rec_cred *p)
{
	struct group_info *groups = groups_alloc(le32_to_cpu(p->nr_groups));
	int err;

	if (!groups)
		return -ENOMEM;
	err = ckpt_groups_get(ctx, groups, p);
	if (!err && !ckpt_groups_equal(groups, new->group_info)) {
		if (may_setgroups()) {
			set_groups(new, groups);
			err = security_task_fix_setgroups(new, current_cred());
			err = ckpt_cred_approve(ctx, err, "groups");
		} else {
			err = ckpt_refuse(&ctx->log, -EPERM,
					  "supplementary groups: not permitted to set them");
		}
	}
	put_group_info(groups);
	return err;
}

static int ckpt_cred_set_caps(struct rstr_ctx *ctx, struct cred *new,
			      const struct ckpt_rec_cred *p)
{
	kernel_cap_t effective = { le64_to_cpu(p->effective) };
	kernel_cap_t inheritable = { le64_to_cpu(p->inheritable) };
	kernel_cap_t permitted = { le64_to_cpu(p->permitted) };
	int err;

	err = security_capset(new, current_cred(), &effective, &inheritable,
			      &permitted);
	if (err)
		return ckpt_refuse(&ctx->log, err,
				   "capabilities %#llx: not permitted to have them",
				   permitted.val | inheritable.val);
	return 0;
}

static int ckpt_cred_set_ambient(struct rstr_ctx *ctx, struct cred *new,
				 const struct ckpt_rec_cred *p)
{
	kernel_cap_t ambient = { le64_to_cpu(p->ambient) };

	if (!cap_issubset(ambient, current_cred()->cap_ambient) &&
	    issecure(SECURE_NO_CAP_AMBIENT_RAISE))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "ambient capabilities: not permitted to raise them");
	new->cap_ambient = ambient;
	return 0;
}

static int ckpt_cred_set_bset(struct rstr_ctx *ctx, struct cred *new,
			      const struct ckpt_rec_cred *p)
{
	const struct cred *old = current_cred();
	kernel_cap_t bset = { le64_to_cpu(p->bset) };

	if (bset.val == old->cap_bset.val)
		return 0;
	if (!cap_issubset(bset, old->cap_bset) ||
	    !ns_capable(old->user_ns, CAP_SETPCAP))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "capability bounding set %#llx: not permitted to have it",
				   bset.val);
	new->cap_bset = bset;
	return 0;
}

/* Locks cannot be undone, nor may what they lock change. */
static bool ckpt_securebits_allowed(const struct cred *old, u32 bits)
{
	u32 locks = old->securebits & SECURE_ALL_LOCKS;
	u32 change = old->securebits ^ bits;

	if ((change & (locks >> 1)) || (locks & ~bits))
		return false;
	return !(change & ~issecure_mask(SECURE_KEEP_CAPS)) ||
	       ns_capable(old->user_ns, CAP_SETPCAP);
}

static int ckpt_cred_set_securebits(struct rstr_ctx *ctx, struct cred *new,
				    const struct ckpt_rec_cred *p)
{
	u32 bits = le32_to_cpu(p->securebits);

	if (!ckpt_securebits_allowed(current_cred(), bits))
		return ckpt_refuse(&ctx->log, -EPERM,
				   "securebits %#x: not permitted to set them",
				   bits);
	new->securebits = bits;
	return 0;
}

/* As with execve(2): none of a thread or a process, and that of the session. */
static void ckpt_cred_set_keyrings(struct cred *new)
{
#ifdef CONFIG_KEYS
	key_put(new->thread_keyring);
	new->thread_keyring = NULL;
	key_put(new->process_keyring);
	new->process_keyring = NULL;
	new->jit_keyring = KEY_REQKEY_DEFL_DEFAULT;
#endif
}

static int ckpt_cred_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_cred *p = rstr_payload(obj->rec);
	struct cred *new = prepare_creds();
	int err;

	if (!new)
		return -ENOMEM;
	ckpt_cred_set_keyrings(new);

	/* A change of uid changes capabilities as well: these come after. */
	err = ckpt_cred_set_uids(ctx, new, p) ?:
	      ckpt_cred_set_gids(ctx, new, p) ?:
	      ckpt_cred_set_groups(ctx, new, p) ?:
	      ckpt_cred_set_caps(ctx, new, p) ?:
	      ckpt_cred_set_ambient(ctx, new, p) ?:
	      ckpt_cred_set_bset(ctx, new, p) ?:
	      ckpt_cred_set_securebits(ctx, new, p);
	if (err) {
		abort_creds(new);
		return err;
	}
	obj->ptr = new;
	return 0;
}

/**
 * ckpt_cred_install() - give current other credentials
 * @cred: made by the kind's restore(); current takes references of its own
 *
 * Where ids change or capabilities are gained this makes the process not
 * dumpable and clears its parent death signal, as any such change does: these
 * are to be restored after it.
 *
 * Return: 0
 */
int ckpt_cred_install(const struct cred *cred)
{
	struct cred *new = (struct cred *)get_cred(cred);

	/* As with setuid(2), who is over his limit fails at execve(2). */
	if (new->ucounts != current_ucounts() && new->user != INIT_USER &&
	    is_rlimit_overlimit(new->ucounts, UCOUNT_RLIMIT_NPROC,
				rlimit(RLIMIT_NPROC)))
		current->flags |= PF_NPROC_EXCEEDED;
	return commit_creds(new);
}

const struct ckpt_kind ckpt_cred_kind = {
	.type		= CKPT_REC_CRED,
	.family		= CKPT_CRED,
	.name		= "credentials",
	.size		= sizeof(struct ckpt_rec_cred),
	.open_ended	= true,
	.checkpoint	= ckpt_cred_checkpoint,
	.check		= ckpt_cred_check,
	.restore	= ckpt_cred_restore,
};
