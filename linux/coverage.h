#ifndef ATSFUZZ_LINUX_COVERAGE_H_
#define ATSFUZZ_LINUX_COVERAGE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

// Which lines and branches of the kernel's sources a covered build
// (linux/build.h) ran, as LLVM's own tools tell it.
namespace atsfuzz::linux_driver {

// A covered module that is loaded while this environment variable holds
// ProfilePattern(folder) counts into a file of that folder, together with all
// other processes that do so. What a process ran before it died is kept.
inline constexpr char kProfileVariable[] = "LLVM_PROFILE_FILE";
std::string ProfilePattern(const std::string& folder);

struct FunctionCoverage {
  std::string file;  // below the kernel tree
  std::string name;
  uint64_t lines = 0, missed_lines = 0;
  uint64_t branches = 0, missed_branches = 0;  // each way out of a condition

  bool used() const { return missed_lines < lines; }
};

struct CoverageReport {
  std::vector<FunctionCoverage> functions;  // in the order of the sources
  std::string html, lcov;                   // paths are below the kernel tree
};

// Unavailable, naming the package, if one of LLVM's tools is missing.
absl::Status CheckCoverageTools();

// What the profiles in `folder` say about `module`, built from `tree`, for
// arm-smmu-v3.c, ats.c and iommu.c. FailedPrecondition if nothing was counted.
absl::StatusOr<CoverageReport> ReadCoverage(const std::string& module,
                                            const std::string& folder,
                                            const std::string& tree);

// Reads `llvm-cov report -show-functions`. Internal if a line is not
// understood.
absl::StatusOr<std::vector<FunctionCoverage>> ParseFunctions(
    absl::string_view text, const std::string& tree);

// Whether a function belongs to the ATS and attach paths.
bool OnAttachPath(const FunctionCoverage& function);

// Those of the ATS and attach paths with less than 95 % of their lines run.
std::vector<FunctionCoverage> Uncovered(
    const std::vector<FunctionCoverage>& functions);

// Why no scenario reaches all lines of a function; "no reason known".
absl::string_view ReasonFor(absl::string_view function);

// The figures by file (of iommu.c only the functions that ran), then what
// Uncovered lists, with reasons.
std::string CoverageText(const std::vector<FunctionCoverage>& functions);

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_COVERAGE_H_
