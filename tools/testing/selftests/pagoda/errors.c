// SPDX-License-Identifier: GPL-2.0
/*
 * The engine of errors_test.
 *
 * A row's process takes a picture of its address space (areas with their flags,
 * sums of the window's pages, the counts that limits look at), makes the call,
 * takes a second picture, and then uses every page of the window: what it may
 * do there must be what the areas say. The pictures are in memory shared with
 * the test, which compares: after a failed call they are the same, or the second
 * is what a call that does the permitted part leaves.
 *
 * Rows are played twice. Alone, a process makes the scene itself. As a sharer it
 * finds what its parent has made, in page tables that fork may have shared; the
 * parent's memory must not change then.
 */
#include "errors.h"

#define TEXT_SIZE	(48 * KIB)

struct picture {
	char areas[TEXT_SIZE];
	char rights[SCENE_END][5];	/* such as "rw-p"; empty in a hole */
	unsigned long sum[SCENE_END];
	long count[5];
};

/* What the process of a row, or of some rows, reports. */
struct report {
	struct picture before, after;
	long result;
	size_t done;
	char trouble[200];
};

static const char *const counts[] = { "VmSize", "VmLck", "VmPin", "VmData", "VmStk" };

static struct report *report, *other;
static bool on_pagoda, shared_pass, with_flags;

/* How the scene looks to a process that has just got it; the same for all. */
static struct picture *plain;
static int to_parent[2], to_child[2];

#define MAX_COUNT	"/proc/sys/vm/max_map_count"
#define OVERCOMMIT	"/proc/sys/vm/overcommit_memory"
#define RATIO		"/proc/sys/vm/overcommit_ratio"
#define MAX_FILES	"/proc/sys/fs/file-max"
#define MIN_PAGES	"/sys/kernel/mm/pagoda/share_min_pages"
#define COPIED		"/sys/kernel/mm/pagoda/tables_copied"

static void write_number(const char *path, long n)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", n);
	write_text(path, text);
}

/* -- pictures -- */

/* Each process has a file of its own for shared anonymous memory. */
static void hide_inode(char *line, size_t len)
{
	char *at = memmem(line, len, " 00:01 ", 7);

	if (!at || !memmem(line, len, "/dev/zero", 9))
		return;
	for (at += 7; *at >= '0' && *at <= '9'; at++)
		*at = '-';
	for (; *at == ' '; at++)
		*at = '-';
}

/* Lines of smaps that are about areas and their flags; or all of maps. */
static void read_areas(char *text)
{
	static char raw[256 * KIB];
	/* smaps goes through the page tables, and so ends their sharing. */
	bool flags = with_flags && !shared_pass;
	int fd = open(flags ? "/proc/self/smaps" : "/proc/self/maps", O_RDONLY);
	size_t have = 0, used = 0;
	ssize_t got;

	while ((got = read(fd, raw + have, sizeof(raw) - 1 - have)) > 0)
		have += got;
	close(fd);
	raw[have] = 0;
	for (char *line = raw, *end; (end = strchr(line, '\n')); line = end + 1) {
		bool area = line[0] >= 'a' ? line[0] <= 'f' : line[0] <= '9';

		if (!area && strncmp(line, "VmFlags", 7))
			continue;
		if (used + (end - line) + 2 > TEXT_SIZE)
			abort();
		memcpy(text + used, line, end + 1 - line);
		if (area)
			hide_inode(text + used, end - line);
		used += end + 1 - line;
	}
	text[used] = 0;
}

/* Spread what a picture's text says over the pages of the window. */
static void read_rights(struct picture *pic)
{
	unsigned long start, stop;
	char *p;

	memset(pic->rights, 0, sizeof(pic->rights));
	for (const char *line = pic->areas; *line; line = strchr(line, '\n') + 1) {
		if (line[0] == 'V')
			continue;
		start = strtoul(line, &p, 16);
		stop = strtoul(p + 1, &p, 16);
		for (int i = 0; i < SCENE_END; i++) {
			if (start <= AT(i) && AT(i) < stop)
				memcpy(pic->rights[i], p + 1, 4);
		}
	}
}

