# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# What the scripts of kernel/ share: where things are, how to speak, one lock.

TOP=$(cd "$(dirname "$0")/.." && pwd)
BUILD=$TOP/build
LINUX=$BUILD/linux
NAME=${0##*/}

say() { printf '%s: %s\n' "$NAME" "$*"; }
die() { printf '%s: %s\n' "$NAME" "$*" >&2; exit 1; }

# The base and what is built from it are one shared state: whoever changes it
# holds the lock, and a script called by the holder inherits it.
lock_build() {
	[ -z "${CKPT_LOCKED-}" ] || return 0
	mkdir -p "$BUILD"
	exec 9>"$BUILD/.lock"
	if ! flock -n 9; then
		say "another build is under way, waiting for it"
		flock 9
	fi
	CKPT_LOCKED=1
	export CKPT_LOCKED
}

# The patch files in the order they apply.
series() { sed -e 's/#.*//' -e 's/[[:space:]]//g' -e '/^$/d' "$TOP/kernel/patches/series"; }

# The overlay's files, as paths below the top of the kernel tree.
overlay() {
	( cd "$TOP" && find checkpoint include arch -type f \
		! -name '.*' ! -name '*~' ! -name '*.orig' ! -name '*.rej' 2>/dev/null ) | sort
}

# Where a flavour of the kernel is built, and where its image ends up.  Built below
# its sources, kbuild speaks of them as `..`: objects and what ccache keeps of them
# are the same in every checkout.
obj_dir() { case $1 in guest) echo "$LINUX/obj" ;; *) echo "$LINUX/obj-$1" ;; esac; }
image_of() { case $1 in guest) echo "$BUILD/bzImage" ;; *) echo "$BUILD/bzImage-$1" ;; esac; }

# kbuild OBJ ARGUMENT...: with one name, host and date, so that the same sources
# make the same kernel; MAKEFLAGS of a calling make are none of its business.
kbuild() (
	obj=$1
	shift
	unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES V
	export KBUILD_BUILD_TIMESTAMP='2008-08-07 00:00:00 UTC'
	export KBUILD_BUILD_USER=ckpt KBUILD_BUILD_HOST=ckpt
	cc=gcc
	! command -v ccache >/dev/null || cc='ccache gcc'
	exec make -C "${KSRC:-$LINUX}" O="$obj" -j"${JOBS:-$(nproc)}" \
		CC="$cc" HOSTCC="$cc" "$@" 9>&-
)

# ---- counting ---------------------------------------------------------------

PASSED=0 FAILED=0 SKIPPED=0

# step NAME COMMAND...: one test that is a command; what it says shows when it fails.
step() {
	name=$1
	shift
	began=$(date +%s)
	# Not as the condition of an if: there set -e would mean nothing.
	set +e
	( set -e; "$@" ) >"$BUILD/step.log" 2>&1
	status=$?
	set -e
	if [ $status = 0 ]; then
		PASSED=$((PASSED + 1)) verdict=ok
	else
		FAILED=$((FAILED + 1)) verdict=FAILED
	fi
	printf '%-8s %-44s %4d s\n' $verdict "$name" $(($(date +%s) - began))
	[ $verdict = ok ] || sed 's/^/    | /' "$BUILD/step.log" | tail -n 80
}

# The closing line, and the status that goes with it.
closing() {
	[ $((PASSED + FAILED)) -gt 0 ] || die "no test ran"
	printf '%d passed, %d failed' $PASSED $FAILED
	[ $SKIPPED = 0 ] || printf ', %d skipped' $SKIPPED
	echo
	[ $FAILED = 0 ]
}

# counts_of FILE: "PASSED FAILED SKIPPED" of its closing line, or nothing.
counts_of() {
	tail -n1 "$1" | sed -n \
		-e 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2 0/p' \
		-e 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p'
}
