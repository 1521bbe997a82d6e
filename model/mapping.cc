#include "model/mapping.h"

#include <algorithm>
#include <cassert>

namespace atsfuzz::model {
namespace {

// The first mapping that ends beyond `page`: it covers the page, or is the next
// one.
Mappings::const_iterator From(const Mappings& mappings, int page) {
  return std::partition_point(
      mappings.begin(), mappings.end(),
      [page](const Mapping& mapping) { return mapping.end() <= page; });
}

}  // namespace

const Mapping* Find(const Mappings& mappings, uint16_t page) {
  const auto it = From(mappings, page);
  return it != mappings.end() && it->page <= page ? &*it : nullptr;
}

bool Overlaps(const Mappings& mappings, int page, int pages) {
  const auto it = From(mappings, page);
  return it != mappings.end() && it->page < page + pages;
}

bool IsWhole(const Mappings& mappings, int page, int pages) {
  const int end = page + pages;
  for (auto it = From(mappings, page);
       it != mappings.end() && it->page == page && page < end; ++it) {
    page = it->end();
  }
  return page == end;
}

void Insert(Mappings& mappings, const Mapping& mapping) {
  assert(!Overlaps(mappings, mapping.page, mapping.pages));
  mappings.insert(From(mappings, mapping.page), mapping);
}

void Remove(Mappings& mappings, int page, int pages, Mappings* taken) {
  assert(IsWhole(mappings, page, pages));
  const auto first = From(mappings, page);
  const auto last = From(mappings, page + pages);
  if (taken != nullptr) {
    for (auto it = first; it != last; ++it) Insert(*taken, *it);
  }
  mappings.erase(first, last);
}

}  // namespace atsfuzz::model
