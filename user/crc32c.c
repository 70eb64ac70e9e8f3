// SPDX-License-Identifier: GPL-2.0-only
/*
 * CRC32C as RFC 3720, section 12.1 and appendix B.4, uses it: the polynomial
 * 0x1edc6f41 of Castagnoli, Braeuer and Herrmann (IEEE Transactions on
 * Communications 41, 1993), bits reflected, begun with ones and inverted at the
 * end.
 */
#include "crc32c.h"

/* What four bits that leave at the low end add: 0x82f63b78, the polynomial
 * reflected, for a single one in the highest of them.
 */
static const __u32 nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

__u32 crc32c(__u32 crc, const void *data, size_t len)
{
	const unsigned char *p = data;

	crc = ~crc;
	for (; len; len--, p++) {
		crc ^= *p;
		crc = crc >> 4 ^ nibble[crc & 15];
		crc = crc >> 4 ^ nibble[crc & 15];
	}
	return ~crc;
}
