#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "model/bytes.h"
#include "model/text.h"
#include "nightly/history.h"
#include "nightly/settings.h"
#include "nightly/take_in.h"
#include "services/service_build.h"

// The contract between OSS-Fuzz and a project's build script, played on this
// machine: the script is run as the service runs it, and the targets are then
// asked what its check of builds asks, where nothing else is left.

namespace atsfuzz::services {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr char kDriver[] = "atsfuzz_linux_6_12";

// The number behind the first match of `before` in a text; -1: none.
int NumberAfter(const std::string& text, const std::string& before) {
  std::smatch match;
  if (!std::regex_search(text, match, std::regex(before + "(\\d+)"))) return -1;
  return std::stoi(match[1]);
}

class Contract : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    build_ = new ServiceBuild();
    reason_ = new std::string(build_->Build());
  }
  static void TearDownTestSuite() {
    delete build_;
    delete reason_;
  }

  void SetUp() override {
    if (!reason_->empty()) GTEST_SKIP() << *reason_;
    for (const char* engine : {"libfuzzer", "afl"}) {
      ASSERT_EQ(build_->said(engine).status, 0) << build_->said(engine).text;
    }
    elsewhere_ = build_->folder() + "/elsewhere";
    fs::remove_all(elsewhere_);
    fs::create_directories(elsewhere_);
  }

  static std::string LibFuzzer(const std::string& target) {
    return build_->Out("libfuzzer") + "/" + target;
  }
  static std::string Afl(const std::string& target) {
    return build_->Out("afl") + "/" + target;
  }
  Said Run(const std::string& command) const {
    return Shell(elsewhere_, command);
  }
  // How often a target calls functions of the sanitizers' runtimes.
  struct Calls {
    int asan = 0, ubsan = 0, msan = 0;
  };
  Calls CallsOf(const std::string& target) const {
    std::istringstream numbers(
        Run("objdump -d --no-show-raw-insn " + target +
            " | awk '/call .*<__asan/ {++a} /call .*<__ubsan/ {++u} "
            "/call .*<__msan/ {++m} END {print a + 0, u + 0, m + 0}'")
            .text);
    Calls calls;
    numbers >> calls.asan >> calls.ubsan >> calls.msan;
    return calls;
  }
  // A scenario of the corpus as bytes, in a file.
  std::string InputOf(const std::string& scenario) const {
    const auto read =
        model::ReadScenario(ATSFUZZ_SOURCE_DIR "/corpus/" + scenario);
    EXPECT_TRUE(read.ok()) << read.status();
    const std::vector<uint8_t> bytes = model::Encode(*read);
    std::ofstream(elsewhere_ + "/input", std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return "input";
  }

  static ServiceBuild* build_;
  static std::string* reason_;
  std::string elsewhere_;
};
ServiceBuild* Contract::build_ = nullptr;
std::string* Contract::reason_ = nullptr;

TEST_F(Contract, ThereIsATargetForTheKernelAndOneForTheModel) {
  for (const char* engine : {"libfuzzer", "afl"}) {
    EXPECT_THAT(TargetsIn(build_->Out(engine)),
                ElementsAre(kDriver, "atsfuzz_model"));
  }
}

TEST_F(Contract, TargetsStartWithNothingAroundThemAndAreInstrumented) {
  for (const char* target : {kDriver, "atsfuzz_model"}) {
    const Said said = Run(LibFuzzer(target) + " -seed=1337 -runs=4");
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_THAT(said.text, HasSubstr("Done 4 runs"));
    // The service wants 100; a driver has thousands.
    EXPECT_GT(NumberAfter(said.text, "Loaded 1 modules +\\("), 2000);
    EXPECT_THAT(said.text, Not(HasSubstr("no interesting inputs")));
  }
}

TEST_F(Contract, TheSeedCorpusRunsThrough) {
  for (const char* target : {kDriver, "atsfuzz_model"}) {
    const Said said = Run("unzip -q -d seeds " + LibFuzzer(target) +
                          "_seed_corpus.zip && " + LibFuzzer(target) +
                          " -runs=0 seeds; status=$?; rm -rf seeds; "
                          "exit $status");
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_GT(NumberAfter(said.text, "seed corpus: files: "), 50);
  }
}

TEST_F(Contract, NothingIsLoadedThatABareMachineLacks) {
  for (const char* target : {kDriver, "atsfuzz_model"}) {
    for (const std::string& path : {LibFuzzer(target), Afl(target)}) {
      const Said said = Run("ldd " + path);
      std::istringstream lines(said.text);
      for (std::string name; lines >> name; std::getline(lines, name)) {
        EXPECT_TRUE(std::regex_match(
            name, std::regex("linux-vdso.*|/lib64/ld-linux.*|"
                             "lib(c|m|dl|pthread|rt|resolv|gcc_s)\\.so.*")))
            << name;
      }
    }
  }
}

// The numbers are the service's.
TEST_F(Contract, TargetsHaveTheSanitizerThatWasAskedForAndNoOther) {
  for (const char* target : {kDriver, "atsfuzz_model"}) {
    const Calls calls = CallsOf(LibFuzzer(target));
    EXPECT_GE(calls.asan, 1000);
    EXPECT_LE(calls.ubsan, 200);
    EXPECT_LE(calls.msan, 3);
    // AFL++'s own driver has a few, for targets that were built with it.
    EXPECT_LT(CallsOf(Afl(target)).asan, 20);
  }
}

