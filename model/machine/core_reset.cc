#include "model/machine/core_parts.h"
#include "model/machine/function.h"

namespace atsfuzz::machine::core {

Outcome ResetBegin(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  Function& function = c.state.functions[f];
  if (!PciAtsSupported(c, f) || !function.is_probed ||
      function.reset_depth++ != 0) {
    return Next(c, Step::kResetFunction);
  }
  Group& group = GroupOf(c);
  group.has_blocking = 1;
  if (group.domain != kBlocked) BeginAttach(c, f, kBlocked, group.domain);
  return Next(c, Step::kResetParkRid);
}

Outcome ResetParkRid(Context& c) {
  Thread& t = c.thread;
  c.state.functions[t.request.function].parked = 1;
  t.cursor = 1;
  return Next(c, Step::kResetParkPasids);
}

Outcome ResetParkPasids(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  for (; t.cursor < kSsids && OffersPasids(c, f); ++t.cursor) {
    const Dom dom = GroupOf(c).pasids[t.cursor];
    if (dom == kNoDomain) continue;
    BeginPasid(c, f, t.cursor++, kNoDomain, dom);
    return Outcome::kNext;
  }
  ++GroupOf(c).recovery_cnt;
  return Next(c, Step::kResetFunction);
}

Outcome ResetFunction(Context& c) {
  PciReset(c, c.thread.request.function);
  return Done(c, 0);
}

Outcome ResetEnd(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  Function& function = c.state.functions[f];
  if (!PciAtsSupported(c, f) || !function.is_probed ||
      --function.reset_depth != 0) {
    return Done(c, 0);
  }
  t.result = 0;
  const Dom domain = GroupOf(c).domain;
  if (domain != kBlocked) BeginAttach(c, f, domain, kBlocked);
  return Next(c, Step::kResetRestoreRid);
}

Outcome ResetRestoreRid(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) Warn(c, "pci_dev_reset_iommu_done", "RID");
  c.state.functions[t.request.function].parked = 0;
  t.cursor = 1;
  t.result = 0;
  return Next(c, Step::kResetRestorePasids);
}

Outcome ResetRestorePasids(Context& c) {
  Thread& t = c.thread;
  const int f = t.request.function;
  if (t.result != 0) Warn(c, "pci_dev_reset_iommu_done", "PASID");
  t.result = 0;
  for (; t.cursor < kSsids && OffersPasids(c, f); ++t.cursor) {
    const Dom dom = GroupOf(c).pasids[t.cursor];
    if (dom == kNoDomain) continue;
    BeginPasid(c, f, t.cursor++, dom, kBlocked);
    return Outcome::kNext;
  }
  --GroupOf(c).recovery_cnt;
  return Done(c, 0);
}

}  // namespace atsfuzz::machine::core
