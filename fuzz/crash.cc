#include "fuzz/crash.h"

#include <dlfcn.h>
#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "fuzz/program.h"
#include "model/source_path.h"

namespace atsfuzz::fuzz {
namespace {

constexpr int kMaxFrames = 24;
// How the functions of a driver module begin that are no kernel's.
constexpr char kGlue[] = "atsfuzz_";
constexpr size_t kPathBytes = 400;

struct CrashPage {
  int signal;
  int frames;
  struct {
    char module[kPathBytes];
    uint64_t offset;
  } stack[kMaxFrames];
};

CrashPage* crash_page;

uint64_t ProgramCounter(const void* context) {
  const auto* uc = static_cast<const ucontext_t*>(context);
#if defined(__x86_64__)
  return static_cast<uint64_t>(uc->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
  return uc->uc_mcontext.pc;
#else
#error "which register holds the program counter?"
#endif
}

void AddFrame(uint64_t address) {
  Dl_info info;
  if (crash_page->frames == kMaxFrames ||
      dladdr(reinterpret_cast<void*>(address), &info) == 0 ||
      info.dli_fname == nullptr) {
    return;
  }
  auto& frame = crash_page->stack[crash_page->frames++];
  strncpy(frame.module, info.dli_fname, kPathBytes - 1);
  frame.offset = address - reinterpret_cast<uint64_t>(info.dli_fbase);
}

void OnFatalSignal(int signal, siginfo_t*, void* context) {
  void* stack[kMaxFrames + 8];
  const int count = backtrace(stack, kMaxFrames + 8);
  const uint64_t pc = ProgramCounter(context);
  void** const end = stack + count;
  void** at = std::find(stack, end, reinterpret_cast<void*>(pc));
  crash_page->signal = signal;
  AddFrame(pc);
  // The frames before `at` are this handler's own. A jump to nowhere leaves no
  // frame of its own: then all are kept, and those outside the driver are
  // ignored later.
  if (at != end) ++at;
  if (at == end) at = stack;
  // A caller's address is that of the instruction after the call.
  for (; at != end; ++at) AddFrame(reinterpret_cast<uint64_t>(*at) - 1);
  _exit(128 + signal);
}

std::string SourceLine(const std::string& path, int line) {
  std::ifstream file(path);
  std::string text;
  for (int i = 0; i < line; ++i) {
    if (!std::getline(file, text)) return "";
  }
  const std::vector<std::string> words =
      absl::StrSplit(text, absl::ByAnyChar(" \t"), absl::SkipEmpty());
  return absl::StrJoin(words, " ");
}

// "function\nfile:line (discriminator 3)\n" per frame.
std::vector<model::Location> ParseAddr2line(absl::string_view output) {
  std::vector<model::Location> locations;
  const std::vector<std::string> lines = absl::StrSplit(output, '\n');
  for (size_t i = 0; i + 1 < lines.size(); i += 2) {
    const std::string path_and_line =
        lines[i + 1].substr(0, lines[i + 1].find(' '));
    const std::vector<std::string> place =
        absl::StrSplit(path_and_line, absl::MaxSplits(':', 1));
    model::Location location;
    if (lines[i] == "??" || place.size() != 2) continue;
    location.function = lines[i];
    if (absl::SimpleAtoi(place[1], &location.line)) {
      location.text = SourceLine(place[0], location.line);
    }
    location.file = place[0].substr(place[0].rfind('/') + 1);
    location.path = model::PathInTree(place[0]);
    locations.push_back(location);
  }
  return locations;
}

const std::vector<model::Location>& LocationsOf(const Frame& frame) {
  static auto& cache = *new std::map<Frame, std::vector<model::Location>>;
  const auto [entry, added] = cache.try_emplace(frame);
  if (added) {
    const absl::StatusOr<std::string> output =
        OutputOf({"addr2line", "-fie", frame.module,
                  absl::StrFormat("0x%x", frame.offset)});
    if (output.ok()) entry->second = ParseAddr2line(*output);
  }
  return entry->second;
}

absl::string_view SignalName(int signal) {
  switch (signal) {
    case SIGSEGV:
      return "SEGV";
    case SIGBUS:
      return "BUS";
    case SIGILL:
      return "ILL";
    case SIGFPE:
      return "FPE";
    case SIGABRT:
      return "ABRT";
    case SIGTRAP:
      return "TRAP";
    case SIGKILL:
      return "KILL";
    default:
      return "death";
  }
}

// A system that has shown exactly one event, at a known place.
class CrashedSystem : public model::System {
 public:
  explicit CrashedSystem(const std::vector<model::Location>& stack)
      : stack_(stack) {}
  absl::Status Boot(const model::Topology&) override {
    return absl::FailedPreconditionError("crashed");
  }
  int Operate(const model::Operation&, model::FunctionId, uint64_t) override {
    return 0;
  }
  void Shutdown() override {}
  const atsfuzz_observation& Observe() override { return observation_; }
  std::span<const atsfuzz_event> Events() override { return {&event_, 1}; }
  bool Locates() const override { return true; }
  std::vector<model::Location> Locate(const atsfuzz_event&) override {
    return stack_;
  }
  const model::Capabilities& capabilities() const override {
    return capabilities_;
  }
  const std::string& name() const override { return name_; }

 private:
  std::vector<model::Location> stack_;
  atsfuzz_observation observation_ = {};
  atsfuzz_event event_ = {};
  std::string name_ = "crashed";
  const model::Capabilities capabilities_;
};

}  // namespace

size_t CrashPageSize() { return sizeof(CrashPage); }

void RecordCrashesIn(void* page) {
  crash_page = static_cast<CrashPage*>(page);
  void* warm_up[1];
  backtrace(warm_up, 1);  // loads the unwinder, which a handler must not
  stack_t stack = {};
  stack.ss_size = 1 << 16;
  stack.ss_sp = new char[stack.ss_size];
  sigaltstack(&stack, nullptr);
  struct sigaction action = {};
  action.sa_sigaction = OnFatalSignal;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND;
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP}) {
    sigaction(signal, &action, nullptr);
  }
}

