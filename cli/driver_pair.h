#ifndef ATSFUZZ_CLI_DRIVER_PAIR_H_
#define ATSFUZZ_CLI_DRIVER_PAIR_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/driver.h"
#include "fuzz/compare.h"
#include "model/capabilities.h"

namespace atsfuzz::cli {

// The flags of each of two drivers: `patches` are for the last of the two that
// is a kernel tree. InvalidArgument if neither is, or as CheckDriver.
struct PairFlags {
  DriverFlags left, right;
};
absl::StatusOr<PairFlags> FlagsOfPair(const std::string& left,
                                      const std::string& right,
                                      const std::vector<std::string>& patches);

// "linux:6.12 (6.12.117) with fix.patch", "model:6.12".
std::string LabelOf(const Driver& driver,
                    const std::vector<std::string>& patches);

// Two drivers that live in one process.
class DriverPair {
 public:
  // As FlagsOfPair and ObtainDriver.
  static absl::StatusOr<DriverPair> Obtain(
      const std::string& left, const std::string& right,
      const std::vector<std::string>& patches);

  // As LabelOf.
  const std::string& left_label() const { return left_label_; }
  const std::string& right_label() const { return right_label_; }
  // What both can do.
  model::Capabilities capabilities() const;
  fuzz::LoadPair Fast() const;
  fuzz::LoadPair Located() const;

 private:
  // Removes a folder with what is in it.
  struct Folder;

  absl::Status CopySharedModules();

  Driver left_, right_;
  std::string left_label_, right_label_;
  // A process loads one file once: if both drivers are the same build, the
  // right one is a copy in here.
  std::shared_ptr<Folder> copies_;
};

}  // namespace atsfuzz::cli

#endif  // ATSFUZZ_CLI_DRIVER_PAIR_H_
