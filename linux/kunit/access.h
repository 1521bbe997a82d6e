#ifndef ATSFUZZ_LINUX_KUNIT_ACCESS_H_
#define ATSFUZZ_LINUX_KUNIT_ACCESS_H_

/*
 * In the unit of the suite, each READ_ONCE and WRITE_ONCE of the driver is a point
 * where another CPU may take a step (invs.c).
 */
static void (*atsfuzz_other_cpu)(void);

#define __meanwhile() \
	({ \
		if (unlikely(atsfuzz_other_cpu)) \
			atsfuzz_other_cpu(); \
	})

#undef READ_ONCE
#define READ_ONCE(x) \
	({ \
		__meanwhile(); \
		*(const volatile typeof(x) *)&(x); \
	})

/* Stores to memory that an SMMU may read, and tells the emulator. */
static inline bool __store_seen(void *at, const void *value, unsigned long size)
{
	unsigned long long before, after;

	if (size != 8 || !atsfuzz_memory_is_dma(at))
		return false;
	memcpy(&before, at, 8);
	memcpy(&after, value, 8);
	*(volatile unsigned long long *)at = after;
	atsfuzz_store(at, before, after);
	return true;
}
#undef WRITE_ONCE
#define WRITE_ONCE(x, value) \
	do { \
		typeof(x) __new = (value); \
		if (!__store_seen((void *)&(x), &__new, sizeof(x))) \
			*(volatile typeof(x) *)&(x) = __new; \
		__meanwhile(); \
	} while (0)

#endif /* ATSFUZZ_LINUX_KUNIT_ACCESS_H_ */
