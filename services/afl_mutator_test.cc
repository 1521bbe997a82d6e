#include <cstdint>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/bytes.h"
#include "model/text.h"

// What afl-fuzz calls.
extern "C" {
void* afl_custom_init(void*, unsigned int seed);
void afl_custom_deinit(void* data);
size_t afl_custom_fuzz(void* data, uint8_t* buffer, size_t size, uint8_t** out,
                       uint8_t* other, size_t other_size, size_t most);
}

namespace atsfuzz::services {
namespace {

using Bytes = std::vector<uint8_t>;

Bytes Input(const char* operation) {
  const auto scenario = model::Parse(
      std::string("smmu s0\npf p0 smmu=s0 ats\ndomain d0 smmu=s0 stage=1\n\n"
                  "probe p0\n") +
          operation + "\n",
      "input");
  return model::Encode(*scenario);
}

Bytes Fuzz(void* mutator, Bytes input, Bytes other, size_t most) {
  uint8_t* out = nullptr;
  const size_t size = afl_custom_fuzz(mutator, input.data(), input.size(), &out,
                                      other.empty() ? nullptr : other.data(),
                                      other.size(), most);
  return {out, out + size};
}

TEST(AflMutator, GoesThroughDifferentMutantsOfAnInput) {
  void* mutator = afl_custom_init(nullptr, 1);
  std::set<Bytes> mutants;
  for (int i = 0; i < 100; ++i) {
    mutants.insert(Fuzz(mutator, Input("attach p0 d0"), {}, 4096));
  }
  EXPECT_GT(mutants.size(), 70u);
  afl_custom_deinit(mutator);
}

TEST(AflMutator, TakesPartsOfTheOtherInput) {
  void* mutator = afl_custom_init(nullptr, 1);
  int with_both = 0;
  for (int i = 0; i < 400; ++i) {
    const model::Scenario mutant = model::Decode(
        Fuzz(mutator, Input("attach p0 d0"), Input("dma p0 77"), 4096));
    for (const model::Operation& operation : mutant.operations) {
      with_both +=
          operation.kind == model::OperationKind::kDma && operation.page == 77;
    }
  }
  EXPECT_GT(with_both, 10);
  afl_custom_deinit(mutator);
}

TEST(AflMutator, KeepsToTheSizeThatAflFuzzAllows) {
  void* mutator = afl_custom_init(nullptr, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_LE(Fuzz(mutator, Input("attach p0 d0"), {}, 90).size(), 90u);
  }
  afl_custom_deinit(mutator);
}

}  // namespace
}  // namespace atsfuzz::services
