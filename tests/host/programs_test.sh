#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# ckpt, rstr and ckptinfo as a user meets them, over calls that are made up; see
# fake_call.c.  programs_test.sh DIRECTORY-OF-THE-PROGRAMS
bin=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
PATH=$bin:$PATH
LC_ALL=C
export LC_ALL

# try NAME STATUS COMMAND...: run it, keep what it says in out and err
try() {
	name=$1 expected=$2
	shift 2
	"$@" >out 2>err
	status=$?
	[ $status = "$expected" ] && result=ok || result='not ok'
	echo "$result $name: status $status"
}

# says NAME FILE PATTERN: a line of FILE matches
says() {
	if grep -q -- "$3" "$2"; then
		echo "ok $1"
	else
		echo "not ok $1: $(head -n3 "$2")"
	fi
}

# is NAME CONDITION...: as test(1) has it
is() {
	name=$1
	shift
	if test "$@"; then echo "ok $name"; else echo "not ok $name: $*"; fi
}

# on_terminal COMMAND: a shell command, with a terminal on 0, 1 and 2
on_terminal() {
	script -qec "$1" /dev/null </dev/null
}

test_usage() {
	for program in ckpt rstr ckptinfo; do
		try "$program --help" 0 $program --help
		says "$program --help says how" out "^Usage: $program"
		try "$program, unknown option" 2 $program --unknown
		says "$program, unknown option, says how" err "^Usage: $program"
	done
	try "ckpt, no pid" 2 ckpt
	try "ckpt, two pids" 2 ckpt 1 2
	try "ckpt, a name" 2 ckpt xz
	says "ckpt, a name" err '^ckpt: not a process id: xz$'
	try "ckpt, pid 0" 2 ckpt 0
	try "ckpt, pid -1" 2 ckpt -- -1
	try "ckpt, a pid and more" 2 ckpt 12x
	try "ckpt, a large pid" 2 ckpt 4294967297
	try "ckpt, -k -s" 2 ckpt -k -s 1
	try "rstr, an operand" 2 rstr image
	try "ckptinfo, two files" 2 ckptinfo a b
	try "ckptinfo, --json and more" 2 ckptinfo --json -r image
}

test_terminals() {
	try "ckpt to a terminal" 2 on_terminal "ckpt 1"
	says "ckpt to a terminal" out "try 'ckpt 1 > image'"
	try "rstr from a terminal" 2 on_terminal "rstr"
	try "ckptinfo from a terminal" 2 on_terminal "ckptinfo"
}

test_ckpt() {
	export FAKE_IMAGE=$work/image FAKE_FLAGS=$work/flags
	try "ckpt" 0 ckpt 1
	is "ckpt writes the image" "$(cmp out image)" = ""
	is "ckpt says nothing" ! -s err
	is "ckpt asks for a log" "$(cat flags)" = 4
	try "ckpt -k" 0 ckpt -k 1
	is "ckpt -k" "$(cat flags)" = 5
	try "ckpt --stop" 0 ckpt --stop 1
	is "ckpt --stop" "$(cat flags)" = 6
	try "ckpt --checksum" 0 ckpt --checksum 1
	is "ckpt --checksum" "$(cat flags)" = 68
	try "ckpt --compress" 0 ckpt --compress 1
	is "ckpt --compress" "$(cat flags)" = 260
	try "ckpt --compress=lz4" 0 ckpt --compress=zstd --compress=lz4 1
	is "ckpt --compress=lz4" "$(cat flags)" = 132
	try "ckpt --compress=xz" 2 ckpt --compress=xz 1
	says "ckpt --compress=xz" err 'neither zstd nor lz4: xz$'
	try "ckpt -v" 0 ckpt -v 1
	says "ckpt -v" err '^ckpt: image 7 of pid 1: 24.0 KiB in 0\.[0-9]* s$'
	ckpt 1 | cmp - image && echo "ok ckpt to a pipe" || echo "not ok ckpt to a pipe"
}

