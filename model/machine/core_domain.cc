#include <cerrno>

#include "model/machine/core_parts.h"
#include "model/machine/smmu.h"

namespace atsfuzz::machine::core {
namespace {

unsigned PagesOf(const Request& r) { return ((1u << r.pages) - 1) << r.page; }

}  // namespace

Outcome Map(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  if (!domain.tables) {
    if (!Allocate(c, AllocSite::kPageTable)) return Done(c, -ENOMEM);
    domain.tables = 1;
  }
  domain.mapped |= PagesOf(r) & 0xf;
  return Done(c, 0);
}

Outcome Unmap(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  const unsigned pages = PagesOf(r);
  if (r.queued) {
    domain.mapped &= ~pages & 0xf;
    // Entries may go on translating to the old pages until the flush.
    domain.unflushed |= pages & 0xf;
  } else {
    BeginInvalidation(c, r.domain, pages, false);
  }
  return Done(c, 0);
}

Outcome Flush(Context& c) {
  const Request& r = c.thread.request;
  Domain& domain = c.state.domains[r.domain];
  MakeStale(c.state, r.domain, domain.unflushed);
  domain.unflushed = 0;
  if (domain.finalised) BeginInvalidation(c, r.domain, 0xf, true);
  return Done(c, 0);
}

Outcome DomainNew(Context& c) {
  const Request& r = c.thread.request;
  const Board::Domain& fixed = c.board.domains[r.domain];
  if (c.board.IsNested(r.domain)) {
    return Done(c, AllocateNested(c, r.domain));
  }
  // 6.12: without a device, for iommu_enable_nesting. 6.1: always.
  const bool late =
      c.Is(Attach::kOnePhase) || (!c.Is(Attach::kArrays) && fixed.stage == 2 &&
                                  c.board.smmus[fixed.smmu].stage1);
  return Done(c, AllocateDomain(c, r.domain, fixed.smmu, fixed.stage, !late));
}

Outcome DomainFree(Context& c) {
  const int slot = c.thread.request.domain;
  if (c.board.IsNested(slot)) {
    FreeNested(c, slot);
    return Done(c, 0);
  }
  FreeDomain(c, slot);
  return Done(c, 0);
}

}  // namespace atsfuzz::machine::core
