// SPDX-License-Identifier: GPL-2.0-or-later

/* Tells network namespaces apart: see netns.h. */

#include "kernel/netns.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include "base/cleanup.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* kernel 5.14; older headers lack it */
#endif

void netns_read_own(struct netns *ret)
{
	socklen_t size = sizeof(ret->cookie);
	_cleanup_close_ int fd = -1;
	struct stat st;

	*ret = (struct netns){};
	if (stat("/proc/self/ns/net", &st) == 0)
		ret->inode = st.st_ino;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &ret->cookie, &size) < 0)
		ret->cookie = 0;
}

bool netns_is_that_of_init(void)
{
	struct stat init, own;

	return stat("/proc/1/ns/net", &init) < 0 || stat("/proc/self/ns/net", &own) < 0 || init.st_ino == own.st_ino;
}

bool netns_is_other(const struct fw_meta *meta)
{
	struct netns own;

	netns_read_own(&own);
	if (meta->netns_cookie != 0 && own.cookie != 0)
		return meta->netns_cookie != own.cookie;
	return meta->netns_inode != 0 && own.inode != 0 && meta->netns_inode != own.inode;
}
