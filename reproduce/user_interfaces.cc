#include "reproduce/user_interfaces.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "linux/cache.h"

namespace atsfuzz::reproduce {

UserInterfaces UserInterfacesOf(const std::string& path) {
  const auto read = [&](const char* name) {
    auto text = linux_driver::ReadFile(
        absl::StrCat(path, "/include/uapi/linux/", name));
    return text.ok() ? *std::move(text) : std::string();
  };
  const std::string vfio = read("vfio.h");
  const std::string iommufd = read("iommufd.h");
  UserInterfaces has;
  has.iommufd = absl::StrContains(vfio, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
  has.hwpts = absl::StrContains(iommufd, "IOMMU_HWPT_ALLOC _IO");
  has.vdevices = absl::StrContains(iommufd, "IOMMU_VDEVICE_ALLOC _IO");
  has.pasids = absl::StrContains(vfio, "VFIO_DEVICE_ATTACH_PASID");
  has.nesting_containers = absl::StrContains(vfio, "VFIO_TYPE1_NESTING_IOMMU");
  return has;
}

UserInterfaces CurrentUserInterfaces() {
  return {.iommufd = true, .hwpts = true, .vdevices = true, .pasids = true};
}

}  // namespace atsfuzz::reproduce
