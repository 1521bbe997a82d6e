#include "model/operation.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace atsfuzz::model {
namespace {

TEST(Operation, NoTwoKindsAndNoTwoSitesShareAName) {
  std::set<std::string> kinds, sites;
  for (int i = 0; i < kOperationKinds; ++i) {
    kinds.emplace(ShapeOf(static_cast<OperationKind>(i)).name);
  }
  for (int i = 0; i < kAllocSites; ++i) {
    sites.emplace(AllocSiteName(static_cast<AllocSite>(i)));
  }
  EXPECT_EQ(kinds.size(), 24u);
  EXPECT_EQ(sites.size(), 12u);
}

TEST(Operation, ShapesStandAtTheirKinds) {
  EXPECT_EQ(ShapeOf(OperationKind::kProbe).name, "probe");
  EXPECT_EQ(ShapeOf(OperationKind::kSetDefault).name, "set-default");
  EXPECT_TRUE(ShapeOf(OperationKind::kSetDefault).default_domain);
  EXPECT_TRUE(ShapeOf(OperationKind::kUnmap).queued);
  EXPECT_TRUE(ShapeOf(OperationKind::kDma).stream);
  EXPECT_FALSE(ShapeOf(OperationKind::kDma).range);
  EXPECT_EQ(ShapeOf(OperationKind::kDomainFree).name, "domain-free");
  EXPECT_EQ(ShapeOf(OperationKind::kReplacePasid).name, "replace-pasid");
  EXPECT_TRUE(ShapeOf(OperationKind::kReplacePasid).pasid);
  EXPECT_TRUE(ShapeOf(OperationKind::kReplacePasid).domain);
  EXPECT_FALSE(ShapeOf(OperationKind::kClearPasid).domain);
  EXPECT_FALSE(ShapeOf(OperationKind::kDma).pasid);
  EXPECT_EQ(AllocSiteName(AllocSite::kAttachment), "attachment");
  EXPECT_EQ(AllocSiteName(AllocSite::kMerge), "merge");
}

TEST(Operation, WhatGoesBackToASafeStateMustSucceed) {
  std::string names;
  for (int i = 0; i < kOperationKinds; ++i) {
    const OperationShape& shape = ShapeOf(static_cast<OperationKind>(i));
    if (shape.must_succeed) names += std::string(shape.name) + " ";
  }
  EXPECT_EQ(names, "release unclaim detach clear-pasid reset-end unbind exit ");
}

TEST(Operation, AScenarioHasFewDifferentPasids) {
  std::vector<uint32_t> pasids;
  Operation operation;
  EXPECT_TRUE(AddPasid(operation, &pasids));
  EXPECT_TRUE(pasids.empty()) << "0 is traffic without PASID";
  for (operation.pasid = 1; operation.pasid <= ATSFUZZ_MAX_PASIDS;
       ++operation.pasid) {
    EXPECT_TRUE(AddPasid(operation, &pasids));
  }
  EXPECT_FALSE(AddPasid(operation, &pasids));
  EXPECT_EQ(pasids.size(), size_t{ATSFUZZ_MAX_PASIDS});
  operation.pasid = 1;
  EXPECT_TRUE(AddPasid(operation, &pasids));
}

TEST(Operation, FaultsBelongToTheirClass) {
  EXPECT_EQ(ClassesOf(Faults{}), 0);
  EXPECT_EQ(ClassesOf({.alloc_numbers = 8}), kFaultAlloc);
  EXPECT_EQ(ClassesOf({.alloc_sites = 1}), kFaultAlloc);
  EXPECT_EQ(ClassesOf({.prepare_ats = true}), kFaultPrepareAts);
  EXPECT_EQ(ClassesOf({.enable_ats = true}), kFaultEnableAts);
  EXPECT_EQ(ClassesOf({.config_writes = 128}), kFaultConfigWrite);
  EXPECT_EQ(ClassesOf({.cmd_syncs = 1}), kFaultCmdSync);
  EXPECT_EQ(ClassesOf({.atc_timeouts = 128}), kFaultAtcTimeout);
  EXPECT_EQ(ClassesOf({1, 1, true, true, 1, 1, 1}), kAllFaults);
  EXPECT_EQ(FaultClassName(kFaultConfigWrite), "config-write");
}

}  // namespace
}  // namespace atsfuzz::model
