// SPDX-License-Identifier: GPL-2.0
/*
 * stress_run: run programs that stress the machine, one part after the other.
 *
 *   stress_run SECONDS <PARTS
 *
 * A line of PARTS is "NAME WEIGHT WHERE OOM COMMAND...". WHERE is the user and
 * the file system the part works on (root:tmp, nobody:disk); OOM is "spared",
 * or "killed" where the OOM killer may come. An @ in the command is the part's
 * time in seconds: what is left of SECONDS, divided by weight, so that a part
 * that takes longer takes it from those after it.
 *
 * Each part has name spaces of its own for processes, mounts and IPC, so that
 * whatever it leaves behind goes when it ends. Then the machine's counters must
 * be what they were before the first part. One KTAP result a part.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "counters.h"
#include "procmem.h"

#define PARTS		200
#define WORDS		80
#define SPACE		" \t\r\n"
#define NOBODY		65534
#define OUTPUT		"/stress.out"
#define DISK		"/mnt/stress"
#define WORK		"/tmp/work"
/* Some stressors fill the file system they find. */
#define ROOM		"size=64m"
/* Stressors end late, the more so the slower the machine. */
#define GRACE		300
#define SHOWN		12
/* How long counters may take to come back, and what watch() says of a late part. */
#define SETTLE		20
#define LATE		123

struct part {
	char *name, *word[WORDS];
	int weight;
	bool nobody, disk, killed;
};

static struct part part[PARTS];
static int parts;

static void die(const char *what)
{
	fprintf(stderr, "stress_run: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_parts(void)
{
	static char line[PARTS][1024];

	while (parts < PARTS && fgets(line[parts], sizeof(line[0]), stdin)) {
		struct part *p = &part[parts];
		char *word = strtok(line[parts], SPACE), *head[4];
		int n = 0;

		if (!word)
			continue;
		for (int i = 0; i < 4 && word; i++) {
			head[i] = word;
			word = strtok(NULL, SPACE);
		}
		if (!word)
			die("a part without a command");
		p->name = head[0];
		p->weight = atoi(head[1]);
		p->nobody = !strncmp(head[2], "nobody:", 7);
		p->disk = strstr(head[2], ":disk");
		p->killed = !strcmp(head[3], "killed");
		for (; word && n < WORDS - 1; word = strtok(NULL, SPACE))
			p->word[n++] = word;
		parts++;
	}
}

/* The part's own /proc, /dev/shm, /tmp, and directory in that or on the disk. */
static void own_places(struct part *p)
{
	mkdir(DISK, 01777);
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("shm", "/dev/shm", "tmpfs", 0, ROOM) ||
	    mount("tmp", "/tmp", "tmpfs", 0, ROOM) ||
	    mkdir(WORK, 01777) ||
	    (p->disk && mount(DISK, WORK, NULL, MS_BIND, NULL)))
		die("mount");
	chmod(WORK, 01777);
	if (chdir(WORK))
		die(WORK);
}

static void command(struct part *p, int seconds)
{
	char number[16];
	int fd;

	snprintf(number, sizeof(number), "%d", seconds);
	for (int i = 0; p->word[i]; i++) {
		if (!strcmp(p->word[i], "@"))
			p->word[i] = number;
	}
	fd = open(OUTPUT, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	dup2(fd, 1);
	dup2(fd, 2);
	write_text("/proc/self/oom_score_adj", "0");
	if (p->nobody && (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY)))
		die("setuid");
	execvp(p->word[0], p->word);
	die(p->word[0]);
}

static sig_atomic_t late;

static void alarmed(int sig)
{
	late = true;
}

/* Process 1 of the part's name space: when it ends, all of them do. */
static int watch(struct part *p, int seconds)
{
	struct sigaction sa = { .sa_handler = alarmed };
	int status = -1, other;
	pid_t pid, got;

	own_places(p);
	pid = fork();
	if (!pid)
		command(p, seconds);
	sigaction(SIGALRM, &sa, NULL);
	alarm(seconds + GRACE);
	do {
		got = wait(&other);
		if (got == pid)
			status = other;
	} while (got != pid && !late && (got > 0 || errno == EINTR));
	if (late)
		return LATE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In a child with new name spaces, in a child of that with the new pids. */
static int run(struct part *p, int seconds)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC))
			die("unshare");
		pid = fork();
		if (!pid)
			_exit(watch(p, seconds));
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			_exit(125);
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return WEXITSTATUS(status);
}

