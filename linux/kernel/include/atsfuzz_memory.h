#ifndef ATSFUZZ_KERNEL_MEMORY_H_
#define ATSFUZZ_KERNEL_MEMORY_H_

/*
 * Allocation. Each is a macro, so that its place in the source is known: faults
 * name it, leaks report it.
 */

#define GFP_KERNEL 1u
#define GFP_ATOMIC 2u
#define GFP_NOWAIT 4u
#define GFP_KERNEL_ACCOUNT GFP_KERNEL
#define __GFP_ZERO 8u
#define __GFP_COMP 0u
#define __GFP_DMA 0u
#define __GFP_DMA32 0u
#define __GFP_HIGHMEM 0u
#define __GFP_NOWARN 0u
#define __GFP_NORETRY 0u
#define __GFP_NOFAIL 0u
#define gfpflags_allow_blocking(gfp) (((gfp)&GFP_KERNEL) != 0)

/* Outside the sections that a boot restores: a place is looked up once. */
#define __place() \
	({ \
		static struct atsfuzz_place __here \
			__attribute__((section("atsfuzz_places"))) = { __FILE__, 0, __LINE__, 0 }; \
		__marked(__here.function) = __func__; \
		&__here; \
	})
#define __allocate(size, flags) atsfuzz_memory_allocate(size, flags, __place())
#define __allocate_fails(size) atsfuzz_memory_fails(size, __place())
#define __zero(gfp) (((gfp)&__GFP_ZERO) ? ATSFUZZ_MEMORY_ZERO : 0)

/* Whoever may wait for memory may sleep. */
#define __waits(gfp) (((gfp)&GFP_KERNEL) ? __may_sleep("an allocation") : (void)0)

#define kmalloc(size, gfp) (__waits(gfp), __allocate(size, __zero(gfp)))
#define kzalloc(size, gfp) (__waits(gfp), __allocate(size, ATSFUZZ_MEMORY_ZERO))
#define kcalloc(n, size, gfp) kzalloc(size_mul(n, size), gfp)
#define kmalloc_array(n, size, gfp) kmalloc(size_mul(n, size), gfp)
#define kvcalloc(n, size, gfp) kcalloc(n, size, gfp)
#define kvzalloc(size, gfp) kzalloc(size, gfp)
#define kvmalloc(size, gfp) kmalloc(size, gfp)
/* The flags are the last argument, and may be left out. */
#define __first_of(first, ...) first
#define __gfp_of(...) __first_of(__VA_ARGS__ __VA_OPT__(, ) GFP_KERNEL)
#define kmalloc_obj(object, ...) ((typeof(object) *)kmalloc(sizeof(object), __gfp_of(__VA_ARGS__)))
#define kzalloc_obj(object, ...) ((typeof(object) *)kzalloc(sizeof(object), __gfp_of(__VA_ARGS__)))
#define kzalloc_objs(object, n, ...) \
	((typeof(object) *)kcalloc(n, sizeof(object), __gfp_of(__VA_ARGS__)))
#define kzalloc_flex(object, member, n, ...) \
	((typeof(object) *)kzalloc(struct_size((typeof(object) *)NULL, member, n), \
				   __gfp_of(__VA_ARGS__)))
#define kfree(p) atsfuzz_memory_free(p)
#define kvfree(p) atsfuzz_memory_free(p)
#define kfree_const(p) atsfuzz_memory_free(p)
#define kfree_sensitive(p) atsfuzz_memory_free(p)
#define krealloc(p, size, gfp) \
	({ \
		const void *__from = (p); \
		size_t __bytes = (size); \
		void *__to = kmalloc(__bytes, gfp); \
		if (__to && __from) { \
			size_t __have = atsfuzz_memory_size(__from); \
			memcpy(__to, __from, __have < __bytes ? __have : __bytes); \
			atsfuzz_memory_free(__from); \
		} \
		__to; \
	})
#define krealloc_array(p, n, size, gfp) krealloc(p, size_mul(n, size), gfp)
#define kmemdup(p, size, gfp) \
	({ \
		size_t __bytes = (size); \
		void *__to = __allocate(__bytes, 0); \
		if (__to) \
			memcpy(__to, (p), __bytes); \
		__to; \
	})
