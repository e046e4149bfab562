// SPDX-License-Identifier: GPL-2.0
/*
 * The first process: does what pagoda.job= says and leaves. Lines that begin
 * with "pagoda-guest:" are for the host's boot.py.
 */
#include "nommu.h"

#define REBOOT_MAGIC	0xfee1deadL
#define REBOOT_MAGIC2	0x28121969
#define POWER_OFF	0x4321fedc
#define TCSBRK		0x5409

static char cmdline[2048];
static char child_stack[8192] __aligned(16);

/* The value of an argument of the kernel, copied out; or what is given. */
static const char *argument(const char *name, const char *otherwise,
			    char *room, unsigned long size)
{
	const char *at = find(cmdline, name);
	unsigned long n = 0;

	if (!at)
		return otherwise;
	for (at += length(name); *at > ' ' && n < size - 1; at++)
		room[n++] = *at;
	room[n] = 0;
	return room;
}

static int run(void *arg)
{
	static char *envp[] = { 0 };
	char *argv[] = { "nommu_test", arg, 0 };

	call(NR_execve, "/tests/nommu_test", argv, envp);
	return 127;
}

/* Run the program with a word: its exit status. */
static int run_program(char *word)
{
	long pid = spawn(run, word, child_stack + sizeof(child_stack));

	return pid > 0 ? wait_for(pid) : 126;
}

static void run_suite(const char *name, char *word)
{
	int status;

	print("pagoda-guest: begin ");
	print(name);
	print("\n");
	status = run_program(word);
	print("pagoda-guest: end ");
	print(name);
	print(" ");
	print_number(status);
	print("\n");
}

static void open_line(void)
{
	char name[32] = "/dev/", room[24];
	const char *line = argument("pagoda.line=", "console", room,
				    sizeof(room));
	unsigned long i, at = length(name);
	long fd;

	for (i = 0; i <= length(line); i++)
		name[at + i] = line[i];
	fd = open_file(name, O_RDWR);
	if (failed(fd) || fd == 1)
		return;
	/* There is no other descriptor 1 than the lowest that is free. */
	call(NR_close, 1);
	open_file(name, O_RDWR);
	call(NR_close, fd);
}

int init_main(void)
{
	char room[24];
	const char *job;
	long fd;
	int status;

	call(NR_mount, "dev", "/dev", "devtmpfs", 0, 0);
	call(NR_mount, "proc", "/proc", "proc", 0, 0);
	call(NR_mount, "tmp", "/tmp", "ramfs", 0, 0);
	/* Descriptors 0 and 1 are there, whatever the console was. */
	while (open_file("/dev/null", O_RDWR) < 1)
		;
	fd = open_file("/proc/cmdline", 0);
	call(NR_read, fd, cmdline, sizeof(cmdline) - 1);
	call(NR_close, fd);
	open_line();

	job = argument("pagoda.job=", "tour", room, sizeof(room));
	if (same(job, "tour")) {
		status = run_program("tour");
	} else {
		/* The host counts what they print. */
		run_suite("tour", "tour");
		run_suite("nommu_test", "test");
		status = 0;
	}
	print("pagoda-guest: exit ");
	print_number(status);
	print("\n");
	call(NR_ioctl, 1, TCSBRK, 1);
	call(NR_reboot, REBOOT_MAGIC, REBOOT_MAGIC2, POWER_OFF, 0);
	return 1;
}
