#include "properties/at_rest.h"

#include <array>

#include "gtest/gtest.h"
#include "model/address.h"
#include "model/contract.h"
#include "model/machine/arbitrary.h"
#include "model/machine/recorder.h"
#include "model/text.h"
#include "properties/checker.h"
#include "rapidcheck/state.h"

namespace atsfuzz::properties {
namespace {

using machine::Request;
using machine::Step;

// A run of the machine, looked at in both ways after each operation.
class Observed {
 public:
  Observed(const model::Topology& topology, const machine::Design& design,
           machine::Mutation mutation)
      : topology_(topology),
        machine_(topology, design, mutation),
        state_(machine_.Boot()),
        promises_(NoPromises(machine_)),
        recorder_(topology_, machine_, state_),
        contract_(topology, CapabilitiesOf(design)) {}

  const machine::Machine& machine() const { return machine_; }
  const machine::Promises& promises() const { return promises_; }

  // False once what follows is undefined: the kernel died, or memory that was
  // freed is in use.
  bool Go(const Request& request) {
    recorder_.Clear();
    machine::Thread thread = machine_.Begin(request, 0);
    do {
      recorder_.SetStep(machine_.Next(thread));
    } while (machine_.Advance(state_, thread, &recorder_));
    uint64_t physical = 0;
    if (request.kind == model::OperationKind::kMap && thread.result == 0) {
      const model::SmmuId smmu = topology_.domains[request.domain].smmu;
      physical = model::PhysicalOf(topology_.at(smmu), request.page, maps_++);
      recorder_.Mapped(request.domain, request.page, request.pages, physical);
    }
    Apply(machine_, promises_, request, thread.result);
    contract_.Apply(machine::OperationOf(request), thread.result, physical);
    for (const atsfuzz_event& event : recorder_.events()) {
      if (event.kind == ATSFUZZ_EVENT_MEMORY_ERROR) return false;
    }
    return !thread.oops;
  }

  InvariantSet Judged() const {
    return JudgeAtRest(machine_, state_, promises_);
  }

  // Spoils a fact of the state that the recorder reads at each look. Returns
  // what can be compared after.
  InvariantSet Spoil() {
    machine::Function& function =
        state_.functions[model::Below(machine_.board().function_count)];
    machine::Domain& domain = state_.domains[model::Below(machine::kSlots)];
    const auto stream = model::Below(machine::kStreams);
    switch (model::Below(11)) {
      case 0:
        function.belief ^= 1;
        break;
      case 1:
        function.ats ^= 1;
        break;
      case 2:
        function.stu = static_cast<uint8_t>(model::Below(2) * 16);
        break;
      case 3:
        ++domain.nr_ats_masters;
        break;
      case 4:
        domain.list[model::Below(machine::kSsids)] ^=
            static_cast<uint8_t>(1u << model::Below(8));
        break;
      case 5:
        domain.invs.has_ats ^= 1;
        // Too many, or too few of what becomes trash here.
        domain.invs.num_trashes = static_cast<uint8_t>(model::Below(3));
        if (model::Coin()) domain.invs.tag = machine::kTrash;
        break;
      case 6:
        // An array names streams of its own SMMU.
        if (stream >= machine_.board().stream_count ||
            machine_.board().streams[stream].smmu != domain.smmu) {
          break;
        }
        domain.invs.ats[stream] ^=
            static_cast<uint16_t>(1u << model::Below(12));
        domain.invs.tag = model::Below(16) & 0xf;
        break;
      case 7:
        state_.tree[stream] = static_cast<uint8_t>(
            model::Below(machine_.board().function_count + 1u));
        break;
      case 8:
        if (function.on_bus && function.has_master) {
          function.atc[0][model::Below(machine::kSsids)] = machine::kAtcStale;
        }
        break;
      case 9:
        // Of a domain that somebody is in, or of nobody.
        if (domain.exists && domain.finalised) {
          state_.iotlb[domain.smmu][domain.stage2 ? 1 : 0][domain.tag - 1] =
              machine::kTlbStale;
        }
        break;
      default:
        // Entries name the tag that was.
        domain.tag = (1 + model::Below(2)) & 0xf;
        return Only(Invariant::kTagsUnique);
    }
    return kAtRest;
  }
  void Restore(const machine::State& state) { state_ = state; }
  const machine::State& state() const { return state_; }

  // A checker that has seen nothing so far finds all that the state violates.
  InvariantSet Checked() {
    Checker checker(topology_, contract_.capabilities());
    checker.contract() = contract_;
    InvariantSet violated = 0;
    for (const Violation& v : checker.Boot({}, recorder_.Observe())) {
      violated |= Only(v.invariant);
    }
    violated &= kAtRest;
    // The checker that saw the whole run leaves it alone then.
    if (promises_.contested) {
      violated &= ~Only(Invariant::kRepresentationsAgree);
    }
    return violated;
  }

