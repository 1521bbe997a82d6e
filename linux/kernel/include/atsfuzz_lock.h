#ifndef ATSFUZZ_LOCK_H_
#define ATSFUZZ_LOCK_H_

/*
 * Atomics, barriers, locks, RCU, time. Before each access that another CPU or the
 * hardware may see, others may go on (atsfuzz_step). Outside of `par` blocks nobody
 * else runs, and a lock that is held is a deadlock. All of it is macros, so that a
 * recorded access carries the caller's line.
 */

/*
 * How threads meet, for races.c: kernel units of instrumented builds tell it.
 */
#if defined(__has_feature) && __has_feature(thread_sanitizer)
#define __race_acquire(p) \
	(atsfuzz_touch((const void *)(p), 4, 1), atsfuzz_race_acquire((const void *)(p)))
#define __race_release(p) \
	(atsfuzz_touch((const void *)(p), 4, 1), atsfuzz_race_release((const void *)(p)))
/* RCU; atsfuzz_atomic says by itself whom it concerns. */
#define __race_leave_readers() atsfuzz_race_release(&atsfuzz_atomic)
#define __race_see_readers_left() atsfuzz_race_acquire(&atsfuzz_atomic)
#define __race_fence() atsfuzz_race_fence()
/* And what a barrier is to weak.c. */
#define __weak_order_stores() atsfuzz_weak_order_stores()
#define __weak_order_loads() atsfuzz_weak_order_loads()
#define __weak_order_all() atsfuzz_weak_order_all()
#define __weak_release() atsfuzz_weak_release()
#define __weak_release_next() atsfuzz_weak_release_next()
#define __weak_device() atsfuzz_weak_device()
#define __weak_once(p) atsfuzz_weak_once(p)
#define __weak_see(p) atsfuzz_weak_see(p, sizeof(*(p)))
#define __weak_saw(p) atsfuzz_weak_saw(p)
/* The compiler makes loops and assignments into calls of these. */
__asm__(".set memset, __tsan_memset\n.set memcpy, __tsan_memcpy\n"
	".set memmove, __tsan_memmove");
#else
#define __race_acquire(p) ((void)0)
#define __race_release(p) ((void)0)
#define __race_leave_readers() ((void)0)
#define __race_see_readers_left() ((void)0)
#define __race_fence() ((void)0)
#define __weak_order_stores() ((void)0)
#define __weak_order_loads() ((void)0)
#define __weak_order_all() ((void)0)
#define __weak_release() ((void)0)
#define __weak_release_next() ((void)0)
#define __weak_device() ((void)0)
#define __weak_once(p) ((void)0)
#define __weak_see(p) (p)
#define __weak_saw(p) ((void)0)
#endif
/* A word that is accessed as READ_ONCE and WRITE_ONCE do. */
#define __marked(x) (*(volatile typeof(x) *)&(x))

#define READ_ONCE(x) \
	({ \
		atsfuzz_step(); \
		*(const volatile typeof(x) *)__weak_see(&(x)); \
	})
#define WRITE_ONCE(x, value) \
	do { \
		typeof(x) __new = (value); \
		atsfuzz_step(); \
		__weak_once(&(x)); \
		if (sizeof(x) == 8 && atsfuzz_memory_is_dma((const void *)&(x))) { \
			unsigned long long __old64, __new64; \
			__old64 = *(const volatile unsigned long long *)&(x); \
			__builtin_memcpy(&__new64, &__new, sizeof(__new) < 8 ? sizeof(__new) : 8); \
			*(volatile typeof(x) *)&(x) = __new; \
			atsfuzz_store((volatile void *)&(x), __old64, __new64); \
		} else { \
			*(volatile typeof(x) *)&(x) = __new; \
		} \
		atsfuzz_changed(); \
	} while (0)
#define smp_load_acquire(p) \
	({ \
		__weak_order_loads(); \
		typeof(*(p)) __loaded = READ_ONCE(*(p)); \
		__weak_order_loads(); \
		__loaded; \
	})
#define smp_store_release(p, v) \
	do { \
		__race_release(p); \
		__weak_order_stores(); \
		WRITE_ONCE(*(p), v); \
	} while (0)
#define smp_store_mb(x, v) \
	do { \
		WRITE_ONCE(x, v); \
		__race_fence(); \
		__weak_order_all(); \
	} while (0)

