#include "reproduce/recorded_arrays.h"

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzz/child.h"
#include "fuzz/round.h"
#include "fuzz/run.h"
#include "linux/kunit.h"
#include "linux/kunit/calls_table.h"
#include "linux/kunit/invs_table.h"
#include "linux/system.h"

namespace atsfuzz::reproduce {
namespace {

using Json = nlohmann::json;
using properties::Violation;

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// ---- The child's side.

// The calls that have come since the last time.
Json NewCalls(const atsfuzz_invs_calls& table, const std::string& why,
              uint32_t* sent) {
  uint32_t count = 0;
  const atsfuzz_invs_call* calls = table.calls(&count);
  const atsfuzz_invs_entry* entries = table.entries();
  Json all = Json::array();
  for (; *sent < count; ++*sent) {
    const atsfuzz_invs_call& call = calls[*sent];
    Json list = Json::array();
    for (uint32_t i = 0; i < call.count; ++i) {
      const atsfuzz_invs_entry& entry = entries[call.first + i];
      list.push_back({entry.smmu, entry.type, entry.id, entry.ssid});
    }
    all.push_back({{"kind", call.kind},
                   {"array", call.array},
                   {"result", call.result},
                   {"list", list},
                   {"why", why}});
  }
  return all;
}

Json ToJson(const Violation& violation, uint32_t array, size_t calls) {
  return {{"invariant", static_cast<int>(violation.invariant)},
          {"message", violation.message},
          {"expected", violation.expected},
          {"found", violation.found},
          {"array", array},
          {"calls", calls}};
}

class ArrayRecorder : public fuzz::RunListener {
 public:
  ArrayRecorder(const model::Scenario& scenario,
                const atsfuzz_invs_calls& table, fuzz::Link* link)
      : scenario_(scenario), table_(table), link_(link) {}

  void OnBoot(model::System& system, std::span<const Violation>) override {
    table_.record(1);
  }
  void OnStep(const model::Operation& operation, size_t, bool, int,
              model::System& system,
              std::span<const Violation> violations) override {
    Tell(ToText(scenario_.topology, operation), system, violations);
  }
  void OnBlock(std::span<const properties::SideBySide> operations,
               std::span<const uint32_t>, model::System& system,
               std::span<const Violation> violations) override {
    std::vector<std::string> texts;
    for (const properties::SideBySide& side : operations) {
      texts.push_back(ToText(scenario_.topology, side.operation));
    }
    Tell(absl::StrJoin(texts, " | "), system, violations);
  }

 private:
  void Tell(const std::string& why, model::System& system,
            std::span<const Violation> violations) {
    link_->Send(Dump({{"calls", NewCalls(table_, why, &sent_)}}));
    for (const Violation& violation : violations) {
      link_->Send(Dump(
          {{"shown", ToJson(violation, ArrayOf(violation, system), sent_)}}));
    }
  }

  uint32_t ArrayOf(const Violation& violation, model::System& system) {
    if (violation.subject.kind == model::Fact::kArray) {
      return table_.array_of(violation.subject.index);
    }
    // A warning of the functions themselves is about what they were last given.
    if (violation.event < 0 || sent_ == 0) return 0;
    const atsfuzz_event& event =
        system.Events()[static_cast<size_t>(violation.event)];
    if (event.kernel_function == nullptr ||
        !absl::StartsWith(event.kernel_function, "arm_smmu_inv")) {
      return 0;
    }
    uint32_t count = 0;
    const atsfuzz_invs_call& last = table_.calls(&count)[sent_ - 1];
    return last.result != 0 ? last.result : last.array;
  }

