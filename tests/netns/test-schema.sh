#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What --json prints, of every verb and where it fails, against the schemas of tests/schemas: each key is there, of
# its type, and none that fwctl(8) does not name.
NEEDS=python3
. "${0%/*}/lib.sh"

: "${SOURCE_ROOT:?}"
SCHEMAS=$SOURCE_ROOT/tests/schemas
python3 -c 'import jsonschema' 2>/dev/null || die "python3-jsonschema is missing"
SEEN=" "

validate() { # SCHEMA FILE [--lines]
	python3 "$SOURCE_ROOT/tests/netns/validate.py" ${3:+"$3"} "$SCHEMAS/$1.json" <"$2"
}

# A verb that prints: its exit status, its output, and nothing but that on stderr.
prints() { # SCHEMA STATUS NAME ARGUMENT...
	local schema=$1 status=$2 name=$3
	shift 3
	SEEN="$SEEN$1 "
	fwctl "$@" --json >"$T/stdout" 2>"$T/stderr" </dev/null
	same "$name: exit status" "$status" $?
	check "$name: as its schema has it" validate "$schema" "$T/stdout"
	same "$name: nothing on stderr" "" "$(cat "$T/stderr")"
}

# One that fails says so on stderr, in JSON, with its exit status as the code; a batch names each wrong line.
fails_json() { # STATUS NAME ARGUMENT...
	local status=$1 name=$2
	shift 2
	fwctl "$@" --json >"$T/stdout" 2>"$T/stderr" </dev/null
	same "$name: exit status" "$status" $?
	check "$name: an error as its schema has it" validate error "$T/stderr" --lines
	same "$name: its code" "$status" "$(tail -n 1 "$T/stderr" | json "d['error']['code']")"
}

# Not loaded.
fails_json 3 "show, not loaded" show
fails_json 3 "block, not loaded" block $BAD4
fails_json 3 "stats, not loaded" stats
fails_json 3 "status, not loaded" status
check "status, not loaded, answers too" validate status "$T/stdout"
PINS=$T/$'\xff' fails_json 3 "a path that is no UTF-8" show
prints doctor 1 "doctor, not loaded" doctor
prints unload 0 "unload, not loaded" unload

without_ipv6
start_receivers
start_with

# Changes.
prints changes 0 "block" block $BAD4 203.0.113.77/25 2001:db8:1::/48 tcp/23
prints changes 0 "block, again and with everything" block $BAD4 --for 1h --in --comment 'a "quoted" \ reason'
prints changes 0 "block in a new list" block $BAD4 -l fail2ban/sshd
prints changes 0 "allow" allow 203.0.113.7
prints changes 0 "unallow" unallow 203.0.113.7
prints changes 0 "unblock" unblock tcp/23
prints changes 0 "unblock what is not there" unblock 203.0.113.99
prints list 0 "list add" list add watch mode=audit comment="only to look"
prints list 0 "list add, there already" list add watch mode=audit
prints list 0 "list set" list set watch direction=in
prints list 0 "list disable" list disable watch
prints list 0 "list enable" list enable watch
printf '203.0.113.1\n203.0.113.2\n10.0.0.1\n' >"$T/feed"
prints load 0 "load --dry-run" load drop "$T/feed" --dry-run
prints load 0 "load" load drop "$T/feed"
printf 'block 203.0.113.20 --for 1h\nunblock 203.0.113.21\nallow 203.0.113.22\n' >"$T/batch"
prints batch 0 "batch" batch "$T/batch"
printf 'block 203.0.113.23\nblock %s\n' $HOST4 >"$T/batch"
fwctl batch "$T/batch" --json >"$T/stdout" 2>"$T/stderr"
same "batch, partly: exit status" 6 $?
check "batch, partly" validate batch "$T/stdout"
check "batch, partly: the error" validate error "$T/stderr"
fwctl export >"$T/exported"
prints import 0 "import" import "$T/exported"
prints flush 0 "flush" flush drop
prints list 0 "list del" list del drop

# Views, with traffic to see.
same "0 of 5 arrive" 0 "$(delivered $BAD4 $HOST4 5)"
prints show 0 "show" show
prints show 0 "show a list" show watch
prints check 0 "check, dropped" check $BAD4
prints check 1 "check, passes" check $GOOD4 tcp/22 --in
prints check 1 "check a port" check tcp/80
prints lists 0 "lists" lists
prints stats 0 "stats" stats
prints stats-watch 0 "stats --watch" stats --watch=0.1 -n 1
prints top 0 "top" top -n 1
prints hist 0 "hist" hist -n 1 --for 0.5
SEEN="${SEEN}monitor "
fwctl monitor --json --for 3 >"$T/stdout" 2>"$T/stderr" &
monitor=$!
wait_for test -s "$T/stdout"
peer ping -q -n -c 2 -i 0.1 -W 0.1 -I $BAD4 $HOST4 >/dev/null
peer "$TRAFFIC" flood $BAD4 $HOST4 $PORT 1000 3 >/dev/null
wait $monitor
check "monitor" validate monitor "$T/stdout" --lines
check "monitor has shown drops" grep -q '"destination_port":' "$T/stdout"
prints status 0 "status" status
prints doctor 0 "doctor" doctor

# Failures.
fails_json 2 "no verb" --json
fails_json 2 "an unknown verb" paint
fails_json 2 "an unknown option" show --colour
fails_json 2 "a target that is none" block 192.0.2.300
fails_json 1 "a guarded target" block $HOST4
fails_json 1 "a list that is not there" show nobody
fails_json 1 "unblock --strict" unblock 203.0.113.99 --strict
fails_json 1 "a file that is not there" load drop "$T/nowhere"
fails_json 2 "a broken batch" batch "$T/feed"
fails_json 1 "unload beside the daemon" unload
stop
prints unload 0 "unload" unload

# What prints text alone, and the rest has a schema.
for verb in $("$FWCTL" help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
	case $verb in
	export | help) continue ;;
	esac
	check "'$verb' is tested" test "${SEEN/ $verb /}" != "$SEEN"
done
