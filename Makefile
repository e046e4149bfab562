# SPDX-License-Identifier: GPL-2.0
#
# What people run. Each target is a script in tools/pagoda/; `make help` lists
# them. Linux itself is built by its own Makefile, in build/.

ARCH ?= x86_64
VM ?= pagoda
PAGODA_VARS := ARCH CONFIG VM LINUX_SRC V DEBUG TIMEOUT APPEND CPUS SECONDS COUNT SEED TESTS COVERAGE ROW
export $(PAGODA_VARS)
export PYTHONDONTWRITEBYTECODE = 1

help:
	@sed -n 's/^#: \{0,1\}//p' $(firstword $(MAKEFILE_LIST))

run: tools
	@tools/pagoda/boot.py run
shell: tools
	@tools/pagoda/boot.py shell
ifeq ($(ARCH),all)
check:
	@tools/pagoda/check_all.py
else
check: tools
	@tools/pagoda/check.py
endif
fuzz: tools
	@tools/pagoda/fuzz.py
inject: tools
	@DEBUG=1 tools/pagoda/inject.py
check-user:
	@tools/pagoda/install user
	@tools/pagoda/check_user.py
fuzz-user:
	@tools/pagoda/install user
	@tools/pagoda/fuzz_user.py
coverage:
	@tools/pagoda/install user
	@FLAVOUR=coverage tools/pagoda/coverage.py
kselftest:
	@tools/pagoda/install kselftest
	@BOTH=$(if $(filter file,$(origin VM)),1) tools/pagoda/kselftest.py
stress:
	@tools/pagoda/install stress
	@CPUS=$(or $(CPUS),4) tools/pagoda/stress.py
powercut: tools
	@tools/pagoda/powercut.py
image: tools
	@tools/pagoda/image.py
bench:
	@tools/pagoda/install bench
	@tools/pagoda/bench.py
profile:
	@tools/pagoda/install bench
	@BOTH=$(if $(filter file,$(origin VM)),1) tools/pagoda/profile.py
bench-redis:
	@tools/pagoda/install redis
	@tools/pagoda/bench_redis.py
tools:
	@tools/pagoda/install

clean:
	rm -rf build

.PHONY: help run shell check fuzz inject check-user fuzz-user coverage kselftest stress powercut \
	image bench profile bench-redis tools clean
.NOTPARALLEL:

#: Pagoda: a virtual-memory core for Linux 6.12.
#:
#:   make run      build, boot in QEMU, run the tour; status 0 if all of it held
#:   make shell    the same kernel with an interactive shell
#:   make check    contract, KUnit suites and user-space suites; ends with a count
#:   make fuzz     random calls over process trees against a model, for SECONDS=300
#:                 from SEED=; a failing sequence is made short and printed
#:   make inject   each allocation of each call fails once, on the kernel of DEBUG=1
#:   make check-user   the core as a program, under sanitizers: suites, allocations
#:                 that fail, some fuzzing; COVERAGE=1 for gcov in build/user-cov
#:   make fuzz-user    libFuzzer on it for SECONDS=300; the corpus is kept
#:   make coverage which lines of Pagoda the suites run, by file; below 90 % is an error
#:   make kselftest  the kernel's own selftests, on stock and on Pagoda (VM= for one):
#:                 build/kselftest/; what stock passes Pagoda must pass
#:   make stress   stress-ng, trinity and the OOM killer on 4 processors, for
#:                 SECONDS=300 from SEED=
#:   make powercut the power goes while shared mappings are written, COUNT=10
#:                 times from SEED=: what msync confirmed must be on the disk
#:   make image    build only: build/ARCH-VM/ is the kernel's object tree
#:   make bench    instructions an operation, stock and Pagoda: build/bench/
#:   make profile ROW=NAME  where the instructions of a row of make bench go, by function,
#:                 on stock and on Pagoda (VM= for one): build/profile/
#:   make bench-redis  BGSAVE of 512 MiB in redis on both; in the same report
#:   make clean    remove build/
#:
#: Variables:
#:   ARCH=x86_64       or i386, arm64, riscv64; without an MMU m68k-nommu, riscv64-nommu
#:   VM=pagoda|stock   which virtual-memory core; default pagoda
#:   LINUX_SRC=PATH    a Linux 6.12 tree or tar archive instead of Debian's package
#:   DEBUG=1           with lockdep, KASAN and the kernel's VM checks; or with one kind
#:                     of check: DEBUG=kasan|lockdep|kcsan|vm
#:   CPUS=2            processors of the guest, 1 to 8
#:   TIMEOUT=SECONDS   how long the guest may take
#:   APPEND="ARGS"     more kernel arguments, such as no5lvl
#:   TESTS="mm/*"      only these of make kselftest
#:   V=1               show everything that is run
#:
#: What is missing is installed with apt-get when run as root.
