// SPDX-License-Identifier: GPL-2.0-or-later

/* A socket, a request, its answers: see netlink.h. */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "netlink.h"

#define DUMP_SIZE 32768 /* what the kernel fills at most per message of a dump */

struct dump {
	int (*fn)(const struct nlmsghdr *message, void *userdata);
	void *userdata;
};

static int visit(const struct nlmsghdr *message, void *userdata)
{
	const struct dump *d = userdata;
	int r;

	r = d->fn(message, d->userdata);
	if (r >= 0)
		return MNL_CB_OK;
	errno = -r;
	return MNL_CB_ERROR;
}

int netlink_open(struct mnl_socket **ret)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*ret = TAKE_PTR(nl);
	return 0;
}

void netlink_closep(struct mnl_socket **nl)
{
	if (*nl)
		(void) mnl_socket_close(*nl); /* nothing was sent that could be lost */
}

int netlink_dump(struct mnl_socket *nl, uint16_t type, const void *header, size_t size,
		 int (*fn)(const struct nlmsghdr *message, void *userdata), void *userdata)
{
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct dump d = { .fn = fn, .userdata = userdata };
	struct nlmsghdr *message;
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	memcpy(mnl_nlmsg_put_extra_header(message, size), header, size);
	if (mnl_socket_sendto(nl, message, message->nlmsg_len) < 0)
		return -errno;

	do {
		n = mnl_socket_recvfrom(nl, buffer, DUMP_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 0, mnl_socket_get_portid(nl), visit, &d);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}
