#include <array>
#include <cerrno>
#include <memory>

#include "fuzz/puzzles/puzzle.h"

namespace atsfuzz::fuzz {
namespace {

using model::Contract;
using model::Function;
using model::FunctionId;
using model::FunctionKind;
using model::Operation;
using model::OperationKind;
using model::Topology;

class OnMachine : public Puzzle {
 public:
  explicit OnMachine(const Topology& topology) : topology_(topology) {}

 protected:
  const Topology topology_;
};

template <typename P>
std::unique_ptr<Puzzle> Make(const Topology& topology) {
  return std::make_unique<P>(topology);
}

// A stage 2 domain is attached after anything was unclaimed.
class AttachAfterUnclaim final : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract&, const Operation& operation, int result) override {
    if (operation.kind == OperationKind::kUnclaim) unclaimed_ = true;
    return operation.kind == OperationKind::kAttach && unclaimed_ &&
           result == 0 && topology_.at(operation.domain).stage == 2;
  }

 private:
  bool unclaimed_ = false;
};

// One domain gets its third function after a function was released. One
// function can be released and come back: three suffice.
class ThirdAttachAfterRelease final : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract& before, const Operation& operation,
            int result) override {
    if (operation.kind == OperationKind::kRelease) released_ = true;
    if (operation.kind != OperationKind::kAttach || result != 0) return false;
    int attached = 0;
    for (size_t i = 0; i < topology_.functions.size(); ++i) {
      const auto& state = before.function(FunctionId(static_cast<uint8_t>(i)));
      attached += state.attached && state.domain == operation.domain;
    }
    return released_ && attached == 2;
  }

 private:
  bool released_ = false;
};

// A flush of a block's queued unmap, while a function with ATS is attached.
class FlushOfBlock : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract& before, const Operation& operation, int) override {
    if (operation.kind != OperationKind::kFlush) return false;
    bool ats = false;
    for (size_t i = 0; i < topology_.functions.size(); ++i) {
      const auto& state = before.function(FunctionId(static_cast<uint8_t>(i)));
      ats |= state.attached && state.domain == operation.domain &&
             topology_.functions[i].ats;
    }
    bool block = false;
    for (const auto& mapping : before.domain(operation.domain).unflushed) {
      block |= mapping.pages >= 512;
    }
    return ats && block;
  }
};

// The same, after an even number of device accesses: they go only in pairs.
class FlushAfterEvenAccesses final : public OnMachine {
 public:
  explicit FlushAfterEvenAccesses(const Topology& topology)
      : OnMachine(topology), flush_(topology) {}
  bool Step(const Contract& before, const Operation& operation,
            int result) override {
    even_ ^= operation.kind == OperationKind::kDma;
    return flush_.Step(before, operation, result) && even_;
  }

 private:
  FlushOfBlock flush_;
  bool even_ = true;
};

// The seed's story: the driver enables ATS for a VF whose PF is behind no SMMU
// (so has no STU), and believes that it did.
class Belief : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract& before, const Operation& operation,
            int result) override {
    const FunctionId id = operation.function;
    if (!id.valid() || result != 0) return false;
    const Function& function = topology_.at(id);
    const bool can = function.kind == FunctionKind::kVf && function.ats &&
                     topology_.at(function.pf).ats &&
                     !topology_.at(function.pf).smmu.valid();
    if (!can) return false;
    const bool was = believes_[id.value];
    switch (operation.kind) {
      case OperationKind::kAttach:
      case OperationKind::kReplace:
        believes_[id.value] = true;
        break;
      case OperationKind::kClaim:
      case OperationKind::kRelease:
        believes_[id.value] = false;
        break;
      case OperationKind::kDetach:
        believes_[id.value] =
            !before.function(id).owned && DefaultIsDma(before, id);
        break;
      case OperationKind::kProbe:
      case OperationKind::kUnclaim:
        believes_[id.value] = DefaultIsDma(before, id);
        break;
      case OperationKind::kSetDefault:
        believes_[id.value] =
            operation.default_domain == model::DefaultDomain::kDma;
        break;
      default:
        break;
    }
    return Judge(was, believes_[id.value]);
  }

 protected:
  virtual bool Judge(bool, bool now) { return now; }

 private:
  static bool DefaultIsDma(const Contract& before, FunctionId id) {
    return before.function(id).default_domain == model::DefaultDomain::kDma;
  }

  std::array<bool, ATSFUZZ_MAX_FUNCTIONS> believes_ = {};
};

