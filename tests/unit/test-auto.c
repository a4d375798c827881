// SPDX-License-Identifier: GPL-2.0-or-later

/* auto.c: what "auto" takes and leaves out, on hosts of all sorts; many of their devices no test machine has. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_arp.h>

#include "net/auto.h"
#include "unit.h"

#define INTERFACES_MAX 8

enum trait {
	DEVICE = 1,  /* hardware */
	ROUTE = 2,   /* a default route */
	ADDRESS = 4,
	EXCLUDED = 8, /* by !name in Interfaces= */
};

static const struct host {
	const char *what;
	struct row {
		const char *name, *kind, *master, *lower;
		int traits;
		uint16_t type; /* 0 = Ethernet */
		enum auto_choice want;
	} rows[INTERFACES_MAX];
} hosts[] = {
	{ "a server", {
		{ .name = "lo", .traits = ADDRESS, .type = ARPHRD_LOOPBACK, .want = AUTO_LOOPBACK },
		{ .name = "eth0", .traits = DEVICE | ROUTE | ADDRESS, .want = AUTO_ROUTE },
		{ .name = "eth1", .traits = DEVICE, .want = AUTO_DEVICE },
		{ .name = "wg0", .kind = "wireguard", .type = ARPHRD_NONE, .want = AUTO_TUNNEL },
		{ .name = "can0", .traits = DEVICE, .type = ARPHRD_CAN, .want = AUTO_NOTHING },
		{ .name = "ib0", .traits = DEVICE | ADDRESS, .type = ARPHRD_INFINIBAND, .want = AUTO_ADDRESS },
	} },
	{ "containers behind docker0", {
		{ .name = "eth0", .traits = DEVICE, .want = AUTO_DEVICE },
		{ .name = "docker0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_INSIDE },
		{ .name = "veth1", .kind = "veth", .master = "docker0", .want = AUTO_GUEST },
		{ .name = "vnet0", .kind = INTERFACE_TAP, .master = "docker0", .want = AUTO_GUEST },
		{ .name = "cali1", .kind = "veth", .want = AUTO_NOTHING },
		{ .name = "nk1", .kind = "netkit", .type = ARPHRD_NONE, .want = AUTO_NOTHING },
	} },
	{ "a container", {
		{ .name = "eth0", .kind = "veth", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "net1", .kind = "macvlan", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "docker0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_INSIDE },
		{ .name = "veth1", .kind = "veth", .master = "docker0", .want = AUTO_GUEST },
	} },
	{ "frames bridged to guests pass the hardware, not the bridge", {
		{ .name = "eth0", .traits = DEVICE, .master = "br0", .want = AUTO_UPLINK },
		{ .name = "br0", .kind = "bridge", .traits = ROUTE | ADDRESS, .want = AUTO_SWITCH },
		{ .name = "vnet0", .kind = INTERFACE_TAP, .master = "br0", .want = AUTO_GUEST },
		{ .name = "veth1", .kind = "veth", .master = "br0", .want = AUTO_GUEST },
		{ .name = "br0.5", .kind = "vlan", .lower = "br0", .traits = ADDRESS, .want = AUTO_UPPER },
		{ .name = "eth0.7", .kind = "vlan", .lower = "eth0", .traits = ROUTE, .want = AUTO_UPPER },
	} },
	{ "the same, and the hardware is excluded", {
		{ .name = "eth0", .traits = DEVICE | EXCLUDED, .master = "br0", .want = AUTO_UPLINK },
		{ .name = "br0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "eth0.7", .kind = "vlan", .lower = "eth0", .traits = ROUTE, .want = AUTO_ROUTE },
	} },
	{ "a bridge without hardware, which is the way out", {
		{ .name = "up0", .kind = "veth", .master = "br0", .want = AUTO_UPLINK },
		{ .name = "c0", .kind = "veth", .master = "br0", .want = AUTO_UPLINK },
		{ .name = "br0", .kind = "bridge", .traits = ROUTE | ADDRESS, .want = AUTO_SWITCH },
		{ .name = "x0", .kind = "veth", .traits = ADDRESS, .want = AUTO_ADDRESS },
	} },
	{ "the same, by its address alone", {
		{ .name = "up0", .kind = "veth", .master = "br0", .want = AUTO_UPLINK },
		{ .name = "br0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_SWITCH },
	} },
	{ "a bridge that has no port yet", {
		{ .name = "br0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_ADDRESS },
	} },
	{ "a VLAN on a bridge port that is not judged", {
		{ .name = "h0", .kind = "veth", .master = "br0", .want = AUTO_GUEST },
		{ .name = "br0", .kind = "bridge", .want = AUTO_NOTHING },
		{ .name = "h0.5", .kind = "vlan", .lower = "h0", .traits = ROUTE, .want = AUTO_ROUTE },
	} },
	{ "bonds", {
		{ .name = "eth0", .traits = DEVICE, .master = "bond0", .want = AUTO_PORT },
		{ .name = "eth1", .traits = DEVICE, .master = "bond0", .want = AUTO_PORT },
		{ .name = "bond0", .kind = "bond", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "bond0.5", .kind = "vlan", .lower = "bond0", .traits = ADDRESS, .want = AUTO_UPPER },
		{ .name = "eth0.6", .kind = "vlan", .lower = "eth0", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "bond1", .kind = "bond", .want = AUTO_BOND },
		{ .name = "team0", .kind = "team", .want = AUTO_BOND },
	} },
	{ "a bond in a bridge, with a VLAN between them", {
		{ .name = "eth0", .traits = DEVICE, .master = "bond0", .want = AUTO_PORT },
		{ .name = "bond0", .kind = "bond", .want = AUTO_DEVICE },
		{ .name = "bond0.5", .kind = "vlan", .lower = "bond0", .master = "br5", .want = AUTO_UPPER },
		{ .name = "br5", .kind = "bridge", .traits = ROUTE, .want = AUTO_SWITCH },
		{ .name = "bond1", .kind = "bond", .master = "br6", .want = AUTO_UPLINK },
		{ .name = "br6", .kind = "bridge", .traits = ADDRESS, .want = AUTO_SWITCH },
		{ .name = "veth6", .kind = "veth", .master = "br6", .want = AUTO_GUEST },
	} },
	{ "overlays", {
		{ .name = "vxlan0", .kind = "vxlan", .want = AUTO_TUNNEL },
		{ .name = "geneve0", .kind = "geneve", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "gretap1", .kind = "gretap", .want = AUTO_TUNNEL },
		{ .name = "macsec0", .kind = "macsec", .lower = "", .want = AUTO_TUNNEL },
		{ .name = "tap0", .kind = INTERFACE_TAP, .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "tap1", .kind = INTERFACE_TAP, .want = AUTO_NOTHING },
		{ .name = "dummy0", .kind = "dummy", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "dummy1", .kind = "dummy", .want = AUTO_NOTHING },
	} },
	{ "an overlay in a bridge of containers", {
		{ .name = "eth0", .traits = DEVICE, .want = AUTO_DEVICE },
		{ .name = "vxlan0", .kind = "vxlan", .master = "br0", .want = AUTO_UPLINK },
		{ .name = "br0", .kind = "bridge", .traits = ADDRESS, .want = AUTO_SWITCH },
		{ .name = "veth1", .kind = "veth", .master = "br0", .want = AUTO_GUEST },
	} },
	{ "a tun device whose owner says that it is Ethernet, and a tap that is none", {
		{ .name = "tun0", .kind = INTERFACE_TUN, .want = AUTO_TUNNEL },
		{ .name = "tap0", .kind = INTERFACE_TAP, .type = ARPHRD_NONE, .want = AUTO_NOTHING },
	} },
	{ "VRFs, ifb, macvlan", {
		{ .name = "vrf0", .kind = "vrf", .traits = ADDRESS, .want = AUTO_REDIRECTED },
		{ .name = "ifb0", .kind = "ifb", .want = AUTO_REDIRECTED },
		{ .name = "eth0", .traits = DEVICE, .want = AUTO_DEVICE },
		{ .name = "mv0", .kind = "macvlan", .lower = "eth0", .traits = ADDRESS, .want = AUTO_UPPER },
		{ .name = "eth0.1", .kind = "vlan", .lower = "eth0", .want = AUTO_UPPER },
		{ .name = "eth0.1.2", .kind = "vlan", .lower = "eth0.1", .traits = ROUTE, .want = AUTO_UPPER },
	} },
	{ "Open vSwitch with hardware", {
		{ .name = "ovs-system", .kind = "openvswitch", .want = AUTO_SWITCH },
		{ .name = "eth0", .traits = DEVICE, .master = "ovs-system", .want = AUTO_UPLINK },
		{ .name = "br-ex", .kind = "openvswitch", .traits = ROUTE | ADDRESS, .want = AUTO_SWITCH },
		{ .name = "veth1", .kind = "veth", .master = "ovs-system", .want = AUTO_GUEST },
	} },
	{ "Open vSwitch without", {
		{ .name = "ovs-system", .kind = "openvswitch", .want = AUTO_NOTHING },
		{ .name = "br-ex", .kind = "openvswitch", .traits = ADDRESS, .want = AUTO_ADDRESS },
		{ .name = "br-int", .kind = "openvswitch", .traits = ROUTE, .want = AUTO_ROUTE },
	} },
	{ "rows that contradict each other end", {
		{ .name = "a", .kind = "vlan", .lower = "b", .want = AUTO_NOTHING },
		{ .name = "b", .kind = "vlan", .lower = "a", .want = AUTO_NOTHING },
		{ .name = "c", .kind = "bridge", .lower = "c", .master = "c", .want = AUTO_GUEST },
	} },
};

static unsigned index_of(const struct host *h, const char *name)
{
	for (unsigned n = 0; name && n < INTERFACES_MAX && h->rows[n].name; n++)
		if (strcmp(h->rows[n].name, name) == 0)
			return n + 1;
	return 0;
}

/* Interfaces=auto, and !name for those that are excluded. */
static bool is_filtered(const struct interface *i, struct auto_view *view)
{
	const struct host *h = view->userdata;

	return !(h->rows[i->ifindex - 1].traits & EXCLUDED) && auto_takes(auto_choose(view, i));
}

static void test_hosts(void **state)
{
	for (const struct host *h = hosts; h < hosts + ELEMENTSOF(hosts); h++) {
		struct interface items[INTERFACES_MAX] = {};
		struct interfaces s = { .items = items };
		struct auto_view view = { .interfaces = &s, .is_filtered = is_filtered, .userdata = (void *)h };

		for (; s.n_items < INTERFACES_MAX && h->rows[s.n_items].name; s.n_items++) {
			const struct row *row = &h->rows[s.n_items];
			struct interface *i = &items[s.n_items];

			strcpy(i->name, row->name);
			strcpy(i->kind, row->kind ?: "");
			i->ifindex = (unsigned)s.n_items + 1;
			i->master = index_of(h, row->master);
			i->is_port = i->master != 0;
			i->lower = index_of(h, row->lower);
			i->type = row->type ?: ARPHRD_ETHER;
			i->has_device = row->traits & DEVICE;
			i->had_default_route = row->traits & ROUTE;
			i->had_address = row->traits & ADDRESS;
		}
		assert_int_equal(auto_view_prepare(&view), 0);
		for (size_t n = 0; n < s.n_items; n++) {
			enum auto_choice choice = auto_choose(&view, &items[n]);
			char reason[AUTO_TEXT_MAX] = "";

			if (!auto_takes(choice))
				(void) auto_explain(&view, &items[n], choice, reason);
			CHECK(choice == h->rows[n].want, "%s: %s: %d, %s", h->what, items[n].name, choice, reason);
			CHECK(!strchr(reason, '?'), "%s: %s: %s", h->what, items[n].name, reason);
			CHECK(view.depth == 0, "%s: %s", h->what, items[n].name);
		}
		auto_view_done(&view);
	}
}

static bool is_chosen(const struct interface *i, struct auto_view *view)
{
	return auto_takes(auto_choose(view, i));
}

/* Macvlans made on one bridge, and ports of another: no choice may look at all rows for each row. N^3 takes minutes. */
static void test_many_macvlans_on_a_bridge(void **state)
{
	enum { N = 3000 };
	struct interface *items = calloc(N, sizeof(*items));
	struct interfaces s = { .items = items, .n_items = N };
	struct auto_view view = { .interfaces = &s, .is_filtered = is_chosen };

	assert_non_null(items);
	for (unsigned n = 0; n < N; n++) {
		items[n] = (struct interface){ .ifindex = n + 1, .kind = "macvlan", .type = ARPHRD_ETHER, .lower = 1 };
		items[n].master = 2;
		items[n].is_port = true;
	}
	for (unsigned n = 0; n < 2; n++)
		items[n] = (struct interface){ .ifindex = n + 1, .kind = "bridge", .type = ARPHRD_ETHER, .had_address = true };
	alarm(30);
	assert_int_equal(auto_view_prepare(&view), 0);
	for (unsigned n = 0; n < N; n++)
		assert_int_equal(auto_choose(&view, &items[n]), n == 0 ? AUTO_ADDRESS : n == 1 ? AUTO_SWITCH : AUTO_UPPER);
	alarm(0);
	auto_view_done(&view);
	free(items);
}

static void test_layer(void **state)
{
	struct interface tun = { .kind = INTERFACE_TUN, .type = ARPHRD_ETHER };
	struct interface tap = { .kind = INTERFACE_TAP, .type = ARPHRD_NONE };
	struct interface can = { .type = ARPHRD_CAN }, wireguard = { .type = ARPHRD_NONE }, eth = { .type = ARPHRD_ETHER };

	assert_int_equal(interface_layer(&tun), INTERFACE_NETWORK);
	assert_int_equal(interface_layer(&tap), INTERFACE_ETHERNET);
	assert_int_equal(interface_layer(&can), INTERFACE_UNKNOWN);
	assert_int_equal(interface_layer(&wireguard), INTERFACE_NETWORK);
	assert_int_equal(interface_layer(&eth), INTERFACE_ETHERNET);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_many_macvlans_on_a_bridge),
		cmocka_unit_test(test_layer),
	};

	return cmocka_run_group_tests_name("auto", tests, NULL, NULL);
}
