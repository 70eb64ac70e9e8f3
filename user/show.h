/* SPDX-License-Identifier: GPL-2.0-only */
/* Views of a good image, on standard output. */
#ifndef SHOW_H
#define SHOW_H

#include "image.h"

/* What it is and what it is of; the default. */
void show_summary(const struct image *image);
/* Every record with every field. */
void show_records(const struct image *image);
/* Each mapping of each address space, and what is saved of it. */
void show_maps(const struct image *image);
/* The paths of all files that a restart opens, one a line. */
void show_files(const struct image *image);
/* All of these in one JSON document. */
void show_json(const struct image *image);

#endif
