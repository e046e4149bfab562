// SPDX-License-Identifier: GPL-2.0
/*
 * Frames, slab objects, and the failing of allocations.
 *
 * A frame that is freed is poisoned, its struct page too, and is handed out
 * again only when all others have been; whoever still maps it, or has it in a
 * TLB, is an error at that moment. Frames are single pages.
 */
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/mm_inline.h>
#include <linux/pagemap.h>
#include <linux/pagevec.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/vmstat.h>
#include "internal.h"
#include "user.h"

struct user_frame user_frames[USER_FRAMES];
unsigned long user_frames_all, user_frames_used;
unsigned long user_objects;

/* The frames. The zero page has a name of its own. */
static __used __attribute__((no_sanitize("address")))
char user_ram[USER_FRAMES << PAGE_SHIFT] __aligned(PAGE_SIZE);

asm(".globl empty_zero_page\n.set empty_zero_page, user_ram + 4096");

/* A ring of free frames, the one freed first at its head. */
static u32 user_free[USER_FRAMES];
static unsigned long user_head, user_tail;

static unsigned long user_fail_left;
static bool user_failed;

/**
 * user_fail_at - let one allocation fail
 * @nth: which, counted from now; 0 for none
 */
void user_fail_at(unsigned long nth)
{
	user_fail_left = nth;
	user_failed = false;
}

bool user_fail_done(void)
{
	return user_failed;
}

/* Nothing fails until what was to fail is put back. */
struct user_failing user_fail_pause(void)
{
	struct user_failing was = { user_fail_left, user_failed };

	user_fail_at(0);
	return was;
}

void user_fail_resume(struct user_failing was)
{
	user_fail_left = was.left;
	user_failed = was.failed;
}

/* Every allocation comes by here. */
static bool user_fails(gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp))
		user_may_sleep();
	if (likely(!user_fail_left) || gfp & __GFP_NOFAIL || --user_fail_left)
		return false;
	user_failed = true;
	return true;
}

/* Begin with so many frames. */
void user_alloc_init(unsigned long frames)
{
	unsigned long pfn;
	enum lru_list lru;

	page_offset_base = (unsigned long)user_ram;
	mem_map = host_ram(frames * sizeof(struct page));
	host_poison(user_ram, frames << PAGE_SHIFT);
	host_poison(mem_map, frames * sizeof(struct page));
	for_each_lru(lru)
		INIT_LIST_HEAD(&contig_page_data.__lruvec.lists[lru]);
	user_frames_all = frames;
	highest_memmap_pfn = frames - 1;
	/* Frame 0 stays unused, and 1 is the zero page. */
	for (pfn = 2; pfn < frames; pfn++)
		user_free[user_tail++] = pfn;
	user_frames[1].used = true;
	host_unpoison(pfn_to_page(1), sizeof(struct page));
	host_unpoison(__va(1UL << PAGE_SHIFT), PAGE_SIZE);
	memset(page_address(pfn_to_page(1)), 0, PAGE_SIZE);
	memset(pfn_to_page(1), 0, sizeof(struct page));
	set_page_count(pfn_to_page(1), 1);
	atomic_set(&pfn_to_page(1)->_mapcount, -1);
	set_bit(PG_reserved, &pfn_to_page(1)->flags);
}

static struct page *user_frame_get(gfp_t gfp)
{
	struct page *page;
	unsigned long pfn;

	if (user_fails(gfp))
		return NULL;
	if (user_head == user_tail)
		host_die("all frames are in use");
	pfn = user_free[user_head++ % USER_FRAMES];
	user_frames[pfn].used = true;
	user_frames_used++;
	page = pfn_to_page(pfn);
	host_unpoison(page, sizeof(*page));
	host_unpoison(page_address(page), PAGE_SIZE);
	memset(page, 0, sizeof(*page));
	atomic_set(&page->_mapcount, -1);
	set_page_count(page, 1);
	if (gfp & __GFP_ZERO)
		memset(page_address(page), 0, PAGE_SIZE);
	return page;
}

