#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "report/text.h"
#include "reproduce/steps_parts.h"

namespace atsfuzz::reproduce {
namespace {

using properties::Invariant;
using report::Row;
using report::RowKind;

// The row of the violation; null: the run has none.
const Row* ViolationRow(const Steps& steps) {
  const absl::string_view name = InvariantName(steps.invariant);
  const auto at =
      std::find_if(steps.rows.begin(), steps.rows.end(), [&](const Row& row) {
        return row.kind == RowKind::kViolation && row.invariant == name;
      });
  return at == steps.rows.end() ? nullptr : &*at;
}

std::string PlaceOf(const Row* row) {
  if (row == nullptr || row->where.empty()) return "";
  const model::Location& place = row->where.front();
  return absl::StrFormat("%s:%d %s", place.file, place.line, place.function);
}

std::string WarningText(const Steps& steps) {
  const std::string place = PlaceOf(ViolationRow(steps));
  return absl::StrCat("dmesg: \"WARNING: ... at ", place.empty() ? "" : ".../",
                      place, "+0x...\" with a call trace");
}

// What one sees of an invariant's violation on a machine.
std::string SightOf(const Steps& steps) {
  switch (steps.invariant) {
    case Invariant::kNoWarning:
      return WarningText(steps);
    case Invariant::kMemorySafe:
      return "dmesg: a report of KASAN, or an oops";
    case Invariant::kBeliefMatchesDevice:
    case Invariant::kFailedOperationChangesNothing:
      return "nothing by itself. `lspci -vv` of the function shows what it "
             "says "
             "(ATSCtl: Enable+ or Enable-); what the driver believes is "
             "ats_enabled of its struct arm_smmu_master (dev->iommu->priv), "
             "which a debugger of the live kernel (drgn, crash) shows. A later "
             "detach or claim may warn in pci_disable_ats";
    case Invariant::kCountMatchesDevices:
      return "nothing by itself. nr_ats_masters of the domain's struct "
             "arm_smmu_domain, in a debugger of the live kernel (drgn, crash); "
             "where the counter decides about ATC invalidations, an unmap is "
             "slower for it or does not reach an ATC";
    case Invariant::kArrayCoversAttachments:
    case Invariant::kArrayWellFormed:
    case Invariant::kRepresentationsAgree:
      return "nothing by itself. The domain's invs (struct arm_smmu_domain) in "
             "a debugger of the live kernel (drgn, crash): its entries and "
             "their users, num_trashes, has_ats. An unmap may then reach too "
             "few TLBs, or functions that do not answer";
    case Invariant::kTranslationBeforeAts:
      return "dmesg, if the function asks at that moment: an event of the SMMU "
             "against its stream, F_BAD_ATS_TREQ (0x05) or F_TRANSL_FORBIDDEN "
             "(0x07)";
    case Invariant::kHitlessWherePromised:
      return "dmesg, if the function has DMA under way at that moment: an "
             "event of the SMMU against its stream, C_BAD_STE (0x04)";
    case Invariant::kNoStaleAtc:
    case Invariant::kNoStaleIotlb:
    case Invariant::kNoDmaAfterUnmap:
      return "nothing from the kernel. Let the function go on writing to the "
             "address: the memory that was mapped there still changes after "
             "the unmap or detach has returned (compare a pattern in it)";
    case Invariant::kInvalidationsExact:
      return "tracing of the command queue (a kprobe on "
             "arm_smmu_cmdq_issue_cmdlist). To a function that does not "
             "answer: dmesg, \"CMD_SYNC timeout\" or \"CMDQ error ... ATC "
             "invalidate timeout\"; one that is missing leaves a stale "
             "translation";
    case Invariant::kCommandsInOrder:
      return "dmesg, if it comes to that: \"CMDQ error\", or an event against "
             "the stream; the order itself by tracing the command queue (a "
             "kprobe on arm_smmu_cmdq_issue_cmdlist)";
    case Invariant::kAttachmentAsReturned:
      return "the function's DMA: it reaches what it must not, or is aborted "
             "(dmesg: an event of the SMMU against its stream). Its stream "
             "table "
             "entry in a debugger of the live kernel";
    case Invariant::kStreamsResolve:
      return "events against the stream id are told without the device's name, "
             "or of another one; the stream tree (streams of struct "
             "arm_smmu_device) in a debugger of the live kernel";
    case Invariant::kPasidThenAts:
      return "nothing by itself; the function may lose its PASIDs. Trace "
             "pci_enable_pasid and pci_disable_pasid beside `lspci -vv`, "
             "ATSCtl";
    case Invariant::kStuMatchesGranule:
      return "`lspci -vv` of the PF: ATSCtl, \"Smallest Translation Unit\", "
             "beside the SMMU's smallest granule; translations of the wrong "
             "size when the function uses them";
    case Invariant::kTagsUnique:
      return "nothing by itself. The ASIDs (or VMIDs) of two domains in a "
             "debugger of the live kernel; one domain's DMA may go by the "
             "other's translations";
    case Invariant::kNoLeak:
      return "/sys/kernel/debug/kmemleak after `echo scan`; a stream id that "
             "stays taken makes the function's next probe fail";
    case Invariant::kProgress:
      return "dmesg: \"CMD_SYNC timeout\", or a hung task (after 120 s) with "
             "the places where the tasks wait";
    case Invariant::kLockDiscipline:
      return "dmesg, of a kernel with lockdep: a report of what it found";
    case Invariant::kDataRace:
      return "dmesg: a report of KCSAN, with both places";
  }
  return "";
}

}  // namespace

std::vector<std::string> ThreadItems(const Steps& steps) {
  std::vector<std::string> items;
  const bool block = std::any_of(
      steps.scenario.operations.begin(), steps.scenario.operations.end(),
      [](const auto& operation) { return operation.thread != 0; });
  if (!block) return items;
  for (size_t i = 0; i < steps.rows.size(); ++i) {
    const Row& row = steps.rows[i];
    // One that waits gives way by itself.
    if (row.kind != RowKind::kStop || row.where.empty() ||
        !absl::StartsWith(row.text, "stops")) {
      continue;
    }
    items.push_back(absl::StrCat(row.lane, " ", row.text, " in ",
                                 report::LocationText(row.where.front())));
  }
  return items;
}

std::vector<std::string> SeenItems(const Steps& steps) {
  std::vector<std::string> items = {SightOf(steps)};
  std::vector<std::string> logged;
  for (const Row& row : steps.rows) {
    absl::string_view line = row.text;
    if (row.kind == RowKind::kEvent && absl::ConsumePrefix(&line, "kernel: ")) {
      logged.push_back(absl::StrCat("dmesg, on the way: \"", line, "\""));
    }
  }
  // Every probe says so.
  std::erase_if(logged, [](const std::string& line) {
    return absl::StrContains(line, "Adding to iommu group");
  });
  logged.erase(std::unique(logged.begin(), logged.end()), logged.end());
  items.insert(items.end(), logged.begin(), logged.end());
  if (const Row* row = ViolationRow(steps);
      row != nullptr && !row->where.empty() &&
      steps.invariant != Invariant::kNoWarning) {
    items.push_back(absl::StrCat("In the driver it comes from ",
                                 report::LocationText(row->where.front())));
  }
  return items;
}

}  // namespace atsfuzz::reproduce
