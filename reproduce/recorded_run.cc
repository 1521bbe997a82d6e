#include "reproduce/recorded_run.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "fuzz/child.h"
#include "fuzz/run.h"
#include "model/block.h"
#include "model/contract.h"

namespace atsfuzz::reproduce {
namespace {

using Json = nlohmann::json;
using model::Operation;
using properties::SideBySide;
using properties::StepView;
using properties::Violation;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json ToJson(const Violation& violation, const Symptom& symptom) {
  return {{"invariant", static_cast<int>(violation.invariant)},
          {"message", violation.message},
          {"expected", violation.expected},
          {"found", violation.found},
          {"operation", violation.operation},
          {"aspect", violation.aspect},
          {"calls", symptom.calls},
          {"at_shutdown", symptom.at_shutdown},
          {"check", symptom.check},
          {"parts", symptom.parts},
          {"weaker", symptom.weaker}};
}

Shown ShownFrom(const Json& json) {
  Shown shown;
  shown.violation.invariant =
      static_cast<properties::Invariant>(json["invariant"].get<int>());
  json["message"].get_to(shown.violation.message);
  json["expected"].get_to(shown.violation.expected);
  json["found"].get_to(shown.violation.found);
  json["operation"].get_to(shown.violation.operation);
  json["aspect"].get_to(shown.violation.aspect);
  json["calls"].get_to(shown.symptom.calls);
  json["at_shutdown"].get_to(shown.symptom.at_shutdown);
  json["check"].get_to(shown.symptom.check);
  json["parts"].get_to(shown.symptom.parts);
  json["weaker"].get_to(shown.symptom.weaker);
  return shown;
}

// The child's side: tells each call before it is made, what it returned, and
// the symptoms of what it showed.
class Recorder : public fuzz::RunListener {
 public:
  Recorder(const model::Scenario& scenario,
           const model::Capabilities& capabilities, fuzz::Link* link)
      : scenario_(scenario),
        block_(BlockOf(scenario)),
        threads_(ThreadsOf(scenario, block_)),
        contract_(scenario.topology, capabilities),
        machine_(contract_.topology()),
        link_(link) {}

  void Tell(const fuzz::Call& call) {
    last_ = call;
    const std::optional<size_t> index = Next(call.operation);
    Json json = {{"through", call.through.value}, {"physical", call.physical}};
    if (index) {
      json["operation"] = *index;
    } else {
      json["domain"] = call.operation.domain.value;
    }
    ++calls_;
    if (call.operation.thread != 0) started_.push_back(*index);
    Send({{"call", json}});
    link_->Part(calls_);
  }

  void OnBoot(model::System& system,
              std::span<const Violation> violations) override {
    TellAll(StepView::kBoot, nullptr, 0, system, violations);
  }
  void OnStep(const Operation& operation, size_t, bool, int result,
              model::System& system,
              std::span<const Violation> violations) override {
    Send({{"result", result}});
    contract_.Apply(operation, result, last_.physical);
    TellAll(StepView::kOperation, &operation, result, system, violations);
  }
  void OnBlock(std::span<const SideBySide> operations,
               std::span<const uint32_t> indices, model::System& system,
               std::span<const Violation> violations) override {
    for (size_t i = 0; i < operations.size(); ++i) {
      if (!operations[i].returned) continue;
      Send({{"result", operations[i].result}, {"operation", indices[i]}});
      contract_.Apply(operations[i].operation, operations[i].result,
                      operations[i].physical);
    }
    for (const Violation& violation : violations) {
      const std::vector<unsigned> returned =
          ReturnedBefore(violation.event, operations, indices);
      TellOne(ViewOf(StepView::kBlock, nullptr, 0, system), violation,
              returned);
    }
  }
  void OnShutdown(model::System& system,
                  std::span<const Violation> violations) override {
    TellAll(StepView::kShutdown, nullptr, 0, system, violations);
  }

 private:
  // Which of the scenario's operations a call is; none: the next one does not
  // look like it, so it is what that one needs first.
  std::optional<size_t> Next(const Operation& operation) {
    if (operation.thread != 0) {
      return threads_[operation.thread][started_of_[operation.thread]++];
    }
    size_t index = next_;
    if (block_.exists() && index == block_.first && !started_.empty()) {
      index = block_.end;
    }
    if (index >= scenario_.operations.size() ||
        !(scenario_.operations[index] == operation)) {
      return std::nullopt;
    }
    next_ = index + 1;
    return index;
  }

  StepView ViewOf(StepView::Phase phase, const Operation* operation, int result,
                  model::System& system) {
    // Symptoms do not ask what was before: their programs see it themselves.
    const atsfuzz_observation& now = system.Observe();
    return {.machine = machine_,
            .contract = contract_,
            .phase = phase,
            .operation = operation,
            .result = result,
            .events = system.Events(),
            .before = now,
            .after = now,
            .blocks_unmapped = 0,
            .had_unflushed = false,
            .must_succeed_failed = false,
            .inconsistent = 0,
            .contested = 0,
            .findings = findings_};
  }

