#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installed firewall in a throw-away Debian, booted under systemd-nspawn: ./setup, the unit, stop,
# kill, restart, reload, ./setup remove. The machine has its own network, bpffs and root cgroup; that
# the latter holds is checked before anything is started in it.
# Usage: test-nspawn.sh SOURCE-DIRECTORY

set -euo pipefail
# shellcheck source=tests/system/tap.sh
. "$(dirname "$0")/tap.sh"

release=${FW_TEST_RELEASE:-bookworm}
base_packages=systemd,systemd-sysv,dbus,iproute2,iputils-ping,util-linux
clone="/srv/a clone/ebpf-fw" # a clone may be anywhere, also behind a space
host_address=192.0.2.1
peer_address=192.0.2.2

# Prints the mount point of the cgroup2 hierarchy.
find_cgroup2() {
	awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

copy_sources() {
	mkdir -p "$2"
	tar -C "$1" --exclude=./.git --exclude='./build*' --exclude='./saved-*' -cf - . | tar -C "$2" -xf -
}

# A tree with all that building and running needs, made once and kept as long as the needs stay the same.
# shellcheck disable=SC2016 # mmdebstrap's shell gets the tree as $1
make_tree() {
	local needs partial

	needs=$({ echo "$base_packages"; sed -n '/_needs="$/,/^"$/p' "$src/setup"; } | sha256sum | cut -c1-12)
	tree=${XDG_CACHE_HOME:-/var/cache}/ebpf-fw-test/$release-$needs
	[ ! -d "$tree" ] || return 0

	partial=$tree.$$
	mkdir -p "${tree%/*}"
	copy_sources "$src" "$work/sources"
	if ! mmdebstrap --quiet --variant=minbase --include="$base_packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--customize-hook='mkdir -p "$1/srv/ebpf-fw"' \
		--customize-hook="tar -C '$work/sources' -cf - . | tar -C \"\$1/srv/ebpf-fw\" -xf -" \
		--customize-hook='chroot "$1" /srv/ebpf-fw/setup packages' \
		--customize-hook='rm -rf "$1/srv/ebpf-fw"' \
		"$release" "$partial" >"$work/tree.log" 2>&1; then
		sed 's/^/# /' "$work/tree.log" | tail -n 20
		rm -rf "$partial"
		skip_all "mmdebstrap cannot make a tree of $release here"
	fi
	mv "$partial" "$tree"
}

# Runs a command in the machine as a transient unit of its own, so in its cgroups; status and output are ours.
in_machine() {
	nsenter --target "$leader" --all -- systemd-run --quiet --pipe --wait --collect --working-directory=/ -- "$@" </dev/null
}

setup_in_machine() {
	in_machine "$clone/setup" "$@"
}

has_leader() {
	local pid children

	read -ra children <"/proc/$nspawn_pid/task/$nspawn_pid/children" || true # no newline ends it
	for pid in "${children[@]}"; do
		if [ "$(awk '$1 == "NSpid:" { print $NF }' "/proc/$pid/status")" = 1 ]; then
			leader=$pid
			return 0
		fi
	done
	return 1
}

has_booted() {
	nsenter --target "$leader" --all -- systemctl is-active --quiet multi-user.target 2>/dev/null
}

boot() {
	mkdir "$cgroup"
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
		exec systemd-nspawn --quiet --register=no --keep-unit --private-network --capability=all \
			--machine="fw-$$" --directory="$work/root" --bind="$work/bpf:/sys/fs/bpf" \
			--link-journal=no --console=pipe --boot systemd.unit=multi-user.target
	) </dev/null >"$work/console.log" 2>&1 &
	nspawn_pid=$!
	wait_until 20 has_leader && wait_until 60 has_booted
}

is_cgroup_empty() {
	grep -q '^populated 0' "$cgroup/cgroup.events"
}

clean_up() {
	if [ -d "$cgroup" ]; then
		echo 1 >"$cgroup/cgroup.kill"
		wait "${nspawn_pid:-}" 2>/dev/null || true
		wait_until 10 is_cgroup_empty || true
		find "$cgroup" -depth -type d -exec rmdir {} \;
	fi
	umount -R "$work" 2>/dev/null || true
	rm -rf "$work"
}

# The cgroup hook of the machine must not reach ours: its "/" has to be a cgroup below the test's own.
is_root_cgroup_its_own() {
	local inode

	inode=$(nsenter --target "$leader" --all -- stat -c %i /sys/fs/cgroup)
	[ "$inode" != "$(stat -c %i "$(find_cgroup2)")" ] && [ -n "$(find "$cgroup" -maxdepth 2 -type d -inum "$inode")" ]
}

# A peer behind a veth, in a namespace inside the machine. The default route makes Interfaces=auto want it.
add_peer() {
	in_machine sh -ec "
		ip netns add peer
		ip link add to-peer type veth peer name to-host netns peer
		ip addr add $host_address/24 dev to-peer
		ip link set to-peer up
		ip route add default via 192.0.2.254 dev to-peer
		ip -n peer addr add $peer_address/24 dev to-host
		ip -n peer link set lo up
		ip -n peer link set to-host up"
}

