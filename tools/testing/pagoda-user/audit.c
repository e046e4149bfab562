// SPDX-License-Identifier: GPL-2.0
/*
 * Count everything again, from the entries in memory alone: the references to
 * tables, what tables say they map, resident pages and table bytes of each
 * address space, how often each page is mapped and referenced.
 *
 * A table that several address spaces use is counted once for the pages that
 * it maps, and once for each of them for what they have.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <asm/pagoda.h>
#include "../mm/pagoda/tree.h"
#include "space.h"
#include "user.h"

/* What is found out about a frame. */
struct audit_frame {
	u32 round;
	u32 refs;	/* entries that name it */
	bool table;
	u32 writable;	/* entries that allow writes, and those above do too */
};

static struct audit_frame audit_frames[USER_FRAMES];
static u32 audit_round;

/* What one address space has. */
struct audit_space {
	struct mm_struct *mm;
	long pages[NR_MM_COUNTERS];
	long tables;
};

static struct audit_frame *audit_frame(unsigned long pfn)
{
	struct audit_frame *f = &audit_frames[pfn];

	if (!user_frames[pfn].used)
		host_die("audit: an entry names frame %#lx, which is free", pfn);
	if (f->round != audit_round)
		*f = (struct audit_frame) { .round = audit_round };
	return f;
}

static void audit_page(struct audit_space *s, unsigned long addr, pte_t e,
		       bool first, bool private)
{
	unsigned long pfn = pte_pfn(e);
	struct audit_frame *f;
	struct page *page;

	if (!pte_present(e) || pte_special(e))
		return;
	f = audit_frame(pfn);
	page = pfn_to_page(pfn);
	s->pages[mm_counter(page_folio(page))]++;
	if (!first)
		return;
	f->refs++;
	f->writable += private && pte_write(e);
	if (PageAnon(page) && pte_write(e) && private &&
	    !PageAnonExclusive(page))
		host_die("audit: %#lx may be written, frame %#lx is not its own",
			 addr, pfn);
}

/* Add up a table, and what hangs below; @first: nobody came here before. */
static void audit_table(struct audit_space *s, pte_t *entries,
			unsigned int level, unsigned long addr, bool first,
			bool private)
{
	unsigned long step = 1UL << pt_shift(level);
	unsigned int i;

	for (i = 0; i < pt_entries(level); i++, addr += step) {
		pte_t e = entries[i];
		struct audit_frame *f;
		bool fresh;

		if (!pte_val(e))
			continue;
		if (level == 1) {
			audit_page(s, addr, e, first, private);
			continue;
		}
		if (!pt_entry_table(e))
			host_die("audit: bad entry %#lx at level %u for %#lx",
				 pte_val(e), level, addr);
		f = audit_frame(pt_entry_pfn(e));
		fresh = !f->refs;
		f->table = true;
		f->refs += first;
		if (level <= 4)
			s->tables++;
		if (pt_entry_writable(e) && private &&
		    atomic_read(pt_table_refs(pt_entry_child(e))) > 1)
			host_die("audit: writes go to a shared table at %#lx",
				 addr);
		audit_table(s, pt_entry_entries(e), level - 1, addr,
			    first && fresh, private && pt_entry_writable(e));
	}
}

static void audit_space(struct mm_struct *mm)
{
	struct audit_space s = { .mm = mm };
	int i;

	audit_table(&s, (pte_t *)mm->pgd, pt_levels(), 0, true, true);
	for (i = 0; i < NR_MM_COUNTERS; i++)
		if (s.pages[i] != mm->rss_stat[i].count)
			host_die("audit: %lld pages of kind %d are counted, there are %ld",
				 (s64)mm->rss_stat[i].count, i, s.pages[i]);
	if (mm_pgtables_bytes(mm) != s.tables * PAGE_SIZE)
		host_die("audit: %lu tables are counted, there are %ld",
			 mm_pgtables_bytes(mm) / PAGE_SIZE, s.tables);
}

static void audit_check(unsigned long pfn, struct audit_frame *f)
{
	struct page *page = pfn_to_page(pfn);
	int refs = f->round == audit_round ? f->refs : 0;

	if (PageTable(page) || (refs && f->table)) {
		if (atomic_read(pt_table_refs(page_ptdesc(page))) != refs)
			host_die("audit: table %#lx has %d references, %d entries",
				 pfn, atomic_read(pt_table_refs(page_ptdesc(page))),
				 refs);
		return;
	}
	if (atomic_read(&page->_mapcount) + 1 != refs)
		host_die("audit: frame %#lx is counted as mapped %d times, is %d",
			 pfn, atomic_read(&page->_mapcount) + 1, refs);
	if (page_count(page) < refs)
		host_die("audit: frame %#lx has %d references, is mapped %d times",
			 pfn, page_count(page), refs);
	if (f->round == audit_round && PageAnon(page) && f->writable > 1)
		host_die("audit: anonymous frame %#lx can be written in %u places",
			 pfn, f->writable);
}

/* All address spaces and all frames; no call is being made. */
void user_audit(void)
{
	unsigned long pfn;
	int i;

	user_lru_drain();
	user_grace();
	audit_round++;
	for (i = 0; i < USER_SPACES; i++)
		if (user_spaces[i]) {
			user_tlb_check(user_spaces[i]);
			audit_space(user_spaces[i]);
		}
	for (pfn = 2; pfn < user_frames_all; pfn++)
		if (user_frames[pfn].used)
			audit_check(pfn, &audit_frames[pfn]);
}
