#include "model/capabilities.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/arbitrary.h"
#include "model/text.h"

namespace atsfuzz::model {
namespace {

using ::testing::HasSubstr;

constexpr char kMachine[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats pasids=8\n"
    "domain d0 smmu=s0 stage=1\n";

// Of the machine, or of the first operation.
absl::Status Fit(const Capabilities& capabilities, const std::string& text) {
  const auto scenario = Parse(kMachine + text, "test");
  EXPECT_TRUE(scenario.ok()) << scenario.status();
  const absl::Status status = Fits(capabilities, "toy", scenario->topology);
  if (!status.ok() || scenario->operations.empty()) return status;
  return Fits(capabilities, "toy", scenario->topology, scenario->operations[0]);
}

void ExpectBeyond(const Capabilities& capabilities, const std::string& text,
                  const char* reason) {
  const absl::Status status = Fit(capabilities, text);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnimplemented) << text;
  EXPECT_THAT(std::string(status.message()), HasSubstr(reason));
}

struct Beyond {
  const char* text;
  const char* reason;
};

TEST(Capabilities, WhatASystemLacksIsSaid) {
  const Beyond kBeyond[] = {
      {"vf v1 of=p0 smmu=s0 group=p0\n",
       "v1 is in p0's group, and toy runs groups of one function only"},
      {"pf p1 smmu=s0 direct=1\n", "p1 has a reserved region, and toy"},
      {"pf p1 requires-ats\n", "p1 requires ATS, and toy"},
      {"domain d1 smmu=s0 stage=2\ndomain d2 nested=d1 guest=abort\n",
       "d2 is nested in d1, and toy has no nested domains"},
      {"set-pasid p0 1 d0\n", "`set-pasid p0 1 d0`: toy has no PASIDs"},
      {"replace-pasid p0 1 d0\n", "toy has no PASIDs"},
      {"clear-pasid p0 1\n", "toy has no PASIDs"},
      {"dma p0 1 pasid=1\n", "toy has no PASIDs"},
      {"reset-begin p0\n", "`reset-begin p0`: toy has no resets"},
      {"reset-end p0\n", "toy has no resets"},
      {"vdevice-free p0\n", "toy has no nested domains"},
      {"guest-flush p0\n", "toy has no nested domains"},
  };
  for (const Beyond& beyond : kBeyond) {
    ExpectBeyond({}, beyond.text, beyond.reason);
    EXPECT_TRUE(Fit(AllCapabilities(), beyond.text).ok()) << beyond.text;
  }
  EXPECT_TRUE(Fit({}, "dma p0 1\n").ok());
}

TEST(Capabilities, ReplacingAPasidIsItsOwn) {
  Capabilities capabilities = AllCapabilities();
  capabilities.replace_pasid = false;
  EXPECT_TRUE(Fit(capabilities, "set-pasid p0 1 d0\n").ok());
  ExpectBeyond(capabilities, "replace-pasid p0 1 d0\n", "has no replace-pasid");
  EXPECT_FALSE(HasKind(capabilities, OperationKind::kReplacePasid));
  EXPECT_TRUE(HasKind(capabilities, OperationKind::kSetPasid));
  EXPECT_TRUE(HasKind({}, OperationKind::kDomainFree));
}

TEST(Capabilities, NumbersAreLimits) {
  Capabilities small = AllCapabilities();
  small.functions = small.domains = small.streams = 1;
  small.pages = 4;
  small.largest_pasid = 2;
  EXPECT_TRUE(Fit(small, "map d0 0..3\n").ok());
  EXPECT_TRUE(Fit(small, "clear-pasid p0 2\n").ok());
  ExpectBeyond(small, "map d0 1..4\n", "toy runs pages 0 to 3");
  ExpectBeyond(small, "dma p0 4\n", "toy runs pages 0 to 3");
  ExpectBeyond(small, "clear-pasid p0 3\n", "toy runs PASIDs up to 2");
  ExpectBeyond(small, "pf p1\n", "has 2 functions, and toy runs at most 1");
  ExpectBeyond(small, "domain d1 smmu=s0 stage=1\n", "has 2 domains, and toy");
  small.functions = 2;
  ExpectBeyond(small, "pf p1 smmu=s0 streams=1,2\n",
               "p1 has 2 stream ids, and toy");
}

TEST(Capabilities, TwoSystemsMeetInWhatBothCanDo) {
  Capabilities a = AllCapabilities();
  a.pages = 4;
  a.nesting = false;
  a.finalised = Finalised::kByAllocation;
  Capabilities b = AllCapabilities();
  b.functions = 2;
  b.resets = false;
  b.ats_asks_pf = false;
  Capabilities both = a;
  both.functions = 2;
  both.resets = false;
  EXPECT_EQ(Meet(a, b), both);
  EXPECT_EQ(Meet(a, a), a);
  EXPECT_FALSE(Meet(b, a).ats_asks_pf);
  EXPECT_EQ(Meet(b, a).finalised, Finalised::kStage2Late);
}

}  // namespace
}  // namespace atsfuzz::model
