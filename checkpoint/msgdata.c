// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in a message, of System V and of POSIX queues alike. Built as part of
 * ipc/msgutil.c, which alone knows of the pieces that it is in.
 */
#ifdef CONFIG_CHECKPOINT
#include "../checkpoint/sysvipc.h"

/**
 * ckpt_msg_load() - make a message, as load_msg() does of what a task has
 * @data: what is to be in it
 * @len: bytes
 *
 * Return: the message, whose type is up to the caller; or an ERR_PTR.
 */
struct msg_msg *ckpt_msg_load(const void *data, size_t len)
{
	struct msg_msg *msg = alloc_msg(len);
	struct msg_msgseg *seg;
	size_t part = min(len, DATALEN_MSG);
	int err;

	if (!msg)
		return ERR_PTR(-ENOMEM);
	msg->m_ts = len;
	memcpy(msg + 1, data, part);
	for (seg = msg->next; seg; seg = seg->next) {
		data += part;
		len -= part;
		part = min(len, DATALEN_SEG);
		memcpy(seg + 1, data, part);
	}
	err = security_msg_msg_alloc(msg);
	if (!err)
		return msg;
	free_msg(msg);
	return ERR_PTR(err);
}

/**
 * ckpt_msg_store() - get at what is in a message
 * @msg: the message
 * @data: room for all of it
 */
void ckpt_msg_store(struct msg_msg *msg, void *data)
{
	size_t len = msg->m_ts, part = min(len, DATALEN_MSG);
	struct msg_msgseg *seg;

	memcpy(data, msg + 1, part);
	for (seg = msg->next; seg; seg = seg->next) {
		data += part;
		len -= part;
		part = min(len, DATALEN_SEG);
		memcpy(data, seg + 1, part);
	}
}
#endif /* CONFIG_CHECKPOINT */
