#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Scripts and man pages, as far as a tool can judge them. Usage: test-lint.sh SOURCE-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

cd "$1"

for script in setup .ci/run systemd/install-config tests/*/*.sh; do
	if command -v shellcheck >/dev/null; then
		check "$script is clean" shellcheck -x --source-path=SCRIPTDIR --severity=warning "$script"
	else
		skip_check "$script is clean" "shellcheck is not installed"
	fi
done

for page in man/*.[0-9]; do
	if command -v mandoc >/dev/null; then
		check "$page is clean" mandoc -Tlint -Wwarning "$page"
	else
		skip_check "$page is clean" "mandoc is not installed"
	fi
done
tap_end
