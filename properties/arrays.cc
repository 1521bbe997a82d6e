#include "properties/arrays.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace atsfuzz::properties {
namespace {

const char* TypeName(uint8_t type) {
  switch (type) {
    case ATSFUZZ_INV_S1_ASID:
      return "S1_ASID";
    case ATSFUZZ_INV_S2_VMID:
      return "S2_VMID";
    case ATSFUZZ_INV_S2_VMID_S1_CLEAR:
      return "S2_VMID_S1_CLEAR";
    case ATSFUZZ_INV_ATS:
      return "ATS";
    case ATSFUZZ_INV_ATS_FULL:
      return "ATS_FULL";
    default:
      return "unknown type";
  }
}

std::string Text(const atsfuzz_inv& inv) {
  std::string text = absl::StrCat(TypeName(inv.type), " ");
  if (!IsAts(inv)) return absl::StrCat(text, inv.id);
  absl::StrAppend(&text, "0x", absl::Hex(inv.id));
  if (inv.ssid != 0) absl::StrAppend(&text, " PASID ", inv.ssid);
  return text;
}

// -1, 0 or 1, as arm_smmu_inv_cmp.
int Compare(const atsfuzz_inv& a, const atsfuzz_inv& b) {
  if (a.rank != b.rank) return a.rank < b.rank ? -1 : 1;
  if (a.type != b.type) return a.type < b.type ? -1 : 1;
  if (a.id != b.id) return a.id < b.id ? -1 : 1;
  if (!IsAts(a) || a.ssid == b.ssid) return 0;
  return a.ssid < b.ssid ? -1 : 1;
}

bool IsListedTwice(const Machine& machine, const atsfuzz_inv& inv) {
  for (int f = 0; f < machine.functions(); ++f) {
    if (machine.SmmuOf(f) == inv.smmu && machine.TimesListed(f, inv.id) > 1) {
      return true;
    }
  }
  return false;
}

// Subjects: a number space for each kind of complaint.
enum Complaint : uint64_t { kTag, kAtsUsers, kAtsExtra };
uint64_t AtsSubject(Complaint complaint, uint32_t stream, uint32_t pasid) {
  return complaint | uint64_t{stream & 0xffffff} << 4 | uint64_t{pasid} << 28;
}

struct Words {
  std::string message, expected, found;
  const char* aspect;
};

// `f`: whose attachment it is about; -1: nobody's in particular.
void Report(const StepView& step, Invariant invariant, int slot,
            uint64_t subject, int f, Words words) {
  Violation* v = step.findings.Report(invariant, subject << 8 | slot);
  if (v == nullptr) return;
  v->message = absl::StrCat("The invalidation array of ", step.DomainName(slot),
                            " ", words.message);
  v->expected = std::move(words.expected);
  v->found = std::move(words.found);
  v->subject = {model::Fact::kArray, static_cast<uint8_t>(slot)};
  v->aspect = step.Aspect(f, words.aspect);
}

void ReportShape(const StepView& step, int slot, int kind, Words words) {
  Report(step, Invariant::kArrayWellFormed, slot, kind, -1, std::move(words));
}

// Users that one function's attachment with `pasid` gives to entries of
// `stream`: it lists the id, is attached and has ATS on.
bool NeedsAts(const StepView& step, int f, int slot, uint32_t stream,
              uint32_t pasid) {
  if (!step.after.functions[f].ats || !step.machine.Lists(f, stream)) {
    return false;
  }
  const int through = step.DomainSlotOf(f, pasid);
  return through >= 0 && step.machine.CountedBy(through) == slot;
}

uint8_t AtsTypeOf(const StepView& step, int slot) {
  return step.machine.IsNestingParent(slot) ? ATSFUZZ_INV_ATS_FULL
                                            : ATSFUZZ_INV_ATS;
}

}  // namespace

