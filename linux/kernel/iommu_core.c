/*
 * The IOMMU core, unmodified, and the operations of a scenario: each calls what
 * the kernel's own caller calls (protocol: who calls the driver, and how).
 */

#include "drivers/iommu/iommu.c"

#include "linux/emulator.h"
#include "linux/kernel/devices.h"
#include "linux/kernel/nesting.h"

ATSFUZZ_HARNESS_BEGIN

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

	ops = iommu_ops_from_fwnode(of_fwnode_handle(smmu));
#ifdef ATSFUZZ_HAS_FWSPEC_OPS
	err = iommu_fwspec_init(dev, of_fwnode_handle(smmu), ops);
#else
	err = iommu_fwspec_init(dev, of_fwnode_handle(smmu));
#endif
	if (err)
		return err;
	return ops->of_xlate(dev, &args);
}

/* of_iommu_configure, and iommu_probe_device at its end. */
static int configure_and_probe(unsigned int function)
{
	const struct atsfuzz_machine_function *f = &atsfuzz_the_machine.functions[function];
	struct device *dev = device_of(function);
	unsigned int i;
	int err = 0;

	mutex_lock(&iommu_probe_device_lock);
	for (i = 0; i < f->stream_count && !err; i++)
		err = translate_id(dev, &atsfuzz_smmu_nodes[f->smmu], f->streams[i]);
	/* The root complex says ats-supported. */
	if (dev_is_pci(dev) && dev_iommu_fwspec_get(dev))
		dev_iommu_fwspec_get(dev)->flags |= IOMMU_FWSPEC_PCI_RC_ATS;
#ifdef ATSFUZZ_HAS_NESTING
	/* All are coherent, as nesting wants it of an SMMU without S2FWB. */
	if (dev_iommu_fwspec_get(dev))
		dev_iommu_fwspec_get(dev)->flags |= IOMMU_FWSPEC_PCI_RC_CANWBS;
#endif
	if (err && dev->iommu)
		dev_iommu_free(dev);
	mutex_unlock(&iommu_probe_device_lock);
	return err ? err : iommu_probe_device(dev);
}

int atsfuzz_core_probe(unsigned int function)
{
	const struct atsfuzz_machine_function *f = &atsfuzz_the_machine.functions[function];
	/* One probe's default must not become another's: the kernel has one for all. */
	static DEFINE_MUTEX(default_type_lock);
	int err;

	atsfuzz_functions[function].on_bus = true;
	if (f->smmu == ATSFUZZ_NONE)
		return -ENODEV;
	mutex_lock(&default_type_lock);
	iommu_def_domain_type = f->default_identity ? IOMMU_DOMAIN_IDENTITY : IOMMU_DOMAIN_DMA;
	err = configure_and_probe(function);
	mutex_unlock(&default_type_lock);
	return err;
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

/* iommufd_device_destroy: the vDEVICE goes before the ownership. */
void atsfuzz_core_unclaim(unsigned int function)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		if (group_of(i) == group_of(function))
			atsfuzz_vdevice_remove(i);
	iommu_group_release_dma_owner(group_of(function));
}

static bool is_nested(unsigned int domain)
{
	return domain != ATSFUZZ_NONE && atsfuzz_the_machine.domains[domain].parent != ATSFUZZ_NONE;
}

#ifdef ATSFUZZ_HAS_REPLACE
/*
 * iommufd's: a replace stores one in the group, and its detach takes it away. Threads
 * share none.
 */
static struct iommu_attach_handle handles[1 + ATSFUZZ_MAX_THREADS][ATSFUZZ_MAX_DOMAINS];

static struct iommu_attach_handle *handle_of(unsigned int domain)
{
#ifdef ATSFUZZ_HAS_NEEDS_HANDLE
	struct iommu_attach_handle *handle = &handles[atsfuzz_thread][domain];

	handle->domain = declared[domain];
	return handle;
#else
	return NULL;
#endif
}

static int replace(struct iommu_group *group, unsigned int domain)
{
	return iommu_replace_group_handle(group, declared[domain], handle_of(domain));
}
#endif

