#include "fuzz/design.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "cli/command.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "model/text.h"

namespace atsfuzz::cli {
namespace {

using fuzz::AssumptionName;
using fuzz::DesignSet;
using fuzz::kAssumptions;
using fuzz::Verdict;

constexpr char kAbout[] =
    "Which fixes suffice? Runs the abstract machine with every combination of\n"
    "the fix switches, judges it by every invariant, honestly and under each\n"
    "fault that a driver could see, and prints the smallest sets that suffice\n"
    "and the shortest counterexamples of those that do not.";

constexpr char kExamples[] =
    "  atsfuzz design\n"
    "  atsfuzz design --base=6.12 --runs=10000\n"
    "  atsfuzz design --json\n";

struct DesignFlags {
  std::string base = "7.2";
  uint64_t runs = 2000, depth = 6, seed = 1;
  bool json = false;

  void AddTo(Flags* flags) {
    flags->Add("base", "DESIGN",
               "What the fixes are added to: 6.12 (two phases) or 7.2 (with "
               "arrays; default), its own fixes left out.",
               &base);
    flags->Add("runs", "N",
               "Generated scenarios for each set and assumption (default "
               "2000).",
               &runs);
    flags->Add("depth", "N",
               "Operations of the breadth-first search (default 6).", &depth);
    flags->Add("seed", "N", "Of the generated scenarios (default 1).", &seed);
    flags->Add("json", "Prints one JSON object.", &json);
  }
};

std::string SetName(const DesignSet& set) {
  return set.switches.empty() ? "nothing" : absl::StrJoin(set.switches, ", ");
}

// The scenario without the lines that say nothing, in one line.
std::string OneLine(const model::Scenario& scenario) {
  const std::string text = model::Print(scenario);
  std::vector<std::string> lines =
      absl::StrSplit(text, '\n', absl::SkipWhitespace());
  for (std::string& line : lines) {
    const std::vector<std::string> words =
        absl::StrSplit(line, ' ', absl::SkipWhitespace());
    line = absl::StrJoin(words, " ");
  }
  return absl::StrJoin(lines, "; ");
}

bool Suffices(const DesignSet& set) {
  return set.usable &&
         std::all_of(set.verdicts.begin(), set.verdicts.end(),
                     [](const Verdict& verdict) { return verdict.sufficient; });
}

// The sets that a mail would propose, whether or not they suffice.
struct Proposal {
  const char* name;
  std::vector<std::string> switches;
};
const std::vector<Proposal>& Proposals() {
  static const std::vector<Proposal>& proposals = *new std::vector<Proposal>{
      {"nothing", {}},
      {"the seed alone (v4 3/5)",
       {"prepare-if-supported=on", "prepare-failure=fatal"}},
      {"the PCI checks alone", {"pf-aware-support=on", "vf-stu-check=on"}},
      {"the seed and the STU check",
       {"vf-stu-check=on", "prepare-if-supported=on", "prepare-failure=fatal"}},
      {"7.2", {"prepare-if-supported=on", "prepare-failure=unwound"}},
      {"7.3",
       {"pf-aware-support=on", "vf-stu-check=on", "prepare-if-supported=on",
        "prepare-failure=unwound"}},
      {"7.3, belief as the device",
       {"pf-aware-support=on", "vf-stu-check=on", "prepare-if-supported=on",
        "prepare-failure=unwound", "enable-failure=follows-device"}},
      {"7.3, rolled back",
       {"pf-aware-support=on", "vf-stu-check=on", "prepare-if-supported=on",
        "prepare-failure=unwound", "enable-failure=rolled-back"}},
      {"7.3, retried",
       {"pf-aware-support=on", "vf-stu-check=on", "prepare-if-supported=on",
        "prepare-failure=unwound", "enable-failure=retried"}},
  };
  return proposals;
}

std::string MinimalText(const std::vector<DesignSet>& sets) {
  std::string text;
  for (size_t a = 0; a < kAssumptions.size(); ++a) {
    absl::StrAppendFormat(&text, "\n%s: ", AssumptionName(kAssumptions[a]));
    size_t sufficient = 0;
    std::string minimal;
    for (const DesignSet& set : sets) {
      sufficient += set.usable && set.verdicts[a].sufficient;
      if (set.verdicts[a].minimal) {
        absl::StrAppend(&minimal, "  ", SetName(set), "\n");
      }
    }
    absl::StrAppend(&text, sufficient, " of ", sets.size(), " sets suffice",
                    minimal.empty() ? "\n" : "; the minimal ones:\n", minimal);
  }
  return text;
}

std::string ProposalText(const Proposal& proposal, const DesignSet& set) {
  std::string text =
      absl::StrCat("\n", proposal.name, ": ", SetName(set), "\n");
  for (size_t a = 0; a < kAssumptions.size(); ++a) {
    const Verdict& verdict = set.verdicts[a];
    const absl::string_view assumption = AssumptionName(kAssumptions[a]);
    if (verdict.sufficient) {
      absl::StrAppendFormat(&text, "  %-12s suffices\n", assumption);
      continue;
    }
    absl::StrAppendFormat(
        &text, "  %-12s %s in %d: %s\n               %s\n", assumption,
        properties::InvariantName(verdict.violation.invariant),
        verdict.counterexample.operations.size(),
        OneLine(verdict.counterexample), verdict.violation.message);
  }
  return text;
}

std::string ScopeText(const DesignFlags& flags,
                      const std::vector<DesignSet>& sets) {
  uint64_t states = 0, operations = 0;
  for (const DesignSet& set : sets) {
    for (const Verdict& verdict : set.verdicts) {
      states += verdict.states;
      operations += verdict.operations;
    }
  }
  return absl::StrFormat(
      "\n\"suffices\" means: no violation of any invariant in any state that "
      "%d operations\nreach on %d small machines (PF and VF), nor in %d "
      "generated scenarios: %d states\nand %d operations in all; and a "
      "function without ATS can be probed. Streams "
      "listed twice, PASIDs, groups, resets and nesting\nare outside the "
      "question.\n",
      flags.depth, fuzz::Machines().size(), flags.runs, states, operations);
}

nlohmann::ordered_json VerdictJson(const Verdict& verdict) {
  nlohmann::ordered_json json;
  json["sufficient"] = verdict.sufficient;
  json["minimal"] = verdict.minimal;
  json["complete"] = verdict.complete;
  if (!verdict.sufficient) {
    json["invariant"] =
        std::string(properties::InvariantName(verdict.violation.invariant));
    json["operations"] = verdict.counterexample.operations.size();
    json["counterexample"] = model::Print(verdict.counterexample);
  }
  return json;
}

nlohmann::ordered_json SetJson(const DesignSet& set) {
  nlohmann::ordered_json json;
  json["switches"] = set.switches;
  const bool sufficient = Suffices(set);
  json["sufficient"] = sufficient;
  json["usable"] = set.usable;
  json["minimal"] = false;  // the caller knows the others
  for (size_t a = 0; a < kAssumptions.size(); ++a) {
    json["assumptions"][std::string(AssumptionName(kAssumptions[a]))] =
        VerdictJson(set.verdicts[a]);
    if (!set.verdicts[a].sufficient && !json.contains("counterexample")) {
      json["counterexample"] = model::Print(set.verdicts[a].counterexample);
    }
  }
  return json;
}

bool IsSubset(const DesignSet& a, const DesignSet& b) {
  return a.switches.size() < b.switches.size() &&
         std::all_of(a.switches.begin(), a.switches.end(),
                     [&](const std::string& choice) {
                       return std::count(b.switches.begin(), b.switches.end(),
                                         choice) != 0;
                     });
}

void PrintJson(const DesignFlags& flags, const std::vector<DesignSet>& sets) {
  nlohmann::ordered_json json;
  json["base"] = flags.base;
  json["depth"] = flags.depth;
  json["runs"] = flags.runs;
  json["seed"] = flags.seed;
  json["sets"] = nlohmann::ordered_json::array();
  for (const DesignSet& set : sets) {
    nlohmann::ordered_json one = SetJson(set);
    one["minimal"] =
        Suffices(set) &&
        std::none_of(sets.begin(), sets.end(), [&](const DesignSet& other) {
          return Suffices(other) && IsSubset(other, set);
        });
    json["sets"].push_back(std::move(one));
  }
  printf("%s\n", json.dump(2).c_str());
}

void PrintText(const DesignFlags& flags, const std::vector<DesignSet>& sets) {
  printf("fixes added to model:%s, %zu sets, seed %llu\n", flags.base.c_str(),
         sets.size(), static_cast<unsigned long long>(flags.seed));
  fputs(MinimalText(sets).c_str(), stdout);
  for (const Proposal& proposal : Proposals()) {
    for (const DesignSet& set : sets) {
      if (set.switches == proposal.switches) {
        fputs(ProposalText(proposal, set).c_str(), stdout);
      }
    }
  }
  fputs(ScopeText(flags, sets).c_str(), stdout);
}

}  // namespace

int Design(const std::vector<std::string>& arguments) {
  DesignFlags flags;
  Flags parser("design [FLAGS]", kAbout, kExamples);
  flags.AddTo(&parser);
  const auto rest = parser.Parse(arguments);
  if (!rest.ok()) return Fail(rest.status());
  if (parser.help_wanted()) {
    fputs(parser.Help().c_str(), stdout);
    return kClean;
  }
  if (!rest->empty()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("design takes no files: ", rest->front())));
  }
  const auto base = machine::ParseDesign(flags.base);
  if (!base.ok()) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("--base=", flags.base, ": ", base.status().message())));
  }
  CatchInterrupts();
  fuzz::DesignOptions options;
  options.base = *base;
  options.runs = flags.runs;
  options.depth = static_cast<int>(std::min<uint64_t>(flags.depth, 64));
  options.seed = flags.seed;
  options.interrupted = Interrupted;
  if (isatty(2) != 0) {
    options.progress = [](size_t done, size_t sets) {
      fprintf(stderr, "\r%zu of %zu sets ", done, sets);
      fflush(stderr);
    };
  }
  const std::vector<DesignSet> sets = fuzz::SearchDesigns(options);
  if (options.progress) fputs("\r\033[K", stderr);
  if (flags.json) {
    PrintJson(flags, sets);
  } else {
    PrintText(flags, sets);
  }
  return kClean;
}

}  // namespace atsfuzz::cli
