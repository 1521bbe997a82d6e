#include "report/events.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/operation.h"
#include "properties/fault.h"
#include "report/names.h"

namespace atsfuzz::report {
namespace {

constexpr uint64_t kCmdSync = 0x46, kAtcInv = 0x40;

// Adds the functions that a command's stream id names.
void AddInvalidated(const model::Topology& topology, uint64_t word0,
                    std::vector<uint8_t>* functions) {
  if ((word0 & 0xff) != kAtcInv) return;
  const auto stream = static_cast<uint32_t>(word0 >> 32);
  for (uint8_t i = 0; i < topology.functions.size(); ++i) {
    const auto& streams = topology.functions[i].streams;
    if (std::find(streams.begin(), streams.end(), stream) != streams.end() &&
        std::find(functions->begin(), functions->end(), i) ==
            functions->end()) {
      functions->push_back(i);
    }
  }
}

std::string TextOf(const atsfuzz_event& event) {
  return event.text == nullptr
             ? ""
             : std::string(absl::StripTrailingAsciiWhitespace(event.text));
}

std::string AllocationText(const atsfuzz_event& event) {
  const auto site = static_cast<model::AllocSite>(event.c & 0xff);
  return absl::StrFormat("fault: allocation %d (%s, %d bytes) failed", event.b,
                         std::string(AllocSiteName(site)), event.a);
}

std::string DmaText(const model::Topology& topology,
                    const atsfuzz_event& event) {
  const std::string who = absl::StrFormat(
      "%s accessed %#x: ", FunctionName(topology, event.function), event.a);
  switch (event.c) {
    case ATSFUZZ_DMA_BLOCKED:
      return who + "blocked";
    case ATSFUZZ_DMA_REFUSED:
      return who + "translated access refused";
    case ATSFUZZ_DMA_UNTRANSLATED:
      return who + absl::StrFormat("reached %#x through the SMMU", event.b);
    case ATSFUZZ_DMA_ATC_HIT:
      return who + absl::StrFormat("reached %#x by its ATC", event.b);
    case ATSFUZZ_DMA_ATC_MISS:
      return who +
             absl::StrFormat("reached %#x by a translation request", event.b);
    default:
      return who + "unknown result";
  }
}

// "" for events that are not told.
std::string LineOf(const model::Topology& topology,
                   const atsfuzz_event& event) {
  const std::string function = FunctionName(topology, event.function);
  switch (event.kind) {
    case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
      return "SMMU: illegal " + CommandName(event.a, event.b);
    case ATSFUZZ_EVENT_CONFIG_WRITE_LOST:
      return absl::StrFormat("fault: config write of %#x to %s was lost",
                             event.c, function);
    case ATSFUZZ_EVENT_LOG:
      return "kernel: " + TextOf(event);
    case ATSFUZZ_EVENT_WARN:
      return (event.a != 0 ? "BUG: " : "WARN: ") + TextOf(event);
    case ATSFUZZ_EVENT_LOCK_RULE:
      return "locking: " + TextOf(event);
    case ATSFUZZ_EVENT_ALLOC:
      return (event.c & 0x100) != 0 ? AllocationText(event) : "";
    case ATSFUZZ_EVENT_PCI_RETURN:
      return static_cast<int64_t>(event.a) == 0
                 ? ""
                 : absl::StrCat(TextOf(event), "(", function, ") returned ",
                                ResultName(static_cast<int64_t>(event.a)));
    case ATSFUZZ_EVENT_SMMU_FAULT:
      return absl::StrFormat("SMMU: %s, stream %#x, address %#x",
                             properties::FaultName(event.a), event.stream,
                             event.b);
    case ATSFUZZ_EVENT_ATC_FILL:
      return absl::StrFormat("%s cached %#x -> %#x, %d bytes, in its ATC",
                             function, event.a, event.b, event.c);
    case ATSFUZZ_EVENT_DMA:
      return DmaText(topology, event);
    case ATSFUZZ_EVENT_MEMORY_ERROR:
      return "memory error: " + TextOf(event);
    case ATSFUZZ_EVENT_TIMEOUT:
      return event.b == 1 ? "the CPU goes on and on"
                          : "the CPU waited for the SMMU until its timeout";
    case ATSFUZZ_EVENT_COMMAND_HELD:
      return absl::StrCat("stalled before ", CommandName(event.a, event.b));
    case ATSFUZZ_EVENT_QUEUE_RESUMED:
      return absl::StrCat(model::Name(model::SmmuId(event.smmu)),
                          " goes on after a stall");
    case ATSFUZZ_EVENT_ATC_TIMEOUT:
      return "no answer to an ATC_INV: CERROR_ATC_INV_SYNC";
    case ATSFUZZ_EVENT_GRACE_PERIOD:
      return event.a == 0 ? "a grace period ends" : "a grace period begins";
    case ATSFUZZ_EVENT_DATA_RACE:
      return absl::StrCat("data race with t", event.c - 1);
    case ATSFUZZ_EVENT_STOP:
      return absl::StrCat(event.a == 0 ? "stops" : "waits",
                          event.b == 0 ? ""
                          : event.b == 1
                              ? "; others do not see its last store"
                              : absl::StrCat("; others do not see its last ",
                                             event.b, " stores"));
    case ATSFUZZ_EVENT_EARLY_LOAD:
      return absl::StrFormat("loads early: %#x instead of %#x", event.a,
                             event.b);
    case ATSFUZZ_EVENT_OVERFLOW:
      return "too many events; the rest is lost";
    default:
      return "";
  }
}

}  // namespace

std::vector<EventLine> LinesOf(const model::Topology& topology,
                               std::span<const atsfuzz_event> events) {
  std::vector<EventLine> lines;
  std::string commands;
  std::vector<uint8_t> invalidated;
  size_t last_command = 0;
  const auto flush = [&] {
    if (!commands.empty()) {
      lines.push_back({"commands " + commands, last_command, invalidated});
    }
    commands.clear();
    invalidated.clear();
  };
  for (size_t i = 0; i < events.size(); ++i) {
    if (events[i].kind == ATSFUZZ_EVENT_COMMAND) {
      absl::StrAppend(&commands, commands.empty() ? "" : ", ",
                      CommandName(events[i].a, events[i].b));
      AddInvalidated(topology, events[i].a, &invalidated);
      last_command = i;
      if ((events[i].a & 0xff) == kCmdSync) flush();
      continue;
    }
    std::string line = LineOf(topology, events[i]);
    if (line.empty()) continue;
    flush();
    lines.push_back({std::move(line), i, {}});
  }
  flush();
  return lines;
}

}  // namespace atsfuzz::report
