// SPDX-License-Identifier: GPL-2.0
/* Where the program begins; libFuzzer has a main() of its own. */
#include "host.h"

int main(int argc, char **argv)
{
	host_begin();
	return user_main(argc, argv);
}
