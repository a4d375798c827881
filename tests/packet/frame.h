/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * Frames for tests, described by what is in them, right or deliberately wrong. The packet tests judge
 * them in test runs, the namespace tests send them by their name in the catalogue.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_MAX      9014
#define FRAME_TAGS_MAX 6

/* A field that is really zero, where 0 stands for "the right value". */
#define FRAME_ZERO 0x10000

/* Where a description names no address. */
#define FRAME_SRC4 "192.0.2.10"
#define FRAME_DST4 "192.0.2.1"
#define FRAME_SRC6 "2001:db8::10"
#define FRAME_DST6 "2001:db8::1"

#define FRAME_DPORT 5000
#define FRAME_SPORT 40000

enum {
	FRAME_FIN = 0x01,
	FRAME_SYN = 0x02,
	FRAME_RST = 0x04,
	FRAME_ACK = 0x10,
};

struct frame_spec {
	const char *src, *dst; /* NULL = FRAME_SRC4, ... */

	uint16_t tags[FRAME_TAGS_MAX]; /* tag protocols (0x8100, 0x88a8), outermost first; 0 ends them */
	uint16_t vid;                  /* of each tag; 0 makes it a priority tag */
	bool is_snap;                  /* 802.3 length, LLC and SNAP in place of the ethertype */
	uint16_t ethertype;            /* 0 = what family says */

	uint8_t family;           /* AF_INET, AF_INET6; 0 = zeroes behind the Ethernet header */
	uint32_t version;         /* of the IP header, 0 = right */
	uint32_t ihl;             /* words, 0 = right */
	uint8_t n_options;        /* bytes of IPv4 options, a multiple of 4 */
	uint8_t option;           /* each byte of them, 0 = no-operation */
	const char *headers;      /* IPv6 extension headers, or AH of IPv4, a letter each: see frame.c */
	const char *final;        /* last address of a routing header, or of a source route in 8 bytes of options */
	bool is_route_over;       /* and no segment is left */
	uint32_t length;          /* total length (IPv4) or payload length (IPv6), 0 = right */
	uint16_t fragment;        /* flags and offset of the IPv4 header */

	uint8_t protocol;   /* IPPROTO_TCP, ...; 0 = IPPROTO_UDP */
	uint8_t tcp_flags;
	uint32_t dport;     /* 0 = FRAME_DPORT */
	uint16_t n_data;    /* bytes behind the L4 header */
	uint16_t n_ip;      /* where the packet is cut, in bytes from the IP header; 0 = not at all */
	uint16_t n_frame;   /* the same from the start of the frame */
};

struct frame {
	size_t network; /* where the IP header begins */
	size_t length;
	uint8_t bytes[FRAME_MAX];
};

/* Builds with right checksums where there is something to sum up. -EINVAL: an address that is none. */
int frame_build(const struct frame_spec *spec, struct frame *ret);

/* What a frame counts as beside one packet, and whether its address can be read. */
enum {
	FRAME_IS_SYN = 1 << 0,
	FRAME_IS_SYN_ACK = 1 << 1,
	FRAME_IS_UNPARSED = 1 << 2,
	FRAME_IS_MALFORMED = 1 << 3,
	FRAME_HAS_ADDRESS = 1 << 4,
	FRAME_HAS_PORT = 1 << 5,
	FRAME_SKB_ONLY = 1 << 6, /* the row is not for XDP, */
	FRAME_XDP_ONLY = 1 << 7, /* or for XDP alone */
	FRAME_IS_HIDDEN = 1 << 8, /* there should be a port, and it cannot be read */
};

struct frame_row {
	const char *name;
	struct frame_spec spec;
	unsigned is;
};

extern const struct frame_row frame_catalogue[];
extern const size_t n_frame_catalogue;

/* NULL if there is none of that name. */
const struct frame_row *frame_find(const char *name);
