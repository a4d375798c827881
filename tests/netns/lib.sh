# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Harness of the namespace tests; each test-*.sh sources it first. It runs the script again in network,
# mount and process namespaces of its own, with a private bpffs and a sub-cgroup that hold all that a test
# makes, so that nothing of the machine is touched and nothing is left behind, however the test ends.
#
#   peer namespace                       "the host", where the script runs
#   p0  192.0.2.10  2001:db8::10   BAD  ------  h0  192.0.2.1     2001:db8::1     HOST
#       192.0.2.20  2001:db8::20   GOOD             198.51.100.1                  MARK_HOST
#       198.51.100.10              MARK  never blocked: when its packet is in, those sent before are as well

set -u

: "${EBPF_FWD:?path of ebpf-fwd}" "${FWCTL:?path of fwctl}" "${TRAFFIC:?path of traffic}" "${FOREIGN:?path of foreign}"

HOST4=192.0.2.1 BAD4=192.0.2.10 GOOD4=192.0.2.20
HOST6=2001:db8::1 BAD6=2001:db8::10 GOOD6=2001:db8::20
MARK=198.51.100.10 MARK_HOST=198.51.100.1
PORT=5000 MARK_PORT=5999

if [ -z "${FW_TEST_DIR:-}" ]; then
	skip() {
		echo "1..0 # SKIP $*"
		exit 0
	}
	[ "$(id -u)" = 0 ] || skip "needs root"
	CGROUP2=$(awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") print $5 }' \
		/proc/self/mountinfo | head -n 1)
	[ -n "$CGROUP2" ] || skip "no cgroup2 is mounted"
	for tool in ${NEEDS:-}; do
		command -v "$tool" >/dev/null || skip "needs $tool"
	done

	FW_TEST_DIR=$(mktemp -d /tmp/ebpf-fw-test.XXXXXX) || exit 1
	FW_TEST_CGROUP=/${FW_TEST_DIR##*/}
	export FW_TEST_DIR FW_TEST_CGROUP CGROUP2
	trap 'find "$CGROUP2$FW_TEST_CGROUP" /sys/fs/cgroup/memory"$FW_TEST_CGROUP" -depth -type d -exec rmdir {} + 2>/dev/null; rm -rf "$FW_TEST_DIR"' EXIT
	mkdir "$CGROUP2$FW_TEST_CGROUP" || exit 1
	unshare --net --mount --pid --fork --kill-child --mount-proc bash "$0" &
	trap 'kill $!; wait $!; exit 1' INT TERM HUP
	wait $!
	exit
fi

T=$FW_TEST_DIR
CGROUP=$CGROUP2$FW_TEST_CGROUP # as a directory; FW_TEST_CGROUP is what Cgroup= takes
PINS=$T/bpf/fw
DAEMON=
N_TESTS=0
N_FAILED=0

# --- results, in TAP

note() {
	echo "# $*"
}

result() { # STATUS NAME
	N_TESTS=$((N_TESTS + 1))
	if [ "$1" = 0 ]; then
		echo "ok $N_TESTS - $2"
	else
		N_FAILED=$((N_FAILED + 1))
		echo "not ok $N_TESTS - $2"
	fi
}

check() { # NAME COMMAND...
	local name=$1
	shift
	"$@"
	result $? "$name"
}

# Equality of what was found and what was expected; shows both if they differ.
same() { # NAME EXPECTED FOUND
	[ "$2" = "$3" ] || note "$1: expected '$2', found '$3'"
	[ "$2" = "$3" ]
	result $? "$1"
}

refuse() { # COMMAND...: the opposite of its status
	! "$@"
}

finish() {
	local status=$?

	if [ "$status" != 0 ] || [ "$N_FAILED" != 0 ]; then
		[ -f "$T/log" ] && tail -n 40 "$T/log" | sed 's/^/# log: /'
	fi
	[ "$status" = 0 ] || echo "Bail out! the script ended early"
	echo "1..$N_TESTS"
}
trap finish EXIT

die() {
	note "$*"
	exit 1
}

quietly() { # COMMAND...
	"$@" >/dev/null 2>&1
}

# --- waiting for events, never for time

WAIT_LIMIT=60 # seconds; far more than anything takes on a machine with ten processes to a processor

wait_for() { # COMMAND...: until it succeeds
	local end=$((SECONDS + WAIT_LIMIT))

	while [ $SECONDS -le $end ]; do
		"$@" && return 0
		sleep 0.02
	done
	note "waited in vain for: $*" >&2
	return 1
}

# --- namespaces

peer() {
	nsenter --net=/run/netns/peer -- "$@"
}

# The same in the background; its own process is then $!.
peer_begin() {
	nsenter --net=/run/netns/peer -- "$@" &
}

# Runs a command in the sub-cgroup whose packets the cgroup programs judge.
inside() {
	(echo "$BASHPID" >"$CGROUP/cgroup.procs" && exec "$@")
}

# What would add packets of its own to those that are counted.
quiet_ipv6() {
	local key

	for key in accept_dad=0 router_solicitations=0 accept_ra=0; do
		echo "${key#*=}" >"/proc/sys/net/ipv6/conf/default/${key%=*}"
	done
}

# Where each packet counts: nothing but what the test sends, and no IPv6 test after it.
without_ipv6() {
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	peer bash -c 'echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6'
}

# A veth pair; the end in the peer namespace has the second name.
make_pair() { # NAME PEER_NAME
	ip link add "$1" address 02:00:00:00:00:01 type veth peer name "$2" address 02:00:00:00:00:02 netns peer
}

address_pair() { # NAME PEER_NAME: the addresses above, and both links up
	local a

	for a in $HOST4/24 $MARK_HOST/24 $HOST6/64; do
		ip addr add "$a" dev "$1"
	done
	for a in $BAD4/24 $GOOD4/24 $MARK/24 $BAD6/64 $GOOD6/64; do
		peer ip addr add "$a" dev "$2"
	done
	peer ip link set "$2" up
	ip link set "$1" up
	for a in $BAD4 $GOOD4 $MARK $BAD6 $GOOD6; do
		ip neigh replace "$a" dev "$1" lladdr 02:00:00:00:00:02 nud permanent
	done
	for a in $HOST4 $MARK_HOST $HOST6; do
		peer ip neigh replace "$a" dev "$2" lladdr 02:00:00:00:00:01 nud permanent
	done
}

enter() {
	mount -t tmpfs tmpfs /run || die "cannot mount a private /run"
	mkdir -p "$T/bpf" "$T/sys" "$T/state" /run/netns
	mount -t sysfs sysfs "$T/sys" || die "cannot mount a private sysfs" # /sys shows another namespace
	mount -t bpf -o mode=0700 bpf "$T/bpf" || die "cannot mount a private bpffs"
	ip link set lo up
	ip netns add peer
	quiet_ipv6
	peer bash -c "$(declare -f quiet_ipv6); quiet_ipv6"
	peer ip link set lo up
	make_pair h0 p0
	address_pair h0 p0
	"$TRAFFIC" notify "$T/notify" "$T/notified" &
	wait_for test -S "$T/notify" || die "no notify socket"
}

# --- the daemon and the tool

fwctl() {
	"$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
}

daemon() {
	exec "$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
}

# Writes the configuration: what is given, and defaults that keep to the namespace and the sub-cgroup.
configure() { # [KEY=VALUE]...
	local line

	{
		echo "[Firewall]"
		for line in "Interfaces=h0" "Cgroup=$FW_TEST_CGROUP"; do
			case " $* " in
			*" ${line%%=*}="*) ;;
			*) echo "$line" ;;
			esac
		done
		for line in "$@"; do
			echo "$line"
		done
	} >"$T/fw.conf"
}

