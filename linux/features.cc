#include "linux/features.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::linux_driver {
namespace {

struct Feature {
  const char* name;
  const char* path;
  const char* text;
};

constexpr char kApi[] = "include/linux/iommu.h";
constexpr char kCore[] = "drivers/iommu/iommu.c";
constexpr char kDriver[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.c";
constexpr char kDriverHeader[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.h";
constexpr char kSva[] = "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-sva.c";
constexpr char kNesting[] =
    "drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3-iommufd.c";

constexpr Feature kFeatures[] = {
    // A stage 2 domain is made by iommu_enable_nesting, before it has a device;
    // otherwise it is allocated as a parent for nesting.
    {"ENABLE_NESTING", kApi, "iommu_enable_nesting("},
    // iommu_setup_dma_ops says which domain; otherwise the device alone.
    {"DMA_OPS_DOMAIN", "drivers/iommu/dma-iommu.h",
     "iommu_setup_dma_ops(struct device *dev, struct iommu_domain *domain)"},
    // A domain says what kind of cookie it has.
    {"COOKIE_TYPE", kApi, "IOMMU_COOKIE_DMA_IOVA"},
    // iommu_replace_group_handle wants a handle.
    {"NEEDS_HANDLE", kCore, "if (!new_domain || !handle)"},
    // A bus says which driver its devices have; later each device does.
    {"BUS_OPS", kCore, "bus->iommu_ops"},
    {"REMOVE_RETURNS", kDriver, "static int arm_smmu_device_remove("},
    // A domain has the list of its masters, and a CD table of its own.
    {"DOMAIN_HEAD", kDriverHeader, "domain_head;"},
    {"REPLACE", kCore, "int iommu_replace_group_handle("},
    {"PAGING_ALLOC", kCore, "iommu_paging_domain_alloc("},
    // iommu_map has no gfp_t.
    {"MAP_ATOMIC", kApi, "iommu_map_atomic("},
    // iommu_fwspec_init is told the driver's operations.
    {"FWSPEC_OPS", kCore, "fwspec->ops = ops;"},
    {"DMA_OPS_RANGE", kApi,
     "iommu_setup_dma_ops(struct device *dev, u64 dma_base, u64 dma_limit);"},
    {"PASIDS", kDriver, "arm_smmu_s1_set_dev_pasid("},
    {"REPLACE_PASID", kCore, "int iommu_replace_device_pasid("},
    {"RESETS", kCore, "int pci_dev_reset_iommu_prepare("},
    {"ARRAYS", kDriverHeader, "struct arm_smmu_invs {"},
    // With a vIOMMU that the core allocates and the driver fills.
    {"NESTING", kNesting, "arm_smmu_get_viommu_size("},
    // A VF is asked for its PF's ATS too.
    {"ATS_ASKS_PF", "drivers/pci/ats.c",
     "return pci_ats_supported(pci_physfn(dev));"},
    {"PREPARE_ATS", "drivers/pci/ats.c", "int pci_prepare_ats("},
    {"REQUIRES_ATS", "drivers/pci/ats.c", "bool pci_ats_required("},
    // Address spaces of processes are domains that the driver allocates.
    {"SVA", kSva, "arm_smmu_sva_domain_alloc(struct device *dev"},
    // A driver enables the feature before it binds.
    {"SVA_FEATURE", kDriver, "case IOMMU_DEV_FEAT_SVA:"},
};

bool Has(const std::vector<SourceFile>& files, const Feature& feature) {
  return std::any_of(files.begin(), files.end(), [&](const SourceFile& file) {
    return file.path == feature.path &&
           absl::StrContains(file.bytes, feature.text);
  });
}

}  // namespace

std::vector<std::string> FeatureFlags(const std::vector<SourceFile>& files) {
  std::vector<std::string> flags;
  for (const Feature& feature : kFeatures) {
    if (Has(files, feature)) {
      flags.push_back(absl::StrCat("-DATSFUZZ_HAS_", feature.name));
    }
  }
  return flags;
}

}  // namespace atsfuzz::linux_driver