/* The last reference has gone. */
static void user_frame_free(struct page *page)
{
	unsigned long pfn = page_to_pfn(page);

	if (!user_frames[pfn].used)
		host_die("frame %#lx is freed twice", pfn);
	if (user_frames[pfn].cached)
		host_die("frame %#lx is freed, and a TLB still has it", pfn);
	if (!PageTable(page) && atomic_read(&page->_mapcount) != -1)
		host_die("frame %#lx is freed, and still mapped %d times", pfn,
			 atomic_read(&page->_mapcount) + 1);
	if (PageTable(page))
		host_die("table %#lx is freed without its destructor", pfn);
	if (PageLocked(page))
		host_die("frame %#lx is freed and locked", pfn);
	if (PageLRU(page))
		lruvec_del_folio(&contig_page_data.__lruvec, (void *)page);
	host_poison(page_address(page), PAGE_SIZE);
	host_poison(page, sizeof(*page));
	user_frames[pfn].used = false;
	user_frames_used--;
	user_free[user_tail++ % USER_FRAMES] = pfn;
}

struct page *__alloc_pages_noprof(gfp_t gfp, unsigned int order, int nid,
				  nodemask_t *mask)
{
	if (order)
		host_die("more than one frame is asked for");
	return user_frame_get(gfp);
}

struct folio *__folio_alloc_noprof(gfp_t gfp, unsigned int order, int nid,
				   nodemask_t *mask)
{
	return (struct folio *)__alloc_pages_noprof(gfp, order, nid, mask);
}

/* As many as there are, into an array that holds none. */
unsigned long alloc_pages_bulk_noprof(gfp_t gfp, int nid, nodemask_t *mask,
				      int nr, struct list_head *list,
				      struct page **pages)
{
	int got = 0;

	while (got < nr) {
		pages[got] = __alloc_pages_noprof(gfp, 0, nid, mask);
		if (!pages[got])
			break;
		got++;
	}
	return got;
}

unsigned long get_free_pages_noprof(gfp_t gfp, unsigned int order)
{
	struct page *page = __alloc_pages_noprof(gfp, order, 0, NULL);

	return page ? (unsigned long)page_address(page) : 0;
}

unsigned long get_zeroed_page_noprof(gfp_t gfp)
{
	return get_free_pages_noprof(gfp | __GFP_ZERO, 0);
}

void __free_pages(struct page *page, unsigned int order)
{
	if (put_page_testzero(page))
		user_frame_free(page);
}

void free_pages(unsigned long addr, unsigned int order)
{
	if (addr)
		__free_pages(virt_to_page((void *)addr), order);
}

void __folio_put(struct folio *folio)
{
	user_frame_free(&folio->page);
}

void folios_put_refs(struct folio_batch *batch, unsigned int *refs)
{
	unsigned int i;

	for (i = 0; i < batch->nr; i++)
		folio_put_refs(batch->folios[i], refs ? refs[i] : 1);
	folio_batch_reinit(batch);
}

void __folio_batch_release(struct folio_batch *batch)
{
	folios_put(batch);
}

void release_pages(release_pages_arg arg, int nr)
{
	int i;

	for (i = 0; i < nr; i++) {
		struct encoded_page *word = arg.encoded_pages[i];
		int refs = 1;

		if (encoded_page_flags(word) & ENCODED_PAGE_BIT_NR_PAGES_NEXT)
			refs = encoded_nr_pages(arg.encoded_pages[++i]);
		folio_put_refs(page_folio(encoded_page_ptr(word)), refs);
	}
}

/* New folios wait for the LRU in a batch that has a reference to each. */
#define USER_BATCH	15

static struct folio *user_batch[USER_BATCH];
static unsigned int user_batched;

void user_lru_drain(void)
{
	mlock_drain_local();
	while (user_batched) {
		struct folio *folio = user_batch[--user_batched];

		folio_set_lru(folio);
		lruvec_add_folio(&contig_page_data.__lruvec, folio);
		folio_put(folio);
	}
}

bool folio_isolate_lru(struct folio *folio)
{
	if (!folio_test_clear_lru(folio))
		return false;
	lruvec_del_folio(&contig_page_data.__lruvec, folio);
	folio_get(folio);
	return true;
}

void folio_putback_lru(struct folio *folio)
{
	folio_add_lru(folio);
	folio_put(folio);
}

void lru_add_drain(void)
{
	user_lru_drain();
}

