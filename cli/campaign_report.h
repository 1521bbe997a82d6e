#ifndef ATSFUZZ_CLI_CAMPAIGN_REPORT_H_
#define ATSFUZZ_CLI_CAMPAIGN_REPORT_H_

#include <string>

#include "absl/status/statusor.h"
#include "cli/campaign_flags.h"
#include "cli/driver.h"
#include "fuzz/campaign.h"
#include "report/json.h"

namespace atsfuzz::cli {

// One line on stderr, over the last one.
void ShowProgress(const fuzz::CampaignProgress& now);

// Runs the campaign, with progress on a terminal, and says on stdout what is
// run if that has the text.
absl::StatusOr<fuzz::CampaignResult> RunCampaignFor(
    const CampaignFlags& flags, const Driver& driver,
    fuzz::CampaignOptions options);

// What a command adds to the report of its campaign.
struct CampaignExtras {
  std::string text;                            // lines behind the summary
  report::Json json = report::Json::object();  // whose keys are added
};

// Writes the findings into their folder, each with the diagram and the trace of
// its run beside it, tells the report in the chosen format, and returns the
// exit status.
int ReportCampaign(const CampaignFlags& flags, const Driver& driver,
                   const fuzz::CampaignResult& result,
                   const CampaignExtras& extras = {});

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_CAMPAIGN_REPORT_H_
