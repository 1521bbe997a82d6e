#ifndef ATSFUZZ_LOCK_H_
#define ATSFUZZ_LOCK_H_

/*
 * Atomics, barriers, locks, RCU, time. One CPU runs an operation to its end, so
 * a lock is a flag that tells misuse: taking a held lock or releasing a free one
 * is a deadlock or a bug of the caller. Atomics are macros, so that a recorded
 * access carries the caller's line.
 */

#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, value) \
	do { \
		typeof(x) __new = (value); \
		if (sizeof(x) == 8 && atsfuzz_memory_is_dma((const void *)&(x))) { \
			unsigned long long __old64, __new64; \
			__builtin_memcpy(&__old64, (const void *)&(x), 8); \
			__builtin_memcpy(&__new64, &__new, sizeof(__new) < 8 ? sizeof(__new) : 8); \
			*(volatile typeof(x) *)&(x) = __new; \
			atsfuzz_store((volatile void *)&(x), __old64, __new64); \
		} else { \
			*(volatile typeof(x) *)&(x) = __new; \
		} \
	} while (0)
#define smp_load_acquire(p) READ_ONCE(*(p))
#define smp_store_release(p, v) WRITE_ONCE(*(p), v)
#define smp_store_mb(x, v) WRITE_ONCE(x, v)

#define mb() barrier()
#define rmb() barrier()
#define wmb() barrier()
#define dma_mb() barrier()
#define dma_rmb() barrier()
#define dma_wmb() barrier()
#define smp_mb() barrier()
#define smp_rmb() barrier()
#define smp_wmb() barrier()
#define __iomb() barrier()
#define smp_mb__before_atomic() barrier()
#define smp_mb__after_atomic() barrier()
#define smp_acquire__after_ctrl_dep() barrier()

/* The condition can only become true by hardware: one CPU, nobody else runs. */
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
#define smp_cond_load_acquire(p, condition) smp_cond_load_relaxed(p, condition)

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

#define __counter(v) ((v)->counter)
#define __atomic_return(v, op, i) (__counter(v) op(i))
#define __atomic_fetch(v, op, i) \
	({ \
		typeof(__counter(v)) __was = __counter(v); \
		__counter(v) op(i); \
		__was; \
	})
#define atomic_read(v) READ_ONCE(__counter(v))
#define atomic_read_acquire(v) READ_ONCE(__counter(v))
#define atomic_set(v, i) ((void)(__counter(v) = (i)))
#define atomic_set_release(v, i) atomic_set(v, i)
#define atomic_inc(v) ((void)(__counter(v) += 1))
#define atomic_dec(v) ((void)(__counter(v) -= 1))
#define atomic_add(i, v) ((void)(__counter(v) += (i)))
#define atomic_sub(i, v) ((void)(__counter(v) -= (i)))
#define atomic_inc_return(v) __atomic_return(v, +=, 1)
#define atomic_dec_return(v) __atomic_return(v, -=, 1)
#define atomic_inc_return_relaxed(v) atomic_inc_return(v)
#define atomic_dec_return_release(v) atomic_dec_return(v)
#define atomic_dec_return_relaxed(v) atomic_dec_return(v)
#define atomic_dec_and_test(v) (atomic_dec_return(v) == 0)
#define atomic_inc_not_zero(v) (__counter(v) ? (__counter(v) += 1, true) : false)
#define atomic_fetch_inc_relaxed(v) __atomic_fetch(v, +=, 1)
#define atomic_fetch_inc(v) __atomic_fetch(v, +=, 1)
#define atomic_fetch_dec(v) __atomic_fetch(v, -=, 1)
#define atomic_fetch_add(i, v) __atomic_fetch(v, +=, i)
#define atomic_fetch_or(i, v) __atomic_fetch(v, |=, i)
#define atomic_fetch_andnot_relaxed(i, v) __atomic_fetch(v, &=, ~(i))
#define atomic_fetch_andnot_release(i, v) atomic_fetch_andnot_relaxed(i, v)
#define atomic_cmpxchg(v, old, new) cmpxchg(&__counter(v), old, new)
#define atomic_cmpxchg_relaxed(v, old, new) atomic_cmpxchg(v, old, new)
#define atomic_cond_read_relaxed(v, condition) smp_cond_load_relaxed(&__counter(v), condition)
#define atomic_cond_read_acquire(v, condition) atomic_cond_read_relaxed(v, condition)
#define atomic_long_read(v) atomic_read(v)
#define atomic_long_set(v, i) atomic_set(v, i)
#define atomic_long_xor(i, v) ((void)(__counter(v) ^= (i)))
#define atomic_long_cond_read_relaxed(v, condition) atomic_cond_read_relaxed(v, condition)
#define atomic64_read(v) atomic_read(v)
#define atomic64_set(v, i) atomic_set(v, i)
#define atomic64_inc(v) atomic_inc(v)
#define cmpxchg(p, old, new) \
	({ \
		typeof(*(p)) __was = *(p), __old = (typeof(*(p)))(old); \
		if (__was == __old) \
			*(p) = (typeof(*(p)))(new); \
		__was; \
	})
#define cmpxchg_relaxed(p, old, new) cmpxchg(p, old, new)
#define cmpxchg64(p, old, new) cmpxchg_store(p, old, new)
#define cmpxchg64_relaxed(p, old, new) cmpxchg_store(p, old, new)
/* The page table writer's: its result is seen by the SMMU. */
#define cmpxchg_store(p, old, new) cmpxchg(p, old, new)
#define xchg(p, new) \
	({ \
		typeof(*(p)) __was = *(p); \
		*(p) = (new); \
		__was; \
	})
