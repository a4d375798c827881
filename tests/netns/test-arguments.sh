#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 17 and 18: what no firewall should take for an address, and what nobody should block in passing.
. "${0%/*}/lib.sh"

start_with
fwctl block 203.0.113.0/24 >/dev/null
all=$(fwctl show --json)

# Bad input is 2, a guarded target 1. Exit status, one line on stderr without control characters, nothing changed.
refuses() { # STATUS NAME ARGUMENT...
	local status=$1 name=$2 n_lines
	shift 2
	fwctl block "$@" >/dev/null 2>"$T/stderr"
	same "$name: exit status" "$status" $?
	n_lines=$(wc -l <"$T/stderr")
	same "$name: one line" 1 "$n_lines"
	check "$name: escaped" refuse grep -q '[[:cntrl:]]' "$T/stderr"
	check "$name: short" test "$(wc -c <"$T/stderr")" -lt 600
	same "$name: nothing changed" "$all" "$(fwctl show --json)"
}

refuses 2 "prefix too long, IPv4" 192.0.2.1/33
refuses 2 "prefix too long, IPv6" ::1/129
refuses 2 "negative prefix" 192.0.2.1/-1
refuses 2 "hexadecimal" 0xc0.0.2.1
refuses 2 "three parts" 192.0.2
refuses 2 "octal" 0300.0.2.1
refuses 2 "leading zero" 192.0.02.1
refuses 2 "one number" 3221225985
refuses 2 "a name" localhost
refuses 2 "empty" ""
refuses 2 "space" " 192.0.2.1"
refuses 2 "zone" fe80::1%eth0
refuses 2 "newline" $'192.0.2.1\n198.51.100.0/24'
refuses 2 "escape" $'\e[31m192.0.2.1'
refuses 2 "delete" $'192.0.2.1\x7f'
refuses 2 "not UTF-8" $'\xff\xfe'
refuses 2 "a megabyte in small" "$(printf '%0100000d' 1)"
refuses 2 "port out of range" tcp/65536
refuses 2 "port backwards" tcp/90-80
refuses 2 "unknown protocol" icmp/8
refuses 2 "range backwards" 192.0.2.9-192.0.2.1
refuses 2 "range over families" 192.0.2.1-2001:db8::1
refuses 2 "good and bad together" 198.51.100.77 198.51.100.78/99
refuses 2 "nothing behind --" --

refuses 1 "loopback" 127.0.0.1
refuses 1 "loopback within" 127.0.0.0/8
refuses 1 "loopback, IPv6" ::1
refuses 1 "our own address" $HOST4
refuses 1 "our own address in a prefix" 192.0.2.0/24
refuses 1 "our own address, IPv6" $HOST6
refuses 1 "everything" 0.0.0.0/0
refuses 1 "everything, IPv6" ::/0
refuses 1 "half of everything" 128.0.0.0/1
refuses 1 "a /7" 198.0.0.0/7
ip route add default via $GOOD4
refuses 1 "the default gateway" $GOOD4
ip route del default

# However a default route is made of.
gateway_by() { # NAME GATEWAY ROUTE...
	local name=$1 gateway=$2
	shift 2
	ip route add "$@" || die "cannot add the route: $*"
	refuses 1 "the gateway of $name" "$gateway"
	ip route del "$@"
}
gateway_by "half of all addresses" $GOOD4 0.0.0.0/1 via $GOOD4
gateway_by "the other half" $GOOD4 128.0.0.0/1 via $GOOD4
gateway_by "another table" $GOOD4 default via $GOOD4 table 77
gateway_by "an IPv4 route over IPv6" $GOOD6 0.0.0.0/0 via inet6 $GOOD6 dev h0
gateway_by "one leg of several" $GOOD4 default nexthop via $MARK dev h0 nexthop via $GOOD4 dev h0
gateway_by "all of IPv6 that is in use" $GOOD6 2000::/3 via $GOOD6
echo 0 >/proc/sys/net/ipv4/nexthop_compat_mode # routes tell the number of the object alone
ip nexthop add id 7 via $GOOD4 dev h0
gateway_by "a nexthop object" $GOOD4 default nhid 7
ip nexthop add id 8 via $GOOD6 dev h0
ip nexthop add id 9 group 7/8
gateway_by "a group of nexthop objects" $GOOD6 default nhid 9
ip nexthop del id 7
ip nexthop del id 8
echo 1 >/proc/sys/net/ipv4/nexthop_compat_mode
ip route add 224.0.0.0/4 via $GOOD4
check "a multicast route has no default gateway" quietly fwctl block $GOOD4
fwctl unblock $GOOD4 >/dev/null
ip route del 224.0.0.0/4

