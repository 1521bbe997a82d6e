#include "model/machine/recorder.h"

#include <algorithm>

#include "model/address.h"

namespace atsfuzz::machine {
namespace {

enum Opcode : uint64_t {
  kOpPrefetch = 0x01,
  kOpCfgiSte = 0x03,
  kOpCfgiCd = 0x05,
  kOpTlbiNhAll = 0x10,
  kOpTlbiNhAsid = 0x11,
  kOpTlbiNhVa = 0x12,
  kOpTlbiS12VmAll = 0x28,
  kOpTlbiS2Ipa = 0x2a,
  kOpAtcInv = 0x40,
  kOpSync = 0x46,
};
constexpr uint64_t kLeaf = 1;
constexpr uint64_t kSubstreamValid = 1u << 11;
constexpr uint64_t kAtcInvAll = 52;
constexpr uint64_t kNowhere = ~uint64_t{0};
// What a page of a default domain was: no map operation gives it out.
constexpr uint64_t kStalePhysical = uint64_t{0xffff} << 32;

}  // namespace

Recorder::Recorder(const model::Topology& topology, const Machine& machine,
                   const State& state)
    : topology_(topology), machine_(machine), state_(state) {}

void Recorder::Mapped(int slot, int page, int pages, uint64_t physical) {
  const int smmu = machine_.board().domains[slot].smmu;
  const int shift = machine_.board().smmus[smmu].page_shift;
  for (int i = 0; i < pages; ++i) {
    uint64_t& is = physical_[slot][page + i];
    former_[slot][page + i] = is;
    is = physical + (static_cast<uint64_t>(i) << shift);
  }
}

atsfuzz_event& Recorder::Add(uint16_t kind) {
  atsfuzz_event event = {};
  event.kind = kind;
  event.smmu = event.function = ATSFUZZ_NONE;
  event.thread = thread_;
  event.stack = static_cast<uint32_t>(step_) + 1;
  event.kernel_function = KernelFunction(step_).data();
  events_.push_back(event);
  return events_.back();
}

void Recorder::Stopped(Step step) {
  SetStep(step);
  Add(ATSFUZZ_EVENT_STOP);
}

void Recorder::Allocation(model::AllocSite site, unsigned number, bool failed) {
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_ALLOC);
  event.a = 64;
  event.b = number;
  event.c = static_cast<uint64_t>(site) | (failed ? 0x100 : 0);
}

void Recorder::Warn(const char* kernel_function, const char* text) {
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_WARN);
  event.kernel_function = kernel_function;
  event.text = text;
}

void Recorder::MemoryError(const char* text, bool died) {
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_MEMORY_ERROR);
  event.text = text;
  event.a = died;
}

void Recorder::PciReturn(int function, const char* call, int result) {
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_PCI_RETURN);
  event.function = static_cast<uint8_t>(function);
  event.text = call;
  event.a = static_cast<uint64_t>(static_cast<int64_t>(result));
}

void Recorder::ConfigWrite(int function, bool is_ats, uint16_t before,
                           uint16_t value, bool lost) {
  atsfuzz_event& event =
      Add(lost ? ATSFUZZ_EVENT_CONFIG_WRITE_LOST : ATSFUZZ_EVENT_CONFIG_WRITE);
  event.function = static_cast<uint8_t>(function);
  event.a = is_ats ? ATSFUZZ_CONFIG_ATS_CONTROL : ATSFUZZ_CONFIG_PASID_CONTROL;
  event.b = before;
  event.c = value;
}

void Recorder::Command(int smmu, uint64_t word0, uint64_t word1) {
  atsfuzz_event& event =
      Add(holds_ ? ATSFUZZ_EVENT_COMMAND_HELD : ATSFUZZ_EVENT_COMMAND);
  event.smmu = static_cast<uint8_t>(smmu);
  event.a = word0;
  event.b = word1;
  if (holds_) held_[smmu].push_back(event);
}

void Recorder::Hold(bool holds) { holds_ = holds; }

void Recorder::Resume(int smmu, bool unanswered) {
  atsfuzz_event& resumed = Add(ATSFUZZ_EVENT_QUEUE_RESUMED);
  resumed.smmu = static_cast<uint8_t>(smmu);
  resumed.a = held_[smmu].size();
  for (const atsfuzz_event& event : held_[smmu]) {
    if (unanswered && (event.a & 0xff) == kOpSync) AtcTimeout(smmu);
    Command(smmu, event.a, event.b);
  }
  held_[smmu].clear();
}

