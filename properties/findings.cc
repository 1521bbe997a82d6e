#include "properties/findings.h"

#include <algorithm>

namespace atsfuzz::properties {

Violation* Findings::Report(Invariant invariant, uint64_t subject) {
  const std::pair key(invariant, subject);
  if (std::find(seen_.begin(), seen_.end(), key) != seen_.end()) return nullptr;
  seen_.push_back(key);
  new_.push_back({.invariant = invariant, .operation = operation_});
  return &new_.back();
}

}  // namespace atsfuzz::properties