void Arrays::CheckWellFormed(const StepView& step, int slot) {
  const atsfuzz_domain& domain = step.after.domains[slot];
  const std::span<const atsfuzz_inv> array = step.Array(slot);
  if (domain.num_invs > domain.max_invs) {
    ReportShape(step, slot, 0,
                {"holds more than it has room for.",
                 absl::StrCat("num_invs <= ", domain.max_invs),
                 absl::StrCat(domain.num_invs), "num_invs"});
  }
  uint32_t trash = 0;
  for (size_t i = 0; i < array.size(); ++i) {
    const atsfuzz_inv& inv = array[i];
    if (!IsLive(inv)) ++trash;
    if (inv.users < 0) {
      ReportShape(
          step, slot, 1,
          {absl::StrCat("has ", inv.users, " users of ", Text(inv), "."),
           "users >= 0", absl::StrCat(inv.users), "negative users"});
    }
    if (IsLive(inv) && IsAts(inv) && !domain.has_ats) {
      ReportShape(step, slot, 2,
                  {absl::StrCat("has a live entry ", Text(inv),
                                " but has_ats is clear: a sync takes no lock "
                                "against a detach."),
                   "has_ats", "clear", "has_ats"});
    }
    if (i == 0) continue;
    const int order = Compare(array[i - 1], inv);
    if (order < 0 ||
        (order == 0 && IsAts(inv) && IsListedTwice(step.machine, inv))) {
      continue;
    }
    ReportShape(step, slot, order == 0 ? 3 : 4,
                {absl::StrCat("has ", Text(inv),
                              order == 0 ? " twice." : " out of order."),
                 "sorted, no two equal",
                 absl::StrCat(Text(array[i - 1]), ", ", Text(inv)),
                 order == 0 ? "equal entries" : "not sorted"});
  }
  if (trash == domain.num_trashes) return;
  ReportShape(
      step, slot, 5,
      {absl::StrCat("counts ", domain.num_trashes, " trash entries and has ",
                    trash, "."),
       absl::StrCat(trash), absl::StrCat(domain.num_trashes), "num_trashes"});
}

void Arrays::CheckTag(const StepView& step, int slot, uint8_t type,
                      int needed) {
  const atsfuzz_domain& domain = step.after.domains[slot];
  const bool clear = type == ATSFUZZ_INV_S2_VMID_S1_CLEAR;
  const auto report = [&](const atsfuzz_inv& inv, const char* aspect) {
    Report(step, Invariant::kArrayCoversAttachments, slot,
           uint64_t{type} << 4 | kTag, -1,
           {absl::StrCat("has ", inv.users, " users of ", Text(inv), "; ",
                         needed, " attachments need it."),
            absl::StrCat(needed, " users of ", TypeName(type), " ", domain.tag),
            absl::StrCat(inv.users, " users of ", Text(inv)), aspect});
  };
  bool found = false;
  for (const atsfuzz_inv& inv : step.Array(slot)) {
    if (!IsLive(inv) || inv.type != type) continue;
    if (inv.id != domain.tag || inv.smmu != domain.smmu) {
      report(inv, "another tag");
      continue;
    }
    found = true;
    if (inv.users == needed) continue;
    report(inv, needed == 0
                    ? (clear ? "S1 clear left behind" : "tag left behind")
                : inv.users > needed
                    ? (clear ? "S1 clear too many users" : "too many users")
                    : (clear ? "S1 clear too few users" : "too few users"));
  }
  if (found || needed == 0) return;
  report({.smmu = domain.smmu, .type = type, .id = domain.tag},
         clear ? "S1 clear missing" : "tag missing");
}

void Arrays::CheckAtsOf(const StepView& step, int slot, uint32_t stream,
                        uint32_t pasid, int f) {
  int needed_users = 0, needed_entries = 0;
  for (int g = 0; g < step.machine.functions(); ++g) {
    if (step.machine.SmmuOf(g) != step.machine.SmmuOf(f) ||
        !NeedsAts(step, g, slot, stream, pasid)) {
      continue;
    }
    const int times = step.machine.TimesListed(g, stream);
    needed_users += times;
    needed_entries = times > needed_entries ? times : needed_entries;
  }
  const uint8_t type = AtsTypeOf(step, slot);
  int users = 0, entries = 0;
  for (const atsfuzz_inv& inv : step.Array(slot)) {
    if (!IsLive(inv) || inv.type != type || inv.id != stream ||
        inv.ssid != pasid || inv.smmu != step.machine.SmmuOf(f)) {
      continue;
    }
    users += inv.users;
    ++entries;
  }
  if (users == needed_users && entries == needed_entries) return;
  const std::string name = Text({.type = type, .id = stream, .ssid = pasid});
  const char* aspect = entries == 0               ? "ATS missing"
                       : entries < needed_entries ? "ATS missing once"
                       : entries > needed_entries ? "ATS once more"
                       : users > needed_users     ? "ATS too many users"
                                                  : "ATS too few users";
  Report(
      step, Invariant::kArrayCoversAttachments, slot,
      AtsSubject(kAtsUsers, stream, pasid), f,
      {absl::StrCat("has ", entries, " live entries ", name, " with ", users,
                    " users in all; ", needed_entries, " with ", needed_users,
                    " are needed: ATS of ", step.FunctionName(f), " is on."),
       absl::StrCat(needed_entries, " entries, ", needed_users, " users"),
       absl::StrCat(entries, " entries, ", users, " users"), aspect});
}