check "a guarded target with --force" quietly fwctl block $HOST4 --force
check "is there" quietly fwctl check $HOST4 --in
check "and goes" quietly fwctl unblock $HOST4
check "host bits are masked" quietly fwctl block 198.51.100.130/25
same "to the prefix" 198.51.100.128/25 \
	"$(fwctl show --json | json "[e['target'] for e in d['entries'] if e['target'].startswith('198')][0]")"
check "blocking twice is done" quietly fwctl block 198.51.100.128/25
check "unblocking what is absent is done" quietly fwctl unblock 203.0.113.99
fwctl unblock 203.0.113.99 --strict 2>/dev/null
same "but not with --strict" 1 $?
fwctl check 198.51.100.200 >/dev/null
same "check: dropped" 0 $?
fwctl check 192.0.2.77 >/dev/null
same "check: passes" 1 $?
fwctl no-such-verb 2>/dev/null
same "an unknown verb" 2 $?

"$FWCTL" block 198.18.0.50 --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/misspelt/run" 2>"$T/stderr"
same "a run directory without a parent" 1 $?
check "is named" grep -q "misspelt/run.*--run-dir" "$T/stderr"
"$FWCTL" block 198.18.0.50 --pin-dir "$PINS" --state-dir "$T/misspelt/state" --run-dir "$T/run" 2>"$T/stderr"
same "a state directory without a parent" 1 $?
check "is named, too" grep -q "misspelt/state" "$T/stderr"
check "neither is made" test ! -e "$T/misspelt"
check "and nothing was changed" refuse quietly fwctl check 198.18.0.50

# The person at the keyboard, wherever sudo has left the environment.
all=$(fwctl show --json)
SSH="198.18.7.7 50022 $HOST4 2222"
at_ssh() { # ARGUMENT... of refuses, as from an SSH session
	export SSH_CONNECTION=$SSH
	refuses "$@"
	unset SSH_CONNECTION
}
at_ssh 1 "the peer of this SSH session" 198.18.7.7
check "it is named" grep -q "198.18.7.7, the peer of this SSH session" "$T/stderr"
at_ssh 1 "a prefix with the peer" 198.18.0.0/16
at_ssh 1 "a range with the peer" 198.18.7.0-198.18.8.255
at_ssh 1 "the port of the SSH server" tcp/2222
at_ssh 1 "a range with the port of the SSH server" tcp/2000-3000
at_ssh 1 "the port of the client, outwards" tcp/50022 --out
SSH="2001:db8:7::7 50022 $HOST6 2222"
at_ssh 1 "the peer over IPv6" 2001:db8:7::7
at_ssh 1 "a prefix with the peer, IPv6" 2001:db8:7::/48
SSH="fe80::7%h0 50022 fe80::1%h0 22"
at_ssh 1 "a link-local peer" fe80::7
export SSH_CONNECTION="198.18.7.7 50022 $HOST4 2222"
bash -c 'env -i "$@"; exit $?' sudo "$FWCTL" block 198.18.7.7 --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" \
	2>"$T/stderr"
