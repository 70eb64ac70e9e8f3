/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing JSON, RFC 8259, as it comes. */
#ifndef JSON_H
#define JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <linux/types.h>

/**
 * struct json - a document in the making
 * @out: where it goes
 * @depth: how many objects and arrays are open
 * @empty: nothing is in the innermost yet
 */
struct json {
	FILE		*out;
	unsigned int	depth;
	bool		empty;
};

/*
 * Every value takes the key that it has in an object, or NULL in an array.
 * json_open() takes the bracket that starts an object or an array, and
 * json_close() the one that ends it. The last json_close() ends the document.
 */
void json_open(struct json *json, const char *key, char bracket);
void json_close(struct json *json, char bracket);

/*
 * What is not UTF-8 comes out as the surrogates from U+DC80 to U+DCFF that
 * Python's "surrogateescape" has for it, so that no byte of a path is lost.
 */
void json_string(struct json *json, const char *key, const char *s, size_t len);
void json_unsigned(struct json *json, const char *key, __u64 value);
void json_signed(struct json *json, const char *key, __s64 value);
void json_bool(struct json *json, const char *key, bool value);

/* A string, "0x7ff0": other readers of JSON know no integers above 2^53. */
void json_hex(struct json *json, const char *key, __u64 value);
/* A string, two digits a byte. */
void json_bytes(struct json *json, const char *key, const void *data,
		size_t len);

#endif
