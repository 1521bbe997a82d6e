#ifndef ATSFUZZ_LINUX_KERNEL_GLUE_H_
#define ATSFUZZ_LINUX_KERNEL_GLUE_H_

/*
 * What module.c (libc's world) asks of the units that hold kernel sources. Plain
 * C types; errnos are negative.
 */

#include "linux/module.h"

/* ---- core.c: the buses and their devices -------------------------------- */

void atsfuzz_devices_boot(const struct atsfuzz_machine *machine);
/* Runs the devm actions of an SMMU, last first. */
void atsfuzz_devices_remove_smmu(unsigned int smmu);

/* ---- driver.c: arm-smmu-v3.c ----------------------------------------------- */

extern const struct atsfuzz_features atsfuzz_the_features;
int atsfuzz_driver_probe_smmu(unsigned int smmu);
void atsfuzz_driver_remove_smmu(unsigned int smmu);
void atsfuzz_driver_observe(struct atsfuzz_observation *out);
/* An operation names a PASID: observations tell its CDs. */
void atsfuzz_driver_note_pasid(unsigned int pasid);
/* Whose CD an address lies in: the function, ATSFUZZ_NONE if none; *ssid. */
unsigned int atsfuzz_driver_cd_owner(const volatile void *address, unsigned int *ssid);
/* The function whose record the driver finds for a stream; ATSFUZZ_NONE. */
unsigned int atsfuzz_driver_stream_owner(unsigned int function, unsigned int stream);
/*
 * Address and size of a fact whose writers an instrumented build records, and
 * which bits of each byte belong to it; NULL if there is none now.
 */
const void *atsfuzz_driver_fact(unsigned int fact, unsigned int index, unsigned int *size,
				unsigned char *mask);

/* What the last observation points to is a large variable (runtime.h). */
void atsfuzz_driver_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_driver_parts(void (*part)(void *start, uint64_t bytes));

/* ---- iommu_core.c: iommu.c --------------------------------------------------- */

int atsfuzz_core_probe(unsigned int function);
void atsfuzz_core_release(unsigned int function);
int atsfuzz_core_claim(unsigned int function);
void atsfuzz_core_unclaim(unsigned int function);
int atsfuzz_core_attach(unsigned int function, unsigned int domain);
int atsfuzz_core_replace(unsigned int function, unsigned int domain);
void atsfuzz_core_detach(unsigned int function, unsigned int domain);
int atsfuzz_core_set_default(unsigned int function, int identity);
int atsfuzz_core_map(unsigned int domain, unsigned long iova, unsigned long long physical,
		     unsigned long size);
long atsfuzz_core_unmap(unsigned int domain, unsigned long iova, unsigned long size, int queued);
void atsfuzz_core_flush(unsigned int domain);
/* PASIDs: errnos; -ENOSYS on a kernel that has them not. */
int atsfuzz_core_set_pasid(unsigned int function, unsigned int pasid, unsigned int domain);
int atsfuzz_core_replace_pasid(unsigned int function, unsigned int pasid, unsigned int domain);
void atsfuzz_core_clear_pasid(unsigned int function, unsigned int pasid);
/* For shutdown: clears every PASID of the function's group. */
void atsfuzz_core_clear_pasids(unsigned int function);
/* The core's preparation, the function's reset, what the PCI core restores. */
int atsfuzz_core_reset_begin(unsigned int function);
void atsfuzz_core_reset_end(unsigned int function);
/* Nested: by way of iommufd's vSMMU, whose memory belongs to the operation too. */
int atsfuzz_core_domain_new(unsigned int domain, unsigned int function);
void atsfuzz_core_domain_free(unsigned int domain);
/* Of a function in a nested domain, through iommufd: errnos. */
int atsfuzz_core_vdevice_free(unsigned int function);
int atsfuzz_core_guest_flush(unsigned int function);
/*
 * While they are taken, other processes of the system have the PASIDs 1 to `below`
 * that nobody has.
 */
void atsfuzz_core_take_pasids(unsigned int below);
void atsfuzz_core_give_pasids(unsigned int below);
/* For shutdown: what state a function's group is in. */
int atsfuzz_core_is_probed(unsigned int function);
int atsfuzz_core_is_owned(unsigned int function);
/* The declared domain that a function's group is attached to; ATSFUZZ_NONE. */
unsigned int atsfuzz_core_attached_domain(unsigned int function);
int atsfuzz_core_domain_exists(unsigned int domain);
/* struct iommu_domain of a slot (default domains included), or NULL. */
struct iommu_domain;
struct iommu_domain *atsfuzz_core_domain(unsigned int slot);
/* The slot of a function's group->domain; ATSFUZZ_NONE. */
unsigned int atsfuzz_core_group_slot(unsigned int function);

/* ---- mm.c: processes, by the slot of their domain ------------------------------- */

void atsfuzz_mm_map(unsigned int process, unsigned long iova, unsigned long long physical,
		    unsigned long size);
void atsfuzz_mm_unmap(unsigned int process, unsigned long iova, unsigned long size);
void atsfuzz_mm_flush(unsigned int process);
void atsfuzz_mm_exit(unsigned int process);
/* For shutdown. */
void atsfuzz_mm_exit_all(void);
/* No reader remains: frees what notifiers were given back. */
void atsfuzz_mm_grace_period(void);

/* ---- sva.c: iommu-sva.c ---------------------------------------------------------- */

/* -ENOSYS on a kernel that has no SVA domains. */
int atsfuzz_sva_bind(unsigned int function, unsigned int process);
void atsfuzz_sva_unbind(unsigned int function, unsigned int process);
/* For shutdown. */
void atsfuzz_sva_unbind_all(void);
/* The domain that the core made for a process, or NULL. */
struct iommu_domain *atsfuzz_sva_domain(unsigned int process);

#endif /* ATSFUZZ_LINUX_KERNEL_GLUE_H_ */
