#ifndef ATSFUZZ_REPRODUCE_STEPS_PARTS_H_
#define ATSFUZZ_REPRODUCE_STEPS_PARTS_H_

#include <string>
#include <vector>

#include "model/contract.h"
#include "reproduce/steps.h"

// The parts of TextOf(Steps).
namespace atsfuzz::reproduce {

// The machine, one thing an item: SMMUs, functions, domains.
std::vector<std::string> MachineItems(const model::Topology& topology);
// What the kernel must be built with.
std::vector<std::string> KernelOptions(const Steps& steps);

// How an operation is asked for.
struct Means {
  std::string how;
  // Why user space cannot ask for it here; empty: it can.
  std::string obstacle;
};
// `before` is what holds before the call.
Means MeansOf(const RecordedCall& call, const model::Contract& before,
              const UserInterfaces& interfaces);

// How its faults are brought about, one each.
std::vector<std::string> FaultItems(const model::Faults& faults);

// Where threads stop, and what to do about it; nothing without a `par` block.
std::vector<std::string> ThreadItems(const Steps& steps);

// What there is to see.
std::vector<std::string> SeenItems(const Steps& steps);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_STEPS_PARTS_H_
