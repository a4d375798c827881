# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A whole machine in QEMU, by software alone: nested virtualisation is nothing to rely on. Its disk is made of a tree, with
# the modules of a kernel in it, and a unit that runs one phase of the scenario at each boot. That one reports
# through the second serial port. Sourced after tap.sh, tree.sh and kernel.sh.

disk_size=3G
boot_seconds=1800 # a boot with its phase takes one or two minutes where nothing else runs
boot_attempts=5

# The part of an initramfs that finds the disk. Made by the tree's own tools, kept with the kernel.
make_initrd() { # ROOT VERSION
	initrd=$kernel/initrd-${tree##*/}
	[ ! -e "$initrd" ] || return 0
	cp -a "$1/etc/initramfs-tools" "$1/tmp/initramfs"
	printf '%s\n' virtio_pci virtio_blk ext4 >"$1/tmp/initramfs/modules"
	printf '%s\n' MODULES=list COMPRESS=gzip >"$1/tmp/initramfs/conf.d/small"
	in_tree "$1" mkinitramfs -d /tmp/initramfs -o /tmp/initrd "$2" && [ -s "$1/tmp/initrd" ] || return 1
	cp "$1/tmp/initrd" "$initrd.$$" && mv "$initrd.$$" "$initrd"
	rm -rf "$1"/tmp/init{ramfs,rd}
}

# What the unit runs: the phase and what comes after it are on the kernel's command line.
install_scenario() { # ROOT
	cat >"$1/srv/run-phase" <<-END
		#!/bin/bash
		[[ \$(cat /proc/cmdline) =~ fw.phase=([a-z-]+).*fw.end=([a-z-]+) ]]
		"$clone/tests/system/scenario.sh" "\${BASH_REMATCH[1]}" >/dev/ttyS1 2>&1
		case \${BASH_REMATCH[2]} in
		power-cut) echo b >/proc/sysrq-trigger ;;
		*) systemctl --no-block reboot ;;
		esac
	END
	chmod +x "$1/srv/run-phase"
	cat >"$1/etc/systemd/system/fw-scenario.service" <<-END
		[Unit]
		ConditionKernelCommandLine=fw.phase
		After=network.target
		[Service]
		Type=oneshot
		ExecStart=/srv/run-phase
		[Install]
		WantedBy=multi-user.target
	END
	in_tree "$1" systemctl enable fw-scenario
}

# Sets $disk and $initrd; the kernel is that of kernel_get.
make_disk() {
	local root=$work/root version

	version=$(kernel_release "$kernel")
	mount_layers "$root" "$installed" "$tree"
	mkdir -p "$root/lib/modules/$version" "$root/boot"
	mount --bind "$kernel/$version" "$root/lib/modules/$version"
	[ ! -e "$kernel/config" ] || cp "$kernel/config" "$root/boot/config-$version"
	[ -e "$kernel/$version/modules.dep" ] || in_tree "$root" depmod "$version"
	make_initrd "$root" "$version" || return 1
	install_scenario "$root"
	echo "/dev/vda / ext4 defaults 0 1" >"$root/etc/fstab"
	tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id" # else systemd enables all there is
	mke2fs -q -t ext4 -d "$root" -E lazy_itable_init=0 "$disk" $disk_size
}

make_machine() {
	disk=$(mktemp -p "${TMPDIR:-/var/tmp}" ebpf-fw-disk.XXXXXX)
	emulator_pid=
	trap 'kill $emulator_pid 2>/dev/null || true; rm -f "$disk"; tree_leave' EXIT
	if ! make_disk >"$work/disk.log" 2>&1; then
		sed 's/^/# /' "$work/disk.log"
		bail_out "cannot make the disk"
	fi
	umount -R "$work/root"
}

# Without cx16: QEMU 7.2 returns from cmpxchg16b with flags that are none, of which 6.12 dies sooner or later.
start_emulator() { # PHASE END
	: >"$work/results"
	timeout $boot_seconds qemu-system-x86_64 -accel tcg,thread=single -cpu max,-la57,-cx16 -smp 1,maxcpus=2 -m 2048 \
		-display none -monitor none -no-reboot -nic user,model=virtio-net-pci,restrict=on \
		-drive "file=$disk,format=raw,if=virtio,cache=unsafe" -kernel "$kernel/vmlinuz" -initrd "$initrd" \
		-append "root=/dev/vda rw console=ttyS0 loglevel=5 panic=-1 net.ifnames=0 fw.phase=$1 fw.end=$2" \
		-serial "file:$work/console" -serial "file:$work/results" </dev/null >"$work/emulator.log" 2>&1 &
	emulator_pid=$!
}

# Some kernels die under emulation before systemd greets; that, and only that, is tried again.
has_died_at_start() {
	[ ! -s "$work/results" ] && grep -q 'Kernel panic.* in interrupt' "$work/console" && ! grep -q 'Welcome to' "$work/console"
}

# Boots once, to the end of the phase; what it reports becomes part of our report.
boot() { # PHASE END
	local attempt

	for ((attempt = 1; attempt <= boot_attempts; attempt++)); do
		start_emulator "$@"
		relay "$1" < <(tail --pid=$emulator_pid -n +1 -f "$work/results" | tr -d '\r')
		wait "$emulator_pid" || true
		if ! has_died_at_start; then
			break
		fi
		echo "# $1: the kernel died before systemd began, attempt $attempt of $boot_attempts"
		grep -E 'RIP:|BUG:|Oops|Kernel panic' "$work/console" | tr -d '\r' | sed 's/^/# console: /'
	done
	check "$1: the phase ended" test "$relay_has_ended" = yes
	[ "$relay_has_failed" = no ] || show_console
}

show_console() {
	cat "$work/emulator.log"
	tail -n 60 "$work/console" | tr -d '\r' | sed 's/^/# console: /'
}
