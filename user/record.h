/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What records there are and what is in them, as a table: the checks, the text
 * and the JSON all go by it. A new kind of record is one more entry.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
#include <linux/checkpoint_image.h>

/* What a reference may refer to; of masks of these. */
#define FAMILY_FILE	0x001U
#define FAMILY_MM	0x002U
#define FAMILY_SHMEM	0x004U
#define FAMILY_FILES	0x008U
#define FAMILY_FS	0x010U
#define FAMILY_CRED	0x020U
#define FAMILY_SIGHAND	0x040U
#define FAMILY_SIGNAL	0x080U
#define FAMILY_TASK	0x100U
#define FAMILY_PAGEMAP	0x200U
#define FAMILY_SEM_UNDO	0x400U
#define FAMILY_PIPE	0x800U
#define FAMILY_MEMFD	0x1000U
#define FAMILY_SECCOMP	0x4000U
#define FAMILY_DELETED	0x8000U
#define FAMILY_SEM_SET	0x100000U
#define FAMILY_MSG_QUEUE	0x200000U
#define FAMILY_MQUEUE	0x400000U
#define FAMILY_PTY	0x800000U
#define FAMILY_ENDED	0x1000000U
#define FAMILY_REMARK	0x10000U
#define FAMILY_SOCK	0x40000U
#define FAMILY_SOCK_LINK	0x80000U
#define FAMILY_NONE	0x2000U	/* in a mask: the reference may be 0 */

/**
 * enum field_how - what the bytes of a field mean
 * @FIELD_UNSIGNED: a number
 * @FIELD_SIGNED: a number that may be below zero
 * @FIELD_HEX: an address or a set of bits
 * @FIELD_OCTAL: file permissions
 * @FIELD_FLAGS: bits with names, of which the format knows all
 * @FIELD_OPEN_FLAGS: bits with names, and others
 * @FIELD_REF: a reference to an object
 * @FIELD_CHARS: a string, NUL terminated unless it fills the field
 * @FIELD_BYTES: bytes, shown in hexadecimal
 * @FIELD_CPUS: a bit for each CPU
 * @FIELD_ZERO: reserved
 * @FIELD_ARRAY: several of what the field's elements are
 */
enum field_how {
	FIELD_UNSIGNED,
	FIELD_SIGNED,
	FIELD_HEX,
	FIELD_OCTAL,
	FIELD_FLAGS,
	FIELD_OPEN_FLAGS,
	FIELD_REF,
	FIELD_CHARS,
	FIELD_BYTES,
	FIELD_CPUS,
	FIELD_ZERO,
	FIELD_ARRAY,
};

struct flag_name {
	__u64		bit;
	const char	*name;
};

/**
 * struct field - a field of a record
 * @name: as the format calls it; NULL ends a table, "" is the only field of
 *	an element
 * @offset: where it is, from the start of the payload or the element
 * @size: in bytes
 * @how: what it means
 * @flags: names of bits, up to one without
 * @families: to which a reference may refer
 * @elements: the fields of each element
 * @stride: the size of each
 */
struct field {
	const char		*name;
	size_t			offset;
	size_t			size;
	enum field_how		how;
	const struct flag_name	*flags;
	unsigned int		families;
	const struct field	*elements;
	size_t			stride;
};

/**
 * struct record_type - a type of record
 * @type: CKPT_REC_*
 * @name: the same in words
 * @family: of an object; 0 for a part
 * @owners: families that a part may belong to; 0 for an object
 * @size: of the payload, without @tail
 * @tail: what fills the rest of the payload, if anything; its size is not set
 * @fields: what the payload holds
 */
struct record_type {
	__u32			type;
	const char		*name;
	unsigned int		family;
	unsigned int		owners;
	size_t			size;
	const struct field	*tail;
	const struct field	*fields;
};

extern const struct field header_fields[];

/* NULL if there is no such type. */
const struct record_type *record_type_of(__u32 type);

/* The number in a field of 1, 2, 4 or 8 bytes of the payload at @base. */
__u64 field_value(const struct field *field, const void *base);
__s64 field_signed(const struct field *field, const void *base);

/* Whether @len bytes at @data are all zero. */
bool bytes_are_zero(const void *data, size_t len);

/* What @tail is in a payload of @size bytes. */
struct field record_tail(const struct record_type *type, size_t size);

#endif
