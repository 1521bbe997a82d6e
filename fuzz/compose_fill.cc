#include <algorithm>

#include "fuzz/compose.h"
#include "model/pasid.h"

// What a composed operation names: its function, domain, pages and PASID.
namespace atsfuzz::fuzz {

using model::DefaultDomain;
using model::DomainId;
using model::DomainState;
using model::FunctionId;
using model::FunctionState;
using model::Mapping;
using model::Operation;
using model::OperationKind;
using model::Topology;

bool Composer::FillAttach(uint32_t functions, Operation* operation) {
  operation->function = FunctionAt(dice_.Bit(functions));
  uint32_t domains = DomainsFor(operation->function);
  // A replace onto the same domain is legal and dull.
  if (operation->kind == OperationKind::kReplace && !dice_.Chance(10)) {
    domains &=
        ~(1u << contract_.function(operation->function).group_domain.value);
  }
  // Much has to be there before a nested domain can be: it is rare enough.
  if (const uint32_t nested = domains & NestedDomains();
      nested != 0 && dice_.Chance(60)) {
    domains = nested;
  }
  if (domains == 0) return false;
  const bool share = (domains & used_domains_) != 0 && dice_.Chance(50);
  operation->domain =
      DomainAt(dice_.Bit(share ? domains & used_domains_ : domains));
  return true;
}

uint32_t Composer::NestedDomains() const {
  const std::vector<model::Domain>& all = contract_.topology().domains;
  uint32_t nested = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].parent.valid()) nested |= 1u << i;
  }
  return nested;
}

bool Composer::FillMap(Operation* operation) {
  const DomainState& state = contract_.domain(operation->domain);
  const uint32_t most = contract_.capabilities().pages;
  for (int attempt = 0; attempt < 4; ++attempt) {
    uint32_t page =
        dice_.Below(dice_.Chance(70) ? std::min<uint32_t>(8, most) : most);
    uint32_t pages = dice_.Chance(60) ? 1 : dice_.Between(2, 16);
    if (most == ATSFUZZ_MAX_PAGES && dice_.Chance(large_percent_)) {
      page = 512 * dice_.Below(2);
      pages = dice_.Chance(60) ? 512 : dice_.Between(17, 512);
    }
    pages = std::min<uint32_t>(pages, most - page);
    if (model::Overlaps(state.mappings, page, pages) ||
        model::Overlaps(state.unflushed, page, pages)) {
      continue;
    }
    operation->page = static_cast<uint16_t>(page);
    operation->pages = static_cast<uint16_t>(pages);
    return true;
  }
  return false;
}

bool Composer::FillUnmap(Operation* operation) {
  const model::Mappings& mappings =
      contract_.domain(operation->domain).mappings;
  size_t last = dice_.Below(static_cast<uint32_t>(mappings.size()));
  operation->page = mappings[last].page;
  while (last + 1 < mappings.size() && dice_.Chance(30) &&
         mappings[last].end() == mappings[last + 1].page) {
    ++last;
  }
  operation->pages =
      static_cast<uint16_t>(mappings[last].end() - operation->page);
  operation->queued =
      !contract_.topology().at(operation->domain).process && dice_.Chance(65);
  return true;
}

bool Composer::FillDma(Operation* operation) {
  const FunctionState& state = contract_.function(operation->function);
  const size_t streams =
      contract_.topology().at(operation->function).streams.size();
  operation->stream = static_cast<uint8_t>(dice_.Below(streams));
  if (state.pasids.empty()) {
    FillDmaPage(state.group_domain, operation);
    return true;
  }
  const model::PasidState& pasid =
      state.pasids[dice_.Below(static_cast<uint32_t>(state.pasids.size()))];
  const bool rid = HasMappings(state.group_domain) &&
                   (!HasMappings(pasid.domain) || dice_.Chance(40));
  if (!rid) operation->pasid = pasid.pasid;
  FillDmaPage(rid ? state.group_domain : pasid.domain, operation);
  return true;
}

void Composer::FillDmaPage(DomainId domain, Operation* operation) {
  if (dice_.Chance(8) || !HasMappings(domain)) {
    // Perhaps unmapped: what the device must not reach.
    operation->page = AnyPage();
    return;
  }
  const model::Mappings& mappings =
      contract_.domain(contract_.topology().CountedBy(domain)).mappings;
  // The first pages of few mappings, so that accesses hit the ATC.
  const Mapping& mapping =
      mappings[dice_.Below(std::min<uint32_t>(mappings.size(), 3))];
  const uint32_t reach = std::min<uint32_t>(mapping.pages, 3);
  operation->page = static_cast<uint16_t>(mapping.page + dice_.Below(reach));
}

uint16_t Composer::AnyPage() {
  const uint32_t most = contract_.capabilities().pages;
  return static_cast<uint16_t>(dice_.Below(std::min<uint32_t>(16, most)));
}

uint32_t Composer::DrawPasid(FunctionId id) {
  const bool full = pasids_.size() == ATSFUZZ_MAX_PASIDS;
  if (full || (!pasids_.empty() && dice_.Chance(40))) {
    return pasids_[dice_.Below(static_cast<uint32_t>(pasids_.size()))];
  }
  const uint32_t bits = model::PasidBits(contract_.topology(), id);
  const uint32_t most = std::min(contract_.capabilities().largest_pasid,
                                 bits == 0 ? 1 : (1u << bits) - 1);
  const bool large = large_pasid_ <= most && dice_.Chance(30);
  return large ? large_pasid_ : dice_.Between(1, std::min(most, 2u));
}

