#include "model/machine/design.h"

#include <array>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace atsfuzz::machine {
namespace {

// A switch of one bool or enum member.
template <auto Member>
Switch Of(absl::string_view name, std::vector<absl::string_view> values,
          absl::string_view meaning) {
  using Value = std::remove_reference_t<decltype(Design{}.*Member)>;
  return {name, std::move(values), meaning,
          [](const Design& design) { return static_cast<int>(design.*Member); },
          [](Design& design, int value) {
            design.*Member = static_cast<Value>(value);
          }};
}

const std::vector<Switch>& AllSwitches() {
  static const std::vector<Switch>& switches = *new std::vector<Switch>{
      Of<&Design::attach>("attach", {"one-phase", "two-phase", "arrays"},
                          "6.1, 6.12 or 7.1 and later"),
      Of<&Design::prepares>("prepare-ats", {"off", "on"},
                            "the probe calls pci_prepare_ats"),
      Of<&Design::support_asks_pf>("pf-aware-support", {"off", "on"},
                                   "pci_ats_supported of a VF asks its PF too"),
      Of<&Design::vf_stu_check>(
          "vf-stu-check", {"off", "on"},
          "pci_prepare_ats of a VF fails unless the PF's STU fits"),
      Of<&Design::prepare_if_supported>(
          "prepare-if-supported", {"off", "on"},
          "the probe asks whether ATS is supported first"),
      Of<&Design::prepare_failure>("prepare-failure",
                                   {"ignored", "fatal", "unwound"},
                                   "a failing pci_prepare_ats: ignored, fails "
                                   "the probe, and unwinds it"),
      Of<&Design::requires_ats>("requires-ats", {"off", "on"},
                                "functions that require ATS have it always on"),
      Of<&Design::enable_failure>(
          "enable-failure",
          {"believed", "follows-device", "rolled-back", "retried"},
          "a failing pci_enable_ats: believed all the same; belief as the "
          "device; withdrawn for good; withdrawn until the next attach"),
      Of<&Design::enable_failure_warns>("enable-failure-warns", {"off", "on"},
                                        "a failing pci_enable_ats WARNs"),
      Of<&Design::count_before_enable>("count-before-enable", {"off", "on"},
                                       "nr_ats_masters rises in prepare"),
      Of<&Design::arrays_before_ste>("arrays-before-ste", {"off", "on"},
                                     "the new array is published before the "
                                     "STE"),
      Of<&Design::eats_before_enable>("eats-before-enable", {"off", "on"},
                                      "the STE is written before ATS is "
                                      "enabled"),
      Of<&Design::disable_before_ste>("disable-before-ste", {"off", "on"},
                                      "ATS is disabled before the STE loses "
                                      "EATS"),
      Of<&Design::list_before_belief>("list-before-belief", {"off", "on"},
                                      "the old list is left before belief "
                                      "changes"),
      Of<&Design::invalidate_on_disable>("invalidate-on-disable", {"off", "on"},
                                         "the ATC is emptied when ATS goes "
                                         "off"),
      Of<&Design::invalidate_on_replace>("invalidate-on-replace", {"off", "on"},
                                         "the ATC is emptied when ATS stays "
                                         "on"),
      Of<&Design::tlbi_before_atc_inv>("tlbi-before-atc-inv", {"off", "on"},
                                       "the IOTLB is invalidated before the "
                                       "ATCs"),
      Of<&Design::barrier_before_load>(
          "barrier-before-load", {"off", "on"},
          "an unmap is visible before it loads whom to invalidate"),
      Of<&Design::flushes_dropped_tag>(
          "flush-dropped-tag", {"off", "on"},
          "arrays: a tag without users is flushed"),
      Of<&Design::unrefs_published_array>(
          "unref-published-array", {"off", "on"},
          "arrays: a re-attach unrefs from the new array"),
      Of<&Design::merges_before_scratch_reuse>(
          "merge-before-scratch-reuse", {"off", "on"},
          "arrays: the scratch array is merged before it is built anew"),
      Of<&Design::trims_under_lock>("trim-under-lock", {"off", "on"},
                                    "arrays: a trim waits for those who walk "
                                    "the array"),
      Of<&Design::frees_after_readers>("free-after-readers", {"off", "on"},
                                       "arrays: one that was replaced is freed "
                                       "when nobody walks it"),
  };
  return switches;
}

constexpr std::array<absl::string_view, 5> kPresets = {"6.1", "6.12", "7.2",
                                                       "7.3", "seed"};

// Read from 6.1.192, 6.12.117, 7.2.13 and 7.3.4, and the mail of v4 3/5.
Design Preset(absl::string_view name) {
  Design design;
  if (name == "6.1") {
    design.attach = Attach::kOnePhase;
    design.prepares = false;
    return design;
  }
  // 6.12.117 has the PF-aware check by backport; 7.2.13 does not.
  design.support_asks_pf = name != "7.2";
  if (name == "6.12") return design;
  design.prepare_if_supported = true;
  if (name == "seed") {
    design.prepare_failure = PrepareFailure::kFatal;
    design.enable_failure_warns = true;
    return design;
  }
  design.attach = Attach::kArrays;
  design.prepare_failure = PrepareFailure::kUnwound;
  design.requires_ats = true;
  if (name == "7.3") {
    design.vf_stu_check = true;
    design.enable_failure_warns = true;
  }
  return design;
}

std::string ValueName(const Switch& which, const Design& design) {
  return std::string(which.values[which.get(design)]);
}

int Differences(const Design& a, const Design& b) {
  int count = 0;
  for (const Switch& which : AllSwitches()) {
    if (which.get(a) != which.get(b)) ++count;
  }
  return count;
}

absl::Status Set(absl::string_view assignment, Design& design) {
  const std::vector<std::string> parts = absl::StrSplit(assignment, '=');
  for (const Switch& which : AllSwitches()) {
    if (parts[0] != which.name) continue;
    for (size_t value = 0; value < which.values.size(); ++value) {
      if (parts.size() == 2 && parts[1] == which.values[value]) {
        which.set(design, static_cast<int>(value));
        return absl::OkStatus();
      }
    }
    return absl::InvalidArgumentError(
        absl::StrCat("found '", assignment, "', expected ", which.name, "=",
                     absl::StrJoin(which.values, "|")));
  }
  std::vector<absl::string_view> names;
  for (const Switch& which : AllSwitches()) names.push_back(which.name);
  return absl::InvalidArgumentError(
      absl::StrCat("found '", assignment, "', and no switch is called '",
                   parts[0], "'; there are ", absl::StrJoin(names, ", ")));
}

}  // namespace

