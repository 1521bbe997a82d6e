#include "model/machine/mutation.h"

#include <array>

namespace atsfuzz::machine {
namespace {

constexpr std::array<absl::string_view, kMutations> kNames = {
    "none",
    "enable-ignores-stu",
    "disable-forgets-register",
    "no-cfgi-ste",
    "ste-forgets-eats",
    "ste-wrong-s1dss",
    "no-cfgi-cd",
    "clear-cd-forgotten",
    "tag-reused",
    "predict-ignores-smmu",
    "merge-forgets-ats",
    "count-forgotten",
    "list-forgotten",
    "no-atc-inv-before-enable",
    "enable-forgotten",
    "leave-forgotten",
    "unref-forgets-trim",
    "belief-forgotten",
    "downgrade-forgotten",
    "no-tlbi",
    "no-atc-inv-domain",
};

}  // namespace

absl::string_view MutationName(Mutation mutation) {
  return kNames[static_cast<int>(mutation)];
}

}  // namespace atsfuzz::machine
