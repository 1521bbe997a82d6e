#ifndef ATSFUZZ_REPORT_JSON_H_
#define ATSFUZZ_REPORT_JSON_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

// The JSON that scripts rely on; its keys are a promise to users.
namespace atsfuzz::report {

// Keeps the order in which keys were added, so that output is the same bytes
// every time.
using Json = nlohmann::ordered_json;

struct FindingRecord {
  std::string invariant;
  uint8_t assumes = 0;  // set of FaultClass
  std::string signature;
  size_t operations = 0;  // of the shrunk scenario
  size_t switches = 0;    // of its schedule
  std::string scenario;   // path
  bool known = false;
  // Beyond the promised keys.
  std::string message, expected, found, function;
  std::string reason;           // why it is known; "" if it is not
  std::string confirmation;     // "" if it was not asked for
  std::optional<uint64_t> run;  // of a campaign, from 0, that showed it first
};

struct RunRecord {
  std::string driver;
  uint64_t seed = 0;
  uint64_t runs = 0, operations = 0;
  double seconds = 0;
  std::vector<FindingRecord> findings;
};

// "honest", or the names of the fault classes.
Json AssumesJson(uint8_t classes);
Json ToJson(const FindingRecord& finding);
Json ToJson(const RunRecord& run);

// One object, indented, ending in a newline. Text that is not UTF-8 (a driver's
// log line may be anything) is replaced.
std::string Dump(const Json& json);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_JSON_H_