Death CrashIn(const void* page) {
  const auto* crash = static_cast<const CrashPage*>(page);
  Death death;
  death.signal = crash->signal;
  for (int i = 0; i < crash->frames; ++i) {
    death.stack.push_back({crash->stack[i].module, crash->stack[i].offset});
  }
  return death;
}

std::vector<model::Location> Symbolize(const std::vector<Frame>& frames) {
  // Below the driver there may be a sanitizer's runtime, above it there is the
  // program that called it.
  const auto driver = std::find_if(
      frames.begin(), frames.end(),
      [](const Frame& frame) { return absl::EndsWith(frame.module, ".so"); });
  const auto first = driver == frames.end() ? frames.begin() : driver;
  std::vector<model::Location> stack;
  for (auto frame = first; frame != frames.end(); ++frame) {
    if (frame->module != first->module) break;
    for (const model::Location& location : LocationsOf(*frame)) {
      const bool glue = absl::StartsWith(location.function, kGlue);
      if (glue && !stack.empty() &&
          !absl::StartsWith(stack.back().function, kGlue)) {
        return stack;  // what called the kernel
      }
      stack.push_back(location);
    }
  }
  return stack;
}

properties::Violation ViolationOf(const Death& death,
                                  const std::vector<model::Location>& stack,
                                  size_t operation, absl::string_view text) {
  properties::Violation violation;
  violation.operation = operation;
  violation.event = 0;
  if (death.hung) {
    violation.invariant = properties::Invariant::kProgress;
    violation.aspect = "hang";
    violation.message = absl::StrCat("`", text, "` did not end.");
    violation.expected = "every operation ends";
    violation.found = "no progress until the watchdog ended it";
    return violation;
  }
  const model::Location where = Blame(stack);
  violation.invariant = properties::Invariant::kMemorySafe;
  violation.aspect =
      death.error.empty() ? std::string(SignalName(death.signal)) : death.error;
  violation.message = absl::StrCat(
      death.error.empty() ? "The kernel crashed in `"
                          : "The kernel makes a memory error in `",
      text, "`", where.known() ? absl::StrCat(", in ", where.function) : "",
      ": ", violation.aspect, ".");
  violation.expected = "no memory error";
  violation.found = violation.aspect;
  return violation;
}

Signature CrashSignature(const properties::Violation& violation,
                         uint8_t assumes,
                         const std::vector<model::Location>& stack) {
  CrashedSystem system(stack);
  return SignatureOf(violation, assumes, system);
}

}  // namespace atsfuzz::fuzz
