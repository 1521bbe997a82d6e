#include "model/machine/system.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "model/machine/interleaving.h"
#include "model/machine/recorder.h"

namespace atsfuzz::machine {
namespace {

using model::Fact;
using model::FunctionKind;
using model::Location;
using model::Operation;
using model::OperationKind;

Location LocationOf(Step step, const char* kernel_function) {
  Location location;
  location.function = kernel_function != nullptr && *kernel_function != '\0'
                          ? kernel_function
                          : std::string(StepName(step));
  location.file = "model";
  location.text = std::string(StepName(step));
  return location;
}

class MachineSystem : public model::System {
 public:
  MachineSystem(const Design& design, std::string name, Mutation mutation)
      : design_(design),
        name_(std::move(name)),
        mutation_(mutation),
        capabilities_(CapabilitiesOf(design)) {}

  absl::Status Boot(const model::Topology& topology) override {
    absl::Status fits = model::Fits(capabilities_, name_, topology);
    if (!fits.ok()) return fits;
    topology_ = topology;
    machine_.emplace(topology_, design_, mutation_);
    state_ = machine_->Boot();
    recorder_.emplace(topology_, *machine_, state_);
    Interleave();
    writers_.fill(0);
    coverage_.fill(0);
    dead_ = false;
    return absl::OkStatus();
  }

  int Operate(const Operation& operation, model::FunctionId through,
              uint64_t physical) override {
    (void)through;
    recorder_->Clear();
    if (dead_) return -EIO;
    const int result = Run(RequestOf(operation));
    if (operation.kind == OperationKind::kMap && result == 0) {
      recorder_->Mapped(operation.domain.value, operation.page, operation.pages,
                        physical);
    }
    return result;
  }

  void Shutdown() override;

  model::Interleaving* interleaving() override { return &*interleaving_; }

  const atsfuzz_observation& Observe() override { return recorder_->Observe(); }
  std::span<const atsfuzz_event> Events() override {
    return recorder_->events();
  }

  bool Undefined() const override {
    if (dead_) return false;
    if (IsBeyondTheModel()) return true;
    for (const atsfuzz_event& event : recorder_->events()) {
      if (event.kind == ATSFUZZ_EVENT_MEMORY_ERROR) return true;
    }
    return false;
  }

  bool Locates() const override { return true; }
  std::vector<Location> Locate(const atsfuzz_event& event) override {
    if (event.stack == 0) return {};
    return {
        LocationOf(static_cast<Step>(event.stack - 1), event.kernel_function)};
  }
  std::vector<Location> LastWriter(Fact fact) override;

  std::span<uint8_t> Coverage() override { return coverage_; }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

  std::unique_ptr<Snapshot> TakeSnapshot() override {
    return std::make_unique<MachineSnapshot>(topology_, state_, *recorder_,
                                             writers_, dead_);
  }

  void Restore(const Snapshot& snapshot) override {
    const auto& from = static_cast<const MachineSnapshot&>(snapshot);
    if (!(topology_ == from.topology)) {
      topology_ = from.topology;
      machine_.emplace(topology_, design_, mutation_);
    }
    state_ = from.state;
    recorder_.emplace(from.recorder);
    Interleave();
    writers_ = from.writers;
    dead_ = from.dead;
  }

 private:
  // By Fact::Kind and index.
  static constexpr int kFactIndices = kFunctions * ATSFUZZ_MAX_STREAMS;
  static constexpr int kContexts = 16;
  using Writers = std::array<uint8_t, Fact::kNone * kFactIndices>;

  // All that is not fixed by the topology. The recorder's references are to the
  // members of the system that took it.
  struct MachineSnapshot : Snapshot {
    MachineSnapshot(const model::Topology& its_topology, const State& its_state,
                    const Recorder& its_recorder, const Writers& its_writers,
                    bool is_dead)
        : topology(its_topology),
          state(its_state),
          recorder(its_recorder),
          writers(its_writers),
          dead(is_dead) {}
    model::Topology topology;
    State state;
    Recorder recorder;
    Writers writers;
    bool dead;
  };

