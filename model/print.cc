#include <cassert>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "model/text.h"

// The printing half of the scenario language.
namespace atsfuzz::model {
namespace {

// "pf     p0": what it is, wide enough for `domain`, and what it is called.
void AppendHead(absl::string_view what, const std::string& name,
                std::string* out) {
  absl::StrAppend(out, absl::StrFormat("%-6s %s", what, name));
}

void AppendAttributes(const std::vector<std::string>& attributes,
                      std::string* out) {
  if (!attributes.empty()) {
    absl::StrAppend(out, "  ", absl::StrJoin(attributes, " "));
  }
  out->push_back('\n');
}

std::string GranulesText(uint8_t granules) {
  std::vector<absl::string_view> names;
  if (granules & kGranule4K) names.emplace_back("4K");
  if (granules & kGranule16K) names.emplace_back("16K");
  if (granules & kGranule64K) names.emplace_back("64K");
  return absl::StrJoin(names, ",");
}

void AppendSmmu(const Topology& topology, SmmuId id, std::string* out) {
  const Smmu& smmu = topology.at(id);
  std::vector<std::string> attributes;
  if (smmu.granules != Smmu().granules) {
    attributes.emplace_back("granules=" + GranulesText(smmu.granules));
  }
  if (!smmu.stage2) attributes.emplace_back("stages=1");
  if (!smmu.stage1) attributes.emplace_back("stages=2");
  if (!smmu.ats) attributes.emplace_back("no-ats");
  if (!smmu.range_invalidation) attributes.emplace_back("no-ril");
  AppendHead("smmu", Name(id), out);
  AppendAttributes(attributes, out);
}

absl::string_view KindName(FunctionKind kind) {
  switch (kind) {
    case FunctionKind::kPf:
      return "pf";
    case FunctionKind::kVf:
      return "vf";
    case FunctionKind::kPlatform:
      return "platform";
  }
  assert(false && "every kind has a name");
  return "";
}

std::string StreamsText(const std::vector<uint32_t>& streams) {
  return absl::StrJoin(streams, ",", [](std::string* out, uint32_t stream) {
    absl::StrAppend(out, "0x", absl::Hex(stream));
  });
}

std::string PagesText(const Function& function) {
  std::string text = absl::StrCat(function.direct_page);
  if (function.direct_pages > 1) {
    absl::StrAppend(&text, "..",
                    function.direct_page + function.direct_pages - 1);
  }
  return text;
}

void AppendFunction(const Topology& topology, FunctionId id, std::string* out) {
  const Function& function = topology.at(id);
  std::vector<std::string> attributes;
  if (function.kind == FunctionKind::kVf) {
    attributes.push_back("of=" + Name(topology, function.pf));
  }
  if (function.smmu.valid()) {
    attributes.push_back("smmu=" + Name(function.smmu));
  }
  if (function.ats) attributes.emplace_back("ats");
  if (function.requires_ats) attributes.emplace_back("requires-ats");
  if (function.untrusted) attributes.emplace_back("untrusted");
  if (function.eager) attributes.emplace_back("eager");
  if (function.pasid_bits != 0) {
    attributes.push_back(absl::StrCat("pasids=", 1u << function.pasid_bits));
  }
  if (function.smmu.valid() && function.streams != DefaultStreams(id)) {
    attributes.push_back("streams=" + StreamsText(function.streams));
  }
  if (function.default_domain == DefaultDomain::kIdentity) {
    attributes.emplace_back("default=identity");
  }
  if (function.direct_pages != 0) {
    attributes.push_back("direct=" + PagesText(function));
  }
  if (function.leader.valid()) {
    attributes.push_back("group=" + Name(topology, function.leader));
  }
  AppendHead(KindName(function.kind), Name(topology, id), out);
  AppendAttributes(attributes, out);
}

void AppendDomain(const Topology& topology, DomainId id, std::string* out) {
  const Domain& domain = topology.at(id);
  AppendHead("domain", Name(id), out);
  if (!domain.parent.valid()) {
    AppendAttributes({"smmu=" + Name(domain.smmu),
                      domain.process ? std::string("process")
                                     : absl::StrCat("stage=", domain.stage)},
                     out);
    return;
  }
  std::vector<std::string> attributes = {
      "nested=" + Name(domain.parent),
      absl::StrCat("guest=", GuestName(domain.guest))};
  if (domain.guest_ats) attributes.emplace_back("ats");
  AppendAttributes(attributes, out);
}

void AppendTopology(const Topology& topology, std::string* out) {
  for (size_t i = 0; i < topology.smmus.size(); ++i) {
    AppendSmmu(topology, SmmuId(static_cast<uint8_t>(i)), out);
  }
  for (size_t i = 0; i < topology.functions.size(); ++i) {
    AppendFunction(topology, FunctionId(static_cast<uint8_t>(i)), out);
  }
  for (size_t i = 0; i < topology.domains.size(); ++i) {
    AppendDomain(topology, DomainId(static_cast<uint8_t>(i)), out);
  }
}

void AppendOperations(const Scenario& scenario, std::string* out) {
  uint8_t thread = 0;
  for (const Operation& operation : scenario.operations) {
    if (operation.thread != thread) {
      if (thread == 0) absl::StrAppend(out, "par\n");
      absl::StrAppend(out, operation.thread == 0 ? "end\n" : "  thread\n");
      thread = operation.thread;
    }
    absl::StrAppend(out, thread == 0 ? "" : "    ",
                    ToText(scenario.topology, operation), "\n");
  }
  if (thread != 0) absl::StrAppend(out, "end\n");
  if (scenario.schedule.empty()) return;
  absl::StrAppend(out, "schedule ",
                  absl::StrJoin(scenario.schedule, " ",
                                [](std::string* text, const Turn& turn) {
                                  absl::StrAppend(text, ToText(turn));
                                }),
                  "\n");
}

void AppendExpectation(const Expectation& expectation, std::string* out) {
  if (expectation.invariant.empty()) {
    absl::StrAppend(out, "expect none");
  } else {
    absl::StrAppend(out, "expect violation ", expectation.invariant);
  }
  if (!expectation.driver.empty()) {
    absl::StrAppend(out, " on ", expectation.driver);
  }
  out->push_back('\n');
}

}  // namespace

std::string Print(const Scenario& scenario) {
  std::string out;
  for (const std::string& line : scenario.story) {
    absl::StrAppend(&out, line.empty() ? "#" : "# ", line, "\n");
  }
  AppendTopology(scenario.topology, &out);
  if (!scenario.operations.empty()) out.push_back('\n');
  AppendOperations(scenario, &out);
  if (!scenario.expectations.empty()) out.push_back('\n');
  for (const Expectation& expectation : scenario.expectations) {
    AppendExpectation(expectation, &out);
  }
  return out;
}

}  // namespace atsfuzz::model
