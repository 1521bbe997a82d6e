#ifndef ATSFUZZ_DEVICE_H_
#define ATSFUZZ_DEVICE_H_

/* The device model, firmware nodes, sysfs, interrupts, MMIO. */

/* ---- kobjects: reference counts and parents; no names, no files ----------- */

struct kobject;
struct attribute {
	const char *name;
	umode_t mode;
};
struct sysfs_ops {
	ssize_t (*show)(struct kobject *, struct attribute *, char *);
	ssize_t (*store)(struct kobject *, struct attribute *, const char *, size_t);
};
struct kobj_type {
	void (*release)(struct kobject *);
	const struct sysfs_ops *sysfs_ops;
};
struct kset;
struct kobject {
	struct kset *kset;
	struct kobject *parent;
	const struct kobj_type *ktype;
	int references;
};
struct kset {
	struct kobject kobj;
};
struct kernfs_node;
struct attribute_group;

#define __ATTR(_name, _mode, _show, _store) \
	{ \
		.attr = { .name = #_name, .mode = _mode }, .show = _show, .store = _store \
	}

static inline struct kobject *kobject_get(struct kobject *k)
{
	if (k)
		k->references++;
	return k;
}
static inline void kobject_put(struct kobject *k)
{
	struct kobject *parent;

	if (!k || WARN_ON(k->references <= 0) || --k->references)
		return;
	parent = k->parent;
	k->ktype->release(k);
	kobject_put(parent);
}
/* The name and the folder in sysfs are allocations. On failure the caller puts. */
static inline int __kobject_init_and_add(struct kobject *k, const struct kobj_type *type,
					 struct kobject *parent, bool fails)
{
	k->ktype = type;
	k->references = 1;
	if (fails)
		return -ENOMEM;
	k->parent = kobject_get(parent);
	return 0;
}
#define kobject_init_and_add(k, type, parent, fmt, ...) \
	__kobject_init_and_add(k, type, parent, __allocate_fails(64))
static inline void __dynamic_kobject_release(struct kobject *k)
{
	kfree(k);
}
static const struct kobj_type __dynamic_kobject __maybe_unused = {
	.release = __dynamic_kobject_release
};
#define kobject_create_and_add(name, parent) \
	({ \
		struct kobject *__k = kzalloc(sizeof(*__k), GFP_KERNEL); \
		if (__k) \
			__kobject_init_and_add(__k, &__dynamic_kobject, parent, false); \
		__k; \
	})
#define kset_create_and_add(name, ops, parent) ((struct kset *)NULL)
#define kobject_uevent(k, action) 0
#define kobject_name(k) ""
#define sysfs_create_file(k, attribute) (__allocate_fails(64) ? -ENOMEM : 0)
#define sysfs_create_file_ns(k, attribute, ns) sysfs_create_file(k, attribute)
#define sysfs_remove_file(k, attribute) ((void)(k))
#define sysfs_remove_file_ns(k, attribute, ns) ((void)(k))
#define sysfs_create_link(k, target, name) ((void)(target), __allocate_fails(64) ? -ENOMEM : 0)
#define sysfs_create_link_nowarn(k, target, name) sysfs_create_link(k, target, name)
#define sysfs_remove_link(k, name) ((void)(k))
#define sysfs_streq(a, b) \
	({ \
		const char *__a = (a), *__b = (b); \
		size_t __n = strlen(__b); \
		strncmp(__a, __b, __n) == 0 && (!__a[__n] || __a[__n] == '\n'); \
	})
#define kstrtobool(s, out) (*(out) = false, 0)
static inline bool capable(int capability)
{
	return true;
}
#define CAP_SYS_ADMIN 0
#define CAP_SYS_RAWIO 0

/* ---- Firmware nodes --------------------------------------------------------- */

#include <linux/fwnode.h>

struct device_node {
	struct fwnode_handle fwnode;
};
#define MAX_PHANDLE_ARGS 16
struct of_phandle_args {
	struct device_node *np;
	int args_count;
	u32 args[MAX_PHANDLE_ARGS];
};
struct of_device_id {
	char compatible[32];
	const void *data;
};
#define is_of_node(fwnode) ((fwnode) != NULL)
#define to_of_node(node) container_of(node, struct device_node, fwnode)
#define of_fwnode_handle(node) (&(node)->fwnode)
#define of_node_get(n) (n)
#define of_node_put(n) ((void)(n))
#define fwnode_handle_get(n) (n)
#define fwnode_handle_put(n) ((void)(n))
/* The SMMUs' node has #iommu-cells = 1 and is coherent. */
#define of_property_read_u32(node, name, out) \
	(strcmp(name, "#iommu-cells") ? -EINVAL : (*(out) = 1, 0))
#define of_property_read_bool(node, name) ((void)(node), (void)(name), false)
#define of_dma_is_coherent(node) ((void)(node), true)
#define of_match_device(a, b) NULL
#define of_device_is_compatible(node, name) ((void)(node), (void)(name), false)
#define fw_devlink_purge_absent_suppliers(n) ((void)(n))

/* ---- Devices ---------------------------------------------------------------- */

struct device;
struct iommu_group;
struct dev_iommu;
struct iommu_ops;
struct msi_device_data {
	void *domain;
};
struct bus_type {
	const char *name;
	int (*dma_configure)(struct device *);
	void (*dma_cleanup)(struct device *);
#ifdef ATSFUZZ_HAS_BUS_OPS
	const struct iommu_ops *iommu_ops;
#endif
};
/* Buses are constant once the IOMMU core does not write into them. */
#ifdef ATSFUZZ_HAS_BUS_OPS
#define ATSFUZZ_BUS struct bus_type
#else
#define ATSFUZZ_BUS const struct bus_type
#endif
struct device_driver {
	const char *name;
	const struct of_device_id *of_match_table;
	const struct attribute_group **groups;
	bool suppress_bind_attrs;
	void *owner;
};
struct class
{
	const char *name;
	void (*dev_release)(struct device *);
};
struct device {
	struct kobject kobj;
	const char *init_name;
	struct device *parent;
	ATSFUZZ_BUS *bus;
	struct device_driver *driver;
	const struct class *class;
	const struct attribute_group **groups;
	void *driver_data;
	void *platform_data;
	struct device_node *of_node;
	struct fwnode_handle *fwnode;
	struct msi_device_data msi;
	struct iommu_group *iommu_group;
	struct dev_iommu *iommu;
	struct {
		bool can_match;
	} state;
	const void *dma_ops;
	bool dma_iommu;
	bool dma_coherent;
	bool can_match;
	bool requires_ats; /* pci_dev_specific_ats_required */
};
struct device_attribute {
	struct attribute attr;
	void *show, *store;
};
#define dev_name(dev) ((dev)->init_name)
#define dev_bus_name(dev) ((dev)->bus ? (dev)->bus->name : "")
#define dev_driver_string(dev) ((dev)->driver ? (dev)->driver->name : "")
#define dev_fwnode(dev) ((dev)->fwnode)
#define dev_get_drvdata(dev) ((dev)->driver_data)
#define dev_set_drvdata(dev, data) ((void)((dev)->driver_data = (data)))
#define dev_get_platdata(dev) ((dev)->platform_data)
#define dev_to_node(dev) ((void)(dev), NUMA_NO_NODE)
#define set_dev_node(dev, node) ((void)(dev))
#define get_device(dev) (dev)
#define put_device(dev) ((void)(dev))
#define device_lock(dev) ((void)(dev))
#define device_unlock(dev) ((void)(dev))
#define device_lock_assert(dev) ((void)(dev))
#define dev_set_name(dev, fmt, ...) 0
#define device_property_read_u32(dev, name, out) ((void)(dev), -EINVAL)
#define device_property_read_bool(dev, name) ((void)(dev), false)
#define device_property_present(dev, name) ((void)(dev), false)
#define device_is_bound(dev) ((dev)->driver != NULL)
#define device_is_registered(dev) true
#define dma_set_mask_and_coherent(dev, mask) ((void)(dev), (void)(mask), 0)
#define dev_set_dma_iommu(dev) ((void)((dev)->dma_iommu = true))
#define dev_clear_dma_iommu(dev) ((void)((dev)->dma_iommu = false))
#define dev_is_dma_iommu(dev) ((dev)->dma_iommu)
#define dma_get_mask(dev) ((void)(dev), ~0ULL)

struct device *driver_find_device_by_fwnode(struct device_driver *driver,
					    const struct fwnode_handle *fwnode);
#define bus_find_device_by_fwnode(bus, fwnode) driver_find_device_by_fwnode(NULL, fwnode)
int bus_for_each_dev(ATSFUZZ_BUS *bus, struct device *start, void *data,
		     int (*fn)(struct device *, void *));

struct notifier_block {
	int (*notifier_call)(struct notifier_block *, unsigned long, void *);
};
#define NOTIFY_DONE 0
#define NOTIFY_OK 1
enum {
	BUS_NOTIFY_ADD_DEVICE,
	BUS_NOTIFY_DEL_DEVICE,
	BUS_NOTIFY_REMOVED_DEVICE,
	BUS_NOTIFY_BIND_DRIVER,
	BUS_NOTIFY_BOUND_DRIVER,
	BUS_NOTIFY_UNBIND_DRIVER,
	BUS_NOTIFY_UNBOUND_DRIVER
};
#define bus_register_notifier(bus, nb) ((void)(bus), (void)(nb), 0)
#define bus_unregister_notifier(bus, nb) ((void)(bus), (void)(nb), 0)
#define driver_deferred_probe_check_state(dev) ((void)(dev), -ENODEV)

/* Actions of SMMU removal run last in, first out (core.c). */
int atsfuzz_devm_action(struct device *dev, void (*action)(void *), void *data);
#define devm_add_action(dev, action, data) \
	(__allocate_fails(48) ? -ENOMEM : atsfuzz_devm_action(dev, action, data))
#define devm_add_action_or_reset(dev, action, data) \
	({ \
		int __ret = devm_add_action(dev, action, data); \
		if (__ret) \
			action(data); \
		__ret; \
	})

/* ---- Resources, MMIO, interrupts -------------------------------------------- */

struct resource {
	resource_size_t start, end;
	const char *name;
	unsigned long flags;
};
#define IORESOURCE_MEM 0x200
#define resource_size(r) ((r)->end - (r)->start + 1)
#define DEFINE_RES_MEM(_start, _size) \
	{ \
		.start = (_start), .end = (_start) + (_size)-1, .flags = IORESOURCE_MEM \
	}
/*
 * An MMIO pointer is ATSFUZZ_MMIO_BASE + (smmu << 20) + offset: never mapped, so
 * a stray dereference faults.
 */
#define ATSFUZZ_MMIO_BASE 0xf0000000UL
#define devm_ioremap_resource(dev, r) ((void)(dev), (void __iomem *)(unsigned long)(r)->start)
#define devm_ioremap(dev, start, size) ((void)(dev), (void __iomem *)(unsigned long)(start))
u64 atsfuzz_mmio_read(const volatile void *address, unsigned int size);
void atsfuzz_mmio_write(volatile void *address, u64 value, unsigned int size);
#define readl_relaxed(a) ((u32)atsfuzz_mmio_read(a, 4))
#define readq_relaxed(a) atsfuzz_mmio_read(a, 8)
#define __then_order_loads(read) \
	({ \
		u64 __read = (read); \
		__weak_order_loads(); \
		__read; \
	})
#define readl(a) ((u32)__then_order_loads(readl_relaxed(a)))
#define readq(a) __then_order_loads(readq_relaxed(a))
#define writel_relaxed(v, a) \
	do { \
		__weak_device(); \
		atsfuzz_mmio_write(a, v, 4); \
	} while (0)
#define writeq_relaxed(v, a) \
	do { \
		__weak_device(); \
		atsfuzz_mmio_write(a, v, 8); \
	} while (0)
#define writel(v, a) \
	do { \
		__weak_order_stores(); \
		writel_relaxed(v, a); \
	} while (0)
#define writeq(v, a) \
	do { \
		__weak_order_stores(); \
		writeq_relaxed(v, a); \
	} while (0)

#include <linux/iopoll.h>
#undef readl_poll_timeout
#undef readl_relaxed_poll_timeout
#undef readl_poll_timeout_atomic
#undef readl_relaxed_poll_timeout_atomic
/* The registers answer at once or never: no need to spin a million times. */
#define readl_poll_timeout(address, value, condition, delay, timeout) \
	({ \
		(value) = readl(address); \
		(condition) ? 0 : -ETIMEDOUT; \
	})
#define readl_relaxed_poll_timeout readl_poll_timeout
#define readl_poll_timeout_atomic readl_poll_timeout
#define readl_relaxed_poll_timeout_atomic readl_poll_timeout

typedef int irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int, void *);
enum { IRQ_NONE, IRQ_HANDLED, IRQ_WAKE_THREAD };
#define IRQF_ONESHOT 0
#define IRQF_SHARED 0
_Static_assert(IRQ_WAKE_THREAD == ATSFUZZ_INTERRUPT_WAKE_THREAD, "as the runtime has it");
#define devm_request_irq(dev, irq, handler, flags, name, data) \
	(atsfuzz_interrupt_request(irq, handler, NULL, data), 0)
