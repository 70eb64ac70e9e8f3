/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CRC32C_H
#define CRC32C_H

#include <stddef.h>
#include <linux/types.h>

/**
 * crc32c() - checksum of @len bytes at @data
 * @crc: 0, or the checksum of what comes before @data
 * @data: what to sum up
 * @len: its size
 *
 * Return: the checksum
 */
__u32 crc32c(__u32 crc, const void *data, size_t len);

#endif
