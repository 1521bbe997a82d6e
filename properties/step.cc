#include "properties/step.h"

#include <algorithm>
#include <cassert>

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {

std::string StepView::FunctionName(int f) const {
  return model::Name(machine.topology(),
                     model::FunctionId(static_cast<uint8_t>(f)));
}

std::string StepView::Aspect(int f, const char* aspect) const {
  const uint8_t of = f < 0 ? 0xff : static_cast<uint8_t>(1u << f);
  if ((inconsistent & of) != 0) return "after a must-succeed attach failed";
  if (f >= 0 && (contested & of) != 0) return "two masters of one stream id";
  return aspect;
}

std::string StepView::DomainName(int slot) const {
  if (slot < ATSFUZZ_MAX_DOMAINS) {
    return model::Name(model::DomainId(static_cast<uint8_t>(slot)));
  }
  if (slot >= ATSFUZZ_FIRST_BLOCKING) {
    return absl::StrCat(FunctionName(slot - ATSFUZZ_FIRST_BLOCKING),
                        "'s blocking domain");
  }
  return absl::StrCat(FunctionName(slot - ATSFUZZ_MAX_DOMAINS),
                      "'s default domain");
}

std::string StepView::StreamName(StreamSlot slot) const {
  return absl::StrCat(FunctionName(FunctionOf(slot)), "'s stream 0x",
                      absl::Hex(machine.StreamId(slot)));
}

int StepView::OwnerOf(StreamSlot slot) const {
  if (!machine.IsShared(slot)) {
    return State(FunctionOf(slot)).probed ? FunctionOf(slot) : -1;
  }
  const int smmu = machine.SmmuOf(FunctionOf(slot));
  for (int f = 0; f < machine.functions(); ++f) {
    if (machine.SmmuOf(f) == smmu && State(f).probed &&
        machine.Lists(f, machine.StreamId(slot))) {
      return f;
    }
  }
  return -1;
}

int StepView::DomainSlotOf(int f) const {
  switch (State(f).route) {
    case model::Route::kDomain:
      return State(f).domain.value;
    case model::Route::kDefaultDma:
      return machine.DefaultSlot(f);
    default:
      return -1;
  }
}

std::span<const model::PasidState> StepView::PasidsOf(int f) const {
  const model::FunctionState& state = State(f);
  if (state.parked || !state.probed) return {};
  return state.pasids;
}

int StepView::DomainSlotOf(int f, uint32_t pasid) const {
  if (pasid == 0) return DomainSlotOf(f);
  for (const model::PasidState& state : PasidsOf(f)) {
    if (state.pasid == pasid) return state.domain.value;
  }
  return -1;
}

int StepView::RidAttachments(int f, int slot) const {
  const int through = DomainSlotOf(f);
  return through >= 0 && machine.CountedBy(through) == slot ? 1 : 0;
}

int StepView::Attachments(int f, int slot) const {
  int count = RidAttachments(f, slot);
  for (const model::PasidState& state : PasidsOf(f)) {
    if (state.domain.value == slot) ++count;
  }
  return count;
}

std::span<const atsfuzz_inv> StepView::Array(int slot) const {
  const atsfuzz_domain& domain = after.domains[slot];
  if (!domain.has_array || domain.num_invs == 0) return {};
  assert(domain.inv_first + domain.num_invs <= after.inv_count);
  return {after.invs + domain.inv_first, domain.num_invs};
}

void Replay::Begin(const Machine& machine, const atsfuzz_observation& before) {
  ats = 0;
  for (int f = 0; f < machine.functions(); ++f) {
    const atsfuzz_function& function = before.functions[f];
    if (function.ats) ats |= static_cast<uint8_t>(1u << f);
    for (int s = 0; s < machine.Streams(f); ++s) {
      const StreamSlot slot = SlotOf(f, s);
      if (machine.Canonical(slot) != slot) continue;
      if (function.streams[s].route == ATSFUZZ_ROUTE_NO_TABLE) {
        ste[slot] = kAbortEntry;
      } else {
        std::copy_n(function.streams[s].ste, 8, ste[slot].begin());
      }
    }
    // A stream id of another function's leads to that one's CD table.
    cd[f] = {};
    if (function.probed) std::copy_n(function.streams[0].cd, 8, cd[f].begin());
  }
}

const char* RouteName(uint8_t route) {
  switch (route) {
    case ATSFUZZ_ROUTE_NO_TABLE:
      return "no stream table";
    case ATSFUZZ_ROUTE_INVALID:
      return "V=0";
    case ATSFUZZ_ROUTE_ABORT:
      return "abort";
    case ATSFUZZ_ROUTE_BYPASS:
      return "bypass";
    case ATSFUZZ_ROUTE_STAGE1:
      return "stage 1";
    case ATSFUZZ_ROUTE_STAGE2:
      return "stage 2";
    case ATSFUZZ_ROUTE_S1DSS_TERMINATE:
      return "CD table, terminate";
    case ATSFUZZ_ROUTE_S1DSS_BYPASS:
      return "CD table, bypass";
    case ATSFUZZ_ROUTE_NESTED:
      return "nested";
    default:
      return "unknown";
  }
}

}  // namespace atsfuzz::properties