test_ckpt_fails() {
	export FAKE_IMAGE=/dev/null FAKE_ERRNO=3
	try "ckpt fails" 1 ckpt 77
	says "ckpt fails" err '^ckpt: pid 77: No such process$'
	FAKE_LOG='pid 7 (a b): fd 9: no
pid 7 (a b): fd 10: no' try "ckpt fails, with a reason" 1 ckpt 7
	says "ckpt gives the first reason" err '^ckpt: pid 7 (a b): fd 9: no$'
	says "ckpt gives the second" err '^ckpt: pid 7 (a b): fd 10: no$'
	is "ckpt gives these alone" "$(wc -l <err)" = 2
	FAKE_LOG=$(printf 'pid 7 (\033[2J)') try "ckpt, a bad name" 1 ckpt 7
	says "ckpt, a bad name" err '^ckpt: pid 7 (\\033\[2J)$'
	FAKE_ERRNO=38 try "ckpt, no such call" 1 ckpt 7
	says "ckpt, no such call" err 'without CONFIG_CHECKPOINT$'
	try "ckpt, no output" 1 sh -c 'ckpt 7 >&-'
	says "ckpt, no output" err '^ckpt: standard output: Bad file'
}

test_ckpt_undo() {
	export FAKE_IMAGE=$work/image FAKE_ERRNO=28
	try "ckpt fails midway" 1 sh -c 'ckpt 1 >half'
	is "ckpt leaves no half image" ! -s half
	try "ckpt fails, appending" 1 sh -c 'echo before >half; ckpt 1 >>half'
	is "ckpt leaves what was before" "$(cat half)" = before
	try "ckpt fails, behind something" 1 sh -c '{ echo head; ckpt 1; } >half'
	is "ckpt leaves what was written before" "$(cat half)" = head
	try "ckpt fails within a file" 1 sh -c 'cp image half; ckpt 1 1<>half'
	is "ckpt leaves a file that it did not extend" -s half
	FAKE_ERRNO='' try "ckpt to a full device" 1 sh -c 'ckpt 1 >/dev/full'
	says "ckpt to a full device" err '^ckpt: pid 1: No space left on device$'
	FAKE_ERRNO='' FAKE_IMAGE=$bin/ckptinfo try "ckpt without a reader" 0 sh -c \
		'{ ckpt 1; echo $? >status; } | true'
	is "ckpt without a reader" "$(cat status)" = 1
	says "ckpt without a reader" err '^ckpt: pid 1: Broken pipe$'
}

# within CONDITION...: as test(1) has it, now or soon
within() {
	for _ in $(seq 200); do
		test "$@" && return
		sleep 0.05
	done
}

# in the background and without job control SIGINT and SIGQUIT are ignored
test_ckpt_signals() {
	export FAKE_IMAGE=$bin/ckptinfo FAKE_PAUSE=20
	for signal in TERM HUP; do
		rm -f half
		ckpt 1 >half 2>err &
		within -s half
		is "ckpt has begun" -s half
		kill -$signal $!
		wait $! 2>/dev/null
		is "ckpt ends by SIG$signal" $? -gt 128
		says "ckpt says so" err '^ckpt: interrupted'
		is "ckpt leaves nothing" ! -s half
	done
	rm -f half
	ckpt 1 >half 2>err &
	within -s half
	kill -INT $!
	sleep 0.1
	is "SIGINT stays ignored" -d /proc/$!
	kill -TERM $!
	wait
}

test_ckpt_every() {
	export FAKE_IMAGE=$work/image
	try "ckpt --every, no directory" 2 ckpt --every 1s 1
	try "ckpt -o, no --every" 2 ckpt -o series 1
	try "ckpt --every 0" 2 ckpt --every 0 -o series 1
	try "ckpt --every, no time" 2 ckpt --every soon -o series 1
	try "ckpt --keep 0" 2 ckpt --every 1s --keep 0 -o series 1
	try "ckpt --every -k" 2 ckpt --every 1s -k -o series 1
	ckpt --every 50ms --keep 3 -o series 1 2>err &
	within -e series/000005.image
	kill -TERM $!
	wait $! 2>/dev/null
	is "ckpt --every ends by a signal" $? = 143
	says "ckpt --every says what it cost" err 'images of pid 1 in .* 24.0 KiB .* stopped for'
	is "ckpt --keep" "$(ls series/*[0-9].image | wc -l)" = 3
	is "the last is the latest" "$(readlink series/latest.image)" = \
		"$(ls series | grep '^[0-9]' | tail -n 1)"
	is "it is whole" "$(cmp series/latest.image image)" = ""
	is "ckpt --every leaves nothing else" "$(ls -A series | wc -l)" = 4
	last=$(readlink series/latest.image)
	sh -c 'sleep 1 & echo $! >sleeper'
	try "ckpt --every, the process ends" 0 ckpt --every 100ms -o series "$(cat sleeper)"
	is "ckpt --every goes on counting" "$(readlink series/latest.image)" \> "$last"
	is "and keeps two" "$(ls series/*[0-9].image | wc -l)" = 2
	FAKE_ERRNO=3 try "ckpt --every fails" 1 ckpt --every 100ms -o fresh 1
	is "ckpt --every leaves no half image" "$(ls -A fresh)" = ""
}

