#include "properties/command_order.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "properties/fault.h"

namespace atsfuzz::properties {
namespace {

using model::OperationKind;

// Subjects: one number space for each kind of complaint.
enum Complaint : uint64_t {
  kAtcBeforeSync = 1 << 16,
  kAtcBeforeTlbi = 2 << 16,
  kNoSync = 3 << 16,
  kIllegal = 4 << 16,
  kEarlyStore = 5 << 16,
  kNoCfgi = 6 << 16,
  kFault = 7 << 16,
};

struct Words {
  std::string message;
  const char *expected, *found, *aspect;
};

void Report(const StepView& step, uint64_t subject, int event, model::Fact fact,
            Words words) {
  Violation* v = step.findings.Report(Invariant::kCommandsInOrder, subject);
  if (v == nullptr) return;
  v->message = std::move(words.message);
  v->expected = words.expected;
  v->found = words.found;
  v->event = event;
  v->subject = fact;
  v->aspect = words.aspect;
}

std::string EntryName(const StepView& step, bool is_ste, int f, uint64_t slot) {
  return is_ste ? absl::StrCat("the stream table entry of ",
                               step.StreamName(static_cast<int>(slot)))
         : slot >> 32 != 0
             ? absl::StrCat("the context descriptor of ", step.FunctionName(f),
                            "'s PASID ", slot >> 32)
             : absl::StrCat("the context descriptor of ", step.FunctionName(f));
}

uint64_t PasidSubject(int f, uint32_t pasid) {
  return uint64_t{pasid} << 32 | static_cast<uint32_t>(f);
}

constexpr uint64_t kCdValid = uint64_t{1} << 31;

// True if the stream's owner has the operation's page mapped.
bool IsMapped(const StepView& step, StreamSlot slot, uint32_t pasid) {
  const int owner = step.OwnerOf(slot);
  const int domain = owner < 0 ? -1 : step.DomainSlotOf(owner, pasid);
  if (domain < 0 || domain >= step.machine.domains()) return false;
  return step.Domain(step.machine.CountedBy(domain))
             .Find(step.operation->page) != nullptr;
}

// The SMMU has no context descriptor for a PASID that is not attached, or has
// no longer, or not yet: only a request from the midst of the operation that
// changes it may come upon that.
bool LacksPasid(const StepView& step, StreamSlot slot, uint32_t pasid) {
  if (pasid == 0) return false;
  const int owner = step.OwnerOf(slot);
  return owner < 0 || step.DomainSlotOf(owner, pasid) < 0 ||
         !step.Is(OperationKind::kDma);
}

}  // namespace

uint8_t CommandOrder::AllStreams(const StepView& step, int f) const {
  return static_cast<uint8_t>((1u << step.machine.Streams(f)) - 1);
}

void CommandOrder::Begin() {
  tlbi_.fill(-1);
  other_.fill(-1);
  tlbi_synced_ = false;
}

void CommandOrder::OnCommand(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const int smmu = event.smmu;
  if (smmu >= ATSFUZZ_MAX_SMMUS) return;
  const uint8_t opcode = OpcodeOf(event.a);
  if (opcode == kCmdSync) {
    OnSync(step, smmu);
  } else if (IsTlbi(opcode)) {
    if (tlbi_[smmu] < 0) tlbi_[smmu] = index;
  } else if (opcode == kAtcInv) {
    const bool of_pages =
        step.Is(OperationKind::kMap) || step.Is(OperationKind::kUnmap) ||
        step.Is(OperationKind::kFlush) || step.Is(OperationKind::kExit);
    if (tlbi_[smmu] >= 0) {
      Report(step, kAtcBeforeSync | smmu, index, {},
             {"An ATC_INV follows a TLBI without a CMD_SYNC between them: the "
              "ATC may refill from the stale IOTLB entry.",
              "TLBI, CMD_SYNC, ATC_INV, CMD_SYNC", "TLBI, ATC_INV",
              "ATC_INV before CMD_SYNC"});
    } else if (of_pages && !tlbi_synced_) {
      Report(step, kAtcBeforeTlbi | smmu, index, {},
             {"An ATC_INV comes before the TLBI of its sync: the ATC may "
              "refill from the stale IOTLB entry.",
              "TLBI, CMD_SYNC, ATC_INV, CMD_SYNC", "ATC_INV first",
              "ATC_INV before TLBI"});
    }
    if (other_[smmu] < 0) other_[smmu] = index;
  } else if (opcode >= kCfgiSte && opcode <= kCfgiCdAll) {
    if (other_[smmu] < 0) other_[smmu] = index;
    if (any_pending_) OnCfgi(step, event);
  }
}

void CommandOrder::OnIllegalCommand(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  Violation* v = step.findings.Report(Invariant::kCommandsInOrder,
                                      kIllegal | OpcodeOf(event.a));
  if (v == nullptr) return;
  v->message = absl::StrCat("The SMMU refused command 0x", absl::Hex(event.a),
                            " 0x", absl::Hex(event.b), " as illegal.");
  v->expected = "CERROR_NONE";
  v->found = "CERROR_ILL";
  v->event = index;
  v->aspect = "illegal command";
}

void CommandOrder::OnCfgi(const StepView& step, const atsfuzz_event& event) {
  const ConfigInvalidation cfgi = DecodeConfigInvalidation(event.a, event.b);
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.machine.SmmuOf(f) != event.smmu) continue;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      const StreamSlot slot = SlotOf(f, s);
      if (!cfgi.Covers(step.machine.StreamId(slot))) continue;
      if (cfgi.ste) ste_[slot].uncached = 1;
      const auto bit = static_cast<uint8_t>(1u << s);
      if (cfgi.every_ssid || cfgi.ssid == 0) cd_[f].uncached |= bit;
      if (!any_pasid_cd_) continue;
      for (PasidCd& cd : pasid_cd_[f]) {
        if (cfgi.every_ssid || cfgi.ssid == cd.pasid)
          cd.pending.uncached |= bit;
      }
    }
  }
}