n_ready() {
	grep -c '^READY=1' "$T/notified" || true
}

is_ready_or_dead() { # N_BEFORE
	[ "$(n_ready)" -gt "$1" ] || ! kill -0 "$DAEMON" 2>/dev/null
}

# Starts the daemon with the configuration as it is; returns when it is ready.
start() {
	local before

	before=$(n_ready)
	NOTIFY_SOCKET=$T/notify daemon >>"$T/log" 2>&1 &
	DAEMON=$!
	wait_for is_ready_or_dead "$before"
	[ "$(n_ready)" -gt "$before" ]
}

start_with() { # [KEY=VALUE]...
	configure "$@"
	start || die "the daemon does not start"
}

end_by() { # SIGNAL
	kill "-$1" "$DAEMON"
	wait "$DAEMON" 2>/dev/null
}

stop() {
	end_by TERM
}

# Starts the daemon until its Nth of these calls. Does it die of it? If not it runs, and DAEMON is it.
daemon_dies_at() { # CALLS N
	local before

	before=$(n_ready)
	NOTIFY_SOCKET=$T/notify strace -f -o /dev/null -e trace="$1" -e inject="$1:signal=KILL:when=$2" \
		"$EBPF_FWD" --config "$T/fw.conf" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >>"$T/log" 2>&1 &
	DAEMON=$!
	wait_for is_ready_or_dead "$before"
	[ "$(n_ready)" = "$before" ] && return 0
	DAEMON=$(cat "$T/run/ebpf-fwd.pid")
	return 1
}

