#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Acceptance 65: the writer lock. Nobody prints or waits for a reader while holding it, and whoever waits for it says
# who holds it, gives up in time, and notices that the file was replaced.
NEEDS="strace flock"
. "${0%/*}/lib.sh"

# A pipe that nobody reads is at descriptor 9; what is written there stays until unblock_pipe.
full_pipe() {
	rm -f "$T/pipe"
	mkfifo "$T/pipe"
	exec 9<>"$T/pipe"
}

in_pipe_sleep() { # PROCESS: it waits in a write to the pipe
	grep -Eq 'pipe_write|anon_pipe_write' "/proc/$1/stack" 2>/dev/null || [ "$(cat "/proc/$1/wchan" 2>/dev/null)" = pipe_write ]
}

# In place of the shell that it is called in, so that $! is the process.
exec_fwctl() {
	exec "$FWCTL" "$@" --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run"
}

# A fwctl that holds the lock and is stopped in it, by SIGSTOP at its first fsync(2); $HOLDER is its process.
stopped_holder() {
	strace -f -o /dev/null -e trace=fsync -e inject=fsync:signal=STOP:when=1 \
		"$FWCTL" block 203.0.113.99 --pin-dir "$PINS" --state-dir "$T/state" --run-dir "$T/run" >/dev/null 2>&1 &
	wait_for holder_is_stopped || die "no stopped holder"
}

holder_is_stopped() {
	HOLDER=$(sed -n 's/^\([0-9]*\) fwctl block$/\1/p' "$T/run/lock" 2>/dev/null)
	[ -n "$HOLDER" ] || HOLDER=$(pgrep -x -s 0 fwctl | head -n 1) # versions that do not write it down
	# strace stops it for a moment at each call: the one that lasts comes after the entry was written
	[ -n "$HOLDER" ] && grep -q '^203\.0\.113\.99 ' "$T"/state/lists/{,.}manual.list* 2>/dev/null &&
		grep -q '^State:.*[Tt] (' "/proc/$HOLDER/status"
}

end_holder() {
	kill -CONT "$HOLDER"
	wait_for refuse kill -0 "$HOLDER" 2>/dev/null
}

# A holder that knows nothing of us; $HOLDER is its process.
foreign_holder() { # [FILE]
	local file=${1:-$T/run/lock}

	flock "$file" sleep 1000 &
	HOLDER=$!
	wait_for refuse flock -n "$file" true
}

end_foreign() {
	pkill -P "$HOLDER" sleep
	wait "$HOLDER" 2>/dev/null
}