  const model::Scenario& scenario_;
  const atsfuzz_invs_calls& table_;
  fuzz::Link* link_;
  uint32_t sent_ = 0;
};

absl::Status HasNone(const std::string& name) {
  return absl::FailedPreconditionError(
      absl::StrCat(name, " has no invalidation arrays"));
}

// Runs `body` with the recording table of the suite; what fails is told.
void WithTable(
    const std::string& suite, const std::string& name, fuzz::Link& link,
    const std::function<absl::Status(const linux_driver::Suite&,
                                     const atsfuzz_invs_calls&)>& body) {
  const auto run = [&]() -> absl::Status {
    const auto loaded = linux_driver::Suite::Load(suite);
    if (!loaded.ok()) return loaded.status();
    const auto* table = static_cast<const atsfuzz_invs_calls*>(
        (*loaded)->Symbol(ATSFUZZ_INVS_CALLS_SYMBOL));
    if (table == nullptr) return HasNone(name);
    link.Begin(0);
    absl::Status ran = body(**loaded, *table);
    if (ran.ok() && table->overflow() != 0) {
      return absl::FailedPreconditionError(
          "asks too much of invalidation arrays to write it down: shrink it");
    }
    return ran;
  };
  const absl::Status status = run();
  if (status.ok()) return;
  link.Send(Dump({{"error", std::string(status.message())},
                  {"code", static_cast<int>(status.code())}}));
}

// ---- The parent's.

ArrayCall CallFrom(const Json& json) {
  ArrayCall call;
  call.kind = static_cast<ArrayCall::Kind>(json["kind"].get<int>());
  json["array"].get_to(call.array);
  json["result"].get_to(call.result);
  json["why"].get_to(call.why);
  for (const Json& entry : json["list"]) {
    call.list.push_back({entry[0].get<uint64_t>(), entry[1].get<uint32_t>(),
                         entry[2].get<uint32_t>(), entry[3].get<uint32_t>()});
  }
  return call;
}

ShownArray ShownFrom(const Json& json) {
  ShownArray shown;
  shown.violation.invariant =
      static_cast<properties::Invariant>(json["invariant"].get<int>());
  json["message"].get_to(shown.violation.message);
  json["expected"].get_to(shown.violation.expected);
  json["found"].get_to(shown.violation.found);
  json["array"].get_to(shown.array);
  json["calls"].get_to(shown.calls);
  return shown;
}

absl::StatusOr<RecordedArrays> InChild(
    const std::function<void(fuzz::Link&)>& body) {
  const auto child = fuzz::Child::Fork(fuzz::Child::Signals::kRecord, body);
  RecordedArrays recorded;
  for (const std::string& line : child->ReceiveAll(fuzz::kRunTimeoutMs)) {
    const Json json = Json::parse(line);
    if (json.contains("error")) {
      return absl::Status(
          static_cast<absl::StatusCode>(json["code"].get<int>()),
          json["error"].get<std::string>());
    }
    for (const Json& call : json.value("calls", Json::array())) {
      recorded.calls.push_back(CallFrom(call));
    }
    if (json.contains("shown")) {
      recorded.shown.push_back(ShownFrom(json["shown"]));
    }
  }
  if (!child->finished() && recorded.shown.empty()) {
    return absl::FailedPreconditionError(
        "kills the kernel before it shows anything of an array");
  }
  return recorded;
}

}  // namespace

static_assert(static_cast<int>(ArrayCall::kMerge) == ATSFUZZ_INVS_CALL_MERGE);
static_assert(static_cast<int>(ArrayCall::kUnref) == ATSFUZZ_INVS_CALL_UNREF);
static_assert(static_cast<int>(ArrayCall::kPurge) == ATSFUZZ_INVS_CALL_PURGE);

absl::StatusOr<RecordedArrays> RecordArrays(const std::string& suite,
                                            const std::string& name,
                                            const model::Scenario& scenario) {
  return InChild([&](fuzz::Link& link) {
    WithTable(suite, name, link,
              [&](const linux_driver::Suite&, const atsfuzz_invs_calls& table) {
                const auto system = linux_driver::LoadModule(suite, name);
                if (!system.ok()) return system.status();
                ArrayRecorder recorder(scenario, table, &link);
                return fuzz::Run(scenario, **system, {.listener = &recorder})
                    .status();
              });
  });
}

absl::StatusOr<RecordedArrays> RecordArrays(const std::string& suite,
                                            const std::string& bytes) {
  const auto run = [&](const linux_driver::Suite& loaded,
                       const atsfuzz_invs_calls& table, fuzz::Link& link) {
    const auto* invs =
        static_cast<const atsfuzz_invs*>(loaded.Symbol(ATSFUZZ_INVS_SYMBOL));
    if (invs == nullptr) return HasNone("this kernel");
    table.record(1);
    char error[512] = "";
    const int ran = invs->run(reinterpret_cast<const uint8_t*>(bytes.data()),
                              bytes.size(), error, sizeof(error));
    uint32_t sent = 0;
    link.Send(Dump({{"calls", NewCalls(table, "", &sent)}}));
    if (ran >= 0 || sent == 0) return absl::OkStatus();
    Violation violation;
    violation.invariant = properties::Invariant::kArrayWellFormed;
    violation.message = error;
    violation.expected = "a multiset";
    violation.found = error;
    uint32_t count = 0;
    const atsfuzz_invs_call& last = table.calls(&count)[sent - 1];
    link.Send(
        Dump({{"shown",
               ToJson(violation, last.result != 0 ? last.result : last.array,
                      sent)}}));
    return absl::OkStatus();
  };
  return InChild([&](fuzz::Link& link) {
    WithTable(suite, "this kernel", link,
              [&](const linux_driver::Suite& loaded,
                  const atsfuzz_invs_calls& table) {
                return run(loaded, table, link);
              });
  });
}

}  // namespace atsfuzz::reproduce