test_ckpt_progress() {
	export FAKE_IMAGE=$work/large FAKE_PAUSE=20
	{ cat image; head -c 300000 /dev/zero; } >large
	on_terminal "ckpt 1 >half" >out
	says "ckpt shows progress" out 'ckpt: .* written'
	on_terminal "ckpt -q 1 >half" >out
	is "ckpt -q does not" ! -s out
	ckpt 1 2>err >half
	is "nor does it but on a terminal" ! -s err
}

test_rstr() {
	export FAKE_FLAGS=$work/flags
	FAKE_ROOT='exit 0' try "rstr" 0 sh -c 'rstr <image'
	is "rstr says nothing" ! -s err
	is "rstr asks for a log" "$(cat flags)" = 1
	FAKE_ROOT='exit 0' try "rstr with all flags" 0 sh -c \
		'rstr --new-pids --stop --force-files --eager --tcp-close <image'
	is "rstr with all flags" "$(cat flags)" = 287
	FAKE_ROOT='exit 0' try "rstr --inherit-fd" 0 sh -c \
		'rstr --inherit-fd 5:pipe:[7] --inherit-fd 0:/a:b 5</dev/null <image'
	is "rstr --inherit-fd" "$(echo $(cat flags))" = "1 5 pipe:[7] 0 /a:b"
	try "rstr --ahead --record" 2 sh -c 'rstr --ahead x --record y <image'
	try "rstr --ahead, no record" 1 sh -c 'rstr --ahead missing <image'
	says "rstr --ahead, no record" err '^rstr: missing: No such file'
	try "rstr --ahead, a pipe" 1 sh -c 'cat image | rstr --ahead missing'
	says "rstr --ahead, a pipe" err '^rstr: the image is not in a regular file'
	try "rstr --inherit-fd, not open" 2 sh -c 'rstr --inherit-fd 77:x <image'
	try "rstr --inherit-fd, no name" 2 sh -c 'rstr --inherit-fd 0: <image'
	try "rstr --inherit-fd, no number" 2 sh -c 'rstr --inherit-fd x:y <image'
	ckpt --external 'pipe:[7]' --external /b 1 >half
	is "ckpt --external" "$(echo $(cat flags))" = "4 -1 pipe:[7] -1 /b"
	FAKE_ROOT='exit 3' try "rstr, status 3" 3 sh -c 'rstr <image'
	FAKE_ROOT='kill -TERM $$' try "rstr, SIGTERM" 143 sh -c 'rstr <image; exit $?'
	FAKE_ROOT='kill -KILL $$' try "rstr, SIGKILL" 137 sh -c 'rstr <image; exit $?'
	FAKE_ROOT='exit 0' try "rstr -v" 0 sh -c 'rstr -v <image'
	says "rstr -v" err '^rstr: pid [0-9]* in 0\.[0-9]* s$'
	FAKE_LOG='/tmp/a: changed' FAKE_ROOT='exit 0' try "rstr, a note" 0 sh -c 'rstr <image'
	says "rstr, a note" err '^rstr: /tmp/a: changed$'
	FAKE_LOG='/tmp/a: changed' FAKE_ROOT='exit 0' try "rstr -q" 0 sh -c 'rstr -q <image'
	is "rstr -q" ! -s err
}

test_rstr_core() {
	ulimit -c unlimited 2>/dev/null
	FAKE_ROOT='ulimit -c 0; kill -SEGV $$' try "rstr, SIGSEGV" 139 sh -c \
		'rstr <image; exit $?'
	is "rstr leaves no core" "$(find . -name 'core*')" = ""
	ulimit -c 0
}

