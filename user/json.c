// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>

#include "json.h"
#include "text.h"

static void put_escaped(FILE *out, const char *s, size_t len)
{
	while (len) {
		size_t n = text_utf8(s, len);
		unsigned char c = *s;

		if (!n) {
			fprintf(out, "\\udc%02x", c);
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			fprintf(out, "\\u%04x", c);
		} else if (c == '"' || c == '\\') {
			fprintf(out, "\\%c", c);
		} else {
			fwrite(s, 1, n, out);
		}
		s += n;
		len -= n;
	}
}

static void put_quoted(FILE *out, const char *s, size_t len)
{
	fputc('"', out);
	put_escaped(out, s, len);
	fputc('"', out);
}

static void new_line(struct json *json)
{
	unsigned int i;

	fputc('\n', json->out);
	for (i = 0; i < json->depth; i++)
		fputc('\t', json->out);
}

/* Whatever stands before a value: comma, line end, key. */
static void start_value(struct json *json, const char *key)
{
	if (!json->empty && json->depth)
		fputc(',', json->out);
	if (json->depth)
		new_line(json);
	json->empty = false;
	if (key) {
		put_quoted(json->out, key, strlen(key));
		fputs(": ", json->out);
	}
}

void json_open(struct json *json, const char *key, char bracket)
{
	start_value(json, key);
	fputc(bracket, json->out);
	json->depth++;
	json->empty = true;
}

void json_close(struct json *json, char bracket)
{
	json->depth--;
	if (!json->empty)
		new_line(json);
	fputc(bracket, json->out);
	json->empty = false;
	if (!json->depth)
		fputc('\n', json->out);
}

void json_string(struct json *json, const char *key, const char *s, size_t len)
{
	start_value(json, key);
	put_quoted(json->out, s, len);
}

void json_unsigned(struct json *json, const char *key, __u64 value)
{
	start_value(json, key);
	fprintf(json->out, "%llu", value);
}

void json_signed(struct json *json, const char *key, __s64 value)
{
	start_value(json, key);
	fprintf(json->out, "%lld", value);
}

void json_bool(struct json *json, const char *key, bool value)
{
	start_value(json, key);
	fputs(value ? "true" : "false", json->out);
}

void json_hex(struct json *json, const char *key, __u64 value)
{
	start_value(json, key);
	fprintf(json->out, "\"0x%llx\"", value);
}

void json_bytes(struct json *json, const char *key, const void *data,
		size_t len)
{
	const unsigned char *p = data;

	start_value(json, key);
	fputc('"', json->out);
	while (len--)
		fprintf(json->out, "%02x", *p++);
	fputc('"', json->out);
}
