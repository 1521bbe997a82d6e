#include "fuzz/findings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bit>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "absl/strings/str_cat.h"

namespace atsfuzz::fuzz {
namespace {

std::string Reason() { return std::generic_category().message(errno); }

}  // namespace

absl::string_view ConfirmationName(Confirmation confirmation) {
  switch (confirmation) {
    case Confirmation::kNotTried:
      return "not tried";
    case Confirmation::kSame:
      return "same violation";
    case Confirmation::kMemoryError:
      return "memory error";
    case Confirmation::kDifferent:
      return "different";
  }
  return "";
}

bool ReportedBefore(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& finding) {
    return std::make_tuple(finding.known.has_value(),
                           std::popcount(finding.assumes), finding.assumes,
                           finding.sighting.violation.invariant,
                           absl::string_view(finding.signature));
  };
  return key(a) < key(b);
}

absl::Status PrepareFolder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot make the folder ", folder, ": ", error.message()));
  }
  // Permission bits do not tell the whole truth (read-only mounts, quotas).
  const std::string probe =
      absl::StrCat(folder, "/.writable.", static_cast<int>(getpid()));
  FILE* file = fopen(probe.c_str(), "we");
  if (file == nullptr) {
    return absl::PermissionDeniedError(
        absl::StrCat("cannot write into ", folder, ": ", Reason()));
  }
  fclose(file);
  remove(probe.c_str());
  return absl::OkStatus();
}

absl::Status WriteWhole(const std::string& path, absl::string_view contents) {
  const std::string temporary =
      absl::StrCat(path, ".new.", static_cast<int>(getpid()));
  FILE* file = fopen(temporary.c_str(), "we");
  bool written = file != nullptr && fwrite(contents.data(), 1, contents.size(),
                                           file) == contents.size();
  if (file != nullptr && fclose(file) != 0) written = false;
  if (!written || rename(temporary.c_str(), path.c_str()) != 0) {
    const std::string reason = Reason();
    remove(temporary.c_str());
    return absl::UnavailableError(
        absl::StrCat("cannot write ", path, ": ", reason));
  }
  return absl::OkStatus();
}

absl::Status WriteFinding(const std::string& folder,
                          const std::string& signature,
                          absl::string_view scenario, absl::string_view trace,
                          absl::string_view json,
                          const std::vector<FindingFile>& more) {
  const std::string place = absl::StrCat(folder, "/", signature);
  std::error_code error;
  std::filesystem::create_directories(place, error);
  if (error) {
    return absl::UnavailableError(
        absl::StrCat("cannot make the folder ", place, ": ", error.message()));
  }
  absl::Status status =
      WriteWhole(absl::StrCat(place, "/scenario.ats"), scenario);
  if (status.ok())
    status = WriteWhole(absl::StrCat(place, "/trace.txt"), trace);
  for (const FindingFile& file : more) {
    if (!status.ok()) return status;
    status = WriteWhole(absl::StrCat(place, "/", file.name), file.contents);
  }
  if (status.ok()) {
    status = WriteWhole(absl::StrCat(place, "/finding.json"), json);
  }
  return status;
}

}  // namespace atsfuzz::fuzz
