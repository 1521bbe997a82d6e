#ifndef ATSFUZZ_LINUX_KUNIT_CALLS_H_
#define ATSFUZZ_LINUX_KUNIT_CALLS_H_

/*
 * Between the driver's header and its source: the calls of the functions that change
 * invalidation arrays are noted (calls.c). The macros stand for the definitions of
 * these functions, too, which they must leave alone: a parameter begins with its type,
 * an argument does not.
 */

#include "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h"

static struct arm_smmu_invs *note_alloc(struct arm_smmu_invs *invs);
static struct arm_smmu_invs *note_merge(struct arm_smmu_invs *invs, struct arm_smmu_invs *list,
					struct arm_smmu_invs *result);
static void note_unref(struct arm_smmu_invs *invs, struct arm_smmu_invs *list);
static struct arm_smmu_invs *note_purge(struct arm_smmu_invs *invs, struct arm_smmu_invs *result);

#define __parameter_struct ~, definition, ~
#define __parameter_size_t ~, definition, ~
#define __second(first, second, ...) second
#define __second_of(...) __second(__VA_ARGS__)
#define __join(a, b) a##b
#define __join_of(a, b) __join(a, b)
/* alloc_definition or alloc_call, by what the first argument begins with. */
#define __either(name, first) __join_of(name, __second_of(__parameter_##first, call, ~))

#define alloc_definition(number) arm_smmu_invs_alloc(number)
#define alloc_call(number) note_alloc(arm_smmu_invs_alloc(number))
#define arm_smmu_invs_alloc(number) __either(alloc_, number)(number)

#define merge_definition(invs, list) arm_smmu_invs_merge(invs, list)
#define merge_call(invs, list) note_merge(invs, list, arm_smmu_invs_merge(invs, list))
#define arm_smmu_invs_merge(invs, list) __either(merge_, invs)(invs, list)

#define unref_definition(invs, list) arm_smmu_invs_unref(invs, list)
#define unref_call(invs, list) (note_unref(invs, list), arm_smmu_invs_unref(invs, list))
#define arm_smmu_invs_unref(invs, list) __either(unref_, invs)(invs, list)

#define purge_definition(invs) arm_smmu_invs_purge(invs)
#define purge_call(invs) note_purge(invs, arm_smmu_invs_purge(invs))
#define arm_smmu_invs_purge(invs) __either(purge_, invs)(invs)

#endif /* ATSFUZZ_LINUX_KUNIT_CALLS_H_ */
