/*
 * The IOMMU core, unmodified, and the operations of a scenario: each calls what
 * the kernel's own caller calls (protocol: who calls the driver, and how).
 */

#include "drivers/iommu/iommu.c"

#include "linux/kernel/devices.h"

static struct iommu_domain *declared[ATSFUZZ_MAX_DOMAINS];

/* Owner of claimed groups: VFIO passes a file; any non-null pointer will do. */
static int the_owner;

static struct device *device_of(unsigned int function)
{
	return atsfuzz_functions[function].dev;
}

static struct iommu_group *group_of(unsigned int function)
{
	return device_of(function)->iommu_group;
}

/* of_iommu_xlate: one stream id of the function's firmware description. */
static int translate_id(struct device *dev, struct device_node *smmu, u32 id)
{
	struct of_phandle_args args = { .np = smmu, .args_count = 1, .args = { id } };
	const struct iommu_ops *ops;
	int err;

	err = iommu_fwspec_init(dev, of_fwnode_handle(smmu));
	if (err)
		return err;
	ops = iommu_ops_from_fwnode(of_fwnode_handle(smmu));
	return ops->of_xlate(dev, &args);
}

/* of_iommu_configure, and iommu_probe_device at its end. */
int atsfuzz_core_probe(unsigned int function)
{
	const struct atsfuzz_machine_function *f = &atsfuzz_the_machine.functions[function];
	struct device *dev = device_of(function);
	unsigned int i;
	int err = 0;

	atsfuzz_functions[function].on_bus = true;
	if (f->smmu == ATSFUZZ_NONE)
		return -ENODEV;
	iommu_def_domain_type = f->default_identity ? IOMMU_DOMAIN_IDENTITY : IOMMU_DOMAIN_DMA;
	mutex_lock(&iommu_probe_device_lock);
	for (i = 0; i < f->stream_count && !err; i++)
		err = translate_id(dev, &atsfuzz_smmu_nodes[f->smmu], f->streams[i]);
	/* The root complex says ats-supported. */
	if (dev_is_pci(dev) && dev_iommu_fwspec_get(dev))
		dev_iommu_fwspec_get(dev)->flags |= IOMMU_FWSPEC_PCI_RC_ATS;
	if (err && dev->iommu)
		dev_iommu_free(dev);
	mutex_unlock(&iommu_probe_device_lock);
	return err ? err : iommu_probe_device(dev);
}

void atsfuzz_core_release(unsigned int function)
{
	iommu_release_device(device_of(function));
	atsfuzz_functions[function].on_bus = false;
}

int atsfuzz_core_claim(unsigned int function)
{
	return iommu_group_claim_dma_owner(group_of(function), &the_owner);
}

void atsfuzz_core_unclaim(unsigned int function)
{
	iommu_group_release_dma_owner(group_of(function));
}

int atsfuzz_core_attach(unsigned int function, unsigned int domain)
{
	return iommu_attach_group(declared[domain], group_of(function));
}

int atsfuzz_core_replace(unsigned int function, unsigned int domain)
{
	return iommu_replace_group_handle(group_of(function), declared[domain], NULL);
}

void atsfuzz_core_detach(unsigned int function, unsigned int domain)
{
	iommu_detach_group(domain < ATSFUZZ_MAX_DOMAINS ? declared[domain] : NULL,
			   group_of(function));
}

int atsfuzz_core_set_default(unsigned int function, int identity)
{
	const char *type = identity ? "identity" : "DMA";
	ssize_t result = iommu_group_store_type(group_of(function), type, strlen(type));

	return result < 0 ? (int)result : 0;
}

int atsfuzz_core_map(unsigned int domain, unsigned long iova, unsigned long long physical,
		     unsigned long size)
{
	return iommu_map(declared[domain], iova, physical, size, IOMMU_READ | IOMMU_WRITE,
			 GFP_KERNEL);
}

long atsfuzz_core_unmap(unsigned int domain, unsigned long iova, unsigned long size, int queued)
{
	struct iommu_iotlb_gather gather;

	if (!queued)
		return (long)iommu_unmap(declared[domain], iova, size);
	/* __iommu_dma_unmap with a flush queue. */
	iommu_iotlb_gather_init(&gather);
	gather.queued = true;
	return (long)iommu_unmap_fast(declared[domain], iova, size, &gather);
}

void atsfuzz_core_flush(unsigned int domain)
{
	iommu_flush_iotlb_all(declared[domain]);
}

/*
 * A stage-2 domain where the SMMU has both stages is what VFIO makes of a nesting
 * container: allocated without a device, then iommu_enable_nesting.
 */
int atsfuzz_core_domain_new(unsigned int domain, unsigned int function)
{
	const struct atsfuzz_machine_domain *d = &atsfuzz_the_machine.domains[domain];
	const struct atsfuzz_machine_smmu *smmu = &atsfuzz_the_machine.smmus[d->smmu];
	struct iommu_domain *made;
	int err;

	if (d->stage == 2 && smmu->stage1) {
		made = iommu_domain_alloc(device_of(function)->bus);
		if (!made)
			return -ENOMEM;
		err = iommu_enable_nesting(made);
		if (err) {
			iommu_domain_free(made);
			return err;
		}
	} else {
		made = iommu_paging_domain_alloc(device_of(function));
		if (IS_ERR(made))
			return PTR_ERR(made);
	}
	declared[domain] = made;
	return 0;
}

void atsfuzz_core_domain_free(unsigned int domain)
{
	iommu_domain_free(declared[domain]);
	declared[domain] = NULL;
}

int atsfuzz_core_is_probed(unsigned int function)
{
	return group_of(function) != NULL;
}

int atsfuzz_core_is_owned(unsigned int function)
{
	return group_of(function) && group_of(function)->owner_cnt != 0;
}

unsigned int atsfuzz_core_attached_domain(unsigned int function)
{
	unsigned int i;

	for (i = 0; group_of(function) && i < ATSFUZZ_MAX_DOMAINS; i++)
		if (declared[i] && group_of(function)->domain == declared[i])
			return i;
	return ATSFUZZ_NONE;
}

int atsfuzz_core_domain_exists(unsigned int domain)
{
	return declared[domain] != NULL;
}

struct iommu_domain *atsfuzz_core_domain(unsigned int slot)
{
	struct iommu_domain *domain;
	unsigned int function = slot - ATSFUZZ_MAX_DOMAINS;

	if (slot < ATSFUZZ_MAX_DOMAINS)
		return declared[slot];
	if (function >= atsfuzz_the_machine.function_count || !group_of(function))
		return NULL;
	domain = group_of(function)->default_domain;
	return domain && (domain->type & __IOMMU_DOMAIN_PAGING) ? domain : NULL;
}

unsigned int atsfuzz_core_group_slot(unsigned int function)
{
	struct iommu_group *group = group_of(function);
	unsigned int declared_slot = atsfuzz_core_attached_domain(function);

	if (declared_slot != ATSFUZZ_NONE || !group || !group->domain)
		return declared_slot;
	return group->domain == atsfuzz_core_domain(ATSFUZZ_MAX_DOMAINS + function) ?
		       ATSFUZZ_MAX_DOMAINS + function :
		       ATSFUZZ_NONE;
}
