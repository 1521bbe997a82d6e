#include "fuzz/footprint.h"

#include <algorithm>

namespace atsfuzz::fuzz {

void Territory::Add(const model::Touched& touched) {
  if (!touched) {
    size_ += anything_ ? 0 : 1;
    anything_ = true;
    return;
  }
  for (const atsfuzz_touch& touch : *touched) {
    const auto [place, is_new] = written_.try_emplace(touch.place, false);
    if (is_new) ++size_;
    if (touch.written != 0 && !place->second) {
      place->second = true;
      ++size_;
    }
  }
}

void Footprint::Add(const model::Touched& touched) {
  if (!touched) {
    anything_ = true;
    places_.clear();
  }
  if (anything_) return;
  for (const atsfuzz_touch& touch : *touched) {
    places_.push_back({touch.place, touch.written != 0});
  }
  // Of the same place, a write comes first and stays.
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) {
    return a.number != b.number ? a.number < b.number : a.written > b.written;
  });
  places_.erase(std::unique(places_.begin(), places_.end(),
                            [](const Place& a, const Place& b) {
                              return a.number == b.number;
                            }),
                places_.end());
}

const Footprint::Place* Footprint::Find(uint64_t number) const {
  const auto at = std::lower_bound(
      places_.begin(), places_.end(), number,
      [](const Place& place, uint64_t n) { return place.number < n; });
  return at != places_.end() && at->number == number ? &*at : nullptr;
}

bool Footprint::Conflicts(const model::Touched& touched) const {
  if (anything_ || !touched) return true;
  return std::any_of(
      touched->begin(), touched->end(), [this](const atsfuzz_touch& touch) {
        const Place* own = Find(touch.place);
        return own != nullptr && (own->written || touch.written != 0);
      });
}

bool Footprint::Conflicts(const Territory& territory) const {
  if (anything_ || territory.anything_) return true;
  return std::any_of(places_.begin(), places_.end(), [&](const Place& own) {
    const auto other = territory.written_.find(own.number);
    return other != territory.written_.end() && (own.written || other->second);
  });
}

}  // namespace atsfuzz::fuzz
