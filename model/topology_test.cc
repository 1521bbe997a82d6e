#include "model/topology.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/address.h"

namespace atsfuzz::model {
namespace {

using ::testing::HasSubstr;

Function Behind(SmmuId smmu, FunctionKind kind = FunctionKind::kPf) {
  Function function;
  function.kind = kind;
  function.smmu = smmu;
  function.streams = {1};
  return function;
}

// One SMMU, a PF behind it, a VF of that, one domain.
Topology Good() {
  Topology topology;
  topology.smmus.emplace_back();
  topology.functions.push_back(Behind(SmmuId(0)));
  topology.functions.push_back(Behind(SmmuId(0), FunctionKind::kVf));
  topology.functions[1].pf = FunctionId(0);
  topology.domains.push_back({SmmuId(0), 1});
  return topology;
}

void ExpectBad(const Topology& topology, const char* reason) {
  const absl::Status status = Validate(topology);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
}

TEST(Topology, AnOrdinaryMachineIsValid) {
  EXPECT_TRUE(Validate(Good()).ok()) << Validate(Good());
}

TEST(Topology, ThePageIsTheSmallestGranule) {
  EXPECT_EQ(Smmu{.granules = kGranule4K | kGranule64K}.PageShift(), 12);
  EXPECT_EQ(Smmu{.granules = kGranule16K | kGranule64K}.PageShift(), 14);
  EXPECT_EQ(Smmu{.granules = kGranule64K}.PageShift(), 16);
}

TEST(Topology, NamesTellTheKindAndTheIndex) {
  Topology topology = Good();
  topology.functions.push_back(Behind(SmmuId(0), FunctionKind::kPlatform));
  EXPECT_EQ(Name(topology, FunctionId(0)), "p0");
  EXPECT_EQ(Name(topology, FunctionId(1)), "v1");
  EXPECT_EQ(Name(topology, FunctionId(2)), "f2");
  EXPECT_EQ(Name(SmmuId(1)), "s1");
  EXPECT_EQ(Name(DomainId(5)), "d5");
}

TEST(Topology, AMachineHasAnSmmuAndAFunction) {
  Topology topology = Good();
  topology.domains.clear();
  topology.functions.clear();
  ExpectBad(topology, "1 to 8 functions");
  topology.smmus.clear();
  ExpectBad(topology, "1 to 2 SMMUs");
}

TEST(Topology, TheLimitsAreKept) {
  Topology topology = Good();
  topology.smmus.resize(3);
  ExpectBad(topology, "SMMUs");
  topology = Good();
  topology.functions.resize(9, Behind(SmmuId(0)));
  ExpectBad(topology, "functions");
  topology = Good();
  topology.domains.resize(7, {SmmuId(0), 1});
  ExpectBad(topology, "at most 6 domains");
}

TEST(Topology, AVfBelongsToAPfDeclaredBeforeIt) {
  Topology topology = Good();
  topology.functions.push_back(Behind(SmmuId(0), FunctionKind::kVf));
  for (const FunctionId pf : {FunctionId(1), FunctionId(2), FunctionId()}) {
    topology.functions[2].pf = pf;
    ExpectBad(topology, "v2: a VF belongs to a PF");
  }
  topology.functions[2].pf = FunctionId(3);
  topology.functions.push_back(Behind(SmmuId(0)));
  ExpectBad(topology, "v2: a VF belongs to a PF");
  topology.functions[1].kind = FunctionKind::kPlatform;
  ExpectBad(topology, "only a VF belongs to a PF");
}

TEST(Topology, APlatformDeviceHasNoPciCapability) {
  Topology topology = Good();
  topology.functions.push_back(Behind(SmmuId(0), FunctionKind::kPlatform));
  Function& platform = topology.functions[2];
  const Function plain = platform;
  EXPECT_TRUE(Validate(topology).ok());
  platform.ats = true;
  ExpectBad(topology, "f2: a platform device");
  platform = plain;
  platform.untrusted = true;
  ExpectBad(topology, "f2: a platform device");
  platform = plain;
  platform.pasid_bits = 1;
  ExpectBad(topology, "f2: a platform device");
}

TEST(Topology, StreamsGoWithAnSmmu) {
  Topology topology = Good();
  topology.functions[0].streams = {};
  ExpectBad(topology, "1 to 4 stream ids");
  topology.functions[0].streams = {7, 7, 7, kMaxStreamId};
  EXPECT_TRUE(Validate(topology).ok()) << "repeated ids are for the kernel";
  topology.functions[0].streams = {1, 2, 3, 4, 5};
  ExpectBad(topology, "1 to 4 stream ids");
  topology.functions[0].streams = {kMaxStreamId + 1};
  ExpectBad(topology, "0x20000");
  topology.functions[0].streams = {1};
  topology.functions[0].smmu = SmmuId();
  ExpectBad(topology, "behind no SMMU");
  topology.functions[0].smmu = SmmuId(1);
  ExpectBad(topology, "no such SMMU");
}

TEST(Topology, ADomainHasAStageOfItsSmmu) {
  Topology topology = Good();
  topology.smmus[0].stage1 = false;
  ExpectBad(topology, "d0: s0 has no stage 1");
  topology.domains[0].stage = 2;
  EXPECT_TRUE(Validate(topology).ok());
  topology.smmus[0].stage2 = false;
  ExpectBad(topology, "stage 1, stage 2 or both");
  topology = Good();
  topology.domains[0].stage = 3;
  ExpectBad(topology, "1 or 2");
  topology.domains[0] = {SmmuId(1), 1};
  ExpectBad(topology, "belongs to an SMMU");
}

TEST(Topology, GranulesAreANonEmptySubset) {
  for (const uint8_t granules : {0, 8, 15}) {
    Topology topology = Good();
    topology.smmus[0].granules = granules;
    ExpectBad(topology, "granule");
  }
}

TEST(Topology, PasidsAreAtMostAMillion) {
  Topology topology = Good();
  topology.functions[0].pasid_bits = 20;
  EXPECT_TRUE(Validate(topology).ok());
  topology.functions[0].pasid_bits = 21;
  ExpectBad(topology, "PASIDs");
}

TEST(Address, PagesOfTwoMapsNeverMeet) {
  const Smmu smmu{.granules = kGranule64K};
  EXPECT_LT(PhysicalOf(smmu, ATSFUZZ_MAX_PAGES - 1, 0), PhysicalOf(smmu, 0, 1));
  EXPECT_EQ(PhysicalOf(smmu, 5, 0) % kIovaBase, IovaOf(smmu, 5) % kIovaBase);
}

}  // namespace
}  // namespace atsfuzz::model