static unsigned long sum_page(const unsigned long *p)
{
	unsigned long sum = 0;

	if (try_read(p) != NO_FAULT)
		return 1;
	for (int i = 0; i < (int)(P / sizeof(*p)); i++)
		sum = sum * 31 + p[i];
	return sum | 2;
}

static void sum_pages(struct picture *pic)
{
	for (int i = 0; i < SCENE_END; i++)
		pic->sum[i] = pic->rights[i][0] == 'r' ? sum_page((const unsigned long *)AT(i)) : 0;
}

static void take_picture(struct picture *pic)
{
	static char raw[8 * KIB];
	int fd;

	read_areas(pic->areas);
	read_rights(pic);
	sum_pages(pic);
	fd = open("/proc/self/status", O_RDONLY);
	raw[read(fd, raw, sizeof(raw) - 1)] = 0;
	close(fd);
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		char *at = strstr(raw, counts[i]);

		pic->count[i] = at ? atol(at + strlen(counts[i]) + 1) : -1;
	}
}

/* Larger mappings of secret memory reach beyond it, too. */
static bool beyond_file(int page)
{
	return (page >= SHORT + 2 && page < SHORT + 4) || page >= SECRET + 2;
}

/*
 * Write to what a sharer may have in shared tables. If that should be seen by the
 * parent, its next picture will show it.
 */
static void write_private(void)
{
	for (int i = WRITABLE; i < PRIVATE; i++) {
		const char *r = report->after.rights[i];

		int got = r[1] == 'w' ? try_write((char *)AT(i)) : NO_FAULT;

		if (got != NO_FAULT && got != SEGV_KEY)
			snprintf(report->trouble, sizeof(report->trouble),
				 "page %d is %s, but cannot be written to", i, r);
	}
}

/* Use each page of the window, and expect what the areas say. */
static void use_pages(void)
{
	for (int i = 0; i < SCENE_END; i++) {
		const char *r = report->after.rights[i];
		int want = !r[0] ? SEGV_NOTHING : strncmp(r, "---", 3) ? NO_FAULT : SEGV_DENIED;
		char *p = (char *)AT(i), c = 0;
		int got;

		got = try_read(p);
		if (got == BUS_BEYOND && beyond_file(i))
			continue;
		/* A handler begins with access to key 0 only, and is never left. */
		if (got == SEGV_KEY)
			continue;
		if (got == want && r[0]) {
			if (want == NO_FAULT)
				c = peek(p);
			want = r[1] == 'w' ? NO_FAULT : SEGV_DENIED;
			got = try_write(p);
			if (got == NO_FAULT)
				poke(p, c);
		}
		if (got == want)
			continue;
		snprintf(report->trouble, sizeof(report->trouble),
			 "page %d is %s, its use ended with %d:%d", i, r[0] ? r : "not",
			 got >> 8, got & 0xff);
		return;
	}
}

/* -- one row -- */

static long map_count(void)
{
	static struct area v[256];
	long n = maps_read(0, v, ARRAY_SIZE(v));

	/* The vsyscall page is listed, and no area. */
	return n - !strcmp(v[n - 1].name, "[vsyscall]");
}

static void set_limit(const struct row *r)
{
	switch (r->with) {
	case AS_LIMIT:
		limit(RLIMIT_AS, status_field(0, "VmSize") * 1024 + r->n * P);
		break;
	case DATA_LIMIT:
		limit(RLIMIT_DATA, status_field(0, "VmData") * 1024 + r->n * P);
		break;
	case LOCK_LIMIT:
		limit(RLIMIT_MEMLOCK, r->n * P);
		break;
	case COUNT_LIMIT:
		write_number(MAX_COUNT, map_count() + r->n);
		break;
	case COMMIT_LIMIT:
		write_number(OVERCOMMIT, 2);
		write_number(RATIO, 0);
		break;
	case FILE_LIMIT:
		write_number(MAX_FILES, 0);
		break;
	case NO_LIMIT:
		break;
	}
	if ((r->user || r->with == LOCK_LIMIT) && drop_root())
		abort();
}

