#include "reproduce/program_tables.h"

#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "fuzz/block_run.h"
#include "linux/request.h"

namespace atsfuzz::reproduce {
namespace {

constexpr size_t kWidth = 90;

// Designated initialisers, but for members that are 0.
class Members {
 public:
  void Add(const char* name, uint64_t value) {
    if (value != 0) Text(name, absl::StrCat(value));
  }
  void AddHex(const char* name, uint64_t value) {
    if (value != 0) Text(name, absl::StrFormat("0x%x", value));
  }
  // An index, or ATSFUZZ_NONE.
  void AddIndex(const char* name, uint8_t value) {
    if (value == ATSFUZZ_NONE) {
      Text(name, "ATSFUZZ_NONE");
    } else {
      Add(name, value);
    }
  }
  void Text(const char* name, const std::string& value) {
    members_.push_back(absl::StrCat(".", name, " = ", value));
  }
  // On as many lines as it takes, further ones after `indent`.
  std::string Braces(absl::string_view indent) const {
    if (members_.empty()) return "{ 0 }";
    std::string text = "{ ";
    size_t width = kWidth / 3;  // what stands before it
    for (size_t i = 0; i < members_.size(); ++i) {
      width += members_[i].size() + 2;
      if (i != 0) text += width > kWidth ? ",\n" : ", ";
      if (i != 0 && width > kWidth) {
        absl::StrAppend(&text, indent);
        width = members_[i].size() + 16;
      }
      text += members_[i];
    }
    return text + " }";
  }

