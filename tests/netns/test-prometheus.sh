#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Metrics: what promtool says of them, what a real node_exporter makes of them, and that they are the numbers
# of "fwctl stats"; a file that is replaced whole; the dashboard shows all there is and nothing else.
NEEDS="promtool prometheus-node-exporter"
. "${0%/*}/lib.sh"

: "${DASHBOARD:?path of the Grafana dashboard}"
METRICS=$T/textfile/ebpf-fw.prom

value() { # SAMPLE [FILE]: its number
	awk -v sample="$1" '$1 == sample { print $2 }' "${2:-$METRICS}"
}

write_metrics() {
	fwctl stats --prometheus --output "$METRICS"
}

is_clean() { # FILE
	promtool check metrics <"$1" >"$T/promtool" 2>&1 && [ ! -s "$T/promtool" ] && return
	sed 's/^/# promtool: /' "$T/promtool"
	return 1
}

scrape() {
	python3 -c "import urllib.request
print(urllib.request.urlopen('http://127.0.0.1:9100/metrics', timeout=5).read().decode(), end='')" >"$T/scraped" 2>/dev/null
}

names_in() { # FILE
	grep -o '^ebpffw_[a-z_]*' "$1" | sort -u
}

mkdir "$T/textfile"

# Nothing is loaded: that is what it says, and nothing else changes.
fwctl stats --prometheus >"$T/absent" 2>"$T/stderr"
same "not loaded: exit status" 3 $?
same "not loaded: a metric says so" 0 "$(value ebpffw_loaded "$T/absent")"
check "not loaded: promtool has no complaint" is_clean "$T/absent"

without_ipv6
start_receivers
start_with
fwctl list add fail2ban/sshd >/dev/null
fwctl block $BAD4 2001:db8:1::/48 --list fail2ban/sshd >/dev/null
fwctl block $BAD4 tcp/23 >/dev/null
same "0 of 20 arrive" 0 "$(delivered $BAD4 $HOST4 20)"
same "10 of 10 arrive" 10 "$(delivered $GOOD4 $HOST4 10)"

check "metrics are written" write_metrics
check "promtool has no complaint" is_clean "$METRICS"
same "the file ends with its last line" "" "$(tail -c 1 "$METRICS" | tr -d '\n')"
same "and may be read by others" 644 "$(stat -c %a "$METRICS")"
check "no line has a timestamp" refuse grep -Eq '^[^#].* [0-9.]+ [0-9]+$' "$METRICS"
check "no label is an address" refuse grep -Fq -e $BAD4 -e 2001:db8 "$METRICS"
same "nothing else is left in the directory" ebpf-fw.prom "$(ls -A "$T/textfile")"

# They are the numbers of "stats" and "lists".
for hook in tc cgroup; do
	for direction in ingress egress; do
		place="hook=\"$hook\",direction=\"$direction\""
		passed=$(value "ebpffw_packets_total{$place,verdict=\"pass\"}")
		dropped=$(value "ebpffw_packets_total{$place,verdict=\"drop\"}")
		same "$hook $direction: packets" "$(counter $hook $direction packets)" $((passed + dropped))
		same "$hook $direction: dropped" "$(counter $hook $direction dropped)" "$dropped"
		same "$hook $direction: bytes dropped" "$(counter $hook $direction dropped_bytes)" \
			"$(value "ebpffw_bytes_total{$place,verdict=\"drop\"}")"
		same "$hook $direction: SYN" "$(counter $hook $direction syn)" "$(value "ebpffw_tcp_syn_total{$place}")"
	done
done
same "drops by the reason" 20 "$(value 'ebpffw_decided_packets_total{hook="tc",direction="ingress",reason="address"}')"
same "drops of a list" "$(fwctl lists --json | json "next(l['dropped'] for l in d['lists'] if l['name'] == 'manual')")" \
	"$(value 'ebpffw_drops_total{source="manual"}')"
