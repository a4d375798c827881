// SPDX-License-Identifier: GPL-2.0-or-later

/* daemon/instance.c: the lock on the pin directory, which the daemon tries to take every few seconds. Log calls are counted. */

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "../../daemon/instance.h"
#include "log/log.h"
#include "unit.h"

int __wrap_log_full(int level, int error, const char *format, ...);

static unsigned n_logged;

int __wrap_log_full(int level, int error, const char *format, ...)
{
	n_logged++;
	return error;
}

/* As 'fwctl unload' does, for as long as it takes. */
static void test_a_held_directory_is_logged_once(void **state)
{
	struct instance unload = INSTANCE_NULL, daemon = INSTANCE_NULL;
	char dir[] = "/tmp/ebpf-fw-instance-XXXXXX";

	assert_non_null(mkdtemp(dir));
	assert_int_equal(instance_lock_pins(&unload, dir), 0);
	for (int n = 0; n < 3; n++)
		assert_int_equal(instance_lock_pins(&daemon, dir), -EBUSY);
	assert_int_equal(n_logged, 1);

	instance_unlock(&unload);
	assert_int_equal(instance_lock_pins(&daemon, dir), 0);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(instance_lock_pins(&daemon, dir), -ENOENT); /* another reason is news */
	assert_int_equal(n_logged, 2);
	instance_unlock(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_held_directory_is_logged_once),
	};

	return cmocka_run_group_tests_name("instance", tests, NULL, NULL);
}
