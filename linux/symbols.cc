#include "linux/symbols.h"

#include <elfutils/libdwfl.h>

#include <fstream>

#include "absl/memory/memory.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "model/source_path.h"

namespace atsfuzz::linux_driver {

namespace {

std::string BaseName(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// Rows of a line table.
constexpr int kMostRowsBack = 32;

std::string Folded(const std::string& line) {
  std::string folded(absl::StripAsciiWhitespace(line));
  absl::RemoveExtraAsciiWhitespace(&folded);
  return folded;
}

}  // namespace

bool IsHarnessFile(const std::string& file) {
  return absl::StrContains(file, "/linux/kernel/") ||
         absl::StrContains(file, "/linux/emulated/");
}

absl::StatusOr<std::unique_ptr<Symbols>> Symbols::Open(const std::string& path,
                                                       uint64_t base) {
  static char* no_debug_path = nullptr;
  static const Dwfl_Callbacks callbacks = {
      .find_elf = dwfl_build_id_find_elf,
      .find_debuginfo = dwfl_standard_find_debuginfo,
      .section_address = dwfl_offline_section_address,
      .debuginfo_path = &no_debug_path,
  };
  auto symbols = absl::WrapUnique(new Symbols());
  symbols->base_ = base;
  symbols->dwfl_ = dwfl_begin(&callbacks);
  if (symbols->dwfl_ == nullptr) return absl::InternalError("dwfl_begin");
  symbols->module_ =
      dwfl_report_offline(symbols->dwfl_, "driver", path.c_str(), -1);
  dwfl_report_end(symbols->dwfl_, nullptr, nullptr);
  Dwarf_Addr bias = 0;
  if (symbols->module_ == nullptr ||
      dwfl_module_getdwarf(symbols->module_, &bias) == nullptr) {
    return absl::InternalError(absl::StrCat("no debug information in ", path,
                                            ": ", dwfl_errmsg(dwfl_errno())));
  }
  symbols->bias_ = bias;
  return symbols;
}

Symbols::~Symbols() {
  if (dwfl_ != nullptr) dwfl_end(dwfl_);
}

const model::Location& Symbols::CallBefore(uint64_t return_address) {
  auto [at, fresh] = seen_.try_emplace(return_address);
  if (fresh) at->second = Look(return_address);
  return at->second;
}

model::Location Symbols::Look(uint64_t return_address) {
  model::Location location;
  const Dwarf_Addr address = return_address - 1 - base_ + bias_;
  const char* name = dwfl_module_addrname(module_, address);
  if (name == nullptr) return location;
  int number = 0;
  const char* file = LineAt(address, name, &number);
  if (file == nullptr || IsHarnessFile(file)) return location;
  location.function = name;
  location.file = BaseName(file);
  location.line = number;
  location.text = LineText(file, number);
  location.path = model::PathInTree(file);
  return location;
}

const char* Symbols::LineAt(Dwarf_Addr address, absl::string_view function,
                            int* number) const {
  const auto line_at = [&](Dwarf_Addr* at, int* line_number) -> const char* {
    Dwfl_Line* line = dwfl_module_getsrc(module_, *at);
    if (line == nullptr) return nullptr;
    return dwfl_lineinfo(line, at, line_number, nullptr, nullptr, nullptr);
  };
  const char* file = line_at(&address, number);
  if (file == nullptr || IsHarnessFile(file) || *number != 0) return file;
  // What a compiler has merged belongs to no line (DWARF 5, 6.2.2): the nearest
  // one of the kernel before it in the function says where that is.
  for (int rows = 0; rows < kMostRowsBack; ++rows) {
    const char* before = dwfl_module_addrname(module_, --address);
    if (before == nullptr || function != before) break;
    int line = 0;
    const char* other = line_at(&address, &line);
    if (other == nullptr) break;
    if (line == 0 || IsHarnessFile(other)) continue;
    *number = line;
    return other;
  }
  return file;
}

std::string Symbols::LineText(const std::string& file, int line) {
  auto [at, fresh] = files_.try_emplace(file);
  if (fresh) {
    std::ifstream in(file);
    for (std::string text; std::getline(in, text);) at->second.push_back(text);
  }
  if (line < 1 || static_cast<size_t>(line) > at->second.size()) return "";
  return Folded(at->second[static_cast<size_t>(line) - 1]);
}

}  // namespace atsfuzz::linux_driver
