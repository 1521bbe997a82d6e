#include "fuzz/byte_mutator.h"

#include "fuzz/generate.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/block.h"
#include "model/bytes.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr size_t kRoom = 4096;

ByteMutator::Options Sequential() {
  ByteMutator::Options options;
  options.capabilities.threads = false;
  return options;
}

Bytes SeedOf(const std::string& operations) {
  const auto scenario = model::Parse(
      "smmu s0\npf p0 smmu=s0 ats\ndomain d0 smmu=s0 stage=1\n\n" + operations,
      "seed");
  return model::Encode(*scenario);
}

Bytes SeedOfAttach() { return SeedOf("probe p0\nattach p0 d0\ndetach p0\n"); }

TEST(ByteMutator, TheSameSeedMakesTheSameBytes) {
  const ByteMutator mutator(Sequential());
  for (uint32_t seed = 0; seed < 200; ++seed) {
    EXPECT_EQ(mutator.Mutate(SeedOfAttach(), seed, kRoom),
              mutator.Mutate(SeedOfAttach(), seed, kRoom));
  }
}

TEST(ByteMutator, MostMutantsDifferFromWhatTheyAreMadeOf) {
  const ByteMutator mutator(Sequential());
  int same = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    same += mutator.Mutate(SeedOfAttach(), seed, kRoom) == SeedOfAttach();
  }
  EXPECT_LT(same, 40);
}

TEST(ByteMutator, NothingComesOutThatTheOptionsDoNotHave) {
  ByteMutator::Options options = Sequential();
  options.faults = model::kFaultAlloc;
  const ByteMutator mutator(options);
  const Bytes faulty = SeedOf("probe p0\nattach p0 d0 !enable-ats !alloc#1\n");
  Bytes bytes;
  for (uint32_t seed = 0; seed < 2000; ++seed) {
    bytes = mutator.Mutate(seed % 8 == 0 ? faulty : bytes, seed, kRoom);
    const model::Scenario scenario = model::Decode(bytes);
    EXPECT_FALSE(model::BlockOf(scenario).exists());
    for (const model::Operation& operation : scenario.operations) {
      EXPECT_EQ(model::ClassesOf(operation.faults) & ~model::kFaultAlloc, 0);
      EXPECT_NE(operation.kind, model::OperationKind::kBind);
    }
  }
}

TEST(ByteMutator, WithThreadsBlocksAppear) {
  ByteMutator::Options options = Sequential();
  options.capabilities.threads = true;
  options.threads = 3;
  const ByteMutator mutator(options);
  int blocks = 0;
  for (uint32_t seed = 0; seed < 200; ++seed) {
    const Bytes bytes = mutator.Mutate(SeedOfAttach(), seed, kRoom);
    blocks += model::BlockOf(model::Decode(bytes)).exists();
  }
  EXPECT_GT(blocks, 20);
}

TEST(ByteMutator, ResultsFitTheRoom) {
  const ByteMutator mutator(Sequential());
  for (uint32_t seed = 0; seed < 200; ++seed) {
    for (const size_t room : {0, 8, 100, 160}) {
      EXPECT_LE(mutator.Mutate(SeedOfAttach(), seed, room).size(), room);
      EXPECT_LE(
          mutator.Cross(SeedOfAttach(), SeedOfAttach(), seed, room).size(),
          room);
    }
  }
}

}  // namespace
}  // namespace atsfuzz::fuzz
