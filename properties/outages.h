#ifndef ATSFUZZ_PROPERTIES_OUTAGES_H_
#define ATSFUZZ_PROPERTIES_OUTAGES_H_

#include <array>
#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "model/limits.h"
#include "model/observation.h"
#include "properties/command.h"
#include "properties/machine.h"

// What the faults `cmd-sync` and `atc-timeout` excuse, and nothing beyond it.
//
// cmd-sync. Commands that a stalled SMMU holds back have had no effect. From
// the stall until the SMMU goes on (with the next command that the driver gives
// it),
//   - an IOTLB entry that a held TLBI names may be stale (no-stale-iotlb), and
//     an access may be translated by it (no-dma-after-unmap);
//   - an ATC entry that a held ATC_INV names may be stale (no-stale-atc), and
//     an access may be translated by it;
//   - traffic of a stream and SSID that a held CFGI names may follow the entry
//     of before: it may reach what that led to, and be refused with an event
//     (commands-in-order).
// The driver is judged by the commands when it gives them to the queue:
// commands-in-order and invalidations-exact hold as ever, the commands held
// included.
//
// atc-timeout. An ATC entry that was there when an unanswered ATC_INV named it
// may stay (no-stale-atc) and translate accesses (no-dma-after-unmap) if, when
// that operation has returned, it is stale, or its function's ATS is off, so
// that nobody will invalidate it again. That ends when the entry is gone: by a
// later invalidation that is answered, by enabling ATS, by a reset. A later
// translation of the same address is not excused.
//
// Every other invariant holds as without faults.
namespace atsfuzz::properties {

class Outages {
 public:
  // Before the events of a step.
  void BeginStep();
  // Each event, in order. True for a COMMAND that was held back and has been
  // judged when it was given to the queue.
  bool OnEvent(const atsfuzz_event& event, int index);
  // After the events of a step, which were these.
  void EndStep(std::span<const atsfuzz_event> events,
               const atsfuzz_observation& after, const Machine& machine);

  // A held TLBI names the entry.
  bool HoldsTlbi(const atsfuzz_iotlb_entry& entry) const;
  // A held CFGI concerns the stream's traffic with `pasid` (0: without).
  bool HoldsConfig(int smmu, uint32_t stream, uint32_t pasid) const;
  // A held ATC_INV names the entry of stream id `stream`.
  bool HoldsAtcInv(int smmu, uint32_t stream,
                   const atsfuzz_atc_entry& entry) const;

  // REQUIRES: the entry is stale. True if an unanswered ATC_INV of this step
  // named it, or one of an earlier step did and it was stale then, or out of
  // reach; remembered.
  bool ExcusesAtc(int smmu, uint32_t stream, const atsfuzz_atc_entry& entry);
  // An access translated by the ATC used an entry that is excused.
  bool ExcusesHit(const atsfuzz_event& dma, int smmu,
                  std::span<const atsfuzz_atc_entry> atc,
                  const Machine& machine) const;

 private:
  struct Unanswered {
    int smmu;
    int event;  // the ATC_TIMEOUT
    AtcInvalidation inv;
  };
  struct Command {
    uint64_t word0, word1;
  };
  bool IsUnanswered(std::span<const atsfuzz_event> events,
                    const Machine& machine,
                    const atsfuzz_atc_entry& entry) const;

  // By SMMU: what it holds back, oldest first; how many of its next commands
  // were held; the ATC_INVs that it has taken since its last CMD_SYNC.
  std::array<std::deque<Command>, ATSFUZZ_MAX_SMMUS> held_;
  std::array<uint64_t, ATSFUZZ_MAX_SMMUS> late_{};
  std::array<std::vector<AtcInvalidation>, ATSFUZZ_MAX_SMMUS> outstanding_;
  std::vector<Unanswered> unanswered_;  // of this step
  // Entries that an unanswered ATC_INV of this step named, and those that are
  // excused.
  std::vector<atsfuzz_atc_entry> named_, kept_;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_OUTAGES_H_
