#include "model/machine/entry.h"

#include <utility>

namespace atsfuzz::machine {
namespace {

constexpr uint64_t Mask(int high, int low) {
  return ((uint64_t{2} << (high - low)) - 1) << low;
}

constexpr uint64_t kValid = 1;
constexpr uint64_t kEatsMask = Mask(29, 28);
constexpr uint64_t kEats = uint64_t{1} << 28;
constexpr uint64_t kCdValid = uint64_t{1} << 31;
constexpr uint64_t kTables = 0x10000;
constexpr uint64_t kCdTables = 0x800000;
// Write-back cacheable, inner shareable fetches.
constexpr uint64_t kFetch = 1u << 2 | 1u << 4 | 3u << 6;
constexpr uint64_t kVtcr = 0x53594;

uint64_t ConfigBits(Config config) {
  switch (config) {
    case Config::kNotCached:
    case Config::kInvalid:
      return 0;
    case Config::kAbort:
      return kValid;
    case Config::kBypass:
      return kValid | 4u << 1;
    case Config::kStage1:
      return kValid | 5u << 1;
    case Config::kStage2:
      return kValid | 6u << 1;
    case Config::kNested:
      return kValid | 7u << 1;
  }
  return 0;
}

uint64_t S1DssBits(S1Dss s1dss) {
  switch (s1dss) {
    case S1Dss::kTerminate:
      return 0;
    case S1Dss::kBypass:
      return 1;
    case S1Dss::kSsid0:
      return 2;
  }
  return 0;
}

}  // namespace

uint64_t TableOf(int slot) { return kTables * static_cast<uint64_t>(slot + 1); }

Words EncodeSte(const Board& board, const State& state, const Ste& ste) {
  Words words{};
  words[0] = ConfigBits(ste.config);
  const bool stage1 = ste.config == Config::kStage1;
  const bool nested = ste.config == Config::kNested;
  if (stage1 || nested) {
    words[1] = S1DssBits(ste.s1dss) | kFetch;
    // A guest's table lies where its domain's index says.
    words[0] |= kCdTables + 0x1000u * ste.target + (nested ? 0x100000u : 0);
  }
  if (stage1 && ste.target != kFreed) {
    const Function& function = state.functions[ste.target];
    const uint64_t bits = function.has_pasids
                              ? board.functions[ste.target].ssid_bits
                              : (function.always_on ? 1 : 0);
    words[0] |= bits << 59 | (bits > kLinearBits ? 1u << 4 : 0);
  }
  if (ste.config >= Config::kStage1 && ste.eats) words[1] |= kEats;
  if (ste.config == Config::kStage2 || nested) {
    const int slot =
        ste.target == kFreed ? kAllSlots : board.CountedBy(ste.target);
    const uint64_t vmid = slot < kAllSlots ? SpaceAt(state, slot).tag : 0;
    words[2] = vmid | kVtcr << 32 | Mask(51, 51) | Mask(54, 54) | Mask(58, 58);
    words[3] = TableOf(slot);
  }
  return words;
}

Words EncodeCd(const State& state, Cd cd) {
  Words words{};
  if (cd == kNoCd || cd == kCachedInvalid) return words;
  const int slot = cd == kFreedCd ? kAllSlots : cd - 1;
  const uint64_t asid = slot < kAllSlots ? SpaceAt(state, slot).tag : 0;
  words[0] = 16 | Mask(30, 30) | kCdValid | Mask(41, 41) | Mask(45, 45) |
             Mask(46, 46) | Mask(47, 47) | asid << 48;
  words[1] = TableOf(slot);
  return words;
}

uint64_t SteBitsUsed(const Words& ste, int word) {
  const uint64_t config = ste[0] >> 1 & 7;
  if ((ste[0] & kValid) == 0) return word == 0 ? kValid : 0;
  const bool stage1 = (config & 1) != 0 && config >= 5;
  const bool stage2 = (config & 2) != 0;
  switch (word) {
    case 0:
      return kValid | Mask(3, 1) |
             (stage1 ? Mask(5, 4) | Mask(51, 6) | Mask(63, 59) : 0);
    case 1: {
      uint64_t used = stage2 ? kEatsMask | Mask(45, 44) : 0;
      if (stage1) {
        used |= Mask(7, 0) | Mask(27, 27) | kEatsMask | Mask(31, 30);
        if ((ste[1] & 3) == 1) used |= Mask(45, 44);
      }
      return config == 4 ? Mask(45, 44) : used;
    }
    case 2:
      return (stage1 || stage2 ? Mask(15, 0) : 0) |
             (stage2 ? Mask(52, 32) | Mask(54, 54) | Mask(58, 57) : 0);
    case 3:
      return stage2 ? Mask(51, 4) : 0;
    default:
      return 0;
  }
}

uint64_t CdBitsUsed(const Words& cd, int word) {
  if ((cd[0] & kCdValid) == 0) return word == 0 ? kCdValid : 0;
  return ~uint64_t{0};
}

void EntryUpdate::Run(Words& entry, const Words& target) const {
  const auto set = [&](const Words& values, int first, int count) {
    bool changed = false;
    for (int i = first; i < first + count; ++i) {
      if (entry[i] == values[i]) continue;
      write(i, entry[i], values[i]);
      entry[i] = values[i];
      changed = true;
    }
    if (changed) sync();
  };
  Words prepared{};
  int critical = -1, differing = 0;
  for (int i = 0; i < 8; ++i) {
    const uint64_t used_then = used(target, i);
    uint64_t used_now = used(entry, i);
    if (safe_eats && i == 1) used_now &= ~(kEatsMask & used_then);
    prepared[i] = (entry[i] & used_now) | (target[i] & ~used_now);
    if ((prepared[i] & used_then) != target[i]) {
      critical = i;
      ++differing;
    }
  }
  if (differing == 1) {
    prepared[critical] = entry[critical];
    set(prepared, 0, 8);
    set(target, critical, 1);
    set(target, 0, 8);
  } else if (differing > 1) {
    prepared[0] = 0;
    set(prepared, 0, 1);
    set(target, 1, 7);
    set(target, 0, 1);
  } else {
    set(target, 0, 8);
  }
}

bool IsInForceAtFirstSync(EntryUpdate update, Words entry,
                          const Words& target) {
  bool synced = false, in_force = false;
  update.write = [](int, uint64_t, uint64_t) {};
  update.sync = [&] {
    if (std::exchange(synced, true)) return;
    in_force = true;
    for (int i = 0; i < 8; ++i) {
      const uint64_t used = update.used(target, i);
      in_force &= (entry[i] & used) == (target[i] & used);
    }
  };
  update.Run(entry, target);
  return in_force;
}

}  // namespace atsfuzz::machine
