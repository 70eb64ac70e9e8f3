# SPDX-License-Identifier: GPL-2.0
#
# Everything goes into build/.  `make help` lists the verbs.

PREFIX ?= /usr/local
MANDIR ?= $(PREFIX)/share/man
BASE := /usr/src/linux-source-6.12.tar.xz

BUILD := $(CURDIR)/build
JOBS ?= $(shell nproc)

all: build/bzImage initramfs

help:
	@sed -n 's/^## \{0,1\}//p' Makefile

## make            build everything into build/
## make run        boot it: a program counts, is checkpointed, and counts on
## make check      the tests, but for the slowest; TESTS='mem* vma' some of them
## make check-all  all of them, and the debug kernel, the build with the option off,
##                 the style of the sources and the size of the patches
## make check-real of these only: real programs, a pipeline and make -j2, there and back
## make bench      measure; CRIU=/path/to/criu measures that one beside it
## make series     the whole as patches for `git am`, in build/series/
## make install    programs and man pages, below PREFIX and DESTDIR
## make clean      remove build/
##
## V=1 shows each step of a build, JOBS=N runs N of them at a time.
## kernel/boot --help: any command, any kernel, any disk in the guest.

# ---- the kernel -------------------------------------------------------------

KERNEL_FILES := $(sort $(shell find checkpoint include arch kernel/patches \
	kernel/config -type f ! -name '.*' ! -name '*~' 2>/dev/null)) \
	$(addprefix kernel/,BASE lib.sh prepare configure build)

build/bzImage: $(KERNEL_FILES) build/kernel.files $(wildcard $(BASE)) | packages
	@kernel/build guest

# A file that is gone has no date: the list of names notices.
build/kernel.files: FORCE
	@mkdir -p build
	@echo $(KERNEL_FILES) | cmp -s - $@ || echo $(KERNEL_FILES) >$@

build/base: | packages
	@kernel/prepare

# ---- what runs on it --------------------------------------------------------

initramfs: programs tests demo bench-programs
	@kernel/pack

programs: | packages
	@$(MAKE) -s -j$(JOBS) -C user OUT=$(BUILD)/bin

tests: build/base
	@$(MAKE) -s -j$(JOBS) -C tests OUT=$(BUILD)/tests

demo: | packages
	@$(MAKE) -s -C tests/demo OUT=$(BUILD)/demo

bench-programs: | packages
	@[ ! -f tests/bench/Makefile ] || $(MAKE) -s -C tests/bench OUT=$(BUILD)/bench

# ---- verbs ------------------------------------------------------------------

run: all
	@kernel/boot --mode demo

check: all
	@kernel/check $(foreach test,$(TESTS),'$(test)')

check-all: all
	@kernel/check-all

check-real: all
	@tests/boot/real

bench: all
	@kernel/bench

series:
	@kernel/export

install: programs
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 build/bin/* $(DESTDIR)$(PREFIX)/bin
	for page in $$(find Documentation -name '*.[1-8]'); do \
		install -D -m 644 -t $(DESTDIR)$(MANDIR)/man$${page##*.} $$page || exit; \
	done

clean:
	rm -rf build

packages:
	@kernel/packages

FORCE:

.PHONY: all help initramfs programs tests demo bench-programs run check check-all check-real bench series \
	install clean packages FORCE
