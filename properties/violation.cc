#include "properties/violation.h"

#include <array>
#include <cstddef>

namespace atsfuzz::properties {
namespace {

struct Description {
  absl::string_view name, statement;
};

// In the order of Invariant.
constexpr std::array<Description, kInvariants> kDescriptions = {{
    {"no-warning", "No WARN, BUG or oops."},
    {"memory-safe", "No use after free, double free or overflow."},
    {"belief-matches-device",
     "At rest, the driver's ats_enabled equals the function's ATS enable bit."},
    {"count-matches-devices",
     "At rest, a domain's nr_ats_masters is the number of its attachments "
     "whose function has ATS on."},
    {"array-covers-attachments",
     "At rest, the live entries of a domain's invalidation array are exactly "
     "what its attachments need."},
    {"array-well-formed",
     "Invalidation arrays are sorted, and their counts are those of their "
     "entries."},
    {"representations-agree",
     "At rest, counter, list and invalidation array of a domain tell the same "
     "of ATS."},
    {"translation-before-ats",
     "While a function's ATS is on, each of its stream table entries "
     "translates with EATS on."},
    {"hitless-where-promised",
     "Changes of a stream table entry that the driver promises to be hitless "
     "never show V=0."},
    {"no-stale-atc",
     "Once an unmap or a detach has returned, no ATC entry gives the old "
     "translation."},
    {"no-stale-iotlb",
     "Once an unmap or a detach has returned, no IOTLB entry of a tag in use "
     "gives the old translation."},
    {"no-dma-after-unmap",
     "No access of a device reaches a page whose unmap has completed."},
    {"invalidations-exact",
     "A sync sends precisely the TLBIs and ATC_INVs that are needed."},
    {"commands-in-order",
     "Commands are legal and in order: TLBI, SYNC, ATC_INV, SYNC, and CFGI and "
     "SYNC after a store to an entry."},
    {"failed-operation-changes-nothing",
     "At rest, after an error return, everything is as before."},
    {"attachment-as-returned",
     "At rest, each function and PASID translates through the domain that the "
     "last successful operation gave it."},
    {"streams-resolve",
     "At rest, each stream id of a probed function leads to its master, and no "
     "other id to any."},
    {"pasid-then-ats", "The PASID enable bit changes only while ATS is off."},
    {"stu-matches-granule",
     "At rest, ATS on implies that the STU, a VF's being its PF's, is the "
     "smallest granule of the SMMU."},
    {"tags-unique", "At rest, live ASIDs are unique, and VMIDs on each SMMU."},
    {"no-leak",
     "After the end nothing is left: no allocation, no stream, no ATS or PASID "
     "that is on."},
    {"lock-discipline",
     "Locks that are declared to be held are; locks are taken in one order; "
     "nothing sleeps in atomic context."},
    {"progress", "Every operation ends."},
    {"data-race",
     "Of two accesses of which one is plain and one writes, something orders "
     "which comes first."},
}};

}  // namespace

absl::string_view InvariantName(Invariant invariant) {
  return kDescriptions[static_cast<size_t>(invariant)].name;
}

absl::string_view InvariantStatement(Invariant invariant) {
  return kDescriptions[static_cast<size_t>(invariant)].statement;
}

std::optional<Invariant> InvariantByName(absl::string_view name) {
  for (size_t i = 0; i < kDescriptions.size(); ++i) {
    if (kDescriptions[i].name == name) return static_cast<Invariant>(i);
  }
  return std::nullopt;
}

}  // namespace atsfuzz::properties
