#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scenario under the running kernel, in a machine of systemd-nspawn that is rebooted twice; to be killed
# is the nearest it comes to a power cut. Usage: test-running.sh SOURCE-DIRECTORY USERLAND-SUITE

set -euo pipefail
here=$(dirname "$0")
FW_TEST_RELEASE=$2
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/relay.sh
. "$here/relay.sh"
# shellcheck source=tests/system/tree.sh
. "$here/tree.sh"
# shellcheck source=tests/system/machine.sh
. "$here/machine.sh"

boot() { # PHASE
	must "$1: the machine boots" machine_boot
	must "$1: its root cgroup is not that of this host" is_root_cgroup_its_own
	relay "$1" < <(in_machine "$clone/tests/system/scenario.sh" "$1" 2>&1)
	check "$1: the phase ended" test "$relay_has_ended" = yes
	machine_stop
}

machine_enter installed "$@"
machine_cgroup=system.slice # processes are below its root already, so that none may be in it
boot service
boot reboot
boot power-cut
print_row "$release in systemd-nspawn"
tap_end
