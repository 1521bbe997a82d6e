/*
 * The buses of a machine: its devices, their config space, devm actions. What the
 * kernel sources call in drivers/base and drivers/pci and is not compiled.
 */

#include <linux/iommu.h>

#include "drivers/iommu/dma-iommu.h"

#include "linux/emulator.h"
#include "linux/kernel/devices.h"

ATSFUZZ_HARNESS_BEGIN

struct platform_device atsfuzz_smmus[ATSFUZZ_MAX_SMMUS];
struct device_node atsfuzz_smmu_nodes[ATSFUZZ_MAX_SMMUS];
struct atsfuzz_function_device atsfuzz_functions[ATSFUZZ_MAX_FUNCTIONS];
struct atsfuzz_machine atsfuzz_the_machine;

ATSFUZZ_BUS platform_bus_type = { .name = "platform" };
ATSFUZZ_BUS pci_bus_type = { .name = "pci" };

static struct pci_bus root_bus;
static const char *const smmu_names[ATSFUZZ_MAX_SMMUS] = { "s0", "s1" };

static void boot_function(unsigned int index, const struct atsfuzz_machine_function *f)
{
	struct atsfuzz_function_device *device = &atsfuzz_functions[index];
	struct pci_dev *pci = &device->pci;

	if (f->kind == 2) {
		device->dev = &device->platform.dev;
		device->dev->bus = &platform_bus_type;
	} else {
		device->dev = &pci->dev;
		device->dev->bus = &pci_bus_type;
		pci->bus = &root_bus;
		pci->devfn = index;
		pci->untrusted = f->untrusted;
		pci->dev.requires_ats = f->requires_ats;
		pci->eetlp_prefix_path = 1;
		pci->eetlp_prefix_max = 4;
		if (f->ats)
			pci->ats_cap = ATSFUZZ_CONFIG_ATS_CAP;
		if (f->pasid_bits)
			pci->pasid_cap = ATSFUZZ_CONFIG_PASID_CAP;
		if (f->kind == 1) {
			pci->is_virtfn = 1;
			pci->physfn = &atsfuzz_functions[f->pf].pci;
		} else {
			pci->is_physfn = 1;
		}
	}
	device->dev->init_name = atsfuzz_the_machine.functions[index].name;
}

void atsfuzz_devices_boot(const struct atsfuzz_machine *machine)
{
	unsigned int i;

	atsfuzz_the_machine = *machine;
	for (i = 0; i < machine->smmu_count; i++) {
		struct platform_device *smmu = &atsfuzz_smmus[i];

		smmu->dev.init_name = smmu_names[i];
		smmu->dev.bus = &platform_bus_type;
		smmu->dev.of_node = &atsfuzz_smmu_nodes[i];
		smmu->dev.fwnode = &atsfuzz_smmu_nodes[i].fwnode;
		smmu->resource.start = ATSFUZZ_MMIO_BASE + (i << 20);
		smmu->resource.end = smmu->resource.start + 0x20000 - 1;
	}
	for (i = 0; i < machine->function_count; i++)
		boot_function(i, &atsfuzz_the_machine.functions[i]);
}

struct device *driver_find_device_by_fwnode(struct device_driver *driver,
					    const struct fwnode_handle *fwnode)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.smmu_count; i++)
		if (atsfuzz_smmus[i].dev.fwnode == fwnode)
			return &atsfuzz_smmus[i].dev;
	return NULL;
}

int bus_for_each_dev(ATSFUZZ_BUS *bus, struct device *start, void *data,
		     int (*fn)(struct device *, void *))
{
	unsigned int i;
	int result = 0;

	for (i = 0; i < atsfuzz_the_machine.function_count && !result; i++)
		if (atsfuzz_functions[i].on_bus && atsfuzz_functions[i].dev->bus == bus)
			result = fn(atsfuzz_functions[i].dev, data);
	return result;
}

int platform_get_irq_byname_optional(struct platform_device *p, const char *name)
{
	int line = atsfuzz_interrupt_line(p - atsfuzz_smmus, name);

	return line < 0 ? -ENXIO : line;
}

/* ---- devm actions ------------------------------------------------------------ */

static struct {
	struct device *dev;
	void (*action)(void *);
	void *data;
} actions[16];
static unsigned int action_count;

