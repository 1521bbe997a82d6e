#include "properties/machine.h"

#include "gtest/gtest.h"

namespace atsfuzz::properties {
namespace {

// p0 lists 0x100 twice, p1 shares it; f2 has the same id behind another SMMU.
model::Topology Aliases() {
  model::Topology topology;
  topology.smmus = {{}, {.granules = model::kGranule64K}};
  topology.functions.resize(3);
  topology.functions[0] = {.smmu = model::SmmuId(0), .streams = {0x100, 0x100}};
  topology.functions[1] = {.smmu = model::SmmuId(0), .streams = {0x200, 0x100}};
  topology.functions[2] = {.kind = model::FunctionKind::kPlatform,
                           .smmu = model::SmmuId(1),
                           .streams = {0x100}};
  return topology;
}

TEST(Machine, OneStreamIdOfAnSmmuIsOneSlotWhoeverListsIt) {
  const model::Topology topology = Aliases();
  const Machine machine(topology);
  EXPECT_EQ(machine.Find(0, 0x100), SlotOf(0, 0));
  EXPECT_EQ(machine.Canonical(SlotOf(0, 1)), SlotOf(0, 0));
  EXPECT_EQ(machine.Canonical(SlotOf(1, 1)), SlotOf(0, 0));
  EXPECT_EQ(machine.Find(1, 0x100), SlotOf(2, 0));
  EXPECT_EQ(machine.Find(1, 0x200), -1);
}

TEST(Machine, AnIdIsSharedOnlyBetweenFunctionsOfOneSmmu) {
  const model::Topology topology = Aliases();
  const Machine machine(topology);
  EXPECT_TRUE(machine.IsShared(SlotOf(0, 0)));
  EXPECT_TRUE(machine.IsShared(SlotOf(0, 1)));
  EXPECT_TRUE(machine.IsShared(SlotOf(1, 1)));
  EXPECT_FALSE(machine.IsShared(SlotOf(1, 0)));
  EXPECT_FALSE(machine.IsShared(SlotOf(2, 0)));
}

TEST(Machine, AnIdThatOneFunctionRepeatsIsNotShared) {
  model::Topology topology = Aliases();
  topology.functions[1].streams = {0x200};
  const Machine machine(topology);
  EXPECT_FALSE(machine.IsShared(SlotOf(0, 0)));
  EXPECT_FALSE(machine.IsShared(SlotOf(0, 1)));
}

TEST(Machine, AVfUsesTheStuOfItsPf) {
  model::Topology topology;
  topology.functions.resize(2);
  topology.functions[1] = {.kind = model::FunctionKind::kVf,
                           .pf = model::FunctionId(0)};
  const Machine machine(topology);
  EXPECT_EQ(machine.StuOwner(0), 0);
  EXPECT_EQ(machine.StuOwner(1), 0);
  EXPECT_EQ(machine.SmmuOf(0), ATSFUZZ_NONE);
}

}  // namespace
}  // namespace atsfuzz::properties
