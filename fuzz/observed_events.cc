#include "fuzz/observed_events.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "properties/command.h"

namespace atsfuzz::fuzz {
namespace {

using model::Topology;

// What a command does; subject[1] of a kCommand is this << 8 | SMMU.
enum CommandType : uint8_t {
  kForgetSte,  // subject[2], [3]: first and last stream
  kForgetCd,   // subject[2], [3]: stream, SSID or kEverySsid
  kTlbi,       // subject[2]: stage << 8 | domain slot
  kAtcInv,     // subject[2], [3]: stream, SSID | kWithPasid
  kOther,      // subject[2]: the opcode; refused ones included
};
constexpr uint64_t kEverySsid = ~uint64_t{0};
constexpr uint64_t kWithPasid = uint64_t{1} << 32;
// Stage 1 of every ASID under one VMID: what nesting leaves behind.
constexpr uint64_t kStage1OfVmid = 3;
// Values of kTlbi and kAtcInv: [start, end).
constexpr std::array<uint64_t, 2> kWhole = {0, ~uint64_t{0}};

constexpr uint64_t kAtsControlBits = 0x801f, kPasidControlBits = 1;

CommandType TypeOf(const Observed& command) {
  return static_cast<CommandType>(command.subject[1] >> 8);
}

// What one group of commands may hold to be one with its neighbour.
uint8_t BatchOf(const Observed& command) {
  switch (TypeOf(command)) {
    case kForgetSte:
    case kForgetCd:
      return 1;
    case kTlbi:
      return 2;
    case kAtcInv:
      return 4;
    default:
      return 8;
  }
}

class EventReader {
 public:
  EventReader(const model::Contract& contract, const TagOwners& owners,
              ObservedEvents* out)
      : contract_(contract), owners_(owners), out_(*out) {}

  void Read(std::span<const atsfuzz_event> events) {
    for (size_t i = 0; i < events.size(); ++i) {
      ReadOne(events[i], static_cast<int>(i));
    }
    CloseGroup();
    for (uint8_t smmu = 0; smmu < ATSFUZZ_MAX_SMMUS; ++smmu) {
      if (prefetches_[smmu] == 0) continue;
      out_.others.push_back(
          {ObservedKind::kPrefetch, {smmu}, {prefetches_[smmu]}});
    }
    std::sort(out_.others.begin(), out_.others.end());
    out_.others.erase(std::unique(out_.others.begin(), out_.others.end()),
                      out_.others.end());
    std::sort(out_.warnings.begin(), out_.warnings.end());
  }

 private:
  void ReadOne(const atsfuzz_event& event, int index) {
    switch (event.kind) {
      case ATSFUZZ_EVENT_COMMAND:
        ReadCommand(event, index);
        break;
      case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
      case ATSFUZZ_EVENT_TIMEOUT:
        out_.others.push_back({ObservedKind::kTimeout, {}, {}, {}, index});
        break;
      case ATSFUZZ_EVENT_COMMAND_HELD:
      case ATSFUZZ_EVENT_ATC_TIMEOUT:
        // How many commands a batch has is each side's affair.
        out_.others.push_back(
            {ObservedKind::kTimeout, {event.kind, event.smmu}, {}, {}, index});
        break;
      case ATSFUZZ_EVENT_CONFIG_WRITE:
      case ATSFUZZ_EVENT_CONFIG_WRITE_LOST:
        ReadConfigWrite(event, index);
        break;
      case ATSFUZZ_EVENT_WARN:
        if (event.a == 1 && out_.death < 0) out_.death = index;
        if (out_.first_warning < 0) out_.first_warning = index;
        out_.warnings.emplace_back(
            event.kernel_function == nullptr ? "" : event.kernel_function);
        break;
      case ATSFUZZ_EVENT_MEMORY_ERROR:
        if (out_.death < 0) out_.death = index;
        break;
      case ATSFUZZ_EVENT_DMA:
        ReadAccess(event, index);
        break;
      case ATSFUZZ_EVENT_SMMU_FAULT:
        out_.others.push_back({ObservedKind::kSmmuFault,
                               {event.smmu, event.a, event.stream},
                               {},
                               {},
                               index});
        break;
      case ATSFUZZ_EVENT_OVERFLOW:
        out_.overflow = true;
        break;
      default:
        break;
    }
  }

  void ReadAccess(const atsfuzz_event& event, int index) {
    std::array<uint64_t, 2> target =
        TargetOf(contract_, TagOwners::kNobody, event.a, event.b);
    target[0] |= event.c << 8;
    out_.others.push_back({ObservedKind::kDma,
                           {accesses_++, event.function, event.a},
                           target,
                           {},
                           index});
  }

