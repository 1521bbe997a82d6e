#include "report/changes.h"

#include <cassert>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "report/names.h"

namespace atsfuzz::report {
namespace {

using model::Fact;
using model::Topology;

std::string OnOff(bool on) { return on ? "on" : "off"; }

// Whose page table lies at `table`, rather than the address itself.
std::string TableName(const Topology& topology,
                      const atsfuzz_observation& observation, uint64_t table) {
  if (table == 0) return "none";
  for (uint8_t slot = 0; slot < ATSFUZZ_MAX_DOMAIN_SLOTS; ++slot) {
    const atsfuzz_domain& domain = observation.domains[slot];
    if (domain.exists && domain.finalised && domain.table == table) {
      return DomainName(topology, slot);
    }
  }
  return "no domain's";
}

void AddStreams(const Topology& topology,
                const atsfuzz_observation& observation, uint8_t function,
                std::vector<Value>* values) {
  const std::string name = FunctionName(topology, function);
  const auto& streams = topology.functions[function].streams;
  const atsfuzz_function& seen = observation.functions[function];
  for (uint8_t k = 0; k < streams.size() && k < ATSFUZZ_MAX_STREAMS; ++k) {
    const atsfuzz_stream& stream = seen.streams[k];
    const std::string what =
        streams.size() == 1
            ? name + " stream"
            : absl::StrFormat("%s stream %#x", name, streams[k]);
    const auto index = static_cast<uint8_t>(function * ATSFUZZ_MAX_STREAMS + k);
    values->push_back(
        {name, what + " table entry", RouteName(stream), {Fact::kSte, index}});
    values->push_back({name,
                       what + "'s page table",
                       TableName(topology, observation, stream.table),
                       {Fact::kSte, index}});
    values->push_back({name,
                       what + " leads to",
                       FunctionName(topology, stream.master),
                       {Fact::kStream, index}});
  }
}

void AddFunction(const Topology& topology,
                 const atsfuzz_observation& observation, uint8_t function,
                 std::vector<Value>* values) {
  const std::string name = FunctionName(topology, function);
  const atsfuzz_function& seen = observation.functions[function];
  values->push_back(
      {name, name + " driver's record", seen.probed ? "there" : "none", {}});
  AddStreams(topology, observation, function, values);
  values->push_back({name,
                     name + " driver's belief",
                     OnOff(seen.belief),
                     {Fact::kBelief, function}});
  values->push_back({name,
                     name + " function's ATS",
                     OnOff(seen.ats),
                     {Fact::kAts, function}});
  values->push_back({name,
                     name + " function's PASID",
                     OnOff(seen.pasid),
                     {Fact::kPasid, function}});
  values->push_back({name,
                     name + " function's STU",
                     seen.stu == 0 ? "unset" : absl::StrCat(seen.stu),
                     {}});
}

std::string AttachmentsOf(const Topology& topology,
                          const atsfuzz_domain& domain) {
  std::vector<std::string> names;
  for (uint8_t function = 0; function < topology.functions.size(); ++function) {
    const int count = domain.attachments[function];
    if (count == 0) continue;
    names.push_back(FunctionName(topology, function));
    if (count > 1) absl::StrAppend(&names.back(), " x", count);
  }
  return names.empty() ? "none" : absl::StrJoin(names, ", ");
}

void AddDomain(const Topology& topology, const atsfuzz_observation& observation,
               uint8_t slot, std::vector<Value>* values) {
  const std::string name = DomainName(topology, slot);
  const atsfuzz_domain& seen = observation.domains[slot];
  values->push_back({name, name, seen.exists ? "allocated" : "none", {}});
  values->push_back({name,
                     name + " ASID or VMID",
                     seen.finalised ? absl::StrCat(seen.tag) : "none",
                     {}});
  values->push_back(
      {name, name + " attachments", AttachmentsOf(topology, seen), {}});
  values->push_back({name,
                     name + " nr_ats_masters",
                     absl::StrCat(seen.nr_ats_masters),
                     {Fact::kCounter, slot}});
}

}  // namespace

std::vector<Value> ValuesOf(const Topology& topology,
                            const atsfuzz_observation& observation) {
  std::vector<Value> values;
  for (uint8_t slot = 0; slot < topology.domains.size(); ++slot) {
    AddDomain(topology, observation, slot, &values);
  }
  for (uint8_t function = 0; function < topology.functions.size(); ++function) {
    AddDomain(topology, observation,
              static_cast<uint8_t>(ATSFUZZ_MAX_DOMAINS + function), &values);
    AddDomain(topology, observation,
              static_cast<uint8_t>(ATSFUZZ_FIRST_BLOCKING + function), &values);
    AddFunction(topology, observation, function, &values);
  }
  return values;
}

std::vector<Change> ChangesBetween(const std::vector<Value>& before,
                                   const std::vector<Value>& after) {
  assert(before.size() == after.size());
  std::vector<Change> changes;
  for (size_t i = 0; i < after.size(); ++i) {
    if (before[i].value == after[i].value) continue;
    changes.push_back({after[i].owner, after[i].what, before[i].value,
                       after[i].value, after[i].fact});
  }
  return changes;
}

}  // namespace atsfuzz::report
