#include <algorithm>
#include <cerrno>

#include "model/machine/driver.h"
#include "model/machine/function.h"
#include "model/machine/smmu.h"

// The driver's records: of a function (arm_smmu_master) and of a domain.
namespace atsfuzz::machine {
namespace {

using model::AllocSite;

// rb_erase of a stream's node. A node that is in no tree has no parent, so that
// rb_erase takes it for the root and empties the tree: that is what becomes of
// a stream id listed twice, whose second node was never inserted.
void EraseStream(Context& c, int f, int s) {
  const Board::Function& function = c.board.functions[f];
  const int stream = function.driven[s];
  if (s > 0 && function.driven[s] == function.driven[s - 1]) {
    for (int other = 0; other < c.board.stream_count; ++other) {
      if (c.board.streams[other].smmu == function.smmu) {
        c.state.tree[other] = 0;
      }
    }
    return;
  }
  if (c.state.tree[stream] != f + 1 && c.log != nullptr) {
    c.log->MemoryError("rb_erase of a stream that the tree has lost", false);
  }
  c.state.tree[stream] = 0;
}

// A second-level stream table, and the stream in the tree.
int InsertStream(Context& c, int f, int s) {
  const Board::Function& function = c.board.functions[f];
  const int stream = function.driven[s];
  const Board::Stream& fixed = c.board.streams[stream];
  if (!fixed.in_range) return -ERANGE;
  if ((c.state.stream_tables >> fixed.table & 1) == 0) {
    if (!Allocate(c, AllocSite::kStreamTable)) return -ENOMEM;
    c.state.stream_tables |= static_cast<uint8_t>(1u << fixed.table);
    for (int other = 0; other < c.board.stream_count; ++other) {
      if (c.board.streams[other].table == fixed.table) {
        c.state.ste[other] = {Config::kAbort, 0, S1Dss::kTerminate, 0};
      }
    }
  }
  if (c.state.tree[stream] == f + 1) return 0;  // listed twice
  if (c.state.tree[stream] != 0) {
    return c.Is(Attach::kArrays) ? -ENODEV : -EINVAL;
  }
  c.state.tree[stream] = static_cast<uint8_t>(f + 1);
  return 0;
}

bool IsOnSomeList(const State& state, int f) {
  for (const Domain& domain : state.domains) {
    for (uint8_t list : domain.list) {
      if ((list >> 2 * f & 3) != 0) return true;
    }
  }
  return false;
}

void FreeCdTable(Context& c, int f) {
  Function& function = c.state.functions[f];
  if (!function.cd_table) return;
  for (int stream = 0; stream < kStreams; ++stream) {
    for (Ste* ste : {&c.state.ste[stream], &c.state.cached_ste[stream]}) {
      if (ste->config == Config::kStage1 && ste->target == f) {
        ste->target = kFreed;
      }
    }
  }
}

}  // namespace

int InsertMaster(Context& c, int f) {
  if (!Allocate(c, AllocSite::kMaster)) return -ENOMEM;
  if (!Allocate(c, AllocSite::kStreams)) return -ENOMEM;
  if (c.Is(Attach::kArrays) && !Allocate(c, AllocSite::kMerge)) return -ENOMEM;
  const int streams = c.board.functions[f].streams;
  for (int s = 0; s < streams; ++s) {
    const int error = InsertStream(c, f, s);
    if (error == 0) continue;
    while (--s >= 0) EraseStream(c, f, s);
    return error;
  }
  c.state.functions[f].has_master = 1;
  return 0;
}

int PrepareMasterAts(Context& c, int f) {
  if (!c.design.prepares ||
      c.board.functions[f].kind == model::FunctionKind::kPlatform) {
    return 0;
  }
  Function& function = c.state.functions[f];
  const Board::Function& fixed = c.board.functions[f];
  const Board::Smmu& smmu = c.board.smmus[fixed.smmu];
  // pci_ats_required: a VF inherits its PF's.
  const bool required = c.design.requires_ats && PciAtsSupported(c, f) &&
                        c.board.functions[fixed.pf].requires_ats;
  if (c.design.prepare_if_supported) {
    // The seed asks the PCI core, 7.2 asks arm_smmu_ats_supported.
    const bool asks_smmu = c.Is(Attach::kArrays);
    if (!PciAtsSupported(c, f) || (asks_smmu && !smmu.ats)) {
      return required ? -EOPNOTSUPP : 0;
    }
  }
  const int error = PciPrepareAts(c, f);
  if (c.design.prepare_failure == PrepareFailure::kIgnored) return 0;
  if (error != 0 || !required) return error;
  if (!smmu.stage1) return -EOPNOTSUPP;
  function.always_on = 1;
  if (!Allocate(c, AllocSite::kCdTable)) return -ENOMEM;
  function.cd_table = 1;
  return 0;
}

void RemoveMaster(Context& c, int f) {
  Function& function = c.state.functions[f];
  if (IsOnSomeList(c.state, f) && c.log != nullptr) {
    c.log->MemoryError("a master is freed while a domain lists it", false);
  }
  PciDisablePasid(c, f);
  for (int s = 0; s < c.board.functions[f].streams; ++s) EraseStream(c, f, s);
  FreeCdTable(c, f);
  function.has_master = function.belief = function.ste_ats = 0;
  function.in_ste = function.cd_table = function.cd_leaf = 0;
  function.always_on = function.gave_up = function.has_pasids = 0;
  std::fill_n(function.cd, kSsids, kNoCd);
}

int AllocateDomain(Context& c, int slot, int smmu, int stage, bool finalise) {
  Domain& domain = c.state.domains[slot];
  domain = {};
  if (!Allocate(c, AllocSite::kDomain)) return -ENOMEM;
  if (c.Is(Attach::kArrays) && !Allocate(c, AllocSite::kMerge)) return -ENOMEM;
  domain.exists = 1;
  if (!finalise) return 0;
  const int error = FinaliseDomain(c, slot, smmu, stage);
  if (error != 0) domain = {};
  return error;
}

void WarnOfLostAsid(Context& c, const Space& domain) {
  if (!domain.finalised && domain.tag != 0 && c.log != nullptr) {
    c.log->Warn("arm_smmu_free_asid", "(&cd->refs)->counter <= 0");
  }
}

void FreeDomain(Context& c, int slot) {
  const Domain& domain = c.state.domains[slot];
  WarnOfLostAsid(c, domain);
  if (domain.finalised) MakeStale(c.state, slot, (1u << kPages) - 1);
  Dangle(c, slot);
  bool attached = false;
  for (uint8_t list : domain.list) attached = attached || list != 0;
  if (attached && c.log != nullptr) {
    c.log->MemoryError("a domain is freed with devices on its list", false);
  }
  // 6.1: a detach that failed leaves its group where it was.
  for (Group& group : c.state.groups) {
    if (group.domain != DomOf(slot) || slot >= kDeclared) continue;
    group.domain = kFreedDomain;
    if (c.log != nullptr) {
      c.log->MemoryError("a domain is freed that a group points to", false);
    }
  }
  c.state.domains[slot] = {};
}

}  // namespace atsfuzz::machine
