// SPDX-License-Identifier: GPL-2.0-only
/*
 * Open descriptions of sockets, whatever the family. There is one of each socket,
 * which is made with it, or none: of one that has been closed while others still
 * have to do with it, and of one that has not been accepted.
 */
#include <linux/fs.h>
#include <linux/net.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "checkpoint.h"
#include "file.h"
#include "restart.h"
#include "sock.h"

static bool ckpt_file_socket_match(const void *obj)
{
	struct socket *sock = sock_from_file((struct file *)obj);

	return sock && sock->sk;
}

static int ckpt_file_socket_checkpoint(struct ckpt_ctx *ctx, void *obj)
{
	struct user_namespace *ns = current_user_ns();
	struct file *file = obj;
	const struct inode *inode = file_inode(file);
	struct ckpt_rec_file_socket *rec;
	u32 ref;
	int err;

	err = ckpt_save(ctx, CKPT_SOCK, sock_from_file(file)->sk, &ref);
	if (err)
		return err;
	rec = ckpt_file_add(ctx, file, CKPT_REC_FILE_SOCKET, sizeof(*rec));
	if (IS_ERR(rec))
		return PTR_ERR(rec);
	rec->sock = cpu_to_le32(ref);
	rec->mode = cpu_to_le32(inode->i_mode & S_IALLUGO);
	rec->uid = cpu_to_le32(from_kuid_munged(ns, inode->i_uid));
	rec->gid = cpu_to_le32(from_kgid_munged(ns, inode->i_gid));
	return 0;
}

static int ckpt_file_socket_check(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_socket *rec = rstr_payload(obj->rec);
	struct rstr_obj *sock;

	if (le32_to_cpu(rec->mode) & ~S_IALLUGO)
		return rstr_bad(ctx, obj->rec, "mode %#o",
				le32_to_cpu(rec->mode));
	sock = rstr_ref(ctx, obj->rec, rec->sock, CKPT_SOCK);
	if (!sock)
		return -EBADMSG;
	/* Whose is set already is open, or can't be. */
	if (sock->private)
		return rstr_bad(ctx, obj->rec, "of a socket that has none, or another");
	sock->private = obj;
	return ckpt_file_anon_check(ctx, obj, 0);
}

static int ckpt_file_socket_restore(struct rstr_ctx *ctx, struct rstr_obj *obj)
{
	const struct ckpt_rec_file_socket *rec = rstr_payload(obj->rec);
	void *sk = rstr_get(ctx, rstr_obj(ctx, rec->sock));

	/* Which has opened this with it. */
	return PTR_ERR_OR_ZERO(sk);
}

/* The socket belongs to its description, which on failure is closed with it. */
static int ckpt_socket_open(struct rstr_ctx *ctx, struct rstr_obj *obj,
			    struct socket *sock)
{
	const struct ckpt_rec_file_socket *rec;
	struct rstr_obj *end = obj->private;
	struct file *file;

	rec = rstr_payload(end->rec);
	file = sock_alloc_file(sock, 0, NULL);
	if (IS_ERR(file))
		return PTR_ERR(file);
	end->ptr = file;
	obj->ptr = sock->sk;
	sock_hold(sock->sk);
	ckpt_file_set_flags(file, le32_to_cpu(rec->flags));
	return ckpt_file_owner(ctx, file, le32_to_cpu(rec->uid),
			       le32_to_cpu(rec->gid), le32_to_cpu(rec->mode));
}

/**
 * ckpt_socket_create() - make a socket anew, its description, filter and options
 * @ctx: the restart
 * @obj: the socket, which has a description; obj->ptr is set
 * @family: AF_*
 * @type: SOCK_*
 * @protocol: as of socket(2), whose permissions apply
 *
 * Return: 0 or a negative errno.
 */
int ckpt_socket_create(struct rstr_ctx *ctx, struct rstr_obj *obj, int family,
		       int type, int protocol)
{
	struct socket *sock;
	int err;

	err = sock_create(family, type, protocol, &sock);
	/* What socket(2) says for want of memory. */
	if (err == -ENOBUFS)
		err = -ENOMEM;
	if (err)
		return ckpt_refuse(&ctx->log, err, "%s: can't be created: %pe",
				   obj->kind->name, ERR_PTR(err));
	err = ckpt_socket_open(ctx, obj, sock);
	if (!err)
		err = ckpt_sock_filter_restore(ctx, obj, sock->sk);
	return err ?: ckpt_sock_options_restore(ctx, obj, sock);
}

const struct ckpt_kind ckpt_file_socket_kind = {
	.type		= CKPT_REC_FILE_SOCKET,
	.family		= CKPT_FILE,
	.name		= "open socket",
	.size		= sizeof(struct ckpt_rec_file_socket),
	.match		= ckpt_file_socket_match,
	.users		= ckpt_file_users,
	.checkpoint	= ckpt_file_socket_checkpoint,
	.check		= ckpt_file_socket_check,
	.restore	= ckpt_file_socket_restore,
};