void Arrays::CheckAts(const StepView& step, int slot) {
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (!step.after.functions[f].ats) continue;
    for (int s = 0; s < step.machine.Streams(f); ++s) {
      const uint32_t stream = step.machine.StreamId(SlotOf(f, s));
      if (NeedsAts(step, f, slot, stream, 0)) {
        CheckAtsOf(step, slot, stream, 0, f);
      }
      for (const model::PasidState& state : step.PasidsOf(f)) {
        if (state.domain.value != slot) continue;
        CheckAtsOf(step, slot, stream, state.pasid, f);
      }
    }
  }
  // What nobody needs.
  for (const atsfuzz_inv& inv : step.Array(slot)) {
    if (!IsLive(inv) || !IsAts(inv)) continue;
    bool needed = false;
    for (int f = 0; f < step.machine.functions() && !needed; ++f) {
      needed = step.machine.SmmuOf(f) == inv.smmu &&
               NeedsAts(step, f, slot, inv.id, inv.ssid);
    }
    const bool wrong_type = needed && inv.type != AtsTypeOf(step, slot);
    if (needed && !wrong_type) continue;
    const StreamSlot stream = step.machine.Find(inv.smmu, inv.id);
    Report(step, Invariant::kArrayCoversAttachments, slot,
           AtsSubject(kAtsExtra, inv.id, inv.ssid),
           stream < 0 ? -1 : FunctionOf(stream),
           {absl::StrCat("has a live entry ", Text(inv),
                         wrong_type ? ", of the wrong type."
                                    : ", which no attachment with ATS on "
                                      "needs."),
            wrong_type ? TypeName(AtsTypeOf(step, slot)) : "no such entry",
            absl::StrCat(inv.users, " users of ", Text(inv)),
            wrong_type ? "ATS of the wrong type" : "ATS left behind"});
  }
}

void Arrays::CheckAgreement(const StepView& step, int slot) {
  // A stream id of two masters does not tell whose entry it is.
  if (step.contested != 0) return;
  const atsfuzz_domain& domain = step.after.domains[slot];
  int listed = 0;
  for (int f = 0; f < step.machine.functions(); ++f) {
    if (!step.after.functions[f].ats) continue;
    listed += domain.attachments[f] + domain.pasid_attachments[f];
  }
  const std::span<const atsfuzz_inv> array = step.Array(slot);
  const auto master = [&](const atsfuzz_inv& inv) {
    const StreamSlot stream = step.machine.Find(inv.smmu, inv.id);
    return stream < 0 ? -1 : step.OwnerOf(stream);
  };
  int covered = 0;
  for (size_t i = 0; i < array.size(); ++i) {
    if (!IsLive(array[i]) || !IsAts(array[i])) continue;
    bool first = true;
    for (size_t j = 0; j < i && first; ++j) {
      first = !IsLive(array[j]) || !IsAts(array[j]) ||
              array[j].ssid != array[i].ssid ||
              master(array[j]) != master(array[i]);
    }
    if (first) ++covered;
  }
  const int counted = domain.has_counter ? domain.nr_ats_masters : listed;
  if (counted == covered && covered == listed) return;
  Report(
      step, Invariant::kRepresentationsAgree, slot, 0, -1,
      {absl::StrCat("covers ", covered,
                    " masters or PASIDs with ATS; nr_ats_masters is ", counted,
                    ", and the list of attachments has ", listed, " with ATS."),
       "array == counter == list",
       absl::StrCat(covered, ", ", counted, ", ", listed),
       covered == listed    ? "counter"
       : covered == counted ? "list"
       : counted == listed  ? "array"
                            : "all differ"});
}

void Arrays::CheckDomain(const StepView& step, int slot) {
  const atsfuzz_domain& domain = step.after.domains[slot];
  if (!domain.exists || !domain.has_array || step.machine.IsNested(slot)) {
    return;
  }
  CheckWellFormed(step, slot);
  if (domain.finalised) {
    int attachments = 0;
    for (int f = 0; f < step.machine.functions(); ++f) {
      attachments += step.Attachments(f, slot);
    }
    const bool stage1 = domain.stage == 1;
    CheckTag(step, slot, ATSFUZZ_INV_S1_ASID, stage1 ? attachments : 0);
    CheckTag(step, slot, ATSFUZZ_INV_S2_VMID, stage1 ? 0 : attachments);
    CheckTag(step, slot, ATSFUZZ_INV_S2_VMID_S1_CLEAR,
             step.machine.IsNestingParent(slot) ? attachments : 0);
    CheckAts(step, slot);
  }
  CheckAgreement(step, slot);
}

void Arrays::AtRest(const StepView& step) {
  for (int slot = 0; slot < step.machine.domains(); ++slot) {
    CheckDomain(step, slot);
  }
  for (int f = 0; f < step.machine.functions(); ++f) {
    CheckDomain(step, ATSFUZZ_MAX_DOMAINS + f);
  }
}

}  // namespace atsfuzz::properties
