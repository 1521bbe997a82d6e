#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "reproduce/symptom_families.h"

// Symptoms of where traffic leads: properties/attachment.h.
namespace atsfuzz::reproduce {
namespace {

using model::Route;
using properties::StepView;
using properties::StreamSlot;

// C: whether `stream` leads where it must.
struct Expected {
  std::string words, condition;
};

constexpr char kBlocks[] =
    "(stream->route == ATSFUZZ_ROUTE_ABORT ||\n"
    "\t\tstream->route == ATSFUZZ_ROUTE_S1DSS_TERMINATE)";

Expected DomainExpected(const StepView& step, int f) {
  const int slot = step.DomainSlotOf(f);
  const std::string name = step.DomainName(slot);
  bool nested = false;
  if (step.machine.IsNested(slot)) {
    const model::GuestEntry guest = step.machine.topology().domains[slot].guest;
    if (guest == model::GuestEntry::kAbort) {
      return {name + ", whose guest aborts",
              "stream->route == ATSFUZZ_ROUTE_ABORT"};
    }
    nested = guest == model::GuestEntry::kStage1;
  }
  std::string condition = absl::StrFormat(
      "leads_to(stream, %d, %d)", step.machine.CountedBy(slot), nested ? 1 : 0);
  if (step.State(f).route == Route::kDefaultDma) {
    condition = absl::StrFormat(
        "(seen.now->functions[%d].group_domain == %d &&\n\t\t%s)", f, slot,
        condition);
  }
  return {name, condition};
}

Expected ExpectedOf(const StepView& step, StreamSlot slot) {
  const int f = properties::FunctionOf(slot);
  if (!step.State(f).probed) {
    std::string condition =
        "(stream->route == ATSFUZZ_ROUTE_ABORT ||\n"
        "\t\tstream->route == ATSFUZZ_ROUTE_NO_TABLE)";
    if (step.machine.ListsReserved(f, step.machine.StreamId(slot))) {
      condition = absl::StrCat("(stream->route == ATSFUZZ_ROUTE_BYPASS || ",
                               condition, ")");
    }
    return {"nothing: no probed function has it", condition};
  }
  switch (step.State(f).route) {
    case Route::kBlocked: {
      const int blocking = step.machine.BlockingSlot(f);
      if (step.after.domains[blocking].exists) {
        return {step.DomainName(blocking),
                absl::StrFormat("leads_to(stream, %d, 0)", blocking)};
      }
      return {"nothing: it is blocked", kBlocks};
    }
    case Route::kIdentity:
      return {"identity",
              "(stream->route == ATSFUZZ_ROUTE_BYPASS ||\n"
              "\t\tstream->route == ATSFUZZ_ROUTE_S1DSS_BYPASS)"};
    default:
      return DomainExpected(step, f);
  }
}

// C: the table of where the function's PASIDs must lead.
std::vector<std::string> PasidRoutes(const StepView& step, int f) {
  std::vector<std::string> routes;
  for (const model::PasidState& state : step.PasidsOf(f)) {
    routes.push_back(
        absl::StrFormat("{ %d, %d, %d }", state.pasid, state.domain.value,
                        step.Domain(state.domain.value).exited ? 1 : 0));
  }
  return routes;
}

}  // namespace

Symptom SymptomOfAttachment(const Sight& sight) {
  const StepView& step = sight.step;
  const StreamSlot slot = sight.violation.subject.index;
  const int f = properties::FunctionOf(slot);
  const Expected expected = ExpectedOf(step, slot);
  const std::vector<std::string> routes = PasidRoutes(step, f);
  const std::string table =
      routes.empty()
          ? ""
          : absl::StrCat("\t/* PASID, domain, whether its process is dead */\n",
                         "\tstatic const struct pasid_route pasids[] = { ",
                         absl::StrJoin(routes, ", "), " };\n");
  Symptom symptom = {
      .check = absl::StrCat(
          table,
          absl::StrFormat("\tconst struct atsfuzz_stream *stream = "
                          "stream_of(%d, %d);\n\n",
                          f, properties::StreamOf(slot)),
          "\t/* It must lead to ", expected.words, ". */\n",
          "\tif (!seen.as_recorded)\n\t\treturn 0;\n",
          absl::StrFormat("\tif (!%s)\n\t\treturn 1;\n", expected.condition),
          absl::StrFormat("\treturn !pasids_lead(%d, %s, %d);\n", f,
                          routes.empty() ? "NULL" : "pasids", routes.size())),
      .parts = {"route"}};
  if (absl::StrContains(expected.condition, "leads_to")) {
    symptom.parts.emplace_back("leads");
  }
  symptom.parts.emplace_back("pasid_leads");
  return symptom;
}

Symptom SymptomOfMaster(const Sight& sight) {
  const StreamSlot slot = sight.violation.subject.index;
  const int owner = sight.step.OwnerOf(slot);
  return {
      .check = absl::StrFormat(
          "\t/* Functions by number, %d for none. It must be %s. */\n"
          "\tunsigned int master = seen.now->functions[%d].streams[%d].master;"
          "\n\n"
          "\tprintf(\"  found: stream 0x%x leads to the master of %%s\\n\",\n"
          "\t       master < machine.function_count ? "
          "machine.functions[master].name : \"nobody\");\n"
          "\treturn seen.as_recorded && master != %d;\n",
          ATSFUZZ_NONE,
          owner < 0 ? std::string("nobody") : sight.step.FunctionName(owner),
          properties::FunctionOf(slot), properties::StreamOf(slot),
          sight.step.machine.StreamId(slot), owner < 0 ? ATSFUZZ_NONE : owner)};
}

}  // namespace atsfuzz::reproduce
