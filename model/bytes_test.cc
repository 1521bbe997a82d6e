#include "model/bytes.h"

#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "rapidcheck/gtest.h"

namespace atsfuzz::model {
namespace {

RC_GTEST_PROP(Bytes, DecodingWhatWasEncodedGivesTheSameScenario, ()) {
  const Scenario scenario = *ArbitraryMachineCode();
  RC_ASSERT(Validate(scenario.topology).ok());
  RC_ASSERT(Decode(Encode(scenario)) == scenario);
}

RC_GTEST_PROP(Bytes, AnyBytesAreAScenarioThatEncodes, ()) {
  const auto bytes = *rc::gen::resize(
      1000,
      rc::gen::container<std::vector<uint8_t>>(rc::gen::arbitrary<uint8_t>()));
  const Scenario scenario = Decode(bytes);
  const absl::Status status = Validate(scenario.topology);
  if (!status.ok()) RC_FAIL(std::string(status.message()));
  RC_ASSERT(Decode(Encode(scenario)) == scenario);
}

RC_GTEST_PROP(Bytes, OperationsOfAnyBytesNameThingsOfTheMachine, ()) {
  const auto bytes = *rc::gen::resize(
      1000,
      rc::gen::container<std::vector<uint8_t>>(rc::gen::arbitrary<uint8_t>()));
  const Scenario scenario = Decode(bytes);
  for (const Operation& operation : scenario.operations) {
    const OperationShape& shape = ShapeOf(operation.kind);
    RC_ASSERT(shape.function ==
              (operation.function.value < scenario.topology.functions.size()));
    RC_ASSERT(shape.domain ==
              (operation.domain.value < scenario.topology.domains.size()));
    RC_ASSERT(operation.page + operation.pages <= ATSFUZZ_MAX_PAGES);
    RC_ASSERT(operation.pasid <= kMaxPasid);
    RC_ASSERT(!shape.pasid || operation.pasid != 0);
    RC_ASSERT(operation.faults.alloc_sites < 1 << kAllocSites);
  }
}

RC_GTEST_PROP(Bytes, ATruncatedTailCostsOnlyTheLastOperation, ()) {
  Scenario scenario = *ArbitraryMachineCode();
  RC_PRE(!scenario.operations.empty());
  std::vector<uint8_t> bytes = Encode(scenario);
  bytes.pop_back();
  scenario.operations.pop_back();
  MakeThreadsValid(&scenario);
  RC_ASSERT(Decode(bytes) == scenario);
}

TEST(Bytes, NoBytesAreTheSmallestMachine) {
  const Scenario scenario = Decode({});
  EXPECT_TRUE(Validate(scenario.topology).ok());
  EXPECT_EQ(scenario.topology.smmus.size(), 1u);
  EXPECT_EQ(scenario.topology.functions.size(), 1u);
  EXPECT_TRUE(scenario.operations.empty());
}

TEST(Bytes, NoMoreOperationsAreDecodedThanPromised) {
  Scenario scenario = Decode({});
  Operation probe;
  probe.function = FunctionId(0);
  scenario.operations.assign(kMaxDecodedOperations + 1, probe);
  EXPECT_EQ(Decode(Encode(scenario)).operations.size(), kMaxDecodedOperations);
}

TEST(Bytes, PasidsBeyondTheLimitAreFoldedIntoTheOthers) {
  Scenario scenario = Decode({});
  for (uint32_t pasid = 1; pasid <= 9; ++pasid) {
    Operation clear;
    clear.kind = OperationKind::kClearPasid;
    clear.function = FunctionId(0);
    clear.pasid = pasid;
    scenario.operations.push_back(clear);
  }
  const Scenario decoded = Decode(Encode(scenario));
  ASSERT_EQ(decoded.operations.size(), 9u);
  std::vector<uint32_t> pasids;
  for (const Operation& operation : decoded.operations) {
    EXPECT_TRUE(AddPasid(operation, &pasids)) << operation.pasid;
  }
  EXPECT_EQ(pasids, (std::vector<uint32_t>{1, 2, 3, 4}));
}

TEST(Bytes, OperationsOnDomainsThatTheMachineLacksAreDropped) {
  Scenario scenario = Decode({});
  Operation flush;
  flush.kind = OperationKind::kFlush;
  flush.domain = DomainId(0);
  Operation probe;
  probe.function = FunctionId(0);
  scenario.operations = {flush, probe};
  const Scenario decoded = Decode(Encode(scenario));
  ASSERT_EQ(decoded.operations.size(), 1u);
  EXPECT_EQ(decoded.operations[0], probe);
}

}  // namespace
}  // namespace atsfuzz::model
