#include "fuzz/allowed_differences.h"

#include <algorithm>

#include "fuzz/observed_events.h"

namespace atsfuzz::fuzz {
namespace {

const Observed& AnyOf(const DifferingPair& pair) {
  return pair.left != nullptr ? *pair.left : *pair.right;
}

bool IsPrefetch(const DifferingPair& pair) {
  return AnyOf(pair).kind == ObservedKind::kPrefetch;
}

// A guest's stage 1 leaves the domain before it in CD 0, which nothing reads.
// Only a replace leads from there back to a table of the host's.
bool IsRecycledCd(const DifferingPair& pair) {
  return (pair.left == nullptr || pair.right == nullptr) &&
         pair.operation != nullptr &&
         pair.operation->kind == model::OperationKind::kReplace &&
         IsCfgiOfCd0(AnyOf(pair));
}

// Never of a pair: the lockstep counts the runs that it ends.
bool IsUndefined(const DifferingPair&) { return false; }

constexpr std::array<AllowedDifference, 3> kAllowed = {{
    {"undefined",
     "the kernel has used memory that it had freed or unlinked; what follows "
     "depends on what lies there, and the run ends",
     IsUndefined},
    {"prefetch",
     "PREFETCH_CONFIG is a hint: nothing that can be observed follows from it",
     IsPrefetch},
    {"recycled-cd",
     "arm_smmu_attach_dev_nested leaves CD 0 as it was; if that domain was "
     "freed meanwhile, it is an accident of the allocators whether the next "
     "one's CD has the same words and need not be written",
     IsRecycledCd},
}};

}  // namespace

std::span<const AllowedDifference> AllowedDifferences() { return kAllowed; }

bool MustAgree(ObservedKind kind) {
  switch (kind) {
    case ObservedKind::kBoot:
    case ObservedKind::kReturn:
    case ObservedKind::kDeath:
    case ObservedKind::kBelief:
    case ObservedKind::kAts:
    case ObservedKind::kRoute:
    case ObservedKind::kEats:
    case ObservedKind::kCdValid:
    case ObservedKind::kTable:
    case ObservedKind::kTag:
    case ObservedKind::kSubstream:
    case ObservedKind::kCounter:
    case ObservedKind::kArrayEntry:
    case ObservedKind::kAtc:
    case ObservedKind::kIotlb:
      return true;
    default:
      return false;
  }
}

int AllowedBy(const DifferingPair& pair) {
  if (MustAgree(AnyOf(pair).kind)) return -1;
  const auto found = std::find_if(
      kAllowed.begin(), kAllowed.end(),
      [&](const AllowedDifference& allowed) { return allowed.matches(pair); });
  return found == kAllowed.end() ? -1
                                 : static_cast<int>(found - kAllowed.begin());
}

void Add(const AllowedCounts& more, AllowedCounts* counts) {
  if (counts->size() < more.size()) counts->resize(more.size());
  for (size_t i = 0; i < more.size(); ++i) (*counts)[i] += more[i];
}

}  // namespace atsfuzz::fuzz
