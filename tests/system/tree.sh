# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Throw-away Debian trees, made by mmdebstrap and kept between runs: the base with all that building and
# running needs, and over it a layer in which ./setup has installed these sources. Sourced after tap.sh;
# tree_enter comes first, and ends the test where there can be no tree.

release=${FW_TEST_RELEASE:-bookworm}
cache=/var/cache/ebpf-fw-test
base_packages=systemd,systemd-sysv,dbus,iproute2,iputils-ping,util-linux,udev,kmod,initramfs-tools,libcmocka-dev,wireguard-tools
clone="/srv/a clone/ebpf-fw" # a clone may be anywhere, also behind a space

copy_sources() {
	mkdir -p "$2"
	tar -C "$1" --exclude=./.git --exclude='./build*' --exclude='./saved-*' -cf - . | tar -C "$2" -xf -
}

# A tree with all that building and running needs, made once and kept as long as these needs stay the same.
# shellcheck disable=SC2016 # mmdebstrap's shell gets the tree as $1
make_tree() {
	local needs partial

	needs=$({ echo "$base_packages"; sed -n '/^build_needs="$/,/^"$/p' "$src/setup"; } | sha256sum | cut -c1-12)
	tree=$cache/$release-$needs
	[ ! -d "$tree" ] || return 0

	partial=$tree.$$
	mkdir -p "$cache"
	copy_sources "$src" "$work/sources"
	if ! mmdebstrap --quiet --variant=minbase --include="$base_packages" \
		--aptopt='APT::Install-Recommends "false"' \
		--customize-hook='mkdir -p "$1/srv/ebpf-fw"' \
		--customize-hook="tar -C '$work/sources' -cf - . | tar -C \"\$1/srv/ebpf-fw\" -xf -" \
		--customize-hook='chroot "$1" /srv/ebpf-fw/setup packages --build' \
		--customize-hook='rm -rf "$1/srv/ebpf-fw"' \
		"$release" "$partial" >"$work/tree.log" 2>&1; then
		tail -n 20 "$work/tree.log" | sed 's/^/# /'
		rm -rf "$partial"
		skip_all "mmdebstrap cannot make a tree of $release here"
	fi
	mv -T "$partial" "$tree" 2>/dev/null || rm -rf "$partial" # another test was faster
}

# Mounts a tree at $1: the layers of the other arguments, the uppermost first; what is written goes to memory.
mount_layers() {
	local where=$1 IFS=:
	shift

	mkdir -p "$where" "$where.upper" "$where.work"
	mount -t overlay -o "lowerdir=$*,upperdir=$where.upper,workdir=$where.work" overlay "$where"
}

# Runs a command in a tree, as far as building needs it: nothing can be started in there.
in_tree() {
	local root=$1
	shift

	unshare --net --mount --propagation private sh -c 'mount -t proc proc "$1/proc"; exec chroot "$@"' \
		sh "$root" "$@"
}

build_installed() {
	copy_sources "$src" "$work/install$clone"
	in_tree "$work/install" "$clone/setup" --no-start &&
		in_tree "$work/install" meson setup --prefix=/usr --sysconfdir=/etc --localstatedir=/var \
			"$clone/build-tests" "$clone" &&
		in_tree "$work/install" ninja -C "$clone/build-tests" tests/netns/traffic tests/system/cost
}

# The layer in which these sources are installed by ./setup, with the programs that tests need in build-tests.
# Built anew for other sources; the one of the sources before is then of no use to anybody.
make_installed() {
	local sources

	sources=$(tar -C "$src" --exclude=./.git --exclude='./build*' --exclude='./saved-*' --sort=name \
		--mtime=@0 --owner=0 --group=0 -cf - . | sha256sum | cut -c1-12)
	installed=$tree+$sources
	[ ! -d "$installed" ] || return 0

	mount_layers "$work/install" "$tree"
	if ! build_installed >"$work/install.log" 2>&1; then
		tail -n 40 "$work/install.log" | sed 's/^/# /'
		bail_out "the sources cannot be installed in a tree of $release"
	fi
	umount "$work/install"
	find "$cache" -mindepth 1 -maxdepth 1 -name "*+*" -mmin +1440 -exec rm -rf {} +
	cp -a "$work/install.upper" "$installed.$$"
	mv -T "$installed.$$" "$installed" 2>/dev/null || rm -rf "$installed.$$" # another test was faster
}

# Takes the script's arguments: runs it once more in a mount namespace of its own, with memory at $work and
# the tree made. Tools the test needs beside mmdebstrap come first, before "--".
tree_enter() {
	local tool tools=(mmdebstrap)

	while [ "$1" != -- ]; do
		tools+=("$1")
		shift
	done
	shift
	src=$(cd "$1" && pwd)
	if [ -z "${FW_TEST_UNSHARED:-}" ]; then
		[ "$(id -u)" -eq 0 ] || skip_all "needs root"
		for tool in "${tools[@]}"; do
			command -v "$tool" >/dev/null || skip_all "$tool is not installed"
		done
		unshare --mount true 2>/dev/null || skip_all "this container has no right to mount"
		FW_TEST_UNSHARED=yes exec unshare --mount --propagation private "$0" "$@"
	fi

	work=$(mktemp -d)
	trap tree_leave EXIT
	trap 'exit 1' INT TERM
	mount -t tmpfs -o mode=0755 tmpfs "$work"
	make_tree
}

tree_leave() {
	umount -R "$work" 2>/dev/null || true
	rm -rf "$work"
}
