// SPDX-License-Identifier: GPL-2.0-or-later

/* See where.h. */

#include "inspect/where.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/netns.h"
#include "log/log.h"
#include "output/format.h"
#include "text/names.h"

#define NOTE_TEXT_MAX  (FW_NOTE_MAX + WHERE_PROGRAM_MAX + 32)
#define NOTES_TEXT_MAX (FW_XDP_NOTES_MAX * (NOTE_TEXT_MAX + IF_NAMESIZE + 4))

/* An interface in another network namespace has no name here, or that of another one. Returns buffer. */
static const char *interface_name(unsigned ifindex, const struct fw_meta *meta, char buffer[static WHERE_NAME_MAX])
{
	if ((meta && netns_is_other(meta)) || !if_indextoname(ifindex, buffer))
		(void) snprintf(buffer, WHERE_NAME_MAX, "ifindex %u", ifindex);
	return buffer;
}

const char *where_name(const struct attachment *a, const struct fw_meta *meta, char buffer[static WHERE_NAME_MAX])
{
	if (a->cgroup)
		return a->cgroup;
	return a->hook == FW_HOOK_CGROUP ? meta->cgroup : interface_name(a->ifindex, meta, buffer);
}

json_object *where_text(const struct attachment *a, const struct fw_meta *meta)
{
	char name[WHERE_NAME_MAX];

	return json_text(where_name(a, meta, name));
}

const char *where_program(uint32_t id, char buffer[static WHERE_PROGRAM_MAX])
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);
	_cleanup_close_ int fd = -1;

	buffer[0] = '\0';
	fd = bpf_prog_get_fd_by_id(id);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
		(void) log_escape(info.name, buffer, WHERE_PROGRAM_MAX);
	return buffer;
}

/* The daemon knows no more than the number: to ask by that needs CAP_SYS_ADMIN, which it does without. */
static const char *note_text(const struct fw_note *note, char buffer[static NOTE_TEXT_MAX])
{
	char name[WHERE_PROGRAM_MAX] = "";

	if (note->foreign_id != 0)
		(void) where_program(note->foreign_id, name);
	if (name[0])
		(void) snprintf(buffer, NOTE_TEXT_MAX, "%.*s (its name is '%s')", FW_NOTE_MAX, note->text, name);
	else
		(void) snprintf(buffer, NOTE_TEXT_MAX, "%.*s", FW_NOTE_MAX, note->text);
	return buffer;
}

json_object *where_xdp_note(const struct fw_meta *meta, unsigned ifindex)
{
	char text[NOTE_TEXT_MAX];

	for (size_t i = 0; i < FW_XDP_NOTES_MAX; i++)
		if (meta->xdp_notes[i].ifindex == ifindex && ifindex != 0)
			return json_text(note_text(&meta->xdp_notes[i], text));
	return NULL;
}

json_object *where_xdp_notes(const struct fw_meta *meta)
{
	char all[NOTES_TEXT_MAX] = "", text[NOTE_TEXT_MAX], name[WHERE_NAME_MAX];
	size_t n = 0;

	for (size_t i = 0; i < FW_XDP_NOTES_MAX && meta->xdp_notes[i].ifindex != 0; i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s: %s", i > 0 ? "; " : "",
				      interface_name(meta->xdp_notes[i].ifindex, meta, name),
				      note_text(&meta->xdp_notes[i], text));
	return json_text(all);
}

/* The hooks that there are in a direction, in the order in which a packet meets them. */
static const struct order {
	size_t n;
	enum fw_hook hooks[_FW_HOOK_MAX];
} orders[_FW_DIRECTION_MAX] = {
	[FW_INGRESS] = { 3, { FW_HOOK_XDP, FW_HOOK_TC, FW_HOOK_CGROUP } },
	[FW_EGRESS] = { 2, { FW_HOOK_CGROUP, FW_HOOK_TC } },
};

struct judged {
	json_object *rows;
	const struct fw_meta *meta;
	enum fw_direction direction;
};

static json_object *find_row(json_object *rows, enum fw_hook hook)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		json_object *row = json_object_array_get_idx(rows, i);

		if (strcmp(json_object_get_string(json_object_object_get(row, "hook")), hook_to_string(hook)) == 0)
			return row;
	}
	return NULL;
}

static json_object *places_of(json_object *rows, enum fw_hook hook)
{
	return json_object_object_get(find_row(rows, hook), "where");
}

static bool has_place(json_object *places, json_object *place)
{
	for (size_t i = 0; i < json_object_array_length(places); i++)
		if (json_object_equal(json_object_array_get_idx(places, i), place))
			return true;
	return false;
}

static int add_place(const struct attachment *a, void *userdata)
{
	struct judged *x = userdata;
	json_object *place, *places = places_of(x->rows, a->hook);

	if (!a->is_live || a->direction != x->direction || !places)
		return 0;
	place = where_text(a, x->meta);
	if (has_place(places, place)) /* while a link is replaced there are two */
		json_object_put(place);
	else
		json_object_array_add(places, place);
	return 0;
}

int where_judged(const struct ctl *ctl, const struct fw_meta *meta, enum fw_direction d, json_object **ret)
{
	_cleanup_json_ json_object *rows = json_object_new_array();
	struct judged x = { .rows = rows, .meta = meta, .direction = d };
	int r;

	for (size_t i = 0; i < orders[d].n; i++) {
		json_object *row = json_object_new_object();

		json_object_object_add(row, "hook", json_text(hook_to_string(orders[d].hooks[i])));
		json_object_object_add(row, "where", json_object_new_array());
		json_object_array_add(rows, row);
	}
	r = attachment_foreach(ctl->pin_dir, add_place, &x);
	if (r < 0)
		return r;
	*ret = TAKE_PTR(rows);
	return 0;
}

void where_leave_out(json_object *judged, enum fw_hook hook)
{
	json_object *row = find_row(judged, hook);

	if (row)
		json_object_object_add(row, "where", json_object_new_array());
}

bool where_is_judged_by(json_object *judged, enum fw_hook hook)
{
	json_object *places = places_of(judged, hook);

	return places && json_object_array_length(places) > 0;
}

bool where_is_judged_at(json_object *judged, enum fw_hook hook, const char *place)
{
	_cleanup_json_ json_object *text = json_text(place);
	json_object *places = places_of(judged, hook);

	return places && has_place(places, text);
}

bool where_is_judged(json_object *judged)
{
	for (enum fw_hook hook = 0; hook < _FW_HOOK_MAX; hook++)
		if (where_is_judged_by(judged, hook))
			return true;
	return false;
}

json_object *where_decided(json_object *judged, enum fw_direction d)
{
	json_object *decided = json_object_new_array(), *xdp = places_of(judged, FW_HOOK_XDP);

	for (size_t i = 0; i < orders[d].n; i++) {
		enum fw_hook hook = orders[d].hooks[i];
		json_object *places = places_of(judged, hook);

		if (json_object_array_length(decided) > 0 && (d == FW_EGRESS || hook == FW_HOOK_CGROUP))
			break; /* what it would drop has been dropped */
		for (size_t n = 0; n < json_object_array_length(places); n++) {
			json_object *row, *place = json_object_array_get_idx(places, n);

			if (hook == FW_HOOK_TC && xdp && has_place(xdp, place))
				continue;
			row = json_object_new_object();
			json_object_object_add(row, "hook", json_text(hook_to_string(hook)));
			json_object_object_add(row, "where", json_object_get(place));
			json_object_array_add(decided, row);
		}
	}
	return decided;
}