# Ends a daemon that may be nobody's child of ours: strace has started it.
end_daemon() {
	kill -TERM "$DAEMON" 2>/dev/null
	wait_for refuse kill -0 "$DAEMON" 2>/dev/null
}

# Stops the daemon, so that it does not come first; but not while it has the writer lock, which others need.
hold_daemon() {
	kill -STOP "$DAEMON"
	while ! flock -n "$T/run/lock" true; do
		kill -CONT "$DAEMON"
		sleep 0.02
		kill -STOP "$DAEMON"
	done
}

# Has the daemon read another configuration; returns when it is in force, or refused.
reload() { # [KEY=VALUE]...
	local before

	before=$(n_ready)
	configure "$@"
	kill -HUP "$DAEMON"
	wait_for is_ready_or_dead "$before"
}

# Stops the daemon and takes everything away, for a script that goes on with another configuration.
remove() {
	stop
	fwctl unload >/dev/null
	rm -rf "$T/state"
	mkdir "$T/state"
}

json() { # EXPRESSION: of d, what standard input says
	python3 -c "import json, sys
d = json.load(sys.stdin)
print($1)"
}

# A command with this exit status; what it said is in $T/stderr.
fails() { # STATUS NAME ARGUMENT...
	local status=$1 name=$2
	shift 2
	fwctl "$@" >/dev/null 2>"$T/stderr"
	same "$name: exit status" "$status" $?
}

fails_saying() { # STATUS NAME WORDS ARGUMENT...
	local name=$2 words=$3
	fails "$1" "$name" "${@:4}"
	grep -Eqi "$words" "$T/stderr" || sed 's/^/# stderr: /' "$T/stderr"
	check "$name: says why and what to do" grep -Eqi "$words" "$T/stderr"
	same "$name: in one line" 1 "$(wc -l <"$T/stderr")"
}

# How many entries a list is said to have; python3 is too slow for what asks a hundred times.
n_entries() { # LIST
	fwctl lists --json | sed -n "s|.*\"name\":\"$1\".*\"entries\":\([0-9]*\).*|\1|p"
}

# What is asked again and again does without python3, which takes longer to start than all the rest.
counter() { # HOOK DIRECTION FIELD
	fwctl stats --json | sed -n "s|.*{\"hook\":\"$1\",\"direction\":\"$2\",[^}]*\"$3\":\([0-9]*\).*|\1|p"
}

counter_is() { # HOOK DIRECTION FIELD VALUE
	[ "$(counter "$1" "$2" "$3")" = "$4" ]
}

list_dropped() { # LIST
	fwctl lists --json | sed -n "s|.*{\"name\":\"$1\",[^}]*\"dropped\":\([0-9]*\).*|\1|p"
}

# At whatever hook: none counts what another has dropped.
dropped_by() { # [DIRECTION]
	fwctl stats --json | grep -o "\"direction\":\"${1:-}[^}]*" | sed 's|.*"dropped":\([0-9]*\).*|\1|' |
		awk '{ n += $1 } END { print n + 0 }'
}

dropped() { # of what comes in
	dropped_by ingress
}

dropped_more_than() { # N
	[ "$(dropped)" -gt "$1" ]
}

ifindex() { # DEV
	cat "$T/sys/class/net/$1/ifindex"
}

link_of() { # PIN: "ID IFINDEX" of one of our links
	"$FOREIGN" link "$PINS/links/$1"
}

# How many programs of ours there are on ingress and on egress, in whatever way.
n_attached() { # DEV
	local d n

	for d in ingress egress; do
		if [ "$MECHANISM" = tcx ]; then
			n=$("$FOREIGN" attached "$1" $d)
		else
			n=$(tc filter show dev "$1" $d | grep -c fw_tc)
		fi
		echo "$d $n"
	done
}

is_attached() { # DEV: once, in both directions
	[ "$(n_attached "$1" 2>/dev/null)" = $'ingress 1\negress 1' ]
}

# --- traffic

numbers() { # FIRST LAST: as many addresses
	seq "$1" "$2" | awk '{ printf "198.18.%d.%d\n", $1 / 256, $1 % 256 }'
}

