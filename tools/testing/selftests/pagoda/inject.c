// SPDX-License-Identifier: GPL-2.0
/*
 * Making one allocation fail, and seeing what became of it.
 *
 * The kernel's fault injection lets the Nth allocation of a thread fail, once
 * (/proc/self/fail-nth). An operation is repeated with N = 1, 2, 3... until it
 * ends before its Nth allocation. Each try is made in a new process from the
 * same scene, so what is there afterwards must be exactly what two runs without
 * a failure have left: one that stopped before the operation, if it failed, or
 * one that completed it, if it succeeded. Another process that shares the
 * scene's pages looks too: it must not notice.
 *
 * When all tries of an operation are over, as much memory must be in use as
 * before. A counter may drift for reasons of its own; only what grows in each
 * of several rounds is a leak.
 */
#include <linux/membarrier.h>
#include <stdarg.h>
#include <sys/utsname.h>

#define SUITE_NO_HARNESS
#include "inject.h"

#define MOST_TRIES	2000
#define ROUNDS		4
#define DEBUGFS		"/sys/kernel/debug/"
#define FIXED		(MAP_FIXED_NOREPLACE | MAP_PRIVATE | MAP_ANONYMOUS)
#define PAGES		(WINDOW_SIZE / 4096)

int tmpfs_fd, disk_fd;

/**
 * struct picture - what a process sees
 * @is:		for each page of the window what it is mapped as; 0: nothing
 * @has:	and what it contains
 * @outside:	what is mapped elsewhere
 * @areas:	number of areas in the window
 */
struct picture {
	unsigned int is[PAGES];
	unsigned int has[PAGES];
	unsigned long outside;
	int areas;
};

enum { ACTOR, PEER, ROLES };
enum mode { ALONE, PARENT_ACTS, CHILD_ACTS, MODES };
enum step { BEFORE, WANTED, TRY };

static const char *const mode_name[] = { "alone", "parent", "child" };

/* What the processes of a try tell each other. */
struct board {
	struct picture before[ROLES];
	struct picture wanted[ROLES];
	long result;		/* of the run without failure */
	bool injected;
	bool failed;
	char why[300];
};

static struct board *board;
static struct picture now;
static int nth_fd = -1, all_fd = -1;

static bool complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (!board->why[0])
		vsnprintf(board->why, sizeof(board->why), fmt, ap);
	va_end(ap);
	return false;
}

bool pagoda_runs(void)
{
	struct utsname u;

	return !uname(&u) && strstr(u.release, "pagoda");
}

/* -- injecting -- */

void inject_arm(unsigned int n)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", n);

	if (!n) {
		all_fd = open("/proc/self/make-it-fail", O_RDWR | O_CLOEXEC);
		if (write(all_fd, "1", 1) != 1)
			abort();
		return;
	}
	if (nth_fd < 0)
		nth_fd = open("/proc/self/fail-nth", O_RDWR | O_CLOEXEC);
	if (write(nth_fd, text, len) != len)
		abort();
}

bool inject_disarm(void)
{
	char text[16] = "";

	if (all_fd >= 0) {
		if (pwrite(all_fd, "0", 1, 0) != 1)
			abort();
		close(all_fd);
		all_fd = -1;
		return true;
	}
	if (pread(nth_fd, text, sizeof(text) - 1, 0) <= 0 ||
	    pwrite(nth_fd, "0", 1, 0) != 1)
		abort();
	/* It belongs to this process; a child has to open its own. */
	close(nth_fd);
	nth_fd = -1;
	return !atoi(text);
}