#define kstrdup(s, gfp) ((char *)kmemdup(s, strlen(s) + 1, gfp))
#define kstrdup_const(s, gfp) kstrdup(s, gfp)
#define kasprintf(gfp, fmt, ...) \
	({ \
		char __text[64]; \
		__snprintf(__text, sizeof(__text), fmt, ##__VA_ARGS__); \
		kstrdup(__text, gfp); \
	})

static inline int __snprintf(char *out, size_t size, const char *fmt, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, fmt);
	length = atsfuzz_format(out, size, fmt, arguments);
	va_end(arguments);
	return length;
}
#define snprintf __snprintf
#define scnprintf __snprintf
#define sysfs_emit(buffer, fmt, ...) __snprintf(buffer, PAGE_SIZE, fmt, ##__VA_ARGS__)
#define sysfs_emit_at(buffer, at, fmt, ...) \
	__snprintf((buffer) + (at), PAGE_SIZE - (at), fmt, ##__VA_ARGS__)

#define devm_kzalloc(dev, size, gfp) \
	((void)(dev), __waits(gfp), __allocate(size, ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_MANAGED))
#define devm_kcalloc(dev, n, size, gfp) devm_kzalloc(dev, size_mul(n, size), gfp)
#define devm_kmalloc(dev, size, gfp) devm_kzalloc(dev, size, gfp)
#define devm_krealloc(dev, p, size, gfp) NULL
#define devm_bitmap_zalloc(dev, bits, gfp) \
	((unsigned long *)devm_kzalloc(dev, BITS_TO_LONGS(bits) * sizeof(long), gfp))

#define __dma_allocate(size, handle, flags) \
	({ \
		void *__memory = \
			__allocate(size, ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_DMA | (flags)); \
		*(handle) = (dma_addr_t)__memory; \
		__memory; \
	})
#define dma_alloc_coherent(dev, size, handle, gfp) \
	((void)(dev), __waits(gfp), __dma_allocate(size, handle, 0))
#define dmam_alloc_coherent(dev, size, handle, gfp) \
	((void)(dev), __waits(gfp), __dma_allocate(size, handle, ATSFUZZ_MEMORY_MANAGED))
#define dma_free_coherent(dev, size, memory, handle) \
	((void)(dev), (void)(size), (void)(handle), atsfuzz_memory_free(memory))

/* A page is its address: what describes it lies in it, and is used when it is free. */
struct page {
	unsigned long flags;
	struct list_head lru;
	unsigned long mapping;
	unsigned long index;
	unsigned long private;
	unsigned int page_type;
	atomic_t _refcount;
};
#define alloc_pages(gfp, order) \
	(__waits(gfp), (struct page *)__allocate(PAGE_SIZE << (order), \
						 ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_DMA))
#define alloc_pages_node(node, gfp, order) ((void)(node), alloc_pages(gfp, order))
#define __free_pages(page, order) ((void)(order), atsfuzz_memory_free(page))
#define free_pages(address, order) atsfuzz_memory_free((void *)(address))
#define put_page(page) atsfuzz_memory_free(page)
#define page_address(page) ((void *)(page))
#define virt_to_page(address) ((struct page *)(address))
#define page_to_virt(page) ((void *)(page))
#define page_pgdat(page) 0
/* A folio is the descriptor of its first page, which knows the page's address. */
struct folio {
	unsigned char descriptor[ATSFUZZ_PAGE_DESCRIPTOR_BYTES];
};
static inline struct folio *virt_to_folio(const void *address)
{
	return atsfuzz_memory_page_descriptor(address);
}
#define folio_address(folio) atsfuzz_memory_descriptor_page(folio)
#define __folio_alloc_node(gfp, order, node) \
	({ \
		void *__page = __allocate(PAGE_SIZE << (order), \
					  ATSFUZZ_MEMORY_ZERO | ATSFUZZ_MEMORY_DMA); \
		(void)(node); \
		__page ? virt_to_folio(__page) : NULL; \
	})
#define folio_put(folio) atsfuzz_memory_free(folio_address(folio))
#define folio_nr_pages(folio) (atsfuzz_memory_size(folio_address(folio)) >> PAGE_SHIFT)
#define folio_order(folio) get_order(atsfuzz_memory_size(folio_address(folio)))
#define folio_pgdat(folio) 0
#define lruvec_stat_mod_folio(folio, b, c) ((void)(folio), (void)(c))
#define numa_mem_id() 0
#define virt_to_phys(p) ((phys_addr_t)(unsigned long)(p))
#define phys_to_virt(a) ((void *)(unsigned long)(a))
#define __va(a) phys_to_virt(a)
#define __pa(p) virt_to_phys(p)
#define mod_node_page_state(a, b, c) ((void)(a), (void)(c))
#define mod_lruvec_page_state(a, b, c) ((void)(a), (void)(c))
#define get_order(size) ((size) <= PAGE_SIZE ? 0 : (int)fls64(((size)-1) >> PAGE_SHIFT))
/* Table walks are coherent: a DMA address is the pointer, syncs do nothing. */
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE };
#define dma_map_single(dev, p, size, direction) virt_to_phys(p)
#define dma_unmap_single(dev, address, size, direction) ((void)(address))
#define dma_sync_single_for_device(dev, address, size, direction) ((void)(address))
#define dma_mapping_error(dev, address) ((void)(address), 0)
#define VM_BUG_ON(condition) BUG_ON(condition)
#define copy_from_user(to, from, n) (memcpy(to, from, n), 0UL)
#define copy_to_user(to, from, n) (memcpy(to, from, n), 0UL)
#define check_zeroed_user(p, n) 1
#define copy_struct_from_user(to, size, from, from_size) \
	(memcpy(to, from, min_t(size_t, size, from_size)), 0)
