// SPDX-License-Identifier: GPL-2.0-or-later

/* interfaces-link.c: link messages as the kernel sends them. */

#include <errno.h>
#include <string.h>

#include <libmnl/libmnl.h>
#include <linux/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "net/interfaces.h"
#include "unit.h"

#define WIRELESS 11 /* IFLA_WIRELESS */

static struct nlmsghdr *begin(char *buffer)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *m = mnl_nlmsg_put_extra_header(h, sizeof(*m));

	h->nlmsg_type = RTM_NEWLINK;
	m->ifi_type = ARPHRD_ETHER;
	m->ifi_index = 7;
	mnl_attr_put_strz(h, IFLA_IFNAME, "wlan0");
	return h;
}

static void test_whole(void **state)
{
	char buffer[512];
	struct nlmsghdr *h = begin(buffer);
	struct nlattr *properties;
	struct interface i;

	mnl_attr_put_u32(h, IFLA_MTU, 0); /* some devices have none */
	mnl_attr_put_u32(h, IFLA_MASTER, 3);
	properties = mnl_attr_nest_start(h, IFLA_PROP_LIST);
	mnl_attr_put_strz(h, IFLA_ALT_IFNAME, "wlp2s0");
	mnl_attr_nest_end(h, properties);
	assert_int_equal(interface_from_link(h, &i), 0);
	assert_true(interface_has_name(&i, "wlan0"));
	assert_true(interface_has_name(&i, "wlp2s0"));
	assert_int_equal(i.master, 3);
	free(i.altnames);
}

/* The row would lose altnames, master, kind and MTU by it. */
static void test_wireless_event_is_not_a_description(void **state)
{
	char buffer[512];
	struct nlmsghdr *h = begin(buffer);
	struct interface i = {};

	mnl_attr_put(h, WIRELESS, 4, "\x08\x00\x19\x8b");
	assert_int_equal(interface_from_link(h, &i), -ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_wireless_event_is_not_a_description),
	};

	return cmocka_run_group_tests_name("interfaces", tests, NULL, NULL);
}
