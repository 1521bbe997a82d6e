#include "fuzz/sanitized.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "fuzz/child.h"
#include "fuzz/run.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;

Json ToJson(const Death& death) {
  Json stack = Json::array();
  for (const Frame& frame : death.stack) {
    stack.push_back({frame.module, frame.offset});
  }
  return {{"hung", death.hung},
          {"signal", death.signal},
          {"error", death.error},
          {"report", death.report},
          {"stack", stack}};
}

Death DeathFrom(const Json& json) {
  Death death;
  json["hung"].get_to(death.hung);
  json["signal"].get_to(death.signal);
  json["error"].get_to(death.error);
  json["report"].get_to(death.report);
  for (const Json& frame : json["stack"]) {
    death.stack.push_back({frame[0], frame[1]});
  }
  return death;
}

// Tells the parent which operation runs.
class PartListener : public RunListener {
 public:
  explicit PartListener(Link* link) : link_(link) {}
  void OnStep(const model::Operation&, size_t, bool implicit, int,
              model::System&, std::span<const properties::Violation>) override {
    if (!implicit) link_->Part(++steps_);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t>, model::System&,
               std::span<const properties::Violation>) override {
    link_->Part(steps_ += operations.size());
  }

 private:
  Link* link_;
  uint64_t steps_ = 0;
};

Json RunIn(model::System& system, const model::Scenario& scenario, Link& link) {
  PartListener listener(&link);
  const auto result =
      Run(scenario, system, {.drop_impossible = true, .listener = &listener});
  Json invariants = Json::array();
  if (result.ok()) {
    for (const properties::Violation& violation : result->violations) {
      invariants.push_back(std::string(InvariantName(violation.invariant)));
    }
  }
  return {{"invariants", invariants}};
}

// Answers for scenarios[from...] until one dies or all are done.
void ServeFrom(const LoadSystem& load,
               const std::vector<model::Scenario>& scenarios, Json* answers) {
  const auto child = Child::Fork(Child::Signals::kLeave, [&](Link& link) {
    link.Begin(answers->size());
    const auto system = load();
    if (!system.ok()) {
      link.Send(Json{{"error", std::string(system.status().message())}}.dump());
      return;
    }
    for (size_t i = answers->size(); i < scenarios.size(); ++i) {
      link.Begin(i);
      link.Send(RunIn(**system, scenarios[i], link).dump());
    }
  });
  for (const std::string& line : child->ReceiveAll(kRunTimeoutMs)) {
    answers->push_back(Json::parse(line));
  }
  if (!child->finished()) {
    answers->push_back(
        {{"death", ToJson(child->death())}, {"operation", child->part()}});
  }
}

}  // namespace

SanitizedProgram::SanitizedProgram(LineProgram program)
    : program_(std::move(program)) {}

absl::StatusOr<SanitizedProgram> SanitizedProgram::Start(
    const std::vector<std::string>& argv) {
  auto program = LineProgram::Start(argv);
  if (!program.ok()) return program.status();
  return SanitizedProgram(*std::move(program));
}

absl::Status SanitizedProgram::Send(
    const std::vector<model::Scenario>& scenarios) {
  Json texts = Json::array();
  for (const model::Scenario& scenario : scenarios) {
    texts.push_back(model::Print(scenario));
  }
  return program_.Send(Json{{"scenarios", texts}}.dump());
}

absl::StatusOr<std::vector<SanitizedRun>> SanitizedProgram::Receive() {
  const auto line = program_.Receive();
  if (!line.ok()) return line.status();
  std::vector<SanitizedRun> runs;
  for (const Json& answer : Json::parse(*line)) {
    if (answer.contains("error")) {
      return absl::UnavailableError(answer["error"].get<std::string>());
    }
    SanitizedRun& run = runs.emplace_back();
    if (answer.contains("death")) {
      run.death = DeathFrom(answer["death"]);
      answer["operation"].get_to(run.operation);
    } else {
      answer["invariants"].get_to(run.invariants);
    }
  }
  return runs;
}

void ServeSanitized(const LoadSystem& load, std::istream& in,
                    std::ostream& out) {
  for (std::string line; std::getline(in, line);) {
    std::vector<model::Scenario> scenarios;
    Json answers = Json::array();
    const Json request = Json::parse(line);
    for (const Json& text : request["scenarios"]) {
      auto scenario = model::Parse(text.get<std::string>(), "request");
      if (scenario.ok()) scenarios.push_back(*std::move(scenario));
    }
    while (answers.size() < scenarios.size()) {
      ServeFrom(load, scenarios, &answers);
      if (answers.size() == 1 && answers[0].contains("error")) break;
    }
    out << answers.dump() << std::endl;
  }
}

}  // namespace atsfuzz::fuzz
