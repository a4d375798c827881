#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# build-other.sh SOURCE BUILD STAMP [OPTION]...: builds the version that test-upgrade.sh upgrades to.
set -e
source=$1 build=$2 stamp=$3
shift 3
[ -f "$build/build.ninja" ] || meson setup "$build" "$source" -Dtests=false -Dtest_layout=true "$@"
ninja -C "$build"
touch "$stamp"
