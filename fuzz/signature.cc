#include "fuzz/signature.h"

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"

namespace atsfuzz::fuzz {
namespace {

using model::Location;
using properties::Violation;

// Functions that every command, table write, lock or allocation goes through:
// they are innermost whoever is to blame.
constexpr std::array<absl::string_view, 15> kPlumbingPrefixes = {
    "arm_smmu_cmdq_",  "arm_smmu_entry_",  "queue_",    "readl", "writel",
    "readq",           "writeq",           "raw_spin_", "spin_", "mutex_",
    "pci_read_config", "pci_write_config", "pci_bus_",  "dma_",  "dmam_",
};
constexpr std::array<absl::string_view, 15> kPlumbing = {
    "entry_set",
    "arm_smmu_write_entry",
    "arm_smmu_write_ste",
    "arm_smmu_write_cd_entry",
    "arm_smmu_ste_writer_sync_entry",
    "arm_smmu_cd_writer_sync_entry",
    "arm_smmu_sync_ste_for_sid",
    "arm_smmu_sync_cd",
    "kfree",
    "kvfree",
    "kmalloc",
    "kzalloc",
    "kcalloc",
    "rb_erase",
    "rb_find_add",
};

bool IsPlumbing(const std::string& function) {
  // The runtime around the kernel sources.
  if (absl::StartsWith(function, "atsfuzz_")) return true;
  for (absl::string_view prefix : kPlumbingPrefixes) {
    if (absl::StartsWith(function, prefix)) return true;
  }
  return std::find(kPlumbing.begin(), kPlumbing.end(), function) !=
         kPlumbing.end();
}

Location PlaceOf(const atsfuzz_event& event) {
  Location place;
  if (event.kernel_function != nullptr) place.function = event.kernel_function;
  if (event.file != nullptr) place.file = event.file;
  place.line = static_cast<int>(event.line);
  return place;
}

// The text of a warning without the values that it may print.
std::string WithoutNumbers(absl::string_view text) {
  std::string folded;
  bool in_number = false;
  for (char c : text) {
    const bool digit = c >= '0' && c <= '9';
    if (!digit) {
      folded.push_back(c);
    } else if (!in_number) {
      folded.push_back('#');
    }
    in_number = digit;
  }
  return folded;
}

// A warning is told apart by its own site, whoever called: two ways to the same
// WARN are one bug.
Location WarningSite(const atsfuzz_event& event, model::System& system) {
  Location site = PlaceOf(event);
  for (const Location& frame : system.Locate(event)) {
    if (frame.function == site.function && !frame.text.empty()) return frame;
  }
  if (event.text != nullptr) site.text = WithoutNumbers(event.text);
  return site;
}

Location LocationOf(const Violation& violation, model::System& system) {
  // Its aspect names both places; either may be this one.
  if (violation.invariant == properties::Invariant::kDataRace) return {};
  if (violation.event < 0) return Blame(system.LastWriter(violation.subject));
  const std::span<const atsfuzz_event> events = system.Events();
  if (static_cast<size_t>(violation.event) >= events.size()) return Location();
  const atsfuzz_event& event = events[violation.event];
  const bool warning =
      violation.invariant == properties::Invariant::kNoWarning ||
      violation.invariant == properties::Invariant::kLockDiscipline;
  if (warning && event.kernel_function != nullptr) {
    return WarningSite(event, system);
  }
  const Location blamed = Blame(system.Locate(event));
  return blamed.known() ? blamed : PlaceOf(event);
}

// FNV-1a, 64 bits: the same on every machine and in every version.
uint64_t Hash(absl::string_view text) {
  uint64_t hash = 0xcbf29ce484222325;
  for (char c : text) {
    hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  }
  return hash;
}

}  // namespace

Signature SignatureOf(const Violation& violation, uint8_t assumes,
                      model::System& system) {
  const Location location = LocationOf(violation, system);
  const absl::string_view name = properties::InvariantName(violation.invariant);
  const std::string key =
      absl::StrCat(name, "|", violation.aspect, "|", location.function, "|",
                   location.text, "|", assumes);
  Signature signature;
  signature.invariant = violation.invariant;
  signature.assumes = assumes;
  signature.function = location.function;
  signature.text =
      absl::StrFormat("%s-%06x", std::string(name), Hash(key) & 0xffffff);
  return signature;
}

Location Blame(const std::vector<Location>& stack) {
  for (const Location& frame : stack) {
    if (frame.known() && !IsPlumbing(frame.function)) return frame;
  }
  return stack.empty() ? Location() : stack.front();
}

}  // namespace atsfuzz::fuzz
