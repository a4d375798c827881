// SPDX-License-Identifier: GPL-2.0-or-later

/* Flags of the policy, which the programs read with each packet. */

#include "state/table-internal.h"

void table_set_flags(struct table *t, uint32_t mask, uint32_t flags)
{
	uint32_t old = __atomic_load_n(&t->policy->flags, __ATOMIC_RELAXED);

	while (!__atomic_compare_exchange_n(&t->policy->flags, &old, (old & ~mask) | flags, false, __ATOMIC_ACQ_REL,
					    __ATOMIC_RELAXED))
		;
}

void table_set_strict(struct table *t, bool is_strict)
{
	table_set_flags(t, FW_POLICY_STRICT, is_strict ? FW_POLICY_STRICT : 0);
}

void table_set_scope(struct table *t, bool judges_loopback, unsigned left_ports)
{
	uint32_t mask = FW_POLICY_LOOPBACK, flags = judges_loopback ? FW_POLICY_LOOPBACK : 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++) {
		mask |= FW_POLICY_LEAVES_PORTS(d);
		flags |= left_ports & 1u << d ? FW_POLICY_LEAVES_PORTS(d) : 0;
	}
	table_set_flags(t, mask, flags);
}

unsigned table_left_ports(const struct table *t)
{
	uint32_t flags = __atomic_load_n(&t->policy->flags, __ATOMIC_ACQUIRE);
	unsigned left = 0;

	for (enum fw_direction d = 0; d < _FW_DIRECTION_MAX; d++)
		left |= flags & FW_POLICY_LEAVES_PORTS(d) ? 1u << d : 0;
	return left;
}
