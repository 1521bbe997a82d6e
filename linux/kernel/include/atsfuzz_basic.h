#ifndef ATSFUZZ_BASIC_H_
#define ATSFUZZ_BASIC_H_

/* Types, compiler words, arithmetic, logging. */

typedef unsigned char u8, __u8;
typedef unsigned short u16, __u16;
typedef unsigned int u32, __u32;
typedef unsigned long long u64, __u64;
typedef signed char s8, __s8;
typedef short s16, __s16;
typedef int s32, __s32;
typedef long long s64, __s64;
typedef u16 __le16, __be16;
typedef u32 __le32, __be32;
typedef u64 __le64, __be64;
typedef u64 __aligned_u64 __attribute__((aligned(8)));
typedef __le64 __aligned_le64 __attribute__((aligned(8)));
typedef u64 dma_addr_t, phys_addr_t, resource_size_t;
typedef s64 ktime_t, time64_t;
typedef unsigned long size_t;
typedef long ssize_t, loff_t, ptrdiff_t;
typedef unsigned long uintptr_t, pgoff_t;
typedef unsigned int gfp_t, slab_flags_t, fmode_t;
typedef unsigned short umode_t;
typedef _Bool bool;
typedef u64 pteval_t;

struct list_head {
	struct list_head *next, *prev;
};
struct hlist_node {
	struct hlist_node *next, **pprev;
};
struct hlist_head {
	struct hlist_node *first;
};

#define __always_inline inline __attribute__((__always_inline__))
#define noinline __attribute__((__noinline__))
#define __maybe_unused __attribute__((__unused__))
#define __used __attribute__((__used__))
#define __packed __attribute__((__packed__))
#define __aligned(x) __attribute__((__aligned__(x)))
#define __must_check
#define __printf(a, b)
#define __user
#define __iomem
#define __rcu
#define __percpu
#define __force
#define __bitwise
#define __init
#define __initdata
#define __initconst
#define __exit
#define __cold
#define __pure __attribute__((__pure__))
#define __attribute_const__ __attribute__((__const__))
#define __read_mostly
#define ____cacheline_aligned
#define ____cacheline_aligned_in_smp
#define __cacheline_aligned
#define __cacheline_aligned_in_smp
#define __ro_after_init
#define __private
#define __counted_by(x)
#define __counted_by_ptr(x)
#define __counted_by_le(x)
#define __acquires(x)
#define __releases(x)
#define __acquire(x) ((void)0)
#define __release(x) ((void)0)
#define __must_hold(x)
#define __context_unsafe(...)
#define __no_context_analysis
#define __nonnull_args(...)
#define __nonstring
#define __cleanup(function) __attribute__((__cleanup__(function)))
#define __no_sanitize_or_inline inline
#define __same_type(a, b) __builtin_types_compatible_p(typeof(a), typeof(b))
#define __must_be_array(a) 0
#define __ADDRESSABLE(x)
#define __PASTE_(a, b) a##b
#define __PASTE(a, b) __PASTE_(a, b)
#define ___PASTE(a, b) a##b
#define __UNIQUE_ID(prefix) __PASTE(__PASTE(__UNIQUE_ID_, prefix), __COUNTER__)
#define CONCATENATE(a, b) __PASTE(a, b)
#define __stringify_1(x...) #x
#define __stringify(x...) __stringify_1(x)
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define fallthrough __attribute__((__fallthrough__))
#define barrier() __asm__ __volatile__("" : : : "memory")
#define OPTIMIZER_HIDE_VAR(x) ((void)0)
#define RELOC_HIDE(p, off) ((typeof(p))((unsigned long)(p) + (off)))
#define unreachable() __builtin_unreachable()
#define __is_constexpr(x) __builtin_constant_p(x)
#define const_true(x) (__builtin_constant_p(x) && (x))
#define statically_true(x) (__builtin_constant_p(x) && (x))
#define compiletime_assert(condition, message) ((void)0)
#define __compiletime_error(message)
#define __compiletime_warning(message)
#define static_assert(expression, ...) __static_assert(expression, ##__VA_ARGS__, #expression)
#define __static_assert(expression, message, ...) _Static_assert(expression, message)
#define BUILD_BUG_ON_NOT_POWER_OF_2(n) ((void)0)
#define __BUILD_BUG_ON_ZERO_MSG(condition, message, ...) 0
#define data_race(expression) (expression)