#define copy_struct_to_user(to, size, from, from_size, ignored) \
	(memcpy(to, from, min_t(size_t, size, from_size)), 0)

/* ---- Id tables ----------------------------------------------------------- */

/* As many ids or entries as the largest machine can ask for, and some more. */
#define ATSFUZZ_TABLE 48

/*
 * Tables. The kernel's lock themselves and publish what they store: xa_load takes
 * along what was before. What happens in the table itself is the harness's.
 */
ATSFUZZ_HARNESS_BEGIN
struct ida {
	u32 used[ATSFUZZ_TABLE];
	u32 count;
};
#define DEFINE_IDA(name) struct ida name
static inline void ida_init(struct ida *ida)
{
	ida->count = 0;
}
static inline void ida_destroy(struct ida *ida)
{
	ida->count = 0;
}
static inline int __ida_lowest(struct ida *ida, unsigned int min, unsigned int max)
{
	unsigned int id, i;

	for (id = min; id <= max; id++) {
		for (i = 0; i < ida->count && ida->used[i] != id; i++)
			;
		if (i < ida->count)
			continue;
		if (ida->count == ATSFUZZ_TABLE)
			return -ENOSPC;
		ida->used[ida->count++] = id;
		return (int)id;
	}
	return -ENOSPC;
}
#define ida_alloc_range(ida, min, max, gfp) \
	(__waits(gfp), __allocate_fails(8) ? -ENOMEM : __ida_lowest(ida, min, max))
#define ida_alloc(ida, gfp) ida_alloc_range(ida, 0, INT_MAX, gfp)
static inline void ida_free(struct ida *ida, unsigned int id)
{
	unsigned int i;

	for (i = 0; i < ida->count; i++) {
		if (ida->used[i] == id) {
			ida->used[i] = ida->used[--ida->count];
			return;
		}
	}
	WARN(1, "ida_free called for id=%d which is not allocated.", id);
}

struct xarray {
	struct {
		unsigned long index;
		void *entry;
	} slots[ATSFUZZ_TABLE];
	u32 count;
};
struct xa_limit {
	u32 min, max;
};
#define XA_LIMIT(low, high) ((struct xa_limit){ (low), (high) })
#define XA_FLAGS_ALLOC 0
#define XA_FLAGS_ALLOC1 0
#define DEFINE_XARRAY(name) struct xarray name
#define DEFINE_XARRAY_ALLOC(name) struct xarray name
#define DEFINE_XARRAY_ALLOC1(name) struct xarray name
#define XA_ZERO_ENTRY ((void *)257UL)
static inline void xa_init(struct xarray *xa)
{
	xa->count = 0;
}
#define xa_init_flags(xa, flags) xa_init(xa)
static inline void xa_destroy(struct xarray *xa)
{
	xa->count = 0;
}
#define xa_lock(xa) ((void)(xa))
#define xa_unlock(xa) ((void)(xa))
static inline void **__xa_slot(struct xarray *xa, unsigned long index)
{
	u32 i;

	for (i = 0; i < xa->count; i++)
		if (xa->slots[i].index == index)
			return &xa->slots[i].entry;
	return NULL;
}
/* Ascending by index: the order in which the kernel's own is walked. */
static inline void __xa_add(struct xarray *xa, unsigned long index, void *entry)
{
	u32 i;

	if (WARN_ON(xa->count == ATSFUZZ_TABLE))
		return;
	__race_release(xa);
	for (i = xa->count++; i > 0 && xa->slots[i - 1].index > index; i--)
		xa->slots[i] = xa->slots[i - 1];
	xa->slots[i].index = index;
	xa->slots[i].entry = entry;
}
static inline void *xa_load(struct xarray *xa, unsigned long index)
{
	void **slot = __xa_slot(xa, index);

	__race_acquire(xa);
	return slot && *slot != XA_ZERO_ENTRY ? *slot : NULL;
}
static inline void *xa_erase(struct xarray *xa, unsigned long index)
{
	u32 i;

	__race_release(xa);
	for (i = 0; i < xa->count; i++) {
		if (xa->slots[i].index == index) {
			void *entry = xa->slots[i].entry;

			for (xa->count--; i < xa->count; i++)
				xa->slots[i] = xa->slots[i + 1];
			return entry == XA_ZERO_ENTRY ? NULL : entry;
		}
	}
	return NULL;
}
#define xa_release(xa, index) ((void)(xa_load(xa, index) ? NULL : xa_erase(xa, index)))
#define xa_empty(xa) (__marked((xa)->count) == 0)
#define xa_is_err(entry) ((unsigned long)(entry) >= (unsigned long)-4095)
#define xa_err(entry) (xa_is_err(entry) ? (int)(long)(entry) : 0)
static inline int __xa_alloc(struct xarray *xa, u32 *id, void *entry, struct xa_limit limit)
{
	unsigned long index;

	for (index = limit.min; index <= limit.max; index++) {
		if (!__xa_slot(xa, index)) {
			__xa_add(xa, index, entry);
			*id = (u32)index;
			return 0;
		}
	}
	return -EBUSY;
}
#define xa_alloc(xa, id, entry, limit, gfp) \
	(__waits(gfp), __allocate_fails(64) ? -ENOMEM : __xa_alloc(xa, id, entry, limit))
