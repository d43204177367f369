# wamd - build, test, install.  "make help" lists the targets.
#
#   make            build everything into build/ (runs autoconf and ./configure by itself)
#   make FAIL=1     the same with failpoints, into build/check (what "make check" tests)
#   make SAN=1      the same with ASan and UBSan, into build/san
#   WERROR=1        warnings are errors (also when CI=true)
#   V=1             show whole commands

SHELL := /bin/sh
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- packages: the one list (Debian names) ---------------------------------------------------------------------------
# To build; to run "make demo" and "make check" (erl_call is in erlang-base, which rabbitmq-server needs anyway).
DEPS_BUILD := gcc libc6-dev binutils make autoconf pkg-config libcurl4-openssl-dev librabbitmq-dev libhiredis-dev \
	libjansson-dev libconfig-dev libmicrohttpd-dev libssl-dev libnghttp2-dev
DEPS_TEST  := rabbitmq-server erlang-base redis-server check libsubunit-dev bash python3 perl mandoc procps util-linux curl \
	openssl ca-certificates
DEPS       := $(DEPS_BUILD) $(DEPS_TEST)
# What .ci/run needs on top: sanitizer runtimes come with gcc.
DEPS_CI    := clang-tidy cppcheck valgrind nghttp2-client

# ---- goals that need no configuration, because they install what configure looks for, or make it themselves ----------
UNCONFIGURED := deps deps-ci demo play check check-long bench unit clean distclean help
ifneq ($(filter-out $(UNCONFIGURED),$(or $(MAKECMDGOALS),all)),)
include build/config.mk
endif

configure: configure.ac
	autoconf

# An earlier ./configure --prefix=... is repeated with its own arguments, not forgotten.
build/config.mk: configure src/config.mk.in
	@mkdir -p build
	if [ -x config.status ]; then ./config.status --recheck && ./config.status; else ./configure; fi
	@touch $@

# ---- variants --------------------------------------------------------------------------------------------------------
ifdef SAN
B       := build/san
VARIANT := -DWAMD_FAILPOINTS -fsanitize=address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined
else ifdef FAIL
B       := build/check
VARIANT := -DWAMD_FAILPOINTS -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
else
B       := build
VARIANT := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif

# ---- flags -----------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow -Wpointer-arith -Wwrite-strings -Wvla \
	-Wformat=2 -Wswitch $(if $(filter true 1,$(CI) $(WERROR)),-Werror)
PATHS = -DWAMD_VERSION='"$(VERSION)"' -DWAMD_SYSCONFDIR='"$(sysconfdir)/wamd"' -DWAMD_RUNDIR='"$(runstatedir)/wamd"' \
	-DWAMD_STATEDIR='"$(localstatedir)/lib/wamd"' -DWAMD_LOGDIR='"$(localstatedir)/log/wamd"'
