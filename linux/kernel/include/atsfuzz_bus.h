#ifndef ATSFUZZ_BUS_H_
#define ATSFUZZ_BUS_H_

/* Platform and PCI devices; what the kernel sources expect of these buses. */

struct platform_device {
	const char *name;
	struct device dev;
	struct resource resource;
};
struct platform_driver {
	int (*probe)(struct platform_device *);
#ifdef ATSFUZZ_HAS_REMOVE_RETURNS
	int (*remove)(struct platform_device *);
#else
	void (*remove)(struct platform_device *);
#endif
	void (*remove_new)(struct platform_device *);
	void (*shutdown)(struct platform_device *);
	struct device_driver driver;
};
extern ATSFUZZ_BUS platform_bus_type;
extern ATSFUZZ_BUS pci_bus_type;
#define to_platform_device(d) container_of(d, struct platform_device, dev)
#define platform_get_drvdata(p) dev_get_drvdata(&(p)->dev)
#define platform_set_drvdata(p, data) dev_set_drvdata(&(p)->dev, data)
#define platform_get_resource(p, type, index) (&(p)->resource)
int platform_get_irq_byname_optional(struct platform_device *p, const char *name);
#define platform_driver_register(d) 0
#define platform_driver_unregister(d) ((void)(d))
/* Registration is the harness's: it calls probe and remove itself. */
#define module_driver(driver, register_driver, unregister_driver, ...) \
	static inline void __maybe_unused __driver_unregister(void) \
	{ \
		unregister_driver(&(driver)); \
	}
#define module_platform_driver(driver)

struct pci_bus {
	struct pci_dev *self;
	struct pci_bus *parent;
	unsigned char number;
	struct device dev;
};
struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	unsigned int devfn;
	unsigned short vendor, device;
	u16 ats_cap;
	u8 ats_stu;
	u16 pasid_cap, pasid_features;
	u16 pri_cap;
	u32 pri_reqs_alloc;
	struct pci_dev *physfn;
	unsigned long *dma_alias_mask;
	unsigned int ats_enabled : 1;
	unsigned int pasid_enabled : 1;
	unsigned int pri_enabled : 1;
	unsigned int pasid_required : 1;
	unsigned int is_virtfn : 1;
	unsigned int is_physfn : 1;
	unsigned int untrusted : 1;
	unsigned int external_facing : 1;
	unsigned int multifunction : 1;
	unsigned int eetlp_prefix_path : 1; /* until 6.x */
	unsigned int pasid_no_tlp : 1;
	u8 eetlp_prefix_max; /* 7.x */
};
#define to_pci_dev(d) container_of(d, struct pci_dev, dev)
#define dev_is_pci(d) ((d)->bus == &pci_bus_type)
#define dev_is_fsl_mc(d) ((void)(d), false)
#define dev_is_platform(d) ((d)->bus == &platform_bus_type)
#define pci_name(p) dev_name(&(p)->dev)
#define pci_physfn(p) ((p)->is_virtfn ? (p)->physfn : (p))
#define pci_ats_disabled() false
#define PCI_VENDOR_ID_HUAWEI 0x19e5
#define PCI_DEVFN(slot, func) ((((slot)&0x1f) << 3) | ((func)&7))
#define PCI_SLOT(devfn) (((devfn) >> 3) & 0x1f)
#define PCI_FUNC(devfn) ((devfn)&7)
#define PCI_DEVID(bus, devfn) (((u16)(bus) << 8) | (devfn))
#define PCI_BUS_NUM(x) (((x) >> 8) & 0xff)
#define pci_dev_id(p) PCI_DEVID(0, (p)->devfn)

int pci_find_ext_capability(struct pci_dev *p, int id);
/* No function here has a cache that CXL describes; one may require ATS by a quirk. */
#define PCI_VENDOR_ID_CXL 0x1e98
#define pci_find_dvsec_capability(p, vendor, id) ((void)(p), 0)
#define pci_dev_specific_ats_required(p) ((p)->dev.requires_ats)
int pci_read_config_word(const struct pci_dev *p, int at, u16 *value);
int pci_read_config_dword(const struct pci_dev *p, int at, u32 *value);
int pci_write_config_word(const struct pci_dev *p, int at, u16 value);
int pci_write_config_dword(const struct pci_dev *p, int at, u32 value);

#define fsl_mc_cont_dev(d) (d)

/*
 * Functions sit side by side on a root bus that isolates them. Those of one group
 * alias each other.
 */
struct pci_dev *atsfuzz_next_pci_dev(const struct pci_dev *after);
bool pci_devs_are_dma_aliases(struct pci_dev *a, struct pci_dev *b);
#define pci_is_root_bus(bus) true
#define pci_acs_path_enabled(p, end, flags) true
#define pci_acs_enabled(p, flags) true
#define pci_acs_flags_enabled(p, flags) true
static inline int pci_for_each_dma_alias(struct pci_dev *p,
					 int (*fn)(struct pci_dev *, u16, void *), void *data)
{
	return fn(p, pci_dev_id(p), data);
}
#define for_each_pci_dev(p) for ((p) = NULL; ((p) = atsfuzz_next_pci_dev(p));)
#define pci_get_slot(bus, devfn) NULL
#define pci_dev_put(p) ((void)(p))
#define pci_dev_get(p) (p)
#define pci_pcie_type(p) 0
#define pci_is_pcie(p) true
#define PCI_ACS_SV 1
#define PCI_ACS_RR 4
#define PCI_ACS_CR 8
#define PCI_ACS_UF 16

#define trace_map(...) ((void)0)
#define trace_unmap(...) ((void)0)
#define trace_attach_device_to_domain(...) ((void)0)
#define trace_add_device_to_group(...) ((void)0)
#define trace_remove_device_from_group(...) ((void)0)
#define trace_io_page_fault(...) ((void)0)

#define arch_setup_dma_ops(...) ((void)0)

#include <linux/rbtree.h>
#include <uapi/linux/pci_regs.h>
#include <linux/pci-ats.h>
/* drivers/pci/pci.h */
void pci_restore_ats_state(struct pci_dev *p);
void pci_restore_pasid_state(struct pci_dev *p);

#endif /* ATSFUZZ_BUS_H_ */