static const char *const settings[][2] = {
	{ DEBUGFS "failslab/ignore-gfp-wait", "N" },
	{ DEBUGFS "failslab/verbose", "0" },
	{ DEBUGFS "failslab/probability", "0" },
	{ DEBUGFS "failslab/cache-filter", "N" },
	{ DEBUGFS "failslab/task-filter", "Y" },
	{ DEBUGFS "failslab/times", "-1" },
	{ "/sys/kernel/slab/maple_node/failslab", "1" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N" },
	{ DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N" },
	{ DEBUGFS "fail_page_alloc/min-order", "0" },
	{ DEBUGFS "fail_page_alloc/verbose", "0" },
	{ DEBUGFS "fail_page_alloc/probability", "0" },
};

const char *inject_setup(void)
{
	if (access("/proc/self/fail-nth", W_OK))
		return "the kernel has no FAULT_INJECTION; that of DEBUG=1 has it";
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (write_text(settings[i][0], settings[i][1]))
			return "no FAILSLAB and FAIL_PAGE_ALLOC in /sys/kernel/debug";
	}
	tmpfs_fd = memory_file(12, 't');
	disk_fd = disk_file(12, 'd');
	if (tmpfs_fd < 0 || disk_fd < 0)
		return "no ext4 disk for the files";
	board = mmap(NULL, sizeof(*board), RW, SHARED_ANON, -1, 0);
	if (board == MAP_FAILED)
		return "no memory for the board";
	memset(board, 0, sizeof(*board));
	memset(&now, 1, sizeof(now));
	return NULL;
}

void inject_reset(void)
{
	char page[4096];
	const int fds[] = { tmpfs_fd, disk_fd };

	for (int f = 0; f < 2; f++) {
		ftruncate(fds[f], 0);
		for (int i = 0; i < 12; i++) {
			memset(page, (f ? 'd' : 't') + i, sizeof(page));
			pwrite(fds[f], page, PG, i * PG);
		}
		ftruncate(fds[f], 20 * PG);
	}
	fsync(disk_fd);
	posix_fadvise(disk_fd, 0, 0, POSIX_FADV_DONTNEED);
}

/* -- the scene -- */

static bool place(char *at, size_t pages, int prot, int flags, int fd)
{
	return mmap(at, pages * PG, prot, flags | MAP_FIXED_NOREPLACE, fd, 0) == at;
}

static bool place_anon(char *at, size_t pages, size_t written, int flags)
{
	if (!place(at, pages, RW, PRIVATE_ANON | flags, -1))
		return false;
	fill(at, written, at - WINDOW);
	return true;
}

static bool build(unsigned int has)
{
	bool good = true;

	if (has & HAS_SMALL) {
		good &= place_anon(SMALL, 24, 24, 0);
		good &= !mprotect(NEXT, 8 * PG, PROT_READ);
	}
	if (has & HAS_THREE) {
		good &= place_anon(THREE, 24, 0, 0);
		good &= !mprotect(THREE + 8 * PG, 8 * PG, PROT_NONE);
		fill(THREE + 16 * PG, 8, '3');
	}
	if (has & HAS_CROSS)
		good &= place_anon(CROSS, 64, 64, 0);
	if (has & HAS_WIDE) {
		good &= place_anon(WIDE, 768, 16, 0);
		/* Enough of them that fork may share their table. */
		fill(WIDE + 96 * PG, 16, '1');
		fill(WIDE + 256 * PG, 16, '2');
		fill(WIDE + 464 * PG, 48, '3');
		poke(WIDE + 700 * PG, 'w');
	}
	if (has & HAS_EMPTY)
		good &= place_anon(EMPTY, 64, 0, 0);
	if (has & HAS_ZEROES) {
		good &= place_anon(ZEROES, 16, 0, 0);
		for (int i = 0; i < 16; i++)
			peek(ZEROES + i * PG);
	}
	if (has & HAS_SHARED) {
		good &= place(SHARED, 16, RW, MAP_SHARED, tmpfs_fd);
		good &= place(COPY, 16, RW, MAP_PRIVATE, tmpfs_fd);
		fill(COPY, 4, 'C');
	}
	if (has & HAS_DISK) {
		good &= place(DISK, 16, RW, MAP_SHARED, disk_fd);
		good &= place(DISK_COPY, 16, RW, MAP_PRIVATE, disk_fd);
		/* No page comes into memory before it is asked for. */
		good &= !madvise(DISK, 16 * PG, MADV_RANDOM);
		good &= !madvise(DISK_COPY, 16 * PG, MADV_RANDOM);
		fill(DISK_COPY, 2, 'D');
	}
	if (has & HAS_LOCKED)
		good &= place_anon(LOCKED, 16, 16, MAP_LOCKED);
	if (has & HAS_STACK)
		good &= place_anon(STACK, 4, 4, MAP_GROWSDOWN);
	return good || complain("the scene cannot be made: %s", strerror(errno));
}

/* -- pictures -- */

struct seen {
	unsigned long start, end, offset, inode;
	char prot[8];
	unsigned long hash;
};

static unsigned long mix(unsigned long h, unsigned long v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15UL;
	return h ^ h >> 29;
}

static unsigned long mix_text(unsigned long h, const char *s)
{
	while (*s)
		h = mix(h, *s++);
	return h;
}

/*
 * A mremap that cannot cut the old place out of its area takes the mark of
 * accounted memory from all of the area on stock, so there that is not seen.
 */
static void hide_accounting(char *line)
{
	char *mark = strstr(line, " ac ");

	if (mark && !pagoda_runs())
		memset(mark + 1, '-', 2);
}

/* All of smaps at once, into memory that is there already. */
static int read_areas(struct seen *v, int max)
{
	static char text[192 * 1024];
	int fd = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC), nr = 0;
	size_t have = 0;
	ssize_t got;

	while ((got = read(fd, text + have, sizeof(text) - 1 - have)) > 0)
		have += got;
	close(fd);
	text[have] = 0;
	for (char *line = text; *line;) {
		struct seen s = { 0 };
		char *end = strchr(line, '\n');

		if (end)
			*end = 0;
		if (!strncmp(line, "VmFlags:", 8) && nr) {
			hide_accounting(line);
			v[nr - 1].hash = mix_text(v[nr - 1].hash, line);
		} else if (sscanf(line, "%lx-%lx %7s %lx %*x:%*x %lu", &s.start, &s.end,
				  s.prot, &s.offset, &s.inode) == 5 && nr < max) {
			/* Shared memory gets a new number each time. */
			if (strstr(line, "/dev/zero"))
				s.inode = 1;
			s.hash = mix_text(s.inode, s.prot);
			v[nr++] = s;
		}
		line = end ? end + 1 : line + strlen(line);
	}
	return nr;
}

