#include "fuzz/design.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <memory>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "fuzz/generate.h"
#include "fuzz/run.h"
#include "fuzz/seed.h"
#include "fuzz/shrink.h"
#include "model/contract.h"
#include "model/machine/machine.h"
#include "model/machine/system.h"
#include "model/text.h"

namespace atsfuzz::fuzz {
namespace {

using machine::Design;
using machine::Machine;
using machine::State;
using machine::Switch;
using model::DomainId;
using model::FunctionId;
using model::Operation;
using model::OperationKind;
using model::Scenario;
using model::Topology;

constexpr absl::string_view kFixes[] = {"pf-aware-support", "vf-stu-check",
                                        "prepare-if-supported",
                                        "prepare-failure", "enable-failure"};

const Switch& Named(absl::string_view name) {
  for (const Switch& which : machine::Switches()) {
    if (which.name == name) return which;
  }
  assert(false && "every fix is a switch");
  return machine::Switches().front();
}

std::vector<Design> Combinations(const Design& base) {
  std::vector<Design> designs = {WithoutFixes(base)};
  for (absl::string_view name : kFixes) {
    const Switch& which = Named(name);
    std::vector<Design> more;
    for (int value = 0; value < static_cast<int>(which.values.size());
         ++value) {
      for (const Design& design : designs) {
        more.push_back(design);
        which.set(more.back(), value);
      }
    }
    designs = std::move(more);
  }
  return designs;
}

// An attach that must succeed (a first one, a detach, an unclaim, a release):
// the core WARNs by design when it fails, whatever the switches are.
bool MustSucceed(const Operation& operation) {
  return operation.kind == OperationKind::kProbe ||
         model::ShapeOf(operation.kind).must_succeed;
}

// Every operation that a scenario of `topology` could have, without pages; each
// also with the fault of `faults`.
std::vector<Operation> Alphabet(const Topology& topology, uint8_t faults) {
  std::vector<Operation> letters;
  const auto add = [&](Operation operation) {
    letters.push_back(operation);
    if (faults == 0 || operation.kind == OperationKind::kDomainFree) return;
    if ((faults & model::kFaultPrepareAts) != 0) {
      if (operation.kind != OperationKind::kProbe) return;
      operation.faults.prepare_ats = true;
    }
    if ((faults & model::kFaultEnableAts) != 0) {
      operation.faults.enable_ats = true;
    }
    if ((faults & model::kFaultAlloc) != 0) {
      if (MustSucceed(operation)) return;
      for (model::AllocSite site :
           {model::AllocSite::kMerge, model::AllocSite::kAttachment}) {
        operation.faults.alloc_sites =
            static_cast<uint16_t>(1u << static_cast<int>(site));
        letters.push_back(operation);
      }
      return;
    }
    letters.push_back(operation);
  };
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    Operation operation;
    operation.function = FunctionId(static_cast<uint8_t>(i));
    for (OperationKind kind :
         {OperationKind::kProbe, OperationKind::kRelease, OperationKind::kClaim,
          OperationKind::kUnclaim, OperationKind::kDetach,
          OperationKind::kSetDefault, OperationKind::kAttach,
          OperationKind::kReplace}) {
      operation.kind = kind;
      operation.domain = model::ShapeOf(kind).domain ? DomainId(0) : DomainId();
      operation.default_domain = model::DefaultDomain::kDma;
      add(operation);
      if (kind != OperationKind::kSetDefault) continue;
      operation.default_domain = model::DefaultDomain::kIdentity;
      add(operation);
    }
  }
  Operation free;
  free.kind = OperationKind::kDomainFree;
  free.domain = DomainId(0);
  add(free);
  return letters;
}

// A state as the key of a set.
std::string KeyOf(const State& state) {
  return std::string(reinterpret_cast<const char*>(&state), sizeof(state));
}

// A place of the search: how it was reached, and what is there.
struct Node {
  std::vector<uint8_t> path;  // indices of letters
  State state;
  model::Contract contract;
};

class Search {
 public:
  Search(const Design& design, uint8_t faults, const DesignOptions& options)
      : design_(design),
        faults_(faults),
        options_(options),
        system_(machine::MakeSystem(design, "model")) {}

  Verdict Run() {
    verdict_.complete = true;
    for (const Topology& topology : Machines()) {
      if (!Breadth(topology)) break;
    }
    for (uint64_t i = 0; i < options_.runs && !found_; ++i) Generated(i);
    verdict_.sufficient = !found_;
    if (found_) Minimise();
    return std::move(verdict_);
  }

