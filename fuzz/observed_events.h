#ifndef ATSFUZZ_FUZZ_OBSERVED_EVENTS_H_
#define ATSFUZZ_FUZZ_OBSERVED_EVENTS_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fuzz/observed.h"

// What happened during an operation, in terms that mean the same on every
// system.
namespace atsfuzz::fuzz {

struct ObservedEvents {
  // Config writes and commands in their order. subject[0] is the position: all
  // commands between two CMD_SYNCs have the same one, because the SMMU may
  // reorder them, and they are sorted and said once. Neighbouring groups that
  // hold only configuration invalidations, only TLBIs or only ATC_INVs are one
  // group: how such commands are batched is nobody's business. Within a group
  // the ranges of one tag or one ATC are one union: into how many commands a
  // range was split does not show.
  Observations sequence;
  // Device accesses, SMMU faults (each once), timeouts, prefetches: sorted.
  Observations others;
  // The kernel functions that warned, sorted; "" for one that is not named.
  std::vector<std::string> warnings;
  int first_warning = -1;  // event
  // BUG or memory error: the first event of that kind.
  int death = -1;
  // Events were lost: nothing of this can be compared.
  bool overflow = false;

  void Clear();
};

// Reads the events of an operation. `owners` has been told of its end.
void AppendEvents(const model::Contract& contract, const TagOwners& owners,
                  std::span<const atsfuzz_event> events, ObservedEvents* out);

// A CFGI_CD of SSID 0.
bool IsCfgiOfCd0(const Observed& observed);

// An element of a sequence for people: "CFGI_STE 0x100", "TLBI d0
// 0x40000000+0x1000", "v0 ATS control: on, STU 12".
std::string OrderedText(const model::Topology& topology,
                        const Observed& observed);

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_OBSERVED_EVENTS_H_
