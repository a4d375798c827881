// SPDX-License-Identifier: GPL-2.0-or-later

/* See where.h. */

#include "where.h"

#include <bpf/bpf.h>
#include <net/if.h>
#include <stdio.h>

#include "cleanup.h"
#include "format.h"
#include "log.h"
#include "names.h"

#define NOTE_TEXT_MAX  (FW_NOTE_MAX + WHERE_PROGRAM_MAX + 32)
#define NOTES_TEXT_MAX (FW_XDP_NOTES_MAX * (NOTE_TEXT_MAX + IF_NAMESIZE + 4))

/* An interface that has moved to another network namespace has no name here. Returns buffer. */
static const char *interface_name(unsigned ifindex, char buffer[static WHERE_NAME_MAX])
{
	if (!if_indextoname(ifindex, buffer))
		(void) snprintf(buffer, WHERE_NAME_MAX, "ifindex %u", ifindex);
	return buffer;
}

const char *where_name(const struct attachment *a, const struct fw_meta *meta, char buffer[static WHERE_NAME_MAX])
{
	return a->hook == FW_HOOK_CGROUP ? meta->cgroup : interface_name(a->ifindex, buffer);
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
				      interface_name(meta->xdp_notes[i].ifindex, name),
				      note_text(&meta->xdp_notes[i], text));
	return json_text(all);
}

struct decided {
	json_object *rows;
	const struct fw_meta *meta;
	enum fw_direction direction;
	enum fw_hook hook; /* this one, where no row has the same place */
};

static bool has_place(json_object *rows, json_object *place)
{
	for (size_t i = 0; i < json_object_array_length(rows); i++) {
		json_object *row = json_object_array_get_idx(rows, i);

		if (json_object_equal(json_object_object_get(row, "where"), place))
			return true;
	}
	return false;
}

static int add_decided(const struct attachment *a, void *userdata)
{
	_cleanup_json_ json_object *place = NULL;
	struct decided *x = userdata;
	json_object *row;

	if (!a->is_live || a->hook != x->hook || a->direction != x->direction)
		return 0;
	place = where_text(a, x->meta);
	if (has_place(x->rows, place))
		return 0;

	row = json_object_new_object();
	json_object_object_add(row, "hook", json_text(hook_to_string(a->hook)));
	json_object_object_add(row, "where", json_object_get(place));
	json_object_array_add(x->rows, row);
	return 0;
}

json_object *where_decided(const struct ctl *ctl, const struct fw_meta *meta, enum fw_direction d)
{
	static const enum fw_hook orders[_FW_DIRECTION_MAX][_FW_HOOK_MAX] = {
		[FW_INGRESS] = { FW_HOOK_XDP, FW_HOOK_TC, FW_HOOK_CGROUP },
		[FW_EGRESS] = { FW_HOOK_CGROUP, FW_HOOK_TC, FW_HOOK_XDP },
	};
	struct decided x = { .rows = json_object_new_array(), .meta = meta, .direction = d };

	for (size_t i = 0; i < _FW_HOOK_MAX; i++) {
		x.hook = orders[d][i];
		if (x.hook == FW_HOOK_CGROUP && json_object_array_length(x.rows) > 0)
			break; /* what it would drop has been dropped */
		(void) attachment_foreach(ctl->pin_dir, add_decided, &x); /* what cannot be asked is not said */
		if (d == FW_EGRESS && json_object_array_length(x.rows) > 0)
			break;
	}
	return x.rows;
}
