// SPDX-License-Identifier: GPL-2.0
/*
 * redis_pause PORT KEYS: what a client of redis sees while redis saves.
 *
 * One connection sends a small write after the other and waits for each
 * answer; over a second connection redis is told to BGSAVE, and the first one
 * goes on until the save has ended. A write puts the byte "v" at the start of
 * a value key:N of DEBUG POPULATE, where that byte is already: memory is
 * written to, what it holds stays the same. Prints "redis: NAME VALUE WORDS".
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "procmem.h"

#define QUIET_REQUESTS	3000
#define ASK_EVERY	50		/* requests between questions whether the save has ended */
#define PATIENCE_S	600

struct seen {
	unsigned long long longest;	/* nanoseconds from a request to its answer */
	unsigned long long sum;
	unsigned long requests;
};

static void die(const char *what)
{
	printf("redis: error: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int dial(int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct timeval limit = { .tv_sec = PATIENCE_S };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	return fd;
}

static void send_text(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("write");
}

/*
 * Read one answer, which ends in CR LF; a bulk one says first how long it is.
 * Fails on an error from redis.
 */
static void answer(int fd, char *buf, size_t size)
{
	size_t have = 0, want = 0;

	do {
		ssize_t got = read(fd, buf + have, size - 1 - have);
		char *line;

		if (got <= 0)
			die("redis does not reply");
		have += got;
		buf[have] = 0;
		line = strstr(buf, "\r\n");
		if (line && !want) {
			want = line + 2 - buf;
			if (buf[0] == '$')
				want += strtoul(buf + 1, NULL, 10) + 2;
		}
	} while ((!want || have < want) && have < size - 1);
	if (buf[0] == '-') {
		printf("redis: error: %s", buf);
		exit(1);
	}
}

static void request(int fd, unsigned long keys, struct seen *seen)
{
	char buf[256];
	unsigned long long t;

	snprintf(buf, sizeof(buf), "SETRANGE key:%lu 0 v\r\n",
		 (unsigned long)random() % keys);
	t = now_ns();
	send_text(fd, buf);
	answer(fd, buf, sizeof(buf));
	t = now_ns() - t;
	if (t > seen->longest)
		seen->longest = t;
	seen->sum += t;
	seen->requests++;
}

/* The number or word of a field of INFO. */
static const char *info(int fd, const char *section, const char *field)
{
	static char buf[16384];
	char text[64];
	char *at;

	snprintf(text, sizeof(text), "INFO %s\r\n", section);
	send_text(fd, text);
	answer(fd, buf, sizeof(buf));
	snprintf(text, sizeof(text), "\n%s:", field);
	at = strstr(buf, text);
	if (!at)
		die(field);
	at += strlen(text);
	at[strcspn(at, "\r\n")] = 0;
	return at;
}

static void say(const char *when, const char *words, const struct seen *seen)
{
	printf("redis: %s_longest_usec %.1f longest wait of a client %s, microseconds\n", when,
	       seen->longest / 1e3, words);
	printf("redis: %s_mean_usec %.1f mean wait of a client %s, microseconds\n", when,
	       seen->sum / 1e3 / seen->requests, words);
}

int main(int argc, char **argv)
{
	struct seen quiet = { 0 }, saving = { 0 };
	unsigned long long start;
	unsigned long keys;
	bool forked = false;
	char buf[256];
	int client, control;

	if (argc != 3 || atoi(argv[1]) <= 0 || atol(argv[2]) <= 0) {
		fprintf(stderr, "usage: redis_pause PORT KEYS\n");
		return 2;
	}
	keys = atol(argv[2]);
	client = dial(atoi(argv[1]));
	control = dial(atoi(argv[1]));
	srandom(1);
	for (int i = 0; i < QUIET_REQUESTS; i++)
		request(client, keys, &quiet);

	start = now_ns();
	send_text(control, "BGSAVE\r\n");
	for (;;) {
		request(client, keys, &saving);
		if (!forked) {
			struct pollfd said = { .fd = control, .events = POLLIN };

			if (poll(&said, 1, 0) != 1)
				continue;
			answer(control, buf, sizeof(buf));
			forked = true;
		}
		if (saving.requests % ASK_EVERY == 0 &&
		    info(control, "persistence", "rdb_bgsave_in_progress")[0] == '0')
			break;
		if (now_ns() - start > PATIENCE_S * 1000000000ULL) {
			errno = ETIMEDOUT;
			die("the save");
		}
	}
	start = now_ns() - start;
	if (strcmp(info(control, "persistence", "rdb_last_bgsave_status"), "ok")) {
		printf("redis: error: BGSAVE failed\n");
		return 1;
	}
	printf("redis: latest_fork_usec %s latest_fork_usec of INFO\n",
	       info(control, "stats", "latest_fork_usec"));
	say("quiet", "before the save", &quiet);
	say("saving", "during the save", &saving);
	printf("redis: save_ms %.0f the save, milliseconds\n", start / 1e6);
	printf("redis: copied_kib %lu copied on write for the save, KiB\n",
	       strtoul(info(control, "persistence", "rdb_last_cow_size"), NULL, 10) / 1024);
	return 0;
}