static bool of_system(enum with with)
{
	return with == COUNT_LIMIT || with == COMMIT_LIMIT || with == FILE_LIMIT;
}

/* Addresses may have the sign bit of a long. */
static bool is_error(long result)
{
	return (unsigned long)result > -4096UL;
}

static long perform(const struct act *a)
{
	const unsigned long *v = a->arg;
	long result;

	/* Machines of 32 bits have other calls, and the C library knows which. */
	if (a->nr == SYS_mmap)
		result = (long)mmap((void *)v[0], v[1], v[2], v[3], v[4], (off_t)v[5]);
	else
		result = syscall(a->nr, v[0], v[1], v[2], v[3], v[4], v[5]);

	/* brk() has no error: it returns where the heap ends now. */
	if (a->nr == SYS_brk)
		return result == (long)v[0] ? 0 : -ENOMEM;
	return result == -1 ? -errno : result;
}

/* A limit of the system is the parent's to put back. */
static void wait_for_parent(const struct row *r)
{
	char c = 0;

	if (!of_system(r->with))
		return;
	write(to_parent[1], &c, 1);
	read(to_child[0], &c, 1);
}

static int play(const struct row *r, const struct act *act)
{
	if (shared_pass)
		scene_lock();
	else
		scene_make();
	if (r->first.nr && is_error(perform(&r->first))) {
		snprintf(report->trouble, sizeof(report->trouble), "its first call failed: %s",
			 strerror(errno));
		wait_for_parent(r);
		return 1;
	}
	if (r->first.nr)
		take_picture(&report->before);
	else if (!plain->areas[0])
		take_picture(plain);
	set_limit(r);
	report->result = perform(act);
	wait_for_parent(r);
	if (!is_error(report->result) && act == &r->act)
		return 0;
	take_picture(&report->after);
	if (shared_pass)
		write_private();
	else
		use_pages();
	return 0;
}

static void restore_system(const long *was)
{
	write_number(MAX_COUNT, was[0]);
	write_number(OVERCOMMIT, was[1]);
	write_number(RATIO, was[2]);
	write_number(MAX_FILES, was[3]);
}

/* In a process of its own. */
static void run(const struct row *r, const struct act *act, struct report *into)
{
	long was[] = { read_number(MAX_COUNT), read_number(OVERCOMMIT), read_number(RATIO),
		       read_number(MAX_FILES) };
	int status = -1;
	char c = 0;
	pid_t pid;

	report = into;
	report->result = LONG_MIN;
	report->trouble[0] = 0;
	report->before.areas[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(play(r, act));
	if (of_system(r->with)) {
		read(to_parent[0], &c, 1);
		restore_system(was);
		write(to_child[1], &c, 1);
	}
	waitpid(pid, &status, 0);
	if (status && !report->trouble[0])
		snprintf(report->trouble, sizeof(report->trouble), "it died: status %x", status);
}

/* -- judging -- */

static void line_of(const char *text, size_t at, char *into, size_t size)
{
	while (at && text[at - 1] != '\n')
		at--;
	snprintf(into, size, "%.*s", (int)strcspn(text + at, "\n"), text + at);
}

/* Say what differs; true if nothing does. */
static bool same_pages(const struct picture *a, const struct picture *b, char *why, size_t size)
{
	for (int i = 0; i < SCENE_END; i++) {
		if (a->sum[i] != b->sum[i] || strcmp(a->rights[i], b->rights[i])) {
			snprintf(why, size, "page %d holds or allows something else", i);
			return false;
		}
	}
	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (a->count[i] != b->count[i]) {
			snprintf(why, size, "%s: wanted %ld, there is %ld", counts[i],
				 a->count[i], b->count[i]);
			return false;
		}
	}
	return true;
}

/* The same, and the areas to the last flag. */
static bool same(const struct picture *a, const struct picture *b, char *why, size_t size)
{
	char left[160], right[160];
	size_t at = 0;

	while (a->areas[at] && a->areas[at] == b->areas[at])
		at++;
	if (a->areas[at] == b->areas[at])
		return same_pages(a, b, why, size);
	line_of(a->areas, at, left, sizeof(left));
	line_of(b->areas, at, right, sizeof(right));
	snprintf(why, size, "areas: wanted [%s], there is [%s]", left, right);
	return false;
}

