#ifndef ATSFUZZ_LINUX_TEMPORARY_FOLDER_H_
#define ATSFUZZ_LINUX_TEMPORARY_FOLDER_H_

#include <cassert>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

// For tests: a new empty folder, removed with everything in it at the end.
namespace atsfuzz::linux_driver {

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name =
        (std::filesystem::temp_directory_path() / "atsfuzz-XXXXXX").string();
    const char* made = mkdtemp(name.data());
    assert(made != nullptr);
    path_ = made;
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::string& path() const { return path_; }
  std::string operator/(const std::string& name) const {
    return path_ + "/" + name;
  }

 private:
  std::string path_;
};

}  // namespace atsfuzz::linux_driver

#endif  // ATSFUZZ_LINUX_TEMPORARY_FOLDER_H_
