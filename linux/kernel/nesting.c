/*
 * The driver's part of nesting, unmodified, and what stands for iommufd around it.
 */

#include "linux/kernel/nesting.h"

#include "linux/kernel/devices.h"

#ifdef ATSFUZZ_HAS_NESTING

#include "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c"
#include "drivers/iommu/iommu-priv.h"

ATSFUZZ_HARNESS_BEGIN

/* By index of the parent; users: the domains nested in it, or about to be. */
static struct {
	struct iommufd_viommu *viommu;
	unsigned int users;
} vsmmus[ATSFUZZ_MAX_DOMAINS];
/* As iommufd's own of its objects. */
static DEFINE_MUTEX(vsmmus_lock);

/* By index of the function; no vSMMU: it has none. */
static struct iommufd_vdevice vdevices[ATSFUZZ_MAX_FUNCTIONS];

/* ---- What the driver asks of iommufd (drivers/iommu/iommufd/driver.c) ----------- */

struct device *iommufd_vdevice_to_device(struct iommufd_vdevice *vdevice)
{
	return atsfuzz_functions[vdevice - vdevices].dev;
}

struct device *iommufd_viommu_find_dev(struct iommufd_viommu *viommu, unsigned long id)
{
	struct iommufd_vdevice *vdevice = xa_load(&viommu->vdevs, id);

	return vdevice ? iommufd_vdevice_to_device(vdevice) : NULL;
}

int iommufd_viommu_get_vdev_id(struct iommufd_viommu *viommu, struct device *dev, unsigned long *id)
{
	struct iommufd_vdevice *vdevice;
	unsigned long index;

	xa_for_each(&viommu->vdevs, index, vdevice) {
		if (iommufd_vdevice_to_device(vdevice) == dev) {
			*id = vdevice->virt_id;
			return 0;
		}
	}
	return -ENOENT;
}

/* No scenario has a vEVENTQ. */
int iommufd_viommu_report_event(struct iommufd_viommu *viommu, enum iommu_veventq_type type,
				void *event, size_t size)
{
	return -EOPNOTSUPP;
}

/* ---- vSMMUs ----------------------------------------------------------------------- */

static void destroy_viommu(struct iommufd_viommu *viommu)
{
	if (viommu->ops && viommu->ops->destroy)
		viommu->ops->destroy(viommu);
	xa_destroy(&viommu->vdevs);
	kfree(viommu);
}

static struct iommufd_viommu *create_viommu(struct device *dev, struct iommu_domain *parent)
{
	const struct iommu_ops *ops = dev_iommu_ops(dev);
	const enum iommu_viommu_type type = IOMMU_VIOMMU_TYPE_ARM_SMMUV3;
	struct iommufd_viommu *viommu;
	size_t size = ops->get_viommu_size ? ops->get_viommu_size(dev, type) : 0;
	int err;

	if (!size)
		return ERR_PTR(-EOPNOTSUPP);
	viommu = kzalloc(size, GFP_KERNEL);
	if (!viommu)
		return ERR_PTR(-ENOMEM);
	xa_init(&viommu->vdevs);
	viommu->type = type;
	viommu->iommu_dev = dev->iommu->iommu_dev;
	err = ops->viommu_init(viommu, parent, NULL);
	if (err) {
		destroy_viommu(viommu);
		return ERR_PTR(err);
	}
	return viommu;
}

static unsigned int parent_of(unsigned int domain)
{
	return atsfuzz_the_machine.domains[domain].parent;
}

static struct iommufd_viommu *get_viommu(unsigned int index, struct device *dev,
					 struct iommu_domain *parent)
{
	struct iommufd_viommu *viommu;

	mutex_lock(&vsmmus_lock);
	viommu = vsmmus[index].viommu;
	if (!viommu)
		viommu = create_viommu(dev, parent);
	if (!IS_ERR(viommu)) {
		vsmmus[index].viommu = viommu;
		vsmmus[index].users++;
	}
	mutex_unlock(&vsmmus_lock);
	return viommu;
}

static void put_viommu(unsigned int parent)
{
	unsigned int i;

	mutex_lock(&vsmmus_lock);
	if (!--vsmmus[parent].users) {
		for (i = 0; i < atsfuzz_the_machine.function_count; i++)
			if (vdevices[i].viommu == vsmmus[parent].viommu)
				atsfuzz_vdevice_remove(i);
		destroy_viommu(vsmmus[parent].viommu);
		vsmmus[parent].viommu = NULL;
	}
	mutex_unlock(&vsmmus_lock);
}

/* ---- Nested domains ----------------------------------------------------------------- */

/* Where a guest's CD table is said to lie: nowhere, for nothing reads it. */
#define GUEST_TABLES 0x100000

/* What a guest that runs Linux writes to its stream table. */
static void write_guest_entry(const struct atsfuzz_machine_domain *domain, unsigned int index,
			      struct iommu_hwpt_arm_smmuv3 *out)
{
	static const u64 configs[] = { STRTAB_STE_0_CFG_S1_TRANS, STRTAB_STE_0_CFG_BYPASS,
				       STRTAB_STE_0_CFG_ABORT };

