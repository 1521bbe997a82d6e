#include <algorithm>
#include <set>
#include <utility>

#include "fuzz/shrink_moves.h"

// Moves on faults and arguments.
namespace atsfuzz::fuzz {

using model::Faults;
using model::Operation;
using model::OperationShape;
using model::Scenario;

namespace {

// Proposes the scenario with operation `index` changed by `change`.
template <typename Change>
bool Changed(const Scenario& scenario, size_t index, const Attempt& attempt,
             const Change& change) {
  Scenario changed = scenario;
  change(changed.operations[index]);
  return attempt(changed);
}

// The faults that say by number what they hit, up to the eighth.
using Numbers = uint8_t Faults::*;
constexpr Numbers kNumbers[] = {&Faults::config_writes, &Faults::cmd_syncs,
                                &Faults::atc_timeouts};

bool DropFaultsOf(const Scenario& scenario, size_t index,
                  const Attempt& attempt) {
  const auto without = [&](const auto& change) {
    return Changed(scenario, index, attempt,
                   [&](Operation& operation) { change(operation.faults); });
  };
  const Faults& faults = scenario.operations[index].faults;
  if (!faults.any()) return false;
  if (without([](Faults& f) { f = Faults(); })) return true;
  for (int bit = 0; bit < 64; ++bit) {
    const uint64_t mask = uint64_t{1} << bit;
    if ((faults.alloc_numbers & mask) &&
        without([&](Faults& f) { f.alloc_numbers &= ~mask; })) {
      return true;
    }
    if ((faults.alloc_sites & mask) &&
        without([&](Faults& f) { f.alloc_sites &= ~mask; })) {
      return true;
    }
    for (Numbers numbers : kNumbers) {
      if ((faults.*numbers & mask) &&
          without([&](Faults& f) { f.*numbers &= ~mask; })) {
        return true;
      }
    }
  }
  return without([](Faults& f) { f.prepare_ats = false; }) ||
         without([](Faults& f) { f.enable_ats = false; });
}

// Allocation numbers up to which a site is replaced by a number.
constexpr int kSiteNumbers = 24;

bool SimplifyFaultsOf(const Scenario& scenario, size_t index,
                      const Attempt& attempt) {
  const auto change = [&](const auto& with) {
    return Changed(scenario, index, attempt,
                   [&](Operation& operation) { with(operation.faults); });
  };
  const Faults& faults = scenario.operations[index].faults;
  for (int site = 0; site < model::kAllocSites; ++site) {
    if ((faults.alloc_sites >> site & 1) == 0) continue;
    for (int number = 0; number < kSiteNumbers; ++number) {
      if (change([&](Faults& f) {
            f.alloc_sites &= static_cast<uint16_t>(~(1u << site));
            f.alloc_numbers |= uint64_t{1} << number;
          })) {
        return true;
      }
    }
  }
  for (int bit = 1; bit < 64; ++bit) {
    for (int lower = 0; lower < bit; ++lower) {
      if ((faults.alloc_numbers >> bit & 1) && change([&](Faults& f) {
            f.alloc_numbers &= ~(uint64_t{1} << bit);
            f.alloc_numbers |= uint64_t{1} << lower;
          })) {
        return true;
      }
      for (Numbers numbers : kNumbers) {
        if (bit < 8 && (faults.*numbers >> bit & 1) && change([&](Faults& f) {
              f.*numbers &= static_cast<uint8_t>(~(1u << bit));
              f.*numbers |= static_cast<uint8_t>(1u << lower);
            })) {
          return true;
        }
      }
    }
  }
  return false;
}

// First page and number of pages.
using Range = std::pair<uint16_t, uint16_t>;

std::vector<Range> SimplerRanges(const Range& range) {
  std::vector<Range> simpler = {{0, 1}, {0, range.second}, {range.first, 1}};
  for (uint32_t page : Towards(0, range.first)) {
    simpler.emplace_back(page, range.second);
    // An unaligned start, of the same alignment inside a block.
    simpler.emplace_back(page - page % 512 + range.first % 512, range.second);
  }
  for (uint32_t pages : Towards(1, range.second)) {
    simpler.emplace_back(0, pages);
    simpler.emplace_back(range.first, pages);
    simpler.emplace_back(range.first + range.second - pages, pages);
  }
  std::erase_if(simpler, [](const Range& r) {
    return r.first + r.second > ATSFUZZ_MAX_PAGES;
  });
  return simpler;
}

bool Within(const Operation& operation, const Range& range) {
  const int pages = model::ShapeOf(operation.kind).range ? operation.pages : 1;
  return model::ShapeOf(operation.kind).page && operation.page >= range.first &&
         operation.page + pages <= range.first + range.second;
}

// The operations inside `from` follow it to `to`; parts of it keep their place
// from its start as far as there is room.
Scenario Moved(const Scenario& scenario, const Range& from, const Range& to) {
  Scenario moved = scenario;
  for (Operation& operation : moved.operations) {
    if (!Within(operation, from)) continue;
    const bool whole =
        operation.page == from.first && operation.pages == from.second;
    const int offset =
        std::min<int>(operation.page - from.first, to.second - 1);
    operation.page = static_cast<uint16_t>(to.first + offset);
    if (!model::ShapeOf(operation.kind).range) continue;
    const int room = to.second - offset;
    operation.pages = static_cast<uint16_t>(
        whole ? to.second : std::min<int>(operation.pages, room));
  }
  return moved;
}

bool SimplifyArgumentsOf(const Scenario& scenario, size_t index,
                         const Attempt& attempt) {
  const Operation& operation = scenario.operations[index];
  const OperationShape& shape = model::ShapeOf(operation.kind);
  if (shape.queued && operation.queued &&
      Changed(scenario, index, attempt,
              [](Operation& o) { o.queued = false; })) {
    return true;
  }
  for (int stream = 0; stream < operation.stream; ++stream) {
    if (Changed(scenario, index, attempt, [&](Operation& o) {
          o.stream = static_cast<uint8_t>(stream);
        })) {
      return true;
    }
  }
  if (shape.default_domain &&
      Changed(scenario, index, attempt, [](Operation& o) {
        o.default_domain = model::DefaultDomain::kDma;
      })) {
    return true;
  }
  if (shape.stream && operation.pasid != 0 &&
      Changed(scenario, index, attempt, [](Operation& o) { o.pasid = 0; })) {
    return true;
  }
  for (uint32_t pasid : Towards(1, operation.pasid)) {
    if (Changed(scenario, index, attempt,
                [&](Operation& o) { o.pasid = pasid; })) {
      return true;
    }
  }
  if (!shape.page) return false;
  for (const Range& range : SimplerRanges({operation.page, operation.pages})) {
    if (Changed(scenario, index, attempt, [&](Operation& o) {
          o.page = range.first;
          if (shape.range) o.pages = range.second;
        })) {
      return true;
    }
  }
  return false;
}

template <typename Step>
bool ForEachOperation(const Scenario& scenario, const Step& step) {
  for (size_t i = 0; i < scenario.operations.size(); ++i) {
    if (step(i)) return true;
  }
  return false;
}

}  // namespace

std::vector<uint32_t> Towards(uint32_t low, uint32_t number) {
  std::vector<uint32_t> smaller;
  if (number <= low) return smaller;
  for (uint32_t distance = number - low; distance > 0; distance /= 2) {
    smaller.push_back(number - distance);
  }
  return smaller;
}

bool DropFaults(const Scenario& scenario, const Attempt& attempt) {
  return ForEachOperation(
      scenario, [&](size_t i) { return DropFaultsOf(scenario, i, attempt); });
}

bool SimplifyFaults(const Scenario& scenario, const Attempt& attempt) {
  return ForEachOperation(scenario, [&](size_t i) {
    return scenario.operations[i].faults.any() &&
           SimplifyFaultsOf(scenario, i, attempt);
  });
}

bool SimplifyArguments(const Scenario& scenario, const Attempt& attempt) {
  return ForEachOperation(scenario, [&](size_t i) {
    return SimplifyArgumentsOf(scenario, i, attempt);
  });
}

bool SimplifyPasids(const Scenario& scenario, const Attempt& attempt) {
  std::set<uint32_t> used;
  for (const Operation& operation : scenario.operations) {
    if (operation.pasid != 0) used.insert(operation.pasid);
  }
  const auto renamed = [&](uint32_t from, uint32_t to, bool exchange) {
    Scenario changed = scenario;
    for (Operation& operation : changed.operations) {
      if (operation.pasid == from) {
        operation.pasid = to;
      } else if (exchange && operation.pasid == to) {
        operation.pasid = from;
      }
    }
    return attempt(changed);
  };
  for (uint32_t from : used) {
    std::vector<uint32_t> lower = Towards(1, from);
    lower.insert(lower.end(), used.begin(), used.find(from));
    for (uint32_t to : lower) {
      if (renamed(from, to, false) || renamed(from, to, true)) return true;
    }
  }
  return false;
}

bool SimplifyPages(const Scenario& scenario, const Attempt& attempt) {
  std::set<Range> ranges;
  for (const Operation& operation : scenario.operations) {
    if (model::ShapeOf(operation.kind).page) {
      ranges.emplace(operation.page, operation.pages);
    }
  }
  for (const Range& from : ranges) {
    for (const Range& to : SimplerRanges(from)) {
      if (attempt(Moved(scenario, from, to))) return true;
    }
  }
  return false;
}

}  // namespace atsfuzz::fuzz
