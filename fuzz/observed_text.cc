#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzz/observed.h"
#include "fuzz/observed_events.h"
#include "properties/fault.h"
#include "properties/step.h"

namespace atsfuzz::fuzz {
namespace {

using model::Topology;

std::string FunctionText(const Topology& topology, uint64_t f) {
  if (f >= topology.functions.size()) return "nothing";
  return model::Name(topology, model::FunctionId(static_cast<uint8_t>(f)));
}

// Streams of a function: {function, index}.
std::string StreamText(const Topology& topology, uint64_t f, uint64_t s) {
  return absl::StrFormat("%s's stream %#x", FunctionText(topology, f),
                         topology.functions[f].streams[s]);
}

std::string ArrayEntryText(const Topology& topology, const Observed& observed) {
  const auto type = static_cast<int>(observed.subject[1] & 0xff);
  const uint64_t id = observed.subject[2];
  const std::string owner = OwnerText(topology, static_cast<uint8_t>(id));
  switch (type) {
    case ATSFUZZ_INV_S1_ASID:
      return "ASID of " + owner;
    case ATSFUZZ_INV_S2_VMID:
      return "VMID of " + owner;
    case ATSFUZZ_INV_S2_VMID_S1_CLEAR:
      return "stage 1 of the VMID of " + owner;
    default:
      return absl::StrFormat(
          "ATS%s of stream %#x, SSID %d",
          type == ATSFUZZ_INV_ATS_FULL ? " (everything)" : "", id,
          observed.subject[3]);
  }
}

std::string TargetText(const Topology& topology, const Observed& observed) {
  switch (static_cast<Target>(observed.value[0] & 0xff)) {
    case Target::kNowhere:
      return "nowhere";
    case Target::kIdentity:
      return "its own address";
    case Target::kLive:
      return absl::StrCat(
          "what ", OwnerText(topology, static_cast<uint8_t>(observed.value[1])),
          " maps there");
    case Target::kStale:
      return "a page that is no longer mapped there";
  }
  return "unknown";
}

std::string DmaText(const Topology& topology, const Observed& observed) {
  switch (observed.value[0] >> 8) {
    case ATSFUZZ_DMA_BLOCKED:
      return "blocked";
    case ATSFUZZ_DMA_UNTRANSLATED:
      return TargetText(topology, observed) + ", through the SMMU";
    case ATSFUZZ_DMA_ATC_HIT:
      return TargetText(topology, observed) + ", by its ATC";
    case ATSFUZZ_DMA_ATC_MISS:
      return TargetText(topology, observed) + ", by a translation request";
    default:
      return "refused";
  }
}

}  // namespace

absl::string_view ObservedKindName(ObservedKind kind) {
  static constexpr std::array<absl::string_view, kObservedKinds> kNames = {
      "boot",         "return",   "death",        "warning",
      "belief",       "ats",      "pasid",        "route",
      "eats",         "cd-valid", "table",        "tag",
      "substream",    "exists",   "finalised",    "stage",
      "smmu",         "counter",  "attachments",  "pasid-attachments",
      "array-entry",  "atc",      "iotlb",        "dma",
      "probed",       "master",   "group-domain", "stu",
      "config-write", "command",  "smmu-fault",   "timeout",
      "prefetch"};
  return kNames[static_cast<size_t>(kind)];
}

std::string OwnerText(const Topology& topology, uint8_t slot) {
  if (slot == TagOwners::kEveryone) return "every domain";
  if (slot < topology.domains.size()) return Name(model::DomainId(slot));
  const bool blocking = slot >= ATSFUZZ_FIRST_BLOCKING;
  const int f =
      slot - (blocking ? ATSFUZZ_FIRST_BLOCKING : ATSFUZZ_MAX_DOMAINS);
  if (f < 0 || static_cast<size_t>(f) >= topology.functions.size()) {
    return "no live domain";
  }
  return FunctionText(topology, static_cast<uint64_t>(f)) +
         (blocking ? "'s blocking domain" : "'s default domain");
}

std::string SubjectText(const Topology& topology,
                        const model::Operation* operation,
                        const Observed& observed) {
  const auto& at = observed.subject;
  const auto function = [&] { return FunctionText(topology, at[0]); };
  const auto stream = [&] { return StreamText(topology, at[0], at[1]); };
  const auto domain = [&] {
    return OwnerText(topology, static_cast<uint8_t>(at[0]));
  };
  switch (observed.kind) {
    case ObservedKind::kBoot:
      return "boot";
    case ObservedKind::kReturn:
      return "return value";
    case ObservedKind::kDeath:
      return "the end of the kernel";
    case ObservedKind::kWarning:
      return "WARN";
    case ObservedKind::kBelief:
      return function() + " driver's belief";
    case ObservedKind::kAts:
      return function() + " function's ATS";
    case ObservedKind::kPasid:
      return function() + " function's PASID";
    case ObservedKind::kRoute:
      return stream() + " table entry";
    case ObservedKind::kEats:
      return stream() + " EATS";
    case ObservedKind::kCdValid:
      return stream() + " CD 0";
    case ObservedKind::kTable:
      return stream() + " page table";
    case ObservedKind::kTag:
      return stream() + " ASID or VMID";
    case ObservedKind::kSubstream:
      return absl::StrFormat("%s CD of PASID %d", function(), at[1]);
    case ObservedKind::kCounter:
      return domain() + " nr_ats_masters";
    case ObservedKind::kAttachments:
      return absl::StrCat(domain(), " attachments of ",
                          FunctionText(topology, at[1]));
    case ObservedKind::kPasidAttachments:
      return absl::StrCat(domain(), " attachments of ",
                          FunctionText(topology, at[1]), "'s PASIDs");
    case ObservedKind::kArrayEntry:
      return absl::StrCat(domain(), " invalidation array: ",
                          ArrayEntryText(topology, observed));
    case ObservedKind::kAtc:
      return absl::StrFormat(
          "ATC of %s: %s%#x, %d bytes",
          StreamText(topology, at[0] >> 8, at[0] & 0xff),
          at[1] == 0 ? "" : absl::StrFormat("PASID %d, ", at[1]), at[2], at[3]);
    case ObservedKind::kIotlb:
      return absl::StrFormat(
          "IOTLB of s%d: stage %d of %s, %#x", at[0] >> 8, at[0] & 0xff,
          OwnerText(topology, static_cast<uint8_t>(at[1])), at[2]);
    case ObservedKind::kDma:
      return absl::StrFormat("access of %s to %#x",
                             FunctionText(topology, at[1]), at[2]);
    case ObservedKind::kProbed:
      return function() + " driver's record";
    case ObservedKind::kMaster:
      return stream() + " leads to";
    case ObservedKind::kGroupDomain:
      return function() + " group's domain";
    case ObservedKind::kStu:
      return function() + " function's STU";
    case ObservedKind::kExists:
      return domain();
    case ObservedKind::kFinalised:
      return domain() + " page table";
    case ObservedKind::kStage:
      return domain() + " stage";
    case ObservedKind::kSmmu:
      return domain() + " SMMU";
    case ObservedKind::kConfigWrite:
    case ObservedKind::kCommand:
      return "commands and config writes";
    case ObservedKind::kSmmuFault:
      return absl::StrFormat("SMMU s%d: %s of stream %#x", at[0],
                             properties::FaultName(at[1]), at[2]);
    case ObservedKind::kTimeout:
      return "the command queue";
    case ObservedKind::kPrefetch:
      return absl::StrFormat("PREFETCH_CONFIG commands of s%d", at[0]);
  }
  return operation == nullptr ? "unknown" : "unknown of an operation";
}

std::string ValueText(const Topology& topology, const Observed& observed) {
  const uint64_t value = observed.value[0];
  const auto owner = [&](uint64_t slot) {
    return OwnerText(topology, static_cast<uint8_t>(slot));
  };
  switch (observed.kind) {
    case ObservedKind::kBoot:
      return value == 0 ? "failed" : "came up";
    case ObservedKind::kBelief:
    case ObservedKind::kAts:
    case ObservedKind::kPasid:
    case ObservedKind::kEats:
      return value == 0 ? "off" : "on";
    case ObservedKind::kProbed:
    case ObservedKind::kExists:
    case ObservedKind::kFinalised:
      return value == 0 ? "none" : "there";
    case ObservedKind::kCdValid:
      return value == 0 ? "invalid" : "valid";
    case ObservedKind::kRoute:
      return properties::RouteName(static_cast<uint8_t>(value));
    case ObservedKind::kTable:
    case ObservedKind::kTag:
    case ObservedKind::kGroupDomain:
      return owner(value);
    case ObservedKind::kSubstream:
      return absl::StrCat("tag of ", owner(value), ", table of ",
                          owner(observed.value[1]));
    case ObservedKind::kAtc:
    case ObservedKind::kIotlb:
      return TargetText(topology, observed);
    case ObservedKind::kDma:
      return DmaText(topology, observed);
    case ObservedKind::kMaster:
      return FunctionText(topology, value);
    case ObservedKind::kStu:
      return value == 0 ? "unset" : absl::StrCat(value);
    case ObservedKind::kSmmu:
      return absl::StrCat("s", value);
    case ObservedKind::kConfigWrite:
    case ObservedKind::kCommand:
      return OrderedText(topology, observed);
    case ObservedKind::kSmmuFault:
      return "recorded";
    case ObservedKind::kTimeout:
      return "stopped, or waited for in vain";
    default:
      return absl::StrCat(static_cast<int64_t>(value));
  }
}

std::string SubjectKind(const model::Operation* operation,
                        const Observed& observed) {
  const auto name = [&]() -> std::string {
    return operation == nullptr
               ? "machine"
               : std::string(model::ShapeOf(operation->kind).name);
  };
  switch (observed.kind) {
    case ObservedKind::kReturn:
    case ObservedKind::kDeath:
    case ObservedKind::kWarning:
    case ObservedKind::kConfigWrite:
    case ObservedKind::kCommand:
    case ObservedKind::kTimeout:
    case ObservedKind::kPrefetch:
      return name();
    case ObservedKind::kBoot:
      return "machine";
    case ObservedKind::kTable:
    case ObservedKind::kTag:
    case ObservedKind::kRoute:
    case ObservedKind::kEats:
    case ObservedKind::kCdValid:
    case ObservedKind::kMaster:
      return "stream";
    case ObservedKind::kSmmuFault:
      return std::string(properties::FaultName(observed.subject[1]));
    case ObservedKind::kAtc:
    case ObservedKind::kIotlb:
      return "entry";
    case ObservedKind::kCounter:
    case ObservedKind::kAttachments:
    case ObservedKind::kPasidAttachments:
    case ObservedKind::kArrayEntry:
    case ObservedKind::kExists:
    case ObservedKind::kFinalised:
    case ObservedKind::kStage:
    case ObservedKind::kSmmu:
      return observed.subject[0] < ATSFUZZ_MAX_DOMAINS ? "domain"
                                                       : "default-domain";
    default:
      return "function";
  }
}

}  // namespace atsfuzz::fuzz