int atsfuzz_devm_action(struct device *dev, void (*action)(void *), void *data)
{
	if (WARN_ON(action_count == ARRAY_SIZE(actions)))
		return -ENOMEM;
	actions[action_count].dev = dev;
	actions[action_count].action = action;
	actions[action_count++].data = data;
	return 0;
}

void atsfuzz_devices_remove_smmu(unsigned int smmu)
{
	unsigned int i;

	for (i = action_count; i-- > 0;)
		if (actions[i].dev == &atsfuzz_smmus[smmu].dev && actions[i].action) {
			actions[i].action(actions[i].data);
			actions[i].action = NULL;
		}
}

/* ---- MMIO and config space ------------------------------------------------------ */

u64 atsfuzz_mmio_read(const volatile void *address, unsigned int size)
{
	unsigned long offset = (unsigned long)address - ATSFUZZ_MMIO_BASE;

	u64 value;

	atsfuzz_step();
	atsfuzz_touch_hardware(0);
	value = atsfuzz_emulator_mmio_read(offset >> 20, offset & 0xfffff, size);
	atsfuzz_looked((unsigned long)address, value);
	return value;
}

void atsfuzz_mmio_write(volatile void *address, u64 value, unsigned int size)
{
	unsigned long offset = (unsigned long)address - ATSFUZZ_MMIO_BASE;

	atsfuzz_step();
	atsfuzz_touch_hardware(1);
	atsfuzz_changed();
	atsfuzz_emulator_mmio_write(offset >> 20, offset & 0xfffff, value, size);
}

static unsigned int function_of(const struct pci_dev *p)
{
	return container_of(p, struct atsfuzz_function_device, pci) - atsfuzz_functions;
}

struct pci_dev *atsfuzz_next_pci_dev(const struct pci_dev *after)
{
	unsigned int i;

	for (i = after ? function_of(after) + 1 : 0; i < atsfuzz_the_machine.function_count; i++)
		if (atsfuzz_functions[i].dev->bus == &pci_bus_type)
			return &atsfuzz_functions[i].pci;
	return NULL;
}

bool pci_devs_are_dma_aliases(struct pci_dev *a, struct pci_dev *b)
{
	return atsfuzz_the_machine.functions[function_of(a)].leader ==
	       atsfuzz_the_machine.functions[function_of(b)].leader;
}

int pci_find_ext_capability(struct pci_dev *p, int id)
{
	if (id == PCI_EXT_CAP_ID_ATS)
		return p->ats_cap;
	if (id == PCI_EXT_CAP_ID_PASID)
		return p->pasid_cap;
	return 0;
}

/* Config space is memory-mapped: pci_generic_config_read and _write use readw, writew
 * and so on, which order what is before a write, and after a read. */
int pci_read_config_word(const struct pci_dev *p, int at, u16 *value)
{
	atsfuzz_step();
	atsfuzz_touch_hardware(0);
	*value = atsfuzz_emulator_config_read(function_of(p), at, 2);
	__weak_order_loads();
	return 0;
}

int pci_read_config_dword(const struct pci_dev *p, int at, u32 *value)
{
	atsfuzz_step();
	atsfuzz_touch_hardware(0);
	*value = atsfuzz_emulator_config_read(function_of(p), at, 4);
	__weak_order_loads();
	return 0;
}

int pci_write_config_word(const struct pci_dev *p, int at, u16 value)
{
	atsfuzz_step();
	__weak_order_stores();
	__weak_device();
	atsfuzz_touch_hardware(1);
	atsfuzz_emulator_config_write(function_of(p), at, value, 2);
	atsfuzz_changed();
	atsfuzz_step();
	return 0;
}

int pci_write_config_dword(const struct pci_dev *p, int at, u32 value)
{
	atsfuzz_step();
	__weak_order_stores();
	__weak_device();
	atsfuzz_touch_hardware(1);
	atsfuzz_emulator_config_write(function_of(p), at, value, 4);
	atsfuzz_changed();
	atsfuzz_step();
	return 0;
}

/* ---- Calls of the driver into the PCI core -------------------------------------- */

/*
 * The linker leads the driver's calls here (--wrap), so that a fault can fail
 * them and a trace can show what they returned; the real functions stay as they
 * are.
 */
int __real_pci_enable_ats(struct pci_dev *p, int ps);
int __real_pci_enable_pasid(struct pci_dev *p, int features);