  void TellAll(StepView::Phase phase, const Operation* operation, int result,
               model::System& system, std::span<const Violation> violations) {
    if (violations.empty()) return;
    const StepView step = ViewOf(phase, operation, result, system);
    for (const Violation& violation : violations) TellOne(step, violation, {});
  }

  void TellOne(const StepView& step, const Violation& violation,
               std::span<const unsigned> returned) {
    Symptom symptom =
        SymptomOf({.violation = violation, .step = step, .returned = returned});
    symptom.calls = calls_;
    symptom.at_shutdown = step.phase == StepView::kShutdown;
    Send({{"shown", ToJson(violation, symptom)}});
  }

  // The calls of the block, by number, that had returned before its event.
  std::vector<unsigned> ReturnedBefore(int event,
                                       std::span<const SideBySide> operations,
                                       std::span<const uint32_t> indices) {
    std::vector<unsigned> returned;
    std::sort(started_.begin(), started_.end());
    const size_t before = calls_ - started_.size();
    for (size_t i = 0; event >= 0 && i < operations.size(); ++i) {
      if (!operations[i].returned ||
          operations[i].ended > static_cast<uint32_t>(event)) {
        continue;
      }
      const auto at = std::lower_bound(started_.begin(), started_.end(),
                                       size_t{indices[i]});
      returned.push_back(
          static_cast<unsigned>(before + (at - started_.begin())));
    }
    std::sort(returned.begin(), returned.end());
    return returned;
  }

  void Send(const Json& json) { link_->Send(Dump(json)); }

  const model::Scenario& scenario_;
  const model::Block block_;
  const std::vector<std::vector<size_t>> threads_;
  model::Contract contract_;
  const properties::Machine machine_;
  properties::Findings findings_;
  fuzz::Link* link_;
  fuzz::Call last_;
  size_t calls_ = 0, next_ = 0;
  // Operations of the block that have begun: their indices, and how many by
  // thread.
  std::vector<size_t> started_;
  std::array<size_t, 1 + ATSFUZZ_MAX_THREADS> started_of_ = {};
};

void RunInChild(const fuzz::LoadSystem& load, const model::Scenario& scenario,
                fuzz::Link& link) {
  const auto fail = [&](const absl::Status& status) {
    link.Send(Dump({{"error", std::string(status.message())},
                    {"code", static_cast<int>(status.code())}}));
  };
  const auto system = load();
  if (!system.ok()) return fail(system.status());
  link.Begin(0);
  Recorder recorder(scenario, (*system)->capabilities(), &link);
  fuzz::Recording recording(
      **system, [&](const fuzz::Call& call) { recorder.Tell(call); });
  const auto result = fuzz::Run(scenario, recording, {.listener = &recorder});
  if (!result.ok()) fail(result.status());
}

RecordedCall CallFrom(const Json& json, const model::Scenario& scenario) {
  RecordedCall call;
  call.call.through = model::FunctionId(json["through"].get<uint8_t>());
  call.call.physical = json["physical"].get<uint64_t>();
  if (json.contains("operation")) {
    call.operation = json["operation"].get<size_t>();
    call.call.operation = scenario.operations[*call.operation];
  } else {
    call.call.operation.kind = model::OperationKind::kDomainNew;
    call.call.operation.domain = model::DomainId(json["domain"].get<uint8_t>());
  }
  return call;
}

void TakeResult(const Json& json, RecordedRun* run) {
  auto call = std::prev(run->calls.end());
  if (json.contains("operation")) {
    const size_t operation = json["operation"].get<size_t>();
    call = std::find_if(run->calls.begin(), run->calls.end(),
                        [&](const RecordedCall& other) {
                          return other.operation == operation;
                        });
  }
  call->returned = true;
  call->result = json["result"].get<int>();
}

}  // namespace

absl::StatusOr<RecordedRun> Record(const fuzz::LoadSystem& load,
                                   const model::Scenario& scenario) {
  const auto child = fuzz::Child::Fork(
      fuzz::Child::Signals::kRecord,
      [&](fuzz::Link& link) { RunInChild(load, scenario, link); });
  RecordedRun run;
  for (const std::string& line : child->ReceiveAll(fuzz::kRunTimeoutMs)) {
    const Json json = Json::parse(line);
    if (json.contains("error")) {
      return absl::Status(
          static_cast<absl::StatusCode>(json["code"].get<int>()),
          json["error"].get<std::string>());
    }
    if (json.contains("call")) {
      run.calls.push_back(CallFrom(json["call"], scenario));
    } else if (json.contains("result")) {
      TakeResult(json, &run);
    } else {
      run.shown.push_back(ShownFrom(json["shown"]));
    }
  }
  if (!child->finished()) run.death = child->death();
  // Threads began their operations as the schedule had it.
  const auto by_thread = [](const RecordedCall& a, const RecordedCall& b) {
    return a.call.operation.thread != 0 && b.call.operation.thread != 0 &&
           *a.operation < *b.operation;
  };
  const auto in_block = [](const RecordedCall& call) {
    return call.call.operation.thread != 0;
  };
  const auto first = std::find_if(run.calls.begin(), run.calls.end(), in_block);
  const auto last = std::find_if_not(first, run.calls.end(), in_block);
  std::sort(first, last, by_thread);
  return run;
}

}  // namespace atsfuzz::reproduce