same "entries of a list" 2 "$(value 'ebpffw_list_entries{source="fail2ban/sshd"}')"
same "IPv4 entries" 1 "$(value 'ebpffw_entries{map="ipv4"}')"
same "IPv6 entries" 1 "$(value 'ebpffw_entries{map="ipv6"}')"
same "port entries" 1 "$(value 'ebpffw_entries{map="port"}')"
same "port entries there may be" 256 "$(value 'ebpffw_map_capacity_entries{map="port"}')"
same "a list and its policy" 1 \
	"$(value 'ebpffw_list_info{source="fail2ban/sshd",action="block",mode="enforce",enabled="yes"}')"
same "programs attached to tc" 1 \
	"$(value 'ebpffw_attached_programs{hook="tc",direction="ingress",mechanism="tcx"}')"
same "loaded" 1 "$(value ebpffw_loaded)"
same "the daemon runs" 1 "$(value ebpffw_daemon_running)"
same "the version" 1 "$(value "ebpffw_build_info{version=\"$("$FWCTL" --version | cut -d ' ' -f 2)\"}")"

# When it was loaded, and when the configuration was read last.
loaded=$(value ebpffw_last_load_timestamp_seconds)
check "loaded just now" test $(($(date +%s) - loaded)) -lt $((WAIT_LIMIT * 4))
same "configured then, too" "$loaded" "$(value ebpffw_last_reload_timestamp_seconds)"
reloaded() {
	write_metrics && [ "$(value ebpffw_last_reload_timestamp_seconds)" -gt "$loaded" ]
}
is_later() {
	[ "$(date +%s)" -gt "$loaded" ]
}
wait_for is_later
kill -HUP "$DAEMON"
check "a reload shows" wait_for reloaded
same "and is no load" "$loaded" "$(value ebpffw_last_load_timestamp_seconds)"

# A real collector. It listens in this namespace only.
prometheus-node-exporter --web.listen-address=127.0.0.1:9100 --collector.disable-defaults --collector.textfile \
	--collector.textfile.directory="$T/textfile" >"$T/exporter" 2>&1 &
exporter=$!
check "node_exporter answers" wait_for scrape
same "it found no error" 0 "$(value node_textfile_scrape_error "$T/scraped")"
same "it exports all metrics" "$(names_in "$METRICS")" "$(names_in "$T/scraped")"
same "with their values" "$(value 'ebpffw_packets_total{hook="tc",direction="ingress",verdict="drop"}')" \
	"$(value 'ebpffw_packets_total{direction="ingress",hook="tc",verdict="drop"}' "$T/scraped")"
same "0 of 5 arrive" 0 "$(delivered $BAD4 $HOST4 5)"
check "metrics are written again" write_metrics
scrape
same "the next scrape has the new ones" 25 \
	"$(value 'ebpffw_packets_total{direction="ingress",hook="tc",verdict="drop"}' "$T/scraped")"

# Under a flood of which nothing passes, what has passed must not go back by a packet.
passed_tc() {
	value 'ebpffw_packets_total{hook="tc",direction="ingress",verdict="pass"}'
}
peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT 100000 300000 >/dev/null
flood=$!
before=$(passed_tc) n_back=0 n_scrapes=0
while kill -0 $flood 2>/dev/null; do
	write_metrics
	now=$(passed_tc)
	[ "$now" -ge "$before" ] || n_back=$((n_back + 1))
	before=$now
	n_scrapes=$((n_scrapes + 1))
done
note "$n_scrapes scrapes during the flood"
check "there was time for some scrapes" test "$n_scrapes" -ge 3
same "what passed never goes back" 0 "$n_back"

# What a viewer does not get, by the reason. Its rate is one event, so nearly all of a burst is over it.
lost() { # CAUSE
	fwctl stats --prometheus | sed -n "s/^ebpffw_events_lost_total{cause=\"$1\"} //p"
}
before_rate=$(lost rate-limit) before_full=$(lost ring-full)
fwctl monitor --rate 1 >"$T/monitor" 2>&1 &
viewer=$!
watching() {
	peer "$TRAFFIC" flood $BAD4 $HOST4 $PORT 100000 200 >/dev/null
	[ -s "$T/monitor" ] && [ "$(lost rate-limit)" -gt "$before_rate" ]
}
check "events over the rate count as such" wait_for watching
same "none of them as lost in a full ring" "$before_full" "$(lost ring-full)"
kill $viewer
wait $viewer 2>/dev/null

