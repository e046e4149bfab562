// SPDX-License-Identifier: GPL-2.0
/*
 * Helpers of attacks_test: threads that race, processes apart.
 */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <time.h>

#include "attacks.h"

struct racer {
	pthread_t thread;
	runner run;
	void *arg;
};

static unsigned int over;

static void *racing(void *p)
{
	struct racer *r = p;

	while (!__atomic_load_n(&over, __ATOMIC_RELAXED))
		r->run(r->arg);
	return NULL;
}

void race(unsigned int ms, void *arg, runner a, runner b, runner c, runner d)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	struct racer r[] = { { .run = a }, { .run = b }, { .run = c }, { .run = d } };

	tell(&over, 0);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		r[i].arg = arg;
		if (r[i].run && pthread_create(&r[i].thread, NULL, racing, &r[i]))
			abort();
	}
	nanosleep(&t, NULL);
	tell(&over, 1);
	for (size_t i = 0; i < ARRAY_SIZE(r); i++) {
		if (r[i].run)
			pthread_join(r[i].thread, NULL);
	}
}

#define WORDS	400

static char *words;

const char *finding(const char *format, ...)
{
	va_list list;

	va_start(list, format);
	vsnprintf(words, WORDS, format, list);
	va_end(list);
	return words;
}

const char *apart(const char *(*attack)(void), bool user)
{
	int status;
	pid_t pid;

	if (!words)
		words = shared(WORDS);
	words[0] = 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (user && drop_root())
			_exit(2);
		status = !!attack();
		fflush(stdout);
		_exit(status);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return "no process for it";
	if (words[0])
		return words;
	return status ? finding("its process ended with status %x", status) : NULL;
}

pid_t start(int (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		_exit(fn(arg));
	if (pid < 0)
		abort();
	return pid;
}

int ended(pid_t pid)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool all_are(const char *p, size_t len, char c)
{
	return p[0] == c && !memcmp(p, p + 1, len - 1);
}

void *shared(size_t size)
{
	void *p = mmap(NULL, size, RW, SHARED_ANON, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void wait_for(unsigned int *word, unsigned int value)
{
	unsigned int now;

	while ((now = __atomic_load_n(word, __ATOMIC_ACQUIRE)) != value)
		syscall(SYS_futex, word, FUTEX_WAIT, now, NULL, NULL, 0);
}

void tell(unsigned int *word, unsigned int value)
{
	__atomic_store_n(word, value, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}