static bool result_right(long got, long want)
{
	return want == ANYWHERE ? got && !is_error(got) : got == want;
}

static bool judge(const struct row *r, char *why, size_t size)
{
	long want = r->want;
	const struct picture *before = r->first.nr ? &report->before : plain;
	bool part = r->partly == PART_DONE || r->partly == PART_ALIKE ||
		    (!on_pagoda && (r->partly == STOCK_DONE || r->partly == STOCK_ALIKE));

	run(r, &r->act, report);
	if (report->trouble[0]) {
		snprintf(why, size, "%s", report->trouble);
		return false;
	}
	if (r->on_pagoda && on_pagoda)
		want = r->on_pagoda;
	if (!result_right(report->result, want)) {
		snprintf(why, size, "returned %ld, wanted %ld", report->result, want);
		return false;
	}
	if (!is_error(want))
		return true;
	if (r->partly == STOCK_SPLITS && !on_pagoda)
		return same_pages(before, &report->after, why, size);
	if (!part)
		return same(before, &report->after, why, size);

	/* The reference: the same process makes the call that does the part. */
	struct report *mine = report;
	struct row quiet = *r;
	bool right;

	quiet.with = NO_LIMIT;
	run(&quiet, &quiet.part, other);
	report = mine;
	right = !is_error(other->result) && !other->trouble[0];
	if (!right)
		snprintf(why, size, "its part returned %ld", other->result);
	if (!right)
		return false;
	if (r->partly == PART_ALIKE || r->partly == STOCK_ALIKE)
		return same_pages(&other->after, &report->after, why, size);
	return same(&other->after, &report->after, why, size);
}

/* A sum over the window of the peer, by the kernel. */
static unsigned long peer_sum(void)
{
	unsigned long sum = 0, buf[P / sizeof(long)];
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/mem", peer);
	fd = open(path, O_RDONLY);
	for (int i = 0; i < SCENE_END; i++) {
		if (pread(fd, buf, P, AT(i)) != (ssize_t)P)
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(buf); k++)
			sum = sum * 31 + buf[k];
	}
	close(fd);
	return sum;
}

static bool about_peer(const struct row *r)
{
	return r->act.nr == SYS_process_vm_readv || r->act.nr == SYS_process_vm_writev ||
	       r->act.nr == SYS_process_madvise;
}

/* A call that fails, leaves everything as it was, and needs no preparation. */
static bool is_plain(const struct row *r)
{
	return is_error(r->want) && !r->on_pagoda && r->partly == NOTHING_DONE && !r->with &&
	       !r->user && !r->first.nr;
}

/*
 * Play plain rows one after another, for each finds what the last one found; a
 * sharer only up to a row that had tables copied.
 */
static int play_plain(const struct row *row, size_t n)
{
	size_t size = sizeof(report->trouble);

	long copied;

	if (shared_pass)
		scene_lock();
	else
		scene_make();
	if (!plain->areas[0])
		take_picture(plain);
	copied = shared_pass ? read_number(COPIED) : 0;
	while (report->done < n && !report->trouble[0]) {
		const struct row *r = &row[report->done++];

		report->result = perform(&r->act);
		take_picture(&report->after);
		if (!result_right(report->result, r->want))
			snprintf(report->trouble, size, "returned %ld, wanted %ld",
				 report->result, r->want);
		else
			same(plain, &report->after, report->trouble, size);
		if (shared_pass && read_number(COPIED) != copied)
			break;
	}
	if (!report->trouble[0] && shared_pass)
		write_private();
	else if (!report->trouble[0])
		use_pages();
	return 0;
}