#ifdef ATSFUZZ_HAS_NESTING
static void place_vdevices(unsigned int function, unsigned int domain)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		if (group_of(i) == group_of(function))
			atsfuzz_vdevice_place(i, domain);
}

/*
 * To a nested domain. A function whose group is in one of another vSMMU keeps its
 * vDEVICE there, which a rollback or the end of a reset needs, until it has moved.
 */
static int enter_nested(unsigned int function, unsigned int domain,
			int (*enter)(struct iommu_group *group, unsigned int domain))
{
	const struct atsfuzz_machine_domain *domains = atsfuzz_the_machine.domains;
	unsigned int old = atsfuzz_core_attached_domain(function);
	int err;

	if (!is_nested(old) || domains[old].parent == domains[domain].parent)
		place_vdevices(function, domain);
	err = enter(group_of(function), domain);
	if (!err)
		place_vdevices(function, domain);
	return err;
}

static int attach_with_handle(struct iommu_group *group, unsigned int domain)
{
	return iommu_attach_group_handle(declared[domain], group, handle_of(domain));
}
#else
#define attach_with_handle NULL
static int enter_nested(unsigned int function, unsigned int domain,
			int (*enter)(struct iommu_group *group, unsigned int domain))
{
	return -EOPNOTSUPP;
}
#endif

/* VFIO's container; iommufd alone has nested domains. */
int atsfuzz_core_attach(unsigned int function, unsigned int domain)
{
	if (is_nested(domain))
		return enter_nested(function, domain, attach_with_handle);
	return iommu_attach_group(declared[domain], group_of(function));
}

#ifdef ATSFUZZ_HAS_REPLACE
int atsfuzz_core_replace(unsigned int function, unsigned int domain)
{
	if (is_nested(domain))
		return enter_nested(function, domain, replace);
	return replace(group_of(function), domain);
}

void atsfuzz_core_detach(unsigned int function, unsigned int domain)
{
	struct iommu_domain *old = domain < ATSFUZZ_MAX_DOMAINS ? declared[domain] : NULL;

	if (xa_load(&group_of(function)->pasid_array, IOMMU_NO_PASID))
		iommu_detach_group_handle(old, group_of(function));
	else
		iommu_detach_group(old, group_of(function));
}
#else
int atsfuzz_core_replace(unsigned int function, unsigned int domain)
{
	return -ENOSYS;
}

void atsfuzz_core_detach(unsigned int function, unsigned int domain)
{
	iommu_detach_group(domain < ATSFUZZ_MAX_DOMAINS ? declared[domain] : NULL,
			   group_of(function));
}
#endif

int atsfuzz_core_set_default(unsigned int function, int identity)
{
	const char *type = identity ? "identity" : "DMA";
	ssize_t result = iommu_group_store_type(group_of(function), type, strlen(type));

	return result < 0 ? (int)result : 0;
}