 private:
  std::vector<std::string> members_;
};

// "cd-table" -> "CD_TABLE".
std::string Constant(absl::string_view name) {
  return absl::AsciiStrToUpper(absl::StrReplaceAll(name, {{"-", "_"}}));
}

std::string SmmuBraces(const atsfuzz_machine_smmu& smmu) {
  Members members;
  members.Add("granules", smmu.granules);
  members.Add("stage1", smmu.stage1);
  members.Add("stage2", smmu.stage2);
  members.Add("ats", smmu.ats);
  members.Add("range_invalidation", smmu.range_invalidation);
  return members.Braces("\t\t");
}

std::string FunctionBraces(const atsfuzz_machine_function& function) {
  Members members;
  members.Text("name", absl::StrCat("\"", function.name, "\""));
  members.Add("kind", function.kind);
  members.AddIndex("pf", function.pf);
  members.AddIndex("smmu", function.smmu);
  members.Add("ats", function.ats);
  members.Add("untrusted", function.untrusted);
  members.Add("eager", function.eager);
  members.Add("requires_ats", function.requires_ats);
  members.Add("leader", function.leader);
  members.Add("pasid_bits", function.pasid_bits);
  members.Add("default_identity", function.default_identity);
  members.Add("stream_count", function.stream_count);
  std::vector<std::string> streams;
  for (int i = 0; i < function.stream_count; ++i) {
    streams.push_back(absl::StrFormat("0x%x", function.streams[i]));
  }
  if (!streams.empty()) {
    members.Text("streams",
                 absl::StrCat("{ ", absl::StrJoin(streams, ", "), " }"));
  }
  members.AddHex("direct", function.direct);
  members.AddHex("direct_bytes", function.direct_bytes);
  return members.Braces("\t\t");
}

std::string DomainBraces(const atsfuzz_machine_domain& domain) {
  Members members;
  members.AddIndex("smmu", domain.smmu);
  members.Add("stage", domain.stage);
  members.AddIndex("parent", domain.parent);
  members.Add("guest", domain.guest);
  members.Add("guest_ats", domain.guest_ats);
  members.Add("process", domain.process);
  return members.Braces("\t\t");
}

// "1 << ATSFUZZ_ALLOC_MERGE | 1 << ATSFUZZ_ALLOC_GROUP".
std::string Sites(uint16_t sites) {
  std::vector<std::string> names;
  for (int site = 0; site < model::kAllocSites; ++site) {
    if ((sites >> site & 1) == 0) continue;
    names.push_back(absl::StrCat(
        "1 << ATSFUZZ_ALLOC_",
        Constant(model::AllocSiteName(static_cast<model::AllocSite>(site)))));
  }
  return absl::StrJoin(names, " | ");
}

void AddFaults(const atsfuzz_request& request, Members* members) {
  members->Add("prepare_ats", request.prepare_ats);
  members->Add("enable_ats", request.enable_ats);
  members->AddHex("config_writes", request.config_writes);
  if (request.alloc_sites != 0) {
    members->Text("alloc_sites", Sites(request.alloc_sites));
  }
  members->AddHex("alloc_numbers", request.alloc_numbers);
  members->AddHex("cmd_syncs", request.cmd_syncs);
  members->AddHex("atc_timeouts", request.atc_timeouts);
}

std::string RequestBraces(const model::Topology& topology,
                          const fuzz::Call& call) {
  const model::OperationShape& shape = ShapeOf(call.operation.kind);
  const atsfuzz_request request = linux_driver::RequestOf(
      topology, call.operation, call.through, call.physical);
  Members members;
  members.Text("kind", absl::StrCat("ATSFUZZ_", Constant(shape.name)));
  if (shape.function || call.through.valid()) {
    members.Text("function", absl::StrCat(request.function));
  }
  if (shape.domain) members.Text("domain", absl::StrCat(request.domain));
  members.Add("stream", request.stream);
  members.Add("pasid", request.pasid);
  if (shape.page) {
    members.AddHex("iova", request.iova);
    members.AddHex("size", request.size);
  }
  members.AddHex("physical", request.physical);
  members.Add("queued", request.queued);
  members.Add("identity", request.identity);
  AddFaults(request, &members);
  return members.Braces("\t\t");
}

}  // namespace

std::string MachineTable(const model::Topology& topology) {
  const atsfuzz_machine machine = linux_driver::MachineOf(topology);
  std::string text = absl::StrFormat(
      "static const struct atsfuzz_machine machine = {\n"
      "\t.smmu_count = %d,\n\t.function_count = %d,\n\t.domain_count = %d,\n",
      machine.smmu_count, machine.function_count, machine.domain_count);
  for (uint32_t i = 0; i < machine.smmu_count; ++i) {
    absl::StrAppendFormat(&text, "\t.smmus[%d] = %s,\n", i,
                          SmmuBraces(machine.smmus[i]));
  }
  for (uint32_t i = 0; i < machine.function_count; ++i) {
    absl::StrAppendFormat(&text, "\t.functions[%d] = %s,\n", i,
                          FunctionBraces(machine.functions[i]));
  }
  for (uint32_t i = 0; i < machine.domain_count; ++i) {
    absl::StrAppendFormat(&text, "\t.domains[%d] = %s,\n", i,
                          DomainBraces(machine.domains[i]));
  }
  return text + "};\n";
}

std::string CallsTable(const model::Topology& topology,
                       std::span<const RecordedCall> calls) {
  std::string text =
      "static const struct call {\n"
      "\tconst char *text;\n"
      "\tint result; /* when this was made */\n"
      "\tunsigned int thread; /* of the block, from 1; 0: outside of it */\n"
      "\tstruct atsfuzz_request request;\n"
      "} calls[CALLS + 1] = {\n";
  for (const RecordedCall& call : calls) {
    std::string name = ToText(topology, call.call.operation);
    if (!call.operation) name = absl::StrCat("(", name, ")");
    absl::StrAppendFormat(&text, "\t{ \"%s\", %d, %d,\n\t\t%s },\n",
                          absl::CEscape(name), call.result,
                          call.call.operation.thread,
                          RequestBraces(topology, call.call));
  }
  return text + "\t{ 0 }\n};\n";
}

std::string ScheduleTable(const model::Schedule& schedule) {
  std::string text = absl::StrCat(
      "#define TURNS ", schedule.size(), "u\n#define TO_THE_END ",
      model::Turn::kToTheEnd, "u\n#define MOST_STEPS ", fuzz::kMostSteps,
      "u\n#define MOST_TIME ", fuzz::kMostTime, "u\n#define FAIR_TURNS ",
      fuzz::kFairTurns,
      "u\n\n"
      "/*\n"
      " * Who moves, a thread from 1, an SMMU or RCU (0: nobody any more), "
      "until it stands before\n"
      " * which step of which of its operations; then, how many accesses "
      "further that are no\n"
      " * steps, and whether its CPU keeps its stores to itself.\n"
      " */\n"
      "static const struct turn {\n"
      "\tunsigned int actor, operation, step, plain;\n"
      "\tint weak;\n"
      "} schedule[TURNS + 1] = {\n");
  for (const model::Turn& turn : schedule) {
    const std::string actor =
        turn.actor.is_rcu() ? "1 + ATSFUZZ_MAX_THREADS + ATSFUZZ_MAX_SMMUS"
        : turn.actor.is_smmu()
            ? absl::StrCat("1 + ATSFUZZ_MAX_THREADS + ", turn.actor.smmu())
            : absl::StrCat(turn.actor.thread());
    absl::StrAppendFormat(
        &text, "\t{ %s, %d, %s, %d, %d }, /* %s */\n", actor, turn.operation,
        turn.step == model::Turn::kToTheEnd ? "TO_THE_END"
                                            : absl::StrCat(turn.step),
        turn.plain, turn.weak ? 1 : 0, ToText(turn));
  }
  return text + "\t{ 0, 0, 0, 0, 0 }\n};\n";
}

}  // namespace atsfuzz::reproduce