test_rstr_fails() {
	export FAKE_ERRNO=17
	try "rstr fails" 1 sh -c 'rstr -p pid <image'
	says "rstr fails" err '^rstr: File exists$'
	is "rstr leaves no pid file" ! -e pid
	FAKE_LOG='pid 412 is taken' try "rstr fails, with a reason" 1 sh -c 'rstr <image'
	says "rstr fails, with a reason" err '^rstr: pid 412 is taken$'
	FAKE_ERRNO='' FAKE_ROOT='touch ran' \
		try "rstr, no such directory" 1 sh -c 'rstr -p none/pid <image'
	is "rstr then does not restart" ! -e ran
	FAKE_ERRNO='' FAKE_ROOT='touch ran' \
		try "rstr, a pid file that is a device" 1 sh -c 'rstr -p /dev/null <image'
	is "rstr then neither" ! -e ran
}

test_rstr_pids() {
	export FAKE_ROOT='echo $$ >root; exec sleep 0.3'
	try "rstr -p" 0 sh -c 'rstr -p pid <image'
	is "rstr -p" "$(cat pid)" = "$(cat root)"
	is "rstr -p lets others read" "$(stat -c %a pid)" = 644
	rm root
	FAKE_ROOT="exec sh -c 'echo \$\$ >root; exec sleep 3' >/dev/null" \
		try "rstr -d" 0 sh -c 'rstr -d -p pid <image'
	within -s root
	is "rstr -d prints the pid" "$(cat out)" = "$(cat root)"
	is "rstr -d -p" "$(cat pid)" = "$(cat root)"
	is "rstr -d does not wait" -d "/proc/$(cat root)"
	FAKE_ROOT='exec >/dev/null; sleep 0.1' try "rstr -d to a full device" 1 \
		sh -c 'rstr -d <image >/dev/full'
}

# what the root says of signals that rstr was sent
test_rstr_signals() {
	export FAKE_ROOT='
		for s in TERM HUP USR1 USR2 ALRM; do trap "echo $s >>got" $s; done
		trap "exit 9" QUIT
		echo $$ >ready; while :; do sleep 0.05; done'
	for signal in TERM HUP USR1 USR2 ALRM; do
		rm -f got ready
		rstr <image &
		while [ ! -s ready ]; do sleep 0.05; done
		kill -$signal $!
		within -s got
		is "SIG$signal to rstr reaches the root" "$(cat got)" = $signal
		kill -KILL "$(cat ready)"
		wait $! 2>/dev/null
	done
}

# sent while there is no root yet, for whom it might be meant
test_rstr_early() {
	mkfifo slow
	for signal in TERM HUP; do
		sleep 100 >slow &
		sleeper=$!
		rstr <slow 2>err &
		within -e /proc/$!/exe
		for _ in $(seq 200); do
			[ "$(state $!)" != S ] || break
			sleep 0.05
		done
		sleep 0.2
		kill -$signal $!
		wait $! 2>/dev/null
		is "SIG$signal ends a restart" $? -gt 128
		kill $sleeper
		wait $sleeper 2>/dev/null
	done
}

test_rstr_stops() {
	export FAKE_ROOT='echo $$ >root; kill -STOP $$; exit 4'
	rm -f root
	rstr <image &
	within -s root
	for _ in $(seq 200); do
		[ "$(state $!)" != T ] || break
		sleep 0.05
	done
	is "rstr stops with the root" "$(state $!)$(state "$(cat root)")" = TT
	kill -CONT $!
	wait $!
	is "rstr continues the root" $? = 4
}

state() { sed 's/.*) \(.\).*/\1/' /proc/$1/stat; }

