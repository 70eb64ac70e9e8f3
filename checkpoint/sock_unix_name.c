// SPDX-License-Identifier: GPL-2.0-only
/*
 * Names of sockets of AF_UNIX: files, abstract ones, and those that lead nowhere
 * any more. Built as a part of net/unix/af_unix.c, before sock_unix.c.
 */
#ifdef CONFIG_CHECKPOINT
#include <linux/delay.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/nsproxy.h>

#include "checkpoint.h"
#include "file.h"
#include "limits.h"
#include "restart.h"
#include "sock.h"

#define CKPT_UNIX_NAME	offsetof(struct sockaddr_un, sun_path)

/* sun_path, and the NUL that there may be behind it. */
#define CKPT_UNIX_NAME_MAX	(UNIX_PATH_MAX + 1)

/* Checkpoint. */

/* Its name and what belongs to it; or NULL. */
static const struct unix_address *ckpt_unix_addr(struct sock *sk)
{
	/* Pairs with whoever gives it one. */
	return smp_load_acquire(&unix_sk(sk)->addr);
}

/* Whether it is by its name that it is found, which those that it accepted have as
 * well.
 */
static bool ckpt_unix_owns_name(struct sock *sk)
{
	const struct unix_address *addr = ckpt_unix_addr(sk);

	if (!addr)
		return false;
	return addr->name->sun_path[0] ? !hlist_unhashed(&sk->sk_bind_node) :
					 sk->sk_hash > UNIX_HASH_MOD;
}

/* The file that it is bound to, a reference to which is taken; or none. */
static struct path ckpt_unix_path(struct sock *sk)
{
	struct path path;

	unix_state_lock(sk);
	path = unix_sk(sk)->path;
	if (path.dentry)
		path_get(&path);
	unix_state_unlock(sk);
	return path;
}

/**
 * ckpt_unix_describe() - name what a socket is bound to
 * @sk: the socket
 * @buf: where
 * @len: its size
 */
void ckpt_unix_describe(struct sock *sk, char *buf, size_t len)
{
	const struct unix_address *addr = ckpt_unix_addr(sk);
	const char *name;

	if (!addr || addr->len <= CKPT_UNIX_NAME)
		return;
	name = addr->name->sun_path;
	if (name[0])
		snprintf(buf, len, " bound to %s", name);
	else
		snprintf(buf, len, " bound to @%*pE",
			 (int)(addr->len - CKPT_UNIX_NAME - 1), name + 1);
}

/* Whether somebody who knows its name gets there: 1 or 0. */
static int ckpt_unix_is_bound(struct ckpt_ctx *ctx, struct sock *sk)
{
	struct path path;
	int err;

	if (!ckpt_unix_owns_name(sk))
		return 0;
	path = ckpt_unix_path(sk);
	if (!path.dentry)
		return 1;
	err = ckpt_path_reaches(&path);
	if (err && err != -ENOENT && err != -ENOMEM && err != -EINTR)
		ckpt_refuse(&ctx->log, err, "unix socket: bound to %pd: %pe",
			    path.dentry, ERR_PTR(err));
	path_put(&path);
	return err == -ENOENT ? 0 : err ?: 1;
}

static int ckpt_unix_path_save(struct ckpt_ctx *ctx, const struct path *path,
			       struct ckpt_rec_sock_unix *rec)
{
	const struct inode *inode = d_backing_inode(path->dentry);
	struct user_namespace *ns = current_user_ns();

	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	return ckpt_path_add(ctx, path);
}

/* One that is closed, and that nobody else refers to. */
static int ckpt_unix_dead_write(struct ckpt_ctx *ctx, struct sock *sk)
{
	const struct unix_address *addr = ckpt_unix_addr(sk);
	size_t len = addr ? addr->len - CKPT_UNIX_NAME : 0;
	struct ckpt_rec_sock_unix *rec;

	rec = ckpt_object_add(ctx, CKPT_REC_SOCK_UNIX, NULL,
			      sizeof(*rec) + len);
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->type = cpu_to_le32(sk->sk_type);
	rec->what = cpu_to_le32(CKPT_UNIX_DEAD);
	if (len)
		memcpy(rec->name, addr->name->sun_path, len);
	return 0;
}

/* Restart. */

static u32 ckpt_unix_name_len(const struct rstr_obj *obj)
{
	return rstr_size(obj->rec) - sizeof(struct ckpt_rec_sock_unix);
}

static bool ckpt_unix_is(const struct rstr_obj *obj, u32 what)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);

	return le32_to_cpu(rec->what) & what;
}

/* Of a process outside the tree. */
static bool ckpt_unix_is_outside(const struct rstr_obj *obj)
{
	return !obj->private && !ckpt_unix_is(obj, CKPT_UNIX_DEAD);
}

