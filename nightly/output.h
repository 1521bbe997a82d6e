#ifndef ATSFUZZ_NIGHTLY_OUTPUT_H_
#define ATSFUZZ_NIGHTLY_OUTPUT_H_

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "fuzz/findings.h"
#include "nightly/history.h"
#include "report/timeline.h"

// What programs wrote into files.
namespace atsfuzz::nightly {

// Empty if it cannot be read.
std::string ContentsOf(const std::string& path);

// The last line that says something, without "atsfuzz: "; what a program that
// failed says of it.
std::string LastLineOf(const std::string& path);

// The file's JSON object; null if it is none, or not whole.
nlohmann::json ObjectIn(const std::string& path);

// One of the findings[] of `atsfuzz fuzz --json` and `atsfuzz replay --json`,
// with its scenario and what is written beside it. No signature: it is none.
Found FoundFrom(const nlohmann::json& json, const std::string& driver);

// A finding's timeline; empty if it has none.
std::vector<report::Row> RowsOf(const Found& found);

// What replays a finding from the folder of the nights.
std::string ReplayCommand(const Found& found, const std::string& state);

// The files of a finding's folder, by name: its scenario, its trace with the
// command that shows it again, and if it has a timeline, that as a diagram and
// as trace events.
std::vector<fuzz::FindingFile> FilesOf(const Found& found,
                                       const std::string& state);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_OUTPUT_H_
