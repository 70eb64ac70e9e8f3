/* SPDX-License-Identifier: GPL-2.0-only */
/* Questions about a good image, asked by more than one view of it. */
#ifndef QUERY_H
#define QUERY_H

#include <stdio.h>

#include "image.h"

/* The path of a file, or the @nr'th of an object; "" if it has none. Of what was
 * deleted it is the name alone.
 */
const char *query_path(const struct image *image,
		       const struct image_record *object, unsigned int nr);

/**
 * struct query_pages - what an image holds of some memory
 * @saved: pages that are in the image
 * @zero: pages known to be zero
 * @same: pages that are in the image for other address spaces, which have them as well
 * @parent: pages for which the parent is to be looked into, be there any or not
 */
struct query_pages {
	__u64 saved;
	__u64 zero;
	__u64 same;
	__u64 parent;
};

/* Of an address space or shared memory, from @start to @end. */
struct query_pages query_pages(const struct image *image, __u32 owner,
			       __u64 start, __u64 end);

/* Of a mapping. */
struct query_pages query_vma_pages(const struct image *image,
				   const struct image_record *vma);

/**
 * struct query_usage - CPU time that a process has used, in nanoseconds
 * @user: in user mode
 * @system: in the kernel
 */
struct query_usage {
	__u64 user;
	__u64 system;
};

/**
 * query_usage() - what all processes of an image have used
 * @image: the image
 *
 * Return: an array to be freed, by the objects that thread groups are: of all their
 * threads, ended ones included; NULL if there is no memory
 */
struct query_usage *query_usage(const struct image *image);

/* Bytes that an address space maps. */
__u64 query_mapped(const struct image *image, const struct image_record *mm);

/* What proc_pid_maps(5) has in the last column, with a path as it is; or "". */
const char *query_vma_name(const struct image *image,
			   const struct image_record *vma);

/**
 * query_files() - the descriptions that a restart opens by a path
 * @image: the image
 * @nr: where to say how many
 *
 * Return: an array to be freed, sorted by path; NULL if there is no memory
 */
const struct image_record **query_files(const struct image *image, size_t *nr);

/**
 * query_paths() - all paths of files in an image, each once, sorted
 * @image: the image
 * @nr: where to say how many
 *
 * Return: an array to be freed; NULL if there is no memory
 */
const char **query_paths(const struct image *image, size_t *nr);

/**
 * query_time() - format the moment in which the image was taken
 * @image: the image
 * @format: for strftime(3), in UTC
 * @buf: where to
 * @len: its size
 */
void query_time(const struct image *image, const char *format, char *buf,
		size_t len);

#endif