#define xchg_relaxed(p, new) xchg(p, new)
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
#define refcount_set(r, n) ((void)((r)->counter = (n)))
#define refcount_read(r) READ_ONCE((r)->counter)
#define refcount_inc(r) \
	do { \
		WARN_ON((r)->counter <= 0); \
		(r)->counter++; \
	} while (0)
#define refcount_inc_not_zero(r) ((r)->counter ? ((r)->counter++, true) : false)
#define refcount_dec_and_test(r) \
	({ \
		WARN_ON((r)->counter <= 0); \
		--(r)->counter == 0; \
	})
#define refcount_dec(r) WARN_ON(refcount_dec_and_test(r))

/* ---- Locks -------------------------------------------------------------- */

struct lock_class_key {
	int unused;
};
struct mutex {
	int held;
};
typedef struct {
	int held;
} spinlock_t, raw_spinlock_t;
typedef struct {
	int writer, readers;
} rwlock_t;
struct rw_semaphore {
	int writer, readers;
};
#define __MUTEX_INITIALIZER(name) \
	{ \
		0 \
	}
#define DEFINE_MUTEX(name) struct mutex name = { 0 }
#define DEFINE_SPINLOCK(name) spinlock_t name = { 0 }
#define DECLARE_RWSEM(name) struct rw_semaphore name = { 0 }
#define mutex_init(m) ((void)((m)->held = 0))
#define spin_lock_init(l) ((void)((l)->held = 0))
#define raw_spin_lock_init(l) ((void)((l)->held = 0))
#define rwlock_init(l) ((void)((l)->writer = (l)->readers = 0))
#define init_rwsem(l) rwlock_init(l)
#define mutex_destroy(m) ((void)(m))

#define __take(l) \
	do { \
		if (unlikely((l)->held)) \
			atsfuzz_warn(__FILE__, __LINE__, __func__, 0, "deadlock: %s is held", #l); \
		(l)->held = 1; \
	} while (0)
#define __give(l) \
	do { \
		if (unlikely(!(l)->held)) \
			atsfuzz_warn(__FILE__, __LINE__, __func__, 0, \
				     "release of %s, which is not held", #l); \
		(l)->held = 0; \
	} while (0)
#define mutex_lock(m) __take(m)
#define mutex_lock_nested(m, c) __take(m)
#define mutex_lock_interruptible(m) \
	({ \
		__take(m); \
		0; \
	})
#define mutex_trylock(m) ((m)->held ? 0 : ((m)->held = 1))
#define mutex_unlock(m) __give(m)
#define mutex_is_locked(m) ((m)->held)
#define spin_lock(l) __take(l)
#define spin_unlock(l) __give(l)
#define spin_lock_irq(l) __take(l)
#define spin_unlock_irq(l) __give(l)
#define spin_lock_irqsave(l, flags) \
	do { \
		(flags) = 0; \
		__take(l); \
	} while (0)
#define spin_unlock_irqrestore(l, flags) \
	do { \
		(void)(flags); \
		__give(l); \
	} while (0)
#define raw_spin_lock(l) __take(l)
#define raw_spin_unlock(l) __give(l)
#define raw_spin_lock_irqsave(l, flags) spin_lock_irqsave(l, flags)
#define raw_spin_unlock_irqrestore(l, flags) spin_unlock_irqrestore(l, flags)
#define read_lock(l) ((void)((l)->readers++))
#define read_unlock(l) ((void)((l)->readers--))
#define read_lock_irqsave(l, flags) ((void)((flags) = 0, (l)->readers++))
#define read_unlock_irqrestore(l, flags) ((void)((void)(flags), (l)->readers--))
#define write_lock(l) ((void)((l)->writer = 1))
#define write_unlock(l) ((void)((l)->writer = 0))
#define write_lock_irqsave(l, flags) ((void)((flags) = 0, (l)->writer = 1))
#define write_unlock_irqrestore(l, flags) ((void)((void)(flags), (l)->writer = 0))
#define down_read(l) read_lock(l)
#define up_read(l) read_unlock(l)
#define down_write(l) write_lock(l)
#define up_write(l) write_unlock(l)
#define local_irq_save(flags) ((void)((flags) = 0))
#define local_irq_restore(flags) ((void)(flags))
#define preempt_disable() barrier()
#define preempt_enable() barrier()

#define lockdep_assert_held(l) ((void)WARN_ON(!(l)->held))
#define lockdep_assert_held_write(l) ((void)(l))
#define lockdep_assert_not_held(l) ((void)(l))
#define lockdep_is_held(l) ((l)->held)
#define might_lock(l) ((void)(l))
#define might_sleep() barrier()
#define might_sleep_if(condition) ((void)(condition))
#define might_alloc(gfp) ((void)(gfp))
#define cond_resched() barrier()

/* ---- RCU ---------------------------------------------------------------- */

struct rcu_head {
	void *next;
	void *func;
};
#define rcu_read_lock() barrier()
#define rcu_read_unlock() barrier()
#define rcu_dereference(p) READ_ONCE(p)
#define rcu_dereference_protected(p, c) (p)
#define rcu_dereference_check(p, c) (p)
#define rcu_access_pointer(p) (p)
#define rcu_dereference_raw(p) READ_ONCE(p)
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v) ((p) = (v))
#define kfree_rcu(p, member) atsfuzz_memory_free_deferred(p)
#define kfree_rcu_mightsleep(p) atsfuzz_memory_free_deferred(p)
#define synchronize_rcu() atsfuzz_memory_grace_period()
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
#define msleep(ms) mdelay(ms)
#define usleep_range(a, b) udelay(b)
#define fsleep(us) udelay(us)

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