static inline int __xa_insert(struct xarray *xa, unsigned long index, void *entry)
{
	if (__xa_slot(xa, index))
		return -EBUSY;
	__xa_add(xa, index, entry ? entry : XA_ZERO_ENTRY);
	return 0;
}
#define xa_insert(xa, index, entry, gfp) \
	(__waits(gfp), __allocate_fails(64) ? -ENOMEM : __xa_insert(xa, index, entry))
#define xa_reserve(xa, index, gfp) (__xa_slot(xa, index) ? 0 : xa_insert(xa, index, NULL, gfp))
static inline void *__xa_store(struct xarray *xa, unsigned long index, void *entry)
{
	void **slot = __xa_slot(xa, index), *old;

	if (!entry)
		return xa_erase(xa, index);
	if (!slot) {
		__xa_add(xa, index, entry);
		return NULL;
	}
	old = *slot == XA_ZERO_ENTRY ? NULL : *slot;
	__race_release(xa);
	*slot = entry;
	return old;
}
#define xa_store(xa, index, entry, gfp) \
	((entry) && !__xa_slot(xa, index) && __allocate_fails(64) ? (void *)(long)-ENOMEM : \
								    __xa_store(xa, index, entry))
static inline void *__xa_cmpxchg(struct xarray *xa, unsigned long index, void *old, void *entry)
{
	void *current_entry = xa_load(xa, index);

	if (current_entry == old)
		__xa_store(xa, index, entry);
	return current_entry;
}
#define xa_cmpxchg(xa, index, old, entry, gfp) __xa_cmpxchg(xa, index, old, entry)
/* The first entry from *index on, up to `last`; looks again each time, since a loop
 * may erase what it stands on. Reserved slots are skipped. */
static inline void *__xa_find(struct xarray *xa, unsigned long *index, unsigned long last)
{
	u32 i;

	for (i = 0; i < xa->count; i++) {
		if (xa->slots[i].index < *index || xa->slots[i].entry == XA_ZERO_ENTRY)
			continue;
		if (xa->slots[i].index > last)
			return NULL;
		*index = xa->slots[i].index;
		__race_acquire(xa);
		return xa->slots[i].entry;
	}
	return NULL;
}
#define xa_for_each_range(xa, at, found, first, last) \
	for ((at) = (first), (found) = __xa_find(xa, &(at), last); (found); \
	     (at)++, (found) = __xa_find(xa, &(at), last))
#define xa_for_each_start(xa, at, found, first) xa_for_each_range(xa, at, found, first, ULONG_MAX)
#define xa_for_each(xa, at, found) xa_for_each_start(xa, at, found, 0)
#define xa_tag_pointer(p, tag) ((void *)((unsigned long)(p) | (tag)))
#define xa_untag_pointer(p) ((void *)((unsigned long)(p) & ~3UL))
#define xa_pointer_tag(p) ((unsigned long)(p)&3UL)

ATSFUZZ_HARNESS_END

#endif /* ATSFUZZ_KERNEL_MEMORY_H_ */