static unsigned int page_has(const char *p, bool readable, int mem)
{
	static unsigned long page[512];
	const unsigned long *word = (const unsigned long *)p;
	unsigned long h = 0;

	if (!readable) {
		if (pread(mem, page, PG, (off_t)p) != PG)
			return 1;
		word = page;
	}
	for (int i = 0; i < 512; i++)
		h = mix(h, __atomic_load_n(word + i, __ATOMIC_RELAXED));
	return h;
}

/* Memory that nobody has used yet is zero, and need not be looked at. */
static bool unused(const struct seen *v, uint64_t entry)
{
	return !v->inode && !(entry >> 63);
}

static void take(struct picture *pic)
{
	static struct seen v[200];
	static uint64_t entries[PAGES];
	int nr = read_areas(v, ARRAY_SIZE(v));
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	int map = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	memset(pic, 0, sizeof(*pic));
	for (int i = 0; i < nr; i++) {
		unsigned long at = v[i].start, base = (unsigned long)WINDOW;

		if (at < base || at >= base + WINDOW_SIZE) {
			pic->outside = mix(pic->outside, v[i].hash);
			pic->outside = mix(mix(pic->outside, at), v[i].end);
			continue;
		}
		pic->areas++;
		pread(map, entries, (v[i].end - at) / PG * 8, at / PG * 8);
		for (uint64_t *e = entries; at < v[i].end; at += PG, e++) {
			size_t k = (at - base) / PG;
			unsigned long h = v[i].hash;

			if (v[i].inode)
				h = mix(h, v[i].offset + at - v[i].start);
			pic->is[k] = h | 1;
			if (unused(&v[i], *e))
				continue;
			pic->has[k] = page_has((char *)at, v[i].prot[0] == 'r', mem);
		}
	}
	close(map);
	close(mem);
}

static bool page_same(const struct picture *a, const struct picture *b, size_t i)
{
	return a->is[i] == b->is[i] && a->has[i] == b->has[i];
}

static bool same(const struct picture *a, const struct picture *b)
{
	return a->outside == b->outside && !memcmp(a->is, b->is, sizeof(a->is)) &&
	       !memcmp(a->has, b->has, sizeof(a->has));
}

static unsigned int excuse_of(const struct op *op)
{
	if ((op->excuse & ON_STOCK) && pagoda_runs())
		return 0;
	return op->excuse;
}

static bool within(const struct op *op, size_t i)
{
	char *at = WINDOW + i * PG;

	return at >= op->at && at < op->at + op->len;
}

/* It succeeded: is everything as it should be, but for what is excused? */
static bool completed(const struct op *op, const struct picture *is,
		      const struct picture *was, const struct picture *wanted)
{
	bool left = board->injected && (excuse_of(op) & LEFT);

	for (size_t i = 0; i < PAGES; i++) {
		if (page_same(is, wanted, i))
			continue;
		if (left && within(op, i) && is->is[i] == was->is[i] && !is->has[i])
			continue;
		return complain("succeeded, but page %zu is %s", i, !is->is[i] ? "gone" :
				page_same(is, was, i) ? "as before" :
				is->is[i] == wanted->is[i] ? "written" : "another");
	}
	return is->outside == wanted->outside ||
	       complain("succeeded, but areas outside of the window are not as wanted");
}

