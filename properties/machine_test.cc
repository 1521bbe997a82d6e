#include "properties/machine.h"

#include "gtest/gtest.h"
#include "model/address.h"

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

// p0 and p1 in a group, p1 with a region of two pages of 64 KiB.
model::Topology Reserved() {
  model::Topology topology = Aliases();
  topology.smmus[0].granules = model::kGranule64K;
  topology.functions[1].leader = model::FunctionId(0);
  topology.functions[1].direct_page = 3;
  topology.functions[1].direct_pages = 2;
  return topology;
}

TEST(Machine, AReservedRegionIsOfItsGroupsDefaultDomain) {
  const model::Topology topology = Reserved();
  const Machine machine(topology);
  const uint64_t start = model::kIovaBase + 3 * 0x10000;
  const int slot = machine.DefaultSlot(0);
  EXPECT_TRUE(machine.IsReserved(slot, start, 0x20000));
  EXPECT_TRUE(machine.IsReserved(slot, start + 0x1ffff, 1));
  EXPECT_FALSE(machine.IsReserved(slot, start - 1, 1));
  EXPECT_FALSE(machine.IsReserved(slot, start, 0x20001));
  EXPECT_FALSE(machine.IsReserved(machine.DefaultSlot(2), start, 1));
  EXPECT_FALSE(machine.IsReserved(0, start, 1));
}

TEST(Machine, AStreamIdIsReservedWhoeverOfItsSmmuListsIt) {
  const model::Topology topology = Reserved();
  const Machine machine(topology);
  EXPECT_TRUE(machine.ListsReserved(1, 0x200));
  EXPECT_TRUE(machine.ListsReserved(0, 0x100)) << "p1 lists it, too";
  EXPECT_FALSE(machine.ListsReserved(0, 0x300));
  EXPECT_FALSE(machine.ListsReserved(2, 0x100)) << "of another SMMU";
}

}  // namespace
}  // namespace atsfuzz::properties
