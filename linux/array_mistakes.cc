#include "linux/array_mistakes.h"

#include <memory>

#include "linux/kunit.h"
#include "linux/kunit/invs_table.h"

namespace atsfuzz::linux_driver {
namespace {

void Silent(const std::string& line) {}

}  // namespace

std::vector<ArrayMistake> ArrayMistakes() {
  return {
      {{"TheCounterOfTrashStands", "\t\t\tinvs->num_trashes++;\n", ""},
       "num_trashes is",
       ArrayMistake::kByTheArray},
      {{"OneSideStandsWhenBothAreEqual", "idx_l + (cmp <= 0 ? 1 : 0)",
        "idx_l + (cmp < 0 ? 1 : 0)"},
       "is another one than",
       ArrayMistake::kByTheArray},
      {{"TheEndIsCutTooEarly",
        "\t\t\t/* not found in to_unref, leave alone */\n"
        "\t\t\tnum_invs = i + 1;\n",
        ""},
       "the array lacks entry",
       ArrayMistake::kByTheArray},
      {{"AddressesAreComparedByTheirLowerHalf",
        "cmp_int((uintptr_t)inv_l->smmu, (uintptr_t)inv_r->smmu)",
        "cmp_int((u32)(uintptr_t)inv_l->smmu, (u32)(uintptr_t)inv_r->smmu)"},
       "arm_smmu_inv_cmp(new - 1, new) == 1",
       ArrayMistake::kByAWarning},
      {{"UsersAreZeroForAMoment",
        "\t\t\tWRITE_ONCE(invs->inv[i].users, users);",
        "\t\t\tWRITE_ONCE(invs->inv[i].users, 0);\n"
        "\t\t\tWRITE_ONCE(invs->inv[i].users, users);"},
       "a reader misses entry",
       ArrayMistake::kNot},
      {{"AFailedMergeChangesTheOldArray",
        "\t\treturn ERR_PTR(-ENOMEM);\n\n\tnew = new_invs->inv;",
        "{\n\t\tinvs->has_ats ^= 1;\n\t\treturn ERR_PTR(-ENOMEM);\n\t}\n\n"
        "\tnew = new_invs->inv;"},
       "the old array was changed",
       ArrayMistake::kNot},
  };
}

absl::StatusOr<Tree> AKernelWithArrays() {
  for (const std::string& kernel : TestedKernels()) {
    absl::StatusOr<Tree> tree = ObtainTree(kernel, {}, Silent);
    if (absl::IsUnavailable(tree.status())) continue;
    if (!tree.ok()) return tree.status();
    absl::StatusOr<std::string> path = BuildSuite(*tree, TestedKind(), Silent);
    if (!path.ok()) return path.status();
    absl::StatusOr<std::unique_ptr<Suite>> suite = Suite::Load(*path);
    if (!suite.ok()) return suite.status();
    if ((*suite)->Symbol(ATSFUZZ_INVS_SYMBOL) != nullptr) return tree;
  }
  return absl::UnavailableError("no kernel with invalidation arrays at hand");
}

}  // namespace atsfuzz::linux_driver
