#include "fuzz/difference.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace atsfuzz::fuzz {
namespace {

using Json = nlohmann::json;
using model::Location;

std::vector<Location> StackOf(const Observed* observed, model::System& system) {
  if (observed == nullptr || !system.Locates()) return {};
  const auto events = system.Events();
  if (observed->event >= 0 &&
      static_cast<size_t>(observed->event) < events.size()) {
    return system.Locate(events[static_cast<size_t>(observed->event)]);
  }
  if (observed->fact.kind == model::Fact::kNone) return {};
  return system.LastWriter(observed->fact);
}

std::vector<Location> StackOfEvent(int event, model::System& system) {
  Observed observed;
  observed.event = event;
  return event < 0 ? std::vector<Location>() : StackOf(&observed, system);
}

// One comparison: two lists of observed things at a time, until something
// differs.
class Comparison {
 public:
  Comparison(const model::Topology& topology, const model::Operation* operation,
             model::System& left, model::System& right, AllowedCounts* allowed)
      : topology_(topology),
        operation_(operation),
        left_(left),
        right_(right),
        allowed_(*allowed) {
    allowed_.resize(AllowedDifferences().size());
  }

  // Both are sorted.
  std::optional<Difference> Lists(const Observations& left,
                                  const Observations& right) {
    size_t l = 0, r = 0;
    while (l < left.size() || r < right.size()) {
      const Observed* a = l < left.size() ? &left[l] : nullptr;
      const Observed* b = r < right.size() ? &right[r] : nullptr;
      if (a != nullptr && b != nullptr && *a == *b) {
        ++l, ++r;
        continue;
      }
      if (a != nullptr && b != nullptr && !a->SameSubject(*b)) {
        (*a < *b ? b : a) = nullptr;
      }
      l += a != nullptr, r += b != nullptr;
      if (IsAllowed(a, b)) continue;
      const Observed& any = a != nullptr ? *a : *b;
      Difference difference = MakeDifference(
          any.kind, operation_, SubjectText(topology_, operation_, any),
          Text(a), Text(b));
      difference.signature =
          absl::StrCat(difference.kind, "-", SubjectKind(operation_, any));
      difference.left_stack = StackOf(a, left_);
      difference.right_stack = StackOf(b, right_);
      return difference;
    }
    return std::nullopt;
  }

  // In order of happening.
  std::optional<Difference> Sequences(const Observations& left,
                                      const Observations& right) {
    size_t l = 0, r = 0;
    const Observed *a = nullptr, *b = nullptr;
    for (;;) {
      a = l < left.size() ? &left[l] : nullptr;
      b = r < right.size() ? &right[r] : nullptr;
      if (a == nullptr && b == nullptr) return std::nullopt;
      if (a != nullptr && b != nullptr && *a == *b) {
        ++l, ++r;
      } else if (a != nullptr && IsAllowed(a, nullptr)) {
        ++l;
      } else if (b != nullptr && IsAllowed(nullptr, b)) {
        ++r;
      } else {
        break;
      }
    }
    uint64_t position = ~uint64_t{0};
    if (a != nullptr) position = a->subject[0];
    if (b != nullptr) position = std::min(position, b->subject[0]);
    const Observed& any = a != nullptr ? *a : *b;
    Difference difference = MakeDifference(
        any.kind, operation_, SubjectText(topology_, operation_, any),
        SequenceText(left, position), SequenceText(right, position));
    difference.left_stack = StackOf(a, left_);
    difference.right_stack = StackOf(b, right_);
    return difference;
  }

  std::optional<Difference> Warnings(const ObservedEvents& left,
                                     const ObservedEvents& right) {
    const bool names_all = !HasUnnamed(left) && !HasUnnamed(right);
    if (names_all ? left.warnings == right.warnings
                  : left.warnings.empty() == right.warnings.empty()) {
      return std::nullopt;
    }
    Observed observed;
    observed.kind = ObservedKind::kWarning;
    const Observed* shown = &observed;
    if (IsAllowed(left.warnings.empty() ? nullptr : shown,
                  left.warnings.empty() ? shown : nullptr)) {
      return std::nullopt;
    }
    Difference difference =
        MakeDifference(ObservedKind::kWarning, operation_, "WARN",
                       WarningText(left), WarningText(right));
    difference.left_stack = StackOfEvent(left.first_warning, left_);
    difference.right_stack = StackOfEvent(right.first_warning, right_);
    return difference;
  }

 private:
  static bool HasUnnamed(const ObservedEvents& events) {
    return !events.warnings.empty() && events.warnings.front().empty();
  }
  static std::string WarningText(const ObservedEvents& events) {
    if (events.warnings.empty()) return "none";
    return absl::StrCat("in ", absl::StrJoin(events.warnings, ", "));
  }

  bool IsAllowed(const Observed* left, const Observed* right) {
    const int by = AllowedBy({operation_, left, right});
    if (by < 0) return false;
    ++allowed_[static_cast<size_t>(by)];
    return true;
  }