  void ReadConfigWrite(const atsfuzz_event& event, int index) {
    CloseGroup();
    uint64_t meaning = 0;
    if (event.a == ATSFUZZ_CONFIG_ATS_CONTROL) {
      meaning = event.c & kAtsControlBits;
    } else if (event.a == ATSFUZZ_CONFIG_PASID_CONTROL) {
      meaning = event.c & kPasidControlBits;
    }
    out_.sequence.push_back(
        {ObservedKind::kConfigWrite,
         {position_++, event.function, event.a},
         {meaning, event.kind == ATSFUZZ_EVENT_CONFIG_WRITE_LOST},
         {},
         index});
    last_ = group_ = out_.sequence.size();
    last_batches_ = 0;
  }

  void AddCommand(CommandType type, const atsfuzz_event& event, int index,
                  uint64_t a, uint64_t b, std::array<uint64_t, 2> value) {
    out_.sequence.push_back({ObservedKind::kCommand,
                             {0, uint64_t{type} << 8 | event.smmu, a, b},
                             value,
                             {},
                             index});
  }

  void ReadCommand(const atsfuzz_event& event, int index) {
    const uint8_t opcode = properties::OpcodeOf(event.a);
    if (opcode == properties::kCmdSync) {
      CloseGroup();
    } else if (opcode == properties::kPrefetchConfig) {
      ++prefetches_[event.smmu];
    } else if (opcode >= properties::kCfgiSte &&
               opcode <= properties::kCfgiCdAll) {
      ReadConfigInvalidation(event, index);
    } else if (properties::IsTlbi(opcode)) {
      ReadTlbInvalidation(event, index);
    } else if (opcode == properties::kAtcInv) {
      const auto inv = properties::DecodeAtcInvalidation(event.a, event.b);
      AddCommand(
          kAtcInv, event, index, inv.stream,
          inv.with_pasid ? inv.pasid | kWithPasid : 0,
          inv.whole ? kWhole : std::array{inv.range.start, inv.range.end});
    } else {
      AddCommand(kOther, event, index, opcode, 0, {});
    }
  }

  void ReadConfigInvalidation(const atsfuzz_event& event, int index) {
    const auto inv = properties::DecodeConfigInvalidation(event.a, event.b);
    if (inv.ste) {
      AddCommand(kForgetSte, event, index, inv.all ? 0 : inv.first,
                 inv.all ? ~uint32_t{0} : inv.last, {});
    } else {
      AddCommand(kForgetCd, event, index, inv.first,
                 inv.every_ssid ? kEverySsid : inv.ssid, {});
    }
  }

  void ReadTlbInvalidation(const atsfuzz_event& event, int index) {
    const auto inv = properties::DecodeTlbInvalidation(event.a, event.b);
    if (!inv.known) {
      AddCommand(kOther, event, index, properties::OpcodeOf(event.a), 0, {});
      return;
    }
    uint64_t stage = inv.stage;
    uint8_t owner = TagOwners::kEveryone;
    if (inv.every_asid && inv.whole) {
      const auto vmid = static_cast<uint16_t>(event.a >> 32);
      stage = kStage1OfVmid;
      if (vmid != 0) owner = owners_.Meanwhile(event.smmu, 2, vmid);
    } else if (!inv.every_tag && !inv.every_asid) {
      owner = owners_.Meanwhile(event.smmu, inv.stage, inv.tag);
    }
    std::array<uint64_t, 2> value = kWhole;
    if (!inv.whole) {
      value = {inv.range.start, inv.range.end};
      if (inv.range.empty()) value[1] = value[0] + PageBytes(event.smmu);
    }
    AddCommand(kTlbi, event, index, stage << 8 | owner, 0, value);
  }

  uint64_t PageBytes(uint8_t smmu) const {
    return uint64_t{1} << contract_.topology().smmus[smmu].PageShift();
  }

  // A CMD_SYNC, or something else that orders.
  void CloseGroup() {
    Observations& sequence = out_.sequence;
    if (group_ == sequence.size()) return;
    uint8_t batches = 0;
    for (size_t i = group_; i < sequence.size(); ++i) {
      batches |= BatchOf(sequence[i]);
    }
    size_t first = group_;
    if (batches == last_batches_ && (batches & (batches - 1)) == 0 &&
        last_ != group_) {
      first = last_;
      --position_;
    }
    for (size_t i = first; i < sequence.size(); ++i) {
      sequence[i].subject[0] = position_;
    }
    Normalize(first);
    ++position_;
    last_ = first;
    last_batches_ = batches;
    group_ = sequence.size();
  }