void lru_add_drain_all(void)
{
	user_lru_drain();
}

void folio_add_lru(struct folio *folio)
{
	folio_get(folio);
	user_batch[user_batched++] = folio;
	if (user_batched == USER_BATCH)
		user_lru_drain();
}

void folio_add_lru_vma(struct folio *folio, struct vm_area_struct *vma)
{
	folio_add_lru(folio);
}

void folio_mark_accessed(struct folio *folio)
{
	folio_set_referenced(folio);
}

void mark_page_accessed(struct page *page)
{
	folio_mark_accessed(page_folio(page));
}

/* Contents are the first words of a page; no more of it is copied. */
#define USER_CONTENT	64

void clear_page(void *page)
{
	memset(page, 0, USER_CONTENT);
}

void copy_page(void *to, void *from)
{
	memcpy(to, from, USER_CONTENT);
}

unsigned long copy_mc_to_kernel(void *to, const void *from, unsigned int len)
{
	memcpy(to, from, len == PAGE_SIZE ? USER_CONTENT : len);
	return 0;
}

/*
 * Objects. Each cache is but a size; what is freed is the host's to poison.
 */
struct kmem_cache {
	unsigned int size;
	unsigned int align;
	slab_flags_t flags;
	void (*ctor)(void *object);
};

static void *user_object(unsigned long size, unsigned long align, gfp_t gfp)
{
	void *p;

	if (user_fails(gfp))
		return NULL;
	p = host_alloc(size, align);
	user_objects++;
	if (gfp & __GFP_ZERO)
		memset(p, 0, size);
	return p;
}

struct kmem_cache *
__kmem_cache_create_args(const char *name, unsigned int size,
			 struct kmem_cache_args *args, slab_flags_t flags)
{
	struct kmem_cache *s = host_alloc(sizeof(*s), 0);

	*s = (struct kmem_cache) {
		.size = size, .align = args->align, .flags = flags,
		.ctor = args->ctor,
	};
	return s;
}

void *kmem_cache_alloc_noprof(struct kmem_cache *s, gfp_t gfp)
{
	void *p = user_object(s->size, s->align, gfp);

	if (p && s->ctor)
		s->ctor(p);
	return p;
}

static void user_object_free(void *p)
{
	user_objects--;
	host_free(p);
}

/* An object of a type-safe cache stays one until a grace period is over. */
struct user_late {
	struct rcu_head head;
	void *object;
};

static void user_free_late(struct rcu_head *head)
{
	struct user_late *late = container_of(head, struct user_late, head);

	user_object_free(late->object);
	host_free(late);
}

void kmem_cache_free(struct kmem_cache *s, void *p)
{
	struct user_late *late;

	if (!(s->flags & SLAB_TYPESAFE_BY_RCU)) {
		user_object_free(p);
		return;
	}
	late = host_alloc(sizeof(*late), 0);
	late->object = p;
	call_rcu(&late->head, user_free_late);
}

int kmem_cache_alloc_bulk_noprof(struct kmem_cache *s, gfp_t gfp, size_t nr,
				 void **p)
{
	size_t i;

	for (i = 0; i < nr; i++) {
		p[i] = kmem_cache_alloc_noprof(s, gfp);
		if (!p[i])
			break;
	}
	if (i == nr)
		return nr;
	while (i)
		user_object_free(p[--i]);
	return 0;
}

void kmem_cache_free_bulk(struct kmem_cache *s, size_t nr, void **p)
{
	while (nr)
		user_object_free(p[--nr]);
}

void *__kmalloc_noprof(size_t size, gfp_t gfp)
{
	return user_object(size, 0, gfp);
}

void *__kvmalloc_node_noprof(DECL_BUCKET_PARAMS(size, b), gfp_t gfp, int node)
{
	return user_object(size, 0, gfp);
}

void *__kmalloc_cache_noprof(struct kmem_cache *s, gfp_t gfp, size_t size)
{
	return user_object(size, 0, gfp);
}

kmem_buckets kmalloc_caches[NR_KMALLOC_TYPES];

void kfree(const void *p)
{
	if (p)
		user_object_free((void *)p);
}

void kvfree(const void *p)
{
	kfree(p);
}
