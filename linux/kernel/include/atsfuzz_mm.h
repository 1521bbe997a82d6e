#ifndef ATSFUZZ_MM_H_
#define ATSFUZZ_MM_H_

/*
 * Processes: their address spaces, what watches these, and the CPU as far as the
 * driver's SVA file reads it. mm.c implements what include/linux/mmu_notifier.h and
 * sched/mm.h declare.
 */

#ifdef ATSFUZZ_HAS_SVA
#define CONFIG_IOMMU_SVA 1
#define CONFIG_IOMMU_MM_DATA 1
#define CONFIG_ARM_SMMU_V3_SVA 1
#endif

struct mmu_notifier_subscriptions {
	struct mmu_notifier *first;
};

struct mm_struct {
	void *pgd;
	struct iommu_mm_data *iommu_mm;
	struct mmu_notifier_subscriptions *notifier_subscriptions;
	unsigned int mm_users; /* 0: the process has ended */
	unsigned int mm_count; /* 0: freed; the users together are one */
};

struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *notifier, struct mm_struct *mm);
	void (*arch_invalidate_secondary_tlbs)(struct mmu_notifier *notifier, struct mm_struct *mm,
					       unsigned long start, unsigned long end);
	struct mmu_notifier *(*alloc_notifier)(struct mm_struct *mm);
	void (*free_notifier)(struct mmu_notifier *notifier);
};

void mmgrab(struct mm_struct *mm);
void mmdrop(struct mm_struct *mm);
bool mmget_not_zero(struct mm_struct *mm);
void mmput(struct mm_struct *mm);
/* -ENOMEM without memory for the first one of a process. */
int mmu_notifier_register(struct mmu_notifier *notifier, struct mm_struct *mm);
/* The notifier is freed when no reader can remain, at the end of the operation. */
void mmu_notifier_put(struct mmu_notifier *notifier);
void mmu_notifier_synchronize(void);
void mmu_notifier_arch_invalidate_secondary_tlbs(struct mm_struct *mm, unsigned long start,
						 unsigned long end);

/* A CPU with 48 bits of address, 16 of ASID, without the optional features. */
#define vabits_actual 48
#define SYS_ID_AA64MMFR0_EL1 0
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT 0
#define ID_AA64MMFR0_EL1_ASIDBITS_SHIFT 4
#define read_sanitised_ftr_reg(reg) 0x25ul
#define cpuid_feature_extract_unsigned_field(value, shift) (((value) >> (shift)) & 0xf)
#define id_aa64mmfr0_parange_to_phys_shift(field) ((void)(field), 48)
#define read_sysreg(reg) 0x000000040044ffffull
#define system_supports_haft() false
#define system_supports_poe() false
#define system_supports_gcs() false
#define system_supports_bbml2_noabort() false
#define system_supports_bbml3() false
#define arm64_kernel_unmapped_at_el0() false
#define arch_pgtable_dma_compat(mm) ((void)(mm), true)
#define num_possible_cpus() 1

/* No function has its page faults handled: each is refused as of an unmapped area. */
typedef unsigned int vm_fault_t;
struct vm_area_struct {
	unsigned long vm_flags;
};
enum { VM_READ = 1, VM_WRITE = 2, VM_EXEC = 4 };
enum {
	FAULT_FLAG_WRITE = 1,
	FAULT_FLAG_USER = 2,
	FAULT_FLAG_INSTRUCTION = 4,
	FAULT_FLAG_REMOTE = 8
};
enum { VM_FAULT_ERROR = 1 };
#define mmap_read_lock(mm) ((void)(mm))
#define mmap_read_unlock(mm) ((void)(mm))
#define vma_lookup(mm, address) ((void)(mm), (void)(address), (struct vm_area_struct *)NULL)
#define handle_mm_fault(vma, address, flags, regs) \
	((void)(vma), (void)(address), (void)(flags), (vm_fault_t)VM_FAULT_ERROR)

/* Only page faults would be handled by a worker. */
#define INIT_WORK(work, function) ((void)(work), (void)(function))
#define queue_work(queue, work) ((void)(work), false)

#endif /* ATSFUZZ_MM_H_ */
