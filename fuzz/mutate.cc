#include "fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

#include "fuzz/compose.h"
#include "fuzz/compose_block.h"
#include "fuzz/dice.h"
#include "fuzz/faults.h"
#include "fuzz/machine.h"
#include "fuzz/predict.h"
#include "fuzz/renumber.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using model::DomainId;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Scenario;
using model::Topology;

using Operations = std::vector<Operation>;

Operations::iterator At(Operations& operations, size_t index) {
  return operations.begin() + static_cast<ptrdiff_t>(index);
}

class Mutator {
 public:
  Mutator(const Scenario& scenario, uint64_t seed, uint8_t faults,
          size_t max_operations, const model::Capabilities& capabilities)
      : dice_(seed),
        scenario_(Restricted(scenario, capabilities)),
        faults_(faults),
        max_operations_(max_operations),
        capabilities_(capabilities) {}

  Scenario Run() {
    // Several small changes now and then: what needs two at once.
    for (uint32_t left = dice_.Chance(70) ? 1 : dice_.Between(2, 4);
         left > 0;) {
      if (Step()) --left;
      Fit();
    }
    return scenario_;
  }

 private:
  using Step_ = bool (Mutator::*)();

  bool Step() {
    if (!scenario_.schedule.empty() || model::BlockOf(scenario_).exists()) {
      if (dice_.Chance(60)) return Reschedule();
    }
    static constexpr std::array<Step_, 16> kSteps = {
        &Mutator::Insert,      &Mutator::Insert,    &Mutator::Insert,
        &Mutator::Append,      &Mutator::Append,    &Mutator::Delete,
        &Mutator::Duplicate,   &Mutator::Move,      &Mutator::Swap,
        &Mutator::Splice,      &Mutator::Argument,  &Mutator::Argument,
        &Mutator::ToggleFault, &Mutator::Attribute, &Mutator::AddThing,
        &Mutator::DropThing,
    };
    return (this->*kSteps[dice_.Below(kSteps.size())])();
  }

  Operations& operations() { return scenario_.operations; }
  bool full() { return operations().size() >= max_operations_; }
  size_t AnyIndex() {
    return dice_.Below(static_cast<uint32_t>(operations().size()));
  }

  // Another order of the same.
  bool Reschedule() {
    model::Schedule& schedule = scenario_.schedule;
    const auto size = static_cast<uint32_t>(schedule.size());
    const auto gap =
        schedule.begin() + static_cast<ptrdiff_t>(dice_.Below(size + 1));
    const uint32_t kind = dice_.Below(size == 0 ? 2 : 6);
    if (kind < 2) {
      const std::vector<model::Turn> turns =
          kind == 0 ? std::vector<model::Turn>{AnyTurn()} : Preemption();
      if (size + turns.size() > model::kMaxTurns) return false;
      schedule.insert(gap, turns.begin(), turns.end());
      return true;
    }
    const auto position =
        schedule.begin() + static_cast<ptrdiff_t>(dice_.Below(size));
    switch (kind) {
      case 2:
        schedule.erase(position);
        return true;
      case 3:
        *position = AnyTurn();
        return true;
      case 4:
        std::swap(*position, schedule[dice_.Below(size)]);
        return true;
      default:  // a little earlier or later
        if (position->step == model::Turn::kToTheEnd) return false;
        position->step = static_cast<uint16_t>(
            std::max(0, position->step + static_cast<int>(dice_.Below(9)) - 4));
        return true;
    }
  }

  // A thread stops, and some of the others run to their ends: a stop without a
  // turn after it would change nothing.
  std::vector<model::Turn> Preemption() {
    std::vector<model::Turn> turns = {AnyTurn()};
    const auto threads =
        static_cast<uint32_t>(model::BlockOf(scenario_).threads);
    for (uint32_t left = 1 + dice_.Below(std::max(threads, 2u) - 1); left > 0;
         --left) {
      const auto thread = static_cast<int>(1 + dice_.Below(threads));
      turns.push_back({.actor = model::Actor::Thread(thread),
                       .weak = capabilities_.weak_memory && dice_.Chance(40)});
    }
    return turns;
  }

  model::Turn AnyTurn() { return DrawTurn(scenario_, dice_, capabilities_); }

  // An operation that is possible after the first `count` ones.
  std::optional<Operation> Compose(size_t count) {
    Composer composer(scenario_.topology, faults_, &dice_, capabilities_);
    for (size_t i = 0; i < count; ++i) {
      if (composer.contract().Allows(operations()[i]).ok()) {
        composer.Apply(operations()[i]);
      }
    }
    return composer.Next();
  }

  bool InsertAt(size_t index) {
    if (full()) return false;
    const std::optional<Operation> operation = Compose(index);
    if (!operation) return false;
    operations().insert(At(operations(), index), *operation);
    return true;
  }

  bool Insert() {
    return InsertAt(
        dice_.Below(static_cast<uint32_t>(operations().size() + 1)));
  }
  bool Append() { return InsertAt(operations().size()); }

