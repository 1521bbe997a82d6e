// Nested domains on the real driver: what no scenario can say, because the
// function that a domain is allocated through is not the scenario's to choose.

#include <cerrno>
#include <iostream>
#include <memory>
#include <string>

#include "gtest/gtest.h"
#include "linux/build.h"
#include "linux/kunit_trees.h"
#include "linux/system.h"
#include "linux/tree.h"
#include "model/text.h"

namespace atsfuzz::linux_driver {
namespace {

using model::FunctionId;
using model::Operation;
using model::OperationKind;

constexpr char kMachine[] =
    "smmu s0\n"
    "smmu s1\n"
    "pf p0 smmu=s0 ats\n"
    "pf p1 smmu=s1 ats\n"
    "domain d0 smmu=s0 stage=2\n"
    "domain d1 nested=d0 guest=stage1 ats\n"
    "domain d2 smmu=s1 stage=2\n"
    "domain d3 nested=d2 guest=bypass\n";
constexpr FunctionId kP0(0), kP1(1);

class Nesting : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const auto quiet = [](const std::string&) {};
    const auto tree = ObtainTree(GetParam(), {}, quiet);
    if (!tree.ok()) GTEST_SKIP() << tree.status();
    const auto path = BuildModule(*tree, TestedKind(), quiet);
    ASSERT_TRUE(path.ok()) << path.status();
    auto system = LoadModule(*path, tree->name);
    ASSERT_TRUE(system.ok()) << system.status();
    system_ = *std::move(system);
    if (!system_->capabilities().nesting) GTEST_SKIP() << "no nested domains";
    const auto scenario = model::Parse(kMachine, "test");
    ASSERT_TRUE(scenario.ok()) << scenario.status();
    ASSERT_TRUE(system_->Boot(scenario->topology).ok());
    ASSERT_EQ(On(OperationKind::kProbe, kP0), 0);
    ASSERT_EQ(On(OperationKind::kProbe, kP1), 0);
    ASSERT_EQ(New(0, kP0), 0);
  }
  int On(OperationKind kind, FunctionId function, int domain = 0) {
    Operation operation;
    operation.kind = kind;
    operation.function = function;
    operation.domain = model::DomainId(static_cast<uint8_t>(domain));
    return system_->Operate(operation, FunctionId(), 0);
  }
  int New(int domain, FunctionId through, model::Faults faults = {}) {
    Operation operation;
    operation.kind = OperationKind::kDomainNew;
    operation.domain = model::DomainId(static_cast<uint8_t>(domain));
    operation.faults = faults;
    return system_->Operate(operation, through, 0);
  }
  uint32_t Allocations() { return system_->Observe().allocations; }
  const atsfuzz_domain& Domain(int domain) {
    return system_->Observe().domains[domain];
  }

  std::unique_ptr<model::System> system_;
};

TEST_P(Nesting, AVSmmuAndItsParentBelongToOneSmmu) {
  const uint32_t before = Allocations();
  EXPECT_EQ(New(1, kP1), -EINVAL);
  EXPECT_EQ(Allocations(), before);
  EXPECT_EQ(Domain(1).exists, 0);
  EXPECT_EQ(New(1, kP0), 0);
  EXPECT_EQ(Domain(1).exists, 1);
}

TEST_P(Nesting, AGuestOfAnotherSmmuIsRefusedEvenWhereItNeedsNoVDevice) {
  ASSERT_EQ(New(2, kP1), 0);
  ASSERT_EQ(New(3, kP1), 0);
  ASSERT_EQ(On(OperationKind::kClaim, kP0), 0);
  const uint32_t before = Allocations();
  EXPECT_EQ(On(OperationKind::kAttach, kP0, 3), -EINVAL);
  EXPECT_EQ(Allocations(), before);
  EXPECT_EQ(Domain(2).attachments[0], 0);
}

TEST_P(Nesting, TheFirstDomainMakesTheVSmmuAndTheLastTakesItAlong) {
  const uint32_t before = Allocations();
  ASSERT_EQ(New(1, kP0), 0);
  EXPECT_EQ(Allocations(), before + 2);
  ASSERT_EQ(On(OperationKind::kDomainFree, FunctionId(), 1), 0);
  EXPECT_EQ(Allocations(), before);
}

TEST_P(Nesting, AnAllocationThatFailsLeavesNoVSmmu) {
  const uint32_t before = Allocations();
  for (model::AllocSite site :
       {model::AllocSite::kCore, model::AllocSite::kDomain}) {
    model::Faults faults;
    faults.alloc_sites = static_cast<uint16_t>(1u << static_cast<int>(site));
    EXPECT_EQ(New(1, kP0, faults), -ENOMEM);
    EXPECT_EQ(Allocations(), before);
  }
}

std::string VersionName(const testing::TestParamInfo<std::string>& info) {
  return TestName(info.param);
}

INSTANTIATE_TEST_SUITE_P(Kernels, Nesting, testing::ValuesIn(TestedKernels()),
                         VersionName);

}  // namespace
}  // namespace atsfuzz::linux_driver
