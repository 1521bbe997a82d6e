#ifndef ATSFUZZ_SERVICES_SERVICE_BUILD_H_
#define ATSFUZZ_SERVICES_SERVICE_BUILD_H_

#include <string>
#include <vector>

// For tests: what a fuzzing service does with .clusterfuzzlite/build.sh, and
// with what comes of it.
namespace atsfuzz::services {

// How a command ended, and all that it said.
struct Said {
  int status = -1;  // -1: a signal ended it
  std::string text;
};
// Runs a shell's command in `folder`, with nothing in the environment but PATH.
Said Shell(const std::string& folder, const std::string& command);

std::string ReadAll(const std::string& path);

// A folder with copies of the checkout, in which the build script runs once for
// each engine. What the targets then are is moved to OUT_ENGINE, and all else
// is removed: the targets may need nothing but what lies beside them.
class ServiceBuild {
 public:
  ServiceBuild();
  ~ServiceBuild();
  ServiceBuild(const ServiceBuild&) = delete;
  ServiceBuild& operator=(const ServiceBuild&) = delete;

  // Side by side: with address sanitizer for libFuzzer, and without for AFL++.
  // Returns why a kernel's source cannot be had; empty: it was there.
  std::string Build();

  const std::string& folder() const { return folder_; }
  std::string Out(const std::string& engine) const {
    return folder_ + "/moved-" + engine;
  }
  // What the build script said, and how it ended.
  const Said& said(const std::string& engine) const {
    return engine == "afl" ? afl_ : libfuzzer_;
  }

 private:
  std::string folder_;
  Said libfuzzer_, afl_;
};

// The fuzz targets in a folder, by name and in order, as services find them.
std::vector<std::string> TargetsIn(const std::string& folder);

}  // namespace atsfuzz::services

#endif  // ATSFUZZ_SERVICES_SERVICE_BUILD_H_
