#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs a script of this directory inside of a machine in which the project is installed, and reports what that
# one reports. Usage: test-inside.sh SOURCE-DIRECTORY SCRIPT

set -euo pipefail
here=$(dirname "$0")
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/relay.sh
. "$here/relay.sh"
# shellcheck source=tests/system/tree.sh
. "$here/tree.sh"
# shellcheck source=tests/system/machine.sh
. "$here/machine.sh"

machine_enter installed "$@"
machine_cgroup=system.slice
must "the machine boots" machine_boot
must "its root cgroup is not that of this host" is_root_cgroup_its_own
relay inside < <(in_machine "$clone/tests/system/$2" 2>&1)
check "the script came to its end" test "$relay_has_ended" = yes
if [ "$relay_has_failed" = yes ]; then
	in_machine journalctl -u ebpf-fw --no-pager --lines=60 | sed 's/^/# journal: /'
fi
tap_end
