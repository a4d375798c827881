#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Do the folders include only what the line "# Imports: ..." of their meson.build names? Usage: imports.sh SOURCE-DIRECTORY
# A folder of lib/ names others of lib/, and abi. One of daemon/ or ctl/ names "lib", which stands for all of lib/ and abi/,
# others of its own, and headers that are in no folder.

set -euo pipefail
cd "$1"

says() { # FOLDER NAME: does the folder name it, or is it the folder itself?
	[ "${1##*/}" = "$2" ] || [[ " $(sed -n 's/^# Imports: \(.*\)\.$/\1/p' "$1/meson.build" | tr -d ,) " == *" $2 "* ]]
}

n_wrong=0
for folder in abi bpf lib/*/ daemon/*/ ctl/*/; do
	folder=${folder%/}
	[ "$folder" = ctl/completion ] && continue
	while IFS=: read -r file header; do
		name=${header%%/*}
		case $folder in
		abi)
			[ "$name" = abi ] && continue
			;;
		bpf)
			[ "$name" = abi ] || [ -e "bpf/$header" ] && continue
			;;
		lib/*)
			says "$folder" "$name" && continue
			;;
		*)
			[ "$name" = abi ] || [ -d "lib/$name" ] && name=lib
			says "$folder" "$name" && continue
			[[ $header = *.skel.h ]] && continue
			;;
		esac
		echo "$file includes $header"
		n_wrong=$((n_wrong + 1))
	done < <(grep -ho '^#include "[^"]*"' --with-filename "$folder"/*.[ch] | sed 's/#include "\(.*\)"/\1/')
done
[ $n_wrong -eq 0 ]
