// SPDX-License-Identifier: GPL-2.0-only
#include "ckpt_loop.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

/* The device lasts as long as it is open or mounted. */
static int ckpt_loop_attach(const char *disk, char *loop, size_t size)
{
	int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	struct loop_config config = {
		.fd = open(disk, O_RDWR | O_CLOEXEC),
		.info = { .lo_flags = LO_FLAGS_AUTOCLEAR },
	};
	int fd, keep = -1;

	snprintf(loop, size, "/dev/loop%d", ioctl(control, LOOP_CTL_GET_FREE));
	fd = open(loop, O_RDWR | O_CLOEXEC);
	/* What is open to be written can't be mounted. */
	if (fd >= 0 && !ioctl(fd, LOOP_CONFIGURE, &config))
		keep = open(loop, O_RDONLY | O_CLOEXEC);
	close(fd);
	close(control);
	close(config.fd);
	return keep;
}

static int ckpt_loop_make(const char *disk, off_t size)
{
	int fd = open(disk, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	char command[160];

	if (fd < 0 || ftruncate(fd, size))
		return -1;
	close(fd);
	snprintf(command, sizeof(command),
		 "/bin/mke2fs -b 4096 -F %s >/dev/null 2>&1", disk);
	return system(command) ? -1 : 0;
}

int ckpt_loop_mount(const char *disk, off_t size, const char *dir)
{
	char loop[32];
	int fd, ret;

	if (ckpt_loop_make(disk, size))
		return -1;
	fd = ckpt_loop_attach(disk, loop, sizeof(loop));
	if (fd < 0)
		return -1;
	ret = mount(loop, dir, "ext4", 0, "");
	close(fd);
	return ret;
}
