#include "fuzz/sweep.h"

#include <algorithm>
#include <utility>

#include "fuzz/faults.h"
#include "fuzz/seed.h"

namespace atsfuzz::fuzz {
namespace {

using model::Operation;
using model::OperationKind;
using model::Scenario;

// The first batch of generated scenarios is small, so that what is found at
// once is told at once.
constexpr uint64_t kFirstBatch = 4, kLargestBatch = 64;
// Making one allocation explicit may make another one necessary, and so on; a
// scenario that does not settle is swept as it is.
constexpr int kMostCleanRuns = 8;

Scenario WithoutFaults(Scenario scenario) {
  scenario.expectations.clear();
  for (Operation& operation : scenario.operations) operation.faults = {};
  return scenario;
}

bool Allocates(const Operation& operation, model::DomainId domain) {
  return operation.kind == OperationKind::kDomainNew &&
         operation.domain == domain;
}

// `scenario` as it ran: with the allocations that were implicit, and without
// the operations that did not run.
Scenario AsItRan(const Scenario& scenario,
                 const std::vector<OperationTally>& tallies) {
  Scenario ran = scenario;
  ran.operations.clear();
  for (const OperationTally& tally : tallies) {
    const Operation& operation = scenario.operations[tally.operation];
    if (!tally.implicit) {
      ran.operations.push_back(operation);
    } else if (ran.operations.empty() ||
               !Allocates(ran.operations.back(), operation.domain)) {
      Operation allocation;
      allocation.kind = OperationKind::kDomainNew;
      allocation.domain = operation.domain;
      ran.operations.push_back(allocation);
    }
  }
  return ran;
}

}  // namespace

Sweep::Sweep(SweepOptions options)
    : options_(std::move(options)), batch_size_(kFirstBatch) {}

// False if there is nothing left to sweep.
bool Sweep::StartBatch() {
  batch_.clear();
  if (!started_) {
    started_ = true;
    for (const Scenario& scenario : options_.scenarios) {
      batch_.push_back(WithoutFaults(scenario));
    }
  }
  if (batch_.empty() && options_.generates) {
    GenerateOptions honest = options_.generate;
    honest.faults = 0;
    uint64_t count = batch_size_;
    if (options_.generated) {
      count = std::min(count, *options_.generated - next_generated_);
    }
    for (uint64_t i = 0; i < count; ++i) {
      batch_.push_back(
          Generate(SeedOf(options_.seed, next_generated_++), honest));
    }
    batch_size_ = std::min(batch_size_ * 2, kLargestBatch);
  }
  clean_runs_.assign(batch_.size(), 0);
  for (size_t i = 0; i < batch_.size(); ++i) {
    if (!batch_[i].operations.empty()) clean_.push_back(i);
  }
  return !batch_.empty();
}

std::vector<Scenario> Sweep::NextRound() {
  while (clean_.empty() && placements_.empty()) {
    if (!StartBatch()) return {};
  }
  std::vector<Scenario> round;
  // All clean runs of a batch come before its first placement.
  for (const size_t scenario : clean_) round.push_back(batch_[scenario]);
  if (!clean_.empty()) return round;
  for (const Placement& placement : placements_) {
    Scenario faulty = batch_[placement.scenario];
    faulty.operations[placement.operation].faults =
        FaultAt(placement.fault, placement.number);
    round.push_back(std::move(faulty));
  }
  return round;
}

void Sweep::RoundDone(uint64_t first, const std::vector<RunReport>& reports) {
  const std::vector<size_t> clean = std::exchange(clean_, {});
  if (!clean.empty()) {
    for (const RunReport& report : reports) {
      CleanRunDone(clean[report.run - first], report);
    }
    return;
  }
  const std::vector<Placement> placements = std::exchange(placements_, {});
  for (const RunReport& report : reports) {
    FaultyRunDone(placements[report.run - first], report);
  }
}

void Sweep::CleanRunDone(size_t scenario, const RunReport& report) {
  Scenario& swept = batch_[scenario];
  const bool last = ++clean_runs_[scenario] == kMostCleanRuns;
  if (report.death) {
    // What ran to its end; at least one operation fewer.
    if (report.part < swept.operations.size() && report.part > 0 && !last) {
      swept.operations.resize(report.part);
      clean_.push_back(scenario);
    }
    return;
  }
  Scenario ran = AsItRan(swept, report.tallies);
  if (ran == swept || last) {
    Place(scenario, report.tallies);
    return;
  }
  swept = std::move(ran);
  if (!swept.operations.empty()) clean_.push_back(scenario);
}

void Sweep::Place(size_t scenario, const std::vector<OperationTally>& tallies) {
  ++counts_.scenarios;
  for (const OperationTally& tally : tallies) {
    if (tally.implicit) continue;
    ++counts_.operations;
    for (int i = 0; i < model::kFaultClasses; ++i) {
      const auto fault = static_cast<model::FaultClass>(1 << i);
      const uint32_t asked = tally.tally.asked[i];
      if ((options_.faults & fault) == 0 || asked == 0) continue;
      const auto most = static_cast<uint32_t>(Numbers(fault));
      const uint32_t last = std::min(most == 1 ? 1 : asked + 1, most);
      for (uint32_t number = 1; number <= last; ++number) {
        placements_.push_back({scenario, tally.operation, fault,
                               static_cast<int>(number), number == last});
      }
      if (most != 1 && asked > most) counts_.beyond += asked - most;
    }
  }
}

void Sweep::FaultyRunDone(const Placement& placement, const RunReport& report) {
  ++counts_.placed;
  // A run that dies where the clean one did not has met its fault.
  bool consumed = report.death.has_value();
  for (const OperationTally& tally : report.tallies) {
    if (tally.operation == placement.operation && !tally.implicit) {
      consumed = tally.tally.hit[IndexOf(placement.fault)] != 0;
    }
  }
  if (!consumed) return;
  ++counts_.consumed;
  if (!placement.last || placement.number == Numbers(placement.fault)) return;
  placements_.push_back(placement);
  ++placements_.back().number;
}

}  // namespace atsfuzz::fuzz
