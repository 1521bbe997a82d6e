#ifndef ATSFUZZ_FUZZ_FINDINGS_H_
#define ATSFUZZ_FUZZ_FINDINGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "fuzz/sighting.h"
#include "model/scenario.h"
#include "properties/violation.h"

// What a campaign hands over: one violation by signature, with the smallest
// scenario that shows it.
namespace atsfuzz::fuzz {

// What a replay of the scenario in the sanitized program said.
enum class Confirmation : uint8_t {
  kNotTried,     // there is no sanitized program
  kSame,         // the same invariant was violated
  kMemoryError,  // it died of a memory error
  kDifferent,    // neither: the finding needs a look
};
absl::string_view ConfirmationName(Confirmation confirmation);

struct Finding {
  std::string signature;  // folder name and key
  uint8_t assumes = 0;    // set of FaultClass that it needs; 0: honest
  Sighting sighting;      // in `scenario`
  model::Scenario scenario;
  size_t found_operations = 0;  // of the scenario before it was shrunk
  uint64_t run = 0;             // that showed it first
  uint64_t attempts = 0;        // of the shrinker
  bool minimal = true;          // false: the shrinker was interrupted
  // Listed as understood, with this reason.
  std::optional<std::string> known;
  Confirmation confirmation = Confirmation::kNotTried;
  std::string sanitizer_report;  // first lines, of a memory error
};

// The order of reports: new before known, fewer assumptions first, then by
// invariant, then by signature.
bool ReportedBefore(const Finding& a, const Finding& b);

// OK if findings can be written into `folder`, which is made if it is missing.
// PermissionDenied with the reason otherwise.
absl::Status PrepareFolder(const std::string& folder);

// Writes a file whole or not at all. Unavailable with the reason.
absl::Status WriteWhole(const std::string& path, absl::string_view contents);

// A further file of a finding's folder.
struct FindingFile {
  std::string name, contents;
};

// Writes folder/<signature>/{scenario.ats, trace.txt, finding.json}, and
// `more` beside them. finding.json comes last: where it is, the others are.
absl::Status WriteFinding(const std::string& folder,
                          const std::string& signature,
                          absl::string_view scenario, absl::string_view trace,
                          absl::string_view json,
                          const std::vector<FindingFile>& more = {});

}  // namespace atsfuzz::fuzz

#endif  // ATSFUZZ_FUZZ_FINDINGS_H_
