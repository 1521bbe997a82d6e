#include "model/block.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <string>

#include "absl/strings/str_cat.h"

namespace atsfuzz::model {
namespace {

// Who has taken what: the first thread that named it, or 0.
using Owners = std::array<uint8_t, ATSFUZZ_MAX_FUNCTIONS>;

class Judge {
 public:
  explicit Judge(const Scenario& scenario)
      : scenario_(scenario), topology_(scenario.topology) {}

  absl::Status Run() {
    const Block block = BlockOf(scenario_);
    for (size_t i = block.first; i < block.end; ++i) {
      if (absl::Status status = Take(scenario_.operations[i]); !status.ok()) {
        return status;
      }
      for (size_t j = block.first; j < i; ++j) {
        const Operation& other = scenario_.operations[j];
        if (other.thread == scenario_.operations[i].thread) continue;
        absl::Status status = Beside(other, scenario_.operations[i]);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

 private:
  template <typename... Parts>
  static absl::Status Refuse(const Parts&... parts) {
    return absl::InvalidArgumentError(absl::StrCat(parts...));
  }

  absl::Status Take(const Operation& operation) {
    const Faults& faults = operation.faults;
    const std::string text = ToText(topology_, operation);
    if (faults.config_writes != 0 || faults.cmd_syncs != 0 ||
        faults.atc_timeouts != 0) {
      return Refuse("`", text, "`: faults of the hardware are not for `par`");
    }
    if (operation.domain.valid() && topology_.at(operation.domain).process) {
      return Refuse("`", text, "`: processes are not for `par`");
    }
    if (operation.kind == OperationKind::kDma || !operation.function.valid()) {
      return absl::OkStatus();
    }
    const FunctionId leader = topology_.LeaderOf(operation.function);
    for (size_t f = 0; f < topology_.functions.size(); ++f) {
      const FunctionId id(static_cast<uint8_t>(f));
      if (topology_.LeaderOf(id) != leader &&
          FamilyOf(id) != FamilyOf(operation.function)) {
        continue;
      }
      uint8_t& owner = owners_[f];
      if (owner != 0 && owner != operation.thread) {
        return Refuse("`", text, "`: another thread has ", Name(topology_, id),
                      ", of the same group or the same PF");
      }
      owner = operation.thread;
    }
    return absl::OkStatus();
  }

  FunctionId FamilyOf(FunctionId id) const {
    const Function& function = topology_.at(id);
    return function.kind == FunctionKind::kVf ? function.pf : id;
  }

  // One allocates a domain through a function that the other may remove.
  bool Removes(const Operation& release, const Operation& allocation) const {
    return release.kind == OperationKind::kRelease &&
           allocation.kind == OperationKind::kDomainNew &&
           topology_.at(release.function).smmu ==
               topology_.at(allocation.domain).smmu;
  }

  // Of two threads.
  absl::Status Beside(const Operation& a, const Operation& b) const {
    if (Removes(a, b) || Removes(b, a)) {
      return Refuse(
          "a domain is allocated while a function behind its SMMU is ",
          "released");
    }
    if (!a.domain.valid() || !b.domain.valid()) return absl::OkStatus();
    if (IsNestedIn(b, a) || IsNestedIn(a, b)) {
      const Operation& parents = IsNestedIn(b, a) ? a : b;
      return Refuse("`", ToText(topology_, parents), "`: another thread uses ",
                    Name((&parents == &a ? b : a).domain), ", whose parent is ",
                    Name(parents.domain));
    }
    if (a.domain != b.domain) return absl::OkStatus();
    const std::string name = Name(a.domain);
    for (const Operation* operation : {&a, &b}) {
      if (operation->kind == OperationKind::kDomainNew ||
          operation->kind == OperationKind::kDomainFree) {
        return Refuse("`", ToText(topology_, *operation),
                      "`: another thread uses ", name);
      }
    }
    const bool a_changes = ChangesPages(a), b_changes = ChangesPages(b);
    if (a_changes && b_changes && a.page < b.page + b.pages &&
        b.page < a.page + a.pages) {
      return Refuse("two threads change page ", std::max(a.page, b.page),
                    " of ", name);
    }
    const bool a_queues = Queues(a), b_queues = Queues(b);
    if (a_queues && b_queues) {
      return Refuse("two threads queue unmaps of ", name, " or flush it");
    }
    return absl::OkStatus();
  }

  // `parents` makes or ends the parent of the domain that `nested` names.
  bool IsNestedIn(const Operation& nested, const Operation& parents) const {
    return (parents.kind == OperationKind::kDomainNew ||
            parents.kind == OperationKind::kDomainFree) &&
           topology_.at(nested.domain).parent == parents.domain;
  }

  static bool ChangesPages(const Operation& operation) {
    return operation.kind == OperationKind::kMap ||
           operation.kind == OperationKind::kUnmap;
  }
  static bool Queues(const Operation& operation) {
    return operation.kind == OperationKind::kFlush ||
           (operation.kind == OperationKind::kUnmap && operation.queued);
  }

  const Scenario& scenario_;
  const Topology& topology_;
  Owners owners_ = {};
};

bool IsThere(const Scenario& scenario, int threads, Actor actor) {
  if (actor.is_rcu()) return true;
  if (actor.is_smmu()) {
    return actor.smmu() < static_cast<int>(scenario.topology.smmus.size());
  }
  return actor.thread() >= 1 && actor.thread() <= threads;
}

}  // namespace

Block BlockOf(const Scenario& scenario) {
  Block block;
  const auto in_block = [](const Operation& operation) {
    return operation.thread != 0;
  };
  const auto begin = scenario.operations.begin();
  const auto end = scenario.operations.end();
  const auto first = std::find_if(begin, end, in_block);
  const auto last = std::find_if_not(first, end, in_block);
  block.first = static_cast<size_t>(first - begin);
  block.end = static_cast<size_t>(last - begin);
  if (block.exists()) block.threads = (last - 1)->thread;
  return block;
}

std::vector<std::vector<size_t>> ThreadsOf(const Scenario& scenario,
                                           const Block& block) {
  std::vector<std::vector<size_t>> threads(static_cast<size_t>(block.threads) +
                                           1);
  for (size_t i = block.first; i < block.end; ++i) {
    threads[scenario.operations[i].thread].push_back(i);
  }
  return threads;
}

void NormalizeThreads(Scenario* scenario) {
  std::vector<Operation>& operations = scenario->operations;
  const auto in_block = [](const Operation& operation) {
    return operation.thread != 0;
  };
  const auto first =
      std::find_if(operations.begin(), operations.end(), in_block);
  const auto last = std::find_if_not(first, operations.end(), in_block);
  for (auto it = last; it != operations.end(); ++it) it->thread = 0;
  std::stable_sort(first, last, [](const Operation& a, const Operation& b) {
    return a.thread < b.thread;
  });
  std::array<uint8_t, 1 + ATSFUZZ_MAX_THREADS> numbers = {};
  uint8_t threads = 0;
  for (auto it = first; it != last; ++it) {
    assert(it->thread <= ATSFUZZ_MAX_THREADS);
    if (numbers[it->thread] == 0) numbers[it->thread] = ++threads;
    it->thread = numbers[it->thread];
  }
  if (threads == 1) {
    for (auto it = first; it != last; ++it) it->thread = 0;
    threads = 0;
  }
  if (threads == 0) {
    scenario->schedule.clear();
    return;
  }
  for (Turn& turn : scenario->schedule) {
    if (turn.actor.is_thread()) {
      turn.actor.value = numbers[turn.actor.value];
    }
  }
  std::erase_if(scenario->schedule, [&](const Turn& turn) {
    return !IsThere(*scenario, threads, turn.actor);
  });
  if (scenario->schedule.size() > kMaxTurns) {
    scenario->schedule.resize(kMaxTurns);
  }
}

void MakeThreadsValid(Scenario* scenario) {
  NormalizeThreads(scenario);
  if (!BlockOf(*scenario).exists() || ValidateBlock(*scenario).ok()) return;
  for (Operation& operation : scenario->operations) operation.thread = 0;
  scenario->schedule.clear();
}

absl::Status ValidateBlock(const Scenario& scenario) {
  return Judge(scenario).Run();
}

}  // namespace atsfuzz::model