#define __barrier(order) \
	do { \
		atsfuzz_step(); \
		__race_fence(); \
		order(); \
		barrier(); \
	} while (0)
#define mb() __barrier(__weak_order_all)
#define rmb() __barrier(__weak_order_loads)
#define wmb() __barrier(__weak_order_stores)
#define dma_mb() __barrier(__weak_order_all)
#define dma_rmb() __barrier(__weak_order_loads)
#define dma_wmb() __barrier(__weak_order_stores)
#define smp_mb() __barrier(__weak_order_all)
#define smp_rmb() __barrier(__weak_order_loads)
#define smp_wmb() __barrier(__weak_order_stores)
#define __iomb() __barrier(__weak_order_all)
#define smp_mb__before_atomic() __barrier(__weak_order_all)
#define smp_mb__after_atomic() __barrier(__weak_order_all)
#define smp_acquire__after_ctrl_dep() \
	do { \
		__weak_order_loads(); \
		barrier(); \
	} while (0)

#define smp_cond_load_relaxed(p, condition) \
	({ \
		typeof(*(p)) VAL; \
		for (;;) { \
			VAL = READ_ONCE(*(p)); \
			if (condition) \
				break; \
			atsfuzz_relax(); \
		} \
		VAL; \
	})
#define smp_cond_load_acquire(p, condition) \
	({ \
		typeof(*(p)) __acquired = smp_cond_load_relaxed(p, condition); \
		__weak_order_loads(); \
		__acquired; \
	})

typedef struct {
	int counter;
} atomic_t;
typedef struct {
	long counter;
} atomic_long_t;
typedef struct {
	s64 counter;
} atomic64_t;
#define ATOMIC_INIT(i) \
	{ \
		(i) \
	}
#define ATOMIC_LONG_INIT(i) \
	{ \
		(i) \
	}

/* An atomic access that changes what it accesses. */
#define __changing(expression) \
	({ \
		atsfuzz_step(); \
		atsfuzz_changed(); \
		expression; \
	})
/* One that returns a value orders what is before and after it. */
#define __ordering(v, expression) \
	({ \
		__race_release(v); \
		__weak_release_next(); \
		typeof(expression) __result = (expression); \
		__race_acquire(v); \
		__weak_order_loads(); \
		__result; \
	})
/* One that only orders what is before it. */
#define __releasing(v, expression) \
	({ \
		__race_release(v); \
		__weak_release_next(); \
		typeof(expression) __result = (expression); \
		__race_acquire(v); \
		__result; \
	})
#define __counter(v) __marked((v)->counter)
#define __atomic_return(v, op, i) \
	({ \
		typeof(v) __v = (v); \
		typeof(__counter(v)) __i = (i); \
		__changing(__counter(__v) op __i); \
	})
#define __atomic_fetch(v, op, i) \
	({ \
		typeof(v) __v = (v); \
		typeof(__counter(v)) __was, __i = (i); \
		__changing(__was = __counter(__v)); \
		__counter(__v) op __i; \
		__was; \
	})
#define atomic_read(v) READ_ONCE(__counter(v))
#define atomic_read_acquire(v) smp_load_acquire(&__counter(v))
#define atomic_set(v, i) ((void)__changing(__counter(v) = (i)))
#define atomic_set_release(v, i) \
	do { \
		__race_release(v); \
		__weak_release_next(); \
		atomic_set(v, i); \
	} while (0)
#define atomic_inc(v) ((void)__atomic_return(v, +=, 1))
#define atomic_dec(v) ((void)__atomic_return(v, -=, 1))
#define atomic_add(i, v) ((void)__atomic_return(v, +=, i))
#define atomic_sub(i, v) ((void)__atomic_return(v, -=, i))
#define atomic_inc_return(v) __ordering(v, __atomic_return(v, +=, 1))
#define atomic_dec_return(v) __ordering(v, __atomic_return(v, -=, 1))
#define atomic_inc_return_relaxed(v) __atomic_return(v, +=, 1)
#define atomic_dec_return_release(v) __releasing(v, __atomic_return(v, -=, 1))
#define atomic_dec_return_relaxed(v) __atomic_return(v, -=, 1)
#define atomic_dec_and_test(v) (atomic_dec_return(v) == 0)
#define atomic_inc_not_zero(v) \
	({ \
		typeof(v) __v = (v); \
		__ordering(__v, __changing(__counter(__v) ? (__counter(__v) += 1, true) : false)); \
	})
