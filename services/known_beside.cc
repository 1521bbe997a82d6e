#include "services/known_beside.h"

#include <filesystem>
#include <system_error>

namespace atsfuzz::services {

std::string KnownBesideProgram() {
  std::error_code error;
  const auto program =
      std::filesystem::read_symlink("/proc/self/exe", error).string();
  std::string known = program + ".known";
  if (program.empty() || !std::filesystem::exists(known, error)) known.clear();
  return known;
}

}  // namespace atsfuzz::services
