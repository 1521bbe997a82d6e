#include "linux/features.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace atsfuzz::linux_driver {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

constexpr char kCore[] = "drivers/iommu/iommu.c";
constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";

TEST(Features, ATreeHasWhatStandsInTheFileThatWouldHoldIt) {
  EXPECT_THAT(FeatureFlags({{kCore, "int pci_dev_reset_iommu_prepare(x)"}}),
              ElementsAre("-DATSFUZZ_HAS_RESETS"));
  // A caller has it not.
  EXPECT_THAT(FeatureFlags({{kDriver, "int pci_dev_reset_iommu_prepare(x)"}}),
              IsEmpty());
}

TEST(Features, TheVersionOfATreeSaysNothing) {
  EXPECT_THAT(FeatureFlags({{"Makefile", "VERSION = 7\nPATCHLEVEL = 3\n"}}),
              IsEmpty());
}

TEST(Features, ANestedDomainIsMadeByAVIommuThatTheDriverFills) {
  constexpr char kNesting[] =
      "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c";
  EXPECT_THAT(FeatureFlags({{kNesting, "size_t arm_smmu_get_viommu_size(x)"}}),
              ElementsAre("-DATSFUZZ_HAS_NESTING"));
  // An earlier kernel's allocates it itself.
  EXPECT_THAT(FeatureFlags({{kNesting, "arm_vsmmu_alloc(struct device *dev)"}}),
              IsEmpty());
}

TEST(Features, FlagsComeInOneOrder) {
  const SourceFile core = {kCore,
                           "int iommu_replace_device_pasid(\n"
                           "int pci_dev_reset_iommu_prepare(\n"};
  const SourceFile driver = {kDriver, "arm_smmu_s1_set_dev_pasid("};
  const std::vector<std::string> flags = FeatureFlags({core, driver});
  EXPECT_THAT(flags,
              ElementsAre("-DATSFUZZ_HAS_PASIDS", "-DATSFUZZ_HAS_REPLACE_PASID",
                          "-DATSFUZZ_HAS_RESETS"));
  EXPECT_EQ(flags, FeatureFlags({driver, core}));
  EXPECT_THAT(flags, Not(Contains("-DATSFUZZ_HAS_ARRAYS")));
}

}  // namespace
}  // namespace atsfuzz::linux_driver
