#include "properties/warnings.h"

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {
namespace {

// Bit 1 of an access in an ATSFUZZ_EVENT_DATA_RACE.
const char* Plain(uint64_t bits) { return (bits & 2) != 0 ? " (plain)" : ""; }

absl::string_view Text(const char* text) { return text ? text : ""; }

// FNV-1a: tells warnings of one run apart, and is the same in every run.
uint64_t Hash(uint64_t hash, absl::string_view text) {
  for (char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  return hash;
}

// By place where that is known: the text may hold values.
uint64_t SubjectOf(const atsfuzz_event& event) {
  const uint64_t hash = Hash(0xcbf29ce484222325, Text(event.kernel_function));
  return event.file != nullptr ? Hash(hash, Text(event.file)) ^ event.line
                               : Hash(hash, Text(event.text));
}

bool IsMustSucceedWarning(const atsfuzz_event& event) {
  const absl::string_view where = Text(event.kernel_function);
  return where == "__iommu_group_set_domain_nofail" ||
         where == "__iommu_group_set_domain_internal" ||
         where == "iommu_setup_default_domain" ||
         where == "__iommu_set_group_pasid" ||
         where == "iommu_remove_dev_pasid" ||
         where == "pci_dev_reset_iommu_done";
}

}  // namespace

bool MustSucceedFailed(std::span<const atsfuzz_event> events) {
  bool allocation_failed = false;
  for (const atsfuzz_event& event : events) {
    if (event.kind == ATSFUZZ_EVENT_ALLOC && (event.c & 0x100) != 0) {
      allocation_failed = true;
    } else if (event.kind == ATSFUZZ_EVENT_WARN && allocation_failed &&
               IsMustSucceedWarning(event)) {
      return true;
    }
  }
  return false;
}

void Warnings::OnWarn(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const bool by_design =
      step.must_succeed_failed && IsMustSucceedWarning(event);
  Violation* v = step.findings.Report(Invariant::kNoWarning,
                                      SubjectOf(event) ^ (by_design ? 1 : 0));
  if (v == nullptr) return;
  v->message =
      absl::StrCat("The kernel ", event.a == 1 ? "BUGs" : "warns", " in ",
                   Text(event.kernel_function), ": ", Text(event.text), ".");
  v->expected = "no WARN, no BUG";
  v->found = std::string(Text(event.text));
  v->event = index;
  if (by_design) v->aspect = "must-succeed attach failed under alloc";
}

void Warnings::OnEvent(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  Violation* v = nullptr;
  switch (event.kind) {
    case ATSFUZZ_EVENT_WARN:
      OnWarn(step, index);
      return;
    case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
      queue_stopped_ = true;
      return;
    case ATSFUZZ_EVENT_LOCK_RULE:
      v = step.findings.Report(Invariant::kLockDiscipline, SubjectOf(event));
      if (v == nullptr) return;
      v->message = absl::StrCat(
          "A rule of locking is broken",
          event.line != 0 ? absl::StrCat(" in ", Text(event.kernel_function))
                          : std::string(),
          ": ", Text(event.text), ".");
      v->expected =
          "declared locks are held, their order is acyclic, nothing sleeps "
          "in atomic context";
      v->found = std::string(Text(event.text));
      break;
    case ATSFUZZ_EVENT_MEMORY_ERROR:
      v = step.findings.Report(Invariant::kMemorySafe, SubjectOf(event));
      if (v == nullptr) return;
      v->message = absl::StrCat("Memory error: ", Text(event.text), ".");
      v->expected = "memory is used while it is allocated";
      v->found = std::string(Text(event.text));
      break;
    case ATSFUZZ_EVENT_TIMEOUT:
      if (queue_stopped_) return;
      v = step.findings.Report(Invariant::kProgress, event.b == 1 ? 3 : 0);
      if (v == nullptr) return;
      if (event.b == 1) {
        v->message = "The operation goes on and on, though nobody else moves.";
        v->expected = "every operation ends";
        v->found = "a livelock";
        v->aspect = "livelock";
        break;
      }
      v->message = "The driver waited for the SMMU until its timeout.";
      v->expected = "every wait for a live queue ends";
      v->found = "timeout";
      break;
    case ATSFUZZ_EVENT_DATA_RACE:
      // Each is told once, and where, only the system knows.
      v = step.findings.Report(Invariant::kDataRace,
                               static_cast<uint64_t>(index));
      if (v == nullptr) return;
      v->message = absl::StrCat(
          (event.b & 1) != 0 ? "A write" : "A read", Plain(event.b),
          (event.b & 4) != 0 ? " meets a write" : " meets a read",
          Plain(event.b >> 2), " of another thread, and nothing orders them.");
      v->expected = "accesses that others may see are marked, or ordered";
      v->found = "a data race";
      break;
    case ATSFUZZ_EVENT_OVERFLOW:
      v = step.findings.Report(Invariant::kProgress, 1);
      if (v == nullptr) return;
      v->message =
          "More happened in one operation than the event buffer holds: the "
          "harness cannot judge it.";
      v->expected = "all events of the operation";
      v->found = "overflow";
      v->aspect = "event buffer overflow";
      break;
    default:
      return;
  }
  v->event = index;
}

}  // namespace atsfuzz::properties
