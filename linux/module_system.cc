#include "linux/module_system.h"

#include <array>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "linux/interleaving.h"
#include "linux/request.h"
#include "model/source_path.h"

namespace atsfuzz::linux_driver {

namespace {

using model::Location;
using model::Operation;
using model::Topology;

static_assert(static_cast<int>(model::Fact::kArray) == ATSFUZZ_FACTS);

model::Capabilities CapabilitiesOf(const atsfuzz_features& features,
                                   bool instrumented) {
  model::Capabilities capabilities;
  capabilities.pasids = features.pasids;
  capabilities.replace_pasid = features.replace_pasid;
  capabilities.resets = features.resets;
  capabilities.groups = true;
  capabilities.requires_ats = features.requires_ats;
  capabilities.finalised = static_cast<model::Finalised>(features.finalised);
  capabilities.replace = features.replace;
  capabilities.ats_asks_pf = features.ats_asks_pf;
  capabilities.nesting = features.nesting;
  capabilities.sva = features.sva;
  capabilities.direct = true;
  capabilities.threads = true;
  capabilities.weak_memory = capabilities.plain_stops = instrumented;
  return capabilities;
}

// The bytes of a module's state, and what the adapter knows beside them.
class ModuleSnapshot : public model::System::Snapshot {
 public:
  ModuleSnapshot(const atsfuzz_module& module, const Topology& topology)
      : size_(module.snapshot(nullptr, 0)),
        bytes_(std::make_unique_for_overwrite<uint8_t[]>(size_)),
        topology_(topology) {
    size_ = module.snapshot(bytes_.get(), size_);
  }
  std::span<const uint8_t> bytes() const override {
    return {bytes_.get(), size_};
  }
  const Topology& topology() const { return topology_; }

 private:
  uint64_t size_;
  std::unique_ptr<uint8_t[]> bytes_;
  Topology topology_;
};

class ModuleSystem : public model::System {
 public:
  ModuleSystem(const atsfuzz_module* module, std::string name,
               std::unique_ptr<Places> places, std::shared_ptr<void> library)
      : library_(std::move(library)),
        module_(module),
        name_(std::move(name)),
        capabilities_(
            CapabilitiesOf(*module->features, module->instrumented != 0)),
        places_(std::move(places)),
        interleaving_(module->threads,
                      [this](const Operation& op, model::FunctionId through,
                             uint64_t physical) {
                        return RequestOf(topology_, op, through, physical);
                      }) {}
  ModuleSystem(const ModuleSystem&) = delete;
  ModuleSystem& operator=(const ModuleSystem&) = delete;

  absl::Status Boot(const Topology& topology) override {
    if (absl::Status status = model::Fits(capabilities_, name_, topology);
        !status.ok()) {
      return status;
    }
    topology_ = topology;
    const atsfuzz_machine machine = MachineOf(topology);
    const int result = module_->boot(&machine);
    if (result == 0) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat("the SMMU driver of ", name_,
                     " did not come up on this machine: error ", result));
  }

  int Operate(const Operation& op, model::FunctionId through,
              uint64_t physical) override {
    const atsfuzz_request request = RequestOf(topology_, op, through, physical);
    return module_->operate(&request);
  }

  model::Interleaving* interleaving() override { return &interleaving_; }

  void Shutdown() override { module_->shutdown(); }

  const atsfuzz_observation& Observe() override { return *module_->observe(); }

  std::span<const atsfuzz_event> Events() override {
    uint32_t count = 0;
    const atsfuzz_event* events = module_->events(&count);
    return {events, count};
  }

  bool Locates() const override {
    return module_->instrumented != 0 && places_ != nullptr;
  }

  std::vector<Location> Locate(const atsfuzz_event& event) override {
    std::vector<Location> stack = Stack(event.stack);
    if (stack.empty() && event.file != nullptr && places_ != nullptr) {
      stack.push_back(PlaceOf(event));
    }
    return stack;
  }

  std::vector<Location> LocateOther(const atsfuzz_event& event) override {
    const bool race = event.kind == ATSFUZZ_EVENT_DATA_RACE;
    return Stack(static_cast<uint32_t>(race ? event.a : event.c));
  }
  void AskForDataRaces(bool on) override { module_->ask_for_races(on ? 1 : 0); }

  std::vector<Location> LastWriter(model::Fact fact) override {
    if (fact.kind >= model::Fact::kArray) return {};
    return Stack(module_->last_writer(fact.kind, fact.index));
  }

  std::span<uint8_t> Coverage() override {
    uint64_t count = 0;
    uint8_t* counters = module_->coverage(&count);
    return {counters, count};
  }

  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

  std::unique_ptr<Snapshot> TakeSnapshot() override {
    if (module_->snapshot == nullptr) return nullptr;
    return std::make_unique<ModuleSnapshot>(*module_, topology_);
  }

  void Restore(const Snapshot& snapshot) override {
    const auto& from = static_cast<const ModuleSnapshot&>(snapshot);
    module_->restore(from.bytes().data());
    if (!(topology_ == from.topology())) topology_ = from.topology();
  }

 private:
  // Kernel frames only: what the harness does between them is not news.
  std::vector<Location> Stack(uint32_t id) {
    std::vector<Location> stack;
    if (id == 0 || places_ == nullptr) return stack;
    std::array<atsfuzz_frame, 32> frames;
    const uint32_t depth = module_->frames(id, frames.data(), frames.size());
    for (uint32_t i = 0; i < depth; i++) {
      const Location& place = places_->CallBefore(frames[i].address);
      if (place.known()) stack.push_back(place);
    }
    return stack;
  }

  Location PlaceOf(const atsfuzz_event& event) {
    Location place;
    const std::string file = event.file;
    place.function =
        event.kernel_function == nullptr ? "" : event.kernel_function;
    place.file = file.substr(file.rfind('/') + 1);
    place.line = static_cast<int>(event.line);
    place.text = places_->LineText(file, place.line);
    place.path = model::PathInTree(file);
    return place;
  }

  const std::shared_ptr<void> library_;
  const atsfuzz_module* module_;
  std::string name_;
  const model::Capabilities capabilities_;
  std::unique_ptr<Places> places_;
  Topology topology_;
  ModuleInterleaving interleaving_;
};

}  // namespace

std::unique_ptr<model::System> MakeModuleSystem(const atsfuzz_module& module,
                                                const std::string& name,
                                                std::unique_ptr<Places> places,
                                                std::shared_ptr<void> library) {
  return std::make_unique<ModuleSystem>(&module, name, std::move(places),
                                        std::move(library));
}

}  // namespace atsfuzz::linux_driver