# Receivers in the sub-cgroup, counting by source.
start_receivers() {
	inside "$TRAFFIC" recv "$T/received" $PORT &
	inside "$TRAFFIC" recv "$T/marked" $MARK_PORT &
	wait_for test -f "$T/received" -a -f "$T/marked"
}

received() { # SOURCE [FILE]
	awk -v source="$1" '$1 == source { n = $2 } END { print n + 0 }' "$T/${2:-received}"
}

marked_more_than() {
	[ "$(received $MARK marked)" -gt "$1" ]
}

# Returns when what was sent before has arrived or never will: packets keep their order. Fails where the
# mark itself gets lost.
settle() {
	wait_for_mark && ask_receivers
}

# What is in the sockets of the receivers is counted and written down.
ask_receivers() {
	local file before

	for file in "$T"/*.pid; do
		file=${file%.pid}
		before=$(received asked "${file##*/}")
		kill -USR1 "$(cat "$file.pid")" 2>/dev/null || continue
		wait_for received_more_than "$before" asked "${file##*/}"
	done
}

received_more_than() { # N SOURCE FILE
	[ "$(received "$2" "$3")" -gt "$1" ]
}

wait_for_mark() {
	local before

	before=$(received $MARK marked)
	peer "$TRAFFIC" flood $MARK $MARK_HOST $MARK_PORT 1000 1 >/dev/null
	wait_for marked_more_than "$before"
}

# From BAD, which is blocked, until flood_end; returns when some of it has been dropped.
flood_begin() { # [PACKETS A SECOND]
	peer_begin "$TRAFFIC" flood $BAD4 $HOST4 $PORT "${1:-50000}" 0 >"$T/flooded"
	FLOOD=$!
	wait_for dropped_more_than "$(dropped)"
}

flood_end() {
	kill "$FLOOD"
	wait "$FLOOD"
	settle
}

# Number of packets that arrive of COUNT sent from SOURCE; "?" if that cannot be told.
delivered() { # SOURCE DESTINATION COUNT
	local before

	before=$(received "$1")
	peer "$TRAFFIC" flood "$1" "$2" $PORT 2000 "$3" >/dev/null && settle || echo "?"
	echo $(($(received "$1") - before))
}

# The same for a frame of the catalogue.
delivered_frames() { # NAME SOURCE DESTINATION COUNT
	local before

	before=$(received "$2")
	peer "$TRAFFIC" frame p0 "$1" "$2" "$3" $PORT "$4" && settle || echo "?"
	echo $(($(received "$2") - before))
}

# Probes say "passes", "blocked", or something else. Where nothing is loaded that counts a drop, only time tells.
UNCOUNTED_LIMIT=3 # seconds

probe_ping() { # SOURCE DESTINATION
	local before status

	if ! quietly fwctl stats; then
		peer ping -q -n -c 1 -W $UNCOUNTED_LIMIT -I "$1" "$2" >/dev/null && echo passes || echo blocked
		return
	fi
	before=$(dropped_by)
	peer_begin ping -q -n -c 1 -W $WAIT_LIMIT -I "$1" "$2" >/dev/null
	wait_for has_ended_or_dropped $! "$before"
	kill $! 2>/dev/null
	wait $!
	status=$?
	case $status in
	0) echo passes ;;
	1 | 143) echo blocked ;; # 143: nobody answers, as it was dropped
	*) echo "ping fails" ;;
	esac
}

has_ended_or_dropped() { # PID N_BEFORE
	! kill -0 "$1" 2>/dev/null || [ "$(dropped_by)" -gt "$2" ]
}

probe_udp() { # SOURCE DESTINATION
	local n

	n=$(delivered "$1" "$2" 3)
	case $n in
	3) echo passes ;;
	0) echo blocked ;;
	*) echo "$n of 3 delivered" ;;
	esac
}

passes() { # PROBE...
	[ "$("$@")" = passes ]
}

# A check in three steps: without the first, the second proves nothing.
three_steps() { # NAME TARGET PROBE...
	local name=$1 target=$2
	shift 2
	same "$name: passes before" passes "$("$@")"
	quietly fwctl block "$target" || note "cannot block $target"
	same "$name: blocked after 'fwctl block $target'" blocked "$("$@")"
	quietly fwctl unblock "$target" || note "cannot unblock $target"
	same "$name: passes again" passes "$("$@")"
}

MECHANISM=tcx # what is_attached looks for
enter