std::span<const Switch> Switches() { return AllSwitches(); }

std::span<const absl::string_view> Presets() { return kPresets; }

absl::StatusOr<Design> ParseDesign(absl::string_view text) {
  const std::vector<std::string> parts = absl::StrSplit(text, ',');
  bool known = false;
  for (absl::string_view preset : kPresets) known = known || parts[0] == preset;
  if (!known) {
    return absl::InvalidArgumentError(
        absl::StrCat("no model is called '", parts[0], "'; there are ",
                     absl::StrJoin(kPresets, ", ")));
  }
  Design design = Preset(parts[0]);
  for (size_t i = 1; i < parts.size(); ++i) {
    const absl::Status status = Set(parts[i], design);
    if (!status.ok()) return status;
  }
  return design;
}

std::string DesignName(const Design& design) {
  absl::string_view nearest = kPresets[0];
  for (absl::string_view preset : kPresets) {
    if (Differences(design, Preset(preset)) <
        Differences(design, Preset(nearest))) {
      nearest = preset;
    }
  }
  std::string name(nearest);
  for (const Switch& which : AllSwitches()) {
    if (which.get(design) == which.get(Preset(nearest))) continue;
    absl::StrAppend(&name, ",", which.name, "=", ValueName(which, design));
  }
  return name;
}

}  // namespace atsfuzz::machine
