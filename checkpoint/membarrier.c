// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an address space has registered with membarrier(2). Built as part of
 * kernel/sched/membarrier.c, which keeps to itself how that is done.
 */
#ifdef CONFIG_CHECKPOINT
#include "../../checkpoint/mm.h"

static const struct {
	u32	command;
	int	state;
	int	flags;
} ckpt_membarriers[] = {
	{ MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED,
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_READY, 0 },
	{ MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE,
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_SYNC_CORE_READY,
	  MEMBARRIER_FLAG_SYNC_CORE },
	{ MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ,
	  MEMBARRIER_STATE_PRIVATE_EXPEDITED_RSEQ_READY,
	  MEMBARRIER_FLAG_RSEQ },
};

/**
 * ckpt_membarrier_save() - what was registered
 * @mm: the address space
 *
 * Return: a mask of MEMBARRIER_CMD_REGISTER_*
 */
u32 ckpt_membarrier_save(struct mm_struct *mm)
{
	int state = atomic_read(&mm->membarrier_state);
	u32 registrations = 0;

	if (state & MEMBARRIER_STATE_GLOBAL_EXPEDITED_READY)
		registrations |= MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_membarriers); i++)
		if (state & ckpt_membarriers[i].state)
			registrations |= ckpt_membarriers[i].command;
	return registrations;
}

/**
 * ckpt_membarrier_known() - check what is read from an image
 * @registrations: the mask
 *
 * Return: whether ckpt_membarrier_restore() knows all of it.
 */
bool ckpt_membarrier_known(u32 registrations)
{
	registrations &= ~MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED;
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_membarriers); i++)
		registrations &= ~ckpt_membarriers[i].command;
	return !registrations;
}

/**
 * ckpt_membarrier_restore() - register for the current address space
 * @registrations: the mask
 *
 * Return: 0 or a negative errno.
 */
int ckpt_membarrier_restore(u32 registrations)
{
	int err = 0, flags;

	if (registrations & MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED)
		err = membarrier_register_global_expedited();
	for (size_t i = 0; i < ARRAY_SIZE(ckpt_membarriers) && !err; i++) {
		flags = ckpt_membarriers[i].flags;
		if (registrations & ckpt_membarriers[i].command)
			err = membarrier_register_private_expedited(flags);
	}
	return err;
}
#endif
