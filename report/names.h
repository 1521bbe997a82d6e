#ifndef ATSFUZZ_REPORT_NAMES_H_
#define ATSFUZZ_REPORT_NAMES_H_

#include <cstdint>
#include <string>

#include "model/observation.h"
#include "model/topology.h"

// Observed things in the words of a kernel developer.
namespace atsfuzz::report {

// "0", "-EINVAL", "-4095".
std::string ResultName(int64_t result);

// "v0", "d1", "v0's default domain", "SMMU s0", and "nothing" for none.
std::string FunctionName(const model::Topology& topology, uint8_t function);
std::string DomainName(const model::Topology& topology, uint8_t slot);

// "CFGI_STE 0x100", "ATC_INV 0x100 all": a command from its two words.
std::string CommandName(uint64_t word0, uint64_t word1);

// "bypass", "stage 1, EATS on": what a stream table entry does.
std::string RouteName(const atsfuzz_stream& stream);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_NAMES_H_
