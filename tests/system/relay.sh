# shellcheck shell=bash disable=SC2034,SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What a script in a machine reports becomes part of what the test reports that has started it. Sourced after
# tap.sh.

declare -A facts=() # what the scenario says about the machine: kernel, systemd, ...
relay_has_ended=no
relay_has_failed=no

# Reads TAP and adds its checks to our own, as they come.
relay() { # NAME
	local line fact

	relay_has_ended=no
	relay_has_failed=no
	while IFS= read -r line; do
		case $line in
		"ok "* | "not ok "*)
			n_checks=$((n_checks + 1))
			if [[ $line = not* ]]; then
				n_failed=$((n_failed + 1))
				relay_has_failed=yes
			fi
			echo "${line%%ok *}ok $n_checks - $1: ${line#*- }"
			;;
		1..*) relay_has_ended=yes ;;
		"# fact: "*)
			fact=${line#*: }
			facts[${fact%% *}]=${fact#* }
			echo "$line"
			;;
		"#"*) echo "$line" ;;
		*) echo "# $line" ;;
		esac
	done
	[ $relay_has_ended = yes ] || relay_has_failed=yes
}

# A line of the table that tests/summary prints.
print_row() { # USERLAND
	echo "# row: ${facts[kernel]:-?} | $1, systemd ${facts[systemd]:-?}, libbpf ${facts[libbpf]:-?} |" \
		"${facts[mechanism]:-?} | ${facts[instructions]:-?} | ${facts[milliseconds]:-?} |" \
		"$((n_checks - n_failed)) | $n_failed"
}
