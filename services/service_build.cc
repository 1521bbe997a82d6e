#include "services/service_build.h"

#include <stdlib.h>
#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <thread>

#include "linux/tree.h"

namespace atsfuzz::services {
namespace {

namespace fs = std::filesystem;

// The variables that base-builder sets for an engine and a sanitizer.
std::string Variables(const std::string& place, const std::string& engine) {
  const bool afl = engine == "afl";
  const std::string flags =
      std::string(
          "-O1 -fno-omit-frame-pointer -gline-tables-only "
          "-DFUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION") +
      (afl ? ""
           : " -fsanitize=address -fsanitize-address-use-after-scope "
             "-fsanitize=fuzzer-no-link");
  return "SRC=" + place + "/src WORK=" + place + "/work OUT=" + place +
         "/out ARCHITECTURE=x86_64 FUZZING_LANGUAGE=c++ FUZZING_ENGINE=" +
         engine + (afl ? " SANITIZER=none" : " SANITIZER=address") +
         (afl ? " CC=afl-clang-fast CXX=afl-clang-fast++ AFL_DONT_OPTIMIZE=1 "
                "LIB_FUZZING_ENGINE=/usr/lib/afl/libAFLDriver.a"
              : " CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer") +
         " CFLAGS='" + flags + "' CXXFLAGS='" + flags + "' ATSFUZZ_CACHE='" +
         linux_driver::CacheFolder() + "' ATSFUZZ_KERNELS=6.12";
}

Said BuildFor(const std::string& folder, const std::string& engine) {
  const std::string place = folder + "/" + engine;
  const Said said = Shell(
      folder, "mkdir -p " + place +
                  "/src/atsfuzz && tar -C " ATSFUZZ_SOURCE_DIR
                  " --exclude=./build --exclude=./.git -cf - . | tar -C " +
                  place + "/src/atsfuzz -xf - && cd " + place +
                  "/src/atsfuzz && env " + Variables(place, engine) +
                  " bash -eu .clusterfuzzlite/build.sh");
  std::error_code error;
  fs::rename(place + "/out", folder + "/moved-" + engine, error);
  fs::remove_all(place, error);
  return said;
}

}  // namespace

Said Shell(const std::string& folder, const std::string& command) {
  static std::atomic<int> commands = 0;
  const std::string script = folder + "/.command-" + std::to_string(++commands);
  std::ofstream(script) << command << "\n";
  Said said;
  FILE* pipe = popen(
      ("cd " + folder + " && env -i PATH=/usr/bin:/bin sh " + script + " 2>&1")
          .c_str(),
      "r");
  if (pipe == nullptr) return said;
  char piece[4096];
  for (size_t count; (count = fread(piece, 1, sizeof(piece), pipe)) > 0;) {
    said.text.append(piece, count);
  }
  const int status = pclose(pipe);
  if (WIFEXITED(status)) said.status = WEXITSTATUS(status);
  return said;
}

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

ServiceBuild::ServiceBuild() {
  std::string pattern = fs::temp_directory_path().string() + "/serviceXXXXXX";
  folder_ = mkdtemp(pattern.data());
}

ServiceBuild::~ServiceBuild() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

std::string ServiceBuild::Build() {
  const auto tree = linux_driver::ObtainTree("6.12", {}, [](auto&) {});
  if (!tree.ok()) return tree.status().ToString();
  std::thread afl([&] { afl_ = BuildFor(folder_, "afl"); });
  libfuzzer_ = BuildFor(folder_, "libfuzzer");
  afl.join();
  return "";
}

std::vector<std::string> TargetsIn(const std::string& folder) {
  std::vector<std::string> targets;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const auto executable = fs::perms::owner_exec;
    if ((entry.status().permissions() & executable) == fs::perms::none ||
        ReadAll(entry.path()).find("LLVMFuzzerTestOneInput") ==
            std::string::npos) {
      continue;
    }
    targets.push_back(entry.path().filename().string());
  }
  std::sort(targets.begin(), targets.end());
  return targets;
}

}  // namespace atsfuzz::services
