#include "properties/entry.h"

namespace atsfuzz::properties {
namespace {

constexpr uint64_t Field(int high, int low) {
  return ((uint64_t{2} << (high - low)) - 1) << low;
}

constexpr uint64_t kConfig = Field(3, 1);
constexpr uint64_t kEats = Field(29, 28);
constexpr uint64_t kShareability = Field(45, 44);
constexpr uint64_t kS1Dss = Field(1, 0);
constexpr uint64_t kS1DssBypass = 1;
constexpr uint64_t kS2Vmid = Field(15, 0);

bool Stage1(const Entry& ste) { return (ConfigOf(ste) & 1) != 0; }
bool Stage2(const Entry& ste) { return (ConfigOf(ste) & 2) != 0; }
bool IsStatic(const Entry& ste) {
  return ConfigOf(ste) == 0 || ConfigOf(ste) == 4;
}

uint64_t SteWord1InUse(const Entry& ste) {
  uint64_t used = 0;
  if (Stage1(ste)) {
    // S1DSS, cacheability and shareability of the CD fetch, S1STALLD, STRW.
    used |= kS1Dss | Field(7, 2) | Field(27, 27) | Field(31, 30) | kEats;
    if ((ste[1] & kS1Dss) == kS1DssBypass) used |= kShareability;
  }
  if (Stage2(ste)) used |= kEats | kShareability;
  if (ConfigOf(ste) == 4) used |= kShareability;
  return used;
}

}  // namespace

uint64_t SteBitsInUse(const Entry& ste, int word) {
  if (!IsValid(ste)) return word == 0 ? 1 : 0;
  switch (word) {
    case 0:
      // With stage 1 also S1Fmt, S1ContextPtr and S1CDMax.
      return 1 | kConfig |
             (Stage1(ste) ? Field(5, 4) | Field(51, 6) | Field(63, 59) : 0);
    case 1:
      return SteWord1InUse(ste);
    case 2: {
      uint64_t used = Stage1(ste) || Stage2(ste) ? kS2Vmid : 0;
      // VTCR, S2AA64, S2ENDI, S2PTW, S2S, S2R.
      if (Stage2(ste)) used |= Field(52, 32) | Field(54, 54) | Field(58, 57);
      return used;
    }
    case 3:
      return Stage2(ste) ? Field(51, 4) : 0;
    default:
      return 0;
  }
}

uint64_t CdBitsInUse(const Entry& cd, int word) {
  if (!CdIsValid(cd)) return word == 0 ? Field(31, 31) : 0;
  // With EPD0 the fields that describe the walk from TTB0 are ignored.
  const bool no_table = (cd[0] >> 14 & 1) != 0;
  if (no_table && word == 0) return ~Field(13, 0);
  if (no_table && word == 1) return ~Field(51, 4);
  return ~uint64_t{0};
}

int CriticalWords(const Entry& from, const Entry& to) {
  int critical = 0;
  for (int word = 0; word < 8; ++word) {
    const uint64_t used_now = SteBitsInUse(from, word);
    const uint64_t used_then = SteBitsInUse(to, word);
    // What the word can become before anything in use changes.
    const uint64_t prepared = (from[word] & used_now) | (to[word] & ~used_now);
    if ((prepared & used_then) != (to[word] & used_then)) ++critical;
  }
  return critical;
}

bool HitlessIsPromised(const Entry& from, const Entry& to) {
  return IsStatic(from) || IsStatic(to) || CriticalWords(from, to) <= 1;
}

const char* ConfigName(const Entry& ste) {
  if (!IsValid(ste)) return "V=0";
  const bool ats = TranslatesAts(ste);
  switch (ConfigOf(ste)) {
    case 4:
      return "bypass";
    case 5:
      return ats ? "stage 1, EATS on" : "stage 1, EATS off";
    case 6:
      return ats ? "stage 2, EATS on" : "stage 2, EATS off";
    case 7:
      return ats ? "nested, EATS on" : "nested, EATS off";
    default:
      return "abort";
  }
}

}  // namespace atsfuzz::properties
