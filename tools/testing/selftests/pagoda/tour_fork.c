// SPDX-License-Identifier: GPL-2.0
/*
 * Step 7: fork and copy-on-write.
 *
 * Parent, child and grandchild hold the same pages. Frames are read by the
 * parent from outside; a letter stands for a frame. The children do what a
 * shared page of orders tells them.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tour.h"

#define PAGES	16

/* One order at a time: who shall do what; done counts orders obeyed. */
struct orders {
	int who;
	int done;
	char act;
	unsigned int mask;
	bool right;
	pid_t pid[3];
};

static struct orders *orders;
static char *mem;
static char seen[3][PAGES];		/* what is written in each page by whom */
static unsigned long frames[3][PAGES];

static void write_pages(int who, unsigned int mask, char tag)
{
	for (int i = 0; i < PAGES; i++) {
		if (mask & (1U << i))
			poke(mem + i * page_size() + who, tag + i);
	}
}

/*
 * Byte w of a page is written by process w alone. A process sees its own, and
 * those of its elders as they were when it was forked; its copy of @seen, as
 * old as itself, says which.
 */
static bool reads_right(int who)
{
	bool right = true;

	for (int i = 0; i < PAGES; i++) {
		for (int w = 0; w < 3; w++) {
			char want = w <= who ? seen[w][i] : 0;

			right &= peek(mem + i * page_size() + w) == want;
		}
	}
	return right;
}

static void live(int who)
{
	int last = 0;

	for (;;) {
		int n = __atomic_load_n(&orders->who, __ATOMIC_ACQUIRE);

		if (n == last || (n & 3) != who) {
			usleep(500);
			continue;
		}
		last = n;
		if (orders->act == 'w') {
			write_pages(who, orders->mask, 'a');
			for (int i = 0; i < PAGES; i++)
				seen[who][i] = orders->mask & (1U << i) ? 'a' + i : seen[who][i];
		} else if (orders->act == 'r') {
			orders->right = reads_right(who);
		} else if (orders->act == 'f') {
			pid_t pid = fork();

			if (!pid) {
				who++;
				continue;
			}
			orders->pid[who + 1] = pid;
		} else {
			__atomic_store_n(&orders->done, n, __ATOMIC_RELEASE);
			while (wait(NULL) > 0)
				;
			_exit(0);
		}
		__atomic_store_n(&orders->done, n, __ATOMIC_RELEASE);
	}
}

static void order(int who, char act, unsigned int mask)
{
	static int serial;
	int n = ++serial << 2 | who;

	orders->act = act;
	orders->mask = mask;
	__atomic_store_n(&orders->who, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&orders->done, __ATOMIC_ACQUIRE) != n)
		usleep(500);
}

static const char *const names[] = { "parent", "child", "grandchild" };

/* Read the frames of @n processes and draw them, a letter a frame. */
static void draw(int n)
{
	unsigned long known[3 * PAGES];
	char row[PAGES * 2 + 1];
	int count = 0;

	for (int w = 0; w < n; w++) {
		pid_t pid = w ? orders->pid[w] : 0;

		if (frames_of(pid, mem, PAGES, frames[w]) < 0)
			give_up("pagemap of the %s: %s", names[w], strerror(errno));
		for (int i = 0; i < PAGES; i++) {
			int k = 0;

			while (k < count && known[k] != frames[w][i])
				k++;
			if (k == count)
				known[count++] = frames[w][i];
			row[2 * i] = !frames[w][i] ? '.' : k < 26 ? 'A' + k : 'a' + k - 26;
			row[2 * i + 1] = ' ';
		}
		row[2 * PAGES] = 0;
		saw("%-11s %s", names[w], row);
	}
}

/* Pages whose frames differ between two of the processes, as a mask. */
static unsigned int differing(int a, int b)
{
	unsigned int mask = 0;

	for (int i = 0; i < PAGES; i++)
		mask |= (unsigned int)(frames[a][i] != frames[b][i]) << i;
	return mask;
}

static bool all_read_right(int n)
{
	bool right = reads_right(0);

	for (int w = 1; w < n; w++) {
		order(w, 'r', 0);
		right &= orders->right;
	}
	return right;
}

void tour_fork(void)
{
	const unsigned int in_child = 1U << 2 | 1U << 5 | 1U << 11;
	const unsigned int in_grand = 1U << 0 | 1U << 5 | 1U << 12 | 1U << 13;
	const unsigned int in_parent = 1U << 7 | 1U << 11;
	unsigned long mine;
	char *shared;
	pid_t pid;

	shared = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		give_up("mmap: %s", strerror(errno));
	orders = (struct orders *)shared;
	mem = fresh(PAGES * page_size());
	for (int i = 0; i < PAGES; i++)
		seen[0][i] = 'A' + i;
	write_pages(0, -1, 'A');

	say("A process writes %d pages and forks; a letter stands for a frame:", PAGES);
	fflush(stdout);
	pid = fork();
	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (!pid)
		live(1);
	orders->pid[1] = pid;
	draw(2);
	check(differing(0, 1) == 0 && frames[0][0], "all %d frames are shared", PAGES);
	check(all_read_right(2), "both read the same bytes");

	say("The child writes to pages 2, 5 and 11:");
	order(1, 'w', in_child);
	draw(2);
	check(differing(0, 1) == in_child, "exactly these 3 pages differ");
	check(all_read_right(2), "the child reads its own bytes, the parent the old ones");

	say("The child forks in its turn:");
	order(1, 'f', 0);
	draw(3);
	check(differing(1, 2) == 0, "child and grandchild share all %d frames", PAGES);
	check(differing(0, 2) == in_child,
	      "the grandchild differs from the parent as the child does");

	say("The grandchild writes to pages 0, 5, 12 and 13:");
	order(2, 'w', in_grand);
	draw(3);
	check(differing(1, 2) == in_grand && differing(0, 1) == in_child,
	      "exactly these 4 differ from the child's; parent and child are as before");
	check(all_read_right(3), "each of the three reads its own bytes");

	say("The parent writes to pages 7 and 11:");
	write_pages(0, in_parent, 'Q');
	for (int i = 0; i < PAGES; i++)
		seen[0][i] = in_parent & (1U << i) ? 'Q' + i : seen[0][i];
	draw(3);
	check(differing(0, 1) == (in_child | in_parent) && !(differing(1, 2) & ~in_grand),
	      "page 7 now differs too; the children keep the old frame between them");
	check(all_read_right(3), "no write is seen by anyone but its writer");

	order(2, 'q', 0);
	order(1, 'q', 0);
	waitpid(pid, NULL, 0);
	mine = frame_of(0, mem);
	poke(mem, 'Z');
	say("The children are gone, and the parent writes to page 0, now its alone:");
	saw("frame %lx before, %lx after", mine, frame_of(0, mem));
	check(peek(mem) == 'Z' && peek(mem + page_size()) == 'B', "its memory is its own again");
}
