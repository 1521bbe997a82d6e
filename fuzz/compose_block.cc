#include "fuzz/compose_block.h"

#include <optional>

#include "fuzz/compose.h"
#include "model/block.h"

namespace atsfuzz::fuzz {
namespace {

using model::DomainId;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Scenario;

// Faults whose numbers count the operation's own accesses.
constexpr uint8_t kOwnFaults =
    model::kFaultAlloc | model::kFaultPrepareAts | model::kFaultEnableAts;

constexpr int kTries = 12;

// Pages that a focus maps are among the first.
constexpr uint32_t kFirstPages = 8;

class BlockComposer {
 public:
  BlockComposer(const BlockLimits& limits, Dice& dice, Scenario* scenario)
      : limits_(limits), dice_(dice), scenario_(*scenario) {}

  void Run() {
    const uint32_t threads =
        dice_.Between(2, static_cast<uint32_t>(limits_.threads));
    AppendThread(1, kCore);
    if (focused_ && dice_.Chance(80)) MapFocus();
    for (uint32_t i = 2; i <= threads; ++i) {
      const auto role = static_cast<Role>(dice_.Below(kRoles));
      AppendThread(static_cast<uint8_t>(i), role);
    }
  }

 private:
  // What a thread does: what functions are attached to, pages, or accesses.
  enum Role : uint8_t { kCore, kMapper, kDevice, kRoles };

  static bool Plays(Role role, OperationKind kind) {
    const bool device = kind == OperationKind::kDma;
    const bool mapper = kind == OperationKind::kMap ||
                        kind == OperationKind::kUnmap ||
                        kind == OperationKind::kFlush;
    return role == kDevice   ? device
           : role == kMapper ? mapper
                             : !device && !mapper;
  }

  // What holds when the block begins.
  Composer Begin() {
    Composer composer(scenario_.topology, limits_.faults & kOwnFaults, &dice_,
                      limits_.capabilities);
    for (const Operation& operation : scenario_.operations) {
      if (operation.thread != 0) break;
      if (composer.contract().Allows(operation).ok()) {
        composer.Apply(operation);
      }
    }
    return composer;
  }

  void AppendThread(uint8_t thread, Role role) {
    // Each swarm has its own kinds; the wanted ones may be in the next.
    for (int tries = 0; tries < 3; ++tries) {
      Composer composer = Begin();
      bool any = false;
      for (uint32_t left = dice_.Between(1, 3); left > 0; --left) {
        any |= AppendOne(thread, role, composer);
      }
      if (any) return;
    }
  }

  bool AppendOne(uint8_t thread, Role role, Composer& composer) {
    for (int i = 0; i < kTries; ++i) {
      std::optional<Operation> operation =
          role != kCore && focused_ && dice_.Chance(80)
              ? OnFocus(role, composer.contract())
              : composer.Next();
      if (!operation) return false;
      if (!Plays(role, operation->kind)) continue;
      operation->thread = thread;
      scenario_.operations.push_back(*operation);
      if (ValidateBlock(scenario_).ok() &&
          composer.contract().Allows(*operation).ok()) {
        if (!focused_) Focus(*operation, composer.contract());
        composer.Apply(*operation);
        return true;
      }
      scenario_.operations.pop_back();
    }
    return false;
  }

  // The first thread's first operation says where it is interesting: which
  // function moves, into or out of which domain.
  void Focus(const Operation& operation, const model::Contract& contract) {
    focused_ = true;
    function_ = operation.function;
    domain_ = operation.domain;
    if (domain_.valid() || !function_.valid()) return;
    domain_ = contract.function(function_).group_domain;
    const auto& pasids = contract.GroupPasids(function_);
    if (!domain_.valid() && !pasids.empty()) {
      domain_ =
          pasids[dice_.Below(static_cast<uint32_t>(pasids.size()))].domain;
    }
  }

