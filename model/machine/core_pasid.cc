#include <cerrno>

#include "model/machine/core_parts.h"

namespace atsfuzz::machine::core {

Outcome BeginPasids(Context& c) {
  Thread& t = c.thread;
  Group& group = GroupOf(c);
  const Request& r = t.request;
  t.cursor = 0;
  t.group_result = 0;
  t.reverting = 0;
  t.target = DomOf(r.domain);
  t.old = group.pasids[r.ssid];
  if (r.kind == OperationKind::kClearPasid) {
    t.target = kNoDomain;
    return Next(c, Step::kPasidNext);
  }
  if (c.board.IsNested(r.domain)) return Done(c, -EOPNOTSUPP);
  if (group.recovery_cnt != 0) return Done(c, -EBUSY);
  if (r.kind == OperationKind::kReplacePasid) {
    if (t.old == kNoDomain) return Done(c, -EINVAL);
    if (t.old == t.target) return Done(c, 0);
    return Next(c, Step::kPasidNext);
  }
  for (uint8_t f : c.state.order) {
    if (IsMember(c, f) && OffersPasids(c, f) &&
        r.ssid >> c.board.functions[f].ssid_bits != 0) {
      return Done(c, -EINVAL);
    }
  }
  if (!Allocate(c, AllocSite::kCore)) return Done(c, -ENOMEM);
  if (t.old != kNoDomain) return Done(c, -EBUSY);
  return Next(c, Step::kPasidNext);
}

Outcome PasidNext(Context& c) {
  Thread& t = c.thread;
  const bool clears = t.request.kind == OperationKind::kClearPasid;
  for (; t.cursor < kFunctions; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || !OffersPasids(c, f)) continue;
    if (clears && c.state.functions[f].parked) continue;
    BeginPasid(c, f, t.request.ssid, t.target, t.old);
    return Next(c, Step::kPasidDone);
  }
  GroupOf(c).pasids[t.request.ssid] = t.target;
  return Done(c, 0);
}

Outcome PasidDone(Context& c) {
  Thread& t = c.thread;
  if (t.result == 0) {
    ++t.cursor;
    return Next(c, Step::kPasidNext);
  }
  t.group_result = t.result;
  t.last = t.cursor;
  t.cursor = 0;
  return Next(c, Step::kPasidRevert);
}

Outcome PasidRevert(Context& c) {
  Thread& t = c.thread;
  for (; t.cursor < t.last; ++t.cursor) {
    const uint8_t f = c.state.order[t.cursor];
    if (!IsMember(c, f) || !OffersPasids(c, f)) continue;
    BeginPasid(c, f, t.request.ssid, t.old, t.target);
    return Next(c, Step::kPasidRevertDone);
  }
  return Done(c, t.group_result);
}

Outcome PasidRevertDone(Context& c) {
  Thread& t = c.thread;
  if (t.result != 0) {
    Warn(c, "__iommu_set_group_pasid", "old->ops->set_dev_pasid(...)");
    BeginPasid(c, c.state.order[t.cursor], t.request.ssid, kNoDomain, t.target);
    return Outcome::kNext;
  }
  ++t.cursor;
  return Next(c, Step::kPasidRevert);
}

}  // namespace atsfuzz::machine::core
