#include "linux/compile.h"

#include <algorithm>
#include <atomic>
#include <thread>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace atsfuzz::linux_driver {

absl::StatusOr<CompileLog> RunAll(const std::vector<Command>& commands) {
  std::vector<absl::StatusOr<CommandResult>> results(
      commands.size(), absl::UnavailableError("not run"));
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i = next++; i < commands.size(); i = next++) {
      results[i] = Run(commands[i]);
    }
  };
  size_t workers = std::max(1u, std::thread::hardware_concurrency());
  std::vector<std::thread> threads;
  for (size_t i = 1; i < std::min(workers, commands.size()); ++i) {
    threads.emplace_back(work);
  }
  work();
  for (std::thread& thread : threads) thread.join();

  CompileLog log;
  for (size_t i = 0; i < commands.size(); ++i) {
    if (!results[i].ok()) return results[i].status();
    if (results[i]->status != 0) log.ok = false;
    absl::StrAppend(&log.text, absl::StrJoin(commands[i].argv, " "), "\n",
                    results[i]->output);
  }
  return log;
}

std::string FirstErrors(
    const std::string& log, size_t count,
    const std::vector<std::pair<std::string, std::string>>& shorter) {
  std::vector<std::string> errors;
  for (absl::string_view line : absl::StrSplit(log, '\n')) {
    bool error = absl::StrContains(line, "error: ") ||
                 absl::StrContains(line, "undefined reference to");
    if (!error || errors.size() >= count) continue;
    std::string shown = absl::StrCat("  ", absl::StrReplaceAll(line, shorter));
    if (std::count(errors.begin(), errors.end(), shown) == 0) {
      errors.push_back(std::move(shown));
    }
  }
  return errors.empty() ? LastLines(log, count) : absl::StrJoin(errors, "\n");
}

}  // namespace atsfuzz::linux_driver