void Recorder::AtcTimeout(int smmu) {
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_ATC_TIMEOUT);
  event.smmu = static_cast<uint8_t>(smmu);
  event.a = kOpSync | uint64_t{2} << 12;
}

void Recorder::ReadFirstEntry(int stream) {
  if (ste_read_[stream] || state_.ste[stream].config == Config::kNotCached) {
    return;
  }
  ste_read_[stream] = true;
  ste_[stream] = EncodeSte(machine_.board(), state_, state_.ste[stream]);
}

void Recorder::SteUpdate(int stream, const Ste& /*before*/, const Ste& after) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  EntryUpdate update{
      .used = SteBitsUsed,
      .safe_eats = machine_.design().attach == Attach::kArrays,
      .write =
          [&](int word, uint64_t old_value, uint64_t new_value) {
            atsfuzz_event& event = Add(ATSFUZZ_EVENT_STE_WRITE);
            event.smmu = fixed.smmu;
            event.stream = fixed.id;
            event.a = static_cast<uint64_t>(word);
            event.b = old_value;
            event.c = new_value;
          },
      .sync =
          [&] {
            Command(fixed.smmu, kOpCfgiSte | uint64_t{fixed.id} << 32, kLeaf);
            Sync(fixed.smmu);
          }};
  ReadFirstEntry(stream);
  Words target = EncodeSte(machine_.board(), state_, after);
  if (machine_.design().attach == Attach::kOnePhase) {
    // arm_smmu_write_strtab_ent: to a translation, word 0 comes last and alone.
    if (after.config >= Config::kStage1) {
      WriteWords(stream, target, 1, 8);
      update.sync();
      WriteWords(stream, target, 0, 1);
    } else {
      WriteWords(stream, target, 0, 8);
    }
    update.sync();
    return;
  }
  if (after.config == Config::kInvalid) {
    target = ste_[stream];
    target[0] = 0;
    update.write(0, ste_[stream][0], 0);
    update.sync();
    ste_[stream] = target;
    return;
  }
  update.Run(ste_[stream], target);
}

void Recorder::WriteWords(int stream, const Words& target, int first, int end) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  for (int word = first; word < end; ++word) {
    if (ste_[stream][word] == target[word]) continue;
    atsfuzz_event& event = Add(ATSFUZZ_EVENT_STE_WRITE);
    event.smmu = fixed.smmu;
    event.stream = fixed.id;
    event.a = static_cast<uint64_t>(word);
    event.b = ste_[stream][word];
    event.c = target[word];
    ste_[stream][word] = target[word];
  }
}

void Recorder::CdUpdate(int function, int ssid, uint8_t /*before*/,
                        uint8_t after) {
  const EntryUpdate update{
      .used = CdBitsUsed,
      .write =
          [&](int word, uint64_t old_value, uint64_t new_value) {
            atsfuzz_event& event = Add(ATSFUZZ_EVENT_CD_WRITE);
            event.function = static_cast<uint8_t>(function);
            event.stream = static_cast<uint32_t>(ssid);
            event.a = static_cast<uint64_t>(word);
            event.b = old_value;
            event.c = new_value;
          },
      .sync =
          [&] {
            const Board::Function& fixed = machine_.board().functions[function];
            for (int s = 0; s < fixed.streams; ++s) {
              CfgiCd(fixed.stream[s], ssid, true);
            }
            Sync(fixed.smmu);
          }};
  update.Run(cd_[function][ssid], EncodeCd(state_, after));
}

void Recorder::Prefetch(int stream) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  Command(fixed.smmu, kOpPrefetch | uint64_t{fixed.id} << 32, 0);
}

void Recorder::CfgiCd(int stream, int ssid, bool leaf) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  Command(
      fixed.smmu,
      kOpCfgiCd | static_cast<uint64_t>(ssid) << 12 | uint64_t{fixed.id} << 32,
      leaf ? kLeaf : 0);
}

void Recorder::Tlbi(int slot, unsigned pages, bool whole) {
  const Space& domain = SpaceAt(state_, slot);
  const uint64_t tag = uint64_t{domain.tag} << (domain.stage2 ? 32 : 48);
  if (whole) {
    Command(domain.smmu,
            (domain.stage2 ? kOpTlbiS12VmAll : kOpTlbiNhAsid) | tag, 0);
    return;
  }
  for (int page = 0; page < kPages; ++page) {
    if ((pages >> page & 1) == 0) continue;
    Command(domain.smmu, (domain.stage2 ? kOpTlbiS2Ipa : kOpTlbiNhVa) | tag,
            Iova(domain.smmu, page) | kLeaf);
  }
}