TEST_F(Contract, AMemoryErrorOfTheDriverIsToldByItsSourceLine) {
  const Said said = Run(LibFuzzer(kDriver) + " " +
                        InputOf("regressions/finalise-without-id.ats"));
  EXPECT_NE(said.status, 0);
  EXPECT_THAT(said.text, HasSubstr("ERROR: AddressSanitizer"));
  EXPECT_TRUE(std::regex_search(
      said.text, std::regex("#0 0x[0-9a-f]+ in arm_smmu_tlb_inv_asid "
                            "/.*/arm-smmu-v3\\.c:\\d+")))
      << said.text;
}

TEST_F(Contract, AViolationIsAnAssertionUnlessTheListBesideTheTargetKnowsIt) {
  const std::string input = InputOf("seeds/seed-attach.ats");
  EXPECT_EQ(Run(LibFuzzer(kDriver) + " " + input).status, 0);
  const Said said =
      Run("cp " + LibFuzzer(kDriver) + " alone && ./alone " + input);
  EXPECT_NE(said.status, 0);
  EXPECT_TRUE(std::regex_search(
      said.text, std::regex("\natsfuzz: Assertion `belief-matches-device-"
                            "[0-9a-f]{6}' failed\\.\n")))
      << said.text;
}

TEST_F(Contract, OptionsAndDictionaryAreOfTheFormThatEnginesRead) {
  for (const char* target : {kDriver, "atsfuzz_model"}) {
    EXPECT_THAT(ReadAll(LibFuzzer(target) + ".options"),
                AllOf(HasSubstr("[libfuzzer]\n"), HasSubstr("max_len = ")));
    const Said said = Run(LibFuzzer(target) +
                          " -runs=0 -dict=" + LibFuzzer(target) + ".dict");
    EXPECT_EQ(said.status, 0) << said.text;
    EXPECT_GT(NumberAfter(said.text, "Dictionary: "), 24);
  }
}

TEST_F(Contract, AflFuzzTakesATarget) {
  const Said said = Run(
      "mkdir -p in && echo x >in/x && export AFL_SKIP_CPUFREQ=1 AFL_NO_UI=1 "
      "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES=1 AFL_NO_AFFINITY=1 && "
      "afl-fuzz -V 1 -m none -t 10000 -i in -o out -- " +
      Afl("atsfuzz_model"));
  EXPECT_EQ(said.status, 0) << said.text;
  EXPECT_THAT(said.text, HasSubstr("All set and ready to roll"));
  EXPECT_GT(NumberAfter(ReadAll(elsewhere_ + "/out/default/fuzzer_stats"),
                        "total_edges +: "),
            2000);
}

// Two instances of AFL++ and libFuzzer find for each other. Each reads when it
// starts again what the others have found, and how soon that is something is a
// matter of the machine.
TEST_F(Contract, EnginesExchangeWhatTheyFindAndANightTakesItIn) {
  const std::string together =
      ATSFUZZ_SOURCE_DIR
      "/services/fuzz-together --name=t --secondaries=1 "
      "--seconds=8 --libfuzzer=" +
      LibFuzzer(kDriver) + " " + Afl(kDriver) + " shared";
  const std::string shared = elsewhere_ + "/shared";
  const auto taken = [&](const std::string& by, const std::string& from) {
    return std::stoi(
        Run("ls shared/" + by + "/queue | grep -c sync:" + from).text);
  };
  const auto exchanged = [&] {
    return taken("t-main", "t-1") > 0 && taken("t-1", "t-main") > 0 &&
           taken("t-main", "t-libfuzzer") > 0 &&
           std::regex_search(
               ReadAll(shared + "/t-libfuzzer.log"),
               std::regex("MERGE-OUTER: [1-9]\\d* new files with [1-9]"));
  };
  for (int round = 0; round < 2 || (round < 6 && !exchanged()); ++round) {
    const Said said = Run(together);
    ASSERT_EQ(said.status, 0) << said.text;
  }
  EXPECT_TRUE(exchanged()) << Run("ls shared/*/queue | head -200").text;

  const std::vector<std::string> found = nightly::InputsOf(shared);
  EXPECT_GT(found.size(), 200u);
  std::ofstream(elsewhere_ + "/campaign.toml")
      << "seconds = 20\n[[driver]]\nname = \"model:6.12\"\n"
         "engines = [\"mixed\"]\ntake-in = [\"shared\", "
         "\"shared/t-libfuzzer\"]\n";
  const Said night =
      Run(ATSFUZZ_PROGRAM " nightly --state=state --campaign=campaign.toml");
  EXPECT_THAT(night.text, HasSubstr("atsfuzz nightly 1: done"));
  const auto history =
      nightly::History::Open(elsewhere_ + "/state/history.sqlite");
  ASSERT_TRUE(history.ok()) << history.status();
  const auto slices = (*history)->Slices(1);
  ASSERT_TRUE(slices.ok()) << slices.status();
  ASSERT_FALSE(slices->empty()) << night.text;
  EXPECT_EQ(slices->front().engine, nightly::kTakenIn);
  EXPECT_GT(slices->front().runs, 200) << night.text;
}

}  // namespace
}  // namespace atsfuzz::services