same "a cleared environment: an ancestor's tells" 1 $?
echo 198.18.7.7 >"$T/list"
echo 198.18.7.8 >>"$T/list"
check "in a loaded file the peer is left out" quietly fwctl load ssh "$T/list"
same "and the rest is loaded" 1 "$(n_entries ssh)"
check "with --force it is blocked" quietly fwctl block 198.18.7.7 --force
unset SSH_CONNECTION
all=$(fwctl show --json)
for words in "x" "a b c d" "198.18.7.7" "198.18.7.7 99999 x y" "$(printf '%070000d' 7) 1 2 3"; do
	SSH=$words at_ssh 2 "words of no sshd (${words:0:12})" 192.0.2.1/33
done

# What cuts the peer off is refused, whatever the command: the result counts. What cuts nobody off is not.
PEER=198.18.7.7
export SSH_CONNECTION="$PEER 50022 $HOST4 2222"
quietly fwctl unblock $PEER
quietly fwctl allow $PEER
check "a peer that an exception covers: a block of its network cuts nobody off" quietly fwctl block 198.18.0.0/16 -l wide
check "a peer that an exception covers: neither does one of its port" quietly fwctl block tcp/2222
cuts() { # NAME ARGUMENT...: is refused, naming the peer, and changes nothing; with --force it is done, and then undone
	local before

	before=$(fwctl export)
	fails_saying 1 "$1" "refusing .*$PEER, the peer of this SSH session, on ingress; --force" "${@:2}"
	same "$1: nothing changed" "$before" "$(fwctl export)"
	check "$1: the peer passes" refuse quietly fwctl check $PEER tcp/2222 --in
	check "$1: with --force it is done" quietly fwctl "${@:2}" --force
	check "$1: with --force the peer is cut off" quietly fwctl check $PEER tcp/2222 --in
}
again() { # COMMAND...: as it was, for the next
	quietly fwctl "$@" || note "cannot undo: $*"
}
cuts "unallow of the peer" unallow $PEER
again allow $PEER
cuts "unallow of the peer in all lists" unallow $PEER --all-lists
again allow $PEER
cuts "an exception that is for packets out only" allow $PEER --out
again allow $PEER
cuts "flush of the exceptions" flush allow
again allow $PEER
cuts "exceptions disabled" list disable allow
again list enable allow
fwctl list add friends action=allow >/dev/null
quietly fwctl allow $PEER/32 -l friends
check "another exception covers the peer: unallow" quietly fwctl unallow $PEER
cuts "a list of exceptions removed" list del friends
fwctl list add friends action=allow >/dev/null
quietly fwctl allow $PEER 198.18.8.1 198.18.8.2 -l friends
printf '198.18.8.1\n198.18.8.2\n' >"$T/list"
cuts "a list of exceptions loaded without the peer" load friends "$T/list"
quietly fwctl allow $PEER -l friends
printf '#!ebpf-fw list=friends action=allow\n198.18.8.1\n' >"$T/imported"
cuts "a list of exceptions imported without the peer" import "$T/imported"
quietly fwctl allow $PEER -l friends
printf 'unallow %s -l friends\nallow 198.18.8.9\n' $PEER >"$T/batch"
fails 6 "unallow of the peer in a batch" batch "$T/batch"
check "unallow of the peer in a batch: named" grep -q "batch:1: .*$PEER, the peer of this SSH session" "$T/stderr"
check "unallow of the peer in a batch: the peer passes" refuse quietly fwctl check $PEER tcp/2222 --in
check "unallow of another" quietly fwctl unallow 198.18.8.9

