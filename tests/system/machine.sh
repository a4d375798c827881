# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A throw-away Debian under systemd-nspawn, for the tests of what is installed. It has its own network
# without an exit, its own bpffs and its own root cgroup; the latter is checked before anything is started
# in it. Sourced after tap.sh and tree.sh; machine_enter comes first, and ends the test where there can be
# no machine.

host_address=192.0.2.1
peer_address=192.0.2.2

# Prints the mount point of the cgroup2 hierarchy.
find_cgroup2() {
	awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "cgroup2") { print $5; exit } }' /proc/self/mountinfo
}

# Takes the script's arguments. Where "installed" comes before them, ./setup has been run in the machine;
# else its sources are in $clone.
machine_enter() {
	local is_installed=no layers

	if [ "$1" = installed ]; then
		is_installed=yes
		shift
	fi
	[ -n "$(find_cgroup2)" ] || skip_all "no cgroup2 hierarchy is mounted"
	tree_enter systemd-nspawn -- "$@"
	layers=("$tree")
	if [ $is_installed = yes ]; then
		make_installed
		layers=("$installed" "$tree")
	fi
	cgroup=$(find_cgroup2)/ebpf-fw-test-$$
	trap 'machine_stop; tree_leave' EXIT

	mkdir -p /run/systemd/nspawn
	mount -t tmpfs tmpfs /run/systemd/nspawn # locks and directories that nspawn leaves behind when killed
	mount_layers "$work/root" "${layers[@]}"
	mkdir "$work/bpf"
	[ $is_installed = yes ] || copy_sources "$src" "$work/root$clone"
}

is_cgroup_empty() {
	grep -q '^populated 0' "$cgroup/cgroup.events"
}

# As if the power were cut: no process of it has a say. What it pinned goes with its bpffs.
machine_stop() {
	[ -d "$cgroup" ] || return 0
	echo 1 >"$cgroup/cgroup.kill"
	wait "${nspawn_pid:-}" 2>/dev/null || true
	wait_until 10 is_cgroup_empty || true
	find "$cgroup" -depth -type d -exec rmdir {} \;
	umount "$work/bpf"
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
	mount -t bpf -o mode=0700 bpf "$work/bpf"
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

has_booted() {
	nsenter --target "$leader" --all -- systemctl is-active --quiet multi-user.target 2>/dev/null
}

machine_boot() {
	machine_start --boot systemd.unit=multi-user.target && wait_until 60 has_booted
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