  // Something to unmap: a page that is mapped before the block.
  void MapFocus() {
    if (!domain_.valid()) return;
    const DomainId domain = scenario_.topology.CountedBy(domain_);
    Operation map;
    map.kind = OperationKind::kMap;
    map.domain = domain;
    map.page = static_cast<uint16_t>(dice_.Below(kFirstPages));
    const Composer composer = Begin();
    if (!composer.contract().domain(domain).mappings.empty() ||
        !composer.contract().Allows(map).ok()) {
      return;
    }
    auto at = scenario_.operations.begin();
    while (at != scenario_.operations.end() && at->thread == 0) ++at;
    scenario_.operations.insert(at, map);
  }

  // Nothing: there is nothing to be done with the focus.
  std::optional<Operation> OnFocus(Role role, const model::Contract& contract) {
    Operation operation;
    operation.domain =
        domain_.valid() ? scenario_.topology.CountedBy(domain_) : domain_;
    if (!operation.domain.valid()) return std::nullopt;
    const model::Mappings& mappings =
        contract.domain(operation.domain).mappings;
    if (role == kMapper &&
        !contract.domain(operation.domain).unflushed.empty()) {
      operation.kind = OperationKind::kFlush;
      return operation;
    }
    if (mappings.empty()) return std::nullopt;
    const model::Mapping& mapping =
        mappings[dice_.Below(static_cast<uint32_t>(mappings.size()))];
    operation.page =
        static_cast<uint16_t>(mapping.page + dice_.Below(mapping.pages));
    if (role == kMapper) {
      operation.kind = OperationKind::kUnmap;
      operation.queued = dice_.Chance(25);
      return operation;
    }
    if (!function_.valid()) return std::nullopt;
    operation.kind = OperationKind::kDma;
    operation.domain = DomainId();
    operation.function = function_;
    return operation;
  }

  const BlockLimits& limits_;
  Dice& dice_;
  Scenario& scenario_;
  bool focused_ = false;
  FunctionId function_;
  DomainId domain_;
};

}  // namespace

void AppendBlock(const BlockLimits& limits, Dice& dice, Scenario* scenario) {
  BlockComposer(limits, dice, scenario).Run();
  MakeThreadsValid(scenario);
  if (!BlockOf(*scenario).exists()) return;
  for (uint32_t left = dice.Below(6); left > 0; --left) {
    scenario->schedule.push_back(
        DrawTurn(*scenario, dice, limits.capabilities));
  }
}

model::Turn DrawTurn(const Scenario& scenario, Dice& dice,
                     const model::Capabilities& capabilities) {
  const model::Block block = BlockOf(scenario);
  model::Turn turn;
  if (dice.Chance(20)) {
    const auto smmus = static_cast<uint32_t>(scenario.topology.smmus.size());
    turn.actor = model::Actor::Smmu(static_cast<int>(dice.Below(smmus)));
    turn.step = static_cast<uint16_t>(dice.Between(1, 16));
    return turn;
  }
  if (capabilities.weak_memory && dice.Chance(10)) {
    return {.actor = model::Actor::Rcu(),
            .step = static_cast<uint16_t>(dice.Between(1, 4))};
  }
  const uint32_t thread = dice.Below(static_cast<uint32_t>(block.threads)) + 1;
  turn.actor = model::Actor::Thread(static_cast<int>(thread));
  turn.weak = capabilities.weak_memory && dice.Chance(40);
  if (dice.Chance(15)) return turn;  // to its end
  const auto operations =
      static_cast<uint32_t>(ThreadsOf(scenario, block)[thread].size());
  turn.operation = static_cast<uint8_t>(dice.Below(operations));
  turn.step = static_cast<uint16_t>(dice.Below(8u << dice.Below(6)));
  if (capabilities.plain_stops && dice.Chance(40)) {
    turn.plain = static_cast<uint8_t>(1 + dice.Below(1u << dice.Below(6)));
  }
  return turn;
}

}  // namespace atsfuzz::fuzz
