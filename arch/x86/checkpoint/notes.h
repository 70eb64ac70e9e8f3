/* SPDX-License-Identifier: GPL-2.0-only */
/* What /sys/kernel/notes shows, by the linker script. */
#ifndef _X86_CHECKPOINT_NOTES_H
#define _X86_CHECKPOINT_NOTES_H

extern const void __start_notes;
extern const void __stop_notes;

#endif