ALL_CPPFLAGS = -D_GNU_SOURCE -Iinclude -I$(B)/gen $(PATHS) $(DEPS_CFLAGS) $(SANDBOX_CFLAGS) $(CPPFLAGS)
# Hidden: libconfig 1.5 exports a strbuf_release of its own, and would call ours.
ALL_CFLAGS   = -std=c11 -fvisibility=hidden $(WARN) $(CFLAGS) $(HARDEN_CFLAGS) -fPIE $(VARIANT)
ALL_LDFLAGS  = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# ---- what there is ---------------------------------------------------------------------------------------------------
# A room is a directory; every .c in it belongs to it.  sandbox, load and ctl stay out of the daemon.
ROOMS    := base conf msg io flow api role
objects   = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)))
WAMD_O   := $(call objects,$(ROOMS:%=src/%/*.c))
SANDBOX_O := $(call objects,src/sandbox/*.c)
LOAD_O   := $(call objects,src/load/*.c)
CTL_O    := $(call objects,src/ctl/*.c)
PROGRAMS := $(patsubst src/%.c,$(B)/%,$(wildcard src/wamd.c src/wamctl.c src/wamd-sandbox.c src/wamd-load.c))
UNITS    := $(patsubst t/unit/%.c,$(B)/unit/%,$(wildcard t/unit/test_*.c))
SCRIPTS  := $(sort $(wildcard src/lua/*.lua))
SCRIPT_LIBS := $(sort $(wildcard src/lua/lib/*.lua))

# ---- manuals: the tables of include/tbl go where the pages have their markers ----
PAGES := $(patsubst man/%,$(B)/man/%,$(wildcard man/*.[1-8]))
PLACES = sysconfdir=$(sysconfdir)/wamd rundir=$(runstatedir)/wamd statedir=$(localstatedir)/lib/wamd \
	logdir=$(localstatedir)/log/wamd version=$(VERSION)

.PHONY: all units man
all: $(PROGRAMS) man
man: $(PAGES)
units: $(UNITS)

# ---- compile and link ------------------------------------------------------------------------------------------------
# Stamps: a changed flag or a removed source rebuilds what it concerns.  $(call stamp,TEXT) rewrites $@ if TEXT is new.
stamp = @mkdir -p $(@D); printf '%s\n' $(call quote,$(1)) | cmp -s - $@ || printf '%s\n' $(call quote,$(1)) >$@
quote = '$(subst ','\'',$(1))'
.PHONY: FORCE
$(B)/obj/flags: FORCE
	$(call stamp,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(CHECK_CFLAGS) $(ALL_LDFLAGS) $(DEPS_LIBS))
$(B)/obj/sources: FORCE
	$(call stamp,$(WAMD_O) $(SANDBOX_O) $(LOAD_O) $(CTL_O))

# $(call run,WORD,COMMAND): one short line for a command, or all of it with V=1.
run = @$(if $(V),,echo '  $(1) $(@:$(B)/%=%)';) $(if $(V),set -x;) $(2)

$(B)/obj/%.o: %.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)

archive = $(call run,AR,rm -f $@; $(AR) rcs $@ $(filter %.o,$^))
$(B)/libwamd.a: $(WAMD_O) $(B)/obj/sources
	$(archive)
$(B)/libsandbox.a: $(SANDBOX_O) $(B)/obj/sources
	$(archive)
$(B)/libload.a: $(LOAD_O) $(B)/obj/sources
	$(archive)
$(B)/libctl.a: $(CTL_O) $(B)/obj/sources
	$(archive)

link = $(call run,LD,$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(1))
$(B)/wamd: $(B)/obj/src/wamd.o $(B)/libwamd.a
	$(call link,$(DEPS_LIBS))
$(B)/wamctl: $(B)/obj/src/wamctl.o $(B)/libctl.a $(B)/libwamd.a
	$(call link,$(DEPS_LIBS))
$(B)/wamd-load: $(B)/obj/src/wamd-load.o $(B)/libload.a $(B)/libwamd.a
	$(call link,$(DEPS_LIBS))
$(B)/wamd-sandbox: $(B)/obj/src/wamd-sandbox.o $(B)/libsandbox.a $(B)/libwamd.a
	$(call link,$(SANDBOX_LIBS) $(DEPS_LIBS))

# A unit test may look into any room, the sandbox's, the load generator's and wamctl's too.
$(B)/unit/%: $(B)/obj/t/unit/%.o $(B)/libctl.a $(B)/libload.a $(B)/libsandbox.a $(B)/libwamd.a
	@mkdir -p $(@D)
	$(call link,$(CHECK_LIBS) $(SANDBOX_LIBS) $(DEPS_LIBS))
$(B)/obj/t/unit/%.o: ALL_CPPFLAGS += $(CHECK_CFLAGS)
.PRECIOUS: $(B)/obj/%.o

$(B)/man/%: man/% man/generate $(wildcard include/tbl/*.h) build/config.mk
	@mkdir -p $(@D)
	$(call run,MAN,man/generate $(PLACES) $< >$@)

# ---- Lua into C ------------------------------------------------------------------------------------------------------
# Each decision src/lua/NAME.lua becomes one string lua_NAME, behind the libraries that all decisions share.
# Comment lines and blank lines stay behind: Redis would keep them for nothing.
$(B)/gen/scripts_gen.h: $(SCRIPTS) $(SCRIPT_LIBS) Makefile
	@mkdir -p $(@D)
	@echo '  LUA $(@:$(B)/%=%)'; { echo '/* Made by the Makefile from src/lua; changes here are lost. */'; \
	for f in $(SCRIPTS); do \
		printf '\nstatic const char lua_%s[] =\n' "$$(basename $$f .lua | tr -c 'A-Za-z0-9\n' _)"; \
		awk '/^[ \t]*(--.*)?$$/ { next } { print }' $(SCRIPT_LIBS) $$f | \
			sed -e 's/[\\"]/\\&/g' -e 's/?/\\?/g' -e 's/.*/\t"&\\n"/'; \
		printf '\t"";\n'; \
	done; } >$@
$(B)/obj/src/io/script.o: $(B)/gen/scripts_gen.h

-include $(patsubst %.o,%.d,$(wildcard $(B)/obj/src/*.o $(B)/obj/src/*/*.o $(B)/obj/t/unit/*.o))

# ---- packages --------------------------------------------------------------------------------------------------------
.PHONY: deps deps-ci
deps:
	@.ci/deps $(DEPS)
deps-ci:
	@.ci/deps $(DEPS) $(DEPS_CI)

# ---- try it, test it -------------------------------------------------------------------------------------------------
# Each installs what is missing first, then builds in a second make: configure must find what deps has just installed.
.PHONY: demo play check check-long bench unit
demo: deps
	@+$(MAKE) -s --no-print-directory all
	@WAMD_BUILD=$(CURDIR)/$(B) t/demo
play: deps
	@+$(MAKE) -s --no-print-directory all
	@WAMD_BUILD=$(CURDIR)/$(B) t/demo --play
bench: deps
	@+$(MAKE) -s --no-print-directory all
	@WAMD_BUILD=$(CURDIR)/$(B) t/bench
# Tests run on the variant with failpoints (SAN=1 has them too).
CHECKED := $(if $(SAN),SAN=1,FAIL=1)
CHECKED_B := $(if $(SAN),build/san,build/check)
check: deps
	@+$(MAKE) -s --no-print-directory $(CHECKED) all units
	@WAMD_BUILD=$(CURDIR)/$(CHECKED_B) t/run $(T)
check-long: deps
	@+$(MAKE) -s --no-print-directory $(CHECKED) all units
	@WAMD_BUILD=$(CURDIR)/$(CHECKED_B) t/run --long $(T)
unit: deps
	@+$(MAKE) -s --no-print-directory $(CHECKED) units
	@WAMD_BUILD=$(CURDIR)/$(CHECKED_B) t/run --unit $(T)

# ---- static analysis: 0 findings, per file so that -j helps and nothing is done twice --------------------------------
ANALYZED := $(wildcard src/*.c src/*/*.c)
HEADERS  := $(wildcard include/*/*.h src/*.h src/*/*.h)
# The gcc analyzer and clang-tidy see what the compiler sees, without code generation.
ANALYZE_FLAGS = $(ALL_CPPFLAGS) -std=c11 $(filter-out -Werror,$(WARN)) -O2 -DWAMD_FAILPOINTS

.PHONY: analyze analyze-gcc analyze-tidy analyze-cppcheck tidy
analyze: analyze-gcc analyze-cppcheck analyze-tidy
	@echo "analyze: 0 findings"
tidy: analyze-tidy
analyze-gcc: $(ANALYZED:%.c=build/analyze/%.gcc)
analyze-tidy: $(ANALYZED:%.c=build/analyze/%.tidy)
build/analyze/%.gcc: %.c $(HEADERS) $(B)/gen/scripts_gen.h
	@mkdir -p $(@D)
	@echo "gcc -fanalyzer $<"; $(CC) $(ANALYZE_FLAGS) -fanalyzer -Werror -c -o /dev/null $< && touch $@
build/analyze/%.tidy: %.c $(HEADERS) $(B)/gen/scripts_gen.h .clang-tidy
	@mkdir -p $(@D)
	@echo "clang-tidy $<"; clang-tidy --quiet $< -- $(ANALYZE_FLAGS) 2>$@.err || { cat $@.err; exit 1; }; mv $@.err $@
# Non-reentrant getpwnam and getgrnam are fine: only single-threaded start-up code calls them.  cppcheck reads no library's
# headers: jansson's loops must be told to it, without semicolons, at which it would cut a -D.
CPPCHECK_KNOWS := --suppress=getpwnamCalled --suppress=getgrnamCalled \
	'-Djson_array_foreach(a,i,v)=while((v=json_array_get(a,i=json_array_size(a))))' \
	'-Djson_object_foreach(o,k,v)=while((k=json_object_iter_key(o))&&(v=json_object_iter_value(o)))'
analyze-cppcheck: $(B)/gen/scripts_gen.h
	@echo "cppcheck src"; cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--std=c11 --library=posix --library=gnu --suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress=unmatchedSuppression $(CPPCHECK_KNOWS) -D_GNU_SOURCE -DWAMD_FAILPOINTS -D__GNUC__=12 \
		-Iinclude -I$(B)/gen $(PATHS) $(ANALYZED)

# ---- install ---------------------------------------------------------------------------------------------------------
# Configuration that is already there is never touched; the samples always go to the documentation too.
.PHONY: install
SBIN := $(filter %/wamd,$(PROGRAMS))
BIN  := $(filter-out %/wamd,$(PROGRAMS))
install: all
	install -d $(DESTDIR)$(sbindir) $(DESTDIR)$(bindir) $(DESTDIR)$(docdir)
	install -d -m 0750 $(DESTDIR)$(localstatedir)/lib/wamd $(DESTDIR)$(localstatedir)/log/wamd $(DESTDIR)$(sysconfdir)/wamd
	$(if $(SBIN),install $(SBIN) $(DESTDIR)$(sbindir)/)
	$(if $(BIN),install $(BIN) $(DESTDIR)$(bindir)/)
	@set -e; for f in $(PAGES); do \
		d=$(DESTDIR)$(mandir)/man$${f##*.}; install -d $$d; echo "install $$f"; install -m 0644 $$f $$d/; done
	@set -e; for f in $$(cd etc && find . -type f | sed 's,^\./,,'); do \
		doc=$(DESTDIR)$(docdir)/examples/$$f to=$(DESTDIR)$(sysconfdir)/wamd/$$f; \
		install -D -m 0644 etc/$$f $$doc; \
		if [ -e $$to ]; then echo "kept $$to"; \
		else install -d -m 0750 $${to%/*}; echo "install etc/$$f"; install -m 0640 etc/$$f $$to; fi; done
	@set -e; for f in $(wildcard README.md LICENSE); do install -m 0644 $$f $(DESTDIR)$(docdir)/; done

# ---- housekeeping ----------------------------------------------------------------------------------------------------
.PHONY: clean distclean help
clean:
	@find build -mindepth 1 -maxdepth 1 ! -name config.mk -exec rm -rf {} + 2>/dev/null || :
distclean:
	rm -rf build configure configure~ config.log config.status autom4te.cache

help:
	@echo 'make            build wamd, wamctl, wamd-sandbox and wamd-load into build/'
	@echo 'make deps       install what is missing on Debian (apt, with sudo when not root; starts no service)'
	@echo 'make demo       see it send: private RabbitMQ and Redis, a sandbox Graph, real messages; ends by itself'
	@echo 'make play       the same, and it stays up until Ctrl-C'
	@echo 'make check      all tests, on the build with failpoints;  T="t1001 unit/test_x" runs these only'
	@echo 'make check SAN=1   the same under ASan and UBSan'
	@echo 'make check-long    with the long fault tests'
	@echo 'make unit       unit tests only'
	@echo 'make bench      messages per second, CPU per message, latency'
	@echo 'make analyze    gcc -fanalyzer, cppcheck and clang-tidy at 0 findings ("make deps-ci" installs them)'
	@echo 'make install    DESTDIR and ./configure --prefix --sysconfdir --localstatedir work as usual'
	@echo 'make clean | distclean'