#define EXPORT_SYMBOL(x)
#define EXPORT_SYMBOL_GPL(x)
#define EXPORT_SYMBOL_NS(x, ns)
#define EXPORT_SYMBOL_NS_GPL(x, ns)
#define EXPORT_SYMBOL_IF_KUNIT(x)
#define VISIBLE_IF_KUNIT static
#define MODULE_DESCRIPTION(x)
#define MODULE_AUTHOR(x)
#define MODULE_ALIAS(x)
#define MODULE_LICENSE(x)
#define MODULE_DEVICE_TABLE(a, b)
#define MODULE_IMPORT_NS(x)
#define MODULE_PARM_DESC(a, b)
#define module_param(a, b, c)
#define module_param_named(a, b, c, d)
#define core_initcall(f) \
	static inline void __PASTE(__initcall_, f)(void) \
	{ \
		(void)&f; \
	}
#define subsys_initcall(f) core_initcall(f)
#define arch_initcall(f) core_initcall(f)
#define device_initcall(f) core_initcall(f)
#define early_param(name, f) \
	static inline void __PASTE(__param_, f)(void) \
	{ \
		(void)&f; \
	}
#define THIS_MODULE ((struct module *)0)
struct module;
#define is_module_address(a) ((void)(a), 0)
#define try_module_get(m) ((void)(m), 1)
#define module_put(m) ((void)(m))

#define HZ 100
#define PAGE_SHIFT 12
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define VA_BITS 48
#define BITS_PER_LONG 64
#define __BITS_PER_LONG 64
#define __BITS_PER_LONG_LONG 64
#define BITS_PER_LONG_LONG 64
#define BITS_PER_BYTE 8
#define BITS_PER_TYPE(type) (sizeof(type) * BITS_PER_BYTE)
#define BITS_TO_LONGS(n) (((n) + 63) / 64)
#define NUMA_NO_NODE (-1)
#define SMP_CACHE_BYTES 64
#define L1_CACHE_BYTES 64
#define ARCH_DMA_MINALIGN 64

/* Of unsigned types: all that the checks of bit fields ask for. */
#define type_max(type) ((typeof(type))~(typeof(type))0)
#define U8_MAX ((u8)~0U)
#define U16_MAX ((u16)~0U)
#define U32_MAX ((u32)~0U)
#define U64_MAX ((u64)~0ULL)
#define S32_MAX ((s32)(U32_MAX >> 1))
#define S64_MAX ((s64)(U64_MAX >> 1))
#define MAX_PAGE_ORDER 10
#define INT_MIN (-INT_MAX - 1)
#define INT_MAX ((int)(~0U >> 1))
#define UINT_MAX (~0U)
#define LONG_MAX ((long)(~0UL >> 1))
#define ULONG_MAX (~0UL)
#define SIZE_MAX (~(size_t)0)
#define PHYS_ADDR_MAX (~(phys_addr_t)0)
#define DMA_BIT_MASK(n) (((n) == 64) ? ~0ULL : ((1ULL << (n)) - 1))
#define S_IRUGO 0444
#define S_IWUSR 0200

#define cpu_to_le64(x) ((__le64)(x))
#define le64_to_cpu(x) ((u64)(x))
#define cpu_to_le32(x) ((__le32)(x))
#define le32_to_cpu(x) ((u32)(x))
#define cpu_to_le16(x) ((__le16)(x))
#define le16_to_cpu(x) ((u16)(x))
#define cpu_to_be16(x) __builtin_bswap16(x)
#define be16_to_cpu(x) __builtin_bswap16(x)
#define cpu_to_be32(x) __builtin_bswap32(x)
#define be32_to_cpu(x) __builtin_bswap32(x)
#define cpu_to_be64(x) __builtin_bswap64(x)
#define be64_to_cpu(x) __builtin_bswap64(x)

#define __ffs(x) ((unsigned long)__builtin_ctzl(x))
#define __ffs64(x) ((unsigned long)__builtin_ctzll(x))
#define ffs(x) __builtin_ffs(x)
#define fls(x) ((x) ? 32 - __builtin_clz(x) : 0)
#define __fls(x) ((unsigned long)(63 - __builtin_clzl(x)))
#define fls64(x) ((x) ? 64 - __builtin_clzll(x) : 0)
#define fls_long(x) fls64(x)
#define hweight8(x) ((unsigned int)__builtin_popcount((u8)(x)))
#define hweight16(x) ((unsigned int)__builtin_popcount((u16)(x)))
#define hweight32(x) ((unsigned int)__builtin_popcount((u32)(x)))
#define hweight64(x) ((unsigned long)__builtin_popcountll(x))
#define hweight_long(x) hweight64(x)

#define DIV_ROUND_UP(n, d) (((n) + (d)-1) / (d))
#define swap(a, b) \
	do { \
		typeof(a) __swap = (a); \
		(a) = (b); \
		(b) = __swap; \
	} while (0)
