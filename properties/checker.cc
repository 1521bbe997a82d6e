#include "properties/checker.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"
#include "properties/arrays.h"
#include "properties/ats_state.h"
#include "properties/attachment.h"
#include "properties/command.h"
#include "properties/command_order.h"
#include "properties/entries.h"
#include "properties/invalidations.h"
#include "properties/outages.h"
#include "properties/staleness.h"
#include "properties/step.h"
#include "properties/warnings.h"

namespace atsfuzz::properties {
namespace {

using model::OperationKind;

// What an operation is about to take away, and nobody can tell afterwards.
struct Taken {
  uint8_t blocks_unmapped = 0;
  bool had_unflushed = false;
};

Taken Foresee(const Machine& machine, const model::Contract& contract,
              const model::Operation& operation) {
  Taken taken;
  if (operation.kind == OperationKind::kFlush) {
    taken.had_unflushed = !contract.domain(operation.domain).unflushed.empty();
  }
  if (operation.kind != OperationKind::kUnmap) return taken;
  const int smmu = machine.topology().at(operation.domain).smmu.value;
  if (machine.PageShift(smmu) != 12) return taken;  // blocks exceed the pages
  for (int block = 0; block < 2; ++block) {
    const int first = 512 * block, last = first + 511;
    const model::Mapping* mapping =
        contract.domain(operation.domain).Find(static_cast<uint16_t>(first));
    if (operation.page <= first && operation.page + operation.pages > last &&
        mapping != nullptr && mapping->end() > last) {
      taken.blocks_unmapped |= static_cast<uint8_t>(1 << block);
    }
  }
  return taken;
}

bool Warned(std::span<const atsfuzz_event> events) {
  return std::any_of(events.begin(), events.end(), [](const auto& event) {
    return event.kind == ATSFUZZ_EVENT_WARN;
  });
}

}  // namespace

class Checker::State {
 public:
  State(const model::Topology& topology,
        const model::Capabilities& capabilities)
      : contract_(topology, capabilities),
        machine_(contract_.topology()),
        before_{} {}

  model::Contract& contract() { return contract_; }

  std::vector<Violation> Judge(StepView::Phase phase,
                               const model::Operation* operation, int result,
                               uint64_t physical,
                               std::span<const atsfuzz_event> events,
                               const atsfuzz_observation& after);
  std::vector<Violation> JudgeBlock(std::span<const SideBySide> operations,
                                    const Stuck& stuck,
                                    std::span<const atsfuzz_event> events,
                                    const atsfuzz_observation& after);

 private:
  void Walk(const StepView& step);
  void JudgeEnd(const StepView& step);
  void WalkBlock(const StepView& step, std::span<const SideBySide> operations);
  void JudgeAtcInv(const StepView& step, int index,
                   std::span<const SideBySide> operations);
  bool MayReach(const StepView& step, int index,
                std::span<const SideBySide> operations);
  void Returned(const SideBySide& operation);
  void ReportStuck(const Stuck& stuck);
  void JudgeRest(const StepView& step);
  void Dispatch(const StepView& step, int index);
  void Advance(const atsfuzz_event& event);
  void NoteProbe(int f);
  void Keep(const atsfuzz_observation& after);

  model::Contract contract_;
  Machine machine_;
  Findings findings_;
  // The facts at the end of the last step.
  atsfuzz_observation before_;
  std::vector<atsfuzz_inv> before_invs_;
  Replay replay_;
  size_t steps_ = 0;
  uint8_t inconsistent_ = 0, contested_ = 0;