void CommandOrder::OnSync(const StepView& step, int smmu) {
  if (tlbi_[smmu] >= 0) tlbi_synced_ = true;
  tlbi_[smmu] = other_[smmu] = -1;
  if (!any_pending_) return;
  any_pending_ = false;
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (step.machine.SmmuOf(f) == ATSFUZZ_NONE) continue;
    const bool mine = step.machine.SmmuOf(f) == smmu;
    if (mine && cd_[f].uncached == AllStreams(step, f)) cd_[f] = {};
    any_pending_ |= cd_[f].written >= 0;
    if (any_pasid_cd_) {
      for (PasidCd& cd : pasid_cd_[f]) {
        if (mine && cd.pending.uncached == AllStreams(step, f)) cd.pending = {};
        any_pending_ |= cd.pending.written >= 0;
      }
    }
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      Pending& ste = ste_[SlotOf(f, s)];
      if (mine && ste.uncached != 0) ste = {};
      any_pending_ |= ste.written >= 0;
    }
  }
}

void CommandOrder::OnStore(const StepView& step, int index, Pending& pending,
                           bool in_use, uint64_t subject, model::Fact fact,
                           bool is_ste, int f) {
  if (pending.written >= 0 && (in_use || pending.in_use)) {
    Report(step, kEarlyStore | (is_ste ? 0 : 0x100) | subject, index, fact,
           {absl::StrCat("A store to ", EntryName(step, is_ste, f, subject),
                         " comes before the CFGI and CMD_SYNC of the store "
                         "that it depends on: the SMMU may see a mixture."),
            "store, CFGI, CMD_SYNC, store", "store, store",
            is_ste ? "STE store before sync" : "CD store before sync"});
  }
  pending.written = index;
  pending.in_use |= in_use;
  pending.uncached = 0;
  any_pending_ = true;
}