state() {
	fwctl show --json | sed 's/"hits".*//'
	sort "$T"/state/lists/*.list
}

start_with MaxEntries=100000
numbers 1 20000 | quietly fwctl load many - --force

full_pipe
exec_fwctl export >&9 &
EXPORT=$!
wait_for in_pipe_sleep $EXPORT || die "the export does not fill the pipe"
check "an export that nobody reads holds up no writer" quietly fwctl block 203.0.113.1 # it would give up after 30 s
kill $EXPORT
wait $EXPORT 2>/dev/null

full_pipe
for i in $(seq 3000); do # the limit of port entries: each line beyond it is an error
	echo "block tcp/$((2 * i))"
done >"$T/batch"
exec_fwctl batch "$T/batch" 2>&9 >/dev/null &
BATCH=$!
wait_for in_pipe_sleep $BATCH || die "the batch does not fill the pipe"
check "a batch whose errors nobody reads holds up no writer" quietly fwctl block 203.0.113.2
check "and all that it could do is done, in the file too" grep -q '^tcp/4 ' "$T/state/lists/manual.list"
kill $BATCH
wait $BATCH 2>/dev/null
exec 9>&-
{ fwctl batch "$T/batch" 2>&1; echo "status $?" >"$T/status"; } >"$T/all"
same "each of its errors is shown" 2808 "$(grep -c 'No room for' "$T/all")"
quietly fwctl flush manual

(exec_fwctl batch "$T/batch" 2>&1 >/dev/null) | head -n 1 >/dev/null
same "a batch whose reader has gone has done its work all the same, in the file too" 192 \
	"$(grep -c '^tcp' "$T/state/lists/manual.list")"
quietly fwctl flush manual

# --- a holder that does not go on

stopped_holder
before=$(state)
fails_saying 1 "a stopped holder" "pid $HOLDER \(fwctl block\), which is stopped: 'kill -CONT $HOLDER'.*900ms.*Nothing was changed" \
	block 203.0.113.3 --wait 900ms
same "a stopped holder: nothing changed" "$before" "$(state)"
for verb in "unblock 203.0.113.1" "allow 203.0.113.3" "unallow 203.0.113.3" "flush many" "load other $T/batch2" "batch $T/batch2" \
	"import $T/import" "export" "list add other" "monitor" "top --count 1" "hist --count 1" "block 203.0.113.3"; do
	echo "allow 203.0.113.4" >"$T/batch2"
	printf '#!ebpf-fw list=x action=block\n203.0.113.4\n' >"$T/import"
	[ "${verb%% *}" = load ] && echo 203.0.113.4 >"$T/batch2"
	# shellcheck disable=SC2086 # words of a command
	fwctl $verb --wait 0 >/dev/null 2>"$T/stderr"
	same "a stopped holder: $verb --wait 0" "1 held" "$? $(grep -o held "$T/stderr")"
done
same "JSON: the error says it too" "1 True" \
	"$(fwctl block 203.0.113.3 --wait 0 --json 2>&1 | json "d['error']['code'], 'pid $HOLDER' in d['error']['message']" | tr -d '(,)')"

# One that waits says for whom after a second, and does its work when it can.
exec_fwctl block 203.0.113.5 2>"$T/waiting" >/dev/null &
WAITER=$!
wait_for grep -q "waiting for the writer lock, held by pid $HOLDER (fwctl block)" "$T/waiting"
same "a command that waits says for whom" 1 "$(grep -c waiting "$T/waiting")"
end_holder
wait $WAITER
same "and goes on when the holder does" 0 $?
check "its entry is there" quietly fwctl check 203.0.113.5

foreign_holder
fails_saying 1 "a holder that is another program" "pid $HOLDER \(flock\)" block 203.0.113.3 --wait 0
mv "$T/run/lock" "$T/run/lock.old"
fwctl block 203.0.113.6 >/dev/null 2>&1
same "a lock file that was replaced is not waited for" 0 $?
end_foreign

# The waiter has the removed file open; the lock that counts is another's.
foreign_holder
exec_fwctl block 203.0.113.7 >/dev/null 2>&1 &
WAITER=$!
wait_for grep -q -- "-> FLOCK.* $WAITER " /proc/locks
FIRST=$HOLDER
foreign_holder "$T/run/lock.new"
mv "$T/run/lock.new" "$T/run/lock"
HOLDER_OF_NEW=$HOLDER
HOLDER=$FIRST
end_foreign
sleep 0.2
check "the lock of a removed file is none: the new file's holder is waited for" kill -0 $WAITER
HOLDER=$HOLDER_OF_NEW
end_foreign
wait $WAITER
same "and then it goes on" 0 $?

# --- a daemon that starts meanwhile

stop
foreign_holder
: >"$T/log"
NOTIFY_SOCKET=$T/notify daemon >>"$T/log" 2>&1 &
DAEMON=$!
check "a daemon that waits says for whom" wait_for grep -q "Waiting for the writer lock, held by pid $HOLDER" "$T/log"
check "also to systemd" wait_for grep -q "^STATUS=Waiting for the writer lock, held by pid $HOLDER" "$T/notified"
check "and asks for more time" wait_for grep -q "^EXTEND_TIMEOUT_USEC=" "$T/notified"
kill -TERM $DAEMON
check "it ends when it is told to" wait_for refuse kill -0 $DAEMON 2>/dev/null
wait $DAEMON
same "with exit status 0" 0 $?
before=$(n_ready)
NOTIFY_SOCKET=$T/notify daemon >>"$T/log" 2>&1 &
DAEMON=$!
wait_for grep -q "Waiting for the writer lock" "$T/log"
end_foreign
check "another is ready when the lock is free" wait_for is_ready_or_dead "$before"
check "and runs" kill -0 $DAEMON
