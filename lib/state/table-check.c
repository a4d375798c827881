// SPDX-License-Identifier: GPL-2.0-or-later

/* What would the programs say to a packet? Asked of fw_check, which decides as they do, by a frame made up for it. */

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include "base/cleanup.h"
#include "state/table-internal.h"

/* A minimal Ethernet frame: the address on the side that the direction looks at, the port as destination. */
struct question {
	struct ethhdr ethernet;
	union {
		struct {
			struct iphdr ip;
			uint8_t l4[20];
		} v4;
		struct {
			struct ipv6hdr ip;
			uint8_t l4[20];
		} v6;
	};
} __attribute__((packed));

static void question_ask(struct question *q, const struct prefix *address, enum fw_direction direction,
			 enum fw_protocol protocol, int port)
{
	static const uint8_t numbers[] = { [FW_TCP] = IPPROTO_TCP, [FW_UDP] = IPPROTO_UDP };
	uint8_t number = port >= 0 ? numbers[protocol] : IPPROTO_NONE, *l4;

	memset(q, 0, sizeof(*q));
	if (address->family == AF_INET) {
		q->ethernet.h_proto = htons(ETH_P_IP);
		q->v4.ip.version = 4;
		q->v4.ip.ihl = 5;
		q->v4.ip.tot_len = htons(sizeof(q->v4));
		q->v4.ip.ttl = 64;
		q->v4.ip.protocol = number;
		memcpy(direction == FW_INGRESS ? (void *)&q->v4.ip.saddr : (void *)&q->v4.ip.daddr, address->bytes, 4);
		l4 = q->v4.l4;
	} else {
		q->ethernet.h_proto = htons(ETH_P_IPV6);
		q->v6.ip.version = 6;
		q->v6.ip.payload_len = htons(sizeof(q->v6.l4));
		q->v6.ip.nexthdr = number;
		q->v6.ip.hop_limit = 64;
		memcpy(direction == FW_INGRESS ? &q->v6.ip.saddr : &q->v6.ip.daddr, address->bytes, 16);
		l4 = q->v6.l4;
	}
	if (port >= 0) {
		l4[2] = port >> 8;
		l4[3] = port & 0xff;
	}
}

int table_check(struct table *t, const struct prefix *address, enum fw_direction direction,
		enum fw_protocol protocol, int port, uint32_t *ret_answer)
{
	struct __sk_buff context = { .cb[0] = direction };
	struct question q;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = &q, .data_size_in = sizeof(q), .ctx_in = &context,
		    .ctx_size_in = sizeof(context));
	_cleanup_close_ int fd = -1;

	fd = pins_open(t->pin_dir, "progs/fw_check");
	if (fd < 0)
		return fd;
	question_ask(&q, address, direction, protocol, port);
	if (bpf_prog_test_run_opts(fd, &opts) < 0)
		return -errno;

	*ret_answer = opts.retval;
	return 0;
}
