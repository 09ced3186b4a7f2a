# SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
#
# Part of Kbuild: make features.h, which says what this kernel has.
#
# Each probes/NAME.c is compiled as kbuild compiles a module, see probe.sh. All
# of them are, anew, when kernel-key changes, which has all that tells one
# kernel, configuration and compiler from another; and so is every object.

compat-dir := $(obj)/module/compat
probe-names := $(sort $(notdir $(basename \
	$(wildcard $(src)/module/compat/probes/*.c))))
probe-results := $(addprefix $(compat-dir)/probes/,$(probe-names))
kernel-key := $(compat-dir)/kernel-key
features-header := $(compat-dir)/features.h

filechk_kernel_key = \
	echo $(CURDIR) $(objtree) $(srctree); \
	$(CC) --version 2>&1 | head -n 1; \
	cat $(objtree)/include/generated/compile.h \
		$(objtree)/include/generated/utsversion.h \
		$(objtree)/include/generated/utsrelease.h 2>/dev/null; \
	cat $(objtree)/include/generated/autoconf.h \
		$(objtree)/Module.symvers 2>/dev/null | cksum

$(kernel-key): FORCE
	$(call filechk,kernel_key)

probe-flags = $(filter-out -Wp$(comma)-MMD%,$(c_flags))
quiet_cmd_probe = PROBE   $(notdir $@)
      cmd_probe = $(CONFIG_SHELL) $(src)/module/compat/probe.sh $< $@ $(CC) \
		  $(probe-flags)

$(probe-results): part-of-module := y
$(compat-dir)/probes/%: $(src)/module/compat/probes/%.c \
		$(src)/module/compat/probe.sh $(kernel-key) FORCE
	$(call if_changed,probe)

# If the control fails there is no sense in the others.
$(filter-out %/control,$(probe-results)): $(compat-dir)/probes/control

filechk_features = cat $(compat-dir)/probes/control \
	$(filter-out %/control,$(probe-results))

$(features-header): $(probe-results) FORCE
	$(call filechk,features)

$(addprefix $(obj)/,$(bsdvm-y)): $(features-header) $(kernel-key)

compat-files := $(patsubst $(obj)/%,%,$(probe-results))
targets += $(compat-files)
clean-files += $(compat-files) $(addsuffix .log,$(compat-files)) \
	module/compat/kernel-key module/compat/features.h