#define atomic_fetch_inc_relaxed(v) __atomic_fetch(v, +=, 1)
#define atomic_fetch_inc(v) __ordering(v, __atomic_fetch(v, +=, 1))
#define atomic_fetch_dec(v) __ordering(v, __atomic_fetch(v, -=, 1))
#define atomic_fetch_add(i, v) __ordering(v, __atomic_fetch(v, +=, i))
#define atomic_fetch_or(i, v) __ordering(v, __atomic_fetch(v, |=, i))
#define atomic_fetch_andnot_relaxed(i, v) __atomic_fetch(v, &=, ~(i))
#define atomic_fetch_andnot_release(i, v) __releasing(v, atomic_fetch_andnot_relaxed(i, v))
#define atomic_cmpxchg(v, old, new) cmpxchg(&__counter(v), old, new)
#define atomic_cmpxchg_relaxed(v, old, new) cmpxchg_relaxed(&__counter(v), old, new)
#define atomic_cond_read_relaxed(v, condition) smp_cond_load_relaxed(&__counter(v), condition)
#define atomic_cond_read_acquire(v, condition) smp_cond_load_acquire(&__counter(v), condition)
#define atomic_long_read(v) atomic_read(v)
#define atomic_long_set(v, i) atomic_set(v, i)
#define atomic_long_xor(i, v) ((void)__atomic_return(v, ^=, i))
#define atomic_long_cond_read_relaxed(v, condition) atomic_cond_read_relaxed(v, condition)
#define atomic64_read(v) atomic_read(v)
#define atomic64_set(v, i) atomic_set(v, i)
#define atomic64_inc(v) atomic_inc(v)
#define cmpxchg_relaxed(p, old, new) \
	({ \
		volatile typeof(*(p)) *__at = (p); \
		typeof(*(p)) __was, __old = (typeof(*(p)))(old); \
		typeof(*(p)) __new = (typeof(*(p)))(new); \
		atsfuzz_step(); \
		__weak_saw(__at); \
		__was = *__at; \
		if (__was == __old) { \
			*__at = __new; \
			atsfuzz_changed(); \
		} else { \
			atsfuzz_looked((unsigned long)__at, (unsigned long)__was); \
		} \
		__was; \
	})
#define cmpxchg(p, old, new) __ordering(p, cmpxchg_relaxed(p, old, new))
#define cmpxchg64(p, old, new) cmpxchg_store(p, old, new)
#define cmpxchg64_relaxed(p, old, new) cmpxchg_store(p, old, new)
/* The page table writer's: its result is seen by the SMMU. */
#define cmpxchg_store(p, old, new) cmpxchg(p, old, new)
#define xchg_relaxed(p, new) \
	({ \
		volatile typeof(*(p)) *__at = (p); \
		typeof(*(p)) __was, __new = (new); \
		atsfuzz_step(); \
		__was = *__at; \
		*__at = __new; \
		atsfuzz_changed(); \
		__was; \
	})
#define xchg(p, new) __ordering(p, xchg_relaxed(p, new))
#define try_cmpxchg(p, oldp, new) \
	({ \
		typeof(*(p)) __seen = cmpxchg(p, *(oldp), new); \
		bool __ok = __seen == *(oldp); \
		*(oldp) = __seen; \
		__ok; \
	})

typedef struct {
	int counter;
} refcount_t;
#define REFCOUNT_INIT(n) \
	{ \
		(n) \
	}
#define refcount_set(r, n) ((void)__changing(__counter(r) = (n)))
#define refcount_read(r) READ_ONCE((r)->counter)
#define refcount_inc(r) \
	do { \
		typeof(r) __r = (r); \
		atsfuzz_step(); \
		WARN_ON(__counter(__r) <= 0); \
		__counter(__r)++; \
	} while (0)
#define refcount_inc_not_zero(r) atomic_inc_not_zero(r)
#define refcount_dec_and_test(r) \
	({ \
		typeof(r) __r = (r); \
		bool __last; \
		atsfuzz_step(); \
		WARN_ON(__counter(__r) <= 0); \
		__race_release(__r); \
		__weak_release(); \
		__last = --__counter(__r) == 0; \
		__race_acquire(__r); \
		__weak_order_loads(); \
		__last; \
	})
#define refcount_dec(r) WARN_ON(refcount_dec_and_test(r))

