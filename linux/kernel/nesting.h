#ifndef ATSFUZZ_LINUX_KERNEL_NESTING_H_
#define ATSFUZZ_LINUX_KERNEL_NESTING_H_

/*
 * Nested domains as iommufd makes them (drivers/iommu/iommufd: viommu.c,
 * hw_pagetable.c, device.c), for the unit that holds the core.
 *
 * A parent has one vSMMU, made with the first domain that is nested in it and
 * destroyed with the last. A function has at most one vDEVICE (viommu.c,
 * iommufd_vdevice_alloc_ioctl): on the vSMMU of the nested domain that its group is
 * in, or was in last, until its owner gives the group up. The virtual stream id is
 * the first real one.
 */

#include <linux/iommu.h>

/*
 * IOMMU_VIOMMU_ALLOC through `function`, unless the parent has a vSMMU, and
 * IOMMU_HWPT_ALLOC of the nested domain on it. An ERR_PTR leaves nothing behind.
 */
struct iommu_domain *atsfuzz_nested_alloc(unsigned int domain, unsigned int function,
					  struct iommu_domain *parent);
/* IOMMU_DESTROY of the domain; of its vSMMU and the vDEVICEs there after the last. */
void atsfuzz_nested_free(unsigned int domain, struct iommu_domain *nested);
/*
 * IOMMU_VDEVICE_ALLOC for a function on the vSMMU of a nested domain, in place of
 * one elsewhere. That the driver refuses one stops nobody: the attach will say.
 */
void atsfuzz_vdevice_place(unsigned int function, unsigned int domain);
/* IOMMU_DESTROY of the function's vDEVICE; -ENOENT if it has none. */
int atsfuzz_vdevice_remove(unsigned int function);
/*
 * IOMMU_HWPT_INVALIDATE on the vSMMU of a nested domain, as a guest's driver makes a
 * VMM do it: its CD of the function and its stage 1 first, then, if it believes that
 * the function's ATS is on, the ATC. The first error.
 */
int atsfuzz_guest_flush(unsigned int function, unsigned int domain);

#endif /* ATSFUZZ_LINUX_KERNEL_NESTING_H_ */