#define upper_32_bits(n) ((u32)(((u64)(n)) >> 32))
#define lower_32_bits(n) ((u32)(n))
#define abs(x) __builtin_llabs(x)
#define check_add_overflow(a, b, d) __builtin_add_overflow(a, b, d)
#define check_sub_overflow(a, b, d) __builtin_sub_overflow(a, b, d)
#define check_mul_overflow(a, b, d) __builtin_mul_overflow(a, b, d)
#define cmp_int(l, r) (((l) > (r)) - ((l) < (r)))
static inline size_t size_mul(size_t a, size_t b)
{
	size_t product;

	return check_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}
static inline size_t size_add(size_t a, size_t b)
{
	size_t sum;

	return check_add_overflow(a, b, &sum) ? SIZE_MAX : sum;
}
#define struct_size(p, member, count) \
	size_add(sizeof(*(p)), size_mul(count, sizeof((p)->member[0])))
#define struct_size_t(type, member, count) struct_size((type *)0, member, count)
#define offsetofend(type, member) (__builtin_offsetof(type, member) + sizeof(((type *)0)->member))
#define sizeof_field(type, member) sizeof(((type *)0)->member)
#define array_size(a, b) size_mul(a, b)
#define u64_to_user_ptr(x) ((void *)(unsigned long)(x))
#define in_range(value, start, length) ((value) - (start) < (length))

/* ---- printk ------------------------------------------------------------- */

