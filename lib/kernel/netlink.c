// SPDX-License-Identifier: GPL-2.0-or-later

/* A socket, a request, its answers: see netlink.h. */

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/inet_diag.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/cleanup.h"
#include "kernel/netlink.h"

#define DUMP_SIZE (64 * 1024) /* a link with hundreds of virtual functions fills more than the kernel's usual 32 KiB */
#define DUMP_TRIES 5

struct dump {
	netlink_fn fn;
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

static int open_bus(int bus, struct mnl_socket **ret)
{
	_cleanup_(netlink_closep) struct mnl_socket *nl = mnl_socket_open2(bus, SOCK_CLOEXEC);

	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	*ret = TAKE_PTR(nl);
	return 0;
}

int netlink_open(struct mnl_socket **ret)
{
	return open_bus(NETLINK_ROUTE, ret);
}

void netlink_closep(struct mnl_socket **nl)
{
	if (*nl)
		(void) mnl_socket_close(*nl); /* nothing was sent that could be lost */
}

ssize_t netlink_receive(const struct mnl_socket *nl, void *buffer, size_t size)
{
	struct sockaddr_nl from = {};
	struct iovec data = { .iov_base = buffer, .iov_len = size };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_name = &from };
	ssize_t n;

	do {
		message.msg_namelen = sizeof(from);
		n = recvmsg(mnl_socket_get_fd(nl), &message, 0); /* libmnl does not tell the sender of a message */
		if (n < 0)
			return n;
	} while (message.msg_namelen != sizeof(from) || from.nl_pid != 0);
	if (message.msg_flags & MSG_TRUNC) {
		errno = ENOSPC;
		return -1;
	}
	return n;
}

static int send_request(struct mnl_socket *nl, uint16_t type, uint16_t flags, const void *header, size_t size, char *buffer)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	memcpy(mnl_nlmsg_put_extra_header(message, size), header, size);
	return mnl_socket_sendto(nl, message, message->nlmsg_len) < 0 ? -errno : 0;
}

int netlink_dump(struct mnl_socket *nl, uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata)
{
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct dump d = { .fn = fn, .userdata = userdata };
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	r = send_request(nl, type, NLM_F_DUMP, header, size, buffer);
	if (r < 0)
		return r;

	do {
		n = netlink_receive(nl, buffer, DUMP_SIZE);
		if (n < 0)
			return -errno;
		r = mnl_cb_run(buffer, n, 0, mnl_socket_get_portid(nl), visit, &d);
	} while (r > MNL_CB_STOP);
	return r < 0 ? -errno : 0;
}

int netlink_ask(uint16_t type, const void *header, size_t size, netlink_fn fn, void *userdata)
{
	int r = -EINTR;

	for (int i = 0; i < DUMP_TRIES && r == -EINTR; i++) {
		_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;

		r = netlink_open(&nl);
		if (r >= 0)
			r = netlink_dump(nl, type, header, size, fn, userdata);
	}
	return r == -EINTR ? 0 : r;
}

int netlink_get_link(unsigned ifindex, netlink_fn fn, void *userdata)
{
	const struct {
		struct ifinfomsg m;
		struct nlattr a;
		uint32_t mask;
	} request = {
		.m.ifi_index = (int)ifindex,
		.a = { .nla_len = sizeof(struct nlattr) + sizeof(uint32_t), .nla_type = IFLA_EXT_MASK },
		.mask = RTEXT_FILTER_SKIP_STATS,
	};
	_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
	_cleanup_free_ char *buffer = malloc(DUMP_SIZE);
	struct dump d = { .fn = fn, .userdata = userdata };
	ssize_t n;
	int r;

	if (!buffer)
		return -ENOMEM;
	r = netlink_open(&nl);
	if (r >= 0)
		r = send_request(nl, RTM_GETLINK, 0, &request, sizeof(request), buffer);
	if (r < 0)
		return r;
	n = netlink_receive(nl, buffer, DUMP_SIZE);
	if (n < 0 || mnl_cb_run(buffer, (size_t)n, 0, 0, visit, &d) < 0)
		return -errno;
	return 0;
}

int netlink_dump_sockets(int protocol, unsigned states, uint16_t source_port, uint16_t destination_port,
			 netlink_fn fn, void *userdata)
{
	static const int families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (size_t i = 0; i < ELEMENTSOF(families) && r != -ENOMEM; i++) {
		_cleanup_(netlink_closep) struct mnl_socket *nl = NULL;
		const struct inet_diag_req_v2 request = {
			.sdiag_family = families[i],
			.sdiag_protocol = protocol,
			.idiag_states = states,
			.id.idiag_sport = htons(source_port),
			.id.idiag_dport = htons(destination_port),
		};

		r = open_bus(NETLINK_SOCK_DIAG, &nl);
		if (r >= 0)
			r = netlink_dump(nl, SOCK_DIAG_BY_FAMILY, &request, sizeof(request), fn, userdata);
	}
	return r == -ENOMEM ? r : 0;
}

struct prefix netlink_socket_peer(const struct inet_diag_msg *m)
{
	if (m->idiag_family == AF_INET)
		return prefix_from_bytes(AF_INET, m->id.idiag_dst, 32);
	if (IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)m->id.idiag_dst))
		return prefix_from_bytes(AF_INET, &m->id.idiag_dst[3], 32);
	return prefix_from_bytes(AF_INET6, m->id.idiag_dst, 128);
}
