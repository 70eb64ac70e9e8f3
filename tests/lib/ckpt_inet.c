// SPDX-License-Identifier: GPL-2.0-only
#include "kselftest.h"
#include "ckpt_target.h"
#include "ckpt_inet.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>

void ckpt_loopback_up(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	NEED(!ioctl(fd, SIOCGIFFLAGS, &ifr));
	ifr.ifr_flags |= IFF_UP;
	NEED(!ioctl(fd, SIOCSIFFLAGS, &ifr));
	close(fd);
}

socklen_t ckpt_loopback(struct sockaddr_storage *addr, int family, int port)
{
	struct sockaddr_in6 *in6 = (void *)addr;
	struct sockaddr_in *in = (void *)addr;

	memset(addr, 0, sizeof(*addr));
	addr->ss_family = family;
	if (family == AF_INET) {
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(*in);
	}
	in6->sin6_port = htons(port);
	in6->sin6_addr = in6addr_loopback;
	return sizeof(*in6);
}

int ckpt_connect(int fd, int family, int port)
{
	struct sockaddr_storage addr;
	socklen_t len = ckpt_loopback(&addr, family, port);

	return connect(fd, (void *)&addr, len);
}

void ckpt_put(int fd, const char *text)
{
	NEED(send(fd, text, strlen(text), MSG_NOSIGNAL) ==
	     (ssize_t)strlen(text));
}

bool ckpt_gets(int fd, const char *text)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	size_t len = strlen(text), at = 0;
	char buf[256] = "";
	ssize_t got;

	while (at < len && poll(&poll_fd, 1, 1000) == 1) {
		got = recv(fd, buf + at, len - at, MSG_DONTWAIT);
		if (got <= 0)
			return false;
		at += got;
	}
	return at == len && !memcmp(buf, text, len);
}

bool ckpt_at_end(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	char byte;

	return poll(&poll_fd, 1, 1000) == 1 &&
	       recv(fd, &byte, 1, MSG_DONTWAIT) == 0;
}

int ckpt_option(int fd, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	NEED(!getsockopt(fd, level, name, &value, &len));
	return value;
}

void ckpt_set_option(int fd, int level, int name, int value)
{
	NEED(!setsockopt(fd, level, name, &value, sizeof(value)));
}
