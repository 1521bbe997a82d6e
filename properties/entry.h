#ifndef ATSFUZZ_PROPERTIES_ENTRY_H_
#define ATSFUZZ_PROPERTIES_ENTRY_H_

#include <array>
#include <cstdint>

// Stream table entries and context descriptors as eight 64-bit words, of which
// an SMMU reads each atomically but not all at once (Arm IHI 0070, sections 5.2
// "Stream Table Entry", 5.4 "Context Descriptor", 3.21.3 "Configuration
// structures and configuration invalidation completion").
namespace atsfuzz::properties {

using Entry = std::array<uint64_t, 8>;

inline bool IsValid(const Entry& ste) { return (ste[0] & 1) != 0; }
inline bool CdIsValid(const Entry& cd) { return (cd[0] >> 31 & 1) != 0; }
// STE.Config: 0 abort, 4 bypass, 5 stage 1, 6 stage 2, 7 both.
inline int ConfigOf(const Entry& ste) {
  return static_cast<int>(ste[0] >> 1 & 7);
}
// Valid, translating, and EATS says that ATS requests are translated.
inline bool TranslatesAts(const Entry& ste) {
  return IsValid(ste) && (ConfigOf(ste) & 4) != 0 && (ConfigOf(ste) & 3) != 0 &&
         (ste[1] >> 28 & 3) == 1;
}

// An entry of a stream table as the driver initialises it: valid, abort.
inline constexpr Entry kAbortEntry = {1};

// The bits of word `word` that an SMMU interprets, given the whole entry. Bits
// that it ignores may change under its eyes. Follows arm_smmu_get_ste_used and
// arm_smmu_get_cd_used of arm-smmu-v3.c.
uint64_t SteBitsInUse(const Entry& ste, int word);
uint64_t CdBitsInUse(const Entry& cd, int word);

// How many words must change while their bits are in use, to get from one STE
// to the other: the count behind arm_smmu_entry_qword_diff. At most one can be
// done without V = 0 ("hitless").
int CriticalWords(const Entry& from, const Entry& to);

// Whether a change must not show V = 0: one critical word at most, or abort or
// bypass on one side. REQUIRES: both are valid.
bool HitlessIsPromised(const Entry& from, const Entry& to);

// "abort", "bypass", "stage 1", "stage 2", "V=0", with ", EATS on" if so.
const char* ConfigName(const Entry& ste);

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_ENTRY_H_