int atsfuzz_core_map(unsigned int domain, unsigned long iova, unsigned long long physical,
		     unsigned long size)
{
#ifdef ATSFUZZ_HAS_MAP_ATOMIC
	return iommu_map(declared[domain], iova, physical, size, IOMMU_READ | IOMMU_WRITE);
#else
	return iommu_map(declared[domain], iova, physical, size, IOMMU_READ | IOMMU_WRITE,
			 GFP_KERNEL);
#endif
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

#ifdef ATSFUZZ_HAS_ENABLE_NESTING
/* What VFIO makes of a nesting container: no device yet, then its stage. */
static struct iommu_domain *parent_domain(unsigned int function)
{
	struct iommu_domain *made = iommu_domain_alloc(device_of(function)->bus);
	int err;

	if (!made)
		return ERR_PTR(-ENOMEM);
	err = iommu_enable_nesting(made);
	if (!err)
		return made;
	iommu_domain_free(made);
	return ERR_PTR(err);
}
#else
/* What iommufd allocates as a parent of nested domains. */
static struct iommu_domain *parent_domain(unsigned int function)
{
	return iommu_paging_domain_alloc_flags(device_of(function), IOMMU_HWPT_ALLOC_NEST_PARENT);
}
#endif

#ifdef ATSFUZZ_HAS_PAGING_ALLOC
static struct iommu_domain *paging_domain(unsigned int function)
{
	return iommu_paging_domain_alloc(device_of(function));
}
#else
static struct iommu_domain *paging_domain(unsigned int function)
{
	struct iommu_domain *made = iommu_domain_alloc(device_of(function)->bus);

	return made ? made : ERR_PTR(-ENOMEM);
}
#endif

/* Stage 2 of an SMMU that has both stages is for nesting. */
int atsfuzz_core_domain_new(unsigned int domain, unsigned int function)
{
	const struct atsfuzz_machine_domain *d = &atsfuzz_the_machine.domains[domain];
	const struct atsfuzz_machine_smmu *smmu = &atsfuzz_the_machine.smmus[d->smmu];
	struct iommu_domain *made;

	if (is_nested(domain))
		made = atsfuzz_nested_alloc(domain, function, declared[d->parent]);
	else if (d->stage == 2 && smmu->stage1)
		made = parent_domain(function);
	else
		made = paging_domain(function);
	if (IS_ERR(made))
		return PTR_ERR(made);
	declared[domain] = made;
	return 0;
}

/* ---- PASIDs ------------------------------------------------------------------- */

/* The callers of detach say which domain it is. */
static struct pasid_user {
	struct iommu_group *group;
	unsigned int pasid;
	struct iommu_domain *domain;
} pasid_users[ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_PASIDS];

static struct pasid_user *pasid_user(struct iommu_group *group, unsigned int pasid)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pasid_users); i++)
		if (pasid_users[i].group == group && (!group || pasid_users[i].pasid == pasid))
			return &pasid_users[i];
	return NULL;
}

#ifdef ATSFUZZ_HAS_PASIDS
int atsfuzz_core_set_pasid(unsigned int function, unsigned int pasid, unsigned int domain)
{
	struct pasid_user *user;
	int err = iommu_attach_device_pasid(declared[domain], device_of(function), pasid, NULL);

	if (err)
		return err;
	user = pasid_user(NULL, 0);
	BUG_ON(!user);
	user->group = group_of(function);
	user->pasid = pasid;
	user->domain = declared[domain];
	return 0;
}

static void clear(struct pasid_user *user, unsigned int function)
{
	iommu_detach_device_pasid(user->domain, device_of(function), user->pasid);
	user->group = NULL;
}

void atsfuzz_core_clear_pasid(unsigned int function, unsigned int pasid)
{
	clear(pasid_user(group_of(function), pasid), function);
}

void atsfuzz_core_clear_pasids(unsigned int function)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(pasid_users); i++)
		if (pasid_users[i].group && pasid_users[i].group == group_of(function))
			clear(&pasid_users[i], function);
}
#else
int atsfuzz_core_set_pasid(unsigned int function, unsigned int pasid, unsigned int domain)
{
	return -ENOSYS;
}

void atsfuzz_core_clear_pasid(unsigned int function, unsigned int pasid) {}

void atsfuzz_core_clear_pasids(unsigned int function) {}
#endif

#ifdef ATSFUZZ_HAS_REPLACE_PASID
int atsfuzz_core_replace_pasid(unsigned int function, unsigned int pasid, unsigned int domain)
{
	/* A new handle each time: the core refuses the one that it has. */
	static struct iommu_attach_handle fresh[2 * ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_PASIDS];
	static unsigned int used;
	int err = iommu_replace_device_pasid(declared[domain], device_of(function), pasid,
					     &fresh[used++ % ARRAY_SIZE(fresh)]);

	if (!err)
		pasid_user(group_of(function), pasid)->domain = declared[domain];
	return err;
}
#else
int atsfuzz_core_replace_pasid(unsigned int function, unsigned int pasid, unsigned int domain)
{
	return -ENOSYS;
}
#endif

/* Which of the PASIDs below were free: bit n is PASID n. */
static unsigned int taken_pasids;

