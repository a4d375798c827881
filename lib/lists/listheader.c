// SPDX-License-Identifier: GPL-2.0-or-later

/* The policy of a list as the first line of its file. A key that is left out has its default. */

#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/words.h"
#include "lists/listheader.h"

#define HEADER_START "#!ebpf-fw"

static const char *const actions[_FW_ACTION_MAX] = {
	[FW_ACTION_BLOCK] = "block",
	[FW_ACTION_ALLOW] = "allow",
};

static const char *const modes[_FW_MODE_MAX] = {
	[FW_MODE_ENFORCE] = "enforce",
	[FW_MODE_AUDIT] = "audit",
};

const char *action_to_string(enum fw_action a)
{
	return words_get(actions, ELEMENTSOF(actions), a);
}

int action_from_string(const char *text, size_t length)
{
	return words_find(actions, ELEMENTSOF(actions), text, length);
}

const char *mode_to_string(enum fw_mode m)
{
	return words_get(modes, ELEMENTSOF(modes), m);
}

int mode_from_string(const char *text, size_t length)
{
	return words_find(modes, ELEMENTSOF(modes), text, length);
}

struct list_header list_header_default(const char *name)
{
	struct list_header h = {
		.action = strcmp(name, FW_LIST_ALLOW) == 0 ? FW_ACTION_ALLOW : FW_ACTION_BLOCK,
		.mode = FW_MODE_ENFORCE,
		.is_enabled = true,
	};

	(void) snprintf(h.name, sizeof(h.name), "%s", name);
	return h;
}

/* One setter per key: the sentence that is wrong with the value, or NULL. */
static const char *set_name(struct list_header *h, struct word value)
{
	return word_is(value, h->name) ? NULL : "list= in the header is not the name of this file";
}

/* The two lists that always exist: tools rely on what they do. */
static bool has_fixed_action(const struct list_header *h)
{
	return strcmp(h->name, FW_LIST_MANUAL) == 0 || strcmp(h->name, FW_LIST_ALLOW) == 0;
}

static const char *set_action(struct list_header *h, struct word value)
{
	int r = action_from_string(value.text, value.length);

	if (r < 0)
		return "action= in the header must be block or allow";
	if ((enum fw_action)r != h->action && has_fixed_action(h))
		return "action= cannot change what these lists do: 'manual' blocks and 'allow' allows";
	h->action = (enum fw_action)r;
	return NULL;
}

static const char *set_mode(struct list_header *h, struct word value)
{
	int r = mode_from_string(value.text, value.length);

	if (r < 0)
		return "mode= in the header must be enforce or audit";
	h->mode = (enum fw_mode)r;
	return NULL;
}

static const char *set_enabled(struct list_header *h, struct word value)
{
	h->is_enabled = word_is(value, "yes");
	if (!h->is_enabled && !word_is(value, "no"))
		return "enabled= in the header must be yes or no";
	return NULL;
}

static const char *set_direction(struct list_header *h, struct word value)
{
	int r = word_is(value, "default") ? 0 : directions_from_string(value.text, value.length);

	if (r < 0)
		return "direction= in the header must be in, out, both or default";
	h->directions = (unsigned)r;
	return NULL;
}

static const struct {
	const char *start;
	const char *(*set)(struct list_header *h, struct word value);
} header_keys[] = {
	{ "list=",      set_name      },
	{ "action=",    set_action    },
	{ "mode=",      set_mode      },
	{ "enabled=",   set_enabled   },
	{ "direction=", set_direction },
};

/* One word of the header; sets the bit of its key in *seen. */
static const char *parse_key(struct list_header *h, struct word w, unsigned *seen)
{
	size_t i = 0;

	while (i < ELEMENTSOF(header_keys) && !word_skip(&w, header_keys[i].start))
		i++;
	if (i == ELEMENTSOF(header_keys))
		return "unknown key in the header: list= action= mode= enabled= direction=";
	if (*seen & 1U << i)
		return "a key is given twice in the header";
	*seen |= 1U << i;
	return header_keys[i].set(h, w);
}

const char *header_parse(struct list_header *h, struct cursor *c, bool *ret_has_action)
{
	const char *first_error = NULL, *error;
	unsigned seen = 0;

	*ret_has_action = has_fixed_action(h);
	for (struct word w = next_word(c); w.length > 0; w = next_word(c)) {
		struct word key = w;

		error = parse_key(h, w, &seen);
		if (!error && word_skip(&key, "action="))
			*ret_has_action = true;
		if (!first_error)
			first_error = error;
	}
	return first_error;
}

bool header_starts(struct cursor *c)
{
	struct word w = { c->at, (size_t)(c->end - c->at) };

	if (!word_skip(&w, HEADER_START) || (w.length > 0 && !is_blank(*w.text)))
		return false;

	c->at += strlen(HEADER_START);
	return true;
}

void header_print(FILE *f, const struct list_header *h)
{
	fprintf(f, HEADER_START " list=%s action=%s mode=%s enabled=%s direction=%s", h->name,
		action_to_string(h->action), mode_to_string(h->mode), h->is_enabled ? "yes" : "no",
		h->directions ? directions_to_string(h->directions) : "default");
}

struct list_header list_header_of(const struct fw_list *l)
{
	struct list_header h = {
		.action = l->action,
		.mode = l->mode,
		.is_enabled = l->is_enabled,
		.directions = l->directions,
	};

	memcpy(h.name, l->name, sizeof(h.name));
	return h;
}