	out->ste[0] = STRTAB_STE_0_V | FIELD_PREP(STRTAB_STE_0_CFG, configs[domain->guest]);
	out->ste[1] = 0;
	if (configs[domain->guest] != STRTAB_STE_0_CFG_S1_TRANS)
		return;
	out->ste[0] |= GUEST_TABLES + index * SZ_4K;
	out->ste[1] = FIELD_PREP(STRTAB_STE_1_S1DSS, STRTAB_STE_1_S1DSS_SSID0) |
		      FIELD_PREP(STRTAB_STE_1_S1CIR, STRTAB_STE_1_S1C_CACHE_WBRA) |
		      FIELD_PREP(STRTAB_STE_1_S1COR, STRTAB_STE_1_S1C_CACHE_WBRA) |
		      FIELD_PREP(STRTAB_STE_1_S1CSH, ARM_SMMU_SH_ISH) |
		      FIELD_PREP(STRTAB_STE_1_EATS, domain->guest_ats ? STRTAB_STE_1_EATS_TRANS :
									STRTAB_STE_1_EATS_ABT);
}

struct iommu_domain *atsfuzz_nested_alloc(unsigned int domain, unsigned int function,
					  struct iommu_domain *parent)
{
	unsigned int slot = parent_of(domain);
	struct iommu_hwpt_arm_smmuv3 entry;
	const struct iommu_user_data data = {
		.type = IOMMU_HWPT_DATA_ARM_SMMUV3,
		.uptr = &entry,
		.len = sizeof(entry),
	};
	struct iommufd_viommu *viommu = get_viommu(slot, atsfuzz_functions[function].dev, parent);
	struct iommu_domain *made;

	if (IS_ERR(viommu))
		return ERR_CAST(viommu);
	write_guest_entry(&atsfuzz_the_machine.domains[domain], domain, &entry);
	made = viommu->ops->alloc_domain_nested(viommu, 0, &data);
	if (IS_ERR(made)) {
		put_viommu(slot);
		return made;
	}
	made->owner = viommu->iommu_dev->ops;
	made->cookie_type = IOMMU_COOKIE_IOMMUFD;
	return made;
}

void atsfuzz_nested_free(unsigned int domain, struct iommu_domain *nested)
{
	iommu_domain_free(nested);
	put_viommu(parent_of(domain));
}

/* ---- vDEVICEs ----------------------------------------------------------------------- */

int atsfuzz_vdevice_remove(unsigned int function)
{
	struct iommufd_vdevice *vdevice = &vdevices[function];

	if (!vdevice->viommu)
		return -ENOENT;
	if (vdevice->destroy)
		vdevice->destroy(vdevice);
	xa_erase(&vdevice->viommu->vdevs, vdevice->virt_id);
	memset(vdevice, 0, sizeof(*vdevice));
	return 0;
}

void atsfuzz_vdevice_place(unsigned int function, unsigned int domain)
{
	struct iommufd_viommu *viommu = vsmmus[parent_of(domain)].viommu;
	struct iommufd_vdevice *vdevice = &vdevices[function];

	if (vdevice->viommu == viommu ||
	    viommu->iommu_dev != atsfuzz_functions[function].dev->iommu->iommu_dev)
		return;
	atsfuzz_vdevice_remove(function);
	vdevice->viommu = viommu;
	vdevice->virt_id = atsfuzz_the_machine.functions[function].streams[0];
	if (viommu->ops->vdevice_init && viommu->ops->vdevice_init(vdevice))
		memset(vdevice, 0, sizeof(*vdevice));
	else
		__xa_store(&viommu->vdevs, vdevice->virt_id, vdevice);
}

/* ---- A guest's commands ------------------------------------------------------------- */

static int invalidate(struct iommufd_viommu *viommu,
		      struct iommu_viommu_arm_smmuv3_invalidate *commands, unsigned int count)
{
	struct iommu_user_data_array array = {
		.type = IOMMU_VIOMMU_INVALIDATE_DATA_ARM_SMMUV3,
		.uptr = commands,
		.entry_len = sizeof(*commands),
		.entry_num = count,
	};

	return viommu->ops->cache_invalidate(viommu, &array);
}

/* It is shown the capabilities of the SMMU and of the function as they are. */
static bool guest_uses_ats(const struct atsfuzz_machine_function *function,
			   const struct atsfuzz_machine_domain *domain)
{
	return domain->guest_ats && function->ats && atsfuzz_the_machine.smmus[function->smmu].ats;
}

int atsfuzz_guest_flush(unsigned int function, unsigned int domain)
{
	struct iommufd_viommu *viommu = vsmmus[parent_of(domain)].viommu;
	u64 vsid = FIELD_PREP(CMDQ_CFGI_0_SID, atsfuzz_the_machine.functions[function].streams[0]);
	struct iommu_viommu_arm_smmuv3_invalidate tables[] = {
		{ { CMDQ_OP_CFGI_CD | vsid, CMDQ_CFGI_1_LEAF } },
		{ { CMDQ_OP_TLBI_NSNH_ALL } },
	};
	struct iommu_viommu_arm_smmuv3_invalidate atc = { { CMDQ_OP_ATC_INV | vsid,
							    ATC_INV_SIZE_ALL } };
	int err = invalidate(viommu, tables, ARRAY_SIZE(tables));

	if (err || !guest_uses_ats(&atsfuzz_the_machine.functions[function],
				   &atsfuzz_the_machine.domains[domain]))
		return err;
	return invalidate(viommu, &atc, 1);
}

ATSFUZZ_HARNESS_END

#else

struct iommu_domain *atsfuzz_nested_alloc(unsigned int domain, unsigned int function,
					  struct iommu_domain *parent)
{
	return ERR_PTR(-EOPNOTSUPP);
}

void atsfuzz_nested_free(unsigned int domain, struct iommu_domain *nested) {}

void atsfuzz_vdevice_place(unsigned int function, unsigned int domain) {}

int atsfuzz_vdevice_remove(unsigned int function)
{
	return -ENOSYS;
}

int atsfuzz_guest_flush(unsigned int function, unsigned int domain)
{
	return -ENOSYS;
}

#endif