#define KERN_ERR
#define KERN_WARNING
#define KERN_INFO
#define KERN_NOTICE
#define KERN_DEBUG
#define pr_emerg(fmt, ...) atsfuzz_log(0, (void *)0, fmt, ##__VA_ARGS__)
#define pr_err(fmt, ...) atsfuzz_log(3, (void *)0, fmt, ##__VA_ARGS__)
#define pr_warn(fmt, ...) atsfuzz_log(4, (void *)0, fmt, ##__VA_ARGS__)
#define pr_notice(fmt, ...) atsfuzz_log(5, (void *)0, fmt, ##__VA_ARGS__)
#define pr_info(fmt, ...) atsfuzz_log(6, (void *)0, fmt, ##__VA_ARGS__)
#define pr_debug(fmt, ...) ((void)0)
#define pr_warn_once(fmt, ...) pr_warn(fmt, ##__VA_ARGS__)
#define pr_warn_ratelimited(fmt, ...) pr_warn(fmt, ##__VA_ARGS__)
#define pr_err_ratelimited(fmt, ...) pr_err(fmt, ##__VA_ARGS__)
#define printk(fmt, ...) atsfuzz_log(4, (void *)0, fmt, ##__VA_ARGS__)
#define dev_emerg(dev, fmt, ...) atsfuzz_log(0, dev_name(dev), fmt, ##__VA_ARGS__)
#define dev_err(dev, fmt, ...) atsfuzz_log(3, dev_name(dev), fmt, ##__VA_ARGS__)
#define dev_warn(dev, fmt, ...) atsfuzz_log(4, dev_name(dev), fmt, ##__VA_ARGS__)
#define dev_notice(dev, fmt, ...) atsfuzz_log(5, dev_name(dev), fmt, ##__VA_ARGS__)
#define dev_info(dev, fmt, ...) atsfuzz_log(6, dev_name(dev), fmt, ##__VA_ARGS__)
#define dev_dbg(dev, fmt, ...) ((void)(dev))
#define dev_err_ratelimited(dev, fmt, ...) dev_err(dev, fmt, ##__VA_ARGS__)
#define dev_warn_ratelimited(dev, fmt, ...) dev_warn(dev, fmt, ##__VA_ARGS__)
#define dev_err_probe(dev, err, fmt, ...) \
	({ \
		dev_err(dev, fmt, ##__VA_ARGS__); \
		(err); \
	})
#define dev_err_once(dev, fmt, ...) dev_err(dev, fmt, ##__VA_ARGS__)
#define dev_warn_once(dev, fmt, ...) dev_warn(dev, fmt, ##__VA_ARGS__)
#define pci_err(pdev, fmt, ...) dev_err(&(pdev)->dev, fmt, ##__VA_ARGS__)
#define pci_warn(pdev, fmt, ...) dev_warn(&(pdev)->dev, fmt, ##__VA_ARGS__)
#define pci_info(pdev, fmt, ...) dev_info(&(pdev)->dev, fmt, ##__VA_ARGS__)
#define pci_dbg(pdev, fmt, ...) ((void)(pdev))
struct ratelimit_state {
	int unused;
};
#define DEFAULT_RATELIMIT_INTERVAL 0
#define DEFAULT_RATELIMIT_BURST 0
#define DEFINE_RATELIMIT_STATE(name, interval, burst) struct ratelimit_state name
#define __ratelimit(state) ((void)(state), true)

/* WARN_*_ONCE warn every time: "once" is state that a replay must not have. */
#define WARN_ON(condition) \
	({ \
		int __warned = !!(condition); \
		if (unlikely(__warned)) \
			atsfuzz_warn(__FILE__, __LINE__, __func__, 0, "%s", #condition); \
		unlikely(__warned); \
	})
#define WARN(condition, fmt, ...) \
	({ \
		int __warned = !!(condition); \
		if (unlikely(__warned)) \
			atsfuzz_warn(__FILE__, __LINE__, __func__, 0, fmt, ##__VA_ARGS__); \
		unlikely(__warned); \
	})
#define WARN_ON_ONCE(condition) WARN_ON(condition)
#define WARN_ONCE(condition, fmt, ...) WARN(condition, fmt, ##__VA_ARGS__)
#define WARN_RATELIMIT(condition, fmt, ...) WARN(condition, fmt, ##__VA_ARGS__)
#define WARN_TAINT(condition, taint, fmt, ...) WARN(condition, fmt, ##__VA_ARGS__)
#define dev_WARN(dev, fmt, ...) WARN(1, fmt, ##__VA_ARGS__)
#define BUG() atsfuzz_warn(__FILE__, __LINE__, __func__, 1, "BUG")
#define BUG_ON(condition) \
	do { \
		if (unlikely(condition)) \
			atsfuzz_warn(__FILE__, __LINE__, __func__, 1, "%s", #condition); \
	} while (0)
#define add_taint(a, b) ((void)0)
#define TAINT_FIRMWARE_WORKAROUND 0

#define ERESTARTSYS 512
#define EPROBE_DEFER 517
#define EOPNOTSUPP 95

#include <linux/kconfig.h>
#include <linux/stddef.h>
#include <linux/const.h>
#include <linux/bits.h>
#include <linux/errno.h>
#include <linux/err.h>
#include <linux/build_bug.h>
#include <linux/minmax.h>
#include <linux/align.h>
#include <linux/container_of.h>
#include <linux/typecheck.h>
#include <linux/log2.h>
#include <linux/sizes.h>
#include <linux/poison.h>
#include <linux/bitfield.h>

#ifndef ALIGN
#include <vdso/align.h>
#endif

#ifndef ARRAY_SIZE
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#endif

/* sort(), sort_nonatomic(): by insertion; equal elements keep their order. */
static inline void __sort(void *base, size_t n, size_t size,
			  int (*compare)(const void *, const void *))
{
	char *array = base, held[64];
	size_t i, at;

	for (i = 1; i < n; i++) {
		memcpy(held, array + i * size, size);
		for (at = i; at && compare(array + (at - 1) * size, held) > 0; at--)
			memcpy(array + at * size, array + (at - 1) * size, size);
		memcpy(array + at * size, held, size);
	}
}
#define sort(base, n, size, compare, swap) __sort(base, n, size, compare)
#define sort_nonatomic(base, n, size, compare, swap) __sort(base, n, size, compare)

struct static_key_false {
	bool enabled;
};
#define DEFINE_STATIC_KEY_FALSE(name) struct static_key_false name = { false }
#define static_branch_unlikely(key) ((key)->enabled)
#define static_branch_likely(key) ((key)->enabled)
#define static_branch_enable(key) ((void)((key)->enabled = true))
#define static_branch_disable(key) ((void)((key)->enabled = false))

static inline u64 div_u64(u64 n, u32 d)
{
	return n / d;
}
#define do_div(n, d) \
	({ \
		u32 __rem = (n) % (d); \
		(n) /= (d); \
		__rem; \
	})

static inline void set_bit(long nr, volatile unsigned long *p)
{
	((unsigned long *)p)[nr / 64] |= 1UL << (nr % 64);
}
static inline void clear_bit(long nr, volatile unsigned long *p)
{
	((unsigned long *)p)[nr / 64] &= ~(1UL << (nr % 64));
}
static inline bool test_bit(long nr, const volatile unsigned long *p)
{
	return (((unsigned long *)p)[nr / 64] >> (nr % 64)) & 1;
}
#define assign_bit(nr, p, value) ((value) ? set_bit(nr, p) : clear_bit(nr, p))
#define __assign_bit assign_bit
#define __set_bit set_bit
#define __clear_bit clear_bit
static inline bool test_and_set_bit(long nr, volatile unsigned long *p)
{
	bool old = test_bit(nr, p);

	set_bit(nr, p);
	return old;
}

#endif /* ATSFUZZ_BASIC_H_ */