  bool Delete() {
    if (operations().empty()) return false;
    const size_t first = AnyIndex();
    const size_t room = operations().size() - first;
    const size_t count = dice_.Chance(75) ? 1 : std::min<size_t>(room, 4);
    operations().erase(At(operations(), first),
                       At(operations(), first + count));
    return true;
  }

  bool Duplicate() {
    if (operations().empty() || full()) return false;
    const Operation copy = operations()[AnyIndex()];
    operations().insert(At(operations(), AnyIndex()), copy);
    return true;
  }

  bool Move() {
    if (operations().size() < 2) return false;
    const size_t from = AnyIndex();
    const Operation moved = operations()[from];
    operations().erase(At(operations(), from));
    operations().insert(At(operations(), AnyIndex()), moved);
    return true;
  }

  bool Swap() {
    if (operations().size() < 2) return false;
    std::swap(operations()[AnyIndex()], operations()[AnyIndex()]);
    return true;
  }

  // A run of operations once more elsewhere: loops and retries.
  bool Splice() {
    if (operations().empty() || full()) return false;
    const size_t first = AnyIndex();
    const size_t most = std::min(operations().size() - first,
                                 max_operations_ - operations().size());
    const size_t count = dice_.Between(1, static_cast<uint32_t>(most));
    const Operations part(At(operations(), first),
                          At(operations(), first + count));
    const size_t to =
        dice_.Below(static_cast<uint32_t>(operations().size() + 1));
    operations().insert(At(operations(), to), part.begin(), part.end());
    return true;
  }

  // Another function, domain, page, ... of one operation.
  bool Argument() {
    if (operations().empty()) return false;
    Operation& operation = operations()[AnyIndex()];
    if (capabilities_.pasids && dice_.Chance(15)) {
      operation.pasid =
          dice_.Chance(30)
              ? 0
              : dice_.Between(1, std::min(4u, capabilities_.largest_pasid));
      return true;
    }
    switch (dice_.Below(6)) {
      case 0:
        operation.function = FunctionId(
            static_cast<uint8_t>(dice_.Below(ATSFUZZ_MAX_FUNCTIONS)));
        break;
      case 1:
        operation.domain =
            DomainId(static_cast<uint8_t>(dice_.Below(ATSFUZZ_MAX_DOMAINS)));
        break;
      case 2:
        operation.page = static_cast<uint16_t>(
            dice_.Below(dice_.Chance(80) ? 8 : ATSFUZZ_MAX_PAGES));
        break;
      case 3:
        operation.pages =
            static_cast<uint16_t>(dice_.Between(1, dice_.Chance(80) ? 8 : 512));
        break;
      case 4:
        operation.queued = !operation.queued;
        operation.stream = static_cast<uint8_t>(dice_.Below(4));
        operation.default_domain =
            operation.default_domain == model::DefaultDomain::kDma
                ? model::DefaultDomain::kIdentity
                : model::DefaultDomain::kDma;
        break;
      default:
        operation.kind = AnyKind();
        FillIn(&operation);
        break;
    }
    return true;
  }

  OperationKind AnyKind() {
    std::array<OperationKind, model::kOperationKinds> kinds;
    uint32_t count = 0;
    for (int i = 0; i < model::kOperationKinds; ++i) {
      const auto kind = static_cast<OperationKind>(i);
      if (HasKind(capabilities_, kind)) kinds[count++] = kind;
    }
    return kinds[dice_.Below(count)];
  }

  // Ids for a kind that was changed to one that names more.
  void FillIn(Operation* operation) {
    if (!operation->function.valid()) {
      operation->function =
          FunctionId(static_cast<uint8_t>(dice_.Below(ATSFUZZ_MAX_FUNCTIONS)));
    }
    if (!operation->domain.valid()) {
      operation->domain =
          DomainId(static_cast<uint8_t>(dice_.Below(ATSFUZZ_MAX_DOMAINS)));
    }
  }

  bool ToggleFault() {
    if (operations().empty() || faults_ == 0) return false;
    Operation& operation = operations()[AnyIndex()];
    const bool clear = operation.faults.any() && dice_.Chance(50);
    operation.faults =
        clear ? model::Faults() : DrawFault(dice_, operation.kind, faults_);
    return true;
  }

  // One SMMU, function or domain anew, or one property of a function.
  bool Attribute() {
    Topology& topology = scenario_.topology;
    const auto any = [&](const auto& things) {
      return dice_.Below(static_cast<uint32_t>(things.size()));
    };
    switch (dice_.Below(6)) {
      case 0:
        topology.smmus[any(topology.smmus)] = DrawSmmu(dice_);
        return true;
      case 1:
        if (topology.domains.empty()) return false;
        {
          const DomainId id(static_cast<uint8_t>(any(topology.domains)));
          topology.domains[id.value] =
              DrawDomain(dice_, topology, id, capabilities_);
        }
        return true;
      case 2: {
        const FunctionId id(static_cast<uint8_t>(any(topology.functions)));
        topology.functions[id.value] =
            DrawFunction(dice_, topology, id, false, capabilities_);
        return true;
      }
      default:
        FunctionProperty(&topology.functions[any(topology.functions)]);
        return true;
    }
  }

