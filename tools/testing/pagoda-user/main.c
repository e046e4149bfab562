// SPDX-License-Identifier: GPL-2.0
/*
 * The program: a suite by its name, an input again, or inputs from a seed.
 *
 *	pagoda-user [-5] [SUITE]	(without SUITE: their names)
 *	pagoda-user -r FILE
 *	pagoda-user -a			(each allocation fails in its turn)
 *	pagoda-user -t SECONDS SEED
 */
#include <linux/string.h>
#include "user.h"

/* host.c calls this with its arguments. */
int user_main(int argc, char **argv)
{
	int levels = 4;

	if (argc == 3 && !strcmp(argv[1], "-r")) {
		unsigned long size;
		void *data = host_read(argv[2], &size);

		user_replay(data, size);
		return 0;
	}
	if (argc == 2 && !strcmp(argv[1], "-a")) {
		user_in_turn();
		return 0;
	}
	if (argc == 4 && !strcmp(argv[1], "-t")) {
		user_random(host_number(argv[2]), host_number(argv[3]));
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "-5")) {
		levels = 5;
		argv++;
		argc--;
	}
	user_start(levels, USER_FRAMES);
	user_kunit(argc > 1 ? argv[1] : NULL);
	return 0;
}
