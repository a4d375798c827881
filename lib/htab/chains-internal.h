/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* Shared by the files of chains.h, and included by no others. */

#include "htab/chains.h"

struct chains {
	int fd;
	uint32_t n_elements;
	struct fw_table *table;
	union fw_element **windows; /* NULL = not mapped yet */
};

/* -EBADMSG: the index does not belong to a slot of ours; -ENOMEM. */
int chains_get_slot(struct chains *c, uint32_t index, struct fw_slot **ret);
int chains_get_head(struct chains *c, uint32_t head, uint32_t **ret);

/* A prefix's place in its chain. */
struct place {
	struct prefix_halves halves;
	uint32_t *head;
	uint32_t *link;       /* what names its slot */
	struct fw_slot *slot; /* NULL: it is not there */
	unsigned n;           /* slots before it */
};

int chains_place(struct chains *c, const struct prefix *p, struct place *ret);