bool Composer::FillPasid(uint32_t functions, Operation* operation) {
  operation->function = FunctionAt(dice_.Bit(functions));
  const std::vector<model::PasidState>& set =
      contract_.GroupPasids(operation->function);
  uint32_t domains = PasidDomainsFor(operation->function);
  if (operation->kind == OperationKind::kSetPasid) {
    operation->pasid = DrawPasid(operation->function);
    for (const model::PasidState& pasid : set) {
      if (pasid.pasid == operation->pasid) return false;
    }
  } else {
    const model::PasidState& pasid =
        set[dice_.Below(static_cast<uint32_t>(set.size()))];
    operation->pasid = pasid.pasid;
    if (operation->kind == OperationKind::kClearPasid) return true;
    if (!dice_.Chance(10)) domains &= ~(1u << pasid.domain.value);
  }
  if (domains == 0) return false;
  const bool share = (domains & used_domains_) != 0 && dice_.Chance(50);
  operation->domain =
      DomainAt(dice_.Bit(share ? domains & used_domains_ : domains));
  return true;
}

bool Composer::FillSva(uint32_t functions, Operation* operation) {
  operation->function = FunctionAt(dice_.Bit(functions));
  const uint32_t processes = ProcessesFor(
      operation->function, operation->kind == OperationKind::kUnbind);
  if (processes == 0) return false;
  operation->domain = DomainAt(dice_.Bit(processes));
  return true;
}

bool Composer::Fill(uint32_t targets, Operation* operation) {
  switch (operation->kind) {
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      return FillAttach(targets, operation);
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
    case OperationKind::kClearPasid:
      return FillPasid(targets, operation);
    case OperationKind::kBind:
    case OperationKind::kUnbind:
      return FillSva(targets, operation);
    case OperationKind::kMap:
      operation->domain = DomainAt(dice_.Bit(targets));
      return FillMap(operation);
    case OperationKind::kUnmap:
      operation->domain = DomainAt(dice_.Bit(targets));
      return FillUnmap(operation);
    case OperationKind::kFlush:
    case OperationKind::kExit:
    case OperationKind::kDomainNew:
    case OperationKind::kDomainFree:
      operation->domain = DomainAt(dice_.Bit(targets));
      return true;
    case OperationKind::kDma:
      operation->function = FunctionAt(dice_.Bit(targets));
      return FillDma(operation);
    case OperationKind::kSetDefault:
      operation->function = FunctionAt(dice_.Bit(targets));
      operation->default_domain =
          contract_.function(operation->function).default_domain ==
                  DefaultDomain::kDma
              ? DefaultDomain::kIdentity
              : DefaultDomain::kDma;
      return true;
    default:
      operation->function = FunctionAt(dice_.Bit(targets));
      return true;
  }
}

// A PASID that nobody set, one too large, a second reset.
bool Composer::FillFailingNew(Operation* operation) {
  const Topology& topology = contract_.topology();
  const model::Capabilities& capabilities = contract_.capabilities();
  if (capabilities.resets && dice_.Chance(30)) {
    operation->kind = OperationKind::kResetBegin;
    return true;
  }
  if (!capabilities.pasids) return false;
  const bool dma = dice_.Chance(25);
  operation->pasid =
      DrawPasid(FunctionAt(dice_.Below(topology.functions.size())));
  if (dma || topology.domains.empty()) {
    operation->kind = OperationKind::kDma;
    operation->page = AnyPage();
    return true;
  }
  const bool replace = capabilities.replace_pasid && dice_.Chance(30);
  operation->kind =
      replace ? OperationKind::kReplacePasid : OperationKind::kSetPasid;
  operation->domain = DomainAt(dice_.Below(topology.domains.size()));
  return true;
}

bool Composer::FillFailing(Operation* operation) {
  const Topology& topology = contract_.topology();
  operation->function = FunctionAt(dice_.Below(topology.functions.size()));
  if ((contract_.capabilities().pasids || contract_.capabilities().resets) &&
      dice_.Chance(40)) {
    return FillFailingNew(operation);
  }
  switch (dice_.Below(6)) {
    case 0:
      operation->kind = OperationKind::kProbe;
      return true;
    case 1:
      operation->kind = OperationKind::kClaim;
      return true;
    case 2:
      operation->kind = OperationKind::kSetDefault;
      operation->default_domain = DefaultDomain::kIdentity;
      return true;
    case 3:
      if (contract_.capabilities().sva && dice_.Chance(50) &&
          !topology.domains.empty()) {
        operation->kind = OperationKind::kBind;
        operation->domain = DomainAt(dice_.Below(topology.domains.size()));
        return true;
      }
      operation->kind = OperationKind::kDma;
      operation->page = AnyPage();
      return true;
    default:
      if (topology.domains.empty()) return false;
      operation->kind = OperationKind::kAttach;
      operation->domain = DomainAt(dice_.Below(topology.domains.size()));
      return true;
  }
}

}  // namespace atsfuzz::fuzz