quietly fwctl unblock tcp/2222
quietly fwctl flush wide
quietly fwctl unallow $PEER -l friends
quietly fwctl allow $PEER --for 1h
fails_saying 1 "a block that outlasts the exception" "refusing to block.*$PEER, the peer of" block $PEER -l wide
fails_saying 1 "one with an end" "refusing to block.*$PEER, the peer of" block $PEER -l wide --for 2h
check "a block that ends before the exception cuts nobody off" quietly fwctl block $PEER -l wide --for 10m
quietly fwctl unblock $PEER -l wide
quietly fwctl allow $PEER
quietly fwctl block 198.18.0.0/16 -l wide
fails_saying 1 "an end for the exception" "refusing to allow.*would then cut off $PEER, the peer of" allow $PEER --for 1h
check "a list that audits cuts nobody off" quietly fwctl list set wide mode=audit
check "then the exception is not needed" quietly fwctl list del friends
quietly fwctl unallow $PEER
check "nor does a block into it" quietly fwctl block $PEER -l wide
cuts "mode=enforce" list set wide mode=enforce
again list set wide mode=audit
again list disable wide
check "a disabled list may enforce" quietly fwctl list set wide mode=enforce
check "and be blocked into" quietly fwctl block 198.18.7.0/24 -l wide
cuts "a list enabled" list enable wide
again list disable wide
printf '#!ebpf-fw list=other action=block\ntcp/2222\n' >"$T/imported"
check "an imported list that blocks leaves the port out" quietly fwctl import "$T/imported"
check "and the peer passes" refuse quietly fwctl check $PEER tcp/2222 --in
again list del other
check "a list disabled" quietly fwctl list del wide
unset SSH_CONNECTION
fwctl flush allow >/dev/null

# What a host needs to be on a network at all, and the servers that it relies on.
all=$(fwctl show --json)
refuses 1 "multicast, on the link" ff02::/16
refuses 1 "multicast for neighbour discovery" ff02::1:ff00:0/104
refuses 1 "one group of it" ff02::1
refuses 1 "multicast" 224.0.0.0/4
refuses 1 "the network of link-local addresses" fe80::/64
refuses 1 "no address" ::
refuses 1 "DHCP" 0.0.0.0
refuses 1 "broadcast" 255.255.255.255
refuses 1 "the metadata of clouds" 169.254.169.254
refuses 1 "the metadata of clouds in a network" 169.254.0.0/16
check "it says what it is" grep -q "169.254.169.254, the metadata service of clouds" "$T/stderr"
check "a link-local neighbour can be blocked" quietly fwctl block fe80::1234
quietly fwctl unblock fe80::1234
printf 'nameserver 198.18.53.1\nnameserver 2001:db8:53::1%%h0\n#nameserver 198.18.53.2\n' >"$T/resolv"
touch /etc/resolv.conf
mount --bind "$T/resolv" /etc/resolv.conf || die "cannot mount another /etc/resolv.conf"
refuses 1 "a name server" 198.18.53.1
check "it is named" grep -q "198.18.53.1, a name server of this host" "$T/stderr"
refuses 1 "a name server with a zone" 2001:db8:53::/48
mkdir -p /run/systemd/netif/leases /run/chrony-dhcp
printf 'ADDRESS=198.18.54.9\nSERVER_ADDRESS=198.18.54.1\nNTP=198.18.54.2 198.18.54.3\n' >/run/systemd/netif/leases/2
echo "server 198.18.54.4 iburst" >/run/chrony-dhcp/h0.sources
refuses 1 "the DHCP server" 198.18.54.1
refuses 1 "a time server of the lease" 198.18.54.3
refuses 1 "a time server of chrony" 198.18.54.4
python3 -c "import signal, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(('$GOOD4', 123))
print(flush=True)
signal.pause()" >"$T/connected" &
wait_for test -s "$T/connected"
refuses 1 "a time server that is in use" $GOOD4
kill $!
check "another" quietly fwctl block 198.18.53.2
same "none of them is loaded" "loaded list 'servers': +1 -0 =1" \
	"$(printf '%s\n' 198.18.53.1 198.18.54.1 198.18.54.2 198.18.54.4 198.18.54.9 | fwctl load servers - 2>/dev/null)"
quietly fwctl block 198.18.53.1 --force
check "doctor names what is cut off" grep -Eq "^problem +lockout +198.18.53.1, a name server of this host, is cut off" \
	<<<"$(fwctl doctor)"