void atsfuzz_core_take_pasids(unsigned int below)
{
	unsigned int pasid;

#ifdef ATSFUZZ_HAS_SVA
	for (pasid = 1; pasid <= below; pasid++)
		if (__ida_lowest(&iommu_global_pasid_ida, pasid, pasid) >= 0)
			taken_pasids |= 1u << pasid;
#endif
}

void atsfuzz_core_give_pasids(unsigned int below)
{
	unsigned int pasid;

#ifdef ATSFUZZ_HAS_SVA
	for (pasid = 1; pasid <= below; pasid++)
		if (taken_pasids >> pasid & 1)
			ida_free(&iommu_global_pasid_ida, pasid);
#endif
	taken_pasids = 0;
}

/* ---- Resets --------------------------------------------------------------------- */

#ifndef ATSFUZZ_HAS_RESETS
#define pci_dev_reset_iommu_prepare(p) ((void)(p), 0)
#define pci_dev_reset_iommu_done(p) ((void)(p))
#endif

/* pcie_flr up to its wait; then what pci_restore_state does for these capabilities. */
int atsfuzz_core_reset_begin(unsigned int function)
{
	struct pci_dev *pdev = to_pci_dev(device_of(function));
	int err = pci_dev_reset_iommu_prepare(pdev);

	if (err)
		return err;
	atsfuzz_emulator_reset_function(function);
	pci_restore_pasid_state(pdev);
	pci_restore_ats_state(pdev);
	return 0;
}

void atsfuzz_core_reset_end(unsigned int function)
{
	pci_dev_reset_iommu_done(to_pci_dev(device_of(function)));
}

void atsfuzz_core_domain_free(unsigned int domain)
{
	if (is_nested(domain))
		atsfuzz_nested_free(domain, declared[domain]);
	else
		iommu_domain_free(declared[domain]);
	declared[domain] = NULL;
}

int atsfuzz_core_vdevice_free(unsigned int function)
{
	return atsfuzz_vdevice_remove(function);
}

int atsfuzz_core_guest_flush(unsigned int function)
{
	return atsfuzz_guest_flush(function, atsfuzz_core_attached_domain(function));
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

/* The group that a function leads, through whichever of its members is there. */
static struct iommu_group *led_group(unsigned int leader)
{
	unsigned int i;

	for (i = 0; i < atsfuzz_the_machine.function_count; i++)
		if (atsfuzz_the_machine.functions[i].leader == leader && group_of(i))
			return group_of(i);
	return NULL;
}

struct iommu_domain *atsfuzz_core_domain(unsigned int slot)
{
	struct iommu_domain *domain;
	struct iommu_group *group;
	bool blocking = slot >= ATSFUZZ_FIRST_BLOCKING;

	if (slot < ATSFUZZ_MAX_DOMAINS)
		return atsfuzz_the_machine.domains[slot].process ? atsfuzz_sva_domain(slot) :
								   declared[slot];
	group = led_group(slot - (blocking ? ATSFUZZ_FIRST_BLOCKING : ATSFUZZ_MAX_DOMAINS));
	if (!group)
		return NULL;
	domain = blocking ? group->blocking_domain : group->default_domain;
	return domain && (domain->type & __IOMMU_DOMAIN_PAGING) ? domain : NULL;
}

unsigned int atsfuzz_core_group_slot(unsigned int function)
{
	struct iommu_group *group = group_of(function);
	unsigned int slot = atsfuzz_core_attached_domain(function);
	unsigned int leader = atsfuzz_the_machine.functions[function].leader;

	if (slot != ATSFUZZ_NONE || !group || !group->domain)
		return slot;
	for (slot = ATSFUZZ_MAX_DOMAINS; slot <= ATSFUZZ_FIRST_BLOCKING;
	     slot += ATSFUZZ_FIRST_BLOCKING - ATSFUZZ_MAX_DOMAINS)
		if (group->domain == atsfuzz_core_domain(slot + leader))
			return slot + leader;
	return ATSFUZZ_NONE;
}

ATSFUZZ_HARNESS_END
