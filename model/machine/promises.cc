#include "model/machine/promises.h"

#include <array>
#include <cassert>
#include <cstring>

namespace atsfuzz::machine {
namespace {

using model::FunctionKind;
using model::OperationKind;

constexpr int kMaxResetDepth = 15;  // of the contract

template <typename Named>
unsigned PagesOf(const Named& r) {
  return ((1u << r.pages) - 1) << r.page;
}

// Contract::FinalisedByAllocation.
bool FinalisedByAllocation(const Machine& machine, int domain) {
  const Board::Domain& fixed = machine.board().domains[domain];
  if (machine.design().attach == Attach::kOnePhase) return false;
  return machine.design().attach == Attach::kArrays ||
         fixed.parent != ATSFUZZ_NONE || fixed.stage == 1 ||
         !machine.board().smmus[fixed.smmu].stage1;
}

// The rules, by what they look at. A kind is legal if everything that it looks
// at lets it pass; tabulated, because where a walk goes next is nothing that a
// processor could predict.

constexpr KindSet Only(OperationKind kind) {
  return KindSet{1} << static_cast<int>(kind);
}
template <typename... Kinds>
constexpr KindSet Unless(bool passes, Kinds... kinds) {
  return passes ? ~KindSet{0} : ~(Only(kinds) | ...);
}

// Bits of the index of a table of rules.
constexpr bool Bit(unsigned index, int bit) { return (index >> bit & 1) != 0; }

template <unsigned kBits>
constexpr auto Tabulate(KindSet (*rule)(unsigned)) {
  std::array<KindSet, 1u << kBits> table{};
  for (unsigned i = 0; i < table.size(); ++i) table[i] = rule(i);
  return table;
}

// Of the function's group: is the function probed, the group owned, attached,
// has it PASIDs.
constexpr unsigned kGroupBits = 4;
constexpr KindSet ByGroup(unsigned index) {
  using K = OperationKind;
  const bool probed = Bit(index, 0), owned = Bit(index, 1);
  const bool attached = Bit(index, 2), has_pasids = Bit(index, 3);
  return Unless(!probed, K::kProbe) &
         Unless(probed, K::kRelease, K::kClaim, K::kUnclaim, K::kAttach,
                K::kReplace, K::kDetach, K::kSetDefault, K::kSetPasid,
                K::kReplacePasid, K::kClearPasid, K::kResetBegin,
                K::kVdeviceFree, K::kGuestFlush) &
         Unless(owned, K::kUnclaim, K::kReplace, K::kReplacePasid) &
         Unless(attached, K::kReplace, K::kDetach) &
         Unless(!attached && !has_pasids, K::kRelease, K::kUnclaim) &
         Unless(!owned, K::kRelease) &
         Unless(owned || (!attached && !has_pasids), K::kSetDefault);
}
constexpr auto kByGroup = Tabulate<kGroupBits>(ByGroup);

// Of the function: is it in a reset, in the deepest, has it probed VFs, can it
// join its group now, is it on a bus, is it of PCI, is its group in a nested
// domain.
constexpr unsigned kFunctionBits = 7;
constexpr KindSet ByFunction(unsigned index) {
  using K = OperationKind;
  const bool in_reset = Bit(index, 0), in_deepest = Bit(index, 1);
  const bool has_vfs = Bit(index, 2), can_join = Bit(index, 3);
  const bool exists = Bit(index, 4), is_pci = Bit(index, 5);
  const bool in_guest = Bit(index, 6);
  return Unless(in_guest, K::kVdeviceFree, K::kGuestFlush) &
         Unless(in_reset, K::kResetEnd) &
         Unless(!in_reset && !has_vfs, K::kRelease) &
         Unless(!in_deepest && !has_vfs && is_pci, K::kResetBegin) &
         Unless(exists && can_join, K::kProbe);
}
constexpr auto kByFunction = Tabulate<kFunctionBits>(ByFunction);

// Of the domain: is it allocated, has it a page table, could it be allocated
// now, would it then have one, is it nested, is it in use; and is it of the
// function's SMMU.
constexpr unsigned kDomainBits = 7;
constexpr KindSet ByDomain(unsigned index) {
  using K = OperationKind;
  const bool allocated = Bit(index, 0), finalised = Bit(index, 1);
  const bool can_allocate = Bit(index, 2), finalises = Bit(index, 3);
  const bool nested = Bit(index, 4), used = Bit(index, 5);
  const bool same_smmu = Bit(index, 6);
  const bool will_have_table = allocated ? finalised : finalises;
  return Unless(allocated || can_allocate, K::kAttach, K::kReplace,
                K::kSetPasid, K::kReplacePasid, K::kMap) &
         Unless(will_have_table || same_smmu, K::kAttach, K::kReplace) &
         Unless(will_have_table && !nested, K::kMap) &
         Unless(finalised && !nested, K::kUnmap, K::kFlush) &
         Unless(!allocated && can_allocate, K::kDomainNew) &
         Unless(allocated && !used, K::kDomainFree);
}
constexpr auto kByDomain = Tabulate<kDomainBits>(ByDomain);

// Of the rest: is there a PASID, has the group it in use, can the function's
// traffic have it on this stream; can the pages be mapped, unmapped; may the
// group be attached to the domain.
constexpr unsigned kArgumentBits = 6;
constexpr KindSet ByArguments(unsigned index) {
  using K = OperationKind;
  return Unless(Bit(index, 0), K::kSetPasid, K::kReplacePasid) &
         Unless(Bit(index, 1), K::kClearPasid) &
         Unless(Bit(index, 2), K::kDma) & Unless(Bit(index, 3), K::kMap) &
         Unless(Bit(index, 4), K::kUnmap) & Unless(Bit(index, 5), K::kAttach);
}
constexpr auto kByArguments = Tabulate<kArgumentBits>(ByArguments);

template <typename... Bits>
unsigned Index(Bits... bits) {
  unsigned index = 0;
  int at = 0;
  ((index |= static_cast<unsigned>(bits) << at++), ...);
  return index;
}

KindSet LegalByFunction(const Board& board, const Promises& promises, int f) {
  const Board::Function& fixed = board.functions[f];
  const Board::Function& fixed_pf = board.functions[fixed.pf];
  const Promises::Function& function = promises.functions[f];
  const Promises::Function& pf = promises.functions[fixed.pf];
  const Promises::Group& group = promises.groups[fixed.leader];
  const bool pf_was_there =
      fixed_pf.smmu == ATSFUZZ_NONE || pf.probe_tried != 0;
  const bool exists =
      fixed.kind != FunctionKind::kVf || (pf.reset_depth == 0 && pf_was_there);
  return kByGroup[Index(promises.probed >> f & 1, group.owned, group.attached,
                        group.has_pasids)] &
         kByFunction[Index(
             function.reset_depth != 0, function.reset_depth == kMaxResetDepth,
             function.probed_vfs != 0,
             fixed_pf.pasid_bits == 0 || !group.has_pasids, exists,
             fixed.kind != FunctionKind::kPlatform,
             IsPaging(group.domain) && board.IsNested(SlotOf(group.domain)))];
}

KindSet LegalByDomain(const Machine& machine, const Promises& promises,
                      int smmu, int d) {
  const Board::Domain& fixed = machine.board().domains[d];
  const Promises::Domain& domain = promises.domains[d];
  const bool nested = machine.board().IsNested(d);
  const bool has_parent =
      !nested || promises.domains[fixed.parent].finalised != 0;
  return kByDomain[Index(domain.allocated, domain.finalised,
                         promises.probed_behind[fixed.smmu] != 0 && has_parent,
                         FinalisedByAllocation(machine, d), nested,
                         domain.users != 0, smmu == fixed.smmu)];
}

// After a change of what is known of `f`: what follows for its group, for a
// PF's VFs and a VF's PF.
void UpdateFunctions(const Board& board, Promises& promises, int f) {
  const Board::Function& changed = board.functions[f];
  for (int g = 0; g < board.function_count; ++g) {
    const Board::Function& fixed = board.functions[g];
    if (fixed.leader == changed.leader || fixed.pf == f || g == changed.pf) {
      promises.by_function[g] = LegalByFunction(board, promises, g);
    }
  }
}

void UpdateDomain(const Machine& machine, Promises& promises, int d) {
  for (int smmu = 0; smmu < kSmmus; ++smmu) {
    promises.by_domain[smmu][d] = LegalByDomain(machine, promises, smmu, d);
  }
}
void UpdateNested(const Machine& machine, Promises& promises, int parent) {
  for (int d = parent + 1; d < machine.board().domain_count; ++d) {
    if (machine.board().domains[d].parent == parent) {
      UpdateDomain(machine, promises, d);
    }
  }
}
void UpdateDomains(const Machine& machine, Promises& promises) {
  for (int d = 0; d < machine.board().domain_count; ++d) {
    UpdateDomain(machine, promises, d);
  }
}

// A declared domain gains or loses a user.
void Use(const Machine& machine, Promises& promises, int d, int change) {
  Promises::Domain& domain = promises.domains[d];
  domain.users = static_cast<uint8_t>(domain.users + change);
  UpdateDomain(machine, promises, d);
}

void Move(const Machine& machine, Promises& promises, Dom& from, Dom to) {
  const auto is_declared = [](Dom dom) {
    return IsPaging(dom) && SlotOf(dom) < kDeclared;
  };
  if (is_declared(from)) Use(machine, promises, SlotOf(from), -1);
  if (is_declared(to)) Use(machine, promises, SlotOf(to), 1);
  from = to;
}

Dom DefaultOf(const Promises::Group& group, int leader) {
  return group.default_identity ? kIdentity : DomOf(DefaultSlot(leader));
}

void ApplyProbe(const Board& board, Promises& promises, int f) {
  const Board::Function& fixed = board.functions[f];
  Promises::Group& group = promises.groups[fixed.leader];
  for (unsigned left = promises.probed; left != 0; left &= left - 1) {
    const Board::Function& other = board.functions[__builtin_ctz(left)];
    for (int s = 0; s < fixed.streams; ++s) {
      for (int t = 0; t < other.streams; ++t) {
        if (fixed.stream[s] == other.stream[t]) promises.contested = 1;
      }
    }
  }
  if (group.members == 0) {
    group.default_identity = fixed.default_identity && !fixed.untrusted;
    group.domain = DefaultOf(group, fixed.leader);
  }
  group.members |= static_cast<uint8_t>(1u << f);
  promises.probed |= static_cast<uint8_t>(1u << f);
  ++promises.probed_behind[fixed.smmu];
  if (fixed.pf != f) ++promises.functions[fixed.pf].probed_vfs;
}

void ApplyRelease(const Board& board, Promises& promises, int f) {
  const Board::Function& fixed = board.functions[f];
  Promises::Group& group = promises.groups[fixed.leader];
  promises.functions[f] = {};
  --promises.probed_behind[fixed.smmu];
  if (fixed.pf != f) --promises.functions[fixed.pf].probed_vfs;
  promises.probed &= static_cast<uint8_t>(~(1u << f));
  group.members &= static_cast<uint8_t>(~(1u << f));
  if (group.members == 0) group = {};
}

// pci_ats_supported: the core takes note of resets of such functions only.
bool SupportsAts(const Machine& machine, int f) {
  const Board& board = machine.board();
  const Board::Function& fixed = board.functions[f];
  const Board::Function& pf = board.functions[fixed.pf];
  return fixed.ats && !fixed.untrusted &&
         (!machine.design().support_asks_pf || (pf.ats && !pf.untrusted));
}

void ApplyUnmap(Promises::Domain& domain, const Request& request) {
  const unsigned pages = PagesOf(request);
  domain.mapped &= ~pages & 0xf;
  domain.starts &= ~pages & 0xf;
  if (request.queued) domain.unflushed |= pages & 0xf;
}

void ApplyToDomain(const Machine& machine, Promises& promises,
                   const Request& request) {
  const int d = request.domain;
  Promises::Domain& domain = promises.domains[d];
  const int parent = machine.board().domains[d].parent;
  switch (request.kind) {
    case OperationKind::kDomainNew:
    case OperationKind::kDomainFree: {
      const bool exists = request.kind == OperationKind::kDomainNew;
      domain = {};
      domain.allocated = exists;
      domain.finalised = exists && FinalisedByAllocation(machine, d);
      UpdateDomain(machine, promises, d);
      UpdateNested(machine, promises, d);
      if (parent != ATSFUZZ_NONE) {
        Use(machine, promises, parent, exists ? 1 : -1);
      }
      return;
    }
    case OperationKind::kMap:
      domain.mapped |= PagesOf(request) & 0xf;
      domain.starts |= (1u << request.page) & 0xf;
      return;
    case OperationKind::kUnmap:
      ApplyUnmap(domain, request);
      return;
    case OperationKind::kFlush:
      domain.unflushed = 0;
      return;
    default:
      return;
  }
}

void ApplyReset(const Machine& machine, Promises& promises, int f, int change) {
  Promises::Function& function = promises.functions[f];
  function.reset_depth = (function.reset_depth + change) & 0xf;
  function.parked = function.reset_depth != 0 && SupportsAts(machine, f);
}

void ApplyToGroup(const Machine& machine, Promises& promises,
                  const Request& request) {
  const int leader = machine.board().functions[request.function].leader;
  Promises::Group& group = promises.groups[leader];
  const auto move = [&](Dom dom) {
    Move(machine, promises, group.domain, dom);
  };
  switch (request.kind) {
    case OperationKind::kClaim:
      group.owned = 1;
      move(kBlocked);
      return;
    case OperationKind::kUnclaim:
      group.owned = 0;
      move(DefaultOf(group, leader));
      return;
    case OperationKind::kAttach:
    case OperationKind::kReplace:
      group.attached = 1;
      promises.domains[request.domain].finalised = 1;
      move(DomOf(request.domain));
      UpdateNested(machine, promises, request.domain);
      return;
    case OperationKind::kDetach:
      group.attached = 0;
      move(group.owned ? kBlocked : DefaultOf(group, leader));
      return;
    case OperationKind::kSetDefault:
      group.default_identity = request.identity;
      if (!group.owned) move(DefaultOf(group, leader));
      return;
    case OperationKind::kSetPasid:
    case OperationKind::kReplacePasid:
    case OperationKind::kClearPasid: {
      const bool clears = request.kind == OperationKind::kClearPasid;
      Move(machine, promises, group.pasids[request.ssid],
           clears ? kNoDomain : DomOf(request.domain));
      group.has_pasids = (group.pasids[1] | group.pasids[2]) != kNoDomain;
      return;
    }
    default:
      return;
  }
}

void ApplyToFunction(const Machine& machine, Promises& promises,
                     const Request& request) {
  const int f = request.function;
  switch (request.kind) {
    case OperationKind::kDma:
      return;
    case OperationKind::kProbe:
      ApplyProbe(machine.board(), promises, f);
      UpdateDomains(machine, promises);
      break;
    case OperationKind::kRelease:
      ApplyRelease(machine.board(), promises, f);
      UpdateDomains(machine, promises);
      break;
    case OperationKind::kResetBegin:
      ApplyReset(machine, promises, f, 1);
      break;
    case OperationKind::kResetEnd:
      ApplyReset(machine, promises, f, -1);
      break;
    default:
      ApplyToGroup(machine, promises, request);
      break;
  }
  UpdateFunctions(machine.board(), promises, f);
}

}  // namespace

Promises NoPromises(const Machine& machine) {
  Promises promises;
  std::memset(static_cast<void*>(&promises), 0, sizeof(promises));
  // What is not there forbids nothing to those that do not name it.
  std::memset(promises.by_function, 0xff, sizeof(promises.by_function));
  std::memset(promises.by_domain, 0xff, sizeof(promises.by_domain));
  for (int f = 0; f < machine.board().function_count; ++f) {
    promises.by_function[f] = LegalByFunction(machine.board(), promises, f);
  }
  UpdateDomains(machine, promises);
  return promises;
}

KindSet LegalByArguments(const Board& board, const Promises& promises,
                         const Named& named) {
  const Board::Function& fixed = board.functions[named.function % kFunctions];
  const Promises::Group& group = promises.groups[fixed.leader];
  const Promises::Domain& domain = promises.domains[named.domain % kDeclared];
  const unsigned ssid = named.ssid % kSsids;
  const unsigned pages = PagesOf(named);
  const unsigned next = pages << 1 & ~pages;  // the page behind the range
  const unsigned bits = board.functions[fixed.pf].pasid_bits;
  return kByArguments[Index(
      ssid != 0, (ssid != 0) & (group.pasids[ssid] != kNoDomain),
      (named.stream < fixed.streams) & (ssid >> bits == 0),
      ((domain.mapped | domain.unflushed) & pages) == 0,
      ((domain.mapped & pages) == pages) &
          ((domain.starts >> named.page & 1) != 0) &
          ((domain.mapped & ~domain.starts & next) == 0),
      (group.owned != 0) | !board.IsNested(named.domain % kDeclared))];
}

Request AllocationFor(const Request& request) {
  Request allocation = {};
  allocation.kind = OperationKind::kDomainNew;
  allocation.domain = request.domain;
  return allocation;
}

void Apply(const Machine& machine, Promises& promises, const Request& request,
           int result) {
  if (request.kind == OperationKind::kProbe) {
    promises.functions[request.function].probe_tried = 1;
    UpdateFunctions(machine.board(), promises, request.function);
  }
  if (result != 0) return;
  if (model::ShapeOf(request.kind).function) {
    ApplyToFunction(machine, promises, request);
  } else {
    ApplyToDomain(machine, promises, request);
  }
}

}  // namespace atsfuzz::machine
