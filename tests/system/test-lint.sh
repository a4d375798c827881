#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Scripts, man pages and the directions of includes and calls, as far as a tool can judge them.
# Usage: test-lint.sh SOURCE-DIRECTORY BUILD-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

here=$(cd "$(dirname "$0")" && pwd)
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

check "folders include what they say" "$here/imports.sh" .
check "object files form no circle" "$here/circles.sh" "$2"
tap_end
