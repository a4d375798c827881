/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* The match engine as a model that is obviously right: a list of rules, and a linear scan that looks at all of them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi/abi.h"
#include "text/target.h"

#define RULES_MAX 600
#define RULES_LISTS 6

struct rule {
	struct target target;
	unsigned list;
	unsigned directions; /* FW_IN | FW_OUT */
	bool has_ended;
};

struct rules {
	struct rule rules[RULES_MAX];
	size_t n_rules;
	struct fw_list lists[RULES_LISTS];
};

/* Values of question.port beside a port. */
enum {
	PORT_NONE = -1,
	PORT_HIDDEN = -2, /* there should be one, and it cannot be read */
};

struct question {
	struct prefix address; /* family 0: no address could be read */
	enum fw_direction direction;
	enum fw_protocol protocol;
	int port;
};

enum fw_verdict rules_ask(const struct rules *m, const struct question *q);

/* Numbers for random tests, below n. Seeds from the environment variable, else from the clock, and prints the seed. */
uint64_t random_seed(const char *variable);
uint32_t random_below(uint32_t n);
