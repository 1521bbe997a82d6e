#ifndef ATSFUZZ_REPORT_SARIF_H_
#define ATSFUZZ_REPORT_SARIF_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "report/json.h"
#include "report/timeline.h"

// Findings in the Static Analysis Results Interchange Format, SARIF 2.1.0
// (OASIS), which editors and code services show beside the source.
//
//  - A run for each driver. Its rules are the invariants, all of them, with
//    what they state.
//  - A result for each finding: its fingerprint is the signature; its location
//    the driver function that is to blame, as a file of the kernel's tree
//    (base id KERNEL) and a line where they are known, and by name always; its
//    stack the calls that led there; its code flow what happened, a thread flow
//    for each CPU, SMMU, function and domain, in the order of execution.
//  - What a finding assumes, expected and found, and its size, are properties;
//    its scenario is an attachment, text and all.
//  - A finding that is understood is suppressed, with the reason.
//  - What could not be run, and expectations that were missed, are
//    notifications.
// The same findings give the same bytes.
namespace atsfuzz::report {

// How a finding compares with what was known before (SARIF's baselineState).
enum class Baseline : uint8_t {
  kNew,
  kUnchanged,  // known, or still there
  kUpdated,    // the same invariant, now elsewhere
  kAbsent,     // fixed
};

struct SarifFinding {
  FindingRecord record;
  Baseline baseline = Baseline::kNew;
  std::vector<Row> rows;
  std::string scenario;              // its text; record.scenario is its path
  Json properties = Json::object();  // beyond those that every finding has
};

// Something to be said of a run that is no finding.
struct SarifNotice {
  bool error = false;    // or a warning
  std::string scenario;  // path of what it is about; may be empty
  std::string message;
};

struct SarifRun {
  std::string driver, version;  // the latter may be empty
  std::vector<SarifFinding> findings;
  std::vector<SarifNotice> notices;
};

Json SarifOf(const std::vector<SarifRun>& runs);

// A path as a URI: relative ones as they are, absolute ones with a scheme; what
// a URI may not hold is percent-encoded.
std::string UriOf(const std::string& path);

}  // namespace atsfuzz::report

#endif  // ATSFUZZ_REPORT_SARIF_H_
