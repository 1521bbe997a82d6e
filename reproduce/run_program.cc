#include "reproduce/run_program.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/cleanup/cleanup.h"
#include "absl/strings/str_cat.h"
#include "linux/cache.h"
#include "linux/compile.h"
#include "reproduce/program.h"

namespace atsfuzz::reproduce {

absl::StatusOr<linux_driver::CommandResult> RunProgram(
    const std::string& text, const std::string& compiler,
    linux_driver::BuildKind build, const std::string& module) {
  std::error_code error;
  std::string folder =
      (std::filesystem::temp_directory_path(error) / "atsfuzz-XXXXXX").string();
  if (error || mkdtemp(folder.data()) == nullptr) {
    return absl::UnavailableError(
        absl::StrCat("cannot make a folder like ", folder,
                     ", to try the program there (TMPDIR chooses another)"));
  }
  const absl::Cleanup remove = [&] {
    std::filesystem::remove_all(folder, error);
  };
  const std::string source = folder + "/reproducer.c";
  const std::string program = folder + "/reproducer";
  absl::Status written = linux_driver::WriteFile(source, text);
  if (!written.ok()) return written;
  std::vector<std::string> compile =
      CompileCommand(compiler, build, source, program);
  compile.emplace_back("-Werror");
  const auto compiled = linux_driver::Run({compile, ""});
  if (!compiled.ok()) return compiled.status();
  if (compiled->status != 0) {
    return absl::InternalError(
        absl::StrCat("the program does not compile with ", compiler, ":\n",
                     linux_driver::FirstErrors(compiled->output, 3, {})));
  }
  return linux_driver::Run({{program, module}, ""});
}

}  // namespace atsfuzz::reproduce
