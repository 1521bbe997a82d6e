#include "model/contract.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/pasid.h"
#include "model/text.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::model {
namespace {

using ::testing::HasSubstr;

// s0 has both stages, s1 only stage 2. p0 is behind no SMMU, p1 and its VF v2
// behind s0, v3 is a VF of p0, p4 is behind s1. d1 is the nesting case.
constexpr char kMachine[] =
    "smmu s0\n"
    "smmu s1 stages=2\n"
    "pf p0\n"
    "pf p1 smmu=s0 ats streams=1,2\n"
    "vf v2 of=p1 smmu=s0 ats default=identity\n"
    "vf v3 of=p0 smmu=s0 ats default=identity untrusted\n"
    "pf p4 smmu=s1\n"
    "domain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s0 stage=2\n"
    "domain d2 smmu=s1 stage=2\n";
constexpr FunctionId kP0(0), kP1(1), kV2(2), kV3(3), kP4(4);
constexpr DomainId kD0(0), kD1(1), kD2(2);

Scenario ParseOrDie(const std::string& text) {
  auto scenario = Parse(text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  return *std::move(scenario);
}

class ContractTest : public ::testing::Test {
 protected:
  explicit ContractTest(const char* machine = kMachine)
      : machine_(machine), contract_(ParseOrDie(machine).topology) {}

  Operation Op(const std::string& line) {
    return ParseOrDie(machine_ + line).operations.at(0);
  }

  // Runs lines that must be allowed, each with `result`, and their implicit
  // allocations with success.
  void Run(std::initializer_list<const char*> lines, int result = 0) {
    for (const char* line : lines) {
      const Operation operation = Op(line);
      const absl::Status status = contract_.Allows(operation);
      ASSERT_TRUE(status.ok()) << line << ": " << status;
      if (contract_.AllocatesDomain(operation)) {
        ASSERT_TRUE(contract_.AllocatesThrough(operation).valid()) << line;
        contract_.ApplyAllocation(operation.domain, 0);
      }
      contract_.Apply(operation, result, 0x1000);
    }
  }

  void ExpectAllowed(const char* line) {
    EXPECT_TRUE(contract_.Allows(Op(line)).ok())
        << line << ": " << contract_.Allows(Op(line));
  }

  void ExpectRefused(const char* line, const char* reason) {
    const absl::Status status = contract_.Allows(Op(line));
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << line;
    EXPECT_THAT(std::string(status.message()), HasSubstr(reason)) << line;
  }

  const std::string machine_;
  Contract contract_;
};

TEST_F(ContractTest, AVfExistsOnlyOnceItsPfWasTried) {
  ExpectRefused("probe v2", "v2 does not exist before its PF p1");
  ExpectAllowed("probe v3");  // its PF is behind no SMMU
  Run({"probe p1"}, -12);
  EXPECT_FALSE(contract_.function(kP1).probed);
  EXPECT_TRUE(contract_.function(kP1).probe_tried);
  Run({"probe v2"});
  EXPECT_EQ(contract_.function(kV2).route, Route::kIdentity);
  ExpectRefused("probe v2", "probed already");
}

TEST_F(ContractTest, APfGoesWithItsVfs) {
  Run({"probe p1", "probe v2"});
  ExpectRefused("release p1", "release v2 before p1");
  Run({"release v2", "release p1"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kUnprobed);
  ExpectRefused("probe v2", "before its PF p1");
}

TEST_F(ContractTest, AFunctionBehindNoSmmuMayBeProbedInVain) {
  Run({"probe p0"}, -19);
  ExpectAllowed("probe p0");
  ExpectRefused("claim p0", "p0 is not probed");
  EXPECT_EQ(contract_.function(kP0).route, Route::kUnprobed);
}

TEST_F(ContractTest, AnUntrustedFunctionStartsInADmaDomain) {
  EXPECT_EQ(contract_.function(kV3).default_domain, DefaultDomain::kDma);
  Run({"probe v3"});
  EXPECT_EQ(contract_.function(kV3).route, Route::kDefaultDma);
}

TEST_F(ContractTest, OwnershipIsTakenAndGivenBack) {
  Run({"probe p1"});
  ExpectRefused("unclaim p1", "p1's group is not owned");
  Run({"claim p1"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kBlocked);
  Run({"claim p1"}, -1);  // -EPERM is legal to meet
  ExpectRefused("release p1", "owned");
  Run({"attach p1 d0"});
  ExpectRefused("unclaim p1", "p1 is attached to d0");
  Run({"detach p1"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kBlocked);
  Run({"unclaim p1"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kDefaultDma);
  EXPECT_FALSE(contract_.function(kP1).owned);
  Run({"release p1"});
}

TEST_F(ContractTest, AFailedOperationChangesNothing) {
  Run({"probe p1", "claim p1"});
  const FunctionState before = contract_.function(kP1);
  Run({"attach p1 d0", "set-default p1 identity", "claim p1"}, -22);
  EXPECT_EQ(contract_.function(kP1).route, before.route);
  EXPECT_EQ(contract_.function(kP1).attached, before.attached);
  EXPECT_EQ(contract_.function(kP1).default_domain, before.default_domain);
  Run({"map d0 3"}, -12);
  EXPECT_EQ(contract_.domain(kD0).Find(3), nullptr);
}

TEST_F(ContractTest, AttachAndDetachWithoutAnOwnerGoThroughTheDefaultDomain) {
  ExpectRefused("attach p1 d0", "p1 is not probed");
  Run({"probe p1", "probe v2", "probe p4"});
  ExpectRefused("detach v2", "v2 is not attached");
  Run({"attach v2 d0"});
  EXPECT_EQ(contract_.function(kV2).route, Route::kDomain);
  EXPECT_EQ(contract_.function(kV2).domain, kD0);
  ExpectAllowed("attach v2 d0");  // -EBUSY is legal to meet
  ExpectAllowed("attach v2 d2");
  ExpectRefused("release v2", "v2 is attached to d0");
  Run({"detach v2"});
  EXPECT_EQ(contract_.function(kV2).route, Route::kIdentity);
}

TEST_F(ContractTest, OnlyAnOwnerReplaces) {
  Run({"probe p1"});
  ExpectRefused("replace p1 d0", "not owned and attached");
  Run({"attach p1 d0"});
  ExpectRefused("replace p1 d0", "not owned and attached");
  Run({"detach p1", "claim p1"});
  ExpectRefused("replace p1 d0", "not owned and attached");
  Run({"attach p1 d0", "replace p1 d1"});
  EXPECT_EQ(contract_.function(kP1).domain, kD1);
  EXPECT_TRUE(contract_.domain(kD1).finalised);
}

TEST_F(ContractTest, SetDefaultMovesAGroupThatNobodyHolds) {
  ExpectRefused("set-default p1 identity", "p1 is not probed");
  Run({"probe p1", "set-default p1 identity"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kIdentity);
  Run({"attach p1 d0"});
  ExpectRefused("set-default p1 dma", "a kernel driver is bound");
  Run({"detach p1", "claim p1", "attach p1 d0"});
  // -EPERM is what a caller meets; whatever it returns, the owner's domain
  // stays.
  Run({"set-default p1 dma"});
  EXPECT_EQ(contract_.function(kP1).route, Route::kDomain);
  Run({"detach p1", "unclaim p1", "release p1"});
  EXPECT_EQ(contract_.function(kP1).default_domain, DefaultDomain::kDma)
      << "a new group starts from what the system prefers";
}

TEST_F(ContractTest, ADomainIsAllocatedThroughAFunctionOfItsSmmu) {
  ExpectRefused("domain-new d0", "no function behind s0 is probed");
  ExpectRefused("map d0 3", "no function behind s0 is probed");
  Run({"probe p4"});
  ExpectRefused("attach p4 d0", "no function behind s0 is probed");
  Run({"probe p1", "probe v2"});
  EXPECT_EQ(contract_.AllocatesThrough(Op("domain-new d0")), kP1);
  EXPECT_EQ(contract_.AllocatesThrough(Op("attach v2 d0")), kV2);
  EXPECT_EQ(contract_.AllocatesThrough(Op("attach p4 d0")), kP1);
  EXPECT_EQ(contract_.AllocatesThrough(Op("map d2 1")), kP4);
  EXPECT_TRUE(contract_.AllocatesDomain(Op("attach v2 d0")));
  EXPECT_FALSE(contract_.AllocatesDomain(Op("domain-new d0")));
  Run({"domain-new d0"});
  EXPECT_FALSE(contract_.AllocatesDomain(Op("attach v2 d0")));
  ExpectRefused("domain-new d0", "allocated already");
  ExpectAllowed("attach p4 d0");  // -EINVAL is legal to meet
}

TEST_F(ContractTest, ADomainIsFreedOnlyUnattached) {
  ExpectRefused("domain-free d0", "not allocated");
  Run({"probe p1", "attach p1 d0", "map d0 1", "map d0 2"});
  Run({"unmap d0 2 queued"});
  ExpectRefused("domain-free d0", "p1 is attached to d0");
  Run({"detach p1", "domain-free d0"});
  EXPECT_FALSE(contract_.domain(kD0).allocated);
  EXPECT_EQ(contract_.domain(kD0).Find(1), nullptr);
  EXPECT_EQ(contract_.domain(kD0).FindUnflushed(2), nullptr);
  ExpectRefused("flush d0", "no page table");
}

TEST_F(ContractTest, ANestingParentHasItsPageTableFromItsFirstAttach) {
  Run({"probe p1", "probe p4"});
  ExpectRefused("map d1 3", "d1 has no page table yet: attach it first");
  ExpectRefused("attach p4 d1", "another SMMU than s0");
  Run({"domain-new d1"});
  EXPECT_FALSE(contract_.domain(kD1).finalised);
  ExpectRefused("map d1 3", "attach it first");
  ExpectRefused("flush d1", "attach it first");
  ExpectRefused("attach p4 d1", "another SMMU than s0");
  Run({"attach p1 d1", "map d1 3"});
  EXPECT_NE(contract_.domain(kD1).Find(3), nullptr);
  ExpectAllowed("attach p4 d1");
}

TEST_F(ContractTest, StageTwoAloneIsFinalisedByItsAllocation) {
  Run({"probe p4", "map d2 3"});
  EXPECT_TRUE(contract_.domain(kD2).finalised);
}

TEST_F(ContractTest, PagesAreMappedOnceAndUnmappedAsTheyWereMapped) {
  Run({"probe p1", "map d0 3..6", "map d0 7"});
  ExpectRefused("map d0 6", "page 6 of d0");
  ExpectRefused("unmap d0 3", "whole mappings");
  ExpectRefused("unmap d0 8", "whole mappings");
  ASSERT_NE(contract_.domain(kD0).Find(5), nullptr);
  EXPECT_EQ(contract_.domain(kD0).Find(5)->page, 3);
  EXPECT_EQ(contract_.domain(kD0).Find(5)->physical, 0x1000u);
  Run({"unmap d0 3..7"});
  EXPECT_EQ(contract_.domain(kD0).Find(5), nullptr);
  EXPECT_TRUE(contract_.domain(kD0).unflushed.empty());
  Run({"map d0 3"});
}

TEST_F(ContractTest, AQueuedUnmapKeepsItsPagesUntilTheFlush) {
  Run({"probe p1", "map d0 3..6", "unmap d0 3..6 queued"});
  EXPECT_EQ(contract_.domain(kD0).Find(4), nullptr);
  ASSERT_NE(contract_.domain(kD0).FindUnflushed(4), nullptr);
  ExpectRefused("map d0 6..9", "flush d0 first");
  ExpectRefused("unmap d0 3..6", "whole mappings");
  Run({"map d0 7", "flush d0"});
  EXPECT_EQ(contract_.domain(kD0).FindUnflushed(4), nullptr);
  EXPECT_NE(contract_.domain(kD0).Find(7), nullptr);
  Run({"map d0 3..6"});
}

TEST_F(ContractTest, RangesEndWithThePages) {
  Run({"probe p1"});
  Operation map = Op("map d0 1023");
  EXPECT_TRUE(contract_.Allows(map).ok());
  map.pages = 2;
  EXPECT_FALSE(contract_.Allows(map).ok());
  map.pages = 0;
  EXPECT_FALSE(contract_.Allows(map).ok());
}

TEST_F(ContractTest, DmaNeedsAStreamOfAnSmmu) {
  ExpectAllowed("dma p1 0 stream=1");
  ExpectRefused("dma p1 0 stream=2", "p1 has 2 stream ids");
  ExpectRefused("dma p0 0", "p0 is behind no SMMU");
}

TEST_F(ContractTest, NamesThatTheMachineLacksAreRefused) {
  Operation probe;
  probe.function = FunctionId(5);
  EXPECT_FALSE(contract_.Allows(probe).ok());
  Operation flush;
  flush.kind = OperationKind::kFlush;
  EXPECT_FALSE(contract_.Allows(flush).ok());
}

TEST_F(ContractTest, WhatDoesNotMoveTheStateIsNoProgress) {
  Run({"probe p1", "claim p1", "attach p1 d0", "map d0 1"});
  EXPECT_FALSE(contract_.ChangesState(Op("claim p1")));
  EXPECT_FALSE(contract_.ChangesState(Op("replace p1 d0")));
  EXPECT_TRUE(contract_.ChangesState(Op("replace p1 d1")));
  EXPECT_FALSE(contract_.ChangesState(Op("flush d0")));
  EXPECT_FALSE(contract_.ChangesState(Op("dma p1 1")));
  EXPECT_FALSE(contract_.ChangesState(Op("set-default p1 dma")));
  EXPECT_TRUE(contract_.ChangesState(Op("unmap d0 1 queued")));
  Run({"unmap d0 1 queued"});
  EXPECT_TRUE(contract_.ChangesState(Op("flush d0")));
}

// A group of p0, its VF v1 and p2, which has no PASIDs; p3 alone. d2 is nested
// in the stage 2 domain d1.
constexpr char kGroups[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats pasids=8\n"
    "vf v1 of=p0 smmu=s0 ats group=p0\n"
    "pf p2 smmu=s0 group=p0\n"
    "pf p3 smmu=s0 ats pasids=8\n"
    "domain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s0 stage=2\n"
    "domain d2 nested=d1 guest=stage1 ats\n";
constexpr FunctionId kV1(1), kP2(2), kP3(3);

class GroupContractTest : public ContractTest {
 protected:
  GroupContractTest() : ContractTest(kGroups) {}
  const FunctionState& at(FunctionId id) { return contract_.function(id); }
};

TEST_F(GroupContractTest, WhatIsDoneToOneIsDoneToTheGroup) {
  Run({"probe p0", "probe v1", "claim v1"});
  EXPECT_TRUE(at(kP0).owned);
  EXPECT_EQ(at(kP0).route, Route::kBlocked);
  EXPECT_FALSE(at(kP2).owned) << "it is not probed yet";
  Run({"attach p0 d0"});
  EXPECT_EQ(at(kV1).domain, kD0);
  Run({"probe p2"});
  EXPECT_TRUE(at(kP2).owned) << "what joins the group gets its domain";
  EXPECT_EQ(at(kP2).domain, kD0);
  EXPECT_EQ(at(kP3).route, Route::kUnprobed);
  ExpectRefused("release p2", "p2 is attached to d0");
  Run({"detach p2"});
  ExpectRefused("release p2", "owned");
  Run({"unclaim p0", "release p2"});
  EXPECT_EQ(at(kP2).route, Route::kUnprobed);
  EXPECT_EQ(at(kV1).route, Route::kDefaultDma);
}

TEST_F(GroupContractTest, ADefaultDomainLastsAsLongAsTheGroup) {
  Run({"probe p0", "probe p2", "set-default p2 identity", "release p0",
       "probe p0"});
  EXPECT_EQ(at(kP0).route, Route::kIdentity);
  Run({"release p0", "release p2", "probe p2"});
  EXPECT_EQ(at(kP2).route, Route::kDefaultDma);
}

TEST_F(GroupContractTest, APasidIsSetOnThoseThatHaveAny) {
  ExpectRefused("set-pasid p0 1 d0", "p0 is not probed");
  Run({"probe p0", "probe v1", "probe p2", "set-pasid p2 2 d0",
       "set-pasid p0 1 d0"});
  const std::vector<PasidState> both = {{1, kD0}, {2, kD0}};
  EXPECT_EQ(at(kP0).pasids, both);
  EXPECT_EQ(at(kV1).pasids, both);
  EXPECT_TRUE(at(kP2).pasids.empty());
  EXPECT_EQ(contract_.GroupPasids(kP2), both);
  EXPECT_FALSE(contract_.ChangesState(Op("set-pasid v1 1 d0")));
  Run({"set-pasid v1 1 d0", "claim v1"}, -16);  // legal to meet
  ExpectRefused("release p2", "PASID 1 of p2's group is in use");
  ExpectRefused("domain-free d0", "PASID 1 of p0's group is set to d0");
  ExpectRefused("set-default p0 identity", "PASIDs in use without an owner");
  ExpectRefused("clear-pasid p0 3", "PASID 3 of p0's group is not in use");
  ExpectRefused("clear-pasid p3 1", "p3 is not probed");
  Run({"clear-pasid v1 1", "clear-pasid p2 2"});
  EXPECT_TRUE(at(kP0).pasids.empty());
  ExpectRefused("clear-pasid p0 1", "is not in use");
  Run({"domain-free d0", "release v1"});
}

TEST_F(GroupContractTest, AFunctionWithPasidsDoesNotJoinAGroupThatUsesSome) {
  Run({"probe p0", "set-pasid p0 1 d0"});
  ExpectRefused("probe v1", "v1's group has PASIDs in use");
  Run({"probe p2", "clear-pasid p0 1", "probe v1"});
}

TEST_F(GroupContractTest, OnlyAnOwnerReplacesAPasid) {
  Run({"probe p0", "set-pasid p0 1 d0"});
  ExpectRefused("replace-pasid p0 1 d1", "p0's group is not owned");
  Run({"clear-pasid p0 1", "claim p0", "set-pasid p0 1 d0",
       "replace-pasid p0 1 d1"});
  EXPECT_EQ(at(kP0).pasids, (std::vector<PasidState>{{1, kD1}}));
  ExpectAllowed("replace-pasid p0 2 d1");  // -EINVAL is legal to meet
  ExpectRefused("unclaim p0", "PASID 1 of p0's group is in use");
}

TEST_F(GroupContractTest, AResetParksItsFunctionAlone) {
  ExpectRefused("reset-begin v1", "v1 is not probed");
  Run({"probe p0", "probe v1", "attach p0 d0", "set-pasid p0 1 d0"});
  ExpectRefused("reset-end v1", "v1 is in no reset");
  Run({"reset-begin v1"});
  EXPECT_TRUE(at(kV1).parked);
  EXPECT_EQ(at(kV1).route, Route::kBlocked);
  EXPECT_FALSE(at(kV1).domain.valid());
  EXPECT_EQ(at(kV1).group_domain, kD0);
  EXPECT_EQ(at(kV1).pasids.size(), 1u) << "what the end restores";
  EXPECT_EQ(at(kP0).route, Route::kDomain);
  EXPECT_TRUE(contract_.InReset(kP0));
  Run({"attach p0 d0", "set-pasid p0 2 d0", "claim p0"}, -16);
  Run({"reset-begin v1", "detach p0", "clear-pasid p0 1", "reset-end v1"});
  EXPECT_TRUE(at(kV1).parked) << "resets nest";
  ExpectRefused("release v1", "v1 is in a reset");
  Run({"reset-end v1"});
  EXPECT_FALSE(contract_.InReset(kP0));
  EXPECT_EQ(at(kV1).route, Route::kDefaultDma);
  EXPECT_TRUE(at(kV1).pasids.empty());
  Run({"release v1"});
}

TEST_F(GroupContractTest, AResetOfAFunctionWithoutAtsParksNothing) {
  Run({"probe p0", "probe p2", "reset-begin p2"});
  EXPECT_FALSE(at(kP2).parked);
  EXPECT_EQ(at(kP2).route, Route::kDefaultDma);
  ExpectRefused("release p2", "p2 is in a reset");
  Run({"reset-end p2", "release p2"});
}

TEST_F(GroupContractTest, WhetherAVfIsParkedMayDependOnItsPf) {
  Topology topology = contract_.topology();
  topology.functions[0].ats = false;
  for (const bool asks_pf : {false, true}) {
    Capabilities capabilities;
    capabilities.ats_asks_pf = asks_pf;
    contract_ = Contract(topology, capabilities);
    Run({"probe p0", "probe v1", "reset-begin v1"});
    EXPECT_EQ(at(kV1).parked, !asks_pf);
  }
}

TEST_F(GroupContractTest, ANestedDomainLivesOnItsParent) {
  Run({"probe p0"});
  ExpectRefused("domain-new d2", "d2 is nested in d1: allocate d1 first");
  ExpectRefused("attach p0 d2", "d2 is nested in d1: allocate d1 first");
  Run({"domain-new d1"});
  ExpectRefused("domain-new d2", "d2 is nested in d1: attach d1 first");
  Run({"attach p0 d1", "map d1 3", "detach p0"});
  ExpectRefused("attach p0 d2", "only iommufd attaches to it, in a group that");
  Run({"claim p0"});
  for (const char* line : {"vdevice-free p0", "guest-flush p0"}) {
    ExpectRefused(line, "p0's group is in no nested domain: attach it to one");
  }
  Run({"attach p0 d2", "guest-flush p0", "vdevice-free p0"});
  EXPECT_EQ(at(kP0).domain, kD2);
  EXPECT_TRUE(contract_.domain(kD2).allocated);
  for (const char* line : {"map d2 4", "unmap d2 3", "flush d2"}) {
    ExpectRefused(line, "d2 is nested in d1, whose pages are its own: say d1");
  }
  ExpectRefused("domain-free d2", "p0 is attached to d2");
  Run({"detach p0"});
  ExpectRefused("domain-free d1", "d2 is nested in d1: free it before");
  Run({"domain-free d2", "domain-free d1"});
}

TEST_F(GroupContractTest, AParentMayBeFinalisedByItsAllocation) {
  Capabilities capabilities;
  capabilities.finalised = Finalised::kByAllocation;
  contract_ = Contract(contract_.topology(), capabilities);
  Run({"probe p0", "domain-new d1", "map d1 3", "domain-new d2"});
  EXPECT_TRUE(contract_.domain(kD1).finalised);
}

TEST_F(GroupContractTest, OnlyPciFunctionsAreResetAndSendPasids) {
  ExpectAllowed("dma p0 0 pasid=7");
  ExpectRefused("dma p0 0 pasid=8", "p0 offers 8 PASIDs");
  ExpectRefused("dma p2 0 pasid=1", "p2 offers 0 PASIDs");
  Topology topology = contract_.topology();
  topology.functions[3] = {
      .kind = FunctionKind::kPlatform, .smmu = SmmuId(0), .streams = {9}};
  contract_ = Contract(topology);
  Run({"probe p3"});
  ExpectRefused("reset-begin p3", "f3 is a platform device");
}

// What the checker sees of a contract, as text.
class ProcessTest : public ContractTest {
 protected:
  ProcessTest()
      : ContractTest(
            "smmu s0\n"
            "smmu s1\n"
            "pf p0 smmu=s0 ats pasids=16\n"
            "pf p1 smmu=s0 ats pasids=16\n"
            "pf p2 smmu=s1 ats pasids=16\n"
            "domain d0 smmu=s0 stage=1\n"
            "domain d1 smmu=s0 process\n") {
    Run({"probe p0", "probe p1", "probe p2"});
  }
};

TEST_F(ProcessTest, BondsAreCountedByGroupAndProcess) {
  const FunctionId p0(0);
  Run({"bind p0 d1", "bind p0 d1"});
  ASSERT_EQ(contract_.GroupPasids(p0).size(), 1u);
  EXPECT_EQ(contract_.GroupPasids(p0)[0].pasid, 2u);
  EXPECT_EQ(contract_.GroupPasids(p0)[0].users, 2);
  ExpectRefused("unbind p1 d1", "p1 is not bound to d1");
  Run({"unbind p0 d1"});
  EXPECT_EQ(contract_.function(p0).pasids.size(), 1u);
  Run({"unbind p0 d1"});
  EXPECT_TRUE(contract_.function(p0).pasids.empty());
  ExpectRefused("unbind p0 d1", "p0 is not bound to d1");
}

TEST_F(ProcessTest, AFailedBindChangesNothing) {
  Run({"bind p0 d1"}, -12);
  EXPECT_TRUE(contract_.GroupPasids(FunctionId(0)).empty());
  EXPECT_FALSE(contract_.domain(DomainId(1)).allocated);
}

TEST_F(ProcessTest, NobodyUsesAProcessAsADomainOfItsOwn) {
  ExpectRefused("attach p0 d1", "d1 is a process");
  ExpectRefused("set-pasid p0 7 d1", "d1 is a process");
  ExpectRefused("domain-new d1", "d1 is a process");
  ExpectRefused("domain-free d1", "d1 is a process");
  ExpectRefused("bind p0 d0", "d0 is no process");
  ExpectRefused("exit d0", "d0 is no process");
  ExpectRefused("bind p2 d1", "behind another SMMU");
  ExpectRefused("set-pasid p0 2 d0", "PASID 2 is that of the process d1");
  Run({"bind p0 d1", "map d1 0"});
  ExpectRefused("clear-pasid p0 2", "PASID 2 is that of the process d1");
  ExpectRefused("unmap d1 0 queued", "nothing is queued");
}

TEST_F(ProcessTest, BondsEndBeforeTheFunctionGoesOrIsOwned) {
  Run({"bind p0 d1"});
  ExpectRefused("release p0", "unbind it");
  Run({"unbind p0 d1", "claim p0"});
  ExpectRefused("bind p0 d1", "p0's group is owned");
}

TEST_F(ProcessTest, AProcessThatHasExitedWaitsForItsLastUnbind) {
  ExpectRefused("exit d1", "d1 is no living process");
  Run({"map d1 0", "bind p0 d1", "bind p1 d1", "exit d1"});
  EXPECT_TRUE(contract_.domain(DomainId(1)).exited);
  EXPECT_TRUE(contract_.domain(DomainId(1)).mappings.empty());
  ExpectRefused("bind p0 d1", "d1 has exited");
  ExpectRefused("map d1 0", "d1 has exited");
  Run({"unbind p0 d1"});
  ExpectRefused("map d1 0", "d1 has exited");
  Run({"unbind p1 d1"});
  ExpectAllowed("map d1 0");
  ExpectAllowed("bind p1 d1");
}

TEST_F(ProcessTest, ASecondDomainOfAProcessIsNotSaid) {
  ExpectAllowed("bind p0 d1 !alloc#3");
  Run({"bind p0 d1"});
  ExpectRefused("bind p1 d1 !alloc#3", "a second domain");
  ExpectAllowed("bind p1 d1 !alloc:attachment");
}

std::string Snapshot(const Contract& contract) {
  std::string text;
  for (uint8_t i = 0; i < contract.topology().functions.size(); ++i) {
    const FunctionState& f = contract.function(FunctionId(i));
    for (const int value :
         {int{f.probed}, int{f.owned}, int{f.attached},
          static_cast<int>(f.route), int{f.domain.value},
          static_cast<int>(f.group_route), int{f.group_domain.value},
          static_cast<int>(f.default_domain), int{f.reset_depth},
          int{f.parked}}) {
      text += std::to_string(value) + " ";
    }
    for (const auto* pasids :
         {&f.pasids, &contract.GroupPasids(FunctionId(i))}) {
      for (const PasidState& p : *pasids) {
        text += std::to_string(p.pasid) + "=" + std::to_string(p.domain.value) +
                "*" + std::to_string(p.users);
      }
      text += ";";
    }
  }
  for (uint8_t i = 0; i < contract.topology().domains.size(); ++i) {
    const DomainState& d = contract.domain(DomainId(i));
    text += d.allocated ? "a" : "-";
    text += d.finalised ? "f" : "-";
    text += d.exited ? "x" : "-";
    for (const Mappings* mappings : {&d.mappings, &d.unflushed}) {
      for (const Mapping& m : *mappings) {
        text += std::to_string(m.page) + "+" + std::to_string(m.pages) + " ";
      }
      text += ";";
    }
  }
  return text;
}

// What the kernel keeps by group is the same for all of it.
void CheckGroup(const Contract& contract, FunctionId id) {
  const FunctionState& f = contract.function(id);
  const FunctionId member = contract.ProbedMember(id);
  const std::vector<PasidState>& pasids = contract.GroupPasids(id);
  if (!member.valid()) RC_ASSERT(pasids.empty());
  if (!f.probed) return;
  const FunctionState& other = contract.function(member);
  RC_ASSERT(f.owned == other.owned && f.attached == other.attached);
  RC_ASSERT(f.group_route == other.group_route);
  RC_ASSERT(f.group_domain == other.group_domain);
  RC_ASSERT(f.default_domain == other.default_domain);
  const bool skipped = PasidBits(contract.topology(), id) == 0;
  RC_ASSERT(f.pasids == (skipped ? std::vector<PasidState>() : pasids));
  for (size_t i = 0; i < pasids.size(); ++i) {
    const DomainState& domain = contract.domain(pasids[i].domain);
    RC_ASSERT(domain.allocated || domain.exited);
    if (i > 0) RC_ASSERT(pasids[i - 1].pasid < pasids[i].pasid);
  }
}

// The state says what it means whatever sequence led to it.
void CheckConsistent(const Contract& contract) {
  for (uint8_t i = 0; i < contract.topology().functions.size(); ++i) {
    const FunctionState& f = contract.function(FunctionId(i));
    RC_ASSERT(f.probed == (f.route != Route::kUnprobed));
    RC_ASSERT(f.attached == (f.group_route == Route::kDomain));
    RC_ASSERT(f.attached == f.group_domain.valid());
    RC_ASSERT(f.domain.valid() == (f.route == Route::kDomain));
    RC_ASSERT(f.route == (f.parked ? Route::kBlocked : f.group_route));
    if (f.attached) RC_ASSERT(contract.domain(f.group_domain).finalised);
    if (!f.probed) RC_ASSERT(!f.owned && f.reset_depth == 0);
    if (f.parked) RC_ASSERT(f.reset_depth != 0);
    CheckGroup(contract, FunctionId(i));
  }
  for (uint8_t i = 0; i < contract.topology().domains.size(); ++i) {
    const DomainState& d = contract.domain(DomainId(i));
    if (d.finalised) RC_ASSERT(d.allocated);
    if (!d.finalised) RC_ASSERT(d.mappings.empty() && d.unflushed.empty());
    for (const Mapping& m : d.unflushed) {
      RC_ASSERT(!Overlaps(d.mappings, m.page, m.pages));
    }
  }
}

// What the IOMMU core refuses, or, one time in four, a failing allocation.
int ResultOf(const Contract& contract, const Operation& operation) {
  const OperationShape& shape = ShapeOf(operation.kind);
  if (shape.must_succeed) return 0;
  if (Below(4) == 0) return -12;
  if (!shape.function) return 0;
  const FunctionState& f = contract.function(operation.function);
  const bool reset = contract.InReset(operation.function);
  switch (operation.kind) {
    case OperationKind::kClaim:
      if (f.owned) return -1;
      return f.attached || reset ||
                     !contract.GroupPasids(operation.function).empty()
                 ? -16
                 : 0;
    case OperationKind::kAttach:
      return f.attached || reset ? -16 : 0;
    case OperationKind::kReplace:
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
      return reset ? -16 : 0;
    case OperationKind::kSetDefault:
      return f.owned ? -1 : reset ? -16 : 0;
    default:
      return 0;
  }
}

RC_GTEST_PROP(Contract, AllowedOperationsKeepTheStateConsistent, ()) {
  const Topology topology = ArbitraryTopology();
  Capabilities capabilities;
  capabilities.finalised = static_cast<Finalised>(*rc::gen::inRange(0, 3));
  capabilities.ats_asks_pf = Coin();
  Contract contract(topology, capabilities);
  int applied = 0;
  for (int i = 0; i < 300; ++i) {
    Operation operation = ArbitraryOperation(topology);
    // Few pages, so that unmaps and overlaps happen.
    operation.page %= 4;
    operation.pages = operation.pages % 2 + 1;
    if (!contract.Allows(operation).ok()) continue;
    if (contract.AllocatesDomain(operation)) {
      RC_ASSERT(contract.AllocatesThrough(operation).valid());
      contract.ApplyAllocation(operation.domain, 0);
    }
    const bool changes = contract.ChangesState(operation);
    const std::string before = Snapshot(contract);
    const int result = ResultOf(contract, operation);
    contract.Apply(operation, result, 0x1000);
    RC_ASSERT((Snapshot(contract) != before) == (changes && result == 0));
    CheckConsistent(contract);
    ++applied;
  }
  RC_ASSERT(applied > 0);
}

}  // namespace
}  // namespace atsfuzz::model