static int returned(struct pci_dev *p, const char *call, int result)
{
	struct atsfuzz_event *event = atsfuzz_event_add(ATSFUZZ_EVENT_PCI_RETURN);

	event->function = function_of(p);
	event->text = call;
	event->a = (u64)(s64)result;
	return result;
}

int __wrap_pci_enable_ats(struct pci_dev *p, int ps)
{
	return returned(p, "pci_enable_ats",
			atsfuzz_pci_call_fails(ATSFUZZ_PCI_ENABLE_ATS) ?
				-EIO :
				__real_pci_enable_ats(p, ps));
}

#ifdef ATSFUZZ_HAS_PREPARE_ATS
int __real_pci_prepare_ats(struct pci_dev *p, int ps);

int __wrap_pci_prepare_ats(struct pci_dev *p, int ps)
{
	return returned(p, "pci_prepare_ats",
			atsfuzz_pci_call_fails(ATSFUZZ_PCI_PREPARE_ATS) ?
				-EIO :
				__real_pci_prepare_ats(p, ps));
}
#endif

int __wrap_pci_enable_pasid(struct pci_dev *p, int features)
{
	return returned(p, "pci_enable_pasid", __real_pci_enable_pasid(p, features));
}

/* ---- Kernel functions that do nothing on this machine ------------------------------ */

int iommu_device_sysfs_add(struct iommu_device *iommu, struct device *parent,
			   const struct attribute_group **groups, const char *fmt, ...)
{
	if (__allocate_fails(64))
		return -ENOMEM;
	/* Its class device has no more than a name, by which messages are told. */
	iommu->dev = parent;
	return 0;
}

void iommu_device_sysfs_remove(struct iommu_device *iommu) {}

int iommu_device_link(struct iommu_device *iommu, struct device *link)
{
	return __allocate_fails(64) ? -ENOMEM : 0;
}

void iommu_device_unlink(struct iommu_device *iommu, struct device *link) {}

/*
 * dma-iommu.c's cookie: allocated with a DMA domain, freed with it. Its IOVA
 * allocator is not needed, since no scenario maps in a default domain.
 */
struct iommu_dma_cookie {
	int unused;
};

int iommu_get_dma_cookie(struct iommu_domain *domain)
{
	domain->iova_cookie = kzalloc(sizeof(*domain->iova_cookie), GFP_KERNEL);
	if (!domain->iova_cookie)
		return -ENOMEM;
#ifdef ATSFUZZ_HAS_COOKIE_TYPE
	domain->cookie_type = IOMMU_COOKIE_DMA_IOVA;
#endif
	return 0;
}

void iommu_put_dma_cookie(struct iommu_domain *domain)
{
	kfree(domain->iova_cookie);
	domain->iova_cookie = NULL;
#ifdef ATSFUZZ_HAS_COOKIE_TYPE
	domain->cookie_type = IOMMU_COOKIE_NONE;
#endif
}

/* Of VFIO's domains without a DMA API; no scenario makes one. */
void iommu_put_msi_cookie(struct iommu_domain *domain) {}

int iommu_dma_init_fq(struct iommu_domain *domain)
{
	return -EINVAL;
}

#if defined(ATSFUZZ_HAS_DMA_OPS_RANGE)
void iommu_setup_dma_ops(struct device *dev, u64 dma_base, u64 dma_limit) {}
#elif defined(ATSFUZZ_HAS_DMA_OPS_DOMAIN)
void iommu_setup_dma_ops(struct device *dev, struct iommu_domain *domain) {}
#else
void iommu_setup_dma_ops(struct device *dev) {}
#endif

/* As of_iommu_get_resv_regions does for memory whose iommu-addresses are its own. */
void iommu_dma_get_resv_regions(struct device *dev, struct list_head *list)
{
	const struct atsfuzz_machine_function *f = atsfuzz_the_machine.functions;
	struct iommu_resv_region *region;

	while (atsfuzz_functions[f - atsfuzz_the_machine.functions].dev != dev)
		f++;
	if (!f->direct_bytes)
		return;
	region = iommu_alloc_resv_region(f->direct, f->direct_bytes, IOMMU_READ | IOMMU_WRITE,
					 IOMMU_RESV_DIRECT, GFP_KERNEL);
	if (region)
		list_add_tail(&region->list, list);
}

bool iommu_dma_forcedac;

ATSFUZZ_HARNESS_END