 private:
  model::Topology topology_;
  machine::Machine machine_;
  machine::State state_;
  machine::Promises promises_;
  machine::Recorder recorder_;
  model::Contract contract_;
  uint32_t maps_ = 0;
};

std::string Names(InvariantSet set) {
  std::string names;
  for (int i = 0; i < kInvariants; ++i) {
    if ((set >> i & 1) == 0) continue;
    names += std::string(InvariantName(static_cast<Invariant>(i))) + " ";
  }
  return names.empty() ? "nothing" : names;
}

// At times a step of the driver is left out; a lock that nobody gives back
// would only stop the run.
machine::Mutation ArbitraryMutation() {
  constexpr auto kFirst = static_cast<uint32_t>(Step::kCheckDomain);
  machine::Mutation mutation;
  if (model::Coin()) return mutation;
  mutation.step =
      static_cast<Step>(kFirst + model::Below(machine::kSteps - kFirst));
  // Without the check a function gets into a domain of another SMMU, of which
  // an array entry of the machine cannot tell; nor can a cached page tell that
  // its page table keeps what was unmapped; and a list that nobody leaves
  // outgrows its two bits a function.
  if (mutation.step == Step::kUnlockAsid ||
      mutation.step == Step::kLeaveTargets ||
      mutation.step == Step::kCheckDomain ||
      mutation.step == Step::kClearPages || mutation.step == Step::kLeaveList) {
    mutation.step = Step::kUnref;
  }
  return mutation;
}

TEST(AtRest, IsViolatedAsTheReferenceCheckerSays) {
  std::array<int, kInvariants> seen{};
  int clean = 0;
  const auto run_once = [&] {
    const machine::Design design = machine::ArbitraryDesign();
    const model::Topology topology = machine::ArbitraryTopology(design);
    const machine::Mutation mutation = ArbitraryMutation();
    const bool faults = model::Coin();
    Observed run(topology, design, mutation);
    const machine::Alphabet alphabet(run.machine());
    machine::Walk walk(run.machine(), alphabet,
                       *rc::gen::arbitrary<uint32_t>());
    std::string story;
    for (int step = 0; step < 100; ++step) {
      const Request request =
          machine::WithArbitraryFaults(walk.Next(run.promises()), faults);
      story += model::ToText(topology, machine::OperationOf(request)) + "\n";
      if (!run.Go(request)) return;
      const machine::State honest = run.state();
      const InvariantSet compared =
          model::Below(4) == 0 ? run.Spoil() : kAtRest;
      const InvariantSet judged = run.Judged() & compared;
      const InvariantSet checked = run.Checked() & compared;
      run.Restore(honest);
      if (judged != checked) {
        model::Scenario scenario;
        scenario.topology = topology;
        RC_FAIL(model::Print(scenario) + story + "design " +
                machine::DesignName(design) +
                ", left out: " + std::string(machine::StepName(mutation.step)) +
                "\njudged: " + Names(judged) + "\nchecked: " + Names(checked));
      }
      clean += judged == 0;
      for (int i = 0; i < kInvariants; ++i) seen[i] += judged >> i & 1;
    }
  };
  const bool holds = rc::check([&] {
    for (int i = 0; i < 20; ++i) run_once();
  });
  EXPECT_TRUE(holds);
  EXPECT_GT(clean, 1000);
  for (int i = 0; i < kInvariants; ++i) {
    const auto invariant = static_cast<Invariant>(i);
    if ((kAtRest & Only(invariant)) == 0) continue;
    EXPECT_GT(seen[i], 0) << InvariantName(invariant) << " was never violated";
  }
}

// ---- As users of RapidCheck drive a system: commands, a model that says what
// is legal, a system, and what must hold after each command.

struct Fixture {
  machine::Machine machine;
  machine::Alphabet alphabet;
  int commands = 0;

  explicit Fixture(const model::Topology& topology)
      : machine(topology, *machine::ParseDesign("7.3")), alphabet(machine) {}
};
Fixture* fixture = nullptr;

// A model has no other way to the results than the machine's own.
struct Place {
  machine::State state = fixture->machine.Boot();
  machine::Promises promises = NoPromises(fixture->machine);

  void Go(const Request& request) {
    const int result = fixture->machine.Run(state, request);
    Apply(fixture->machine, promises, request, result);
  }
};

class Command : public rc::state::Command<Place, Place> {
 public:
  Command()
      : letter_(fixture->alphabet.letters()[model::Below(
            static_cast<uint32_t>(fixture->alphabet.letters().size()))]) {}

  void checkPreconditions(const Place& model) const override {
    RC_PRE(Allows(fixture->machine, model.promises, letter_));
  }
  void apply(Place& model) const override {
    if (AllocatesDomain(model.promises, letter_)) {
      model.Go(AllocationFor(letter_));
    }
    model.Go(letter_);
  }
  void run(const Place& model, Place& system) const override {
    Place expected = model;
    apply(expected);
    apply(system);
    RC_ASSERT(JudgeAtRest(fixture->machine, system.state, expected.promises) ==
              0u);
    ++fixture->commands;
  }
  void show(std::ostream& out) const override {
    out << model::ShapeOf(letter_.kind).name << " "
        << static_cast<int>(letter_.function) << " "
        << static_cast<int>(letter_.domain);
  }

 private:
  Request letter_;
};

TEST(AtRest, NothingIsViolatedWhereEveryFunctionIsWellBehaved) {
  // A guest's stage 1 would be refused to a function that joins the group
  // without a vDEVICE, and that undoes what the others have
  // (corpus/model/failed-join-nested.ats).
  const auto scenario = model::Parse(
      "smmu s0\n"
      "pf p0 smmu=s0 ats pasids=4 default=identity\n"
      "vf v1 of=p0 smmu=s0 ats\n"
      "pf p2 smmu=s0 ats pasids=4\n"
      "pf p3 smmu=s0 ats group=p2\n"
      "domain d0 smmu=s0 stage=1\n"
      "domain d1 smmu=s0 stage=1\n"
      "domain d2 smmu=s0 stage=2\n"
      "domain d3 nested=d2 guest=bypass\n",
      "test");
  ASSERT_TRUE(scenario.ok()) << scenario.status();
  Fixture here(scenario->topology);
  fixture = &here;
  EXPECT_TRUE(rc::check([] {
    const Place start;
    Place system;
    rc::state::check(start, system,
                     rc::state::gen::execOneOfWithArgs<Command>());
  }));
  fixture = nullptr;
  EXPECT_GT(here.commands, 1000);
}

}  // namespace
}  // namespace atsfuzz::properties
