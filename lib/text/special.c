// SPDX-License-Identifier: GPL-2.0-or-later

/* See special.h. */

#include "text/special.h"

#include "base/cleanup.h"

#define IPV4(a, b, c, d, n) { AF_INET, n, { a, b, c, d } }
#define IPV6(n, ...)        { AF_INET6, n, { __VA_ARGS__ } }

/* The narrower one of two that cover each other comes first: it says more. */
const struct special specials[] = {
	{ IPV4(127, 0, 0, 0, 8),         "loopback", SPECIAL_NOT_PUBLIC | SPECIAL_NEEDED },
	{ IPV4(0, 0, 0, 0, 32),          "the address of a host that has none yet, for DHCP", SPECIAL_NEEDED },
	{ IPV4(255, 255, 255, 255, 32),  "broadcast, for DHCP", SPECIAL_NEEDED },
	{ IPV4(169, 254, 169, 254, 32),  "the metadata service of clouds", SPECIAL_NEEDED },
	{ IPV4(224, 0, 0, 0, 24),        "multicast on the local network", SPECIAL_NEEDED },
	{ IPV4(224, 0, 0, 0, 4),         "multicast", SPECIAL_NEEDED },
	{ IPV4(0, 0, 0, 0, 8),           "this network", SPECIAL_NOT_PUBLIC },
	{ IPV4(10, 0, 0, 0, 8),          "private", SPECIAL_NOT_PUBLIC },
	{ IPV4(100, 64, 0, 0, 10),       "carrier-grade NAT", SPECIAL_NOT_PUBLIC },
	{ IPV4(169, 254, 0, 0, 16),      "link-local", SPECIAL_NOT_PUBLIC },
	{ IPV4(172, 16, 0, 0, 12),       "private", SPECIAL_NOT_PUBLIC },
	{ IPV4(192, 168, 0, 0, 16),      "private", SPECIAL_NOT_PUBLIC },
	{ IPV4(224, 0, 0, 0, 3),         "multicast and beyond", SPECIAL_NOT_PUBLIC },

	{ IPV6(128, [15] = 1),           "loopback", SPECIAL_NOT_PUBLIC | SPECIAL_NEEDED },
	{ IPV6(128, 0),                  "no address, for neighbour discovery", SPECIAL_NOT_PUBLIC | SPECIAL_NEEDED },
	{ IPV6(128, 0xfd, 0, 0x0e, 0xc2, [14] = 2, 0x54), "the metadata service of clouds", SPECIAL_NEEDED },
	{ IPV6(104, 0xff, 2, [11] = 1, 0xff), "multicast for neighbour discovery", SPECIAL_NEEDED },
	{ IPV6(16, 0xff, 2),             "multicast on the local network, for neighbour discovery", SPECIAL_NEEDED },
	{ IPV6(8, 0xff),                 "multicast", SPECIAL_NOT_PUBLIC | SPECIAL_NEEDED },
	{ IPV6(64, 0xfe, 0x80),          "link-local, for neighbour discovery", SPECIAL_NEEDED | SPECIAL_AS_WHOLE },
	{ IPV6(10, 0xfe, 0x80),          "link-local", SPECIAL_NOT_PUBLIC },
	{ IPV6(7, 0xfc),                 "private", SPECIAL_NOT_PUBLIC },
};
const size_t n_specials = ELEMENTSOF(specials);