/* stress-ng prints "metrc: [PID] NAME OPS ..." for each stressor. */
static void metrics(char *ops, size_t len, bool *refused)
{
	char line[512], name[64], label[80], *at;
	size_t used = 0;
	double count;
	FILE *f = fopen(OUTPUT, "re");

	ops[0] = 0;
	*refused = false;
	while (f && fgets(line, sizeof(line), f)) {
		if (strstr(line, "skipping the stressor") || strstr(line, "No stress workers"))
			*refused = true;
		at = strstr(line, "metrc: [");
		at = at ? strchr(at, ']') : NULL;
		if (!at || used >= len || sscanf(at, "] %63s %lf ", name, &count) != 2)
			continue;
		/* Other figures of the same stressor come after its count. */
		snprintf(label, sizeof(label), " %s=", name);
		if (!strstr(ops, label))
			used += snprintf(ops + used, len - used, "%s%.0f", label, count);
	}
	if (f)
		fclose(f);
}

static void show_output(void)
{
	char line[SHOWN][256];
	int n = 0;
	FILE *f = fopen(OUTPUT, "re");

	while (f && fgets(line[n % SHOWN], sizeof(line[0]), f))
		n++;
	for (int i = n > SHOWN ? n - SHOWN : 0; i < n; i++) {
		line[i % SHOWN][strcspn(line[i % SHOWN], "\r\n")] = 0;
		printf("#   %s\n", line[i % SHOWN]);
	}
	if (f)
		fclose(f);
}

/* What is wrong with how a part ended; empty when nothing is. */
static void judge(const struct part *p, int status, long kills, bool refused, char *why, size_t len)
{
	why[0] = 0;
	if (status == LATE)
		snprintf(why, len, "did not end %d s after its time", GRACE);
	else if (status)
		snprintf(why, len, "exit status %d", status);
	else if (refused)
		snprintf(why, len, "refused to run");
	else if (kills && !p->killed)
		snprintf(why, len, "the OOM killer killed %ld", kills);
	if (why[0])
		show_output();
}

static bool play(struct part *p, int number, int seconds, struct counters *before)
{
	unsigned long long began = now_ns();
	long kills = vm_count("oom_kill");
	int status = run(p, seconds);
	double took = (now_ns() - began) / 1e9;
	char why[100], strayed[600] = "", ops[400];
	bool refused, good;

	kills = vm_count("oom_kill") - kills;
	metrics(ops, sizeof(ops), &refused);
	judge(p, status, kills, refused, why, sizeof(why));
	unlink(OUTPUT);
	good = !why[0];
	if (!counters_back(before, SETTLE, strayed, sizeof(strayed))) {
		/* Blame each part for its own. */
		good = false;
		counters_normal(before);
	}
	printf("%sok %d %s #%s in %.1f s", good ? "" : "not ", number, p->name, ops, took);
	if (kills)
		printf(", %ld killed for memory", kills);
	printf("%s%s%s%s\n", why[0] ? ": " : "", why, strayed[0] ? ": " : "", strayed);
	fflush(stdout);
	return good;
}

int main(int argc, char **argv)
{
	unsigned long long end = now_ns() + (argc > 1 ? atoi(argv[1]) : 60) * 1000000000ULL;
	struct part warm = { .name = "warm-up", .word = { "true" } };
	int weights = 0, failed = 0;
	struct counters before;

	read_parts();
	for (int i = 0; i < parts; i++)
		weights += part[i].weight;
	write_text("/proc/self/oom_score_adj", "-1000");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	run(&warm, 0);
	counters_normal(&before);
	printf("KTAP version 1\n1..%d\n", parts);
	for (int i = 0; i < parts; i++) {
		long long left = end - now_ns();
		int seconds = left / 1000000000LL * part[i].weight / weights;

		weights -= part[i].weight;
		failed += !play(&part[i], i + 1, seconds > 0 ? seconds : 1, &before);
	}
	return failed > 0;
}
