// soak [OPERATIONS [SEED]]: well-behaved machines only (PFs behind an SMMU,
// with and without ATS, stage 1 and 2, both default domains), no fault, until
// that many operations returned 0 and changed state. A violation is a defect of
// the driver or of this project, and ends it with status 1.

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "bench/driver.h"
#include "fuzz/generate.h"
#include "fuzz/run.h"
#include "model/text.h"

namespace atsfuzz {
namespace {

// What a soak must have exercised to mean anything.
class Coverage : public fuzz::RunListener {
 public:
  void OnStep(const model::Operation& operation, size_t /*index*/,
              bool /*implicit*/, int result, model::System& system,
              std::span<const properties::Violation> /*violations*/) override {
    bool reached = operation.kind != model::OperationKind::kDma;
    for (const atsfuzz_event& event : system.Events()) {
      if (event.kind == ATSFUZZ_EVENT_ATC_FILL) fills++;
      if (event.kind != ATSFUZZ_EVENT_DMA) continue;
      hits += event.c == ATSFUZZ_DMA_ATC_HIT;
      reached = event.c != ATSFUZZ_DMA_BLOCKED;
    }
    if (result == 0 && reached) by_kind[static_cast<size_t>(operation.kind)]++;
    for (const atsfuzz_domain& domain : system.Observe().domains) {
      int attachments = 0;
      for (uint8_t count : domain.attachments) attachments += count;
      shared += attachments > 1;
      most = std::max(most, attachments);
    }
  }
  void OnShutdown(
      model::System& /*system*/,
      std::span<const properties::Violation> /*violations*/) override {}

  std::array<uint64_t, model::kOperationKinds> by_kind = {};
  uint64_t fills = 0, hits = 0, shared = 0;
  int most = 0;
};

void Print(const Coverage& coverage, uint64_t runs, uint64_t effective) {
  uint64_t all = 0;
  for (uint64_t count : coverage.by_kind) all += count;
  std::printf("%llu runs, %llu operations that returned 0 and changed state\n",
              static_cast<unsigned long long>(runs),
              static_cast<unsigned long long>(effective));
  for (size_t i = 0; i < coverage.by_kind.size(); i++) {
    const auto name = model::ShapeOf(static_cast<model::OperationKind>(i)).name;
    std::printf("  %-12s %9llu  %5.1f %%\n", std::string(name).c_str(),
                static_cast<unsigned long long>(coverage.by_kind[i]),
                100.0 * static_cast<double>(coverage.by_kind[i]) /
                    static_cast<double>(all));
  }
  std::printf(
      "ATC: %llu fills, %llu hits; domains seen with several attachments: "
      "%llu, at most %d at once\n",
      static_cast<unsigned long long>(coverage.fills),
      static_cast<unsigned long long>(coverage.hits),
      static_cast<unsigned long long>(coverage.shared), coverage.most);
}

int Soak(uint64_t wanted, uint64_t seed) {
  model::System& system = bench::Driver();
  Coverage coverage;
  fuzz::GenerateOptions generate;
  generate.well_behaved = true;
  fuzz::RunOptions options;
  options.drop_impossible = true;
  options.listener = &coverage;
  uint64_t runs = 0, effective = 0;
  for (; effective < wanted; runs++) {
    const model::Scenario scenario =
        fuzz::Generate((seed << 32) + runs, generate);
    const auto result = fuzz::Run(scenario, system, options);
    if (!result.ok()) {
      std::fprintf(stderr, "%s\n", result.status().ToString().c_str());
      return 3;
    }
    effective += result->effective;
    if (!result->violations.empty()) {
      std::printf("%s\n\n%s", result->violations.front().message.c_str(),
                  model::Print(fuzz::Kept(scenario, *result)).c_str());
      return 1;
    }
  }
  Print(coverage, runs, effective);
  std::printf("no violation\n");
  return 0;
}

}  // namespace
}  // namespace atsfuzz

int main(int argc, char** argv) {
  const uint64_t wanted =
      argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  return atsfuzz::Soak(wanted, seed);
}
