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
	openssl ca-certificates jq valgrind
DEPS       := $(DEPS_BUILD) $(DEPS_TEST)
# To build Debian packages, and to try them.
DEPS_DEB   := debhelper dpkg-dev build-essential
DEPS_CHECK_DEB := debootstrap lintian util-linux
# What .ci/run needs on top: sanitizer runtimes come with gcc.  Tests say "skipped" where one of them is missing.
DEPS_CI    := clang-tidy cppcheck nghttp2-client python3-jsonschema nginx-light haproxy chromium chromium-driver \
	$(DEPS_DEB) $(DEPS_CHECK_DEB)

# ---- goals that need no configuration, because they install what configure looks for, or make it themselves ----------
UNCONFIGURED := deps deps-ci promtool demo play check check-long bench unit deb check-deb clean distclean help
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
ROOMS    := base conf msg io flow graph api role
objects   = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)))
WAMD_O   := $(call objects,$(ROOMS:%=src/%/*.c)) $(PHONE_O:%=$(B)/obj/%.o)
SANDBOX_O := $(call objects,src/sandbox/*.c)
LOAD_O   := $(call objects,src/load/*.c)
CTL_O    := $(call objects,src/ctl/*.c)
PROGRAMS := $(patsubst src/%.c,$(B)/%,$(wildcard src/wamd.c src/wamctl.c src/wamd-sandbox.c src/wamd-load.c))
# What several unit tests share is a file of t/unit whose name does not begin with test_.
UNIT_O   := $(filter-out $(B)/obj/t/unit/test_%,$(call objects,t/unit/*.c))
UNITS    := $(patsubst t/unit/%.c,$(B)/unit/%,$(wildcard t/unit/test_*.c))
SCRIPTS  := $(sort $(wildcard src/lua/*.lua))
SCRIPT_LIBS := $(sort $(wildcard src/lua/lib/*.lua))

# ---- manuals: the tables of include/tbl go where the pages have their markers ----
PAGES := $(patsubst man/%,$(B)/man/%,$(wildcard man/*.[1-8]))
PLACES = sysconfdir=$(sysconfdir)/wamd rundir=$(runstatedir)/wamd statedir=$(localstatedir)/lib/wamd \
	logdir=$(localstatedir)/log/wamd docdir=$(docdir) version=$(VERSION)

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
	$(call stamp,$(WAMD_O) $(SANDBOX_O) $(LOAD_O) $(CTL_O) $(UNIT_O))

# $(call run,WORD,COMMAND): one short line for a command, or all of it with V=1.
run = @$(if $(V),,echo '  $(1) $(@:$(B)/%=%)';) $(if $(V),set -x;) $(2)

$(B)/obj/%.o: %.c $(B)/obj/flags
	@mkdir -p $(@D)
	$(call run,CC,$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<)

# The one file in C++, with ./configure --with-libphonenumber.
$(B)/obj/src/msg/phone_number.o: src/msg/phone_number.cc $(B)/obj/flags
	@mkdir -p $(@D)
	$(call run,CXX,$(CXX) -std=c++17 $(ALL_CPPFLAGS) -fvisibility=hidden -Wall -Wextra $(filter -Werror,$(WARN)) $(CFLAGS) $(HARDEN_CFLAGS) \
		-fPIE $(VARIANT) -MMD -MP -c -o $@ $<)

archive = $(call run,AR,rm -f $@; $(AR) rcs $@ $(filter %.o,$^))
$(B)/libwamd.a: $(WAMD_O) $(B)/obj/sources
	$(archive)
$(B)/libsandbox.a: $(SANDBOX_O) $(B)/obj/sources
	$(archive)
$(B)/libload.a: $(LOAD_O) $(B)/obj/sources
	$(archive)
$(B)/libctl.a: $(CTL_O) $(B)/obj/sources
	$(archive)
$(B)/libunit.a: $(UNIT_O) $(B)/obj/sources
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
$(B)/unit/%: $(B)/obj/t/unit/%.o $(B)/libunit.a $(B)/libctl.a $(B)/libload.a $(B)/libsandbox.a $(B)/libwamd.a
	@mkdir -p $(@D)
	$(call link,$(CHECK_LIBS) $(SANDBOX_LIBS) $(DEPS_LIBS))
$(B)/obj/t/unit/%.o: ALL_CPPFLAGS += $(CHECK_CFLAGS)
.PRECIOUS: $(B)/obj/%.o

$(B)/man/%: man/% man/generate $(wildcard include/tbl/*.h) build/config.mk
	@mkdir -p $(@D)
	$(call run,MAN,man/generate $(PLACES) $< >$@)

# ---- Lua into C ------------------------------------------------------------------------------------------------------
# Each decision src/lua/NAME.lua becomes one string lua_NAME.  A line "--@ NAME" in it stands for the library src/lua/lib/NAME.lua.
# "--@ rules" comes first and stays: settings go in front of it (src/io/script.c).  Comment lines and blank lines stay behind:
# Redis would keep them for nothing.
$(B)/gen/scripts_gen.h: $(SCRIPTS) $(SCRIPT_LIBS) Makefile
	@mkdir -p $(@D)
	@for lib in $$(sed -n 's/^[ \t]*--@ *//p' $(SCRIPTS)); do \
		[ $$lib = rules ] || [ -e src/lua/lib/$$lib.lua ] || { echo "src/lua: --@ $$lib: there is no src/lua/lib/$$lib.lua" >&2; exit 1; }; done
	@echo '  LUA $(@:$(B)/%=%)'; { echo '/* Made by the Makefile from src/lua; changes here are lost. */'; \
	for f in $(SCRIPTS); do \
		printf '\nstatic const char lua_%s[] =\n' "$$(basename $$f .lua | tr -c 'A-Za-z0-9\n' _)"; \
		awk '$$0 == "--@ rules" { print; next } $$1 == "--@" { f = "src/lua/lib/" $$2 ".lua"; while ((getline l < f) > 0) if (l !~ /^[ \t]*(--.*)?$$/) print l; \
			close(f); next } /^[ \t]*(--.*)?$$/ { next } { print }' $$f | \
			sed -e 's/[\\"]/\\&/g' -e 's/?/\\?/g' -e 's/.*/\t"&\\n"/'; \
		printf '\t"";\n'; \
	done; } >$@
$(B)/obj/src/io/script.o: $(B)/gen/scripts_gen.h

# ---- the console into C ----------------------------------------------------------------------------------------------
# One page: its style and its scripts, in the order of their names, go where the page has their markers.
CONSOLE := src/console/page.html src/console/style.css $(sort $(wildcard src/console/*.js))
$(B)/gen/console_gen.h: $(CONSOLE) Makefile
	@mkdir -p $(@D)
	@echo '  PAGE $(@:$(B)/%=%)'; { echo '/* Made by the Makefile from src/console; changes here are lost. */'; \
	printf '\nstatic const char console_page[] =\n'; \
	awk -v style=src/console/style.css -v scripts='$(filter %.js,$(CONSOLE))' ' \
		function put(files,   n, i, f, line) { n = split(files, f); for (i = 1; i <= n; i++) while ((getline line <f[i]) > 0) print line } \
		/^@style@$$/ { put(style); next }  /^@script@$$/ { put(scripts); next }  { print }' src/console/page.html | \
		sed -e 's/^[[:blank:]]*//' -e 's/[\"]/\\&/g' -e 's/?/\\?/g' -e 's/.*/\t"&\\n"/'; \
	printf '\t"";\n'; } >$@
$(B)/obj/src/api/console.o: $(B)/gen/console_gen.h

-include $(patsubst %.o,%.d,$(wildcard $(B)/obj/src/*.o $(B)/obj/src/*/*.o $(B)/obj/t/unit/*.o))

# ---- packages --------------------------------------------------------------------------------------------------------
.PHONY: deps deps-ci promtool
deps:
	@.ci/deps $(DEPS)
deps-ci: promtool
	@.ci/deps $(DEPS) $(DEPS_CI)
# For t1790 only; the package starts a daemon when it is installed, so its program is taken out of it.
promtool:
	@command -v promtool >/dev/null || [ -x build/prometheus/usr/bin/promtool ] || { mkdir -p build/prometheus && cd build/prometheus && \
		apt-get download -q prometheus && dpkg -x prometheus_*.deb . && rm -f prometheus_*.deb; } || echo 'promtool: not to be had'

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
GENERATED := $(B)/gen/scripts_gen.h $(B)/gen/console_gen.h
HEADERS  := $(wildcard include/*/*.h src/*.h src/*/*.h)
# The gcc analyzer and clang-tidy see what the compiler sees, without code generation.
ANALYZE_FLAGS = $(ALL_CPPFLAGS) -std=c11 $(filter-out -Werror,$(WARN)) -O2 -DWAMD_FAILPOINTS

.PHONY: analyze analyze-gcc analyze-tidy analyze-cppcheck tidy
analyze: analyze-gcc analyze-cppcheck analyze-tidy
	@echo "analyze: 0 findings"
tidy: analyze-tidy
analyze-gcc: $(ANALYZED:%.c=build/analyze/%.gcc)
analyze-tidy: $(ANALYZED:%.c=build/analyze/%.tidy)
build/analyze/%.gcc: %.c $(HEADERS) $(GENERATED)
	@mkdir -p $(@D)
	@echo "gcc -fanalyzer $<"; $(CC) $(ANALYZE_FLAGS) -fanalyzer -Werror -c -o /dev/null $< && touch $@
build/analyze/%.tidy: %.c $(HEADERS) $(GENERATED) .clang-tidy
	@mkdir -p $(@D)
	@echo "clang-tidy $<"; clang-tidy --quiet $< -- $(ANALYZE_FLAGS) 2>$@.err || { cat $@.err; exit 1; }; mv $@.err $@
# Non-reentrant getpwnam, getgrnam and readdir are fine: every process has one thread.  cppcheck reads no library's
# headers: jansson's loops must be told to it, without semicolons, at which it would cut a -D.
CPPCHECK_KNOWS := --suppress=getpwnamCalled --suppress=getgrnamCalled --suppress=readdirCalled \
	'-Djson_array_foreach(a,i,v)=while((v=json_array_get(a,i=json_array_size(a))))' \
	'-Djson_object_foreach(o,k,v)=while((k=json_object_iter_key(o))&&(v=json_object_iter_value(o)))'
analyze-cppcheck: $(GENERATED)
	@echo "cppcheck src"; cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 --inline-suppr \
		--std=c11 --library=posix --library=gnu --suppress=missingInclude --suppress=missingIncludeSystem \
		--suppress=unmatchedSuppression $(CPPCHECK_KNOWS) -D_GNU_SOURCE -DWAMD_FAILPOINTS -D__GNUC__=12 \
		-Iinclude -I$(B)/gen $(PATHS) $(ANALYZED)

# ---- install ---------------------------------------------------------------------------------------------------------
# What goes where, as MODE:FILE:PLACE.  Configuration that is already there is never touched; the samples always go to the
# documentation too.  etc/examples is for what stands around wamd, etc/*.json for programs.
SBIN     := $(filter %/wamd,$(PROGRAMS))
BIN      := $(filter-out %/wamd,$(PROGRAMS))
SAMPLES  := $(patsubst etc/%,%,$(wildcard etc/*.conf etc/tenants.d/*))
EXAMPLES := $(patsubst etc/examples/%,%,$(shell find etc/examples -type f))
DOCS     := $(wildcard etc/*.json README.md CHANGELOG.md LICENSE)
# Named as the program.
COMPLETIONS := $(B)/completion/wamctl
$(B)/completion/wamctl: $(B)/wamctl
	@mkdir -p $(@D)
	@$< completion >$@
# Files of packaging name the places of a Debian package; installed they name those of ./configure.
PLACED   := configured wamd.init wamd.default wamd.logrotate wamd.service wamd.sysusers wamd.tmpfiles
placed    = $(B)/packaging/$(1)
$(B)/packaging/%: packaging/% build/config.mk
	@mkdir -p $(@D)
	@sed -e 's,/usr/sbin/wamd,$(sbindir)/wamd,g' -e 's,/usr/libexec/wamd,$(libexecdir)/wamd,g' -e 's,/run/wamd,$(runstatedir)/wamd,g' \
		-e 's,/etc/\(wamd\|default\)\>,$(sysconfdir)/\1,g' -e 's,/var/\(lib\|log\)/wamd,$(localstatedir)/\1/wamd,g' $< >$@

TO_INSTALL = $(SBIN:%=0755:%:$(sbindir)/) $(BIN:%=0755:%:$(bindir)/) \
	0755:$(call placed,configured):$(libexecdir)/wamd/ \
	$(foreach f,$(PAGES),0644:$f:$(mandir)/man$(subst .,,$(suffix $f))/) \
	$(DOCS:%=0644:%:$(docdir)/) 0644:packaging/README:$(docdir)/packaging/ \
	$(foreach f,$(SAMPLES),0644:etc/$f:$(docdir)/examples/$f) \
	$(foreach f,$(EXAMPLES),0644:etc/examples/$f:$(docdir)/examples/$f) \
	$(COMPLETIONS:%=0644:%:$(datadir)/bash-completion/completions/) \
	0755:$(call placed,wamd.init):$(sysconfdir)/init.d/wamd 0644:$(call placed,wamd.logrotate):$(sysconfdir)/logrotate.d/wamd \
	0644:$(call placed,wamd.service):$(prefix)/lib/systemd/system/ \
	0644:$(call placed,wamd.sysusers):$(prefix)/lib/sysusers.d/wamd.conf 0644:$(call placed,wamd.tmpfiles):$(prefix)/lib/tmpfiles.d/wamd.conf
TO_KEEP = $(foreach f,$(SAMPLES),0640:etc/$f:$(sysconfdir)/wamd/$f) 0644:$(call placed,wamd.default):$(sysconfdir)/default/wamd
# Sets mode, from and to of the triple $f; a place that ends in a slash takes the file's own name.
split = mode=$${f%%:*} to=$(DESTDIR)$${f\#\#*:}; from=$${f\#*:}; from=$${from%:*}; case $$to in */) to=$$to$${from\#\#*/} ;; esac

.PHONY: install uninstall
install: all $(COMPLETIONS) $(foreach f,$(PLACED),$(call placed,$f))
	install -d -m 0750 $(DESTDIR)$(localstatedir)/lib/wamd $(DESTDIR)$(localstatedir)/log/wamd $(DESTDIR)$(sysconfdir)/wamd \
		$(DESTDIR)$(sysconfdir)/wamd/tenants.d
	@set -e; for f in $(TO_INSTALL); do $(split); echo "install $$to"; install -D -m $$mode $$from $$to; done
	@set -e; for f in $(TO_KEEP); do $(split); \
		if [ -e $$to ]; then echo "kept $$to"; else echo "install $$to"; install -D -m $$mode $$from $$to; fi; done

# Configuration, state and logs stay.
uninstall:
	@for f in $(TO_INSTALL); do $(split); echo "remove $$to"; rm -f $$to; done
	@for d in $(libexecdir)/wamd $(docdir); do [ ! -d $(DESTDIR)$$d ] || find $(DESTDIR)$$d -depth -type d -empty -delete; done
	@echo 'kept: $(DESTDIR)$(sysconfdir)/wamd $(DESTDIR)$(sysconfdir)/default/wamd $(DESTDIR)$(localstatedir)/lib/wamd $(DESTDIR)$(localstatedir)/log/wamd'

# ---- Debian packages -------------------------------------------------------------------------------------------------
# Into build/deb.  check-deb tries them in a Debian of its own (as root; see packaging/check).
.PHONY: deb check-deb
deb:
	@.ci/deps $(DEPS_BUILD) $(DEPS_DEB)
	@packaging/build build/deb
check-deb:
	@.ci/deps $(DEPS_BUILD) $(DEPS_DEB) $(DEPS_CHECK_DEB)
	@packaging/build build/deb
	@packaging/check build/deb

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
	@echo 'make bench      CPU, memory, latency, beside a bare loop and a sender in Node; many accounts, trouble, templates, media, HTTP (two hours)'
	@echo 'make analyze    gcc -fanalyzer, cppcheck and clang-tidy at 0 findings ("make deps-ci" installs them)'
	@echo 'make install    DESTDIR and ./configure --prefix --sysconfdir --localstatedir work as usual'
	@echo 'make uninstall  takes that away again, but for configuration and state'
	@echo 'make deb        Debian packages, into build/deb;  make check-deb tries them in a Debian of its own (as root)'
	@echo 'make clean | distclean'
