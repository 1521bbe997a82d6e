#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include "linux/kunit/invs_table.h"

// The seed corpus of a target of invalidation arrays (fuzz/invs_target.cc):
//
//   atsfuzz-invs-seeds FOLDER
//
// For each kind of operation an input that has it after two lists have joined,
// as it is, with a failing allocation, and under a slow reader.
namespace atsfuzz::services {
namespace {

uint8_t First(atsfuzz_invs_kind kind, int argument) {
  return static_cast<uint8_t>(kind | argument << 3);
}

std::string Input(int kind, uint8_t flags) {
  const auto under_test = static_cast<atsfuzz_invs_kind>(kind);
  const uint8_t bytes[] = {
      0,
      // Two entries, then one that both lists have and one of ATS.
      First(ATSFUZZ_INVS_MERGE, 1),
      0,
      0,
      1,
      0,
      2,
      First(ATSFUZZ_INVS_MERGE, 1),
      0,
      0,
      2,
      0,
      0x14,
      First(ATSFUZZ_INVS_READ, 0),
      flags,
      First(under_test, 1),
      flags,
      0,
      3,
      0,
      2,
      First(ATSFUZZ_INVS_UNREF, 0),
      0,
      First(ATSFUZZ_INVS_PURGE, 0),
      0,
  };
  return {reinterpret_cast<const char*>(bytes), sizeof(bytes)};
}

}  // namespace
}  // namespace atsfuzz::services

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "atsfuzz-invs-seeds: expected FOLDER\n");
    return 2;
  }
  std::error_code error;
  std::filesystem::create_directories(argv[1], error);
  for (int kind = 0; kind < ATSFUZZ_INVS_KINDS; ++kind) {
    for (const uint8_t flags : {0, 1, 7 << ATSFUZZ_INVS_PACE_SHIFT}) {
      const std::string path = std::string(argv[1]) + "/" +
                               std::to_string(kind) + "-" +
                               std::to_string(flags);
      std::ofstream file(path, std::ios::binary);
      file << atsfuzz::services::Input(kind, flags);
      if (!file.flush()) {
        std::fprintf(stderr, "atsfuzz-invs-seeds: cannot write %s\n",
                     path.c_str());
        return 3;
      }
    }
  }
  return 0;
}