  void FunctionProperty(model::Function* function) {
    using model::DefaultDomain;
    if (capabilities_.groups && dice_.Chance(20)) {
      function->leader = function->leader.valid()
                             ? FunctionId()
                             : FunctionId(static_cast<uint8_t>(
                                   dice_.Below(static_cast<uint32_t>(
                                       scenario_.topology.functions.size()))));
      return;
    }
    if (capabilities_.requires_ats && dice_.Chance(15)) {
      function->requires_ats = !function->requires_ats;
      return;
    }
    if (capabilities_.direct && dice_.Chance(15)) {
      const bool had = function->direct_pages != 0;
      function->direct_page = static_cast<uint16_t>(had ? 0 : dice_.Below(12));
      function->direct_pages =
          static_cast<uint16_t>(had ? 0 : dice_.Between(1, 4));
      return;
    }
    switch (dice_.Below(5)) {
      case 0:
        function->ats = !function->ats;
        break;
      case 1:
        function->eager = !function->eager;
        break;
      case 2:
        function->untrusted = !function->untrusted;
        break;
      case 3:
        if (function->kind == model::FunctionKind::kPf) {
          function->pasid_bits = function->pasid_bits == 0 ? 4 : 0;
        }
        break;
      default:
        function->default_domain =
            function->default_domain == DefaultDomain::kDma
                ? DefaultDomain::kIdentity
                : DefaultDomain::kDma;
        break;
    }
  }

  bool AddThing() {
    Topology& topology = scenario_.topology;
    switch (dice_.Below(3)) {
      case 0:
        if (topology.smmus.size() == ATSFUZZ_MAX_SMMUS) return false;
        topology.smmus.push_back(DrawSmmu(dice_));
        return true;
      case 1: {
        const size_t count = topology.functions.size();
        if (count >= capabilities_.functions) return false;
        const FunctionId id(static_cast<uint8_t>(count));
        topology.functions.emplace_back();
        topology.functions.back() =
            DrawFunction(dice_, topology, id, false, capabilities_);
        return true;
      }
      default:
        if (topology.domains.size() >= capabilities_.domains) return false;
        topology.domains.push_back(
            DrawDomain(dice_, topology,
                       DomainId(static_cast<uint8_t>(topology.domains.size())),
                       capabilities_));
        return true;
    }
  }

  bool DropThing() {
    const Topology& topology = scenario_.topology;
    const auto any = [&](const auto& things) {
      return static_cast<uint8_t>(
          dice_.Below(static_cast<uint32_t>(things.size())));
    };
    switch (dice_.Below(3)) {
      case 0:
        if (topology.smmus.size() == 1) return false;
        scenario_ = Without(scenario_, model::SmmuId(any(topology.smmus)));
        return true;
      case 1:
        if (topology.functions.size() == 1) return false;
        scenario_ = Without(scenario_, FunctionId(any(topology.functions)));
        return true;
      default:
        if (topology.domains.empty()) return false;
        scenario_ = Without(scenario_, DomainId(any(topology.domains)));
        return true;
    }
  }

  void Fit() {
    MakeValid(&scenario_.topology);
    Operations fitted;
    for (Operation operation : operations()) {
      operation.faults = OnlyClasses(operation.faults, faults_);
      if (fitted.size() < max_operations_ &&
          FitOperation(scenario_.topology, &operation)) {
        FitPages(&operation);
        fitted.push_back(operation);
      }
    }
    FitPasids(&fitted);
    operations() = std::move(fitted);
    model::MakeThreadsValid(&scenario_);
    assert(model::Validate(scenario_.topology).ok());
  }

  void FitPages(Operation* operation) {
    const uint16_t most = capabilities_.pages;
    operation->page %= most;
    operation->pages =
        std::min<uint16_t>(operation->pages, most - operation->page);
  }

  Dice dice_;
  Scenario scenario_;
  uint8_t faults_;
  size_t max_operations_;
  const model::Capabilities capabilities_;
};

}  // namespace

Scenario Mutate(const Scenario& scenario, uint64_t seed, uint8_t faults,
                size_t max_operations,
                const model::Capabilities& capabilities) {
  return Mutator(scenario, seed, faults, max_operations, capabilities).Run();
}

Scenario Crossover(const Scenario& a, const Scenario& b, uint64_t seed,
                   size_t max_operations) {
  Dice dice(seed);
  const auto any = [&](size_t size) {
    return dice.Below(static_cast<uint32_t>(size + 1));
  };
  Scenario child = a;
  const size_t prefix = any(a.operations.size());
  child.operations.resize(std::min(prefix, max_operations));
  const size_t begin = any(b.operations.size());
  const size_t end = begin + any(b.operations.size() - begin);
  for (size_t i = begin; i < end; ++i) {
    Operation operation = b.operations[i];
    if (child.operations.size() >= max_operations) break;
    if (FitOperation(child.topology, &operation)) {
      child.operations.push_back(operation);
    }
  }
  FitPasids(&child.operations);
  model::MakeThreadsValid(&child);
  return child;
}

}  // namespace atsfuzz::fuzz