 private:
  bool Interrupted() const {
    return options_.interrupted && options_.interrupted();
  }

  // The first violation of a scenario, if any.
  std::optional<properties::Violation> Violated(const Scenario& scenario) {
    auto result = fuzz::Run(scenario, *system_, {.drop_impossible = true});
    if (!result.ok()) return std::nullopt;
    verdict_.operations += result->kept.size();
    if (result->violations.empty()) return std::nullopt;
    return std::move(result->violations.front());
  }

  bool Refutes(const Scenario& scenario) {
    auto violation = Violated(scenario);
    if (!violation) return false;
    if (!found_ || scenario.operations.size() < found_->operations.size()) {
      found_ = scenario;
      verdict_.violation = *std::move(violation);
    }
    return true;
  }

  // False once something was found or the user has had enough.
  bool Breadth(const Topology& topology);
  void Generated(uint64_t run);
  void Minimise();

  const Design design_;
  const uint8_t faults_;
  const DesignOptions& options_;
  std::unique_ptr<model::System> system_;
  std::optional<Scenario> found_;
  Verdict verdict_;
};

// Runs an operation, its domain allocated first where that is implicit. False
// if the kernel could not do it.
bool Enter(const Machine& machine, const Operation& operation, Node& node) {
  if (!node.contract.Allows(operation).ok()) return false;
  if (node.contract.AllocatesDomain(operation)) {
    Operation allocation;
    allocation.kind = OperationKind::kDomainNew;
    allocation.domain = operation.domain;
    const int result = machine.Run(node.state, machine::RequestOf(allocation));
    node.contract.ApplyAllocation(operation.domain, result);
    if (result != 0) return false;
  }
  const int result = machine.Run(node.state, machine::RequestOf(operation));
  node.contract.Apply(operation, result, 0);
  return true;
}

bool Search::Breadth(const Topology& topology) {
  const Machine machine(topology, design_);
  const std::vector<Operation> letters = Alphabet(topology, faults_);
  std::unordered_set<std::string> seen;
  std::vector<Node> level = {
      {{},
       machine.Boot(),
       model::Contract(topology, machine::CapabilitiesOf(design_))}};
  for (int depth = 0; depth < options_.depth && !level.empty(); ++depth) {
    std::vector<Node> next;
    for (const Node& node : level) {
      if (Interrupted()) return false;
      for (size_t letter = 0; letter < letters.size(); ++letter) {
        Node there = node;
        if (!Enter(machine, letters[letter], there)) continue;
        there.path.push_back(static_cast<uint8_t>(letter));
        if (!seen.insert(KeyOf(there.state)).second) continue;
        Scenario scenario;
        scenario.topology = topology;
        for (uint8_t step : there.path) {
          scenario.operations.push_back(letters[step]);
        }
        ++verdict_.states;
        if (Refutes(scenario)) return false;
        next.push_back(std::move(there));
      }
    }
    level = std::move(next);
  }
  verdict_.complete = verdict_.complete && level.empty();
  return true;
}

// No stream id twice: what that breaks no fix switch repairs.
bool HasDistinctStreams(const Topology& topology) {
  std::set<std::pair<uint8_t, uint32_t>> ids;
  for (const model::Function& function : topology.functions) {
    for (uint32_t id : function.streams) {
      if (!ids.emplace(function.smmu.value, id).second) return false;
    }
  }
  return true;
}

void Search::Generated(uint64_t run) {
  GenerateOptions generate;
  generate.faults = faults_;
  // What a run is judged by at rest, on a machine of the model's size.
  const model::Capabilities able = machine::CapabilitiesOf(design_);
  generate.capabilities = {.replace = able.replace,
                           .functions = able.functions,
                           .domains = able.domains,
                           .streams = able.streams,
                           .pages = able.pages,
                           .finalised = able.finalised,
                           .ats_asks_pf = able.ats_asks_pf};
  Scenario scenario = Generate(SeedOf(options_.seed, run), generate);
  for (Operation& operation : scenario.operations) {
    if (!MustSucceed(operation)) continue;
    operation.faults.alloc_numbers = 0;
    operation.faults.alloc_sites = 0;
  }
  if (HasDistinctStreams(scenario.topology)) Refutes(scenario);
}

void Search::Minimise() {
  const properties::Invariant invariant = verdict_.violation.invariant;
  const auto still = [&](const Scenario& candidate) {
    auto violation = Violated(candidate);
    return violation && violation->invariant == invariant &&
           HasDistinctStreams(candidate.topology) &&
           std::none_of(candidate.operations.begin(),
                        candidate.operations.end(),
                        [](const Operation& operation) {
                          return MustSucceed(operation) &&
                                 (operation.faults.alloc_numbers != 0 ||
                                  operation.faults.alloc_sites != 0);
                        });
  };
  verdict_.counterexample =
      Shrink(*found_, still, nullptr, options_.interrupted,
             machine::CapabilitiesOf(design_));
  if (auto violation = Violated(verdict_.counterexample)) {
    verdict_.violation = *std::move(violation);
  }
}

// True if `a` makes fewer of the choices of `b`.
bool MakesFewer(const DesignSet& a, const DesignSet& b) {
  return a.switches.size() < b.switches.size() &&
         std::all_of(a.switches.begin(), a.switches.end(),
                     [&](const std::string& choice) {
                       return std::count(b.switches.begin(), b.switches.end(),
                                         choice) != 0;
                     });
}

}  // namespace

