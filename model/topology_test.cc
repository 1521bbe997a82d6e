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
  platform = plain;
  platform.requires_ats = true;
  ExpectBad(topology, "f2: a platform device");
  platform = plain;
  platform.leader = FunctionId(0);
  ExpectBad(topology, "f2: a platform device has a group of its own");
}

// Good(), and p2 beside p0 in its group.
Topology Grouped() {
  Topology topology = Good();
  topology.functions.push_back(Behind(SmmuId(0)));
  topology.functions[2].leader = FunctionId(0);
  return topology;
}

TEST(Topology, AGroupIsNamedByItsFirstFunction) {
  Topology topology = Grouped();
  EXPECT_TRUE(Validate(topology).ok()) << Validate(topology);
  EXPECT_EQ(topology.LeaderOf(FunctionId(2)), FunctionId(0));
  EXPECT_EQ(topology.LeaderOf(FunctionId(0)), FunctionId(0));
  EXPECT_EQ(MembersOf(topology, FunctionId(2)), 0b101);
  EXPECT_EQ(MembersOf(topology, FunctionId(0)), 0b101);
  EXPECT_EQ(MembersOf(topology, FunctionId(1)), 0b010);
  topology.functions[1].leader = FunctionId(0);
  topology.functions[2].leader = FunctionId(1);
  ExpectBad(topology, "p2: v1 is in p0's group: name that");
  topology.functions[2].leader = FunctionId(2);
  ExpectBad(topology, "p2: a group is named by a function");
}

TEST(Topology, TheFunctionsOfAGroupAreAlike) {
  Topology topology = Grouped();
  topology.functions[2].default_domain = DefaultDomain::kIdentity;
  ExpectBad(topology, "p2: a group has one default domain, p0's");
  topology = Grouped();
  topology.functions[2].untrusted = true;
  ExpectBad(topology, "p2: the functions of a group are trusted, or none is");
  topology = Grouped();
  topology.smmus.emplace_back();
  topology.functions[2].smmu = SmmuId(1);
  ExpectBad(topology, "p2: the functions of a group are behind one SMMU");
  topology = Grouped();
  topology.functions[0].kind = FunctionKind::kPlatform;
  topology.functions[1].kind = FunctionKind::kPf;
  topology.functions[1].pf = FunctionId();
  ExpectBad(topology, "p2: the platform device f0 has a group of its own");
}

TEST(Topology, AtsIsSupportedByWhatHasItAndIsTrusted) {
  Topology topology = Good();
  EXPECT_FALSE(SupportsAts(topology, FunctionId(1), false));
  topology.functions[1].ats = true;
  EXPECT_TRUE(SupportsAts(topology, FunctionId(1), false));
  EXPECT_FALSE(SupportsAts(topology, FunctionId(1), true));
  topology.functions[0].ats = true;
  EXPECT_TRUE(SupportsAts(topology, FunctionId(1), true));
  topology.functions[0].untrusted = true;
  EXPECT_FALSE(SupportsAts(topology, FunctionId(1), true));
  EXPECT_TRUE(SupportsAts(topology, FunctionId(1), false));
}

// Good(), a stage 2 domain d1 and d2 nested in it.
Topology Nested() {
  Topology topology = Good();
  topology.domains.push_back({SmmuId(0), 2});
  topology.domains.push_back({SmmuId(0), 2, DomainId(1)});
  return topology;
}

TEST(Topology, ANestedDomainHasAParentOfStageTwo) {
  Topology topology = Nested();
  EXPECT_TRUE(Validate(topology).ok()) << Validate(topology);
  EXPECT_EQ(topology.CountedBy(DomainId(2)), DomainId(1));
  EXPECT_EQ(topology.CountedBy(DomainId(1)), DomainId(1));
  topology.domains[2].parent = DomainId(0);
  ExpectBad(topology, "d2: d0 cannot be a parent");
  topology.domains[2].parent = DomainId(2);
  ExpectBad(topology, "d2: a nested domain's parent is declared before it");
  topology = Nested();
  topology.domains.push_back({SmmuId(0), 2, DomainId(2)});
  ExpectBad(topology, "d3: d2 is nested itself");
  topology = Nested();
  topology.domains[2].stage = 1;
  ExpectBad(topology, "d2: a nested domain has the SMMU and the stage");
  topology = Nested();
  topology.smmus[0].stage1 = false;
  topology.domains[0].stage = 2;
  ExpectBad(topology, "d2: d1 cannot be a parent");
}

TEST(Topology, OnlyANestedDomainHasAGuest) {
  Topology topology = Nested();
  topology.domains[2].guest_ats = true;
  EXPECT_TRUE(Validate(topology).ok()) << Validate(topology);
  topology.domains[2].guest = GuestEntry::kBypass;
  ExpectBad(topology, "d2: a guest's EATS needs guest=stage1");
  topology = Nested();
  topology.domains[1].guest = GuestEntry::kAbort;
  ExpectBad(topology, "d1: a domain that is not nested has no guest");
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

TEST(Topology, AReservedRegionIsASmallOneBehindAnSmmu) {
  Topology topology = Good();
  Function& function = topology.functions[0];
  function.direct_page = ATSFUZZ_MAX_PAGES - kMaxDirectPages;
  function.direct_pages = kMaxDirectPages;
  EXPECT_TRUE(Validate(topology).ok()) << Validate(topology);
  ++function.direct_page;
  ExpectBad(topology, "at most 16 pages, the last of them 1023");
  function.direct_page = 0;
  ++function.direct_pages;
  ExpectBad(topology, "at most 16 pages");
  function.direct_pages = 0;
  function.direct_page = 1;
  ExpectBad(topology, "has at least one page");
  function.direct_pages = 1;
  function.smmu = SmmuId();
  function.streams.clear();
  ExpectBad(topology, "needs no reserved region");
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
