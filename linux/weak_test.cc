// linux/kernel/weak.c against litmus tests (corpus/litmus, in the format of the
// kernel's tools/memory-model/litmus-tests): every interleaving, with every
// choice of weak turns. What the kernel's memory model, or Arm's where the file
// says so, never allows is never seen, and what it allows is.

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "gtest/gtest.h"
#include "model/observation.h"

extern "C" {

// What weak.c asks of the runtime.
unsigned int atsfuzz_thread;
int atsfuzz_threads_side_by_side() { return 1; }
int atsfuzz_trace_looks_away() { return 0; }
int atsfuzz_trace_is_shared(uintptr_t address) { return address > 4096; }
uint32_t atsfuzz_trace_place(uint64_t) { return 0; }
atsfuzz_event* atsfuzz_event_add(uint16_t) {
  static atsfuzz_event event;
  return &event;
}

// linux/kernel/runtime.h and boundary.h, which only C includes.
void atsfuzz_weak_begin();
void atsfuzz_weak_select(uint32_t thread, int weak);
void atsfuzz_weak_leave(atsfuzz_event* stop);
void atsfuzz_weak_return();
void atsfuzz_weak_store(uintptr_t address, unsigned size, int marked,
                        uint64_t pc);
void atsfuzz_weak_order_stores();
void atsfuzz_weak_order_loads();
void atsfuzz_weak_order_all();
void atsfuzz_weak_once(const volatile void* address);
const volatile void* atsfuzz_weak_see(const volatile void* address,
                                      unsigned size);
}

namespace atsfuzz::linux_driver {
namespace {

struct Instruction {
  enum class Kind {
    kStore,    // WRITE_ONCE(*word, value)
    kRelease,  // smp_store_release(word, value)
    kLoad,     // reg = READ_ONCE(*word)
    kAcquire,  // reg = smp_load_acquire(word)
    kFull,
    kStores,
    kLoads,
  };
  Kind kind;
  int word = 0;
  int value = 0;
  std::string reg;

  bool IsAccess() const { return kind <= Kind::kAcquire; }
};

// `where` is a register, "1:r0", or a word, "x".
struct Condition {
  std::string where;
  int value;
};

struct Litmus {
  std::map<std::string, int> words;  // by name, their number
  std::map<std::string, int> initial;
  std::vector<std::vector<Instruction>> threads;
  std::vector<Condition> exists;
  // "Never" or "Sometimes", by who says so: Result, Arm, Explored.
  std::map<std::string, std::string> says;

  bool IsExpected() const {
    for (const char* who : {"Explored", "Arm", "Result"}) {
      const auto said = says.find(who);
      if (said != says.end()) return said->second == "Sometimes";
    }
    ADD_FAILURE() << "no Result";
    return false;
  }
  int Word(const std::string& name) {
    return words.emplace(name, static_cast<int>(words.size())).first->second;
  }
};

// The words of a line without their punctuation.
std::vector<std::string> Tokens(std::string line) {
  for (char& c : line) {
    if (absl::StrContains("(){};,*=&\t", std::string(1, c))) c = ' ';
  }
  return absl::StrSplit(line, ' ', absl::SkipEmpty());
}

void AddInstruction(const std::vector<std::string>& tokens, Litmus* litmus) {
  using Kind = Instruction::Kind;
  const std::map<std::string, Kind> kinds = {
      {"WRITE_ONCE", Kind::kStore}, {"smp_store_release", Kind::kRelease},
      {"READ_ONCE", Kind::kLoad},   {"smp_load_acquire", Kind::kAcquire},
      {"smp_mb", Kind::kFull},      {"smp_wmb", Kind::kStores},
      {"smp_rmb", Kind::kLoads},
  };
  const bool loads = tokens[0][0] == 'r';
  const auto kind = kinds.find(tokens[loads ? 1 : 0]);
  ASSERT_NE(kind, kinds.end()) << tokens[0];
  Instruction instruction{.kind = kind->second};
  if (loads) {
    instruction.reg = tokens[0];
    instruction.word = litmus->Word(tokens[2]);
  } else if (instruction.IsAccess()) {
    instruction.word = litmus->Word(tokens[1]);
    instruction.value = std::stoi(tokens[2]);
  }
  litmus->threads.back().push_back(instruction);
}

Litmus Read(const std::filesystem::path& path) {
  Litmus litmus;
  std::ifstream in(path);
  bool in_comment = false;
  for (std::string line; std::getline(in, line);) {
    const std::vector<std::string> tokens = Tokens(line);
    if (absl::StartsWith(line, "(*")) in_comment = true;
    if (in_comment) {
      if (tokens.size() == 2 && absl::EndsWith(tokens[0], ":")) {
        litmus.says[tokens[0].substr(0, tokens[0].size() - 1)] = tokens[1];
      }
      in_comment = !absl::StrContains(line, "*)");
    } else if (tokens.empty() || tokens[0] == "C" || tokens[0] == "int") {
      continue;
    } else if (absl::StartsWith(line, "{ ")) {
      for (size_t i = 0; i + 1 < tokens.size(); i += 2) {
        litmus.initial[tokens[i]] = std::stoi(tokens[i + 1]);
      }
    } else if (line[0] == 'P') {
      litmus.threads.emplace_back();
    } else if (absl::StartsWith(line, "exists")) {
      for (size_t i = 1; i + 1 < tokens.size(); i += 3) {
        litmus.exists.push_back({tokens[i], std::stoi(tokens[i + 1])});
      }
    } else {
      AddInstruction(tokens, &litmus);
    }
  }
  // What a thread has stored is seen by all in the end.
  for (auto& instructions : litmus.threads) {
    const bool stores =
        std::any_of(instructions.begin(), instructions.end(),
                    [](const Instruction& instruction) {
                      return instruction.kind <= Instruction::Kind::kRelease;
                    });
    if (stores) instructions.push_back({.kind = Instruction::Kind::kFull});
  }
  return litmus;
}

// All ways to run a litmus test.
class Exploration {
 public:
  explicit Exploration(const Litmus& litmus) : litmus_(litmus) {}