/* ---- Locks -------------------------------------------------------------- */

struct lock_class_key {
	int unused;
};
/* `class`: who made it, as the maker calls it; NULL: nobody did. */
struct mutex {
	int held;
	const char *class;
};
typedef struct {
	int held;
	const char *class;
} spinlock_t, raw_spinlock_t;
typedef struct {
	int writer, readers;
	const char *class;
} rwlock_t;
struct rw_semaphore {
	int writer, readers;
	const char *class;
};
#define __MUTEX_INITIALIZER(name) \
	{ \
		.class = #name \
	}
#define DEFINE_MUTEX(name) struct mutex name = { .class = #name }
#define DEFINE_SPINLOCK(name) spinlock_t name = { .class = #name }
#define DECLARE_RWSEM(name) struct rw_semaphore name = { .class = #name }
#define __class_of_this_place(l) \
	({ \
		static const char __class[] = #l; \
		__class; \
	})
#define mutex_init(m) ((void)((m)->held = 0, (m)->class = __class_of_this_place(m)))
#define spin_lock_init(l) mutex_init(l)
#define raw_spin_lock_init(l) mutex_init(l)
#define rwlock_init(l) \
	((void)((l)->writer = (l)->readers = 0, (l)->class = __class_of_this_place(l)))
#define init_rwsem(l) rwlock_init(l)
#define mutex_destroy(m) ((void)(m))

/* `held` and `writer` name their holder, from 1. Where a lock is, is found out once:
 * from there on nothing stops the thread but a step. */
#define __me atsfuzz_me()
#define __wait_for(writer, readers, name) \
	(unlikely(__marked(writer) || __marked(readers)) && \
	 atsfuzz_wait_for(&(writer), &(readers), name, __FILE__, __LINE__, __func__))
#define __this_place \
	({ \
		static const struct atsfuzz_lock_place __place = { __FILE__, __func__, __LINE__ }; \
		&__place; \
	})
#define __lock_rule(kept, ...) \
	(likely(kept) ? (void)0 : atsfuzz_lock_report(__this_place, __VA_ARGS__))
#define __is_taken(lock, how) atsfuzz_lock_taken(lock, (lock)->class, how, __this_place)
#define __take(l, how) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step_before(&__lock->held, &__lock->held); \
		__is_taken(__lock, ATSFUZZ_LOCK_WRITE | (how)); \
		(void)__wait_for(__lock->held, __lock->held, #l); \
		__marked(__lock->held) = __me; \
		__race_acquire(__lock); \
		__weak_order_loads(); \
	} while (0)
#define __give(l) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step(); \
		__race_release(__lock); \
		__weak_release(); \
		atsfuzz_lock_given(__lock, #l, __this_place); \
		__marked(__lock->held) = 0; \
		atsfuzz_changed(); \
	} while (0)
#define __take_read(l, how) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step_before(&__lock->writer, &__lock->writer); \
		__is_taken(__lock, how); \
		(void)__wait_for(__lock->writer, __lock->writer, #l); \
		__marked(__lock->readers)++; \
		__race_acquire(&__lock->writer); \
		__weak_order_loads(); \
	} while (0)
#define __give_read(l) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step(); \
		__race_release(&__lock->readers); \
		__weak_release(); \
		atsfuzz_lock_given(__lock, #l, __this_place); \
		__marked(__lock->readers)--; \
		atsfuzz_changed(); \
	} while (0)
#define __take_write(l, how) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step_before(&__lock->writer, &__lock->readers); \
		__is_taken(__lock, ATSFUZZ_LOCK_WRITE | (how)); \
		(void)__wait_for(__lock->writer, __lock->readers, #l); \
		__marked(__lock->writer) = __me; \
		__race_acquire(&__lock->writer); \
		__race_acquire(&__lock->readers); \
		__weak_order_loads(); \
	} while (0)