/* A failed operation: is everything as it was, but for what is excused? */
static bool unchanged(const struct op *op, const struct picture *is,
		      const struct picture *was, const struct picture *wanted)
{
	unsigned int excuse = excuse_of(op);

	for (size_t i = 0; i < PAGES; i++) {
		if (page_same(is, was, i))
			continue;
		if ((excuse & PART_DONE) && page_same(is, wanted, i))
			continue;
		if ((excuse & GONE) && within(op, i) && !is->is[i])
			continue;
		return complain("failed, but page %zu is %s", i, !is->is[i] ? "gone" :
				is->is[i] == was->is[i] ? "written" :
				page_same(is, wanted, i) ? "changed as wanted" : "another");
	}
	if (is->outside != was->outside)
		return complain("failed, but areas outside of the window changed");
	if (!excuse && pagoda_runs() && is->areas != was->areas)
		return complain("failed, but left %d areas of %d", is->areas, was->areas);
	return true;
}

/* -- tries -- */

static bool allowed(const struct op *op, long error)
{
	if (op->ends & NEVER_FAILS)
		return false;
	return error == ENOMEM || (error == ENOSPC && (op->ends & OR_ENOSPC)) ||
	       (error == EAGAIN && (op->ends & OR_EAGAIN)) ||
	       (error == EFAULT && (op->ends & OR_EFAULT));
}

static bool in_window(long address)
{
	return address >= (long)WINDOW && address < (long)WINDOW + (long)WINDOW_SIZE;
}

static bool judge(const struct op *op, long result)
{
	board->failed = result < 0;
	take(&now);
	if (result < 0) {
		if (!board->injected)
			return complain("failed without reason: %s", strerror(-result));
		if (!allowed(op, -result))
			return complain("failed with %s", strerror(-result));
		return unchanged(op, &now, &board->before[ACTOR], &board->wanted[ACTOR]);
	}
	if (result != board->result)
		return complain("returned %#lx instead of %#lx", result, board->result);
	return completed(op, &now, &board->before[ACTOR], &board->wanted[ACTOR]);
}

/* The process that does it. */
static bool actor(const struct op *op, enum step until, unsigned int n)
{
	bool good = true;
	long result;

	if (until == BEFORE) {
		take(&board->before[ACTOR]);
		return true;
	}
	if (until == TRY)
		inject_arm(n);
	result = op->act();
	if (until == TRY) {
		board->injected = inject_disarm();
		good = judge(op, result);
	} else {
		board->result = result;
		take(&board->wanted[ACTOR]);
		if (result < 0)
			good = complain("fails by itself: %s", strerror(-result));
	}
	if (op->maps && result > 0 && !in_window(result))
		munmap((void *)result, op->maps);
	return good;
}

/* The process that looks on; the actor has finished. */
static bool peer(enum step until)
{
	const struct picture *want = &board->before[PEER];

	if (until == BEFORE)
		take(&board->before[PEER]);
	else if (until == WANTED)
		take(&board->wanted[PEER]);
	if (until != TRY)
		return true;
	if (!board->failed)
		want = &board->wanted[PEER];
	take(&now);
	return same(&now, want) || complain("the other process's memory changed");
}

static bool ended_well(pid_t pid)
{
	int status = 0;

	if (waitpid(pid, &status, 0) != pid)
		return complain("no child to wait for");
	if (WIFSIGNALED(status))
		return complain("killed by signal %d", WTERMSIG(status));
	return !status || complain("ended with status %d", status);
}

/* Actor and peer are parent and child, or the other way round. */
static bool pair(const struct op *op, enum mode who, enum step until, unsigned int n)
{
	bool good = true;
	int done[2];
	pid_t pid;
	char c;

	if (pipe(done))
		return complain("no pipe");
	pid = fork();
	if (!pid) {
		close(done[1]);
		if (who == CHILD_ACTS) {
			good = actor(op, until, n);
		} else {
			read(done[0], &c, 1);
			good = peer(until);
		}
		_exit(!good);
	}
	if (who == PARENT_ACTS)
		good = actor(op, until, n);
	close(done[1]);
	good &= ended_well(pid);
	close(done[0]);
	if (who == CHILD_ACTS)
		good &= peer(until);
	return good;
}

/* KiB of page tables, with those for the board, which fork does not copy. */
static long own_tables(void)
{
	for (size_t i = 0; i < sizeof(*board); i += PG)
		peek((char *)board + i);
	return status_field(0, "VmPTE");
}

