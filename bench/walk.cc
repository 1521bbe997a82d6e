// How fast the abstract machine is, side by side in one run on one core: the
// raw walk over its states, the same with every at-rest invariant judged after
// each operation, and RapidCheck's own state machine over the same operations
// on the same machine, judged too.

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>

#include "model/machine/alphabet.h"
#include "model/machine/machine.h"
#include "model/machine/promises.h"
#include "model/text.h"
#include "properties/at_rest.h"
#include "rapidcheck.h"
#include "rapidcheck/state.h"

namespace atsfuzz {
namespace {

using machine::Alphabet;
using machine::Machine;
using machine::Promises;
using machine::Request;
using machine::State;
using properties::InvariantSet;

constexpr char kTopology[] =
    "smmu s0\n"
    "pf p0 smmu=s0 ats pasids=4 default=identity\n"
    "vf v1 of=p0 smmu=s0 ats\n"
    "pf p2 smmu=s0 ats pasids=4\n"
    "pf p3 smmu=s0 ats group=p2\n"
    "domain d0 smmu=s0 stage=1\n"
    "domain d1 smmu=s0 stage=1\n"
    "domain d2 smmu=s0 stage=2\n"
    "domain d3 nested=d2 guest=stage1 ats\n";

constexpr int kBatch = 100'000;  // operations between looks at the clock

double Seconds() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

struct Rate {
  uint64_t operations = 0;
  double seconds = 0;
  uint64_t judged_wrong = 0;  // states that violate something
  InvariantSet violated = 0;

  double PerSecond() const { return static_cast<double>(operations) / seconds; }
};

// Where a walk is.
struct Place {
  State state;
  Promises promises;

  explicit Place(const Machine& machine)
      : state(machine.Boot()), promises(machine::NoPromises(machine)) {}
  void Go(const Machine& machine, const Request& request) {
    machine::Apply(machine, promises, request, machine.Run(state, request));
  }
};

template <bool kJudged>
Rate Walk(const Machine& machine, const Alphabet& alphabet, double seconds) {
  machine::Walk walk(machine, alphabet, /*seed=*/1);
  Place place(machine);
  Rate rate;
  const double begin = Seconds();
  while (rate.seconds < seconds) {
    for (int i = 0; i < kBatch; ++i) {
      place.Go(machine, walk.Next(place.promises));
      if constexpr (kJudged) {
        const InvariantSet violated =
            properties::JudgeAtRest(machine, place.state, place.promises);
        rate.violated |= violated;
        rate.judged_wrong += violated != 0;
      }
    }
    rate.operations += kBatch;
    rate.seconds = Seconds() - begin;
  }
  return rate;
}

// ---- The same as users of RapidCheck write it.

struct Fixture {
  const Machine& machine;
  const Alphabet& alphabet;
  Rate rate;
};
Fixture* fixture = nullptr;  // for generators, which RapidCheck constructs

class Command : public rc::state::Command<Place, Place> {
 public:
  Command() : letter_(Draw()) {}

  void checkPreconditions(const Place& model) const override {
    RC_PRE(Allows(fixture->machine, model.promises, letter_));
  }
  void apply(Place& model) const override {
    if (AllocatesDomain(model.promises, letter_)) {
      model.Go(fixture->machine, AllocationFor(letter_));
    }
    model.Go(fixture->machine, letter_);
  }
  void run(const Place& /*model*/, Place& system) const override {
    apply(system);
    const InvariantSet violated = properties::JudgeAtRest(
        fixture->machine, system.state, system.promises);
    fixture->rate.violated |= violated;
    fixture->rate.judged_wrong += violated != 0;
    ++fixture->rate.operations;
  }
  void show(std::ostream& out) const override {
    out << model::ShapeOf(letter_.kind).name;
  }

 private:
  static Request Draw() {
    const auto letters = fixture->alphabet.letters();
    return letters[*rc::gen::inRange<size_t>(0, letters.size())];
  }

  Request letter_;
};

Rate StateMachine(const Machine& machine, const Alphabet& alphabet) {
  Fixture here{machine, alphabet, {}};
  fixture = &here;
  const double begin = Seconds();
  const bool passed = rc::check("walk", [&] {
    const Place start(machine);
    Place system(machine);
    rc::state::check(start, system,
                     rc::state::gen::execOneOfWithArgs<Command>());
  });
  here.rate.seconds = Seconds() - begin;
  fixture = nullptr;
  if (!passed) std::exit(3);
  return here.rate;
}

void Print(const char* what, const Rate& rate) {
  std::printf("%-44s %10.0f operations/s  (%llu in %.2f s)\n", what,
              rate.PerSecond(),
              static_cast<unsigned long long>(rate.operations), rate.seconds);
}

int Main() {
  // Runs, and commands in each, as RapidCheck has them; more of them.
  setenv("RC_PARAMS", "seed=1 max_success=2000 max_size=100", 0);
  const auto scenario = model::Parse(kTopology, "bench");
  const auto design = machine::ParseDesign("7.3");
  if (!scenario.ok() || !design.ok()) {
    std::cerr << scenario.status() << "\n";
    return 3;
  }
  const Machine machine(scenario->topology, *design);
  const Alphabet alphabet(machine);
  const Rate raw = Walk<false>(machine, alphabet, 3);
  Print("model:7.3, walk", raw);
  const Rate judged = Walk<true>(machine, alphabet, 3);
  Print("model:7.3, walk, at-rest invariants judged", judged);
  const Rate stock = StateMachine(machine, alphabet);
  Print("model:7.3, rc::state::check, judged", stock);
  std::printf("walk / rc::state::check, both judged: %.1f\n",
              judged.PerSecond() / stock.PerSecond());
  std::printf("states judged wrong: %llu of %llu",
              static_cast<unsigned long long>(judged.judged_wrong),
              static_cast<unsigned long long>(judged.operations));
  for (int i = 0; i < properties::kInvariants; ++i) {
    const auto invariant = static_cast<properties::Invariant>(i);
    if ((judged.violated & properties::Only(invariant)) != 0) {
      std::printf("  %s", std::string(InvariantName(invariant)).c_str());
    }
  }
  std::printf("\n");
  return 0;
}

}  // namespace
}  // namespace atsfuzz

int main() { return atsfuzz::Main(); }
