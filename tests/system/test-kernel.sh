#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The scenario under one kernel and one userland, in an emulated machine that is rebooted once and loses its
# power once. Usage: test-kernel.sh SOURCE-DIRECTORY KERNEL-SUITE USERLAND-SUITE

set -euo pipefail
here=$(dirname "$0")
FW_TEST_RELEASE=$3
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/relay.sh
. "$here/relay.sh"
# shellcheck source=tests/system/tree.sh
. "$here/tree.sh"
# shellcheck source=tests/system/kernel.sh
. "$here/kernel.sh"
# shellcheck source=tests/system/emulator.sh
. "$here/emulator.sh"

tree_enter qemu-system-x86_64 mke2fs -- "$@"
kernel_get "$2"
make_installed
make_machine

boot service reboot
if [ "$relay_has_ended" = yes ]; then
	boot reboot power-cut
	boot power-cut off
fi
print_row "$release"
tap_end