void Recorder::TlbiGuest(int slot) {
  const Domain& domain = state_.domains[slot];
  Command(domain.smmu, kOpTlbiNhAll | uint64_t{domain.tag} << 32, 0);
}

void Recorder::AtcInv(int stream, int ssid, unsigned pages, bool whole) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  uint64_t word0 = kOpAtcInv | uint64_t{fixed.id} << 32;
  if (ssid != 0) word0 |= kSubstreamValid | static_cast<uint64_t>(ssid) << 12;
  if (whole) {
    Command(fixed.smmu, word0, kAtcInvAll);
    return;
  }
  const int shift = machine_.board().smmus[fixed.smmu].page_shift;
  const int first = __builtin_ctz(pages), last = 31 - __builtin_clz(pages);
  const uint64_t start = Iova(fixed.smmu, first) >> 12;
  const uint64_t end =
      (Iova(fixed.smmu, last) + (uint64_t{1} << shift) - 1) >> 12;
  const uint64_t log2 =
      start == end ? 0
                   : 64 - static_cast<uint64_t>(__builtin_clzll(start ^ end));
  Command(fixed.smmu, word0, (start >> log2 << log2 << 12) | log2);
}

void Recorder::Sync(int smmu) { Command(smmu, kOpSync | uint64_t{2} << 12, 0); }

void Recorder::SmmuFault(int function, int stream, int ssid, int fault,
                         int page) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_SMMU_FAULT);
  event.smmu = fixed.smmu;
  event.function = static_cast<uint8_t>(function);
  event.stream = fixed.id;
  event.a = static_cast<uint64_t>(fault);
  event.pasid = static_cast<uint32_t>(ssid);
  event.b = Iova(fixed.smmu, page);
}

void Recorder::AtcFill(int function, int stream, int ssid, int page,
                       uint8_t entry) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_ATC_FILL);
  event.smmu = fixed.smmu;
  event.function = static_cast<uint8_t>(function);
  event.stream = fixed.id;
  event.pasid = static_cast<uint32_t>(ssid);
  event.a = Iova(fixed.smmu, page);
  event.b = Target(fixed.smmu, page, entry);
  const uint8_t owner = machine_.board().functions[function].pf;
  event.c = AtcUnit(function, state_.functions[owner].stu <= 12);
}

void Recorder::Access(int function, int stream, int ssid, int page, int result,
                      uint8_t entry) {
  const Board::Stream& fixed = machine_.board().streams[stream];
  atsfuzz_event& event = Add(ATSFUZZ_EVENT_DMA);
  event.smmu = fixed.smmu;
  event.function = static_cast<uint8_t>(function);
  event.stream = fixed.id;
  event.pasid = static_cast<uint32_t>(ssid);
  event.a = Iova(fixed.smmu, page);
  event.b = Target(fixed.smmu, page, entry);
  event.c = static_cast<uint64_t>(result);
}

uint64_t Recorder::Iova(int smmu, int page) const {
  return model::IovaOf(topology_.smmus[smmu], static_cast<uint16_t>(page));
}

uint64_t Recorder::AtcUnit(int f, bool small) const {
  const Board::Function& fixed = machine_.board().functions[f];
  const Board::Function& pf = machine_.board().functions[fixed.pf];
  const int stu = small || pf.smmu == ATSFUZZ_NONE
                      ? 12
                      : machine_.board().smmus[pf.smmu].page_shift;
  const int page_shift = machine_.board().smmus[fixed.smmu].page_shift;
  return uint64_t{1} << std::min(stu, page_shift);
}

uint64_t Recorder::Target(int smmu, int page, uint8_t entry) const {
  switch (entry) {
    case kAtcEmpty:
      return kNowhere;
    case kAtcIdentity:
      return Iova(smmu, page);
    case kAtcStale:
      return kStalePhysical + Iova(smmu, page);
    default:
      break;
  }
  if (entry < kAtcIdentity) return physical_[entry - kAtcFromSlot][page];
  // Where a page was, it is until it is mapped again. What a queued unmap has
  // left is no stale entry until the flush.
  const int slot = entry - kAtcStaleFromSlot;
  const Domain& domain = state_.domains[slot];
  const bool again = ((domain.mapped | domain.unflushed) >> page & 1) != 0;
  return again ? former_[slot][page] : physical_[slot][page];
}

}  // namespace atsfuzz::machine
