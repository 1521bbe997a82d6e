#include "reproduce/steps.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "model/block.h"
#include "model/text.h"
#include "report/names.h"
#include "reproduce/steps_parts.h"

namespace atsfuzz::reproduce {
namespace {

constexpr size_t kWidth = 80;

// `text` broken at blanks, its first line behind `first`, the others behind as
// many blanks.
std::string Item(absl::string_view first, absl::string_view text) {
  const std::string rest(first.size(), ' ');
  std::string out(first);
  size_t width = out.size();
  bool empty = true;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (!empty && width + 1 + word.size() > kWidth) {
      absl::StrAppend(&out, "\n", rest);
      width = rest.size();
      empty = true;
    }
    absl::StrAppend(&out, empty ? "" : " ", word);
    width += word.size() + (empty ? 0 : 1);
    empty = false;
  }
  return out + "\n";
}

std::string Items(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += Item("  - ", item);
  return text;
}

std::string Head(const Steps& steps) {
  return absl::StrCat(
      Item("",
           absl::StrCat(InvariantName(steps.invariant), ": ", steps.message)),
      Item("", absl::StrCat("Expected: ", steps.expected,
                            ". Found: ", steps.found, ".")),
      Item("", absl::StrCat("On ", steps.driver, "; ", steps.assumes, ".")),
      "Made by: ", steps.made_by, "\n",
      steps.changed.empty() ? "" : Item("", steps.changed));
}

std::string Machine(const Steps& steps) {
  return absl::StrCat(
      "\nThe machine\n\n", Items(MachineItems(steps.scenario.topology)),
      Item("  - ",
           absl::StrCat("a kernel with CONFIG_",
                        absl::StrJoin(KernelOptions(steps), ", CONFIG_"))));
}

// Tells the contract what a call did.
void Apply(const RecordedCall& call, model::Contract* contract) {
  if (!call.returned) return;
  contract->Apply(call.call.operation, call.result, call.call.physical);
}

std::string CallText(const Steps& steps, size_t i,
                     const model::Contract& before) {
  const RecordedCall& call = steps.run.calls[i];
  const Means means = MeansOf(call, before, steps.interfaces);
  std::string title = ToText(steps.scenario.topology, call.call.operation);
  if (!call.operation) title = absl::StrCat("(", title, ")");
  if (call.call.operation.thread != 0) {
    title = absl::StrCat("t", call.call.operation.thread - 1, ": ", title);
  }
  const std::string result =
      call.returned ? report::ResultName(call.result) : "never returns";
  std::string text = absl::StrCat(
      Item(absl::StrCat(i + 1 < 10 ? "   " : "  ", i + 1, ". "),
           absl::StrCat(title, result == "0" ? "" : "    returns " + result)),
      Item("      ", absl::StrCat(means.how, ".")));
  if (!means.obstacle.empty()) {
    text += Item("      ",
                 absl::StrCat("NOT from user space: ", means.obstacle, "."));
  }
  for (const std::string& fault : FaultItems(call.call.operation.faults)) {
    text += Item("      ", absl::StrCat("Fault: ", fault, "."));
  }
  return text;
}

std::string Calls(const Steps& steps) {
  std::string text = "\nWhat to do\n\n";
  const bool implicit = std::any_of(
      steps.run.calls.begin(), steps.run.calls.end(),
      [](const RecordedCall& call) { return !call.operation.has_value(); });
  if (implicit) text += "  In parentheses: what the next one needs.\n\n";
  model::Contract contract(steps.scenario.topology, steps.capabilities);
  bool in_block = false;
  for (size_t i = 0; i < steps.run.calls.size(); ++i) {
    const bool beside = steps.run.calls[i].call.operation.thread != 0;
    if (beside && !in_block) {
      text += "  Side by side, a process for each thread:\n";
    }
    if (!beside && in_block) text += "  When all have returned:\n";
    in_block = beside;
    text += CallText(steps, i, contract);
    Apply(steps.run.calls[i], &contract);
  }
  const std::vector<std::string> stops = ThreadItems(steps);
  if (in_block || !stops.empty()) {
    absl::StrAppend(
        &text,
        Item("  ",
             "It takes an order that no program can ask for: repeat it in a "
             "loop on all CPUs, or widen the windows (a kprobe whose handler "
             "waits with mdelay, in a test kernel):"),
        Items(stops));
  }
  return text;
}

}  // namespace

std::vector<size_t> NotDrivable(const Steps& steps) {
  std::vector<size_t> calls;
  model::Contract contract(steps.scenario.topology, steps.capabilities);
  for (size_t i = 0; i < steps.run.calls.size(); ++i) {
    const RecordedCall& call = steps.run.calls[i];
    if (!MeansOf(call, contract, steps.interfaces).obstacle.empty()) {
      calls.push_back(i);
    }
    Apply(call, &contract);
  }
  return calls;
}

std::optional<model::Scenario> WithClaims(
    const model::Scenario& scenario, const model::Capabilities& capabilities) {
  using model::OperationKind;
  model::Scenario claimed = scenario;
  claimed.operations.clear();
  model::Contract contract(scenario.topology, capabilities);
  const model::Block block = BlockOf(scenario);
  size_t block_begins = 0;  // in `claimed`
  bool added = false;
  for (size_t i = 0; i < scenario.operations.size(); ++i) {
    const model::Operation& operation = scenario.operations[i];
    if (i == block.first) block_begins = claimed.operations.size();
    const bool attaches = operation.kind == OperationKind::kAttach ||
                          operation.kind == OperationKind::kSetPasid;
    if (attaches && !contract.function(operation.function).owned) {
      model::Operation claim;
      claim.kind = OperationKind::kClaim;
      claim.function = operation.function;
      const size_t at =
          operation.thread != 0 ? block_begins : claimed.operations.size();
      claimed.operations.insert(
          claimed.operations.begin() + static_cast<ptrdiff_t>(at), claim);
      contract.Apply(claim, 0, 0);
      added = true;
    }
    claimed.operations.push_back(operation);
    contract.Apply(operation, 0, 0);
  }
  if (!added) return std::nullopt;
  return claimed;
}

std::string TextOf(const Steps& steps) {
  return absl::StrCat(
      Head(steps), Machine(steps), Calls(steps), "\nWhat there is to see\n\n",
      Items(SeenItems(steps)), "\nThe scenario\n\n", [&] {
        std::string text;
        for (absl::string_view line :
             absl::StrSplit(model::Print(steps.scenario), '\n')) {
          absl::StrAppend(&text, line.empty() ? "" : "  ", line, "\n");
        }
        text.pop_back();
        return text;
      }());
}

}  // namespace atsfuzz::reproduce
