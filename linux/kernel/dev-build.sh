#!/bin/bash
# dev-build.sh TREE KIND OUT: the recipe that linux/build.cc follows.
set -e
TREE=$(readlink -f $1); KIND=$2; OUT=$3
SRC=$(cd $(dirname $0)/../..; pwd)
REAL="linux/acpi_iort linux/align linux/args linux/array_size linux/bitfield linux/bits linux/build_bug linux/cleanup linux/const linux/container_of linux/err linux/errno linux/fwnode linux/io-pgtable linux/iommu linux/iommufd linux/iopoll linux/iova_bitmap linux/kconfig linux/limits linux/list linux/log2 linux/minmax linux/pci-ats linux/pci_ids linux/poison linux/rbtree linux/rbtree_augmented linux/rbtree_types linux/sizes linux/stddef linux/string_choices linux/typecheck linux/overflow_unused uapi/asm-generic/errno uapi/asm-generic/errno-base uapi/linux/bits uapi/linux/const uapi/linux/errno uapi/linux/iommufd uapi/linux/limits uapi/linux/pci_regs uapi/linux/stddef vdso/bits vdso/const vdso/limits"
O=$OUT.d; rm -rf $O; mkdir -p $O/overlay $O/empty
for h in $REAL; do [ -e $TREE/include/$h.h ] && mkdir -p $O/overlay/$(dirname $h) && ln -sf $TREE/include/$h.h $O/overlay/$h.h; done
# every other <header> that the sources or the real headers name: empty
cat $TREE/drivers/iommu/arm/arm-smmu-v3/arm-smmu-v3.[ch] $TREE/drivers/iommu/*.h $TREE/drivers/iommu/{iommu,io-pgtable,io-pgtable-arm}.c $TREE/drivers/pci/{ats.c,pci.h} $TREE/lib/rbtree.c $(find $O/overlay -name '*.h') | sed -n 's/^[ \t]*#[ \t]*include[ \t]*<\([^>]*\)>.*/\1/p' | sort -u | while read h; do
 [ -e $O/overlay/$h ] || { mkdir -p $O/empty/$(dirname $h); : > $O/empty/$h; }; done
mkdir -p $O/overlay/asm; for h in errno; do ln -sf $TREE/include/uapi/asm-generic/$h.h $O/overlay/asm/$h.h; rm -f $O/empty/asm/$h.h; done; mkdir -p $O/overlay/drivers; ln -sfn $TREE/drivers $O/tree-drivers
CCINC=$(clang-14 -print-resource-dir)/include
KF="-std=gnu11 -nostdinc -isystem $CCINC -I$O/overlay -I$O/overlay/uapi -I$O/empty -I$TREE -iquote $SRC -I$SRC/linux/kernel/include -include atsfuzz_kernel.h -D__KERNEL__ -fno-strict-aliasing -fwrapv -fPIC -fvisibility=hidden -g -DCONFIG_64BIT=1 -DCONFIG_IOMMU_API=1 -DCONFIG_PCI=1 -DCONFIG_PCI_ATS=1 -DCONFIG_PCI_PRI=1 -DCONFIG_PCI_PASID=1 -DCONFIG_IOMMU_DMA=1 -DCONFIG_IOMMU_IO_PGTABLE=1 -DCONFIG_IOMMU_IO_PGTABLE_LPAE=1 -DDRIVERS_PCI_H -Wno-everything -Werror=implicit-function-declaration -Werror=incompatible-pointer-types -Werror=int-conversion -Werror=return-type -ferror-limit=0"
RF="-std=gnu11 -I$SRC -fPIC -fvisibility=hidden -g -Wall -Wextra -Werror"
case $KIND in
 plain) K="-O2 -fsanitize-coverage=inline-8bit-counters,pc-table"; R="-O2 -DATSFUZZ_COVERAGE"; L="";;
 sanitized) K="-O1 -fno-omit-frame-pointer -fsanitize=address,undefined -fsanitize-coverage=inline-8bit-counters,pc-table"; R="-O1 -fno-omit-frame-pointer -DATSFUZZ_COVERAGE -DATSFUZZ_SANITIZED -fsanitize=address,undefined"; L="-fsanitize=address,undefined -shared-libsan_unused";;
 instrumented) K="-O1 -fno-inline -fno-optimize-sibling-calls -fno-omit-frame-pointer -fsanitize=thread"; R="-O1 -fno-omit-frame-pointer -DATSFUZZ_INSTRUMENTED"; L="";;
esac
[ $KIND = sanitized ] && L="-fsanitize=address,undefined"
objs=""
cck() { clang-14 $KF $K -c $1 -o $O/$2.o || exit 1; objs="$objs $O/$2.o"; }
cck $SRC/linux/kernel/driver.c driver
cck $SRC/linux/kernel/iommu_core.c iommu_core
cck $SRC/linux/kernel/core.c core
cck $TREE/drivers/pci/ats.c ats
cck $TREE/drivers/iommu/io-pgtable.c io-pgtable
cck $TREE/drivers/iommu/io-pgtable-arm.c io-pgtable-arm
cck $TREE/lib/rbtree.c rbtree
for f in $SRC/linux/kernel/{memory,runtime,trace,module}.c $SRC/linux/emulated/*.c; do n=$(basename $(dirname $f))_$(basename $f .c); clang-14 $RF $R -c $f -o $O/$n.o; objs="$objs $O/$n.o"; done
clang-14 -shared -fuse-ld=lld -Wl,-z,now,-z,defs -Wl,--wrap=pci_enable_ats,--wrap=pci_prepare_ats,--wrap=pci_enable_pasid $objs -o $OUT.tmp $([ $KIND = sanitized ] && echo "-Wl,-z,undefs -fsanitize=address,undefined")
mv $OUT.tmp $OUT
