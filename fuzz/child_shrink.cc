#include "fuzz/child_shrink.h"

#include <poll.h>

#include <bit>
#include <cassert>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "fuzz/child.h"
#include "fuzz/faults.h"
#include "fuzz/sighting.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;

// Runs of the shrinker may be hopeless many times over: a hang is one sooner.
constexpr int kAttemptTimeoutMs = 2000;
constexpr int kPollMs = 20;

// The scenario with the fewest fault classes that still fails. A shrinker that
// starts with them all may end in a minimum that needs them.
model::Scenario WithFewestAssumptions(const model::Scenario& scenario,
                                      const Predicate& fails) {
  const uint8_t used = ClassesUsed(scenario);
  for (int count = 0; count < std::popcount(used); ++count) {
    for (uint8_t classes = 0; classes <= model::kAllFaults; ++classes) {
      if ((classes & ~used) != 0 || std::popcount(classes) != count) continue;
      model::Scenario candidate = scenario;
      for (model::Operation& operation : candidate.operations) {
        operation.faults = OnlyClasses(operation.faults, classes);
      }
      if (fails(candidate)) return candidate;
    }
  }
  return scenario;
}

// One child's worth of attempts.
void Attempt(const model::Scenario& scenario,
             const std::function<Predicate()>& make,
             const std::set<std::string>& deadly,
             const model::Capabilities& capabilities, Link& link) {
  const Predicate shows = make();
  if (!shows) return;
  uint64_t attempts = 0;
  const Predicate fails = [&](const model::Scenario& candidate) {
    const std::string text = model::Print(candidate);
    if (deadly.contains(text)) return false;
    link.Send(Json{{"try", text}}.dump());
    link.Begin(++attempts);
    const bool is_shown = shows(candidate);
    if (is_shown) link.Send(Json{{"shows", text}}.dump());
    return is_shown;
  };
  ShrinkStats stats;
  const model::Scenario result = Shrink(
      WithFewestAssumptions(scenario, fails), fails, &stats,
      [&link] { return link.Stopped(); }, capabilities);
  link.Send(
      Json{{"result", model::Print(result)}, {"minimal", !stats.interrupted}}
          .dump());
}

// What a child says: the candidate it is about to try is kept in `last`.
void Take(const std::string& line, std::string* last, ChildShrink* shrunk) {
  const Json json = Json::parse(line);
  if (json.contains("try")) {
    json["try"].get_to(*last);
    ++shrunk->attempts;
    return;
  }
  const bool is_result = json.contains("result");
  const auto better = model::Parse(
      json[is_result ? "result" : "shows"].get<std::string>(), "candidate");
  assert(better.ok());
  if (is_result) {
    shrunk->scenario = *better;
    shrunk->minimal = json["minimal"];
  } else if (Simpler(*better, shrunk->scenario)) {
    shrunk->scenario = *better;
  }
}

}  // namespace

ChildShrink ShrinkInChild(const model::Scenario& scenario,
                          const std::function<Predicate()>& make,
                          const std::function<bool()>& stop,
                          const model::Capabilities& capabilities) {
  ChildShrink shrunk;
  shrunk.scenario = scenario;
  // Candidates that killed a child; they are not tried again.
  std::set<std::string> deadly;
  for (bool finished = false; !finished;) {
    const auto child = Child::Fork(Child::Signals::kRecord, [&](Link& link) {
      Attempt(shrunk.scenario, make, deadly, capabilities, link);
    });
    std::string last;
    std::vector<std::string> lines;
    for (bool running = true; running;) {
      lines.clear();
      running = child->Receive(&lines);
      if (running && lines.empty()) {
        pollfd waiting = {child->fd(), POLLIN, 0};
        poll(&waiting, 1, kPollMs);
      }
      for (const std::string& line : lines) Take(line, &last, &shrunk);
      child->Watch(kAttemptTimeoutMs);
      if (stop && stop()) child->Stop();
    }
    finished = child->finished();
    if (!finished && !deadly.insert(last).second) finished = true;
  }
  return shrunk;
}

ChildShrink ShrinkHere(const model::Scenario& scenario, const Predicate& fails,
                       const std::function<bool()>& stop,
                       const model::Capabilities& capabilities) {
  ChildShrink shrunk;
  const Predicate counted = [&](const model::Scenario& candidate) {
    ++shrunk.attempts;
    return fails(candidate);
  };
  ShrinkStats stats;
  shrunk.scenario = Shrink(WithFewestAssumptions(scenario, counted), counted,
                           &stats, stop, capabilities);
  shrunk.minimal = !stats.interrupted;
  return shrunk;
}

}  // namespace atsfuzz::fuzz
