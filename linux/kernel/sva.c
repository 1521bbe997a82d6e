/*
 * Shared virtual addressing: the core's SVA file, unmodified, and the operations
 * of a scenario that go through it, as a device's driver makes them.
 */

#ifdef ATSFUZZ_HAS_SVA

#include "drivers/iommu/iommu-sva.c"

#include "linux/kernel/devices.h"
#include "linux/kernel/mm.h"

ATSFUZZ_HARNESS_BEGIN

/* Handles by group and process: the core makes one, and counts its users. */
static struct bond {
	struct iommu_group *group;
	unsigned int process;
	struct iommu_sva *handle;
	unsigned int users;
} bonds[ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_PROCESSES];

static struct device *device_of(unsigned int function)
{
	return atsfuzz_functions[function].dev;
}

static struct bond *bond_of(struct iommu_group *group, unsigned int process)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bonds); i++)
		if (bonds[i].users && bonds[i].group == group && bonds[i].process == process)
			return &bonds[i];
	return NULL;
}

static bool group_is_bound(struct iommu_group *group)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bonds); i++)
		if (bonds[i].users && bonds[i].group == group)
			return true;
	return false;
}

#ifdef ATSFUZZ_HAS_SVA_FEATURE
/* A driver enables the feature before its first bond, and disables it last. */
static bool enabled[ATSFUZZ_MAX_FUNCTIONS];

static int enable(unsigned int function)
{
	int err;

	if (enabled[function])
		return 0;
	err = iommu_dev_enable_feature(device_of(function), IOMMU_DEV_FEAT_SVA);
	enabled[function] = !err;
	return err;
}

static void disable_unused(struct iommu_group *group)
{
	unsigned int i;

	for (i = 0; i < ATSFUZZ_MAX_FUNCTIONS && !group_is_bound(group); i++) {
		if (!enabled[i] || device_of(i)->iommu_group != group)
			continue;
		WARN_ON(iommu_dev_disable_feature(device_of(i), IOMMU_DEV_FEAT_SVA));
		enabled[i] = false;
	}
}
#else
static int enable(unsigned int function)
{
	return 0;
}

static void disable_unused(struct iommu_group *group) {}
#endif

static int first_bond(struct iommu_group *group, unsigned int process, struct iommu_sva *handle)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bonds) && bonds[i].users; i++)
		;
	BUG_ON(i == ARRAY_SIZE(bonds));
	bonds[i].group = group;
	bonds[i].process = process;
	bonds[i].handle = handle;
	bonds[i].users = 1;
	return 0;
}

int atsfuzz_sva_bind(unsigned int function, unsigned int process)
{
	struct iommu_group *group = device_of(function)->iommu_group;
	struct bond *bond = bond_of(group, process);
	struct iommu_sva *handle;
	int err = enable(function);

	if (err)
		return err;
	/* A process's PASID is one more than its slot (model::Topology). */
	atsfuzz_core_take_pasids(process);
	handle = iommu_sva_bind_device(device_of(function), atsfuzz_mm_get(process));
	atsfuzz_core_give_pasids(process);
	if (IS_ERR(handle)) {
		disable_unused(group);
		return PTR_ERR(handle);
	}
	BUG_ON(iommu_sva_get_pasid(handle) != process + 1);
	if (!bond)
		return first_bond(group, process, handle);
	BUG_ON(bond->handle != handle);
	bond->users++;
	return 0;
}

static void drop(struct bond *bond)
{
	bond->users--;
	iommu_sva_unbind_device(bond->handle);
	disable_unused(bond->group);
}

void atsfuzz_sva_unbind(unsigned int function, unsigned int process)
{
	drop(bond_of(device_of(function)->iommu_group, process));
}

void atsfuzz_sva_unbind_all(void)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bonds); i++)
		while (bonds[i].users)
			drop(&bonds[i]);
}

struct iommu_domain *atsfuzz_sva_domain(unsigned int process)
{
	struct mm_struct *mm = atsfuzz_mm_find(process);

	if (!mm || !mm->iommu_mm)
		return NULL;
	return list_first_entry_or_null(&mm->iommu_mm->sva_domains, struct iommu_domain, next);
}

ATSFUZZ_HARNESS_END

#else

#include <linux/iommu.h>

int atsfuzz_sva_bind(unsigned int function, unsigned int process)
{
	return -ENOSYS;
}

void atsfuzz_sva_unbind(unsigned int function, unsigned int process) {}

void atsfuzz_sva_unbind_all(void) {}

struct iommu_domain *atsfuzz_sva_domain(unsigned int process)
{
	return NULL;
}

#endif
