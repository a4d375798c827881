#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What an admin sees of the installed service: records of the daemon and of fwctl under one unit, explained by the
# catalog; metrics by a timer that nobody has to trust; a doctor who finds nothing. Runs inside of a machine that one
# may lose, as root, after "./setup --no-start".

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/tap.sh
. "$here/tap.sh"
# shellcheck source=tests/system/peer.sh
. "$here/peer.sh"

textfiles=/var/lib/prometheus/node-exporter # the package prometheus-node-exporter makes it so
metrics=$textfiles/ebpf-fw.prom

unit_says() { # PATTERN [OPTION]...: a record of the unit
	local pattern=$1
	shift

	journalctl --sync
	journalctl -u ebpf-fw --no-pager "$@" | grep -E -- "$pattern"
}

n_records() { # MATCH...
	journalctl --sync
	journalctl -u ebpf-fw --no-pager -o json "$@" | wc -l
}

has_drops_of_peer() {
	unit_says "dropped from $bad4: [0-9]+ packets, list manual" -o cat
}

check_records() {
	check "block is a record of the unit" fwctl block $bad4 --for 1h --comment "a guess"
	check "with all that was said" wait_until 10 unit_says "^blocked $bad4 for 1h, list manual: a guess" -o cat
	check "it can be searched" test "$(n_records FW_TARGET=$bad4 FW_LIST=manual)" -ge 1
	check "the catalog explains it" unit_says "Somebody with the user id 0 did so with fwctl" -x
	fails peer ping -q -n -c 4 -i 0.1 -W 0.2 -I $bad4 $host4
	check "whom was dropped of" wait_until 15 has_drops_of_peer
	check "the catalog explains that" unit_says "packets of this address were dropped in" -x
	fwctl block 203.0.113.9 --for 1
	check "what has ended" wait_until 15 unit_says "^203.0.113.9 has ended in list manual" -o cat
	seq -f '192.0.2.%.0f' 100 200 | sed 's/^/block /' | fwctl batch -
	check "a batch is one record" wait_until 10 unit_says "many changes: 101 added" -o cat
	check "and no more" test "$(n_records FW_TARGET=192.0.2.150)" -eq 0
	systemctl stop ebpf-fw
	fwctl unblock $bad4
	journalctl --sync
	check "without the daemon it is found by its identifier" \
		sh -c "journalctl -t fwctl -o cat --no-pager | grep '^unblocked $bad4'"
	systemctl start ebpf-fw
}

is_fresh() { # SECONDS-SINCE-EPOCH
	[ "$(stat -c %Y $metrics)" -gt "$1" ]
}

check_metrics() {
	local before

	check "the timer is not enabled" fails systemctl is-enabled ebpf-fw-prometheus.timer
	systemctl start ebpf-fw-prometheus.service
	check "without the directory nothing is written" test ! -e $textfiles
	mkdir -p $textfiles
	check "the service writes metrics" systemctl start ebpf-fw-prometheus.service
	check "they are there" grep -x "ebpffw_loaded 1" $metrics
	check "with what is attached" grep '^ebpffw_attached_programs{hook="tc",direction="ingress"' $metrics
	check "and counted" grep '^ebpffw_drops_total{source="manual"} [1-9]' $metrics
	before=$(date +%s)
	systemctl enable --now ebpf-fw-prometheus.timer
	check "the timer writes them again" wait_until 30 is_fresh "$before"
	check "with nothing but its own file there" test "$(ls -A $textfiles)" = ebpf-fw.prom
	systemctl stop ebpf-fw
	fwctl unload
	check "not loaded is no failure of the service" systemctl start ebpf-fw-prometheus.service
	check "but a metric" grep -x "ebpffw_loaded 0" $metrics
	systemctl start ebpf-fw
}

check_doctor() {
	systemctl enable ebpf-fw
	check "the doctor finds nothing" fwctl doctor
	check "the daemon is watched" sh -c "fwctl doctor | grep 'systemd restarts it if it says nothing for 30 s'"
	systemctl disable ebpf-fw
	check "a boot without it is warned of" sh -c "fwctl doctor | grep '^warning *boot '"
	systemctl enable ebpf-fw
}

mkdir -p "$traffic_dir"
printf '%s\n' "[Firewall]" "Interfaces=to-peer" "StatsIntervalSec=1" >/etc/ebpf-fw/ebpf-fw.conf
peer_add
ip link set to-peer up
peer_know
systemctl restart ebpf-fw
check_records
check_metrics
check_doctor
check "remove" "$here/../../setup" remove
check "takes the metrics along" test ! -e $metrics
check "and the timer" fails systemctl cat ebpf-fw-prometheus.timer
tap_end
