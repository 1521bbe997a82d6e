#include "nightly/settings.h"

#include <toml++/toml.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "fuzz/faults.h"
#include "fuzz/strategy.h"
#include "model/observation.h"

namespace atsfuzz::nightly {
namespace {

absl::string_view View(std::string_view text) {
  return {text.data(), text.size()};
}

// Reads a table key by key, keeps the first error, and finds keys that nobody
// asked for.
class Reader {
 public:
  Reader(const toml::table& table, std::string file)
      : table_(table), file_(std::move(file)) {}

  const toml::node* Find(const char* key) {
    asked_.insert(key);
    return table_.get(key);
  }

  void Read(const char* key, std::string* value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto text = node->value_exact<std::string>();
    if (!text) return Expect(*node, key, "a text in quotes");
    *value = *text;
  }

  void Read(const char* key, std::vector<std::string>* values) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const toml::array* array = node->as_array();
    if (array == nullptr) return Expect(*node, key, "a list of texts");
    values->clear();
    for (const toml::node& each : *array) {
      const auto text = each.value_exact<std::string>();
      if (!text) return Expect(each, key, "a list of texts");
      values->push_back(*text);
    }
  }

  // A whole number of `least` to `most`.
  template <typename Number>
  void Read(const char* key, int64_t least, int64_t most, Number* value) {
    const toml::node* node = Find(key);
    if (node == nullptr) return;
    const auto number = node->value_exact<int64_t>();
    if (!number || *number < least || *number > most) {
      return Expect(*node, key,
                    absl::StrCat("a number, ", least, " to ", most));
    }
    *value = static_cast<Number>(*number);
  }

  void Fail(const toml::node& node, absl::string_view what) {
    if (!status_.ok()) return;
    const toml::source_position at = node.source().begin;
    status_ = absl::InvalidArgumentError(
        absl::StrCat(file_, ":", at.line, ":", at.column, ": ", what));
  }
  void Expect(const toml::node& node, absl::string_view key,
              absl::string_view expected) {
    Fail(node, absl::StrCat(key, ": expected ", expected));
  }

  // The first error; that of a key which was not asked for, if all else is
  // right.
  absl::Status Done() {
    for (const auto& [key, node] : table_) {
      if (asked_.count(std::string(key.str())) != 0) continue;
      Fail(node, absl::StrCat("found ", View(key.str()), ", expected one of ",
                              absl::StrJoin(asked_, ", ")));
    }
    return status_;
  }
  const absl::Status& status() const { return status_; }

 private:
  const toml::table& table_;
  const std::string file_;
  std::set<std::string> asked_;
  absl::Status status_;
};

bool IsEngine(const std::string& name) {
  return name == kWeakMemory || name == kPlainStops || name == kLibFuzzer ||
         fuzz::ParseStrategy(name).ok();
}

// Of a path in the file `file`.
std::string Beside(const std::string& file, const std::string& path) {
  return (std::filesystem::path(file).parent_path() / path)
      .lexically_normal()
      .string();
}

absl::StatusOr<DriverSettings> ReadDriver(const toml::table& table,
                                          const std::string& file) {
  DriverSettings driver;
  Reader reader(table, file);
  reader.Read("name", &driver.name);
  reader.Read("patches", &driver.patches);
  reader.Read("engines", &driver.engines);
  reader.Read("faults", &driver.faults);
  reader.Read("threads", 1, ATSFUZZ_MAX_THREADS, &driver.threads);
  reader.Read("take-in", &driver.take_in);
  if (driver.name.empty()) reader.Fail(table, "a [[driver]] needs a name");
  if (driver.engines.empty()) {
    reader.Expect(*table.get("engines"), "engines", "one at least");
  }
  for (const std::string& engine : driver.engines) {
    if (IsEngine(engine)) continue;
    reader.Fail(*table.get("engines"),
                absl::StrCat("found engine ", engine,
                             ", expected libfuzzer, weak-memory, plain-stops, "
                             "or a strategy: mixed, random, pct, pos, bytes, "
                             "bounded"));
  }
  const auto faults = fuzz::ParseFaultClasses(driver.faults);
  if (!faults.ok()) {
    reader.Fail(*table.get("faults"), faults.status().message());
  }
  for (std::string& patch : driver.patches) patch = Beside(file, patch);
  for (std::string& folder : driver.take_in) folder = Beside(file, folder);
  const absl::Status status = reader.Done();
  if (!status.ok()) return status;
  return driver;
}

}  // namespace

std::string DriverSettings::Label() const {
  std::string label = name;
  for (const std::string& patch : patches) {
    absl::StrAppend(&label, "+",
                    std::filesystem::path(patch).filename().string());
  }
  return label;
}

std::vector<std::string> DriverSettings::Arguments() const {
  std::vector<std::string> arguments = {"--driver=" + name};
  for (const std::string& patch : patches) {
    arguments.push_back("--patch=" + patch);
  }
  return arguments;
}

absl::StatusOr<Settings> ParseSettings(absl::string_view text,
                                       const std::string& file) {
  toml::table table;
  try {
    table = toml::parse(std::string_view(text.data(), text.size()), file);
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return absl::InvalidArgumentError(absl::StrCat(
        file, ":", at.line, ":", at.column, ": ", View(error.description())));
  }
  Settings settings;
  Reader reader(table, file);
  reader.Read("seconds", 1, 7 * 86400, &settings.seconds);
  reader.Read("slice-seconds", 1, 86400, &settings.slice_seconds);
  reader.Read("jobs", 1, 256, &settings.jobs);
  reader.Read("memory-megabytes", 512, 1 << 30, &settings.memory_megabytes);
  reader.Read("corpus-megabytes", 1, 1 << 20, &settings.corpus_megabytes);
  reader.Read("history-nights", 2, 100000, &settings.history_nights);
  reader.Read("machine", 0, 9999, &settings.machine);
  const toml::node* drivers = reader.Find("driver");
  absl::Status status = reader.Done();
  if (!status.ok()) return status;
  const toml::array* list = drivers == nullptr ? nullptr : drivers->as_array();
  if (list == nullptr || list->empty() || !list->is_array_of_tables()) {
    return absl::InvalidArgumentError(
        absl::StrCat(file, ":1:1: found no [[driver]], expected one at least"));
  }
  std::set<std::string> labels;
  for (const toml::node& node : *list) {
    auto driver = ReadDriver(*node.as_table(), file);
    if (!driver.ok()) return driver.status();
    if (!labels.insert(driver->Label()).second) {
      const toml::source_position at = node.source().begin;
      return absl::InvalidArgumentError(
          absl::StrCat(file, ":", at.line, ":", at.column, ": found ",
                       driver->Label(), " again, expected each driver once"));
    }
    settings.drivers.push_back(*std::move(driver));
  }
  return settings;
}

std::string DefaultSettings() {
  std::string text =
      "# What `atsfuzz nightly` does. All keys: atsfuzz nightly --help\n"
      "seconds = 28800\n";
  for (const char* kernel : {"6.12", "7.2", "7.3"}) {
    absl::StrAppend(&text, "\n[[driver]]\nname = \"linux:", kernel,
                    "\"\nengines = [\"mixed\", \"libfuzzer\"]\n");
  }
  absl::StrAppend(&text,
                  "\n[[driver]]\nname = \"model:6.12\"\n"
                  "engines = [\"mixed\"]\n");
  return text;
}

}  // namespace atsfuzz::nightly
