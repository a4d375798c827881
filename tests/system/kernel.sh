# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel of a Debian suite, as its archive has it now: downloaded once in a month, kept in the cache of
# trees. Sourced after tree.sh.

kernel_package=linux-image-cloud-amd64 # smaller than linux-image-amd64, with all that a firewall meets
kernel_archives="http://deb.debian.org/debian http://archive.debian.org/debian" # old suites move to the second
kernel_keeps_days=30

kernel_apt() { # apt-get or apt-cache, with ARGUMENTS..., on package lists of its own
	local tool=$1 apt=$work/apt
	shift

	"$tool" -q -o Dir::Etc::SourceList="$apt/sources" -o Dir::Etc::SourceParts=- -o Dir::State="$apt/state" \
		-o Dir::State::status="$apt/status" -o Dir::Cache="$apt/cache" -o APT::Sandbox::User=root \
		-o APT::Architecture=amd64 -o APT::Architectures::=amd64 -o Acquire::Languages=none \
		-o Acquire::Check-Valid-Until=false "$@"
}

# The metapackage leads to the package of a version, and that one in later suites to its parts.
kernel_packages() {
	kernel_apt apt-cache depends --recurse --important --no-pre-depends $kernel_package |
		grep -Ex 'linux-(image|base|binary|modules)-[0-9][^ ]*' | sort -u
}

# Into $1: vmlinuz, and VERSION with its modules.
kernel_download() { # DIRECTORY SUITE ARCHIVE
	local packages package kernel_file

	mkdir -p "$work/apt/"{state/lists/partial,cache/archives/partial,debs} "$1"
	: >"$work/apt/status"
	# the keys of the tree know all suites that are not newer than its archive's present state
	echo "deb [signed-by=$tree/usr/share/keyrings/debian-archive-keyring.gpg] $3 $2 main" >"$work/apt/sources"
	kernel_apt apt-get update && packages=$(kernel_packages) && [ -n "$packages" ] || return 1
	for package in $packages; do
		(cd "$work/apt/debs" && kernel_apt apt-get download "$package") || return 1
	done
	for package in "$work"/apt/debs/*.deb; do
		dpkg-deb -x "$package" "$1/unpacked" || return 1
	done
	for kernel_file in vmlinuz config; do # in /boot, in later suites beside the modules
		find "$1/unpacked" -type f \( -name $kernel_file -o -name "$kernel_file-*" \) -exec cp {} "$1/$kernel_file" \;
	done
	mv "$1"/unpacked/{,usr/}lib/modules/* "$1" 2>/dev/null
	rm -rf "$1/unpacked" "$work/apt"
	[ -e "$1/vmlinuz" ] && kernel_release "$1" >/dev/null
}

kernel_release() { # DIRECTORY
	(cd "$1" && set -- */kernel && [ -d "$1" ] && echo "${1%/kernel}")
}

# Sets $kernel to the directory of the kernel of SUITE. Where the archive cannot be reached an old one does.
kernel_get() { # SUITE
	local archive partial

	kernel=$cache/kernel-$1
	[ -z "$(find "$kernel" -maxdepth 0 -mtime -$kernel_keeps_days 2>/dev/null)" ] || return 0
	partial=$kernel.$$
	for archive in $kernel_archives; do
		if kernel_download "$partial" "$1" "$archive" >"$work/kernel.log" 2>&1; then
			rm -rf "$kernel"
			mv "$partial" "$kernel"
			return 0
		fi
		sed 's/^/# /' "$work/kernel.log" | tail -n 5
		rm -rf "$partial" "$work/apt"
	done
	[ -d "$kernel" ] || skip_all "no kernel of $1 can be downloaded here"
}