quietly fwctl unblock 198.18.53.1
quietly fwctl block ff02::/16 --force
check "doctor names multicast" grep -Eq "^problem +lockout +ff02::1.*neighbour discovery, is cut off" <<<"$(fwctl doctor)"
quietly fwctl unblock ff02::/16
quietly fwctl list del servers

# Peers of sshd, whatever asks, once they have logged in. A process is sshd by its title.
PYTHON=$(python3 -c "import sys; print(sys.executable)") # python3 may be a script, which has a title of its own
cat >"$T/sshd.py" <<'END'
import os, socket, sys
address, port, done, child = sys.argv[1:]
done = open(done, "w")
s = socket.create_server((address, int(port)))
c, _ = s.accept()
if child == "-":
    os.setuid(65534)
elif child and os.fork() == 0:
    os.set_inheritable(c.fileno(), True)
    os.set_inheritable(done.fileno(), True)
    os.execv(os.readlink("/proc/self/exe"), [child, "-c", f"""import os, socket
os.setuid(65534)
os.write({done.fileno()}, b"accepted")
socket.socket(fileno={c.fileno()}).recv(1)"""])
if len(child) < 2:
    done.write("accepted")
done.close()
c.recv(1)
END
sshd_at() { # PORT TITLE [TITLE of a child that is not root and has the connection, or "-" for none]: accepts one from GOOD
	rm -f "$T/accepted"
	bash -c 'exec -a "$0" "$@"' "$2" "$PYTHON" "$T/sshd.py" "$HOST4" "$1" "$T/accepted" "${3-}" &
	SSHD=$!
	peer_begin python3 -c "import socket, time
for i in range(200):
    try:
        s = socket.create_connection(('$HOST4', $1), source_address=('$GOOD4', 0))
        break
    except OSError:
        time.sleep(0.05)
s.recv(1)"
	CLIENT=$!
	wait_for test -s "$T/accepted"
}
sshd_end() {
	kill $SSHD $CLIENT 2>/dev/null
	wait $SSHD $CLIENT 2>/dev/null
}
all=$(fwctl show --json)
sshd_at 2299 "sshd: joe@notty"
refuses 1 "the peer of a session of somebody else" $GOOD4
check "it is named" grep -q "$GOOD4, the peer of an SSH session to this host" "$T/stderr"
refuses 1 "the port of the session of somebody else" tcp/2299
sshd_end
sshd_at 2299 "sshd: joe [net]"
check "who has not logged in can be blocked" quietly fwctl block $GOOD4
quietly fwctl unblock $GOOD4
sshd_end
sshd_at 2299 "sshd: joe"
refuses 1 "the peer of a session without a command" $GOOD4
sshd_end
sshd_at 2299 "sshd: joe [priv]" "sshd: joe"
refuses 1 "the peer of a session of sshd that runs as its user" $GOOD4
sshd_end
sshd_at 2299 "sshd: joe@pts/0" -
check "a process that is not root's and calls itself sshd stops no block" quietly fwctl block $GOOD4
quietly fwctl unblock $GOOD4
sshd_end
# While there is a real one: a user's program of that name at its port, and its own program run by a user at another.
bash -c 'exec -a "$0" "$@"' "sshd: /usr/sbin/sshd -D [listener]" "$PYTHON" -c "import time; time.sleep(1000)" &
LISTENER=$!
wait_for grep -aq "^sshd: " /proc/$LISTENER/cmdline
sshd_at 2299 "sshd: joe@pts/0" -
check "the program of sshd, run by a user at a port of his own, stops no block" quietly fwctl block $GOOD4
quietly fwctl unblock $GOOD4
sshd_end
sshd_at 22 "sshd: joe@pts/0" -
refuses 1 "the program of sshd, run by a user at its port, is a session" $GOOD4
sshd_end
cp "$PYTHON" "$T/python"
PYTHONHOME=$(python3 -c "import sys; print(sys.base_prefix)")
export PYTHONHOME
PYTHON=$T/python sshd_at 22 "sshd: joe@pts/0" -
check "another program of a user that calls itself sshd stops no block" quietly fwctl block $GOOD4
quietly fwctl unblock $GOOD4
sshd_end
unset PYTHONHOME
kill $LISTENER
wait $LISTENER 2>/dev/null
sshd_at 22 "another"
refuses 1 "the peer of an unknown server at the port of SSH" $GOOD4
sshd_end
check "nobody is there any more" quietly fwctl block $GOOD4
quietly fwctl unblock $GOOD4

