#ifndef ATSFUZZ_OLDER_H_
#define ATSFUZZ_OLDER_H_

/* What only kernels of 6.1's age still ask for. */

/* The largest order of a page allocation, plus one. */
#define MAX_ORDER (MAX_PAGE_ORDER + 1)
#define DECLARE_BITMAP(name, bits) unsigned long name[BITS_TO_LONGS(bits)]
static inline unsigned long find_first_zero_bit(const unsigned long *map, unsigned long bits)
{
	unsigned long i;

	for (i = 0; i < bits; i++)
		if (!test_bit(i, map))
			return i;
	return bits;
}

#define devm_kfree(dev, p) ((void)(dev), atsfuzz_memory_free(p))
#define dmam_free_coherent(dev, size, memory, handle) \
	((void)(dev), (void)(size), (void)(handle), atsfuzz_memory_free(memory))

#define platform_msi_domain_alloc_irqs(dev, n, write) ((void)(n), (void)(write), -ENODEV)
#define platform_msi_domain_free_irqs(dev) ((void)(dev))

#define sprintf(out, fmt, ...) __snprintf(out, PAGE_SIZE, fmt, ##__VA_ARGS__)
#define strcpy(to, from) memcpy(to, from, strlen(from) + 1)
#define kset_find_obj(set, name) ((void)(set), (void)(name), (struct kobject *)NULL)
#define sg_is_dma_bus_address(sg) false
#define trace_detach_device_from_domain(...) ((void)0)

#endif /* ATSFUZZ_OLDER_H_ */
