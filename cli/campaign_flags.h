#ifndef ATSFUZZ_CLI_CAMPAIGN_FLAGS_H_
#define ATSFUZZ_CLI_CAMPAIGN_FLAGS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/driver.h"
#include "cli/flags.h"
#include "cli/format.h"
#include "fuzz/campaign.h"

// What the commands that look for bugs have in common: their flags, and from
// these to a campaign.
namespace atsfuzz::cli {

struct CampaignFlags {
  DriverFlags driver;
  std::string topology, findings = "findings", faults;
  std::vector<std::string> known;
  std::string seen;
  uint64_t seed = 1, jobs = 2;
  std::optional<uint64_t> seconds, runs;
  FormatFlags format;
  bool keep_going = false;

  // `default_faults`: "none" or "all". What --seconds and --runs mean differs:
  // their help comes from the command.
  void AddTo(Flags* flags, const char* default_faults, const char* seconds_help,
             const char* runs_help);
};

// Everything of the input that can be wrong before anything is built. Makes
// the findings folder. Sets neither `runs` nor `seconds`.
absl::StatusOr<fuzz::CampaignOptions> CampaignOptionsFor(
    const CampaignFlags& flags);

// Obtains the driver, with the findings that are known on it, and gives both to
// `options`.
absl::StatusOr<Driver> ObtainDriverFor(const CampaignFlags& flags,
                                       fuzz::CampaignOptions* options);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_CAMPAIGN_FLAGS_H_