// Its sequel: the WARN when the driver disables what was never enabled.
class DisableWarns final : public Belief {
 public:
  using Belief::Belief;

 protected:
  bool Judge(bool was, bool now) override { return was && !now; }
};

// An attach is tried again after its second allocation failed.
class RetryAfterFailure final : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract&, const Operation& operation, int result) override {
    if (operation.kind != OperationKind::kAttach) return false;
    if ((operation.faults.alloc_numbers & 2) != 0) {
      failed_ = operation.function;
      return false;
    }
    return result == 0 && failed_ == operation.function;
  }

 private:
  FunctionId failed_;
};

// A function whose stream id belongs to another is probed twice in vain.
class ProbeTwiceInVain final : public OnMachine {
 public:
  using OnMachine::OnMachine;
  bool Step(const Contract&, const Operation& operation, int result) override {
    if (operation.kind != OperationKind::kProbe || result != -EINVAL) {
      return false;
    }
    return ++tries_[operation.function.value] == 2;
  }

 private:
  std::array<int, ATSFUZZ_MAX_FUNCTIONS> tries_ = {};
};

}  // namespace

const std::vector<PuzzleCase>& Puzzles() {
  static const auto* const puzzles = new std::vector<PuzzleCase>{
      {"attach after unclaim", 0, Make<AttachAfterUnclaim>,
       "smmu   s0\n"
       "pf     p0  smmu=s0\n"
       "domain d0  smmu=s0 stage=2\n"
       "\n"
       "probe p0\n"
       "claim p0\n"
       "unclaim p0\n"
       "attach p0 d0\n"},
      {"third attach after release", 0, Make<ThirdAttachAfterRelease>,
       "smmu   s0\n"
       "pf     p0  smmu=s0\n"
       "pf     p1  smmu=s0\n"
       "pf     p2  smmu=s0\n"
       "domain d0  smmu=s0 stage=1\n"
       "\n"
       "probe p0\n"
       "probe p1\n"
       "probe p2\n"
       "attach p0 d0\n"
       "attach p1 d0\n"
       "release p2\n"
       "probe p2\n"
       "attach p2 d0\n"},
      {"flush of a block", 0, Make<FlushOfBlock>,
       "smmu   s0\n"
       "pf     p0  smmu=s0 ats\n"
       "domain d0  smmu=s0 stage=1\n"
       "\n"
       "probe p0\n"
       "attach p0 d0\n"
       "map d0 0..511\n"
       "unmap d0 0..511 queued\n"
       "flush d0\n"},
      {"flush after even accesses", 0, Make<FlushAfterEvenAccesses>,
       "smmu   s0\n"
       "pf     p0  smmu=s0 ats\n"
       "domain d0  smmu=s0 stage=1\n"
       "\n"
       "probe p0\n"
       "attach p0 d0\n"
       "map d0 0..511\n"
       "unmap d0 0..511 queued\n"
       "flush d0\n"},
      {"belief", 0, Make<Belief>,
       "smmu   s0\n"
       "pf     p0  ats\n"
       "vf     v1  of=p0 smmu=s0 ats\n"
       "\n"
       "probe v1\n"},
      {"disable warns", 0, Make<DisableWarns>,
       "smmu   s0\n"
       "pf     p0  ats\n"
       "vf     v1  of=p0 smmu=s0 ats\n"
       "\n"
       "probe v1\n"
       "claim v1\n"},
      {"retry after failure", model::kFaultAlloc, Make<RetryAfterFailure>,
       "smmu   s0\n"
       "pf     p0  smmu=s0\n"
       "domain d0  smmu=s0 stage=1\n"
       "\n"
       "probe p0\n"
       "attach p0 d0  !alloc#2\n"
       "attach p0 d0\n"},
      {"probe twice in vain", 0, Make<ProbeTwiceInVain>,
       "smmu   s0\n"
       "pf     p0  smmu=s0\n"
       "pf     p1  smmu=s0 streams=0x100\n"
       "\n"
       "probe p0\n"
       "probe p1\n"
       "probe p1\n"},
  };
  return *puzzles;
}

}  // namespace atsfuzz::fuzz
