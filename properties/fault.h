#ifndef ATSFUZZ_PROPERTIES_FAULT_H_
#define ATSFUZZ_PROPERTIES_FAULT_H_

#include <cstdint>

// The faults that an SMMU records against a stream (its "events": SMMUv3
// specification IHI 0070 section 7.3), by their ids.
namespace atsfuzz::properties {

// Those that the checker treats in a way of their own.
enum FaultId : uint8_t {
  kBadStreamId = 0x02,
  kBadSte = 0x04,
  kStreamDisabled = 0x06,
  kBadSubstreamId = 0x08,
  kBadCd = 0x0a,
  kTranslation = 0x10,
};

// "C_BAD_STE"; "an unknown event" for an id that the specification lacks.
const char* FaultName(uint64_t id);

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_FAULT_H_
