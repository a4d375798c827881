// SPDX-License-Identifier: GPL-2.0-or-later

/* The input as a list file: what is accepted is sorted, and printed, parsed and printed again the same. */

#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "fuzz.h"
#include "lists/listtext.h"

static void freelistp(struct list **l)
{
	(void) list_free(*l);
}

static struct list *parse(const void *data, size_t size)
{
	struct list *l = NULL;
	char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	MUST(list_parse("manual", text, size, &l) == 0);
	for (size_t i = 0; i < l->mistakes.n && i < LIST_MISTAKES_SHOWN; i++)
		MUST(l->mistakes.first[i].line > 0 && l->mistakes.first[i].error);
	return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(freelistp) struct list *l = parse(data, size), *again = NULL;
	_cleanup_free_ char *first = NULL, *second = NULL;
	size_t n_first, n_second;

	for (size_t i = 0; i < l->n_items; i++) {
		MUST(!l->items[i].is_removal);
		MUST(i == 0 || target_compare(&l->items[i - 1].target, &l->items[i].target) < 0);
	}

	MUST(list_print(&l->header, l->items, l->n_items, &first, &n_first) == 0);
	again = parse(first, n_first);
	MUST(again->mistakes.n == 0 && !again->is_torn && again->n_items == l->n_items &&
	     again->n_lines == l->n_items + 1);
	MUST(list_print(&again->header, again->items, again->n_items, &second, &n_second) == 0);
	MUST(n_first == n_second && memcmp(first, second, n_first) == 0);
	return 0;
}