# Ports of outgoing connections: their answers would not arrive.
echo "40000 49999" >/proc/sys/net/ipv4/ip_local_port_range
echo "40000-44999,49000" >/proc/sys/net/ipv4/ip_local_reserved_ports
all=$(fwctl show --json)
refuses 1 "all ports that are not privileged" tcp/1024-65535
check "the reason is one sentence" grep -q "answers to connections from this host .*40000-49999.* 4999 of these 4999 TCP ports would be blocked" "$T/stderr"
refuses 1 "a tenth of them and one" tcp/45000-45500
refuses 1 "UDP" udp/1024-65535
refuses 1 "packets out" tcp/1024-65535 --out
printf 'block tcp/%d-%d\n' 45000 45399 45400 45799 >"$T/batch"
fails 6 "several that are a tenth together" batch "$T/batch"
check "several that are a tenth together: the last is named" grep -q "batch:2: .*800 of these 4999" "$T/stderr"
quietly fwctl unblock tcp/45000-45399
check "ports of nobody" quietly fwctl block tcp/1024-39999
check "reserved ones" quietly fwctl block tcp/40000-44999
fwctl block tcp/45678 >"$T/output" 2>"$T/stderr"
same "one of them: exit status" 0 $?
check "one of them is a note" grep -q "note: .*1 of these 4999" "$T/stderr"
check "with --force all of them" quietly fwctl block tcp/1024-65535 --force
check "doctor calls it a problem" grep -Eq "^problem +lockout +answers to connections" <<<"$(fwctl doctor)"
check "and unblocking is no lock-out" quietly fwctl unblock tcp/1024-65535 tcp/1024-39999 tcp/40000-44999 tcp/45678
check "an exception makes room" quietly fwctl allow tcp/45000-49999
check "for all of them" quietly fwctl block tcp/1024-65535
fails_saying 1 "and is needed then" "answers to connections" unallow tcp/45000-49999
fails_saying 1 "and cannot be disabled" "answers to connections" list disable allow
check "it goes after the block" quietly fwctl unblock tcp/1024-65535
check "and then it may" quietly fwctl unallow tcp/45000-49999
printf '#!ebpf-fw list=ports\ntcp/1024-65535\n198.18.9.9\n' >"$T/list"
check "loaded they are left out" quietly fwctl load ports "$T/list"
same "and the rest is there" 1 "$(n_entries ports)"
check "imported, too" quietly fwctl import "$T/list"
same "and the rest is there, too" 1 "$(n_entries ports)"
quietly fwctl list del ports

# More than a line of a batch can be.
printf 'block 198.18.0.60\0\nblock 198.18.0.61\n' >"$T/batch"
fwctl batch "$T/batch" 2>"$T/stderr"
same "a NUL in a batch" 2 $?
{ printf 'block '; head -c 1000000 /dev/zero | tr '\0' 1; echo; } >"$T/batch"
fwctl batch "$T/batch" 2>"$T/stderr"
same "a megabyte in a line" 2 $?
check "is said in little" test "$(wc -c <"$T/stderr")" -lt 1200
check "nothing came of either" refuse quietly fwctl check 198.18.0.61