# A program on an interface that has gone judges nothing.
attached() {
	fwctl stats --prometheus | sed -n 's/^ebpffw_attached_programs{hook="tc",direction="ingress",mechanism="tcx"} //p'
}
make_pair h1 p1
reload "Interfaces=h0 h1"
same "two interfaces" 2 "$(attached)"
stop
ip link del h1
same "one of two, while no daemon tidies up" 1 "$(attached)"
start || die "the daemon does not start again"

# What cannot be written leaves what is there.
before=$(md5sum <"$METRICS")
fwctl stats --prometheus --output "$T/no-such-directory/x.prom" 2>"$T/stderr"
same "a directory that is not there: exit status" 1 $?
check "it is named" grep -q "no-such-directory" "$T/stderr"
ln -s /dev/null "$T/device"
fwctl stats --prometheus --output "$T/device" 2>"$T/stderr"
same "what is no file: exit status" 1 $?
same "is not replaced" /dev/null "$(readlink "$T/device")"

# Somebody who can write to a directory on the way must not choose where the file goes.
mkdir "$T/theirs" "$T/target" "$T/ours"
chmod 1777 "$T/theirs"
ln -s "$T/target" "$T/theirs/link"
ln -s "$T/target" "$T/planted"
chown -h 65534:65534 "$T/planted"
ln -s "$T/ours" "$T/moved"
for link in theirs/link planted; do
	fwctl stats --prometheus --output "$T/$link/x.prom" 2>"$T/stderr"
	same "a link that somebody else could have made: exit status" 1 $?
	check "it says so" grep -q "symbolic link" "$T/stderr"
	same "nothing is written through it" "" "$(ls -A "$T/target")"
	"$FWCTL" block 203.0.113.77 --pin-dir "$PINS" --state-dir "$T/$link" --run-dir "$T/run" >/dev/null 2>&1
	same "a list file neither" "" "$(ls -A "$T/target")"
done
check "a link of the administrator is followed" quietly fwctl stats --prometheus --output "$T/moved/x.prom"
same "to where it points" x.prom "$(ls -A "$T/ours")"
mkdir "$T/full"
mount -t tmpfs -o size=4k tmpfs "$T/full"
echo old >"$T/full/ebpf-fw.prom"
fwctl stats --prometheus --output "$T/full/ebpf-fw.prom" 2>"$T/stderr"
same "a full disk: exit status" 1 $?
same "the old file stays" old "$(cat "$T/full/ebpf-fw.prom")"
same "and nothing else" ebpf-fw.prom "$(ls -A "$T/full")"
fwctl stats --output "$METRICS" 2>/dev/null
same "--output alone" 2 $?
fwctl stats --prometheus --json >/dev/null 2>&1
same "two formats" 2 $?
same "nothing was written" "$before" "$(md5sum <"$METRICS")"

# The dashboard asks for what there is, and for all of it.
grep -o 'ebpffw_[a-z_]*' "$DASHBOARD" | sort -u >"$T/shown"
same "the dashboard shows every metric" "$(names_in "$METRICS")" "$(cat "$T/shown")"
same "every panel has a query and a place" True "$(json "all(p['gridPos'] and all(t['expr'] for t in p['targets'])
	for p in d['panels'] if p['type'] != 'row') and len({p['id'] for p in d['panels']}) == len(d['panels'])" <"$DASHBOARD")"
python3 - "$DASHBOARD" >"$T/rules.yml" <<'END'
import json, sys
print("groups:\n- name: dashboard\n  rules:")
for panel in json.load(open(sys.argv[1]))["panels"]:
    for i, target in enumerate(panel.get("targets", [])):
        expr = target["expr"].replace("$__rate_interval", "1m").replace("$instance", ".*")
        print(f"  - record: panel:{panel['id']}:{i}\n    expr: {json.dumps(expr)}")
END
check "promtool understands every query" quietly promtool check rules "$T/rules.yml"

remove
fwctl stats --prometheus --output "$METRICS" 2>/dev/null
same "unloaded: exit status" 3 $?
same "unloaded: the file says so" 0 "$(value ebpffw_loaded)"
kill $exporter
