#ifndef ATSFUZZ_MODEL_PASID_H_
#define ATSFUZZ_MODEL_PASID_H_

#include "model/topology.h"

namespace atsfuzz::model {

// log2 of the PASIDs that a function offers; 0: none. A VF has no capability of
// its own and shares its PF's (drivers/pci/ats.c, pci_max_pasids).
inline uint8_t PasidBits(const Topology& topology, FunctionId id) {
  const Function& function = topology.at(id);
  return function.kind == FunctionKind::kVf
             ? topology.at(function.pf).pasid_bits
             : function.pasid_bits;
}

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_PASID_H_