void CommandOrder::OnSteWrite(const StepView& step, const Replay& replay,
                              int index) {
  const atsfuzz_event& event = step.events[index];
  const StreamSlot slot = step.machine.Find(event.smmu, event.stream);
  if (slot < 0 || event.a > 7 || event.b == event.c) return;
  Entry now = replay.ste[slot];
  now[event.a] = event.b;
  const uint64_t used = SteBitsInUse(now, static_cast<int>(event.a));
  OnStore(step, index, ste_[slot], ((event.b ^ event.c) & used) != 0, slot,
          {model::Fact::kSte, static_cast<uint8_t>(slot)}, true,
          FunctionOf(slot));
}

void CommandOrder::OnCdWrite(const StepView& step, const Replay& replay,
                             int index) {
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  if (f >= step.machine.functions() || event.a > 7 || event.b == event.c) {
    return;
  }
  if (event.stream != 0) return OnPasidCdWrite(step, index);
  Entry now = replay.cd[f];
  now[event.a] = event.b;
  const uint64_t used = CdBitsInUse(now, static_cast<int>(event.a));
  OnStore(step, index, cd_[f], ((event.b ^ event.c) & used) != 0, f, {}, false,
          f);
}

CommandOrder::PasidCd* CommandOrder::FindPasidCd(const StepView& step, int f,
                                                 uint32_t pasid) {
  for (PasidCd& cd : pasid_cd_[f]) {
    if (cd.pasid == pasid) return &cd;
    if (cd.pasid != 0) continue;
    cd = {.pasid = pasid};
    const atsfuzz_function& before = step.before.functions[f];
    for (int i = 0; i < before.substream_count; ++i) {
      if (before.substreams[i].pasid == pasid) cd.word0 = kCdValid;
    }
    any_pasid_cd_ = true;
    return &cd;
  }
  return nullptr;
}

// An observation says of a PASID's CD only whether it is valid. That is enough:
// which bits are in use depends on word 0, and EPD0 is SVA's.
void CommandOrder::OnPasidCdWrite(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  const int f = event.function;
  PasidCd* cd = FindPasidCd(step, f, event.stream);
  if (cd == nullptr) return;
  Entry now = {cd->word0};
  now[event.a] = event.b;
  const uint64_t used = CdBitsInUse(now, static_cast<int>(event.a));
  if (event.a == 0) cd->word0 = event.c;
  OnStore(step, index, cd->pending, ((event.b ^ event.c) & used) != 0,
          PasidSubject(f, event.stream), {}, false, f);
}

bool CommandOrder::IsOwn(const StepView& step, const Replay& replay,
                         const atsfuzz_event& event) const {
  const StreamSlot slot = step.machine.Find(event.smmu, event.stream);
  if (slot < 0) return false;
  const bool access = step.Is(OperationKind::kDma);
  const atsfuzz_stream& before =
      step.before.functions[FunctionOf(slot)].streams[StreamOf(slot)];
  const atsfuzz_stream& after =
      step.after.functions[FunctionOf(slot)].streams[StreamOf(slot)];
  switch (event.a) {
    case kTranslation:
      return access && !IsMapped(step, slot, event.pasid);
    case kBadSubstreamId:
      return LacksPasid(step, slot, event.pasid);
    case kBadStreamId:
      return access && before.route == ATSFUZZ_ROUTE_NO_TABLE;
    case kStreamDisabled:
      return before.route == ATSFUZZ_ROUTE_S1DSS_TERMINATE ||
             after.route == ATSFUZZ_ROUTE_S1DSS_TERMINATE;
    case kBadSte:
      return !access && !IsValid(replay.ste[slot]);
    case kBadCd: {
      if (event.pasid != 0) return LacksPasid(step, slot, event.pasid);
      const int owner = step.OwnerOf(slot);
      return !access &&
             !CdIsValid(replay.cd[owner < 0 ? FunctionOf(slot) : owner]);
    }
    default:
      return false;
  }
}

