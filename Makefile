# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# For people:
#
#   make                  the module, for the running kernel or KDIR
#   make modules_install  install it where depmod finds it
#   make demo             boot a guest, load the module, show it (installs what
#                         is missing, by apt on Debian)
#   make check            the quick tests; last line: N passed, N failed
#   make check-all        everything there is, two at a time: the targets below
#                         too, without what only check-debug and check-install
#                         take the time for (MINUTES=80: what can be done then)
#   make check-kernels    build and selftests on every kernel supported; a
#                         table at the end (KERNELS='6.1 7.3': on these)
#   make check-debug      the same on kernels with every checker, and on one that
#                         looks for data races
#   make deb              the Debian packages, in build/deb, checked by lintian
#   make check-install    install by DKMS and by the Debian package, upgrade the
#                         kernel, purge, in guests that are Debian systems
#                         (RELEASES=trixie: in this one)
#   make model            check the model of what happens at the same time, in
#                         every order, by Spin; and that it notices each guard
#                         left out (Documentation/model.rst)
#   make bench            instructions per page, beside Linux's own ways
#                         (JSON=file: the figures as JSON as well)
#   make mutants          put faults in, one by one: some test must notice each
#                         (NAME="0012 0107": only these)
#   make torture          processes and threads that know what every page must
#                         hold, for SECONDS (300), with SEED (a new one), OPTIONS
#                         of tools/torture (--pressure, --cgroup)
#   make fuzz             the fuzzers, for SECONDS (60)
#   make coverage         lines of the core that no test reaches
#   make clean
#
# Parts of make check: unit, selftests, style, guest-tests, probe-tests.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.1
tools := $(CURDIR)/tools

# Linux builds no module below a directory that make takes for two.
ifneq ($(words $(CURDIR)),1)
$(error a directory without a space in its path is needed, not "$(CURDIR)")
endif

# A kernel built by clang wants its modules built the same way.
ifneq ($(wildcard $(KDIR)/include/config/CC_IS_CLANG),)
LLVM ?= 1
export LLVM
endif

.PHONY: modules modules_install clean demo check bench unit selftests style
.PHONY: guest-module guest-tests selftest-programs help headers-present
.PHONY: check-all check-kernels check-debug check-install probe-tests model
.PHONY: mutants torture fuzz coverage deb all-programs

modules: headers-present
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install: headers-present
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

headers-present:
	$(if $(wildcard $(KDIR)/Makefile),,$(error no kernel headers in $(KDIR): \
		install linux-headers-$(shell uname -r), or set KDIR))

clean:
	@test ! -e $(KDIR)/Makefile || $(MAKE) -C $(KDIR) M=$(CURDIR) clean
	rm -rf build

guest-module:
	@$(tools)/build-module $(KERNEL)

demo: guest-module
	@$(MAKE) --no-print-directory -C samples
	@$(tools)/demo $(KERNEL)

unit:
	@$(tools)/deps build check
	@$(MAKE) --no-print-directory -C vmcore/tests run tsan

selftest-programs:
	@$(tools)/deps selftests
	@$(MAKE) --no-print-directory -C selftests

# What runs in guests, for KERNEL.
all-programs:
	@$(tools)/selftest --build $(KERNEL)

selftests: guest-module selftest-programs
	@$(tools)/selftest $(KERNEL)

style:
	@$(tools)/deps build check
	@$(tools)/style

probe-tests:
	@$(tools)/tests/probe_test

guest-tests:
	@$(tools)/tests/guest_test $(KERNEL)

check:
	@$(tools)/check $(KERNEL)

check-all:
	@$(tools)/check-all $(if $(MINUTES),--minutes $(MINUTES))

check-kernels:
	@$(tools)/check-kernels $(KERNELS)

check-debug:
	@LONG=1 $(tools)/check-kernels $(or $(KERNELS),6.1-debug 7.3-debug 6.1-kcsan)

deb:
	@$(tools)/deb

check-install:
	@$(tools)/check-install $(RELEASES)

bench: guest-module selftest-programs
	@$(tools)/bench $(if $(JSON),--json $(abspath $(JSON))) $(KERNEL)

model:
	@$(tools)/model

mutants:
	@$(tools)/mutants --kernel $(KERNEL) $(NAME)

torture:
	@$(tools)/deps selftests
	@$(MAKE) --no-print-directory -s -C selftests torture
	@$(tools)/torture --kernel $(KERNEL) --seconds $(or $(SECONDS),300) \
		$(if $(SEED),--seed $(SEED)) $(OPTIONS)

fuzz:
	@$(tools)/fuzz $(or $(SECONDS),60)

coverage:
	@$(tools)/coverage

help:
	@sed -n '/^# For people/,/^$$/s/^# \?//p' Makefile
