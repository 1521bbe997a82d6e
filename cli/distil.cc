#include "fuzz/distil.h"

#include <stdio.h>

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/command.h"
#include "cli/corpus.h"
#include "cli/driver.h"
#include "cli/flags.h"
#include "cli/interrupt.h"
#include "report/json.h"

namespace atsfuzz::cli {
namespace {

constexpr char kAbout[] =
    "Removes from a folder the scenarios that cover nothing on a driver which\n"
    "smaller ones do not. What they find is kept elsewhere: a finding has a\n"
    "folder of its own.";

constexpr char kExamples[] =
    "  atsfuzz distil corpus-6.12                    # Debian's Linux 6.12\n"
    "  atsfuzz distil mine --driver=linux:7.3 --megabytes=4\n";

struct DistilFlags {
  DriverFlags driver;
  std::optional<uint64_t> megabytes;
  bool json = false;
};

absl::Status Remove(const std::vector<CorpusEntry>& corpus,
                    const std::vector<size_t>& kept) {
  const std::set<size_t> keep(kept.begin(), kept.end());
  for (size_t i = 0; i < corpus.size(); ++i) {
    if (keep.count(i) != 0) continue;
    std::error_code error;
    std::filesystem::remove(corpus[i].path, error);
    if (error) {
      return absl::PermissionDeniedError(absl::StrCat(
          "cannot remove ", corpus[i].path, ": ", error.message()));
    }
  }
  return absl::OkStatus();
}

int DistilFolder(const std::string& folder, const DistilFlags& flags) {
  const auto corpus = ReadCorpusFiles(folder);
  if (!corpus.ok()) return Fail(corpus.status());
  const auto driver = ObtainDriver(flags.driver, {.plain = true});
  if (!driver.ok()) return Fail(driver.status());
  std::vector<model::Scenario> scenarios;
  for (const CorpusEntry& entry : *corpus) scenarios.push_back(entry.scenario);
  CatchInterrupts();
  fuzz::DistilOptions options;
  options.load = driver->Plain();
  options.capabilities = driver->capabilities;
  if (flags.megabytes) options.most_bytes = *flags.megabytes << 20;
  options.interrupted = Interrupted;
  const auto distilled = fuzz::Distil(scenarios, options);
  if (!distilled.ok()) return Fail(distilled.status());
  if (distilled->interrupted) {
    return Fail(absl::CancelledError("interrupted; nothing was removed"));
  }
  const absl::Status removed = Remove(*corpus, distilled->kept);
  if (!removed.ok()) return Fail(removed);
  uint64_t bytes = 0;
  for (const size_t index : distilled->kept) {
    std::error_code error;
    bytes += std::filesystem::file_size((*corpus)[index].path, error);
  }
  if (flags.json) {
    const report::Json json = {
        {"driver", driver->name},
        {"version", driver->version},
        {"entries", distilled->kept.size()},
        {"removed", corpus->size() - distilled->kept.size()},
        {"bytes", bytes},
        {"branches", distilled->edges},
        {"branches_covered", distilled->edges_covered}};
    fputs(report::Dump(json).c_str(), stdout);
  } else {
    absl::PrintF("%s: %d of %d scenarios are enough on %s\n", folder,
                 distilled->kept.size(), corpus->size(), driver->name);
  }
  return kClean;
}

}  // namespace

int Distil(const std::vector<std::string>& arguments) {
  Flags flags("distil FOLDER [FLAGS]", kAbout, kExamples);
  DistilFlags values;
  values.driver.AddTo(&flags);
  flags.Add("megabytes", "N",
            "At most that much is kept, as bytes for fuzzers; without limit "
            "if it is not given.",
            &values.megabytes);
  flags.Add("json", "Prints one JSON object.", &values.json);
  const auto folders = flags.Parse(arguments);
  if (!folders.ok()) return Fail(folders.status());
  if (flags.help_wanted()) {
    fputs(flags.Help().c_str(), stdout);
    return kClean;
  }
  if (folders->size() != 1) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat("distil needs one folder, found ", folders->size())));
  }
  if (!std::filesystem::is_directory(folders->front())) {
    return Fail(absl::InvalidArgumentError(
        absl::StrCat(folders->front(), ": there is no such folder")));
  }
  const absl::Status status = CheckDriver(values.driver);
  if (!status.ok()) return Fail(status);
  return DistilFolder(folders->front(), values);
}

}  // namespace atsfuzz::cli