  // Makes the commands from `first` on a set; overlapping and neighbouring
  // ranges of one subject become one.
  void Normalize(size_t first) {
    Observations& sequence = out_.sequence;
    std::sort(sequence.begin() + static_cast<std::ptrdiff_t>(first),
              sequence.end());
    size_t kept = first;
    for (size_t i = first + 1; i < sequence.size(); ++i) {
      Observed& last = sequence[kept];
      const Observed& next = sequence[i];
      if (last.SameSubject(next) && next.value[0] <= last.value[1]) {
        last.value[1] = std::max(last.value[1], next.value[1]);
      } else {
        sequence[++kept] = next;
      }
    }
    sequence.resize(kept + 1);
  }

  const model::Contract& contract_;
  const TagOwners& owners_;
  ObservedEvents& out_;
  uint64_t position_ = 0, accesses_ = 0;
  // The open group and the closed one right before it begin here.
  size_t group_ = 0, last_ = 0;
  uint8_t last_batches_ = 0;
  std::array<uint64_t, ATSFUZZ_MAX_SMMUS> prefetches_ = {};
};

std::string RangeText(const std::array<uint64_t, 2>& value) {
  if (value == kWhole) return "everything";
  return absl::StrFormat("%#x+%#x", value[0], value[1] - value[0]);
}

std::string CommandText(const Topology& topology, const Observed& command) {
  const uint64_t a = command.subject[2], b = command.subject[3];
  switch (TypeOf(command)) {
    case kForgetSte:
      if (a == 0 && b == ~uint32_t{0}) return "CFGI_ALL";
      return a == b ? absl::StrFormat("CFGI_STE %#x", a)
                    : absl::StrFormat("CFGI_STE %#x..%#x", a, b);
    case kForgetCd:
      if (b == kEverySsid) return absl::StrFormat("CFGI_CD_ALL %#x", a);
      return absl::StrFormat("CFGI_CD %#x SSID %d", a, b);
    case kTlbi:
      return absl::StrFormat("TLBI of %s%s %s",
                             a >> 8 == kStage1OfVmid ? "stage 1 under " : "",
                             OwnerText(topology, static_cast<uint8_t>(a)),
                             RangeText(command.value));
    case kAtcInv:
      return absl::StrFormat(
          "ATC_INV %#x%s %s", a,
          (b & kWithPasid) != 0
              ? absl::StrFormat(" PASID %d", b & (kWithPasid - 1))
              : "",
          RangeText(command.value));
    case kOther:
      return absl::StrFormat("command %#x", a);
  }
  return "unknown command";
}

std::string ConfigWriteText(const Topology& topology, const Observed& write) {
  const std::string function = model::Name(
      topology, model::FunctionId(static_cast<uint8_t>(write.subject[1])));
  const char* lost = write.value[1] != 0 ? " (lost)" : "";
  const uint64_t value = write.value[0];
  switch (write.subject[2]) {
    case ATSFUZZ_CONFIG_ATS_CONTROL:
      return absl::StrFormat("%s ATS %s, STU %d%s", function,
                             (value >> 15) != 0 ? "on" : "off",
                             (value & 0x1f) + 12, lost);
    case ATSFUZZ_CONFIG_PASID_CONTROL:
      return absl::StrFormat("%s PASID %s%s", function,
                             value != 0 ? "on" : "off", lost);
    default:
      return absl::StrFormat("%s config space%s", function, lost);
  }
}

}  // namespace

void ObservedEvents::Clear() {
  sequence.clear();
  others.clear();
  warnings.clear();
  first_warning = death = -1;
  overflow = false;
}

bool IsCfgiOfCd0(const Observed& observed) {
  return observed.kind == ObservedKind::kCommand &&
         TypeOf(observed) == kForgetCd && observed.subject[3] == 0;
}

void AppendEvents(const model::Contract& contract, const TagOwners& owners,
                  std::span<const atsfuzz_event> events, ObservedEvents* out) {
  EventReader(contract, owners, out).Read(events);
}

std::string OrderedText(const Topology& topology, const Observed& observed) {
  return observed.kind == ObservedKind::kCommand
             ? CommandText(topology, observed)
             : ConfigWriteText(topology, observed);
}

}  // namespace atsfuzz::fuzz
