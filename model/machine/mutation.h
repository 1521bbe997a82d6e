#ifndef ATSFUZZ_MODEL_MACHINE_MUTATION_H_
#define ATSFUZZ_MODEL_MACHINE_MUTATION_H_

#include <cstdint>

#include "absl/strings/string_view.h"

namespace atsfuzz::machine {

// A deliberate error in one atomic step of the abstract machine: what a
// conformance run must find. Off in every result that is told about a design.
enum class Mutation : uint8_t {
  kNone,
  // ---- PCI function
  kEnableIgnoresStu,        // enable-ats
  kDisableForgetsRegister,  // disable-ats
  // ---- SMMU entries
  kNoCfgiSte,         // install-ste
  kSteForgetsEats,    // install-ste
  kSteWrongS1dss,     // install-ste
  kNoCfgiCd,          // install-cd
  kClearCdForgotten,  // clear-cd
  // ---- The attach
  kTagReused,             // check-domain
  kPredictIgnoresSmmu,    // predict
  kMergeForgetsAts,       // merge
  kCountForgotten,        // count
  kListForgotten,         // list
  kNoAtcInvBeforeEnable,  // invalidate-atc
  kEnableForgotten,       // enable-ats
  kLeaveForgotten,        // leave-list
  kUnrefForgetsTrim,      // unref
  kBeliefForgotten,       // believe
  kDowngradeForgotten,    // downgrade
  // ---- An invalidation
  kNoTlbi,          // tlbi
  kNoAtcInvDomain,  // atc-inv-domain
};
inline constexpr int kMutations =
    static_cast<int>(Mutation::kNoAtcInvDomain) + 1;

absl::string_view MutationName(Mutation mutation);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_MUTATION_H_
