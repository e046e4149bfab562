// SPDX-License-Identifier: GPL-2.0
/*
 * Attacks that have worked on some kernel, as bounded regression tests, and
 * their like on page tables that processes share. attacks_*.c have them by
 * kind; Documentation/mm/pagoda/attacks.rst says what each was and what it is
 * that prevents it.
 */
#include "suite.h"

/* The list of attacks, without what only they need. */
#define SUITE_NO_HARNESS
#include "attacks.h"

static void withstand(struct __test_metadata *_metadata, const char *(*attack)(void))
{
	const char *hole = apart(attack, false);

	if (hole)
		TH_LOG("%s", hole);
	EXPECT_EQ(NULL, hole);
}

TEST(withstands_write_read_only_file_by_race)
{
	withstand(_metadata, write_read_only_file_by_race);
}

TEST(withstands_write_read_only_file_by_debugger)
{
	withstand(_metadata, write_read_only_file_by_debugger);
}

TEST(withstands_write_read_only_shared_memory)
{
	withstand(_metadata, write_read_only_shared_memory);
}

TEST(withstands_spliced_page_after_fork)
{
	withstand(_metadata, spliced_page_after_fork);
}

TEST(withstands_spliced_page_of_shared_table)
{
	withstand(_metadata, spliced_page_of_shared_table);
}

TEST(withstands_registered_buffer_after_fork)
{
	withstand(_metadata, registered_buffer_after_fork);
}

TEST(withstands_write_to_another_is_private)
{
	withstand(_metadata, write_to_another_is_private);
}

TEST(withstands_stale_translation_after_mremap)
{
	withstand(_metadata, stale_translation_after_mremap);
}

TEST(withstands_reverse_walk_misses_moving_table)
{
	withstand(_metadata, reverse_walk_misses_moving_table);
}

TEST(withstands_stack_grows_under_readers)
{
	withstand(_metadata, stack_grows_under_readers);
}

TEST(withstands_stack_jumps_over_gap)
{
	withstand(_metadata, stack_jumps_over_gap);
}

TEST(withstands_mapping_into_guard_gap)
{
	withstand(_metadata, mapping_into_guard_gap);
}

TEST(withstands_growing_into_neighbours)
{
	withstand(_metadata, growing_into_neighbours);
}

TEST(withstands_stack_limit)
{
	withstand(_metadata, stack_limit);
}

TEST(withstands_mapping_of_address_zero)
{
	withstand(_metadata, mapping_of_address_zero);
}

TEST(withstands_growing_to_address_zero)
{
	withstand(_metadata, growing_to_address_zero);
}

TEST(withstands_frame_numbers)
{
	withstand(_metadata, frame_numbers);
}

TEST(withstands_other_users_process)
{
	withstand(_metadata, other_users_process);
}

TEST(withstands_kernel_addresses_in_proc)
{
	withstand(_metadata, kernel_addresses_in_proc);
}

TEST(withstands_page_cache_of_others)
{
	withstand(_metadata, page_cache_of_others);
}

TEST(withstands_kernel_memory_from_user_mode)
{
	withstand(_metadata, kernel_memory_from_user_mode);
}

TEST(withstands_kernel_memory_through_calls)
{
	withstand(_metadata, kernel_memory_through_calls);
}

TEST(withstands_maps_to_the_limit)
{
	withstand(_metadata, maps_to_the_limit);
}

TEST(withstands_lengths_that_wrap)
{
	withstand(_metadata, lengths_that_wrap);
}

TEST(withstands_offsets_that_wrap)
{
	withstand(_metadata, offsets_that_wrap);
}

TEST(withstands_sharers_write_through_proc_mem)
{
	withstand(_metadata, sharers_write_through_proc_mem);
}

TEST(withstands_sharers_pin_and_write)
{
	withstand(_metadata, sharers_pin_and_write);
}

TEST(withstands_sharers_change_their_areas)
{
	withstand(_metadata, sharers_change_their_areas);
}

TEST(withstands_sharers_exit_under_readers)
{
	withstand(_metadata, sharers_exit_under_readers);
}

TEST(withstands_sharers_leave_tables_under_readers)
{
	withstand(_metadata, sharers_leave_tables_under_readers);
}

TEST_HARNESS_MAIN