static bool play(const struct op *op, enum mode who, enum step until, unsigned int n)
{
	pid_t pid;

	if (op->scene & (HAS_SHARED | HAS_DISK))
		inject_reset();
	pid = fork();
	if (!pid) {
		long tables = own_tables();
		bool good = build(op->scene) &&
			    (who == ALONE ? actor(op, until, n) : pair(op, who, until, n));

		munmap(WINDOW, WINDOW_SIZE);
		if (good && !(op->ends & KEEPS_TABLES) && status_field(0, "VmPTE") > tables)
			good = complain("left %ld KiB of page tables, before %ld",
					status_field(0, "VmPTE"), tables);
		_exit(!good);
	}
	return ended_well(pid);
}

/* Tasks that are told to fail shall get no node of a maple tree. */
static void no_nodes(bool on)
{
	write_text(DEBUGFS "failslab/cache-filter", on ? "Y" : "N");
	write_text(DEBUGFS "failslab/probability", on ? "100" : "0");
}

static bool try_mode(const struct op *op, enum mode who, unsigned int *failures)
{
	unsigned int n, failed = 0;

	board->why[0] = 0;
	if (!play(op, who, BEFORE, 0) || !play(op, who, WANTED, 0)) {
		printf("# %s, %s: %s\n", op->name, mode_name[who], board->why);
		return false;
	}
	for (n = op->ends & NEVER_FAILS ? 1 : 0; n < MOST_TRIES; n++) {
		bool good;

		board->injected = false;
		board->failed = false;
		if (!n)
			no_nodes(true);
		good = play(op, who, TRY, n);
		if (!n)
			no_nodes(false);
		if (!good) {
			printf("# %s, %s, allocation %u: %s\n", op->name, mode_name[who],
			       n, board->why);
			return false;
		}
		if (!board->injected)
			break;
		failed += board->failed;
	}
	printf("# %s, %s: %u allocations, %u failures\n", op->name, mode_name[who], n - 1,
	       failed);
	*failures += failed;
	return n < MOST_TRIES;
}

bool inject_op(const struct op *op)
{
	bool good = true, leaks = true;

	for (int round = 0; good && leaks && round < ROUNDS; round++) {
		unsigned int failures = 0;

		for (int who = 0; who < MODES; who++)
			good &= try_mode(op, who, &failures);
		if (good && (op->ends & MUST_FAIL) && !failures) {
			printf("# %s: never failed\n", op->name);
			good = false;
		}
		leaks = inject_leaks(op->name, !(op->ends & STOCK_OVERCHARGES) ||
				     pagoda_runs());
	}
	fflush(stdout);
	return good && !leaks;
}

/* -- leaks -- */

static const char *const caches[] = {
	"vm_area_struct", "vma_lock", "maple_node", "anon_vma", "anon_vma_chain", "mm_struct",
	"page->ptl", "page_ptl", "task_struct", "pid", "filp", "shmem_inode_cache",
};

static const char *const kib[] = { "AnonPages", "PageTables", "Committed_AS", "Mlocked" };

#define CHARGE		(ARRAY_SIZE(caches) + 2)
#define COUNTERS	(ARRAY_SIZE(caches) + ARRAY_SIZE(kib))

/* Objects in use, after freed ones have left every place where they wait. */
static long objects(const char *cache)
{
	char path[128], line[256], name[64];
	long active, found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/sys/kernel/slab/%s/shrink", cache);
	if (write_text(path, "1"))
		return 0;
	f = fopen("/proc/slabinfo", "re");
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %ld", name, &active) == 2 && !strcmp(name, cache))
			found = active;
	}
	if (f)
		fclose(f);
	return found;
}

static void count(long *v)
{
	write_text("/proc/sys/vm/stat_refresh", "1");
	for (size_t i = 0; i < ARRAY_SIZE(caches); i++)
		v[i] = objects(caches[i]);
	for (size_t i = 0; i < ARRAY_SIZE(kib); i++)
		v[ARRAY_SIZE(caches) + i] = field_kib("/proc/meminfo", kib[i]);
}

bool inject_leaks(const char *name, bool charge)
{
	static long before[COUNTERS];
	static bool known;
	long after[COUNTERS];
	size_t i = COUNTERS;

	/* What waits for RCU comes back in a moment. */
	for (int wait = 0; wait < 60; wait++) {
		syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
		count(after);
		if (!known)
			break;
		if (!charge)
			before[CHARGE] = after[CHARGE];
		for (i = 0; i < COUNTERS && after[i] <= before[i]; i++)
			;
		if (i == COUNTERS)
			break;
		usleep(20000);
	}
	if (i < COUNTERS)
		printf("# %s: %s grew from %ld to %ld\n", name, i < ARRAY_SIZE(caches) ?
		       caches[i] : kib[i - ARRAY_SIZE(caches)], before[i], after[i]);
	memcpy(before, after, sizeof(before));
	known = true;
	return i < COUNTERS;
}
