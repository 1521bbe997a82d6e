#ifndef ATSFUZZ_SERVICES_KNOWN_BESIDE_H_
#define ATSFUZZ_SERVICES_KNOWN_BESIDE_H_

#include <string>

namespace atsfuzz::services {

// The file of known violations that lies beside this program, wherever a
// service has put it: PROGRAM.known. Empty if there is none.
std::string KnownBesideProgram();

}  // namespace atsfuzz::services

#endif  // ATSFUZZ_SERVICES_KNOWN_BESIDE_H_
