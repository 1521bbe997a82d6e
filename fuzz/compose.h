#ifndef ATSFUZZ_FUZZ_COMPOSE_H_
#define ATSFUZZ_FUZZ_COMPOSE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "fuzz/dice.h"
#include "model/contract.h"
#include "model/operation.h"

// Composes a valid sequence of operations on one machine, one at a time. The
// engine behind Generate, and the mutator's source of single operations.
namespace atsfuzz::fuzz {

class Composer {
 public:
  // Draws the swarm: the kinds this sequence uses, with their weights, and
  // which of the fault classes in `faults`. `dice` must outlive the composer.
  // Only what `capabilities` have is made.
  Composer(const model::Topology& topology, uint8_t faults, Dice* dice,
           const model::Capabilities& capabilities = {});

  // The next operation, one that the contract allows in the predicted state and
  // that usually changes it. Nothing if no kind of the swarm has anything left
  // to do.
  std::optional<model::Operation> Next();

  // Goes on as if `operation` had run. REQUIRES: the contract allows it.
  void Apply(const model::Operation& operation);

  const model::Contract& contract() const { return contract_; }

 private:
  // What each kind could usefully act on now, as bit sets of functions (or of
  // domains, for kinds that name only a domain), by kind.
  using Targets = std::array<uint32_t, model::kOperationKinds>;

  static model::FunctionId FunctionAt(size_t index) {
    return model::FunctionId(static_cast<uint8_t>(index));
  }
  static model::DomainId DomainAt(size_t index) {
    return model::DomainId(static_cast<uint8_t>(index));
  }

  void DrawSwarm();
  Targets FindTargets() const;
  void AddFunctionTargets(model::FunctionId id, Targets* targets) const;
  void AddPasidTargets(model::FunctionId id, Targets* targets) const;
  void AddSvaTargets(model::FunctionId id, Targets* targets) const;
  void AddProcessTargets(model::DomainId id, Targets* targets) const;
  // The processes that a function can be bound to, or is bound to.
  uint32_t ProcessesFor(model::FunctionId id, bool bound) const;
  bool FillSva(uint32_t functions, model::Operation* operation);
  void AddResetTargets(model::FunctionId id, Targets* targets) const;
  void AddDomainTargets(model::DomainId id, Targets* targets) const;
  std::optional<model::OperationKind> PickKind(const Targets& targets);
  bool Fill(uint32_t targets, model::Operation* operation);
  bool FillAttach(uint32_t functions, model::Operation* operation);
  bool FillMap(model::Operation* operation);
  bool FillUnmap(model::Operation* operation);
  bool FillDma(model::Operation* operation);
  bool FillPasid(uint32_t functions, model::Operation* operation);
  void FillDmaPage(model::DomainId domain, model::Operation* operation);
  uint32_t DrawPasid(model::FunctionId id);
  uint16_t AnyPage();
  // Legal to try though it fails.
  bool FillFailing(model::Operation* operation);
  bool FillFailingNew(model::Operation* operation);

  bool CanProbe(model::FunctionId id) const;
  bool CanRelease(model::FunctionId id) const;
  // Domains that can be attached to function `id` with success, and those that
  // its PASIDs can be set to.
  uint32_t DomainsFor(model::FunctionId id) const;
  uint32_t NestedDomains() const;
  uint32_t PasidDomainsFor(model::FunctionId id) const;
  bool CanAllocate(model::DomainId id) const;
  bool HasMappings(model::DomainId id) const;

  Dice& dice_;
  model::Contract contract_;
  uint8_t faults_;
  std::array<uint16_t, model::kOperationKinds> weights_ = {};
  uint32_t fault_percent_ = 0;  // of the operations
  uint32_t large_percent_ = 0;  // of the maps: block mappings
  uint32_t used_domains_ = 0;   // domains with an attachment, see FindTargets
  uint32_t large_pasid_ = 0;    // the one PASID of this sequence that is large
  std::vector<uint32_t> pasids_;  // the different ones so far
};

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_COMPOSE_H_
