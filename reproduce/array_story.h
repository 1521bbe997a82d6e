#ifndef ATSFUZZ_REPRODUCE_ARRAY_STORY_H_
#define ATSFUZZ_REPRODUCE_ARRAY_STORY_H_

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

// What a driver has asked of an invalidation array, from the empty array of a
// new domain on, and what the array must hold after each call, whoever the
// caller is: the functions keep a multiset. A list that joins gives each of its
// entries one user, one that leaves takes one from each; of an entry that lists
// hold several times, the k-th copy has as many users as there are lists with
// at least k of it.
namespace atsfuzz::reproduce {

// Ordered as arrays are (arm_smmu_inv_cmp).
struct ArrayEntry {
  uint64_t smmu = 0;  // its address
  uint32_t type = 0;  // enum atsfuzz_inv_type
  uint32_t id = 0;
  uint32_t ssid = 0;  // of ATS entries; 0 for others

  auto operator<=>(const ArrayEntry&) const = default;
};
using ArrayList = std::vector<ArrayEntry>;

// "ATS 0x100 PASID 1".
std::string ToText(const ArrayEntry& entry);

// A call of arm_smmu_invs_merge, _unref or _purge.
struct ArrayCall {
  enum Kind : uint8_t { kMerge, kUnref, kPurge };
  Kind kind = kMerge;
  // Arrays have numbers from 1 on. `result`: of merge and purge; 0: none.
  uint32_t array = 0, result = 0;
  ArrayList list;   // of merge and unref
  std::string why;  // the operation that did it: "attach p0 d0"
};

// What an array holds: an entry's copies, each with its users.
struct LiveEntry {
  ArrayEntry entry;
  int users = 0;
  bool operator==(const LiveEntry&) const = default;
};

struct StoryStep {
  ArrayCall call;
  // Live entries, in order, of the array that is the call's result, or that it
  // changed.
  std::vector<LiveEntry> expected;
  // Whether a purge must give a new array; whether what a merge gave was
  // dropped again, the attach having failed.
  bool has_trash = false, dropped = false;
  // Of unref: which of the list's entries, by index, nobody uses any more.
  std::vector<size_t> gone;
  // In which way the caller does what it must not; empty: in none.
  std::string misuse;
};

// The calls that made the array `last` what it is, and those that were made on
// its forerunners, in order.
std::vector<StoryStep> StoryOf(const std::vector<ArrayCall>& calls,
                               uint32_t last);

}  // namespace atsfuzz::reproduce

#endif  // ATSFUZZ_REPRODUCE_ARRAY_STORY_H_
