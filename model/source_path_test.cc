#include "model/source_path.h"

#include "gtest/gtest.h"

namespace atsfuzz::model {
namespace {

TEST(SourcePath, IsTheSameWhereverTheTreeLies) {
  EXPECT_EQ(PathInTree("/home/me/linux/drivers/pci/ats.c"),
            "drivers/pci/ats.c");
  EXPECT_EQ(PathInTree("/lib/drivers/linux/drivers/iommu/iommu.c"),
            "drivers/iommu/iommu.c");
  EXPECT_EQ(PathInTree("/drivers/include/linux/rbtree.h"),
            "include/linux/rbtree.h");
}

TEST(SourcePath, IsEmptyOutsideOfATree) {
  EXPECT_EQ(PathInTree("model"), "");
  EXPECT_EQ(PathInTree(""), "");
  EXPECT_EQ(PathInTree("/usr/share/mydrivers/x.c"), "");
}

}  // namespace
}  // namespace atsfuzz::model
