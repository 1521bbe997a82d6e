#include "linux/debian.h"

#include <cstdint>
#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "linux/cache.h"
#include "linux/subprocess.h"

namespace atsfuzz::linux_driver {
namespace {

namespace fs = std::filesystem;

// What a build reads, and the neighbours that a later one may; and the kernel's
// own reader of KTAP, for the tests of report/ktap.h.
constexpr const char* kExtracted[] = {
    "Makefile",
    "drivers/iommu",
    "drivers/pci",
    "include/asm-generic",
    "include/linux",
    "include/uapi",
    "include/vdso",
    "lib/rbtree.c",
    "tools/testing/kunit",
};

constexpr const char* kLaterSuites[] = {"trixie-backports", "sid"};
constexpr char kKeyring[] = "/usr/share/keyrings/debian-archive-keyring.gpg";

absl::StatusOr<std::string> RunOrFail(const Command& command) {
  absl::StatusOr<CommandResult> result = Run(command);
  if (!result.ok()) return result.status();
  if (result->status == 0) return result->output;
  return absl::UnavailableError(
      absl::StrCat(command.argv[0], " failed with status ", result->status,
                   ":\n", LastLines(result->output, 4)));
}

// The value of `field:` in a package's record.
std::string Field(const std::string& record, absl::string_view field) {
  for (absl::string_view line : absl::StrSplit(record, '\n')) {
    if (absl::StartsWith(line, absl::StrCat(field, ": "))) {
      return std::string(line.substr(field.size() + 2));
    }
  }
  return "";
}

// apt, with the machine's package lists or with private ones.
class Apt {
 public:
  explicit Apt(std::vector<std::string> options)
      : options_(std::move(options)) {}

  absl::StatusOr<std::string> operator()(std::vector<std::string> argv,
                                         const std::string& folder) const {
    argv.insert(argv.begin() + 1, options_.begin(), options_.end());
    return RunOrFail({std::move(argv), folder});
  }

 private:
  std::vector<std::string> options_;
};

// Lists of its own below `folder`, of the machine's sources or of those that
// `options` name.
absl::StatusOr<Apt> PrivateApt(const std::string& folder,
                               std::vector<std::string> options) {
  for (const char* part : {"/lists/partial", "/cache/archives/partial"}) {
    if (absl::Status made = MakeFolder(folder + part); !made.ok()) return made;
  }
  options.insert(options.end(),
                 {"-o", absl::StrCat("Dir::State::Lists=", folder, "/lists"),
                  "-o", absl::StrCat("Dir::Cache=", folder, "/cache")});
  Apt apt(std::move(options));
  absl::StatusOr<std::string> updated = apt({"apt-get", "-q", "update"}, "");
  if (!updated.ok()) return updated.status();
  return apt;
}

// The archive that the machine itself uses.
absl::StatusOr<std::string> ArchiveAddress() {
  absl::StatusOr<std::string> targets =
      Apt({})({"apt-get", "indextargets", "--format",
               "$(REPO_URI) $(COMPONENT)", "Created-By: Packages"},
              "");
  if (!targets.ok()) return targets.status();
  for (absl::string_view line : absl::StrSplit(*targets, '\n')) {
    const std::vector<absl::string_view> fields = absl::StrSplit(line, ' ');
    if (fields.size() == 2 && fields[1] == "main" &&
        !absl::StrContains(fields[0], "security")) {
      return std::string(fields[0]);
    }
  }
  return absl::UnavailableError("apt knows of no Debian archive");
}

// Debian's suites after the one that this machine runs.
absl::StatusOr<Apt> LaterApt(const std::string& folder) {
  absl::StatusOr<std::string> address = ArchiveAddress();
  if (!address.ok()) return address.status();
  std::string sources;
  for (const char* suite : kLaterSuites) {
    absl::StrAppend(&sources, "deb [signed-by=", kKeyring, "] ", *address, " ",
                    suite, " main\n");
  }
  const std::string path = folder + "/later.list";
  if (absl::Status written = WriteFile(path, sources); !written.ok()) {
    return written;
  }
  return PrivateApt(folder + "/later",
                    {"-o", "Dir::Etc::sourcelist=" + path, "-o",
                     "Dir::Etc::sourceparts=/dev/null"});
}

// Downloads the package into `folder` and checks it. Returns its path.
absl::StatusOr<std::string> Download(const Apt& apt, const std::string& package,
                                     const std::string& folder,
                                     const Progress& progress) {
  absl::StatusOr<std::string> record =
      apt({"apt-cache", "show", "--no-all-versions", package}, "");
  if (!record.ok()) return record.status();
  const std::string sha256 = Field(*record, "SHA256");
  int64_t bytes = 0;
  if (sha256.empty() || !absl::SimpleAtoi(Field(*record, "Size"), &bytes)) {
    return absl::UnavailableError(
        absl::StrCat("apt's record of ", package, " has no SHA256 or size"));
  }
  progress(absl::StrCat("fetching ", package, " ", Field(*record, "Version"),
                        " (", bytes / 1'000'000, " MB)"));
  absl::StatusOr<std::string> fetched =
      apt({"apt-get", "-q", "download",
           absl::StrCat(package, "=", Field(*record, "Version"))},
          folder);
  if (!fetched.ok()) return fetched.status();

  std::string path;
  std::error_code error;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".deb") path = entry.path().string();
  }
  absl::StatusOr<std::string> sum = RunOrFail({{"sha256sum", path}, ""});
  if (!sum.ok()) return sum.status();
  if (!absl::StartsWith(*sum, sha256)) {
    return absl::UnavailableError(
        absl::StrCat(package, " arrived damaged: its SHA256 is ",
                     sum->substr(0, sha256.size()), ", apt's record says ",
                     sha256, "; try again"));
  }
  return path;
}

