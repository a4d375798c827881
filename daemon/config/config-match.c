// SPDX-License-Identifier: GPL-2.0-or-later

/* Names of interfaces against the words of Interfaces= and XdpInterfaces=. */

#include <fnmatch.h>
#include <string.h>

#include "config/config.h"

bool config_word_is_name(const char *word)
{
	return *word != '!' && !strpbrk(word, "*?[") && strcmp(word, "auto") != 0;
}

static bool words_match(char *const *words, const struct interface *i, bool is_auto, bool is_loopback)
{
	bool is_wanted = false;

	for (char *const *w = words; *w; w++) {
		const char *pattern = **w == '!' ? *w + 1 : *w;
		bool is_match;

		if (strcmp(pattern, "auto") == 0)
			is_match = is_auto;
		else if (is_loopback)
			is_match = strcmp(pattern, i->name) == 0;
		else
			is_match = fnmatch(pattern, i->name, 0) == 0 || interface_has_name(i, pattern);
		if (is_match)
			is_wanted = **w != '!';
	}
	return is_wanted;
}

bool config_wants_interface(const struct config *c, const struct interface *i, bool is_auto)
{
	return words_match(c->interfaces, i, is_auto, strcmp(i->name, "lo") == 0);
}

bool config_wants_xdp(const struct config *c, const struct interface *i, bool is_auto)
{
	return config_wants_interface(c, i, is_auto) && words_match(c->xdp_interfaces, i, is_auto, false);
}

/* FNV-1a, over the end of each word, too */
uint32_t config_interfaces_hash(const struct config *c)
{
	uint32_t hash = 2166136261u;

	for (char *const *w = c->interfaces; *w; w++)
		for (const char *p = *w;; p++) {
			hash = (hash ^ (unsigned char)*p) * 16777619u;
			if (!*p)
				break;
		}
	return hash ?: 1;
}