static int ckpt_unix_check_name(struct rstr_ctx *ctx, struct rstr_obj *obj,
				const struct ckpt_rec_sock_unix *rec)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	u32 len = ckpt_unix_name_len(obj);
	bool bound = ckpt_unix_is(obj, CKPT_UNIX_BOUND);
	bool file = len && rec->name[0];

	if (len > CKPT_UNIX_NAME_MAX || (bound && !len) ||
	    (file && strnlen(rec->name, len) != len - 1) ||
	    (!file && len > UNIX_PATH_MAX))
		return rstr_bad(ctx, obj->rec, "name of %u bytes", len);
	if (!!path != (bound && file))
		return rstr_bad(ctx, obj->rec, "path, or none");
	if (le32_to_cpu(rec->mode) & ~S_IALLUGO)
		return rstr_bad(ctx, obj->rec, "mode %#o",
				le32_to_cpu(rec->mode));
	return path ? rstr_path_check(ctx, path) : 0;
}

/* As bind(2) has it. */
static u32 ckpt_unix_sockaddr(const struct rstr_obj *obj,
			      struct sockaddr_storage *storage)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	struct sockaddr_un *sun = (struct sockaddr_un *)storage;
	u32 len = ckpt_unix_name_len(obj);

	memset(storage, 0, sizeof(*storage));
	sun->sun_family = AF_UNIX;
	memcpy(storage->__data, rec->name, len);
	return CKPT_UNIX_NAME + len;
}

/* One that is known by its name, while that leads elsewhere or nowhere. */
static int ckpt_unix_name(const struct rstr_obj *obj, struct sock *sk)
{
	struct sockaddr_storage storage;
	u32 len = ckpt_unix_sockaddr(obj, &storage);
	struct unix_address *addr;

	addr = unix_create_addr((struct sockaddr_un *)&storage, len);
	if (!addr)
		return -ENOMEM;
	/* Pairs with ckpt_unix_addr() and its like. */
	smp_store_release(&unix_sk(sk)->addr, addr);
	return 0;
}

/* The owner and permissions that the file had. */
static int ckpt_unix_file_owner(const struct path *path,
				const struct ckpt_rec_sock_unix *rec)
{
	struct inode *inode = d_backing_inode(path->dentry);
	struct user_namespace *ns = current_user_ns();
	struct iattr attr = {
		.ia_uid = make_kuid(ns, le32_to_cpu(rec->uid)),
		.ia_gid = make_kgid(ns, le32_to_cpu(rec->gid)),
		.ia_mode = S_IFSOCK | le32_to_cpu(rec->mode),
	};
	int err = 0;

	if (!uid_eq(attr.ia_uid, inode->i_uid))
		attr.ia_valid |= ATTR_UID;
	if (!gid_eq(attr.ia_gid, inode->i_gid))
		attr.ia_valid |= ATTR_GID;
	if (attr.ia_mode != inode->i_mode)
		attr.ia_valid |= ATTR_MODE;
	inode_lock(inode);
	if (attr.ia_valid)
		err = notify_change(mnt_idmap(path->mnt), path->dentry, &attr,
				    NULL);
	inode_unlock(inode);
	return err;
}

/* A new file, as bind(2) makes it. */
static int ckpt_unix_file_make(struct rstr_ctx *ctx,
			       const struct ckpt_rec_sock_unix *rec,
			       const char *name, struct path *path)
{
	umode_t mode = S_IFSOCK | le32_to_cpu(rec->mode);
	struct dentry *dentry;
	struct path parent;
	int err;

	dentry = kern_path_create(AT_FDCWD, name, &parent, 0);
	if (IS_ERR(dentry))
		return PTR_ERR(dentry);
	err = security_path_mknod(&parent, dentry, mode, 0);
	if (!err)
		err = vfs_mknod(mnt_idmap(parent.mnt), d_inode(parent.dentry),
				dentry, mode, 0);
	if (!err) {
		path->mnt = mntget(parent.mnt);
		path->dentry = dget(dentry);
	}
	done_path_create(&parent, dentry);
	if (err)
		return err;
	err = rstr_made_add(ctx, path);
	if (!err && !mnt_want_write(path->mnt)) {
		err = ckpt_unix_file_owner(path, rec);
		mnt_drop_write(path->mnt);
	}
	if (err)
		path_put(path);
	return err;
}

/*
 * The file is what a killed process left: whoever owns it could do away with it and
 * make it anew, and no more is done for him.
 */
static int ckpt_unix_file_take(const struct path *path)
{
	struct inode *inode = d_backing_inode(path->dentry);

	if (!S_ISSOCK(inode->i_mode))
		return -EADDRINUSE;
	if (!inode_owner_or_capable(mnt_idmap(path->mnt), inode))
		return -EPERM;
	return 0;
}

/* Serialises those who take over files. */
static DEFINE_MUTEX(ckpt_unix_file_lock);

