#include "model/contract.h"

#include <cassert>

namespace atsfuzz::model {
namespace {

DefaultDomain FirstDefault(const Function& function) {
  // iommu_get_default_domain_type: a group with an untrusted device gets a DMA
  // domain whatever the system prefers.
  return function.untrusted ? DefaultDomain::kDma : function.default_domain;
}

Route DefaultRoute(const FunctionState& state) {
  return state.default_domain == DefaultDomain::kDma ? Route::kDefaultDma
                                                     : Route::kIdentity;
}

}  // namespace

Contract::Contract(const Topology& topology)
    : topology_(topology),
      functions_(topology.functions.size()),
      domains_(topology.domains.size()) {
  for (size_t i = 0; i < functions_.size(); ++i) {
    functions_[i].default_domain = FirstDefault(topology_.functions[i]);
  }
}

const FunctionState& Contract::function(FunctionId id) const {
  return functions_[id.value];
}

const DomainState& Contract::domain(DomainId id) const {
  return domains_[id.value];
}

bool Contract::AllocatesDomain(const Operation& operation) const {
  return (operation.kind == OperationKind::kAttach ||
          operation.kind == OperationKind::kReplace ||
          operation.kind == OperationKind::kMap) &&
         !domain(operation.domain).allocated;
}

FunctionId Contract::AllocatesThrough(const Operation& operation) const {
  const SmmuId smmu = topology_.at(operation.domain).smmu;
  const auto can = [&](FunctionId id) {
    return function(id).probed && topology_.at(id).smmu == smmu;
  };
  if (ShapeOf(operation.kind).function && can(operation.function)) {
    return operation.function;
  }
  for (size_t i = 0; i < functions_.size(); ++i) {
    const FunctionId id(static_cast<uint8_t>(i));
    if (can(id)) return id;
  }
  return FunctionId();
}

bool Contract::FinalisedByAllocation(DomainId id) const {
  const Domain& domain = topology_.at(id);
  return domain.stage == 1 || !topology_.at(domain.smmu).stage1;
}

void Contract::ApplyAllocation(DomainId id, int result) {
  if (result != 0) return;
  DomainState& state = domains_[id.value];
  state.allocated = true;
  state.finalised = FinalisedByAllocation(id);
}

void Contract::Apply(const Operation& operation, int result,
                     uint64_t physical) {
  const OperationShape& shape = ShapeOf(operation.kind);
  FunctionState* f =
      shape.function ? &functions_[operation.function.value] : nullptr;
  DomainState* d = shape.domain ? &domains_[operation.domain.value] : nullptr;
  if (operation.kind == OperationKind::kProbe) f->probe_tried = true;
  if (result != 0) return;

  switch (operation.kind) {
    case OperationKind::kProbe:
      f->probed = true;
      f->route = DefaultRoute(*f);
      break;
    case OperationKind::kRelease:
      *f = FunctionState();
      f->default_domain = FirstDefault(topology_.at(operation.function));
      break;
    case OperationKind::kClaim:
      f->owned = true;
      f->route = Route::kBlocked;
      break;
    case OperationKind::kUnclaim:
      f->owned = false;
      f->route = DefaultRoute(*f);
      break;
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      f->attached = true;
      f->route = Route::kDomain;
      f->domain = operation.domain;
      d->finalised = true;
      break;
    case OperationKind::kDetach:
      f->attached = false;
      f->route = f->owned ? Route::kBlocked : DefaultRoute(*f);
      f->domain = DomainId();
      break;
    case OperationKind::kSetDefault:
      f->default_domain = operation.default_domain;
      if (!f->owned) f->route = DefaultRoute(*f);
      break;
    case OperationKind::kMap:
      Insert(d->mappings, {operation.page, operation.pages, physical});
      break;
    case OperationKind::kUnmap:
      Remove(d->mappings, operation.page, operation.pages,
             operation.queued ? &d->unflushed : nullptr);
      break;
    case OperationKind::kFlush:
      d->unflushed.clear();
      break;
    case OperationKind::kDma:
      break;
    case OperationKind::kDomainNew:
      ApplyAllocation(operation.domain, 0);
      break;
    case OperationKind::kDomainFree:
      *d = DomainState();
      break;
  }
}

bool Contract::ChangesState(const Operation& operation) const {
  switch (operation.kind) {
    case OperationKind::kProbe:
      return !function(operation.function).probed;
    case OperationKind::kRelease:
      return function(operation.function).probed;
    case OperationKind::kClaim:
      return !function(operation.function).owned;
    case OperationKind::kUnclaim:
      return function(operation.function).owned;
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      return function(operation.function).domain != operation.domain;
    case OperationKind::kDetach:
      return function(operation.function).attached;
    case OperationKind::kSetDefault:
      return function(operation.function).default_domain !=
             operation.default_domain;
    case OperationKind::kMap:
    case OperationKind::kUnmap:
      return true;
    case OperationKind::kFlush:
      return !domain(operation.domain).unflushed.empty();
    case OperationKind::kDma:
      return false;
    case OperationKind::kDomainNew:
      return !domain(operation.domain).allocated;
    case OperationKind::kDomainFree:
      return domain(operation.domain).allocated;
  }
  assert(false && "every kind is known");
  return false;
}

}  // namespace atsfuzz::model
