/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ebpf-fw.conf -> struct config, checked whole before anything is touched. Every mistake is collected with
 * its line, so that one look at the messages mends the file. Nothing is logged here.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "net/interfaces.h"

struct config {
	char **interfaces; /* words of Interfaces=, ended by NULL; later words win */
	bool has_xdp;      /* Hooks= */
	bool has_tc;
	bool has_cgroup;
	char *cgroup;      /* path below the cgroup2 mount, starts with a slash */
	uint64_t stats_interval_usec; /* 0 = no statistics */
	bool has_stats_idle; /* a record of a window without packets */
	uint64_t log_drops; /* sources named at the end of each window, 0 = none */
	uint64_t max_entries;
	bool is_strict;
	enum fw_mechanism tc_mechanism; /* FW_MECHANISM_NONE = the best there is */
	char **xdp_interfaces; /* words of XdpInterfaces=, as interfaces */
	enum fw_mechanism xdp_mechanism; /* FW_MECHANISM_NONE = native, else generic */
};

/* What is wrong, in the order of the lines. Zero-initialise; free with config_errors_done(). */
struct config_errors {
	struct config_error {
		size_t line; /* from 1; 0 = the file as a whole */
		char *text;
	} *items;
	size_t n_items;
};

/* The built-in defaults, also those of a file that does not exist. -ENOMEM. */
int config_default(struct config *ret);
void config_done(struct config *c);
void config_errors_done(struct config_errors *errors);

/*
 * -EBADMSG: the text is wrong, *errors says where; -ENOMEM. From a file also -ENOENT and what open(2) and
 * read(2) have. *ret is written on success only.
 */
int config_parse_string(const char *text, size_t length, struct config *ret,
			struct config_errors *errors);
int config_parse_file(const char *path, struct config *ret, struct config_errors *errors);

/*
 * What Interfaces= says of an interface: the last word that matches decides. is_auto: the word "auto"
 * matches it. Loopback is matched by its own name only, no pattern is meant to catch it. A word without a pattern may be
 * an altname: systemd gives several to each NIC, which a pattern for other NICs must not exclude.
 */
bool config_wants_interface(const struct config *c, const struct interface *i, bool is_auto);

/* Is it, of those, one for the xdp hook? Here a pattern may catch loopback, which Interfaces= has named. */
bool config_wants_xdp(const struct config *c, const struct interface *i, bool is_auto);

/* A number for the words of Interfaces=, never 0: the same words have the same. */
uint32_t config_interfaces_hash(const struct config *c);

/* Is this word of Interfaces= one interface by its name: no pattern, no exclusion, not "auto"? */
bool config_word_is_name(const char *word);
