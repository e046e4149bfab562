// SPDX-License-Identifier: GPL-2.0
/*
 * Locks and grace periods of one thread.
 *
 * A lock that is taken while it is held would never be given: an error. So is
 * sleeping with a spinlock or RCU held. A grace period ends whenever somebody
 * may sleep, the earliest that it can, so that nothing lives longer than the
 * rules say.
 */
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include "user.h"

DEFINE_PER_CPU_ALIGNED(struct pcpu_hot, pcpu_hot);

static struct rcu_head *user_waiting, **user_last = &user_waiting;
static bool user_in_grace;

/* Sleeping locks that are held, but those of address spaces and areas. */
static int user_deep;

/* How often this CPU has RCU, and those that are interrupted. */
static int user_reading, user_readers;
void (*user_elsewhere)(void);

void __rcu_read_lock(void)
{
	user_reading++;
}

void __rcu_read_unlock(void)
{
	if (!user_reading--)
		host_die("RCU is not held");
}

/*
 * Another CPU has time to do something now. What it does must not need a lock
 * that is held here, nor what belongs to this CPU.
 */
static void user_pause(void)
{
	int reading = user_reading, faults = current->pagefault_disabled;
	void (*elsewhere)(void) = user_elsewhere;
	struct mm_struct *mm = current->mm;

	if (likely(!elsewhere) || preempt_count() || user_deep || user_in_grace)
		return;
	user_readers += reading;
	user_reading = 0;
	current->pagefault_disabled = 0;
	elsewhere();
	user_mm_enter(mm);
	current->pagefault_disabled = faults;
	user_reading = reading;
	user_readers -= reading;
}

/* Let all readers be done: call what waited for it. */
void user_grace(void)
{
	/* The one that was interrupted may be a reader. */
	if (user_in_grace || user_readers || user_reading)
		return;
	user_in_grace = true;
	while (user_waiting) {
		struct rcu_head *head = user_waiting;

		user_waiting = head->next;
		if (!user_waiting)
			user_last = &user_waiting;
		head->func(head);
	}
	user_in_grace = false;
}

void call_rcu(struct rcu_head *head, rcu_callback_t func)
{
	head->func = func;
	head->next = NULL;
	*user_last = head;
	user_last = &head->next;
}

void synchronize_rcu(void)
{
	user_may_sleep();
}

void rcu_barrier(void)
{
	user_may_sleep();
}

void user_may_sleep(void)
{
	if (preempt_count() || user_reading)
		host_die("sleeps with a spinlock or RCU held");
	user_pause();
	user_grace();
}

int __cond_resched(void)
{
	user_may_sleep();
	return 0;
}

void __raw_spin_lock_init(raw_spinlock_t *lock, const char *name,
			  struct lock_class_key *key, short inner)
{
	*lock = __RAW_SPIN_LOCK_UNLOCKED(lock);
}

void _raw_spin_lock(raw_spinlock_t *lock)
{
	user_pause();
	preempt_disable();
	if (lock->magic != SPINLOCK_MAGIC)
		host_die("spinlock %p was not initialised", lock);
	if (!arch_spin_trylock(&lock->raw_lock))
		host_die("spinlock %p is held: deadlock", lock);
}

int _raw_spin_trylock(raw_spinlock_t *lock)
{
	preempt_disable();
	if (arch_spin_trylock(&lock->raw_lock))
		return 1;
	preempt_enable();
	return 0;
}

void do_raw_spin_unlock(raw_spinlock_t *lock)
{
	if (!arch_spin_is_locked(&lock->raw_lock))
		host_die("spinlock %p is not held", lock);
	arch_spin_unlock(&lock->raw_lock);
}

void _raw_spin_lock_irq(raw_spinlock_t *lock)
{
	_raw_spin_lock(lock);
}

void _raw_spin_unlock_irq(raw_spinlock_t *lock)
{
	do_raw_spin_unlock(lock);
	preempt_enable();
}

/* A count of readers, as Linux's inline functions read it. */
#define USER_WRITER	1
#define USER_READER	256

void __init_rwsem(struct rw_semaphore *sem, const char *name,
		  struct lock_class_key *key)
{
	bool deep;

	memset(sem, 0, sizeof(*sem));
	/* Who wants the lock of an address space or area looks at it first. */
	deep = strcmp(name, "&mm->mmap_lock") &&
	       strcmp(name, "&vma->vm_lock->lock");
	atomic_long_set(&sem->owner, deep);
}

int down_read_trylock(struct rw_semaphore *sem)
{
	if (atomic_long_read(&sem->count) & USER_WRITER)
		return 0;
	atomic_long_add(USER_READER, &sem->count);
	user_deep += atomic_long_read(&sem->owner);
	return 1;
}

void down_read(struct rw_semaphore *sem)
{
	user_may_sleep();
	if (!down_read_trylock(sem))
		host_die("lock %p is held for writing: deadlock", sem);
}

int down_read_killable(struct rw_semaphore *sem)
{
	down_read(sem);
	return 0;
}

void up_read(struct rw_semaphore *sem)
{
	if (atomic_long_read(&sem->count) < USER_READER)
		host_die("lock %p is not held for reading", sem);
	atomic_long_sub(USER_READER, &sem->count);
	user_deep -= atomic_long_read(&sem->owner);
}

int down_write_trylock(struct rw_semaphore *sem)
{
	if (atomic_long_read(&sem->count))
		return 0;
	atomic_long_set(&sem->count, USER_WRITER);
	user_deep += atomic_long_read(&sem->owner);
	return 1;
}

void down_write(struct rw_semaphore *sem)
{
	user_may_sleep();
	if (!down_write_trylock(sem))
		host_die("lock %p is held: deadlock", sem);
}

int down_write_killable(struct rw_semaphore *sem)
{
	down_write(sem);
	return 0;
}

void up_write(struct rw_semaphore *sem)
{
	if (atomic_long_read(&sem->count) != USER_WRITER)
		host_die("lock %p is not held for writing", sem);
	atomic_long_set(&sem->count, 0);
	user_deep -= atomic_long_read(&sem->owner);
}

void downgrade_write(struct rw_semaphore *sem)
{
	up_write(sem);
	down_read_trylock(sem);
}

void __mutex_init(struct mutex *lock, const char *name,
		  struct lock_class_key *key)
{
	memset(lock, 0, sizeof(*lock));
}

void mutex_lock(struct mutex *lock)
{
	user_may_sleep();
	if (atomic_long_read(&lock->owner))
		host_die("mutex %p is held: deadlock", lock);
	atomic_long_set(&lock->owner, 1);
}

void mutex_unlock(struct mutex *lock)
{
	if (!atomic_long_read(&lock->owner))
		host_die("mutex %p is not held", lock);
	atomic_long_set(&lock->owner, 0);
}

void smp_call_function(smp_call_func_t func, void *info, int wait)
{
}

void __folio_lock(struct folio *folio)
{
	host_die("folio of frame %#lx is locked: deadlock", folio_pfn(folio));
}

void folio_unlock(struct folio *folio)
{
	if (!folio_test_locked(folio))
		host_die("folio of frame %#lx is not locked", folio_pfn(folio));
	clear_bit(PG_locked, folio_flags(folio, 0));
}

void unlock_page(struct page *page)
{
	folio_unlock(page_folio(page));
}