  // Whether one of them ends as the test asks.
  bool Finds() {
    Explore();
    return found_;
  }
  uint64_t runs() const { return runs_; }

 private:
  // A turn: one instruction of a thread.
  struct Move {
    uint32_t thread;
    bool weak;
  };

  void Explore() {
    std::array<size_t, 5> next = {};
    for (const Move& move : moves_) ++next[move.thread];
    bool any = false;
    for (uint32_t thread = 0; thread < litmus_.threads.size(); ++thread) {
      const auto& instructions = litmus_.threads[thread];
      if (next[thread] == instructions.size()) continue;
      any = true;
      for (const bool weak : {false, true}) {
        // A barrier is the same in both.
        if (weak && !instructions[next[thread]].IsAccess()) continue;
        moves_.push_back({thread, weak});
        Explore();
        moves_.pop_back();
        if (found_) return;
      }
    }
    if (!any) Run();
  }

  void Run() {
    ++runs_;
    words_.fill(0);
    for (const auto& [name, value] : litmus_.initial) {
      words_[litmus_.words.at(name)] = value;
    }
    registers_.clear();
    atsfuzz_weak_begin();
    std::array<size_t, 5> next = {};
    for (const Move& move : moves_) {
      atsfuzz_thread = move.thread + 1;
      atsfuzz_weak_select(atsfuzz_thread, move.weak);
      atsfuzz_weak_return();
      const auto& instructions = litmus_.threads[move.thread];
      size_t& at = next[move.thread];
      Do(move.thread, instructions[at++]);
      atsfuzz_weak_leave(nullptr);
    }
    found_ = std::all_of(litmus_.exists.begin(), litmus_.exists.end(),
                         [&](const Condition& condition) {
                           return ValueOf(condition.where) == condition.value;
                         });
  }

  // As the macros of atsfuzz_lock.h do it.
  void Do(uint32_t thread, const Instruction& instruction) {
    using Kind = Instruction::Kind;
    int* word = &words_[instruction.word];
    switch (instruction.kind) {
      case Kind::kRelease:
        atsfuzz_weak_order_stores();
        [[fallthrough]];
      case Kind::kStore:
        atsfuzz_weak_once(word);
        atsfuzz_weak_store(reinterpret_cast<uintptr_t>(word), sizeof(*word), 1,
                           0);
        *word = instruction.value;
        break;
      case Kind::kAcquire:
        atsfuzz_weak_order_loads();
        Load(thread, instruction, word);
        atsfuzz_weak_order_loads();
        break;
      case Kind::kLoad:
        Load(thread, instruction, word);
        break;
      case Kind::kFull:
        atsfuzz_weak_order_all();
        break;
      case Kind::kStores:
        atsfuzz_weak_order_stores();
        break;
      case Kind::kLoads:
        atsfuzz_weak_order_loads();
        break;
    }
  }

  void Load(uint32_t thread, const Instruction& instruction, const int* word) {
    int value;
    std::memcpy(&value,
                const_cast<const void*>(atsfuzz_weak_see(word, sizeof(*word))),
                sizeof(value));
    registers_[std::to_string(thread) + ":" + instruction.reg] = value;
  }

  int ValueOf(const std::string& where) const {
    const auto found = registers_.find(where);
    return found != registers_.end() ? found->second
                                     : words_[litmus_.words.at(where)];
  }

  const Litmus& litmus_;
  std::vector<Move> moves_;
  std::map<std::string, int> registers_;
  bool found_ = false;
  uint64_t runs_ = 0;
  std::array<int, 8> words_;
};

std::vector<std::filesystem::path> Files() {
  std::vector<std::filesystem::path> files;
  for (const auto& entry :
       std::filesystem::directory_iterator("corpus/litmus")) {
    files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

class WeakMemory : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(WeakMemory, ShowsWhatTheMemoryModelAllowsAndNothingElse) {
  const Litmus litmus = Read(GetParam());
  ASSERT_GE(litmus.threads.size(), 2);
  ASSERT_FALSE(litmus.exists.empty());
  Exploration exploration(litmus);
  EXPECT_EQ(exploration.Finds(), litmus.IsExpected())
      << GetParam() << ", " << exploration.runs() << " runs";
  RecordProperty("runs", static_cast<int>(exploration.runs()));
}

std::string TestName(
    const testing::TestParamInfo<std::filesystem::path>& file) {
  std::string name = file.param.stem().string();
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Litmus, WeakMemory, testing::ValuesIn(Files()),
                         TestName);

}  // namespace
}  // namespace atsfuzz::linux_driver