  int Run(const Request& request);
  // One step of a thread that is not blocked. False: it has returned.
  bool Take(Thread& thread);
  void Interleave();
  // A kernel whose stream tree was emptied lets a second function have a
  // stream; if one of the two lists it twice, arrays hold entries of different
  // users for it, which Array cannot say. And the IOTLB of a domain has a place
  // only if its tag is one of the first kTags.
  bool IsBeyondTheModel() const;
  void Note(Step step, const State& before);
  void Wrote(Fact::Kind kind, int index, Step step) {
    writers_[kind * kFactIndices + index] = static_cast<uint8_t>(step) + 1;
  }
  void Cover(Step step, const Thread& thread);
  void RunKind(OperationKind kind, int function, int domain, int pasid);

  Design design_;
  std::string name_;
  Mutation mutation_;
  model::Capabilities capabilities_;
  model::Topology topology_;
  std::optional<Machine> machine_;
  State state_;
  std::optional<Recorder> recorder_;
  std::optional<MachineInterleaving> interleaving_;
  Writers writers_{};
  std::array<uint8_t, kSteps * kContexts> coverage_{};
  bool dead_ = false;
};

bool MachineSystem::IsBeyondTheModel() const {
  const Board& board = machine_->board();
  for (int slot = 0; slot < kDeclared; ++slot) {
    const Domain& domain = state_.domains[slot];
    if (domain.finalised && domain.tag > kTags) return true;
  }
  std::array<uint8_t, kStreams> owners{};
  for (int f = 0; f < board.function_count; ++f) {
    const Board::Function& fixed = board.functions[f];
    if (!state_.functions[f].has_master) continue;
    for (int s = 0; s < fixed.streams; ++s) {
      owners[fixed.stream[s]] |= static_cast<uint8_t>(1u << f);
    }
  }
  const unsigned repeated = board.Repeated(state_);
  for (int stream = 0; stream < board.stream_count; ++stream) {
    const bool shared = (owners[stream] & (owners[stream] - 1)) != 0;
    if (shared && (repeated >> stream & 1) != 0) return true;
  }
  return false;
}

int MachineSystem::Run(const Request& request) {
  Thread thread = machine_->Begin(request, 0);
  do {
    // Nobody else runs who could give the lock back.
    if (machine_->IsBlocked(state_, thread)) {
      dead_ = true;
      recorder_->MemoryError("deadlock", true);
      return -EDEADLK;
    }
  } while (Take(thread));
  return thread.result;
}

bool MachineSystem::Take(Thread& thread) {
  const Step next = machine_->Next(thread);
  const State before = state_;
  recorder_->SetStep(next);
  bool more = machine_->Advance(state_, thread, &*recorder_);
  Cover(next, thread);
  if (!(before == state_)) Note(next, before);
  // Ends of programs are not steps of their own.
  while (more && machine_->Next(thread) == Step::kDone) {
    more = machine_->Advance(state_, thread, &*recorder_);
  }
  dead_ |= thread.oops != 0;
  return more;
}

void MachineSystem::Interleave() {
  interleaving_.emplace(
      *machine_, state_, *recorder_,
      [this](Thread& thread) { return Take(thread); },
      [this](const Operation& operation, uint64_t physical, int result) {
        if (operation.kind != OperationKind::kMap || result != 0) return;
        recorder_->Mapped(operation.domain.value, operation.page,
                          operation.pages, physical);
      });
}

void MachineSystem::Note(Step step, const State& before) {
  for (int f = 0; f < kFunctions; ++f) {
    const Function &was = before.functions[f], &is = state_.functions[f];
    if (was.belief != is.belief) Wrote(Fact::kBelief, f, step);
    if (was.ats != is.ats) Wrote(Fact::kAts, f, step);
    if (was.pasid != is.pasid) Wrote(Fact::kPasid, f, step);
    const Board::Function& fixed = machine_->board().functions[f];
    for (int s = 0; f < machine_->board().function_count && s < fixed.streams;
         ++s) {
      const int stream = fixed.stream[s];
      const int index = f * ATSFUZZ_MAX_STREAMS + s;
      if (before.ste[stream] != state_.ste[stream]) {
        Wrote(Fact::kSte, index, step);
      }
      if (before.tree[stream] != state_.tree[stream]) {
        Wrote(Fact::kStream, index, step);
      }
    }
  }
  for (int slot = 0; slot < kSlots; ++slot) {
    const int index =
        slot < kDeclared ? slot : ATSFUZZ_MAX_DOMAINS + (slot - kDeclared);
    const Domain &was = before.domains[slot], &is = state_.domains[slot];
    if (was.nr_ats_masters != is.nr_ats_masters) {
      Wrote(Fact::kCounter, index, step);
    }
    if (std::memcmp(&was.invs, &is.invs, sizeof(Array)) != 0) {
      Wrote(Fact::kArray, index, step);
    }
  }
}

void MachineSystem::Cover(Step step, const Thread& thread) {
  const Function& function = state_.functions[thread.function];
  const int context = (thread.want ? 1 : 0) | (function.belief ? 2 : 0) |
                      (thread.result != 0 ? 4 : 0) | (thread.ssid ? 8 : 0);
  uint8_t& counter = coverage_[static_cast<int>(step) * kContexts + context];
  if (counter != 0xff) ++counter;
}

std::vector<Location> MachineSystem::LastWriter(Fact fact) {
  if (fact.kind == Fact::kNone || fact.index >= kFactIndices) return {};
  const uint8_t writer = writers_[fact.kind * kFactIndices + fact.index];
  if (writer == 0) return {};
  const auto step = static_cast<Step>(writer - 1);
  return {LocationOf(step, KernelFunction(step).data())};
}

void MachineSystem::RunKind(OperationKind kind, int function, int domain,
                            int pasid) {
  Request request = {};
  request.kind = kind;
  request.function = static_cast<uint8_t>(function);
  request.domain = static_cast<uint8_t>(domain);
  request.ssid = static_cast<uint8_t>(pasid);
  if (!dead_) Run(request);
}

// What the users of a machine do before it is switched off.
void MachineSystem::Shutdown() {
  recorder_->Clear();
  const Board& board = machine_->board();
  for (int f = 0; f < board.function_count; ++f) {
    if (!state_.functions[f].is_probed) continue;
    while (state_.functions[f].reset_depth != 0 && !dead_) {
      RunKind(OperationKind::kResetEnd, f, ATSFUZZ_NONE, 0);
    }
    const Group& group = state_.groups[board.functions[f].leader];
    for (int pasid = 1; pasid < kSsids; ++pasid) {
      if (group.pasids[pasid] != kNoDomain) {
        RunKind(OperationKind::kClearPasid, f, ATSFUZZ_NONE, pasid);
      }
    }
    if (IsPaging(group.domain) && SlotOf(group.domain) < kDeclared) {
      RunKind(OperationKind::kDetach, f, ATSFUZZ_NONE, 0);
    }
    if (group.owned) RunKind(OperationKind::kUnclaim, f, ATSFUZZ_NONE, 0);
  }
  for (int slot = kDeclared; slot-- > 0;) {
    if (state_.domains[slot].exists) {
      RunKind(OperationKind::kDomainFree, ATSFUZZ_NONE, slot, 0);
    }
  }
  for (bool virtual_functions : {true, false}) {
    for (int f = 0; f < board.function_count; ++f) {
      const bool is_vf = board.functions[f].kind == FunctionKind::kVf;
      if (is_vf == virtual_functions && state_.functions[f].is_probed) {
        RunKind(OperationKind::kRelease, f, ATSFUZZ_NONE, 0);
      }
    }
  }
}

}  // namespace

std::unique_ptr<model::System> MakeSystem(const Design& design,
                                          const std::string& name,
                                          Mutation mutation) {
  return std::make_unique<MachineSystem>(design, name, mutation);
}

}  // namespace atsfuzz::machine