/* The same in a process of its own; how many rows it got through. */
static size_t run_plain(const struct row *row, size_t n, char *why, size_t size)
{
	int status;
	pid_t pid;

	report->done = 0;
	report->trouble[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(play_plain(row, n));
	waitpid(pid, &status, 0);
	snprintf(why, size, status ? "it died" : "%s", report->trouble);
	return report->done ? report->done : 1;
}

/* Rows from the first of them that can be tried together; that or some are. */
static size_t try_rows(const struct row *row, size_t n, char *why, size_t size)
{
	size_t together = 0;

	while (together < n && is_plain(&row[together]) &&
	       !(shared_pass && row[together].alone) &&
	       about_peer(&row[together]) == about_peer(row))
		together++;
	why[0] = 0;
	if (together)
		return run_plain(row, together, why, size);
	judge(row, why, size);
	return 1;
}

/* One pass over the rows; mine is a picture of this process, if it has a scene. */
static int pass(const char *name, const struct row *row, size_t n, struct picture *mine)
{
	static struct picture now;
	int wrong = 0;
	char why[500];

	for (size_t i = 0; i < n;) {
		unsigned long sum = 0;

		if (mine && row[i].alone) {
			i++;
			continue;
		}
		if (about_peer(&row[i]) && !row[i].peer)
			sum = peer_sum();
		i += try_rows(&row[i], n - i, why, sizeof(why));
		if (!why[0] && mine) {
			take_picture(&now);
			same(mine, &now, why, sizeof(why));
		}
		if (!why[0] && sum && peer_sum() != sum)
			snprintf(why, sizeof(why), "the peer's memory has changed");
		if (why[0]) {
			printf("# %s, %s%s: %s\n", name, row[i - 1].what,
			       mine ? " (sharer)" : "", why);
			wrong++;
		}
	}
	return wrong;
}

static void prepare(void)
{
	on_pagoda = !access("/sys/kernel/mm/pagoda", F_OK);
	pipe(to_parent);
	pipe(to_child);
	/* What is printed must not be in a buffer when a row's process is forked. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	report = mmap(NULL, 2 * sizeof(*report) + sizeof(*plain), RW, SHARED_ANON, -1, 0);
	other = report + 1;
	plain = (struct picture *)(report + 2);
}

/* Is the row about memory that is sealed, or to be? */
static bool about_seal(const struct row *r)
{
	const unsigned long *v = r->act.arg, low = AT(SEALED), high = AT(SEALED + 4);

	return r->act.nr == SYS_mseal || r->first.nr == SYS_mseal ||
	       (v[0] < high && v[0] + v[1] > low) || (v[4] < high && v[4] + v[2] > low);
}

static bool about_secret(const struct row *r)
{
	const unsigned long *v = r->act.arg;

	return strstr(r->what, "secret") ||
	       (v[0] < AT(SECRET + 2) && v[0] + v[1] > AT(SECRET));
}

/* The rows that this machine has a use for; their number is left in @n. */
static const struct row *fitting(const struct row *row, size_t *n)
{
	struct row *fit = calloc(*n, sizeof(*fit));
	size_t kept = 0;

	if (!fit)
		abort();
	for (size_t i = 0; i < *n; i++) {
		if (!have_mseal() && about_seal(&row[i]))
			continue;
		if (!have_secret() && about_secret(&row[i]))
			continue;
		if (!vdso_has_parts && strstr(row[i].what, "vdso"))
			continue;
		fit[kept++] = row[i];
	}
	*n = kept;
	return fit;
}

int errors_rows(const char *name, const struct row *row, size_t n)
{
	static struct picture mine;
	long min = read_number(MIN_PAGES);
	int wrong;

	row = fitting(row, &n);
	prepare();
	plain->areas[0] = 0;
	wrong = pass(name, row, n, NULL);

	shared_pass = true;
	write_number(MIN_PAGES, 1);
	scene_make();
	take_picture(&mine);
	*plain = mine;
	wrong += pass(name, row, n, &mine);
	if (min >= 0)
		write_number(MIN_PAGES, min);
	printf("# %s: %zu rows, alone and as a sharer\n", name, n);
	return wrong;
}

int errors_rows_flags(const char *name, const struct row *row, size_t n)
{
	with_flags = true;
	return errors_rows(name, row, n);
}