  Outages outages_;
  Warnings warnings_;
  AtsState ats_state_;
  Arrays arrays_;
  Entries entries_;
  Staleness staleness_;
  Invalidations invalidations_;
  CommandOrder command_order_;
  Attachment attachment_;
};

void Checker::State::Advance(const atsfuzz_event& event) {
  switch (event.kind) {
    case ATSFUZZ_EVENT_STE_WRITE: {
      const StreamSlot slot = machine_.Find(event.smmu, event.stream);
      if (slot >= 0 && event.a < 8) replay_.ste[slot][event.a] = event.c;
      break;
    }
    case ATSFUZZ_EVENT_CD_WRITE:
      if (event.function < ATSFUZZ_MAX_FUNCTIONS && event.stream == 0 &&
          event.a < 8) {
        replay_.cd[event.function][event.a] = event.c;
      }
      break;
    case ATSFUZZ_EVENT_CONFIG_WRITE:
      if (event.function < ATSFUZZ_MAX_FUNCTIONS &&
          event.a == ATSFUZZ_CONFIG_ATS_CONTROL) {
        const auto bit = static_cast<uint8_t>(1u << event.function);
        const bool on = (event.c >> 15 & 1) != 0;
        replay_.ats =
            static_cast<uint8_t>(on ? replay_.ats | bit : replay_.ats & ~bit);
      }
      break;
    default:
      break;
  }
}

void Checker::State::Dispatch(const StepView& step, int index) {
  const atsfuzz_event& event = step.events[index];
  switch (event.kind) {
    case ATSFUZZ_EVENT_COMMAND:
    case ATSFUZZ_EVENT_COMMAND_HELD:
      command_order_.OnCommand(step, index);
      invalidations_.OnCommand(step, index);
      break;
    case ATSFUZZ_EVENT_STE_WRITE:
      entries_.OnSteWrite(step, replay_, index);
      command_order_.OnSteWrite(step, replay_, index);
      Advance(event);
      ats_state_.OnChange(step, replay_, index);
      break;
    case ATSFUZZ_EVENT_CD_WRITE:
      command_order_.OnCdWrite(step, replay_, index);
      Advance(event);
      break;
    case ATSFUZZ_EVENT_CONFIG_WRITE:
      ats_state_.OnConfigWrite(step, replay_, index);
      Advance(event);
      ats_state_.OnChange(step, replay_, index);
      break;
    case ATSFUZZ_EVENT_DMA:
      staleness_.OnDma(step, index);
      break;
    case ATSFUZZ_EVENT_SMMU_FAULT:
      command_order_.OnFault(step, replay_, index);
      break;
    case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
      command_order_.OnIllegalCommand(step, index);
      warnings_.OnEvent(step, index);
      break;
    case ATSFUZZ_EVENT_WARN:
    case ATSFUZZ_EVENT_MEMORY_ERROR:
    case ATSFUZZ_EVENT_TIMEOUT:
    case ATSFUZZ_EVENT_OVERFLOW:
    case ATSFUZZ_EVENT_LOCK_RULE:
      warnings_.OnEvent(step, index);
      break;
    default:
      break;
  }
}

void Checker::State::Walk(const StepView& step) {
  replay_.Begin(machine_, before_);
  ats_state_.Begin();
  command_order_.Begin();
  invalidations_.Begin(step);
  outages_.BeginStep();
  for (int i = 0; i < static_cast<int>(step.events.size()); ++i) {
    if (!outages_.OnEvent(step.events[i], i)) Dispatch(step, i);
  }
  outages_.EndStep(step.events, step.after, machine_);
}

void Checker::State::NoteProbe(int f) {
  for (int s = 0; s < machine_.Streams(f); ++s) {
    if (!machine_.IsShared(SlotOf(f, s))) continue;
    for (int other = 0; other < machine_.functions(); ++other) {
      const model::FunctionId id(static_cast<uint8_t>(other));
      if (other != f && contract_.function(id).probed &&
          machine_.SmmuOf(other) == machine_.SmmuOf(f) &&
          machine_.Lists(other, machine_.StreamId(SlotOf(f, s)))) {
        contested_ |= static_cast<uint8_t>(1u << f | 1u << other);
      }
    }
  }
}

void Checker::State::Keep(const atsfuzz_observation& after) {
  std::copy_n(after.functions, machine_.functions(), before_.functions);
  std::copy_n(after.domains, ATSFUZZ_MAX_DOMAIN_SLOTS, before_.domains);
  if (after.inv_count == 0) return;
  before_invs_.assign(after.invs, after.invs + after.inv_count);
  before_.invs = before_invs_.data();
  before_.inv_count = after.inv_count;
}

// The operations of a shutdown are the harness's, not the scenario's: what they
// show of an earlier mistake shows under an operation of its own too. Only what
// nothing else can show is judged here.
void Checker::State::JudgeEnd(const StepView& step) {
  for (int i = 0; i < static_cast<int>(step.events.size()); ++i) {
    if (step.events[i].kind == ATSFUZZ_EVENT_MEMORY_ERROR) {
      warnings_.OnEvent(step, i);
    }
  }
  attachment_.AtEnd(step);
}

std::vector<Violation> Checker::State::Judge(
    StepView::Phase phase, const model::Operation* operation, int result,
    uint64_t physical, std::span<const atsfuzz_event> events,
    const atsfuzz_observation& after) {
  findings_.BeginStep(steps_);
  Taken taken;
  const bool must_succeed_failed = Warned(events) && MustSucceedFailed(events);
  if (operation != nullptr) {
    taken = Foresee(machine_, contract_, *operation);
    contract_.Apply(*operation, result, physical);
    if (must_succeed_failed && model::ShapeOf(operation->kind).function) {
      inconsistent_ |= machine_.GroupOf(operation->function.value);
    }
    if (operation->kind == OperationKind::kProbe && result == 0) {
      NoteProbe(operation->function.value);
    }
    ++steps_;
  }
  const StepView step{.machine = machine_,
                      .contract = contract_,
                      .phase = phase,
                      .operation = operation,
                      .result = result,
                      .events = events,
                      .before = before_,
                      .after = after,
                      .blocks_unmapped = taken.blocks_unmapped,
                      .had_unflushed = taken.had_unflushed,
                      .must_succeed_failed = must_succeed_failed,
                      .inconsistent = inconsistent_,
                      .contested = contested_,
                      .findings = findings_,
                      .outages = &outages_};
  if (phase == StepView::kShutdown) {
    JudgeEnd(step);
  } else {
    Walk(step);
    command_order_.AtRest(step);
    invalidations_.AtRest(step);
    entries_.AtRest(step);
    JudgeRest(step);
  }
  Keep(after);
  return findings_.Take();
}

// What only asks where everything has ended up.
void Checker::State::JudgeRest(const StepView& step) {
  ats_state_.AtRest(step);
  arrays_.AtRest(step);
  staleness_.AtRest(step);
  attachment_.AtRest(step);
}

void Checker::State::Returned(const SideBySide& operation) {
  contract_.Apply(operation.operation, operation.result, operation.physical);
  if (operation.operation.kind == OperationKind::kProbe &&
      operation.result == 0) {
    NoteProbe(operation.operation.function.value);
  }
}

// Whether an access is right before or after any set of the operations that
// were in flight.
bool Checker::State::MayReach(const StepView& step, int index,
                              std::span<const SideBySide> operations) {
  std::vector<const SideBySide*> in_flight;
  const auto now = static_cast<uint32_t>(index);
  for (const SideBySide& operation : operations) {
    if (operation.began <= now &&
        (!operation.returned || operation.ended > now)) {
      in_flight.push_back(&operation);
    }
  }
  for (uint32_t done = 0; done < 1u << in_flight.size(); ++done) {
    model::Contract contract = contract_;
    for (size_t i = 0; i < in_flight.size(); ++i) {
      if ((done >> i & 1) == 0) continue;
      contract.Apply(in_flight[i]->operation, 0, in_flight[i]->physical);
    }
    StepView other = {step.machine,
                      contract,
                      step.phase,
                      nullptr,
                      0,
                      step.events,
                      step.before,
                      step.after,
                      0,
                      false,
                      step.must_succeed_failed,
                      step.inconsistent,
                      step.contested,
                      step.findings,
                      step.outages};
    if (staleness_.IsLegal(other, index)) return true;
  }
  return false;
}

// Invalidations beside an attach, a detach or a reset may still name a function
// whose ATS these turn off. Once they have returned nothing may: it would wait
// for an answer that does not come.
void Checker::State::JudgeAtcInv(const StepView& step, int index,
                                 std::span<const SideBySide> operations) {
  const atsfuzz_event& event = step.events[index];
  if (OpcodeOf(event.a) != kAtcInv) return;
  const auto sid = static_cast<uint32_t>(event.a >> 32);
  const auto now = static_cast<uint32_t>(index);
  const StreamSlot slot = machine_.Find(event.smmu, sid);
  if (slot < 0 || machine_.IsShared(slot)) return;
  const int f = FunctionOf(slot);
  if (replay_.AtsOn(f)) return;
  for (const SideBySide& operation : operations) {
    const bool in_flight = operation.began <= now &&
                           (!operation.returned || operation.ended > now);
    if (in_flight && operation.operation.function.valid() &&
        operation.operation.kind != OperationKind::kDma &&
        (machine_.GroupOf(operation.operation.function.value) >> f & 1) != 0) {
      return;
    }
  }
  Violation* v = step.findings.Report(Invariant::kInvalidationsExact,
                                      uint64_t{1} << 32 | slot);
  if (v == nullptr) return;
  v->message = absl::StrCat(
      "An ATC_INV names ", step.FunctionName(f),
      ", whose ATS is off, and no operation that turned it off is under way: ",
      "the SMMU waits for an answer that does not come.");
  v->expected = "no ATC_INV";
  v->found = absl::StrCat("ATC_INV 0x", absl::Hex(sid));
  v->event = index;
  v->aspect = "ATC_INV after ATS was turned off";
}

void Checker::State::WalkBlock(const StepView& step,
                               std::span<const SideBySide> operations) {
  replay_.Begin(machine_, before_);
  ats_state_.Begin();
  size_t returned = 0;
  const auto return_until = [&](size_t event) {
    while (returned < operations.size() && operations[returned].returned &&
           operations[returned].ended <= event) {
      Returned(operations[returned++]);
    }
  };
  for (size_t i = 0; i < step.events.size(); ++i) {
    return_until(i);
    const int index = static_cast<int>(i);
    switch (step.events[i].kind) {
      case ATSFUZZ_EVENT_STE_WRITE:
        entries_.OnSteWrite(step, replay_, index);
        Advance(step.events[i]);
        ats_state_.OnChange(step, replay_, index);
        break;
      case ATSFUZZ_EVENT_CONFIG_WRITE:
        ats_state_.OnConfigWrite(step, replay_, index);
        Advance(step.events[i]);
        ats_state_.OnChange(step, replay_, index);
        break;
      case ATSFUZZ_EVENT_CD_WRITE:
        Advance(step.events[i]);
        break;
      case ATSFUZZ_EVENT_COMMAND:
        JudgeAtcInv(step, index, operations);
        break;
      case ATSFUZZ_EVENT_ILLEGAL_COMMAND:
        command_order_.OnIllegalCommand(step, index);
        warnings_.OnEvent(step, index);
        break;
      case ATSFUZZ_EVENT_DMA:
        if (!MayReach(step, index, operations)) staleness_.OnDma(step, index);
        break;
      default:
        warnings_.OnEvent(step, index);
        break;
    }
  }
  return_until(step.events.size());
}

void Checker::State::ReportStuck(const Stuck& stuck) {
  Violation* v = findings_.Report(Invariant::kProgress, 2);
  if (v == nullptr) return;
  v->expected = "every operation ends";
  switch (stuck.kind) {
    case Stuck::kNot:
      assert(false && "something is in flight");
      break;
    case Stuck::kDeadlock:
      v->message = absl::StrCat("No thread can go on: ", stuck.why, ".");
      v->found = "a deadlock";
      v->aspect = "deadlock";
      break;
    case Stuck::kLivelock:
      v->message = absl::StrCat(
          "Whoever moves when, no operation in flight returns: ", stuck.why,
          ".");
      v->found = "a livelock";
      v->aspect = "livelock";
      break;
    case Stuck::kStarvation:
      v->message = absl::StrCat(
          "Whoever moves when, who waits waits for ever: ", stuck.why, ".");
      v->found = "starvation";
      v->aspect = "starvation";
      break;
  }
}

std::vector<Violation> Checker::State::JudgeBlock(
    std::span<const SideBySide> operations, const Stuck& stuck,
    std::span<const atsfuzz_event> events, const atsfuzz_observation& after) {
  findings_.BeginStep(steps_);
  const bool must_succeed_failed = Warned(events) && MustSucceedFailed(events);
  for (const SideBySide& operation : operations) {
    if (must_succeed_failed && operation.operation.function.valid()) {
      inconsistent_ |= machine_.GroupOf(operation.operation.function.value);
    }
  }
  steps_ += operations.size();
  const StepView step{.machine = machine_,
                      .contract = contract_,
                      .phase = StepView::kBlock,
                      .operation = nullptr,
                      .result = 0,
                      .events = events,
                      .before = before_,
                      .after = after,
                      .blocks_unmapped = 0,
                      .had_unflushed = false,
                      .must_succeed_failed = must_succeed_failed,
                      .inconsistent = inconsistent_,
                      .contested = contested_,
                      .findings = findings_,
                      .outages = &outages_};
  WalkBlock(step, operations);
  if (stuck.kind == Stuck::kNot) {
    JudgeRest(step);
  } else {
    ReportStuck(stuck);
  }
  Keep(after);
  return findings_.Take();
}

Checker::Checker(const model::Topology& topology,
                 const model::Capabilities& capabilities)
    : state_(std::make_unique<State>(topology, capabilities)) {}

Checker::~Checker() = default;

model::Contract& Checker::contract() { return state_->contract(); }

std::vector<Violation> Checker::Boot(std::span<const atsfuzz_event> events,
                                     const atsfuzz_observation& observation) {
  return state_->Judge(StepView::kBoot, nullptr, 0, 0, events, observation);
}

std::vector<Violation> Checker::Step(const model::Operation& operation,
                                     int result, uint64_t physical,
                                     std::span<const atsfuzz_event> events,
                                     const atsfuzz_observation& observation) {
  return state_->Judge(StepView::kOperation, &operation, result, physical,
                       events, observation);
}

std::vector<Violation> Checker::Block(std::span<const SideBySide> operations,
                                      const Stuck& stuck,
                                      std::span<const atsfuzz_event> events,
                                      const atsfuzz_observation& observation) {
  return state_->JudgeBlock(operations, stuck, events, observation);
}

std::vector<Violation> Checker::Shutdown(
    std::span<const atsfuzz_event> events,
    const atsfuzz_observation& observation) {
  return state_->Judge(StepView::kShutdown, nullptr, 0, 0, events, observation);
}

}  // namespace atsfuzz::properties
