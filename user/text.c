// SPDX-License-Identifier: GPL-2.0-only
#include <stdbool.h>
#include "text.h"

/* Bytes of a character that @lead starts, by Unicode 15.0, table 3-7. */
static size_t utf8_announced(unsigned char lead)
{
	if (lead < 0x80)
		return 1;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 2;
	if (lead >= 0xe0 && lead <= 0xef)
		return 3;
	if (lead >= 0xf0 && lead <= 0xf4)
		return 4;
	return 0;
}

/* The same table's second column: overlong forms, surrogates, beyond 10ffff. */
static bool utf8_second_ok(unsigned char lead, unsigned char second)
{
	switch (lead) {
	case 0xe0:
		return second >= 0xa0;
	case 0xed:
		return second <= 0x9f;
	case 0xf0:
		return second >= 0x90;
	case 0xf4:
		return second <= 0x8f;
	default:
		return true;
	}
}

size_t text_utf8(const char *s, size_t len)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t n = utf8_announced(p[0]);
	size_t i;

	if (n > len)
		return 0;
	for (i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n > 1 && !utf8_second_ok(p[0], p[1]))
		return 0;
	return n;
}

/* Terminals obey U+0080 to U+009f as they do the control codes of ASCII. */
static bool is_control(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	if (n == 1)
		return p[0] < 0x20 || p[0] == 0x7f;
	return n == 2 && p[0] == 0xc2 && p[1] < 0xa0;
}

void text_put(FILE *out, const char *s, size_t len)
{
	while (len) {
		size_t n = text_utf8(s, len);

		if (!n || *s == '\\' || is_control(s, n)) {
			fprintf(out, "\\%03o", (unsigned char)*s);
			n = 1;
		} else {
			fwrite(s, 1, n, out);
		}
		s += n;
		len -= n;
	}
}

const char *text_size(char buf[TEXT_SIZE_LEN], __u64 bytes)
{
	static const char * const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double size = bytes / 1024.0;
	size_t i = 0;

	if (bytes < 1024) {
		snprintf(buf, TEXT_SIZE_LEN, "%llu B", bytes);
		return buf;
	}
	while (size >= 1024 && i < sizeof(units) / sizeof(units[0]) - 1) {
		size /= 1024;
		i++;
	}
	snprintf(buf, TEXT_SIZE_LEN, "%.1f %s", size, units[i]);
	return buf;
}
