// SPDX-License-Identifier: GPL-2.0-or-later

/* The doctor's check of interfaces that have an address and no program of ours: why, and where else are they judged? */

#include "doctor/doctor.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "inspect/attachment.h"
#include "net/auto.h"

struct filtered {
	unsigned *ifindexes;
	size_t n;
};

static int note_filtered(const struct attachment *a, void *userdata)
{
	struct filtered *f = userdata;
	unsigned *ifindexes;

	if (!a->is_live || a->hook == FW_HOOK_CGROUP)
		return 0;
	ifindexes = reallocarray(f->ifindexes, f->n + 1, sizeof(*ifindexes));
	if (!ifindexes)
		return -ENOMEM;
	f->ifindexes = ifindexes;
	f->ifindexes[f->n++] = a->ifindex;
	return 0;
}

static bool has_program(const struct filtered *f, const struct interface *i)
{
	for (size_t n = 0; n < f->n; n++)
		if (f->ifindexes[n] == i->ifindex)
			return true;
	return false;
}

static bool is_filtered(const struct interface *i, struct auto_view *view)
{
	const struct interfaces *s = view->interfaces;

	if (has_program(view->userdata, i))
		return true;
	for (size_t n = 0; n < s->n_items && interface_is_bond(i); n++) /* xdp of a bond is at its ports */
		if (s->items[n].master == i->ifindex && has_program(view->userdata, &s->items[n]))
			return true;
	return false;
}

static void say_left_out(struct doctor *d, struct auto_view *view, const struct interface *i)
{
	enum auto_choice choice = auto_choose(view, i);
	char reason[AUTO_TEXT_MAX];

	if (choice == AUTO_PORT || choice == AUTO_UPPER || choice == AUTO_SWITCH)
		doctor_say(d, LEVEL_OK, NULL, "'%s' has an address and no program of its own: %s", i->name,
			   auto_explain(view, i, choice, reason));
	else if (choice != AUTO_LOOPBACK)
		doctor_say(d, LEVEL_NOTE, "name it in Interfaces= if it should be, see ebpf-fw.conf(5)",
			   "'%s' has an address and is not filtered: %s", i->name,
			   auto_takes(choice) ? "Interfaces= leaves it out" : auto_explain(view, i, choice, reason));
}

int doctor_check_interfaces(struct doctor *d)
{
	_cleanup_(interfaces_done) struct interfaces s = {};
	struct filtered f = {};
	struct auto_view view = { .interfaces = &s, .is_filtered = is_filtered, .userdata = &f };
	int r;

	if (table_meta(d->table)->tc_mechanism == FW_MECHANISM_NONE)
		return 0; /* Hooks= has neither tc nor xdp */
	r = interfaces_load(&s);
	if (r >= 0)
		r = auto_view_prepare(&view);
	if (r >= 0)
		r = attachment_foreach(d->ctl->pin_dir, note_filtered, &f);
	for (size_t n = 0; r >= 0 && n < s.n_items; n++)
		if (s.items[n].had_address && !is_filtered(&s.items[n], &view))
			say_left_out(d, &view, &s.items[n]);
	if (r >= 0 && f.n == 0)
		doctor_say(d, LEVEL_WARNING, "see Interfaces= in ebpf-fw.conf(5), and journalctl -u ebpf-fw",
			   "no interface is filtered, and Hooks= has tc or xdp: pings, forwarded packets and what no socket "
			   "waits for pass");
	auto_view_done(&view);
	free(f.ifindexes);
	return r < 0 ? r : 0;
}