# Whoever is not root is told so, and reaches nothing.
chmod 0755 "$T" "$T/run" "$T/state"
outsider() {
	setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
for verb in "block 198.18.0.70" "unblock 203.0.113.0/24" show stats lists "flush manual" "load x $T/list" export; do
	# shellcheck disable=SC2086 # several words
	outsider "$FWCTL" $verb --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >/dev/null 2>"$T/stderr"
	same "an outsider: ${verb%% *}: exit status" 4 $?
	check "an outsider: ${verb%% *}: is told" grep -qi "permission" "$T/stderr"
done
chmod 0755 "$T/bpf"
for pin in "" /meta /maps/policy "/links/tc_ingress_$(ifindex h0)" /progs/fw_tc_in; do
	check "an outsider cannot open fw$pin even where bpffs is open to all" \
		refuse quietly outsider bash -c "exec 3<'$PINS$pin'"
done
check "an outsider cannot read the lists" refuse quietly outsider cat "$T/state/lists/manual.list"
check "an outsider cannot hold the writer lock" refuse quietly outsider flock -n "$T/run/lock" true
check "it still blocks" quietly fwctl check 203.0.113.1

for comment in $'\xc2\x9b31m' $'\x9b31m' $'\xe2\x80\xae txt' $'\xe2\x81\xa6x' $'\xc0\x80' "$(printf '%01025d' 0)"; do
	fails 2 "a comment that could act on a terminal" block 203.0.113.200 --comment "$comment"
done
check "one in another script" quietly fwctl block 203.0.113.200 --comment $'\xe4\xb8\xad\xe6\x96\x87 \xc3\xa9'

# Comments that are in a file already, or come in by one: nothing of them acts on a terminal, and JSON stays JSON.
evil=$'a\xc2\x9b31m b\x9b31m c\xe2\x80\xae d\xe2\x81\xa6 e\xd8\x9c f\xed\xa0\x80 \xe4\xb8\xad'
printf '203.0.113.201 # %s\n' "$evil" >>"$T/state/lists/manual.list"
quietly fwctl block 203.0.113.201 --runtime
on_terminal() {
	python3 -c 'import os, pty, sys
pty.spawn(sys.argv[1:])' "$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" </dev/null
}
acts_on_terminal() {
	python3 -c 'import re, sys
data = sys.stdin.buffer.read().replace(b"\r\n", b"\n")
text = data.decode("utf-8", "surrogateescape")
found = re.findall("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udcff]", text)
sys.exit(0 if found or "203.0.113.201" not in text else 1)'
}
for verb in "export manual" "show manual" "show manual --json" "check 203.0.113.201"; do
	# shellcheck disable=SC2086 # several words
	on_terminal $verb >"$T/screen"
	check "$verb: nothing acts on a terminal" refuse acts_on_terminal <"$T/screen"
done
on_terminal export manual >"$T/screen"
check "export: what can be read stays" grep -q $'\\\\u009b31m.*\xe4\xb8\xad' "$T/screen"
fwctl export manual >"$T/exported"
check "export to a file: the bytes are as they were" grep -qF "$evil" "$T/exported"
fwctl show manual --json >"$T/shown"
same "JSON is UTF-8, with what was not replaced" True "$(python3 -c 'import json, sys
e = [e for e in json.loads(open(sys.argv[1], "rb").read().decode())["entries"] if e["target"] == "203.0.113.201"][0]
print("\x9b31m b\ufffd31m" in e["lists"][0]["comment"])' "$T/shown")"
cp "$T/state/lists/manual.list" "$T/before"
for comment in $'\xc2\x9b31m' $'\x9b31m' $'\xe2\x80\xae txt' $'\xed\xa0\x80' "$(printf '%01025d' 0)"; do
	printf '#!ebpf-fw list=imported\n203.0.113.202 # %s\n' "$comment" >"$T/import"
	fails 2 "import: such a comment of an entry" import "$T/import"
	check "import: it names the entry" grep -q "203.0.113.202" "$T/stderr"
	printf '#!ebpf-fw list=imported # %s\n203.0.113.202\n' "$comment" >"$T/import"
	fails 2 "import: such a comment of a list" import "$T/import"
	printf 'block 203.0.113.202 --comment "%s"\n' "$comment" >"$T/batch"
	fails 2 "batch: such a comment" batch "$T/batch"
done
check "import: nothing was done" refuse grep -q "imported" <(fwctl lists)
