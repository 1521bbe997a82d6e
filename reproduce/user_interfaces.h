#ifndef ATSFUZZ_REPRODUCE_USER_INTERFACES_H_
#define ATSFUZZ_REPRODUCE_USER_INTERFACES_H_

#include <string>

// What a kernel offers to user space for its IOMMUs, by its own uapi headers
// and never by its version.
namespace atsfuzz::reproduce {

struct UserInterfaces {
  // VFIO's device files and iommufd: include/uapi/linux/vfio.h has
  // VFIO_DEVICE_ATTACH_IOMMUFD_PT. Without: VFIO's containers alone.
  bool iommufd = false;
  bool hwpts = false;     // IOMMU_HWPT_ALLOC
  bool vdevices = false;  // IOMMU_VDEVICE_ALLOC: guests
  bool pasids = false;    // VFIO_DEVICE_ATTACH_PASID
  // VFIO_TYPE1_NESTING_IOMMU: stage 2 by a container.
  bool nesting_containers = false;
};

// Of the tree at `path`; a header that is not there has nothing.
UserInterfaces UserInterfacesOf(const std::string& path);

// Of current kernels, where there is no tree.
UserInterfaces CurrentUserInterfaces();

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_USER_INTERFACES_H_
