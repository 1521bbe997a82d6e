#include "cli/flags.h"

#include <getopt.h>

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace atsfuzz::cli {
namespace {

size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

Flags::Flags(std::string usage, std::string about, std::string examples)
    : usage_(std::move(usage)),
      about_(std::move(about)),
      examples_(std::move(examples)) {
  Add("help", "Shows this.", &help_wanted_);
}

void Flags::Add(const char* name, const char* value_name, const char* help,
                std::string* value) {
  flags_.push_back({name, value_name, help, [value](const std::string& text) {
                      *value = text;
                      return absl::OkStatus();
                    }});
}

void Flags::Add(const char* name, const char* value_name, const char* help,
                std::vector<std::string>* values) {
  flags_.push_back({name, value_name, help, [values](const std::string& text) {
                      values->push_back(text);
                      return absl::OkStatus();
                    }});
}

void Flags::Add(const char* name, const char* help, bool* value) {
  flags_.push_back({name, "", help, [value](const std::string&) {
                      *value = true;
                      return absl::OkStatus();
                    }});
}

void Flags::Add(const char* name, const char* value_name, const char* help,
                std::optional<uint64_t>* value) {
  const std::string flag = name;
  flags_.push_back(
      {name, value_name, help, [value, flag](const std::string& text) {
         const auto number = ParseNumber(flag, text);
         if (number.ok()) *value = *number;
         return number.status();
       }});
}

void Flags::Add(const char* name, const char* value_name, const char* help,
                uint64_t* value) {
  const std::string flag = name;
  flags_.push_back(
      {name, value_name, help, [value, flag](const std::string& text) {
         const auto number = ParseNumber(flag, text);
         if (number.ok()) *value = *number;
         return number.status();
       }});
}

absl::Status Flags::CheckSpelling(
    const std::vector<std::string>& arguments) const {
  std::vector<std::string> names;
  for (const Flag& flag : flags_) names.push_back(flag.name);
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.size() < 2 || argument[0] != '-' || argument == "-h") continue;
    const std::string dashed = argument.substr(0, argument.find('='));
    const std::string name =
        absl::StartsWith(dashed, "--") ? dashed.substr(2) : "";
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string near = Nearest(name, names);
    return absl::InvalidArgumentError(absl::StrCat(
        "unknown flag ", dashed,
        near.empty() ? "" : absl::StrCat("; did you mean --", near, "?")));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::string>> Flags::Parse(
    const std::vector<std::string>& arguments) {
  const absl::Status spelling = CheckSpelling(arguments);
  if (!spelling.ok()) return spelling;
  std::vector<option> options;
  for (const Flag& flag : flags_) {
    options.push_back(
        {flag.name.c_str(),
         flag.value_name.empty() ? no_argument : required_argument, nullptr,
         0});
  }
  options.push_back({});
  std::vector<std::string> copies = arguments;
  copies.insert(copies.begin(), "atsfuzz");
  std::vector<char*> argv;
  for (std::string& argument : copies) argv.push_back(argument.data());
  argv.push_back(nullptr);
  const int argc = static_cast<int>(copies.size());
  opterr = 0;
  optind = 0;  // starts afresh
  int index = 0, found;
  while ((found = getopt_long(argc, argv.data(), ":h", options.data(),
                              &index)) != -1) {
    if (found == 'h') {
      help_wanted_ = true;
    } else if (found == ':') {
      return absl::InvalidArgumentError(
          absl::StrCat(argv[optind - 1], " needs a value"));
    } else if (found == '?') {
      return absl::InvalidArgumentError(
          absl::StrCat(argv[optind - 1], " takes no value"));
    } else {
      const Flag& flag = flags_[static_cast<size_t>(index)];
      const absl::Status set = flag.set(optarg == nullptr ? "" : optarg);
      if (!set.ok()) return set;
    }
  }
  return std::vector<std::string>(argv.data() + optind, argv.data() + argc);
}

std::string Flags::Help() const {
  std::string text =
      absl::StrCat("usage: atsfuzz ", usage_, "\n\n", about_, "\n\nflags:\n");
  for (const Flag& flag : flags_) {
    const std::string name = absl::StrCat(
        "--", flag.name, flag.value_name.empty() ? "" : "=", flag.value_name);
    absl::StrAppendFormat(&text, "  %-22s %s\n", name, flag.help);
  }
  return absl::StrCat(text, "\nexamples:\n", examples_);
}

absl::StatusOr<uint64_t> ParseNumber(absl::string_view flag,
                                     absl::string_view text) {
  uint64_t number;
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") ==
                                           absl::string_view::npos;
  if (!digits || !absl::SimpleAtoi(text, &number)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "--", flag, "=", text, ": expected a whole number, 0 or more"));
  }
  return number;
}

std::string Nearest(absl::string_view word,
                    const std::vector<std::string>& candidates) {
  std::string nearest;
  size_t smallest = word.size() / 2 + 1;  // half of the word may be wrong
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance < smallest) {
      smallest = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

}  // namespace atsfuzz::cli