absl::Status Extract(const std::string& deb, const std::string& package,
                     const std::string& work, const std::string& root) {
  absl::StatusOr<std::string> unpacked =
      RunOrFail({{"dpkg-deb", "-x", deb, work}, ""});
  if (!unpacked.ok()) return unpacked.status();
  std::vector<std::string> argv = {
      "tar",
      "-x",
      "-f",
      absl::StrCat(work, "/usr/src/", package, ".tar.xz"),
      "-C",
      root,
      "--no-same-owner",
      "--strip-components=1"};
  for (const char* path : kExtracted) {
    argv.push_back(absl::StrCat(package, "/", path));
  }
  return RunOrFail({argv, ""}).status();
}

// From wherever it can be had: the machine's lists, newer ones, later suites.
absl::StatusOr<std::string> Obtain(const std::string& package,
                                   const std::string& work,
                                   const Progress& progress) {
  absl::StatusOr<std::string> deb = Download(Apt({}), package, work, progress);
  if (deb.ok()) return deb;
  progress("fetching current package lists");
  absl::StatusOr<Apt> apt = PrivateApt(work, {});
  if (apt.ok()) {
    deb = Download(*apt, package, work, progress);
    if (deb.ok()) return deb;
  }
  progress("looking in Debian's later suites");
  apt = LaterApt(work);
  if (!apt.ok()) return apt.status();
  absl::StatusOr<std::string> later = Download(*apt, package, work, progress);
  if (later.ok()) return later;
  return absl::UnavailableError(absl::StrCat(
      package, " can be had neither from this machine's suites nor from ",
      absl::StrJoin(kLaterSuites, " or "), ":\n", later.status().message()));
}

}  // namespace

absl::Status FetchDebianSource(const std::string& package,
                               const std::string& root,
                               const Progress& progress) {
  const std::string work = root + "/.fetch";
  if (absl::Status made = MakeFolder(work); !made.ok()) return made;
  absl::StatusOr<std::string> deb = Obtain(package, work, progress);
  if (!deb.ok()) return deb.status();
  progress(absl::StrCat("extracting ", package));
  if (absl::Status extracted = Extract(*deb, package, work, root);
      !extracted.ok()) {
    return extracted;
  }
  std::error_code error;
  fs::remove_all(work, error);
  return absl::OkStatus();
}

}  // namespace atsfuzz::linux_driver
