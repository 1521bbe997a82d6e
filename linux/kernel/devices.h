#ifndef ATSFUZZ_LINUX_KERNEL_DEVICES_H_
#define ATSFUZZ_LINUX_KERNEL_DEVICES_H_

/* The machine's devices, for the units that hold kernel sources. */

#include "linux/kernel/glue.h"

struct atsfuzz_function_device {
	struct pci_dev pci;
	struct platform_device platform;
	struct device *dev; /* of whichever it is */
	bool on_bus;
};

extern struct platform_device atsfuzz_smmus[ATSFUZZ_MAX_SMMUS];
extern struct device_node atsfuzz_smmu_nodes[ATSFUZZ_MAX_SMMUS];
extern struct atsfuzz_function_device atsfuzz_functions[ATSFUZZ_MAX_FUNCTIONS];
extern struct atsfuzz_machine atsfuzz_the_machine;

#endif /* ATSFUZZ_LINUX_KERNEL_DEVICES_H_ */
