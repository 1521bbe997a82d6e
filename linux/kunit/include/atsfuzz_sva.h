#ifndef ATSFUZZ_SVA_H_
#define ATSFUZZ_SVA_H_

/*
 * What the SVA file of the driver needs of the CPU and of memory management: the
 * suite compares the context descriptors that it makes. A CPU with 48 bits of
 * address and without the optional features; processes that never change.
 */

struct mm_struct {
	void *pgd;
};

struct mmu_notifier_ops {
	void (*release)(struct mmu_notifier *notifier, struct mm_struct *mm);
	void (*arch_invalidate_secondary_tlbs)(struct mmu_notifier *notifier, struct mm_struct *mm,
					       unsigned long start, unsigned long end);
	struct mmu_notifier *(*alloc_notifier)(struct mm_struct *mm);
	void (*free_notifier)(struct mmu_notifier *notifier);
};

#define mmget_not_zero(mm) ((void)(mm), true)
#define mmput(mm) ((void)(mm))
#define mmu_notifier_register(notifier, process) ((notifier)->mm = (process), 0)
#define mmu_notifier_get(ops, mm) ((void)(ops), (struct mmu_notifier *)ERR_PTR(-ENOMEM))
#define mmu_notifier_put(notifier) ((notifier)->ops->free_notifier(notifier))
#define mmu_notifier_synchronize() ((void)0)

#define vabits_actual 48
#define SYS_ID_AA64MMFR0_EL1 0
#define ID_AA64MMFR0_EL1_PARANGE_SHIFT 0
#define ID_AA64MMFR0_EL1_ASIDBITS_SHIFT 4
/* 48 bits of physical address, 16 bits of ASID. */
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
#define num_possible_cpus() 1

#endif /* ATSFUZZ_SVA_H_ */
