#ifndef ATSFUZZ_MODEL_MACHINE_PROMISES_H_
#define ATSFUZZ_MODEL_MACHINE_PROMISES_H_

#include <cstdint>
#include <type_traits>

#include "model/machine/machine.h"
#include "model/machine/state.h"
#include "model/machine/thread.h"

// model::Contract within the machine's limits, as plain bytes: what the return
// values of the operations so far have promised, and which operations the
// kernel's callers could do next. It stands beside State where millions of
// states are visited; the rules are the contract's (model/contract.h,
// model/allows.cc), and a test holds the two together.
//
// REQUIRES everywhere: requests name functions, domains, streams, pages and
// PASIDs of the machine, and kinds that its design has
// (model::HasKind).
namespace atsfuzz::machine {

// A set of operation kinds: bit of OperationKind.
using KindSet = uint32_t;

struct Promises {
  // iommu_group, by its leader. All zero while nobody is probed.
  struct Group {
    Dom domain;       // where it is, parked members or not
    uint8_t members;  // bit f: probed
    uint8_t owned : 1, attached : 1, has_pasids : 1, default_identity : 1;
    Dom pasids[kSsids];  // [0] unused
  };
  struct Function {
    uint8_t probe_tried : 1;  // on the bus: probed or failed to, not released
    uint8_t parked : 1;
    uint8_t reset_depth : 4;
    uint8_t probed_vfs : 2;
  };
  // A declared domain. Pages as bits; a mapping begins at each bit of `starts`.
  struct Domain {
    uint8_t allocated : 1, finalised : 1;
    uint8_t mapped : 4;
    uint8_t starts : 4, unflushed : 4;
    // Groups and PASIDs that are in it, allocated domains nested in it.
    uint8_t users;
  };

  Group groups[kFunctions];
  Function functions[kFunctions];
  Domain domains[kDeclared];
  uint8_t probed;                 // bit f
  uint8_t probed_behind[kSmmus];  // how many
  // What follows for each function, and each domain with a function behind one
  // SMMU or the other: the kinds that they let pass. Kept, because a walk asks
  // for it much more often than it changes.
  KindSet by_function[kFunctions], by_domain[kSmmus][kDeclared];
  // Two probed functions have listed one stream id, in this run: each undoes
  // what the other does.
  uint8_t contested;
};
static_assert(std::is_trivially_copyable_v<Promises>);

// Nobody is probed.
Promises NoPromises(const Machine& machine);

// What decides whether a kind is legal. What a kind does not name may be
// anything.
struct Named {
  uint8_t function, domain, ssid, stream, page, pages;
};
// What the pages and the PASID allow.
KindSet LegalByArguments(const Board& board, const Promises& promises,
                         const Named& named);
// The kinds that Contract::Allows of `named`.
inline KindSet LegalKinds(const Machine& machine, const Promises& promises,
                          const Named& named) {
  const int f = named.function % kFunctions, d = named.domain % kDeclared;
  const int smmu = machine.board().functions[f].smmu % kSmmus;
  return promises.by_function[f] & promises.by_domain[smmu][d] &
         LegalByArguments(machine.board(), promises, named);
}
// Contract::Allows.
inline bool Allows(const Machine& machine, const Promises& promises,
                   const Request& request) {
  const KindSet legal =
      LegalKinds(machine, promises,
                 {request.function, request.domain, request.ssid,
                  request.stream, request.page, request.pages});
  return (legal >> static_cast<int>(request.kind) & 1) != 0;
}
// Contract::AllocatesDomain: a domain-new of its domain, AllocationFor, must
// run before.
inline bool AllocatesDomain(const Promises& promises, model::OperationKind kind,
                            int domain) {
  using K = model::OperationKind;
  constexpr KindSet kKinds = KindSet{1} << static_cast<int>(K::kAttach) |
                             KindSet{1} << static_cast<int>(K::kReplace) |
                             KindSet{1} << static_cast<int>(K::kMap) |
                             KindSet{1} << static_cast<int>(K::kSetPasid) |
                             KindSet{1} << static_cast<int>(K::kReplacePasid);
  return (kKinds >> static_cast<int>(kind) & 1) != 0 &&
         !promises.domains[domain].allocated;
}
inline bool AllocatesDomain(const Promises& promises, const Request& request) {
  return AllocatesDomain(promises, request.kind, request.domain % kDeclared);
}
Request AllocationFor(const Request& request);
// Contract::Apply. REQUIRES: Allows(...).
void Apply(const Machine& machine, Promises& promises, const Request& request,
           int result);

// Where traffic of `f` must go: kNoDomain while it is not probed, kBlocked
// while it is parked. `ssid`: kNoDomain if the PASID must lead nowhere.
inline Dom RidPromised(const Board& board, const Promises& promises, int f) {
  if ((promises.probed >> f & 1) == 0) return kNoDomain;
  return promises.functions[f].parked
             ? kBlocked
             : promises.groups[board.functions[f].leader].domain;
}
inline Dom PasidPromised(const Board& board, const Promises& promises, int f,
                         int ssid) {
  const Board::Function& fixed = board.functions[f];
  if ((promises.probed >> f & 1) == 0 || promises.functions[f].parked ||
      board.functions[fixed.pf].pasid_bits == 0) {
    return kNoDomain;
  }
  return promises.groups[fixed.leader].pasids[ssid];
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_PROMISES_H_
