#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ./setup reads from apt, under languages that name it differently.
# Usage: test-language.sh SOURCE-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

command -v apt-cache >/dev/null || skip_all "there is no apt-cache"
[ -e /usr/share/i18n/locales/de_DE ] || skip_all "the sources of locales are not installed"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Runs the function of setup, as it is, in a language.
is_in_apt() {
	LOCPATH=$work LC_ALL=$1.UTF-8 bash -c "$functions; is_in_apt $2"
}

is_not_in_apt() {
	! is_in_apt "$@"
}

speaks() {
	! LOCPATH=$work LC_ALL=$1.UTF-8 apt-cache policy bash | grep -q Candidate:
}

functions=$(sed -n '/^is_in_apt() {/,/^}/p' "$1/setup")
must "setup has the function" test -n "$functions"
for language in de_DE tr_TR; do
	localedef -i "$language" -f UTF-8 "$work/$language.UTF-8" 2>/dev/null || true # it warns
	if ! speaks "$language"; then
		skip_check "$language" "apt has no translation into it here"
		continue
	fi
	check "$language: a package that apt has" is_in_apt "$language" bash
	check "$language: one that it does not have" is_not_in_apt "$language" no-such-package-anywhere
done
tap_end
