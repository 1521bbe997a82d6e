#ifndef ATSFUZZ_MODEL_MACHINE_ARBITRARY_H_
#define ATSFUZZ_MODEL_MACHINE_ARBITRARY_H_

#include <algorithm>
#include <string>
#include <vector>

#include "model/arbitrary.h"
#include "model/machine/alphabet.h"
#include "model/machine/design.h"
#include "model/machine/machine.h"
#include "rapidcheck.h"

// For tests: machines of any topology that a design can have, and operations in
// the words of both the machine and the language.
namespace atsfuzz::machine {

inline Design ArbitraryDesign() {
  const std::vector<std::string> presets = {"6.1", "6.12", "7.2", "7.3",
                                            "seed"};
  return *ParseDesign(*rc::gen::elementOf(presets));
}

// Cut down to the machine's limits; stream ids near enough to clash at times.
inline model::Topology MaybeTopology(const Design& design) {
  model::Topology topology = model::ArbitraryTopology();
  const model::Capabilities capabilities = CapabilitiesOf(design);
  if (topology.functions.size() > kFunctions) {
    topology.functions.resize(kFunctions);
  }
  if (topology.domains.size() > kDeclared) topology.domains.resize(kDeclared);
  for (model::Function& function : topology.functions) {
    if (function.streams.size() > kStreamsEach) {
      function.streams.resize(kStreamsEach);
    }
    for (uint32_t& id : function.streams) {
      if (id > 0x800) id = 0x100 + id % 8 * 0x80;
    }
  }
  for (model::Domain& domain : topology.domains) {
    if (!capabilities.nesting) domain.parent = model::DomainId();
  }
  return topology;
}

inline model::Topology ArbitraryTopology(const Design& design) {
  for (;;) {
    model::Topology topology = MaybeTopology(design);
    if (model::Validate(topology).ok() &&
        model::Fits(CapabilitiesOf(design), "model", topology).ok()) {
      return topology;
    }
  }
}

inline model::Operation OperationOf(const Request& request) {
  const model::OperationShape& shape = model::ShapeOf(request.kind);
  model::Operation operation;
  operation.kind = request.kind;
  if (shape.function) operation.function = model::FunctionId(request.function);
  if (shape.domain) operation.domain = model::DomainId(request.domain);
  operation.stream = request.stream;
  operation.pasid = request.ssid;
  operation.page = request.page;
  operation.pages = request.pages;
  operation.queued = request.queued;
  operation.default_domain = request.identity ? model::DefaultDomain::kIdentity
                                              : model::DefaultDomain::kDma;
  return operation;
}

// At times one of the faults that a scenario may ask for.
inline Request WithArbitraryFaults(Request request, bool any) {
  if (!any || model::Below(4) != 0) return request;
  request.enable_ats = model::Coin();
  request.prepare_ats = model::Coin();
  if (model::Coin()) {
    request.alloc_sites =
        static_cast<uint16_t>(1u << model::Below(model::kAllocSites));
  }
  if (model::Coin()) request.alloc_numbers = uint64_t{1} << model::Below(8);
  return request;
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_ARBITRARY_H_
