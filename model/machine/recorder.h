#ifndef ATSFUZZ_MODEL_MACHINE_RECORDER_H_
#define ATSFUZZ_MODEL_MACHINE_RECORDER_H_

#include <array>
#include <cstdint>
#include <vector>

#include "model/machine/entry.h"
#include "model/machine/log.h"
#include "model/machine/machine.h"
#include "model/observation.h"
#include "model/topology.h"

namespace atsfuzz::machine {

// Writes down what happens on a machine as the events and the observation of
// model/observation.h: commands and entries as the words that an SMMU would
// see, pages as addresses.
class Recorder : public Log {
 public:
  Recorder(const model::Topology& topology, const Machine& machine,
           const State& state);

  // Forgets the events so far; those that follow are of `step`, and of a thread
  // of a block, from 1 on.
  void Clear() {
    events_.clear();
    thread_ = 0;
  }
  void SetStep(Step step) { step_ = step; }
  // The thread has stopped before `step`.
  void Stopped(Step step);
  void SetThread(int thread) { thread_ = static_cast<uint8_t>(thread); }
  // A map operation put page `page + i` of a slot to physical + i pages.
  void Mapped(int slot, int page, int pages, uint64_t physical);

  const std::vector<atsfuzz_event>& events() const { return events_; }
  // Of the state now. Valid until the next call.
  const atsfuzz_observation& Observe();

  void Allocation(model::AllocSite site, unsigned number, bool failed) override;
  void Warn(const char* kernel_function, const char* text) override;
  void MemoryError(const char* text, bool died) override;
  void PciReturn(int function, const char* call, int result) override;
  void ConfigWrite(int function, bool is_ats, uint16_t before, uint16_t value,
                   bool lost) override;
  void SteUpdate(int stream, const Ste& before, const Ste& after) override;
  void CdUpdate(int function, int ssid, uint8_t before, uint8_t after) override;
  void Prefetch(int stream) override;
  void CfgiCd(int stream, int ssid, bool leaf) override;
  void Tlbi(int slot, unsigned pages, bool whole) override;
  void TlbiGuest(int slot) override;
  void AtcInv(int stream, int ssid, unsigned pages, bool whole) override;
  void Sync(int smmu) override;
  void Hold(bool holds) override;
  void Resume(int smmu, bool unanswered) override;
  void AtcTimeout(int smmu) override;
  void SmmuFault(int function, int stream, int ssid, int fault,
                 int page) override;
  void AtcFill(int function, int stream, int ssid, int page,
               uint8_t entry) override;
  void Access(int function, int stream, int ssid, int page, int result,
              uint8_t entry) override;

 private:
  atsfuzz_event& Add(uint16_t kind);
  void Command(int smmu, uint64_t word0, uint64_t word1);
  uint64_t Iova(int smmu, int page) const;
  // A fresh stream table holds what the driver's first entries say.
  void ReadFirstEntry(int stream);
  // Stores words of an entry that differ from `target`; `end` not included.
  void WriteWords(int stream, const Words& target, int first, int end);
  // Bytes that an answer to a function's translation request covers: a page, or
  // less if its STU register said so; `small`: the register was 12.
  uint64_t AtcUnit(int f, bool small) const;
  // Where an entry of an ATC leads.
  uint64_t Target(int smmu, int page, uint8_t entry) const;
  void ObserveFunction(int f);
  void ObserveStream(int f, int s);
  void ObserveDomain(int slot);
  void ObserveArray(int slot, atsfuzz_domain& out);
  void ObserveAtc();
  void ObserveIotlb();

  const model::Topology& topology_;
  const Machine& machine_;
  const State& state_;
  Step step_ = Step::kDone;
  uint8_t thread_ = 0;
  std::vector<atsfuzz_event> events_;
  bool holds_ = false;
  std::array<std::vector<atsfuzz_event>, kSmmus> held_;
  std::array<Words, kStreams> ste_{};
  std::array<bool, kStreams> ste_read_{};
  std::array<std::array<Words, kSsids>, kFunctions> cd_{};
  // Where pages were mapped to last, and before that.
  std::array<std::array<uint64_t, kPages>, kSlots> physical_{}, former_{};
  atsfuzz_observation observation_{};
  std::vector<atsfuzz_atc_entry> atc_;
  std::vector<atsfuzz_iotlb_entry> iotlb_;
  std::vector<atsfuzz_inv> invs_;
};

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_RECORDER_H_