absl::string_view AssumptionName(uint8_t faults) {
  return faults == 0
             ? absl::string_view("honest")
             : model::FaultClassName(static_cast<model::FaultClass>(faults));
}

std::vector<Topology> Machines() {
  constexpr absl::string_view kTexts[] = {
      "smmu s0\npf p0 smmu=s0 ats\ndomain d0 smmu=s0 stage=1\n",
      "smmu s0\npf p0 ats\nvf v1 of=p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n",
      "smmu s0\npf p0 smmu=s0\nvf v1 of=p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n",
      "smmu s0\npf p0 smmu=s0 ats untrusted\nvf v1 of=p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n",
      "smmu s0\nsmmu s1 granules=16K\npf p0 smmu=s1 ats\n"
      "vf v1 of=p0 smmu=s0 ats\ndomain d0 smmu=s0 stage=1\n",
      "smmu s0\npf p0 smmu=s0 ats default=identity\nvf v1 of=p0 smmu=s0 ats\n"
      "domain d0 smmu=s0 stage=1\n",
  };
  std::vector<Topology> machines;
  for (absl::string_view text : kTexts) {
    auto scenario = model::Parse(text, "machine");
    assert(scenario.ok());
    machines.push_back(std::move(scenario->topology));
  }
  return machines;
}

Design WithoutFixes(const Design& base) {
  Design design = base;
  for (absl::string_view name : kFixes) Named(name).set(design, 0);
  design.enable_failure_warns = false;
  return design;
}

std::vector<std::string> FixesOf(const Design& design) {
  std::vector<std::string> fixes;
  for (absl::string_view name : kFixes) {
    const Switch& which = Named(name);
    if (which.get(design) == 0) continue;
    fixes.push_back(absl::StrCat(name, "=", which.values[which.get(design)]));
  }
  return fixes;
}

bool IsUsable(const Design& design) {
  auto scenario = model::Parse("smmu s0\npf p0 smmu=s0\n", "machine");
  assert(scenario.ok());
  const Machine machine(scenario->topology, design);
  State state = machine.Boot();
  Operation probe;
  probe.function = FunctionId(0);
  return machine.Run(state, machine::RequestOf(probe)) == 0;
}

Verdict JudgeDesign(const Design& design, uint8_t faults,
                    const DesignOptions& options) {
  return Search(design, faults, options).Run();
}

std::vector<DesignSet> SearchDesigns(const DesignOptions& options) {
  std::vector<DesignSet> sets;
  const std::vector<Design> designs = Combinations(options.base);
  for (const Design& design : designs) {
    if (options.progress) options.progress(sets.size(), designs.size());
    DesignSet set{design, IsUsable(design), FixesOf(design), {}};
    for (size_t a = 0; a < kAssumptions.size(); ++a) {
      set.verdicts[a] = JudgeDesign(design, kAssumptions[a], options);
    }
    if (options.interrupted && options.interrupted()) break;
    sets.push_back(std::move(set));
  }
  for (DesignSet& set : sets) {
    for (size_t a = 0; a < kAssumptions.size(); ++a) {
      set.verdicts[a].minimal =
          set.usable && set.verdicts[a].sufficient &&
          std::none_of(sets.begin(), sets.end(), [&](const DesignSet& other) {
            return other.usable && other.verdicts[a].sufficient &&
                   MakesFewer(other, set);
          });
    }
  }
  return sets;
}

}  // namespace atsfuzz::fuzz
