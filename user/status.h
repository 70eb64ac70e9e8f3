/* SPDX-License-Identifier: GPL-2.0-only */
/* How a program ends, other than well. */
#ifndef STATUS_H
#define STATUS_H

#define EXIT_FAILED	1	/* and has said why */
#define EXIT_USAGE	2

#endif