  std::string Text(const Observed* observed) const {
    return observed == nullptr ? "none" : ValueText(topology_, *observed);
  }

  // From `position` on, up to the next group at which nobody looks any more.
  std::string SequenceText(const Observations& sequence,
                           uint64_t position) const {
    std::string text;
    uint64_t last = position;
    for (const Observed& element : sequence) {
      if (element.subject[0] < position) continue;
      absl::StrAppend(&text,
                      text.empty()                 ? ""
                      : element.subject[0] != last ? "; then "
                                                   : ", ",
                      OrderedText(topology_, element));
      last = element.subject[0];
    }
    return text.empty() ? "nothing more" : text;
  }

  const model::Topology& topology_;
  const model::Operation* operation_;
  model::System& left_;
  model::System& right_;
  AllowedCounts& allowed_;
};

Json ToJson(const std::vector<Location>& stack) {
  Json json = Json::array();
  for (const Location& place : stack) {
    json.push_back({place.function, place.file, place.line, place.text});
  }
  return json;
}

std::vector<Location> StackFrom(const Json& json) {
  std::vector<Location> stack;
  for (const Json& place : json) {
    stack.push_back({place[0], place[1], place[2], place[3]});
  }
  return stack;
}

}  // namespace

std::optional<Difference> CompareEnds(const model::Operation* operation,
                                      const Shown& left,
                                      model::System& left_system,
                                      const Shown& right,
                                      model::System& right_system) {
  const bool left_died = left.events.death >= 0;
  const bool right_died = right.events.death >= 0;
  if (left_died != right_died) {
    const auto text = [](const Shown& shown) {
      return shown.events.death >= 0 ? "dies" : "lives on";
    };
    Difference difference = MakeDifference(
        ObservedKind::kDeath, operation, "the kernel", text(left), text(right));
    difference.left_stack = StackOfEvent(left.events.death, left_system);
    difference.right_stack = StackOfEvent(right.events.death, right_system);
    return difference;
  }
  if (left_died || left.result == right.result) return std::nullopt;
  Observed a, b;
  a.value[0] = static_cast<uint64_t>(int64_t{left.result});
  b.value[0] = static_cast<uint64_t>(int64_t{right.result});
  return MakeDifference(ObservedKind::kReturn, operation, "return value",
                        ValueText({}, a), ValueText({}, b));
}

std::optional<Difference> Compare(const model::Topology& topology,
                                  const model::Operation* operation,
                                  const Shown& left, model::System& left_system,
                                  const Shown& right,
                                  model::System& right_system,
                                  AllowedCounts* allowed) {
  Comparison comparison(topology, operation, left_system, right_system,
                        allowed);
  auto difference = comparison.Warnings(left.events, right.events);
  if (!difference) difference = comparison.Lists(left.state, right.state);
  if (left.events.overflow || right.events.overflow) return difference;
  if (!difference) {
    difference =
        comparison.Sequences(left.events.sequence, right.events.sequence);
  }
  if (!difference) {
    difference = comparison.Lists(left.events.others, right.events.others);
  }
  return difference;
}

Difference MakeDifference(ObservedKind kind, const model::Operation* operation,
                          absl::string_view subject, absl::string_view left,
                          absl::string_view right) {
  Difference difference;
  difference.kind = std::string(ObservedKindName(kind));
  difference.subject = std::string(subject);
  difference.left = std::string(left);
  difference.right = std::string(right);
  Observed observed;
  observed.kind = kind;
  difference.signature =
      absl::StrCat(difference.kind, "-", SubjectKind(operation, observed));
  return difference;
}

std::string Serialize(const Difference& difference) {
  return Json{{"kind", difference.kind},
              {"subject", difference.subject},
              {"left", difference.left},
              {"right", difference.right},
              {"signature", difference.signature},
              {"operation", difference.operation},
              {"at_boot", difference.at_boot},
              {"implicit", difference.implicit},
              {"left_stack", ToJson(difference.left_stack)},
              {"right_stack", ToJson(difference.right_stack)}}
      .dump(-1, ' ', false, Json::error_handler_t::replace);
}

Difference ParseDifference(absl::string_view line) {
  const Json json = Json::parse(line.begin(), line.end());
  Difference difference;
  json["kind"].get_to(difference.kind);
  json["subject"].get_to(difference.subject);
  json["left"].get_to(difference.left);
  json["right"].get_to(difference.right);
  json["signature"].get_to(difference.signature);
  json["operation"].get_to(difference.operation);
  json["at_boot"].get_to(difference.at_boot);
  json["implicit"].get_to(difference.implicit);
  difference.left_stack = StackFrom(json["left_stack"]);
  difference.right_stack = StackFrom(json["right_stack"]);
  return difference;
}

}  // namespace atsfuzz::fuzz