#define __give_write(l) \
	do { \
		typeof(l) __lock = (l); \
		atsfuzz_step(); \
		__race_release(&__lock->writer); \
		__weak_release(); \
		atsfuzz_lock_given(__lock, #l, __this_place); \
		__marked(__lock->writer) = 0; \
		atsfuzz_changed(); \
	} while (0)

#define __may_sleep(what) \
	__lock_rule(!atsfuzz_is_atomic(), "%s may sleep, which is forbidden here", what)
#define __mutex_lock(m, how) \
	do { \
		__may_sleep("mutex_lock"); \
		__take(m, how); \
	} while (0)
#define mutex_lock(m) __mutex_lock(m, 0)
#define mutex_lock_nested(m, c) __mutex_lock(m, (c) ? ATSFUZZ_LOCK_NESTED : 0)
#define mutex_lock_interruptible(m) \
	({ \
		mutex_lock(m); \
		0; \
	})
#define mutex_trylock(m) \
	({ \
		typeof(m) __lock = (m); \
		atsfuzz_step(); \
		__weak_order_loads(); \
		__marked(__lock->held) ? \
			0 : \
			(__is_taken(__lock, ATSFUZZ_LOCK_WRITE | ATSFUZZ_LOCK_TRIED), \
			 __race_acquire(__lock), __marked(__lock->held) = __me); \
	})
#define mutex_unlock(m) __give(m)
#define mutex_is_locked(m) __marked((m)->held)

/* Whoever holds one of these must not sleep. */
#define __atomically(take, l, how) \
	do { \
		atsfuzz_enter_atomic(); \
		take(l, how); \
	} while (0)
#define __no_longer(give, l) \
	do { \
		give(l); \
		atsfuzz_leave_atomic(); \
	} while (0)
#define spin_lock(l) __atomically(__take, l, 0)
#define spin_unlock(l) __no_longer(__give, l)
#define spin_lock_irq(l) spin_lock(l)
#define spin_unlock_irq(l) spin_unlock(l)
#define spin_lock_irqsave(l, flags) \
	do { \
		(flags) = 0; \
		spin_lock(l); \
	} while (0)
#define spin_unlock_irqrestore(l, flags) \
	do { \
		(void)(flags); \
		spin_unlock(l); \
	} while (0)
#define raw_spin_lock(l) spin_lock(l)
#define raw_spin_unlock(l) spin_unlock(l)
#define raw_spin_lock_irqsave(l, flags) spin_lock_irqsave(l, flags)
#define raw_spin_unlock_irqrestore(l, flags) spin_unlock_irqrestore(l, flags)
/* A reader may read once more: writers wait for both. */
#define read_lock(l) __atomically(__take_read, l, ATSFUZZ_LOCK_RECURSIVE)
#define read_unlock(l) __no_longer(__give_read, l)
#define read_lock_irqsave(l, flags) \
	do { \
		(flags) = 0; \
		read_lock(l); \
	} while (0)
#define read_unlock_irqrestore(l, flags) \
	do { \
		(void)(flags); \
		read_unlock(l); \
	} while (0)
#define write_lock(l) __atomically(__take_write, l, 0)
#define write_unlock(l) __no_longer(__give_write, l)
#define write_lock_irqsave(l, flags) \
	do { \
		(flags) = 0; \
		write_lock(l); \
	} while (0)
#define write_unlock_irqrestore(l, flags) \
	do { \
		(void)(flags); \
		write_unlock(l); \
	} while (0)
#define down_read(l) \
	do { \
		__may_sleep("down_read"); \
		__take_read(l, 0); \
	} while (0)
#define up_read(l) __give_read(l)
#define down_write(l) \
	do { \
		__may_sleep("down_write"); \
		__take_write(l, 0); \
	} while (0)
#define up_write(l) __give_write(l)
#define local_irq_save(flags) \
	do { \
		(flags) = 0; \
		atsfuzz_enter_atomic(); \
	} while (0)
#define local_irq_restore(flags) \
	do { \
		(void)(flags); \
		atsfuzz_leave_atomic(); \
	} while (0)
#define preempt_disable() atsfuzz_enter_atomic()
#define preempt_enable() atsfuzz_leave_atomic()

#define lockdep_is_held(l) atsfuzz_lock_is_held(l, 0)
#define lockdep_assert_held(l) __lock_rule(lockdep_is_held(l), "%s is not held", #l)
#define lockdep_assert_held_write(l) \
	__lock_rule(atsfuzz_lock_is_held(l, ATSFUZZ_LOCK_WRITE), "%s is not held for writing", #l)
#define lockdep_assert_not_held(l) __lock_rule(!lockdep_is_held(l), "%s is held", #l)
#define lockdep_assert(condition) __lock_rule(condition, "%s does not hold", #condition)
#define might_lock(l) ((void)(l))
#define might_sleep() __may_sleep("might_sleep")
#define might_sleep_if(condition) \
	do { \
		if (condition) \
			might_sleep(); \
	} while (0)
#define might_alloc(gfp) might_sleep_if((gfp)&GFP_KERNEL)
#define cond_resched() barrier()

/* ---- RCU ---------------------------------------------------------------- */

struct rcu_head {
	void *next;
	void *func;
};
#define rcu_read_lock() \
	do { \
		atsfuzz_step(); \
		atsfuzz_rcu_enter(); \
		atsfuzz_enter_atomic(); \
	} while (0)
#define rcu_read_unlock() \
	do { \
		atsfuzz_step(); \
		atsfuzz_rcu_leave(); \
		__race_leave_readers(); \
		atsfuzz_leave_atomic(); \
		atsfuzz_changed(); \
	} while (0)
#define rcu_read_lock_held() atsfuzz_rcu_is_reader()
#define rcu_dereference_check(p, c) \
	({ \
		__lock_rule(rcu_read_lock_held() || (c), "%s is read outside of an RCU section", \
			    #p); \
		READ_ONCE(p); \
	})
#define rcu_dereference(p) rcu_dereference_check(p, 0)
#define rcu_dereference_protected(p, c) \
	({ \
		__lock_rule(c, "%s is read without what protects it: %s", #p, #c); \
		(p); \
	})
#define rcu_access_pointer(p) __marked(p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_assign_pointer(p, v) \
	do { \
		typeof(p) __pointer = (v); \
		atsfuzz_step(); \
		__race_release(&(p)); \
		__weak_order_stores(); \
		__weak_once(&(p)); \
		__marked(p) = __pointer; \
		atsfuzz_changed(); \
	} while (0)
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define kfree_rcu(p, member) atsfuzz_memory_free_deferred(p)
#define kfree_rcu_mightsleep(p) atsfuzz_memory_free_deferred(p)
#define synchronize_rcu() \
	do { \
		__may_sleep("synchronize_rcu"); \
		atsfuzz_synchronize(); \
		__race_see_readers_left(); \
	} while (0)
struct srcu_struct {
	int unused;
};

/* ---- Time --------------------------------------------------------------- */

#define NSEC_PER_USEC 1000L
#define NSEC_PER_MSEC 1000000L
#define USEC_PER_SEC 1000000L
#define USEC_PER_MSEC 1000L
#define NSEC_PER_SEC 1000000000L
#define ktime_get() ((ktime_t)atsfuzz_time_ns())
#define ktime_add_us(t, us) ((t) + (ktime_t)(us)*NSEC_PER_USEC)
#define ktime_add_ns(t, ns) ((t) + (ktime_t)(ns))
#define ktime_compare(a, b) ((a) < (b) ? -1 : (a) > (b))
#define ktime_us_delta(a, b) (((a) - (b)) / NSEC_PER_USEC)
#define cpu_relax() atsfuzz_relax()
#define wfe() atsfuzz_relax()
#define udelay(us) atsfuzz_delay_ns((us)*1000ULL)
#define ndelay(ns) atsfuzz_delay_ns(ns)
#define mdelay(ms) atsfuzz_delay_ns((ms)*1000000ULL)
#define __sleep_us(us) \
	do { \
		__may_sleep("sleep"); \
		udelay(us); \
	} while (0)
#define msleep(ms) __sleep_us((ms)*1000ULL)
#define usleep_range(a, b) __sleep_us(b)
#define fsleep(us) __sleep_us(us)

#if __has_include(<linux/args.h>)
#include <linux/args.h>
#endif
#if __has_include(<linux/cleanup.h>)
#include <linux/cleanup.h>
#endif
#include <linux/list.h>

/* Kernels whose cleanup.h has guards use them. */
#ifdef DEFINE_GUARD
DEFINE_GUARD(mutex, struct mutex *, mutex_lock(_T), mutex_unlock(_T))
DEFINE_LOCK_GUARD_1(spinlock, spinlock_t, spin_lock(_T->lock), spin_unlock(_T->lock))
DEFINE_LOCK_GUARD_1(spinlock_irqsave, spinlock_t, spin_lock_irqsave(_T->lock, _T->flags),
		    spin_unlock_irqrestore(_T->lock, _T->flags), unsigned long flags)
DEFINE_LOCK_GUARD_0(rcu, rcu_read_lock(), rcu_read_unlock())
#endif

#endif /* ATSFUZZ_LOCK_H_ */
