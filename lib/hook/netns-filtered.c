// SPDX-License-Identifier: GPL-2.0-or-later

/* Looks for what is attached in another network namespace: see netns-filtered.h. */

#include "hook/netns-filtered.h"

#include <bpf/bpf.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "hook/ownqdiscs.h"
#include "kernel/pins.h"

#define PIN_NAME_MAX 64

struct search {
	const char *pin_dir;
	bool is_found;
};

/* For pins_foreach(): links/HOOK_DIRECTION_IFINDEX. */
static int look_at_link(const char *name, void *userdata)
{
	bool is_tc = strncmp(name, "tc_", strlen("tc_")) == 0, is_xdp = strncmp(name, "xdp_", strlen("xdp_")) == 0;
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	_cleanup_close_ int fd = -1;
	struct search *s = userdata;
	char path[PIN_NAME_MAX];

	if (!is_tc && !is_xdp)
		return 0;
	(void) snprintf(path, sizeof(path), "links/%s", name);
	fd = pins_open(s->pin_dir, path);
	if (fd < 0 || bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return 0; /* no link */
	if ((is_tc ? info.netns.netns_ino : info.xdp.ifindex) != 0) /* info.tcx begins as netns does */
		s->is_found = true;
	return 0;
}

bool netns_is_filtered(const char *pin_dir, const struct fw_meta *meta)
{
	struct search s = { .pin_dir = pin_dir };
	struct netns own;

	netns_read_own(&own);
	(void) pins_foreach(pin_dir, "links", look_at_link, &s); /* without the directory there are none */
	return s.is_found || (meta->netns_inode != own.inode && ownqdiscs_are_in(pin_dir, meta->netns_inode));
}