#define devm_request_threaded_irq(dev, irq, handler, thread, flags, name, data) \
	(atsfuzz_interrupt_request(irq, handler, thread, data), 0)
struct msi_msg {
	u32 address_lo, address_hi, data;
};
struct msi_desc {
	struct device *dev;
	u16 msi_index;
};
#define msi_desc_to_dev(d) ((d)->dev)
#define platform_device_msi_init_and_alloc_irqs(dev, n, write) ((void)(n), (void)(write), -ENODEV)
#define platform_device_msi_free_irqs_all(dev) ((void)(dev))
#define msi_get_virq(dev, index) ((void)(dev), 0)
struct irq_domain;
#define msi_device_has_isolated_msi(dev) ((void)(dev), true)
enum irq_domain_bus_token { DOMAIN_BUS_ANY };

#define is_kdump_kernel() false
#define cpus_have_cap(c) ((void)0, false)
#define ARM64_HAS_VIRT_HOST_EXTN 0
#define cc_platform_has(a) false
enum { CC_ATTR_MEM_ENCRYPT };

typedef void *acpi_handle;
struct mm_struct;
struct task_struct;
struct scatterlist {
	unsigned int length;
	u64 address;
	bool last;
};
struct sg_table {
	struct scatterlist *sgl;
	unsigned int orig_nents;
};
struct mmu_notifier {
	const struct mmu_notifier_ops *ops;
	struct mm_struct *mm;
	struct mmu_notifier *next; /* of its process */
	unsigned int users;
};
#define sg_phys(sg) ((sg)->address)
#define sg_dma_is_bus_address(sg) false
#define sg_next(sg) ((sg)->last ? NULL : (sg) + 1)
#define pfn_valid(n) true
struct work_struct {
	int unused;
};
struct workqueue_struct;
struct seq_file;
struct dentry;

#endif /* ATSFUZZ_DEVICE_H_ */
