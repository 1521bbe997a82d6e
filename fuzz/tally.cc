#include "fuzz/tally.h"

#include <algorithm>
#include <bit>

#include "absl/strings/string_view.h"
#include "properties/command.h"

namespace atsfuzz::fuzz {
namespace {

using model::FaultClass;

bool Returned(const atsfuzz_event& event, absl::string_view function) {
  return event.text != nullptr && absl::string_view(event.text) == function;
}

void Count(const atsfuzz_event& event, Tally* tally) {
  const auto asked = [&](FaultClass fault) -> uint32_t& {
    return tally->asked[IndexOf(fault)];
  };
  switch (event.kind) {
    case ATSFUZZ_EVENT_ALLOC:
      // Its number and not the number of events: a buffer that is full loses
      // events.
      asked(model::kFaultAlloc) =
          std::max(asked(model::kFaultAlloc), static_cast<uint32_t>(event.b));
      if ((event.c & 0x100) != 0) ++tally->hit[IndexOf(model::kFaultAlloc)];
      break;
    case ATSFUZZ_EVENT_CONFIG_WRITE_LOST:
      ++tally->hit[IndexOf(model::kFaultConfigWrite)];
      [[fallthrough]];
    case ATSFUZZ_EVENT_CONFIG_WRITE:
      ++asked(model::kFaultConfigWrite);
      break;
    case ATSFUZZ_EVENT_PCI_RETURN:
      if (Returned(event, "pci_prepare_ats")) ++asked(model::kFaultPrepareAts);
      if (Returned(event, "pci_enable_ats")) ++asked(model::kFaultEnableAts);
      break;
    case ATSFUZZ_EVENT_ATC_TIMEOUT:
      ++tally->hit[IndexOf(model::kFaultAtcTimeout)];
      break;
    default:
      break;
  }
}

// The CMD_SYNCs that complete anything, held back or not. At least as many as
// faults count, which take repetitions of one for one.
class SyncCount {
 public:
  void Add(const atsfuzz_event& event, Tally* tally) {
    const bool held = event.kind == ATSFUZZ_EVENT_COMMAND_HELD;
    if (event.kind == ATSFUZZ_EVENT_ATC_TIMEOUT) {
      ++tally->asked[IndexOf(model::kFaultAtcTimeout)];
    }
    if (event.kind != ATSFUZZ_EVENT_COMMAND && !held) return;
    const uint8_t opcode = properties::OpcodeOf(event.a);
    if (opcode != properties::kCmdSync) {
      any_ = true;
      any_atc_ = any_atc_ || opcode == properties::kAtcInv;
      return;
    }
    if (any_) ++tally->asked[IndexOf(model::kFaultCmdSync)];
    if (any_atc_) ++tally->asked[IndexOf(model::kFaultAtcTimeout)];
    if (held) ++tally->hit[IndexOf(model::kFaultCmdSync)];
    any_ = any_atc_ = false;
  }

 private:
  bool any_ = false, any_atc_ = false;
};

}  // namespace

Tally TallyOf(std::span<const atsfuzz_event> events,
              const model::Faults& faults) {
  Tally tally;
  SyncCount syncs;
  for (const atsfuzz_event& event : events) {
    Count(event, &tally);
    syncs.Add(event, &tally);
  }
  const auto all = [&](FaultClass fault) {
    tally.hit[IndexOf(fault)] = tally.asked[IndexOf(fault)];
  };
  if (faults.prepare_ats) all(model::kFaultPrepareAts);
  if (faults.enable_ats) all(model::kFaultEnableAts);
  return tally;
}

size_t IndexOf(FaultClass fault) {
  return static_cast<size_t>(std::countr_zero(static_cast<unsigned>(fault)));
}

}  // namespace atsfuzz::fuzz