/* As unix_bind_bsd() once there is a file. Takes over the path and the address. */
static int ckpt_unix_file_bind(struct sock *sk, struct unix_address *addr,
			       const struct path *path)
{
	struct inode *inode = d_backing_inode(path->dentry);
	unsigned int old_hash = sk->sk_hash;
	unsigned int new_hash = unix_bsd_hash(inode);
	struct net *net = sock_net(sk);
	struct sock *other;

	guard(mutex)(&ckpt_unix_file_lock);
	other = unix_find_socket_byinode(inode);
	if (other) {
		sock_put(other);
		return -EADDRINUSE;
	}
	unix_table_double_lock(net, old_hash, new_hash);
	unix_sk(sk)->path = *path;
	__unix_set_addr_hash(net, sk, addr, new_hash);
	unix_table_double_unlock(net, old_hash, new_hash);
	unix_insert_bsd_socket(sk);
	return 0;
}

static int ckpt_unix_file_restore(struct rstr_ctx *ctx, struct rstr_obj *obj,
				  struct sock *sk, const char *name)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	struct sockaddr_storage storage;
	u32 len = ckpt_unix_sockaddr(obj, &storage);
	struct unix_address *addr;
	struct path path;
	int err;

	addr = unix_create_addr((struct sockaddr_un *)&storage, len);
	if (!addr)
		return -ENOMEM;
	err = kern_path(name, 0, &path);
	if (err == -ENOENT) {
		err = ckpt_unix_file_make(ctx, rec, name, &path);
	} else if (!err) {
		err = ckpt_unix_file_take(&path);
		if (err)
			path_put(&path);
	}
	if (!err) {
		err = ckpt_unix_file_bind(sk, addr, &path);
		if (err)
			path_put(&path);
	}
	if (err)
		unix_release_addr(addr);
	return err;
}

static int ckpt_unix_bind_once(struct rstr_ctx *ctx, struct rstr_obj *obj,
			       struct sock *sk)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	struct sockaddr_storage storage;
	u32 len = ckpt_unix_sockaddr(obj, &storage);
	int err;

	err = security_socket_bind(sk->sk_socket, (struct sockaddr *)&storage,
				   len);
	if (err)
		return err;
	if (path)
		return ckpt_unix_file_restore(ctx, obj, sk, rstr_path(path));
	return unix_bind_abstract(sk, (struct sockaddr_un *)&storage, len);
}

static int ckpt_unix_bind(struct rstr_ctx *ctx, struct rstr_obj *obj,
			  struct sock *sk)
{
	const struct ckpt_record *path = rstr_part_first(obj, CKPT_REC_PATH);
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	unsigned long end = jiffies + CKPT_SOCK_TIMEOUT;
	u32 name_len = ckpt_unix_name_len(obj);
	bool inflight = READ_ONCE(unix_tot_inflight);
	int err;

	if (!name_len)
		return 0;
	if (!ckpt_unix_is(obj, CKPT_UNIX_BOUND))
		return ckpt_unix_name(obj, sk);
	err = ckpt_unix_bind_once(ctx, obj, sk);
	/* Those of a killed process that go in circles have yet to be found. */
	while (err == -EADDRINUSE && inflight && time_before(jiffies, end)) {
		unix_gc();
		fsleep(2000);
		err = ckpt_unix_bind_once(ctx, obj, sk);
	}
	if (!err)
		return 0;
	if (path)
		ckpt_refuse(&ctx->log, err, "unix socket %s: %pe",
			    rstr_path(path), ERR_PTR(err));
	else
		ckpt_refuse(&ctx->log, err, "unix socket @%*pE: %pe",
			    (int)name_len - 1, rec->name + 1, ERR_PTR(err));
	return err;
}

/* One that has a name at most, and is dead. Returns a reference. */
static struct sock *ckpt_unix_dead_make(const struct rstr_obj *obj)
{
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	int type = le32_to_cpu(rec->type), err = 0;
	struct sock *sk;

	sk = unix_create1(current->nsproxy->net_ns, NULL, 0, type);
	if (IS_ERR(sk))
		return sk;
	sk->sk_type = type;
	if (ckpt_unix_name_len(obj))
		err = ckpt_unix_name(obj, sk);
	sock_hold(sk);
	unix_release_sock(sk, 0);
	if (err) {
		sock_put(sk);
		return ERR_PTR(err);
	}
	return sk;
}

/* As connect(2) would find it. */
static struct sock *ckpt_unix_find(const struct rstr_obj *obj)
{
	const struct ckpt_record *part = rstr_part_first(obj, CKPT_REC_PATH);
	const struct ckpt_rec_sock_unix *rec = rstr_payload(obj->rec);
	int type = le32_to_cpu(rec->type), err;
	struct sockaddr_storage storage;
	u32 len = ckpt_unix_sockaddr(obj, &storage);
	struct path path;
	struct sock *sk;

	if (!part)
		return unix_find_abstract(current->nsproxy->net_ns,
					  (struct sockaddr_un *)&storage, len,
					  type);
	err = kern_path(rstr_path(part), LOOKUP_FOLLOW, &path);
	if (err)
		return ERR_PTR(err);
	err = path_permission(&path, MAY_WRITE);
	sk = err ? ERR_PTR(err) :
		   unix_find_socket_byinode(d_backing_inode(path.dentry));
	path_put(&path);
	return sk ?: ERR_PTR(-ECONNREFUSED);
}
#endif
