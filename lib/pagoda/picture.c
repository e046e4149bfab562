// SPDX-License-Identifier: GPL-2.0
/*
 * Areas as pictures, for table-driven tests.
 *
 * A picture has a character for each page from UMM_BASE on, and a bar at each
 * end of each area:
 *
 *	|WWW|rr|..|ff|	three pages read-write and touched, then two pages
 *			read-only, a hole of two, two pages of a file
 *
 * Letters: n nothing allowed, r read, w read and write, x read and execute,
 * l locked, d not copied at fork, s shared anonymous, and of the picture's
 * file: f private at the offset of its place, g private elsewhere in the file
 * (its pages do not continue those before it), e as f but read-only, h shared.
 * A capital says that the area has an anon_vma, that is, was written to.
 *
 * Guarantees: umm_picture() reads the area tree itself and knows nothing of
 * how areas came to be.
 */
#include <linux/ctype.h>
#include <linux/kernel.h>
#include <linux/string.h>

#include "umm.h"

#define UMM_ELSEWHERE	64	/* how far off g's part of the file is */

/**
 * umm_area() - make one area
 * @test: the case; fails if it cannot be made
 * @file: what e, f, g and h map
 * @letter: its kind, as in a picture
 * @first: its place, in pages from UMM_BASE on
 * @pages: its size
 *
 * Replaces what is there, as MAP_FIXED does.
 */
void umm_area(struct kunit *test, struct file *file, char letter,
	      unsigned long first, unsigned long pages)
{
	unsigned long addr = UMM_BASE + (first << PAGE_SHIFT);
	unsigned long len = pages << PAGE_SHIFT;
	unsigned long flags = UMM_ANON | MAP_FIXED, offset = 0, prot, i;
	struct file *back = NULL;

	switch (tolower(letter)) {
	case 'n':
		prot = PROT_NONE;
		break;
	case 'r':
	case 'e':
		prot = PROT_READ;
		break;
	case 'x':
		prot = PROT_READ | PROT_EXEC;
		break;
	default:
		prot = UMM_RW;
	}
	if (strchr("efgh", tolower(letter))) {
		KUNIT_ASSERT_NOT_NULL(test, file);
		back = file;
		offset = first;
		if (letter == 'g' || letter == 'G')
			offset += UMM_ELSEWHERE;
		flags = MAP_FIXED | (letter == 'h' ? MAP_SHARED : MAP_PRIVATE);
	}
	if (letter == 's')
		flags = MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED;
	KUNIT_ASSERT_EQ(test, vm_mmap(back, addr, len, prot, flags,
				      offset << PAGE_SHIFT), addr);
	if (tolower(letter) == 'l')
		KUNIT_ASSERT_EQ(test, umm_sys(__NR_mlock, addr, len), 0L);
	if (tolower(letter) == 'd')
		KUNIT_ASSERT_EQ(test, umm_sys(__NR_madvise, addr, len,
					      MADV_DONTFORK), 0L);
	for (i = 0; isupper(letter) && i < pages; i++)
		KUNIT_ASSERT_EQ(test, umm_poke(addr + (i << PAGE_SHIFT),
					       first + i + 1), 0);
}

/**
 * umm_paint() - make areas as a picture shows them
 * @test: the case; fails if one cannot be made
 * @file: what e, f, g and h map; may be NULL when the picture has none
 * @picture: the picture
 *
 * Written pages hold their number, counted from 1. Areas are made from left
 * to right, so two that touch merge if the kernel merges them.
 */
void umm_paint(struct kunit *test, struct file *file, const char *picture)
{
	unsigned long page = 0;

	while (*picture) {
		size_t run = strcspn(picture, "|");

		if (run && *picture != '.')
			umm_area(test, file, *picture, page, run);
		page += run;
		picture += run + (picture[run] == '|');
	}
}

static char umm_letter(struct vm_area_struct *vma, unsigned long page)
{
	unsigned long f = vma->vm_flags;
	char letter;

	if (vma->vm_file && !(f & VM_SHARED))
		letter = vma->vm_pgoff != page ? 'g' : f & VM_WRITE ? 'f' : 'e';
	else if (vma->vm_file)
		letter = vma->vm_pgoff || !page ? 'h' : 's';
	else if (f & VM_LOCKED)
		letter = 'l';
	else if (f & VM_DONTCOPY)
		letter = 'd';
	else if (f & VM_WRITE)
		letter = 'w';
	else if (f & VM_EXEC)
		letter = 'x';
	else
		letter = f & VM_READ ? 'r' : 'n';
	return vma->anon_vma ? toupper(letter) : letter;
}

/**
 * umm_picture() - draw the areas of the current address space
 * @test: the case, at whose end the string is freed
 * @pages: how many pages from UMM_BASE on to draw
 *
 * Takes mmap_lock for reading.
 *
 * Return: the picture.
 */
const char *umm_picture(struct kunit *test, unsigned long pages)
{
	char *text = kunit_kzalloc(test, UMM_PICTURE, GFP_KERNEL), *p = text;
	struct mm_struct *mm = current->mm;
	unsigned long page, addr = UMM_BASE;
	struct vm_area_struct *vma, *last = NULL;

	KUNIT_ASSERT_NOT_NULL(test, text);
	KUNIT_ASSERT_LE(test, 2 * pages + 2, (unsigned long)UMM_PICTURE);
	mmap_read_lock(mm);
	for (page = 0; page < pages; page++, addr += PAGE_SIZE) {
		vma = vma_lookup(mm, addr);
		if (!page || vma != last)
			*p++ = '|';
		last = vma;
		*p++ = vma ? umm_letter(vma, (vma->vm_start - UMM_BASE) >>
					     PAGE_SHIFT) : '.';
	}
	mmap_read_unlock(mm);
	*p++ = '|';
	return text;
}

/**
 * umm_check_areas() - the invariants that hold of any area tree
 * @test: the case; each broken invariant fails it
 * @mm: the address space
 *
 * Areas are whole pages, in order, not empty, not overlapping, each found by
 * find_vma() at both ends, as many as map_count says, and together as large as
 * total_vm says. Takes mmap_lock for reading.
 */
void umm_check_areas(struct kunit *test, struct mm_struct *mm)
{
	unsigned long end = 0, pages = 0;
	struct vm_area_struct *vma;
	int count = 0;

	VMA_ITERATOR(vmi, mm, 0);

	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(vma->vm_start));
		KUNIT_EXPECT_TRUE(test, PAGE_ALIGNED(vma->vm_end));
		KUNIT_EXPECT_LT(test, vma->vm_start, vma->vm_end);
		KUNIT_EXPECT_GE(test, vma->vm_start, end);
		KUNIT_EXPECT_PTR_EQ(test, find_vma(mm, vma->vm_start), vma);
		KUNIT_EXPECT_PTR_EQ(test, find_vma(mm, vma->vm_end - 1), vma);
		KUNIT_EXPECT_PTR_EQ(test, vma->vm_mm, mm);
		end = vma->vm_end;
		pages += vma_pages(vma);
		count++;
	}
	KUNIT_EXPECT_EQ(test, mm->map_count, count);
	KUNIT_EXPECT_EQ(test, mm->total_vm, pages);
	mmap_read_unlock(mm);
}
