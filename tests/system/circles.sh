#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Do object files of the shipped programs use each other in a circle? Usage: circles.sh BUILD-DIRECTORY

set -euo pipefail
cd "$1"

# tsort(1) takes pairs "user used", and prints each circle.
for object in {lib,daemon,ctl}/*.p/*.o; do
	nm -P "$object" | sed "s|^|$object |"
done | awk '
	$3 ~ /^[TDBRC]$/ { owner[$2] = $1 }
	$3 == "U" { users[$2] = users[$2] " " $1 }
	END {
		for (symbol in users) {
			n = split(users[symbol], list)
			for (i = 1; i <= n; i++)
				if (symbol in owner && owner[symbol] != list[i])
					print list[i], owner[symbol]
		}
	}' | tsort >/dev/null