peer_pings() {
	in_machine ip netns exec peer ping -c 2 -i 0.2 -W 1 "$host_address"
}

is_service() {
	[ "$(in_machine systemctl is-active ebpf-fw)" = "$1" ]
}

has_new_main_pid() {
	local pid

	pid=$(in_machine systemctl show --property=MainPID --value ebpf-fw)
	[ "$pid" -ne 0 ] && [ "$pid" -ne "$1" ] && is_service active
}

journal_has_drops() {
	in_machine journalctl -u ebpf-fw -o json --no-pager |
		python3 -c '
import json, sys
records = [json.loads(line) for line in sys.stdin]
sys.exit(not any(r.get("FW_HOOK") == "tc" and int(r.get("FW_DROPPED", 0)) > 0 and r.get("MESSAGE_ID") for r in records))'
}

status_has() {
	in_machine fwctl status --json | python3 -c "import json, sys; s = json.load(sys.stdin); sys.exit(not ($1))"
}

# Every file of the machine, without what the system writes by itself.
list_files() {
	in_machine find / -xdev \( -path "/srv/*" -o -path /tmp -o -path /var/tmp -o -path /var/log/journal \
		-o -path /var/lib/systemd -o -path /var/cache -o -path "/root/.cache" \) -prune -o -print | sort
	in_machine find /run /sys/fs/bpf | grep ebpf-fw || true
}

is_config_refused() {
	in_machine sh -c 'cp /etc/ebpf-fw/ebpf-fw.conf /root/conf && echo Nonsense=1 >>/etc/ebpf-fw/ebpf-fw.conf'
	fails in_machine systemctl reload ebpf-fw
}

mend_config() {
	in_machine mv /root/conf /etc/ebpf-fw/ebpf-fw.conf
	in_machine systemctl reload ebpf-fw
}

leaves_nothing() {
	diff "$work/before" <(list_files)
}

play() {
	local pid

	must "the machine boots" boot
	must "its root cgroup is not that of this host" is_root_cgroup_its_own
	list_files >"$work/before"
	must "a peer is there" add_peer
	must "without a firewall the peer's ping passes" peer_pings

	must "./setup installs and starts, without a network" setup_in_machine
	must "the service is active" is_service active
	check "both hooks are attached" status_has '{h["hook"] for h in s["hooks"]} == {"tc", "cgroup"}'
	check "./setup once more is harmless" setup_in_machine

	check "with nothing listed the ping passes" peer_pings
	check "fwctl block" in_machine fwctl block "$peer_address"
	check "the ping dies" fails peer_pings
	check "the journal has a record of the drops" wait_until 15 journal_has_drops

	pid=$(in_machine systemctl show --property=MainPID --value ebpf-fw)
	check "the daemon is killed" in_machine kill -9 "$pid"
	check "the ping stays dead" fails peer_pings
	check "systemd starts it again" wait_until 20 has_new_main_pid "$pid"
	check "the ping stays dead after that" fails peer_pings

	check "a wrong configuration is refused by reload" is_config_refused
	check "the service stays active" is_service active
	check "a right one is taken" mend_config

	check "restart" in_machine systemctl restart ebpf-fw
	check "the ping stays dead after restart" fails peer_pings
	check "stop" in_machine systemctl stop ebpf-fw
	check "the service is inactive" fails is_service active
	check "the ping stays dead after stop" fails peer_pings
	check "fwctl unblock without the daemon" in_machine fwctl unblock "$peer_address"
	check "the ping passes again" peer_pings
	check "block, for the end" in_machine fwctl block "$peer_address"
	check "start" in_machine systemctl start ebpf-fw

	check "./setup remove" setup_in_machine remove
	check "the ping passes without the firewall" peer_pings
	check "nothing is left of it" leaves_nothing
	check "lists and configuration are in the copy" in_machine sh -c "tar -tzf '$clone'/saved-*.tar.gz | grep -q manual.list"
	check "./setup remove once more is harmless" setup_in_machine remove
	tap_end
}

src=$(cd "$1" && pwd)
if [ "${2:-}" != unshared ]; then
	[ "$(id -u)" -eq 0 ] || skip_all "needs root"
	for tool in mmdebstrap systemd-nspawn; do
		command -v "$tool" >/dev/null || skip_all "$tool is not installed"
	done
	[ -n "$(find_cgroup2)" ] || skip_all "no cgroup2 hierarchy is mounted"
	unshare --mount true 2>/dev/null || skip_all "this container has no right to mount"
	exec unshare --mount --propagation private "$0" "$src" unshared
fi

work=$(mktemp -d)
cgroup=$(find_cgroup2)/ebpf-fw-test-$$
trap clean_up EXIT
trap 'exit 1' INT TERM

mount -t tmpfs -o mode=0755 tmpfs "$work"
make_tree
mkdir "$work"/{upper,overlay,root,bpf}
mount -t overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/overlay" overlay "$work/root"
mount -t bpf -o mode=0700 bpf "$work/bpf"
copy_sources "$src" "$work/root$clone"
play
