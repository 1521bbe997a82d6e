#include "reproduce/array_story.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/observation.h"

namespace atsfuzz::reproduce {
namespace {

const char* TypeText(uint32_t type) {
  switch (type) {
    case ATSFUZZ_INV_S1_ASID:
      return "S1_ASID";
    case ATSFUZZ_INV_S2_VMID:
      return "S2_VMID";
    case ATSFUZZ_INV_S2_VMID_S1_CLEAR:
      return "S2_VMID_S1_CLEAR";
    case ATSFUZZ_INV_ATS:
      return "ATS";
    case ATSFUZZ_INV_ATS_FULL:
      return "ATS_FULL";
    default:
      return "unknown type";
  }
}

// What one array should hold.
struct Content {
  // Users by copy.
  std::map<ArrayEntry, std::vector<int>> users;
  std::vector<ArrayList> lists;  // that have joined and not left
  // Entries that are trash by now, as far as an array keeps them.
  std::set<std::pair<ArrayEntry, size_t>> trash;

  std::vector<LiveEntry> Live() const {
    std::vector<LiveEntry> live;
    for (const auto& [entry, copies] : users) {
      for (int count : copies) {
        if (count != 0) live.push_back({entry, count});
      }
    }
    return live;
  }
};

// Which copy of its entry the i-th of a list is.
size_t CopyOf(const ArrayList& list, size_t i) {
  size_t copy = 0;
  while (copy < i && list[i - copy - 1] == list[i]) ++copy;
  return copy;
}

void Join(const ArrayList& list, Content* content) {
  for (size_t i = 0; i < list.size(); ++i) {
    std::vector<int>& copies = content->users[list[i]];
    const size_t copy = CopyOf(list, i);
    if (copies.size() <= copy) copies.resize(copy + 1);
    ++copies[copy];
  }
  content->lists.push_back(list);
  content->trash.clear();  // a new array has none
}

void Leave(StoryStep* step, Content* content) {
  const ArrayList& list = step->call.list;
  const auto joined =
      std::find(content->lists.begin(), content->lists.end(), list);
  if (joined != content->lists.end()) {
    content->lists.erase(joined);
  } else {
    step->misuse = "a list leaves that has not joined";
  }
  for (size_t i = 0; i < list.size(); ++i) {
    std::vector<int>& copies = content->users[list[i]];
    const size_t copy = CopyOf(list, i);
    if (copies.size() <= copy || copies[copy] == 0) {
      step->misuse =
          absl::StrCat(ToText(list[i]), " leaves, and is not in the array");
      continue;
    }
    if (--copies[copy] != 0) continue;
    step->gone.push_back(i);
    content->trash.insert({list[i], copy});
  }
  // The array ends with a live entry. Of equal ones, later copies have fewer
  // users.
  const std::vector<LiveEntry> live = content->Live();
  std::erase_if(content->trash, [&](const auto& trash) {
    return live.empty() || live.back().entry <= trash.first;
  });
}

// The numbers of `last` and its forerunners.
std::set<uint32_t> LineOf(const std::vector<ArrayCall>& calls, uint32_t last) {
  std::set<uint32_t> line = {last};
  for (size_t i = calls.size(); i-- > 0;) {
    if (calls[i].result != 0 && calls[i].result == *line.begin() &&
        calls[i].array != 0) {
      line.insert(calls[i].array);
    }
  }
  return line;
}

}  // namespace

std::string ToText(const ArrayEntry& entry) {
  const bool ats =
      entry.type == ATSFUZZ_INV_ATS || entry.type == ATSFUZZ_INV_ATS_FULL;
  std::string text =
      ats ? absl::StrFormat("%s 0x%x", TypeText(entry.type), entry.id)
          : absl::StrFormat("%s %d", TypeText(entry.type), entry.id);
  if (ats && entry.ssid != 0) absl::StrAppend(&text, " PASID ", entry.ssid);
  return text;
}

std::vector<StoryStep> StoryOf(const std::vector<ArrayCall>& calls,
                               uint32_t last) {
  const std::set<uint32_t> line = LineOf(calls, last);
  std::map<uint32_t, Content> contents;
  std::vector<StoryStep> story;
  for (const ArrayCall& call : calls) {
    if (!line.contains(call.array)) continue;
    StoryStep& step = story.emplace_back();
    step.call = call;
    step.dropped = call.result != 0 && !line.contains(call.result);
    if (!std::is_sorted(call.list.begin(), call.list.end())) {
      step.misuse = "the list is not sorted";
    }
    Content& before = contents[call.array];
    step.has_trash = !before.trash.empty();
    Content after = before;
    if (call.kind == ArrayCall::kMerge) Join(call.list, &after);
    if (call.kind == ArrayCall::kUnref) Leave(&step, &after);
    if (call.kind == ArrayCall::kPurge) after.trash.clear();
    step.expected = after.Live();
    const uint32_t becomes =
        call.kind == ArrayCall::kUnref ? call.array : call.result;
    if (becomes != 0) contents[becomes] = after;
  }
  return story;
}

}  // namespace atsfuzz::reproduce