test_ckptinfo() {
	try "ckptinfo" 0 ckptinfo image
	says "ckptinfo: id" out '^image 7, format 1$'
	says "ckptinfo: time" out '2023-11-14 22:13:20 UTC'
	says "ckptinfo: size" out '24.0 KiB: 4 pages of 4.0 KiB'
	says "ckptinfo: process" out '^412 cat$'
	says "ckptinfo: memory" out '72.0 KiB in 4 mappings; 12.0 KiB saved, 4.0 KiB zero$'
	says "ckptinfo: file" out '/var/tmp/in.txt: regular file, read, at 1048576 of'
	cat image | ckptinfo >out2
	is "ckptinfo, from a pipe" "$(cmp out out2)" = ""
	try "ckptinfo --files" 0 ckptinfo --files image
	is "ckptinfo --files" "$(echo $(cut -f1 out))" = "/usr/bin/cat /var/tmp/in.txt"
	says "ckptinfo --files: details" out '^/var/tmp/in.txt	r	[0-9]*	[-0-9]*T[:0-9]*\.[0-9]*Z$'
	try "ckptinfo --maps" 0 ckptinfo --maps image
	says "ckptinfo --maps: heap" out '^00600000-00604000 rw-p .* 8 *4 \[heap\]$'
	says "ckptinfo --maps: shared" out '^00700000-.* r--s .* 4 *0 \[shared memory\]$'
	try "ckptinfo --records" 0 ckptinfo --records image
	says "ckptinfo --records" out '^7 at 896: mm, object 5, 712 bytes$'
	says "ckptinfo --records: run" out 'runs\[1\]: start=0x602000 nr=1 flags=zero$'
	mkimage "$(printf '/tmp/\033"\\\n\351')" >odd
	try "ckptinfo, an odd name" 0 ckptinfo --files odd
	says "ckptinfo, an odd name" out '^/tmp/\\033"\\134\\012\\351	'
	try "ckptinfo to a full device" 1 sh -c 'ckptinfo image >/dev/full'
	says "ckptinfo to a full device" err 'standard output: No space'
}

test_ckptinfo_json() {
	if ! command -v python3 >/dev/null; then
		echo "# no python3, the JSON was not looked at"
		return
	fi
	ckptinfo --json odd >json
	try "ckptinfo --json" 0 python3 - json <<-'END'
		import json, os, sys
		image = json.load(open(sys.argv[1]))
		assert os.fsencode(image["paths"][0]) == b'/tmp/\033"\\\n\351'
		assert image["header"]["id"] == 7
		assert image["processes"][0]["memory"]["bytes_saved"] == 12288
		assert image["maps"][0]["mappings"][1]["name"] == "[heap]"
		assert image["records"][-1]["type"] == "end"
	END
}

# Pages of an image are all alike, and unlike those of any other: how many of each.
pages_of() {
	tail -c +8193 "$1" | head -c 16384 | od -An -v -tx1 -w4096 | cut -c2-3 | xargs
}

test_ckptinfo_flatten() {
	mkdir chain
	mkimage /x 1 >chain/a
	mkimage /x 2 child >chain/b
	mkimage /x 3 child >chain/c
	try "ckptinfo --flatten, nothing to do" 0 ckptinfo --flatten chain/a
	is "ckptinfo --flatten, nothing to do" "$(cmp out chain/a)" = ""
	try "ckptinfo, a child" 0 ckptinfo chain/c
	says "ckptinfo, a child: its parent" out '^  parent    02000000-0000-0000-0000-000000000000$'
	says "ckptinfo, a child: memory" out '4.0 KiB saved, 0 B zero, 20.0 KiB as in the parent$'
	try "ckptinfo --flatten" 0 ckptinfo --flatten chain/c
	mv out flat
	is "ckptinfo --flatten: pages" "$(pages_of flat)" = "5b 5d 5b 5d"
	try "ckptinfo --flatten: it is one" 0 ckptinfo flat
	says "ckptinfo --flatten: memory" out ' 12.0 KiB saved, 4.0 KiB zero$'
	says "ckptinfo --flatten: uuid" out '^  uuid      03000000-'
	try "ckptinfo --flatten, piped" 0 sh -c 'ckptinfo --flatten --parent chain/a --parent chain/b <chain/c | cmp - flat'
	try "ckptinfo --flatten, a parent is missing" 1 ckptinfo --flatten --parent chain/b <chain/c
	says "ckptinfo --flatten, a parent is missing" err 'chain/b: needs its parent, image 01000000-'
	try "ckptinfo --flatten, another one" 1 ckptinfo --flatten --parent flat chain/b
	says "ckptinfo --flatten, another one" err 'flat: image 03000000-.* is no ancestor'
	try "ckptinfo --parent alone" 2 ckptinfo --parent chain/a chain/b
	FAKE_FLAGS=$work/flags try "ckpt --track" 0 ckpt --track 1
	is "ckpt --track" "$(cat flags)" = 20
	FAKE_FLAGS=$work/flags try "ckpt --parent" 0 ckpt --parent chain/a 1
	is "ckpt --parent" "$(cat flags)" = 52
	FAKE_FLAGS=$work/flags try "ckpt --parent --kill" 0 ckpt -k --parent chain/a 1
	is "ckpt --parent --kill" "$(cat flags)" = 37
	try "ckpt --track --kill" 2 ckpt --track --kill 1
	head -c 5000 chain/a >cut
	try "ckpt --parent, cut" 1 ckpt --parent cut 1
	says "ckpt --parent, cut" err '^ckpt: cut: cut short, has no trailer$'
	try "ckpt --parent, none" 1 ckpt --parent none 1
	says "ckpt --parent, none" err '^ckpt: none: No such file'
	FAKE_ROOT='exit 5' try "rstr, a chain" 5 sh -c 'rstr <chain/c'
	rm chain/b
	FAKE_ROOT='exit 5' try "rstr, a chain that lacks one" 1 sh -c 'rstr <chain/c'
	says "rstr, a chain that lacks one" err 'needs its parent, image 02000000-'
}

