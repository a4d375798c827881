// SPDX-License-Identifier: GPL-2.0-or-later

/* room.h, on a kernel that looks at the name of a map before it takes the memory: the question must still be one. */

#include <errno.h>
#include <string.h>

#include <bpf/bpf.h>

#include "kernel/room.h"
#include "unit.h"

#define MEMORY (UINT64_C(64) << 20)

static bool is_name_first; /* else last, as all kernels so far */

/* In place of libbpf's: makes nothing. */
int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size, __u32 max_entries,
		   const struct bpf_map_create_opts *opts)
{
	bool is_wrong = strchr(name, '?'), is_too_large = (uint64_t)value_size * max_entries > MEMORY;

	errno = is_name_first && is_wrong ? EINVAL : is_too_large ? ENOMEM : is_wrong ? EINVAL : EPERM;
	return -1;
}

static void check_answers(void)
{
	assert_int_equal(room_ask(ROOM_LITTLE), 0); /* is not asked for */
	assert_int_equal(room_ask(MEMORY / 2), 0);
	assert_int_equal(room_ask(MEMORY - ROOM_LEFT + 4096), -ENOMEM);
	assert_int_equal(room_ask(UINT64_C(1) << 62), -ENOMEM);
}

static void test_name_first(void **state)
{
	is_name_first = true;
	check_answers();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
