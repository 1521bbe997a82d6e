#include "reproduce/program.h"

#include <span>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "linux/cache.h"
#include "model/block.h"
#include "model/text.h"
#include "reproduce/program_tables.h"

namespace atsfuzz::reproduce {
namespace {

using linux_driver::BuildKind;

constexpr size_t kWidth = 90;

// A part of the program that is the same for all.
absl::StatusOr<std::string> ReadPart(const std::string& name) {
  return linux_driver::ReadFile(absl::StrCat(
      linux_driver::SourcesFolder(), "/reproduce/program/", name, ".c"));
}

// The lines of a C comment: what would end it does not.
std::string CommentLines(absl::string_view text, const char* indent = "") {
  std::string lines;
  for (absl::string_view line :
       absl::StrSplit(absl::StripSuffix(text, "\n"), '\n')) {
    const std::string safe = absl::StrReplaceAll(line, {{"*/", "* /"}});
    absl::StrAppend(&lines, " *", safe.empty() ? "" : " ",
                    safe.empty() ? "" : indent, safe, "\n");
  }
  return lines;
}

// Breaks a sentence at blanks.
std::string Wrapped(absl::string_view text) {
  std::string wrapped;
  size_t width = 0;
  for (absl::string_view word : absl::StrSplit(text, ' ')) {
    if (width != 0 && width + 1 + word.size() > kWidth) {
      wrapped += "\n";
      width = 0;
    } else if (width != 0) {
      wrapped += " ";
      ++width;
    }
    absl::StrAppend(&wrapped, word);
    width += word.size();
  }
  return wrapped;
}

std::string HowToRun(const Program& program) {
  std::vector<std::string> compile =
      CompileCommand(program.build == BuildKind::kSanitized ? "clang" : "cc",
                     program.build, "THIS.c", "reproducer");
  for (std::string& word : compile) {
    word = absl::StrReplaceAll(word, {{linux_driver::SourcesFolder(), "."}});
  }
  return absl::StrCat(
      "To compile and run it, in a checkout of atsfuzz:\n\n  ",
      absl::StrJoin(compile, " "), "\n  ./reproducer $(", program.module,
      ")\n\nThe module of any other kernel will do as well. Exit status: 1 it "
      "shows, 0 it does\nnot, 2 it cannot be run.\n");
}

std::string Comment(const Program& program) {
  std::string text = "/*\n";
  const std::string message =
      program.shown != nullptr
          ? program.shown->violation.message
          : std::string(program.run.death->hung
                            ? "The last call does not end."
                            : "The driver crashes in the last call.");
  absl::StrAppend(&text, CommentLines(Wrapped(message)));
  if (program.shown != nullptr) {
    absl::StrAppend(&text,
                    CommentLines(Wrapped(absl::StrCat(
                        "Expected: ", program.shown->violation.expected,
                        ". Found: ", program.shown->violation.found, "."))));
  }
  absl::StrAppend(
      &text, " *\n",
      CommentLines(absl::StrCat(program.violation, ", on ", program.driver,
                                "\nMade by: ", program.made_by)),
      " *\n", CommentLines(HowToRun(program)));
  if (program.shown != nullptr && !program.shown->symptom.weaker.empty()) {
    absl::StrAppend(&text, " *\n",
                    CommentLines(Wrapped(program.shown->symptom.weaker)));
  }
  absl::StrAppend(&text, " *\n * The scenario:\n *\n",
                  CommentLines(model::Print(program.scenario), "  "), " */\n");
  return text;
}

std::string Constants(const Program& program, size_t calls) {
  const bool sanitized = program.build == BuildKind::kSanitized;
  const bool at_shutdown =
      program.shown != nullptr && program.shown->symptom.at_shutdown;
  return absl::StrFormat(
      "#define CALLS %du\n"
      "#define AT_SHUTDOWN %d /* it shows when the machine has ended */\n"
      "#define DIES %d /* it shows by a crash, or by no end */\n"
      "#define SANITIZED %d\n"
      "#define INSTRUMENTED %d /* the build of the module that is needed */\n"
      "#define DATA_RACES %d\n",
      calls, at_shutdown ? 1 : 0, program.shown == nullptr ? 1 : 0,
      sanitized ? 1 : 0, program.build == BuildKind::kInstrumented ? 1 : 0,
      program.data_races ? 1 : 0);
}

// The sanitizers' runtimes ask for these.
constexpr char kSanitizerOptions[] =
    "const char *__asan_default_options(void)\n{\n"
    "\treturn \"exitcode=1:detect_leaks=0:handle_abort=1\";\n}\n\n"
    "const char *__ubsan_default_options(void)\n{\n"
    "\treturn \"exitcode=1:halt_on_error=1:print_stacktrace=1\";\n}\n\n";

std::string Shows(const Program& program) {
  return absl::StrCat(
      "/* ---- What is wrong "
      "---------------------------------------------------------------- */\n\n"
      "static int shows(void)\n{\n",
      program.shown != nullptr ? program.shown->symptom.check
                               : "\treturn 0; /* the process has survived */\n",
      "}\n");
}

}  // namespace

BuildKind BuildFor(const model::Scenario& scenario, bool data_races) {
  return data_races || model::HasWeakTurns(scenario.schedule) ||
                 model::StopsAtPlainAccesses(scenario.schedule)
             ? BuildKind::kInstrumented
             : BuildKind::kPlain;
}

absl::StatusOr<std::string> TextOf(const Program& program) {
  const size_t count = program.shown != nullptr ? program.shown->symptom.calls
                                                : program.run.calls.size();
  const std::span<const RecordedCall> calls(program.run.calls.data(), count);
  bool block = false;
  for (const RecordedCall& call : calls) {
    block |= call.call.operation.thread != 0;
  }
  std::string text = absl::StrCat(
      Comment(program),
      "\n#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <signal.h>\n"
      "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n",
      block ? "#include <ucontext.h>\n" : "",
      "#include <unistd.h>\n\n#include \"linux/module.h\"\n\n",
      Constants(program, count), "\n", MachineTable(program.scenario.topology),
      "\n", CallsTable(program.scenario.topology, calls), "\n");
  if (block) {
    absl::StrAppend(&text, ScheduleTable(program.scenario.schedule), "\n");
  }
  std::vector<std::string> parts = {"seen"};
  if (program.shown != nullptr) {
    const std::vector<std::string>& own = program.shown->symptom.parts;
    parts.insert(parts.end(), own.begin(), own.end());
  }
  const auto append = [&](const std::string& name) {
    absl::StatusOr<std::string> part = ReadPart(name);
    if (part.ok()) absl::StrAppend(&text, *part, "\n");
    return part.status();
  };
  for (const std::string& part : parts) {
    if (absl::Status status = append(part); !status.ok()) return status;
  }
  absl::StrAppend(&text, Shows(program), "\n");
  if (program.build == BuildKind::kSanitized) text += kSanitizerOptions;
  if (block) {
    if (absl::Status status = append("block"); !status.ok()) return status;
  }
  if (absl::Status status = append("main"); !status.ok()) return status;
  text.pop_back();  // the blank line behind the last part
  return text;
}

std::vector<std::string> CompileCommand(const std::string& compiler,
                                        BuildKind build,
                                        const std::string& source,
                                        const std::string& program) {
  std::vector<std::string> command = {
      compiler, "-std=c11", "-Wall", "-Wextra",
      absl::StrCat("-I", linux_driver::SourcesFolder())};
  if (build == BuildKind::kSanitized) {
    command.insert(command.end(),
                   {"-g", "-fsanitize=address,undefined", "-rdynamic"});
  }
  command.insert(command.end(), {source, "-o", program, "-ldl"});
  return command;
}

}  // namespace atsfuzz::reproduce