# flip FILE BYTE: make another value of it
flip() {
	byte=$(od -An -tu1 -j"$2" -N1 "$1")
	printf "$(printf '\\%03o' $((byte ^ 16)))" |
		dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

test_ckptinfo_check() {
	mkimage /x 1 sums >sums
	is "checksums: one for four pages" $(($(wc -c <sums) - $(wc -c <image))) = 8
	try "ckptinfo, checksums" 0 ckptinfo sums
	says "ckptinfo, checksums" out '^  checksums of the pages: not compared$'
	try "ckptinfo --check" 0 ckptinfo --check sums
	says "ckptinfo --check" out '^  checksums of the pages: they are right$'
	ckptinfo -c -j sums >out
	says "ckptinfo -c -j" out '"checked": *true'
	try "ckptinfo --check, none" 0 ckptinfo --check image
	is "ckptinfo --check, none" "$(grep -c checksums out)" = 0
	for at in 8192 12287 24575 24576 24583; do
		cp sums bad
		flip bad $at
		try "ckptinfo, damaged at $at" 0 ckptinfo bad
		try "ckptinfo --check, damaged at $at" 1 ckptinfo --check bad
		says "ckptinfo --check, damaged at $at" err \
			'bad: pages 0 to 3, of mm, object 5, from 0x600000 on: checksum mismatch$'
		try "ckptinfo, damaged at $at, piped" 1 sh -c 'cat bad | ckptinfo'
	done
	head -c 24578 sums >bad
	try "ckptinfo --check, cut" 1 ckptinfo --check bad
	says "ckptinfo --check, cut" err 'cut short at byte 24578, in the checksums$'
	try "ckptinfo --flatten, checksums" 0 sh -c 'ckptinfo --flatten sums | cmp - sums'
	mkimage /x 2 child sums >sums2
	try "ckptinfo --flatten, checksums of two" 0 ckptinfo --flatten --parent sums sums2
	mv out flat
	try "ckptinfo --check, what was flattened" 0 ckptinfo --check flat
	says "ckptinfo --check, what was flattened" out 'they are right$'
	is "pages that were flattened" "$(pages_of flat)" = "5b 5c 5b 5c"
	flip sums 9000
	try "ckptinfo --flatten, a damaged parent" 1 ckptinfo --flatten --parent sums sums2
	says "ckptinfo --flatten, a damaged parent" err 'sums: pages 0 to 3.* mismatch$'
	flip sums 9000
	flip sums2 9000
	try "ckptinfo --flatten, a damaged child" 1 ckptinfo --flatten --parent sums sums2
	says "ckptinfo --flatten, a damaged child" err 'sums2: pages 0 to 1.* mismatch$'
	FAKE_FLAGS=$work/flags try "ckpt --every --checksum" 1 sh -c \
		'FAKE_ERRNO=3 ckpt --every 1s --checksum -o sumdir 1'
	is "ckpt --every --checksum" "$(cat flags)" = 68
}

test_ckptinfo_compressed() {
	for how in lz4 zstd; do
		mkimage /x 1 $how >$how
		is "$how: it is smaller" $(wc -c <$how) -lt $(wc -c <image)
		try "ckptinfo, $how" 0 ckptinfo $how
		says "ckptinfo, $how" out \
			"^  pages     compressed by $how, in 2 frames: 4.[01] KiB for 16.0 KiB, 25.[0-9]%$"
		says "ckptinfo, $how: checksums" out 'not compared$'
		try "ckptinfo --check, $how" 0 ckptinfo --check $how
		says "ckptinfo --check, $how" out 'they are right$'
		try "ckptinfo, $how, piped" 0 sh -c "cat $how | ckptinfo"
		ckptinfo --json $how >json
		says "ckptinfo --json, $how" json '"method": *"'$how'"'
		says "ckptinfo --json, $how: frames" json '"frames": *2'
		says "ckptinfo --json, $how: bytes" json '"bytes_raw": *16384'
		end=$(($(wc -c <$how) - 32))
		for at in $(seq 8192 5 8260) $((end - 4096)) $((end - 1)); do
			cp $how bad
			flip bad $at
			try "ckptinfo --check, $how damaged at $at" 1 ckptinfo --check bad
		done
		# Heads alone are looked at where nobody asks for more.
		cp $how bad
		flip bad $((end - 1))
		try "ckptinfo, $how damaged" 0 ckptinfo bad
		try "ckptinfo --check, $how damaged" 1 ckptinfo --check bad
		says "ckptinfo --check, $how damaged" err \
			'pages 3 to 3, of shmem, .* mismatch$'
		for cut in 8200 8230 $((end - 3000)) $end; do
			head -c $cut $how >bad
			try "ckptinfo, $how cut at $cut" 1 ckptinfo bad
			says "ckptinfo, $how cut at $cut" err "cut short at byte $cut"
		done
		try "ckptinfo --flatten, $how" 0 ckptinfo --flatten $how
		mv out flat
		mkimage /x 1 sums | cmp - flat && echo "ok $how made raw" ||
			echo "not ok $how made raw"
	done
	try "ckpt --parent, compressed" 0 ckpt --parent zstd 1
	is "ckpt --parent, compressed: tracks" "$(FAKE_FLAGS=flags ckpt --parent zstd 1; cat flags)" = 52
	head -c 8300 zstd >cut
	try "ckpt --parent, compressed and cut" 1 ckpt --parent cut 1
	says "ckpt --parent, compressed and cut" err 'cut short, has no trailer$'
	mkdir mixed
	mkimage /x 1 zstd >mixed/a
	mkimage /x 2 child lz4 >mixed/b
	mkimage /x 3 child zstd >mixed/c
	try "ckptinfo --flatten, compressed" 0 ckptinfo --flatten mixed/c
	mv out flat
	is "ckptinfo --flatten, compressed: pages" "$(pages_of flat)" = "5b 5d 5b 5d"
	try "ckptinfo --flatten, compressed: it is one" 0 ckptinfo --check flat
	says "ckptinfo --flatten, compressed: it is one" out 'they are right$'
	try "ckptinfo --flatten, compressed and piped" 0 sh -c \
		'ckptinfo --flatten --parent mixed/a --parent mixed/b <mixed/c | cmp - flat'
	FAKE_ROOT='exit 5' try "rstr, a compressed chain" 5 sh -c 'rstr <mixed/c'
	mkimage /x 1 zstd sums >bad
	try "ckptinfo, features that are too many" 1 ckptinfo bad
	says "ckptinfo, features that are too many" err 'features 0xa exclude each other$'
}

test_ckptinfo_fails() {
	try "ckptinfo, no such file" 1 ckptinfo none
	says "ckptinfo, no such file" err '^ckptinfo: none: No such file'
	try "ckptinfo, something else" 1 ckptinfo /bin/sh
	says "ckptinfo, something else" err 'not the image of a checkpoint$'
	try "ckptinfo, nothing" 1 sh -c 'ckptinfo </dev/null'
	says "ckptinfo, nothing" err '^ckptinfo: empty$'
	head -c 20000 image >cut
	try "ckptinfo, cut" 1 ckptinfo cut
	says "ckptinfo, cut" err '^ckptinfo: cut: cut short at byte 20000, in the pages$'
	{ head -c 1100 image; printf X; tail -c +1102 image; } >bad
	try "ckptinfo, damaged" 1 ckptinfo bad
	says "ckptinfo, damaged" err '^ckptinfo: bad: record 7 (mm) at byte 896: checksum mismatch$'
}

mkimage >image
# each in a shell of its own, so that none leaves its environment to the next
for test in usage terminals ckpt ckpt_fails ckpt_undo ckpt_signals ckpt_every \
	ckpt_progress \
	rstr rstr_core rstr_fails rstr_pids rstr_signals rstr_early rstr_stops \
	ckptinfo ckptinfo_json ckptinfo_flatten ckptinfo_check ckptinfo_compressed \
	ckptinfo_fails; do
	(test_$test)
done
