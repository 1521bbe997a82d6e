#ifndef ATSFUZZ_CLI_CORPUS_H_
#define ATSFUZZ_CLI_CORPUS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "model/scenario.h"

namespace atsfuzz::cli {

struct CorpusEntry {
  std::string path;
  model::Scenario scenario;  // without story and expectations
};

// The scenarios (*.ats) of a folder, in order of their names. The folder is
// made if it is missing; a file that is no scenario is an error.
absl::StatusOr<std::vector<CorpusEntry>> ReadCorpusFiles(
    const std::string& folder);
absl::StatusOr<std::vector<model::Scenario>> ReadCorpus(
    const std::string& folder);

// Adds scenarios, each in a file named by a hash of its text.
absl::Status AddToCorpus(const std::string& folder,
                         const std::vector<model::Scenario>& scenarios);

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_CORPUS_H_
