// SPDX-License-Identifier: GPL-2.0-or-later

/*
 * The keys of ebpf-fw.conf: what each may say, and what holds where it is absent. A new key is a row of the
 * table and a setter.
 */

#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "config/config-internal.h"

#define SECONDS_MAX 3600
#define LOG_DROPS_MAX 100
#define ENTRIES_MAX (32 * 1024 * 1024) /* tables of less than 4 GiB: older kernels count bytes of a map in 32 bits */

/* Splits at white space. The words point into *ret_words, which is one allocation. */
static int split_words(const char *text, char ***ret_words)
{
	size_t n_max = strlen(text) / 2 + 2, n = 0;
	char **words, *copy, *state = NULL;

	words = malloc(n_max * sizeof(*words) + strlen(text) + 1);
	if (!words)
		return -ENOMEM;

	copy = strcpy((char *)(words + n_max), text);
	for (char *w = strtok_r(copy, " \t", &state); w; w = strtok_r(NULL, " \t", &state))
		words[n++] = w;
	words[n] = NULL;
	*ret_words = words;
	return 0;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return false;
		n = n * 10 + (unsigned)(*p - '0');
		if (n > max)
			return false;
	}
	*ret = n;
	return n > 0;
}

static bool interface_word_is_valid(const char *word)
{
	if (*word == '!')
		word++;
	if (!*word || strchr("#!;", *word) || strchr(word, '/'))
		return false;
	return strpbrk(word, "*?[") || strlen(word) < ALTIFNAMSIZ;
}

static const char *parse_interfaces(char ***words_of_key, const char *value, int *r)
{
	_cleanup_free_ char **words = NULL;

	*r = split_words(value, &words);
	if (*r < 0)
		return NULL;

	for (char **w = words; *w; w++)
		if (!interface_word_is_valid(*w))
			return "expected 'auto', names of interfaces, or patterns such as "
			       "'eth*' and '!docker*'";

	free(*words_of_key);
	*words_of_key = TAKE_PTR(words);
	return NULL;
}

static const char *set_interfaces(struct config *c, const char *value, int *r)
{
	return parse_interfaces(&c->interfaces, value, r);
}

static const char *set_xdp_interfaces(struct config *c, const char *value, int *r)
{
	return parse_interfaces(&c->xdp_interfaces, value, r);
}

static const char *set_hooks(struct config *c, const char *value, int *r)
{
	_cleanup_free_ char **words = NULL;

	*r = split_words(value, &words);
	if (*r < 0)
		return NULL;

	c->has_xdp = c->has_tc = c->has_cgroup = false;
	for (char **w = words; *w; w++) {
		if (strcmp(*w, "tc") == 0)
			c->has_tc = true;
		else if (strcmp(*w, "cgroup") == 0)
			c->has_cgroup = true;
		else if (strcmp(*w, "xdp") == 0)
			c->has_xdp = true;
		else
			return "expected one or more of 'xdp', 'tc' and 'cgroup'";
	}
	return NULL;
}

static const char *set_cgroup(struct config *c, const char *value, int *r)
{
	static const char expected[] = "expected a path below the cgroup2 mount such as '/' or '/system.slice', "
				       "without '..'";
	char *copy;

	if (*value != '/' || strlen(value) >= FW_TEXT_MAX)
		return expected;
	for (const char *p = value; (p = strstr(p, "/..")); p += 3)
		if (p[3] == '/' || p[3] == '\0')
			return expected;

	copy = strdup(value);
	if (!copy) {
		*r = -ENOMEM;
		return NULL;
	}
	free(c->cgroup);
	c->cgroup = copy;
	return NULL;
}

static const char *set_stats_interval(struct config *c, const char *value, int *r)
{
	uint64_t seconds;

	_Static_assert(SECONDS_MAX == 3600, "the text names it");
	if (strcmp(value, "0") == 0)
		seconds = 0;
	else if (!parse_number(value, SECONDS_MAX, &seconds))
		return "expected whole seconds, 0 to 3600";
	c->stats_interval_usec = seconds * USEC_PER_SEC;
	return NULL;
}

static const char *parse_boolean(bool *ret, const char *value)
{
	if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
		return "expected 'yes' or 'no'";
	*ret = *value == 'y';
	return NULL;
}

static const char *set_stats_idle(struct config *c, const char *value, int *r)
{
	return parse_boolean(&c->has_stats_idle, value);
}

static const char *set_log_drops(struct config *c, const char *value, int *r)
{
	_Static_assert(LOG_DROPS_MAX == 100, "the text names it");
	if (strcmp(value, "0") == 0)
		c->log_drops = 0;
	else if (!parse_number(value, LOG_DROPS_MAX, &c->log_drops))
		return "expected a number, 0 to 100";
	return NULL;
}

static const char *set_max_entries(struct config *c, const char *value, int *r)
{
	_Static_assert(ENTRIES_MAX == 33554432, "the text names it");
	if (!parse_number(value, ENTRIES_MAX, &c->max_entries))
		return "expected a number, 1 to 33554432";
	return NULL;
}

static const char *set_strict(struct config *c, const char *value, int *r)
{
	return parse_boolean(&c->is_strict, value);
}

static const char *set_tc_mechanism(struct config *c, const char *value, int *r)
{
	if (strcmp(value, "auto") == 0)
		c->tc_mechanism = FW_MECHANISM_NONE;
	else if (strcmp(value, "tcx") == 0)
		c->tc_mechanism = FW_MECHANISM_TCX;
	else if (strcmp(value, "clsact") == 0)
		c->tc_mechanism = FW_MECHANISM_CLSACT;
	else
		return "expected 'auto', 'tcx' or 'clsact'";
	return NULL;
}

static const char *set_xdp_mode(struct config *c, const char *value, int *r)
{
	if (strcmp(value, "auto") == 0)
		c->xdp_mechanism = FW_MECHANISM_NONE;
	else if (strcmp(value, "native") == 0)
		c->xdp_mechanism = FW_MECHANISM_XDP_NATIVE;
	else if (strcmp(value, "generic") == 0)
		c->xdp_mechanism = FW_MECHANISM_XDP_GENERIC;
	else
		return "expected 'auto', 'native' or 'generic'";
	return NULL;
}

const struct config_key config_keys[] = {
	{ "Interfaces", "auto", set_interfaces },
	{ "Hooks", "tc cgroup", set_hooks },
	{ "Cgroup", "/", set_cgroup },
	{ "StatsIntervalSec", "5", set_stats_interval },
	{ "StatsIdle", "yes", set_stats_idle },
	{ "LogDrops", "5", set_log_drops },
	{ "MaxEntries", "4194304", set_max_entries },
	{ "Strict", "no", set_strict },
	{ "TcMechanism", "auto", set_tc_mechanism },
	{ "XdpInterfaces", "*", set_xdp_interfaces },
	{ "XdpMode", "auto", set_xdp_mode },
};

const struct config_key *config_find_key(const char *name)
{
	for (size_t i = 0; i < CONFIG_N_KEYS; i++)
		if (strcmp(config_keys[i].name, name) == 0)
			return &config_keys[i];
	return NULL;
}

int config_default(struct config *ret)
{
	struct config c = {};
	int r = 0;

	for (size_t i = 0; i < CONFIG_N_KEYS; i++) {
		(void) config_keys[i].set(&c, config_keys[i].fallback, &r); /* the table's own values are right */
		if (r < 0) {
			config_done(&c);
			return r;
		}
	}
	*ret = c;
	return 0;
}

void config_done(struct config *c)
{
	free(c->interfaces);
	free(c->xdp_interfaces);
	free(c->cgroup);
	*c = (struct config){};
}