void CommandOrder::OnFault(const StepView& step, const Replay& replay,
                           int index) {
  const atsfuzz_event& event = step.events[index];
  if (IsOwn(step, replay, event)) return;
  if (step.outages != nullptr &&
      step.outages->HoldsConfig(event.smmu, event.stream, event.pasid)) {
    return;
  }
  Violation* v = step.findings.Report(
      Invariant::kCommandsInOrder, kFault | event.a << 8 | event.stream << 20);
  if (v == nullptr) return;
  const StreamSlot slot = step.machine.Find(event.smmu, event.stream);
  v->message = absl::StrCat(
      "The SMMU recorded ", FaultName(event.a), " (0x", absl::Hex(event.a),
      ") against ",
      slot < 0 ? absl::StrCat("stream 0x", absl::Hex(event.stream))
               : step.StreamName(slot),
      " at IOVA 0x", absl::Hex(event.b), ": the device did nothing wrong.");
  v->expected = "no event";
  v->found = FaultName(event.a);
  v->event = index;
  if (slot >= 0) v->subject = {model::Fact::kSte, static_cast<uint8_t>(slot)};
  v->aspect = slot < 0 ? FaultName(event.a)
                       : step.Aspect(FunctionOf(slot), FaultName(event.a));
}

void CommandOrder::PasidsAtRest(const StepView& step, int f) {
  for (PasidCd& cd : pasid_cd_[f]) {
    if (cd.pending.written >= 0) {
      const uint64_t subject = PasidSubject(f, cd.pasid);
      Report(step, kNoCfgi | 0x100 | subject, cd.pending.written, {},
             {absl::StrCat("The operation returned before CFGI and CMD_SYNC "
                           "told the SMMU of a store to ",
                           EntryName(step, false, f, subject), "."),
              "store, CFGI, CMD_SYNC", "store", "no CFGI of a CD"});
    }
    cd = {};
  }
}

void CommandOrder::AtRest(const StepView& step) {
  for (int smmu = 0; smmu < ATSFUZZ_MAX_SMMUS; ++smmu) {
    const int index = tlbi_[smmu] >= 0 ? tlbi_[smmu] : other_[smmu];
    if (index < 0) continue;
    Report(step, kNoSync | smmu, index, {},
           {"The operation returned before a CMD_SYNC completed its last "
            "invalidation.",
            "CMD_SYNC", "none", "no CMD_SYNC"});
  }
  if (any_pasid_cd_) {
    for (int f = 0; f < step.machine.functions(); ++f) PasidsAtRest(step, f);
    any_pasid_cd_ = false;
  }
  if (!any_pending_) return;
  any_pending_ = false;
  for (int f = 0; f < step.machine.functions(); ++f) {
    for (int s = 0; s <= step.machine.Streams(f); ++s) {
      // The function's streams, then its CD.
      const bool is_ste = s < step.machine.Streams(f);
      Pending& pending = is_ste ? ste_[SlotOf(f, s)] : cd_[f];
      if (pending.written >= 0) {
        const uint64_t subject = is_ste ? SlotOf(f, s) : f;
        const model::Fact fact =
            is_ste
                ? model::Fact{model::Fact::kSte, static_cast<uint8_t>(subject)}
                : model::Fact{};
        Report(step, kNoCfgi | (is_ste ? 0 : 0x100) | subject, pending.written,
               fact,
               {absl::StrCat("The operation returned before CFGI and CMD_SYNC "
                             "told the SMMU of a store to ",
                             EntryName(step, is_ste, f, subject), "."),
                "store, CFGI, CMD_SYNC", "store",
                is_ste ? "no CFGI of an STE" : "no CFGI of a CD"});
      }
      pending = {};
    }
  }
}

}  // namespace atsfuzz::properties
