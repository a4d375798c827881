# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A throw-away Debian under systemd-nspawn, for the tests of what is installed. It has its own network
# without an exit, its own bpffs and its own root cgroup; the latter is checked before anything is started
# in it. Sourced after tap.sh; machine_enter comes first, and ends the test where there can be no machine.

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
	tree=/var/cache/ebpf-fw-test/$release-$needs
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
		tail -n 20 "$work/tree.log" | sed 's/^/# /'
		rm -rf "$partial"
		skip_all "mmdebstrap cannot make a tree of $release here"
	fi
	mv "$partial" "$tree"
}

# Takes the script's arguments: runs it once more in a mount namespace of its own, and there makes the tree
# with the sources in $clone. What is written goes to memory.
machine_enter() {
	local tool

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
	trap machine_remove EXIT
	trap 'exit 1' INT TERM

	mkdir -p /run/systemd/nspawn
	mount -t tmpfs tmpfs /run/systemd/nspawn # locks and directories that nspawn leaves behind when killed
	mount -t tmpfs -o mode=0755 tmpfs "$work"
	make_tree
	mkdir "$work"/{upper,overlay,root,bpf}
	mount -t overlay -o "lowerdir=$tree,upperdir=$work/upper,workdir=$work/overlay" overlay "$work/root"
	mount -t bpf -o mode=0700 bpf "$work/bpf"
	copy_sources "$src" "$work/root$clone"
}

is_cgroup_empty() {
	grep -q '^populated 0' "$cgroup/cgroup.events"
}

machine_remove() {
	if [ -d "$cgroup" ]; then
		echo 1 >"$cgroup/cgroup.kill"
		wait "${nspawn_pid:-}" 2>/dev/null || true
		wait_until 10 is_cgroup_empty || true
		find "$cgroup" -depth -type d -exec rmdir {} \;
	fi
	umount -R "$work" 2>/dev/null || true
	rm -rf "$work"
}

# The first process of the machine is the child of nspawn that has pid 1 in there.
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

# Starts the machine; the arguments are nspawn's, and end with what is to run in there.
machine_start() {
	mkdir "$cgroup"
	(
		echo "$BASHPID" >"$cgroup/cgroup.procs"
		export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
		exec systemd-nspawn --quiet --register=no --keep-unit --private-network --capability=all \
			--system-call-filter=bpf --machine="fw-$$" --directory="$work/root" \
			--bind="$work/bpf:/sys/fs/bpf" --link-journal=no --console=pipe "$@"
	) </dev/null >"$work/console.log" 2>&1 &
	nspawn_pid=$!
	wait_until 20 has_leader
}

# Runs a command in the namespaces of the machine, and in its root cgroup; status and output are ours.
in_machine() {
	(
		echo "$BASHPID" >"$cgroup/payload/${machine_cgroup:-}/cgroup.procs"
		exec nsenter --target "$leader" --all -- "$@" </dev/null
	)
}

# The cgroup hook of the machine must not reach ours: its "/" has to be a cgroup below the test's own.
is_root_cgroup_its_own() {
	local inode

	inode=$(nsenter --target "$leader" --all -- stat -c %i /sys/fs/cgroup)
	[ "$inode" != "$(stat -c %i "$(find_cgroup2)")" ] && [ "$inode" = "$(stat -c %i "$cgroup/payload")" ]
}

setup_in_machine() {
	in_machine "$clone/setup" "$@"
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

# Every file of the machine, without what the system writes by itself.
list_files() {
	in_machine find / -xdev \( -path "/srv/*" -o -path /tmp -o -path /var/tmp -o -path /var/log/journal \
		-o -path /var/lib/systemd -o -path /var/cache -o -path "/root/.cache" \) -prune -o -print | sort
	in_machine find /run /sys/fs/bpf | grep ebpf-fw || true
}

remember_files() {
	list_files >"$work/before"
}

leaves_nothing() {
	diff "$work/before" <(list_files)
}

has_saved_lists() {
	in_machine sh -c "tar -tzf '$clone'/saved-*.tar.gz | grep -q manual.list"
}
