#include "nightly/slice.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "fuzz/findings.h"
#include "fuzz/target.h"
#include "nightly/output.h"
#include "nightly/take_in.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// For shrinking what was found, after the time is up.
constexpr double kGrace = 300;

std::vector<std::string> FuzzCommand(const SlicePlan& plan,
                                     const Settings& settings,
                                     const Programs& programs,
                                     const std::string& work,
                                     const std::string& corpus) {
  std::vector<std::string> argv = {programs.atsfuzz, "fuzz"};
  for (std::string& argument : plan.driver.Arguments()) {
    argv.push_back(std::move(argument));
  }
  argv.insert(argv.end(),
              {"--faults=" + plan.driver.faults,
               absl::StrCat("--threads=", plan.driver.threads),
               absl::StrCat("--seed=", plan.seed),
               absl::StrCat("--jobs=", settings.jobs), "--keep-going", "--json",
               "--corpus=" + corpus, "--findings=" + work + "/findings"});
  if (plan.engine == kWeakMemory || plan.engine == kPlainStops) {
    argv.push_back("--" + plan.engine);
  } else if (plan.engine != kLibFuzzer && plan.engine != kTakenIn) {
    argv.push_back("--strategy=" + plan.engine);
  }
  return argv;
}

// Adds what the output of `atsfuzz fuzz --json` says. False: it is none.
bool Read(const std::string& output, SliceResult* result) {
  const Json json = ObjectIn(output);
  if (!json.contains("findings")) return false;
  Slice& slice = result->slice;
  slice.version = json.value("version", "");
  slice.runs += json.value("runs", int64_t{0});
  slice.operations += json.value("operations", int64_t{0});
  slice.branches = json.value("branches", int64_t{0});
  slice.branches_covered = json.value("branches_covered", int64_t{0});
  result->seen = json.value("seen", std::vector<std::string>());
  for (const Json& each : json["findings"]) {
    Found found = FoundFrom(each, slice.driver);
    if (!found.signature.empty() && !found.scenario.empty()) {
      result->found.push_back(std::move(found));
    }
  }
  return true;
}

absl::Status WritePlan(const std::string& work, const Slice& slice,
                       const std::vector<std::string>& seen) {
  const Json json = {{"night", slice.night},   {"number", slice.number},
                     {"driver", slice.driver}, {"engine", slice.engine},
                     {"seed", slice.seed},     {"runs", slice.runs}};
  const absl::Status written = fuzz::WriteWhole(
      work + "/seen.txt", absl::StrCat(absl::StrJoin(seen, "\n"), "\n"));
  if (!written.ok()) return written;
  return fuzz::WriteWhole(work + "/slice.json", json.dump(2) + "\n");
}

// `atsfuzz fuzz` as the job says, with its output.
absl::Status RunFuzz(const Job& job, SliceResult* result) {
  const auto end = RunJob(job);
  if (!end.ok()) return end.status();
  Slice& slice = result->slice;
  slice.peak_megabytes =
      std::max(slice.peak_megabytes, static_cast<int64_t>(end->peak_megabytes));
  result->interrupted |= end->interrupted;
  if (!Read(job.output, result)) {
    const std::string why = LastLineOf(job.errors);
    slice.trouble = absl::StrCat(end->Describe(), why.empty() ? "" : ": ", why);
  }
  return absl::OkStatus();
}

Job JobFor(const Settings& settings, const Programs& programs,
           const std::string& work) {
  Job job;
  job.output = work + "/output.json";
  job.errors = work + "/errors.txt";
  job.grace_seconds = kGrace;
  job.memory_megabytes = settings.memory_megabytes;
  job.interrupted = programs.interrupted;
  return job;
}

SliceResult Begun(const SlicePlan& plan) {
  SliceResult result;
  result.slice.night = plan.night;
  result.slice.number = plan.number;
  result.slice.driver = plan.driver.Label();
  result.slice.engine = plan.engine;
  result.slice.seed = plan.seed;
  return result;
}

// libFuzzer, again and again, each time with what it found before as known.
class LibFuzzer {
 public:
  LibFuzzer(const SlicePlan& plan, const Settings& settings,
            const Programs& programs, const std::string& work)
      : plan_(plan),
        work_(work),
        known_(plan.seen.begin(), plan.seen.end()),
        job_(JobFor(settings, programs, work)) {
    job_.output = work + "/libfuzzer.out";
    job_.errors = work + "/libfuzzer.txt";
    job_.grace_seconds = 30;
    job_.argv = {programs.libfuzzer,
                 absl::StrCat("-rss_limit_mb=", settings.memory_megabytes),
                 "-timeout=30", "-print_final_stats=1",
                 "-artifact_prefix=" + work + "/artifacts/"};
    job_.argv.push_back(work + "/bytes");
    Environment();
  }

  // Adds its executions to the slice.
  absl::Status Run(SliceResult* result) {
    const Clock::time_point start = Clock::now();
    fs::create_directories(work_ + "/artifacts");
    for (int64_t attempt = 0;; ++attempt) {
      const double left =
          plan_.seconds -
          std::chrono::duration<double>(Clock::now() - start).count();
      if (left < 1 || result->interrupted) return absl::OkStatus();
      const absl::Status written = WriteKnown();
      if (!written.ok()) return written;
      Job job = job_;
      job.seconds = left + 10;
      job.argv.insert(
          job.argv.end() - 1,
          {absl::StrCat("-max_total_time=", static_cast<int64_t>(left)),
           absl::StrCat("-seed=", 1 + (plan_.seed + attempt) % 2000000000)});
      const auto end = RunJob(job);
      if (!end.ok()) return end.status();
      result->interrupted |= end->interrupted;
      result->slice.peak_megabytes =
          std::max(result->slice.peak_megabytes,
                   static_cast<int64_t>(end->peak_megabytes));
      const bool goes_on = Learn(&result->slice.runs);
      if (end->exit_status == 0) return absl::OkStatus();
      if (!goes_on) {
        result->slice.trouble = absl::StrCat("libFuzzer: ", end->Describe(),
                                             ": ", LastLineOf(job_.errors));
        return absl::OkStatus();
      }
    }
  }

 private:
  void Environment() {
    const absl::string_view name = plan_.driver.name;
    if (absl::StartsWith(name, "model:")) {
      job_.environment.emplace_back("ATSFUZZ_MODEL", name.substr(6));
    } else {
      job_.environment.emplace_back("ATSFUZZ_KERNEL",
                                    absl::StripPrefix(name, "linux:"));
      job_.environment.emplace_back("ATSFUZZ_PATCHES",
                                    absl::StrJoin(plan_.driver.patches, ":"));
    }
    job_.environment.emplace_back("ATSFUZZ_FAULTS", plan_.driver.faults);
    job_.environment.emplace_back("ATSFUZZ_THREADS",
                                  absl::StrCat(plan_.driver.threads));
    job_.environment.emplace_back("ATSFUZZ_KNOWN", work_ + "/known.txt");
  }

  absl::Status WriteKnown() const {
    return fuzz::WriteWhole(
        work_ + "/known.txt",
        absl::StrCat("# known\n", absl::StrJoin(known_, "\n"), "\n"));
  }

  // From what it printed: the executions, and a violation to be known from now
  // on. False if it ended without one and left no input either.
  bool Learn(int64_t* runs) {
    const std::string text = ContentsOf(job_.errors);
    bool learned = false;
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      absl::string_view number = line;
      int64_t executions = 0;
      if (absl::ConsumePrefix(&number, "stat::number_of_executed_units: ") &&
          absl::SimpleAtoi(number, &executions)) {
        *runs += executions;
      }
      if (absl::StartsWith(line, fuzz::kViolationPrefix)) {
        learned |= known_
                       .insert(std::string(
                           line.substr(sizeof(fuzz::kViolationPrefix) - 1)))
                       .second;
      }
    }
    return ForgetArtifacts() || learned;
  }

  // A crash of the driver has no signature here. Its input is kept beside the
  // corpus, which must not end the next attempt with it. False if there is none
  // that was not there before.
  bool ForgetArtifacts() {
    const std::vector<std::string> artifacts = InputsOf(work_ + "/artifacts");
    std::set<std::string> ends;
    for (const std::string& path : artifacts) ends.insert(ContentsOf(path));
    bool removed = false;
    for (const std::string& path : InputsOf(work_ + "/bytes")) {
      if (ends.count(ContentsOf(path)) == 0) continue;
      std::error_code error;
      removed |= fs::remove(path, error);
    }
    const size_t before = std::exchange(artifacts_, artifacts.size());
    return removed || artifacts.size() > before;
  }

  const SlicePlan& plan_;
  const std::string work_;
  std::set<std::string> known_;
  size_t artifacts_ = 0;
  Job job_;
};

// Runs each scenario of a folder once.
absl::Status RunThrough(const std::string& inputs, const SlicePlan& plan,
                        const Settings& settings, const Programs& programs,
                        const std::string& work, SliceResult* result) {
  Job job = JobFor(settings, programs, work);
  job.argv = FuzzCommand(plan, settings, programs, work, inputs);
  const auto count =
      std::distance(fs::directory_iterator(inputs), fs::directory_iterator());
  job.argv.push_back(absl::StrCat("--runs=", count));
  job.seconds = 60 + static_cast<double>(count);
  return RunFuzz(job, result);
}

absl::StatusOr<SliceResult> RunLibFuzzer(const SlicePlan& plan,
                                         const Settings& settings,
                                         const Programs& programs,
                                         const std::string& work,
                                         const std::string& corpus) {
  SliceResult result = Begun(plan);
  absl::Status status = fuzz::PrepareFolder(corpus);
  if (status.ok()) status = WriteAsBytes(corpus, work + "/bytes");
  if (!status.ok()) return status;
  const std::vector<std::string> given = InputsOf(work + "/bytes");
  status = LibFuzzer(plan, settings, programs, work).Run(&result);
  if (!status.ok()) return status;
  // What it added goes through the engine that shrinks and names.
  std::vector<std::string> added = InputsOf(work + "/artifacts");
  const std::vector<std::string> all = InputsOf(work + "/bytes");
  std::set_difference(all.begin(), all.end(), given.begin(), given.end(),
                      std::back_inserter(added));
  const std::string taken = work + "/taken";
  const auto count = WriteAsScenarios(added, taken);
  if (!count.ok()) return count.status();
  if (*count == 0) return result;
  status = WritePlan(work, result.slice, plan.seen);
  if (!status.ok()) return status;
  status = RunThrough(taken, plan, settings, programs, work, &result);
  if (!status.ok()) return status;
  status = AddScenarios(taken, corpus);
  if (!status.ok()) return status;
  return result;
}

}  // namespace

absl::StatusOr<SliceResult> RunSlice(const SlicePlan& plan,
                                     const Settings& settings,
                                     const Programs& programs,
                                     const std::string& work,
                                     const std::string& corpus) {
  const Clock::time_point start = Clock::now();
  SliceResult result = Begun(plan);
  const absl::Status status = WritePlan(work, result.slice, plan.seen);
  if (!status.ok()) return status;
  absl::StatusOr<SliceResult> ran;
  if (plan.engine == kLibFuzzer) {
    ran = RunLibFuzzer(plan, settings, programs, work, corpus);
    if (!ran.ok()) return ran;
    result = *std::move(ran);
  } else {
    Job job = JobFor(settings, programs, work);
    job.argv = FuzzCommand(plan, settings, programs, work, corpus);
    job.argv.push_back(
        absl::StrCat("--seconds=",
                     std::max<int64_t>(1, static_cast<int64_t>(plan.seconds))));
    // It keeps the time itself.
    job.seconds = plan.seconds + kGrace;
    const absl::Status done = RunFuzz(job, &result);
    if (!done.ok()) return done;
  }
  result.slice.seconds =
      std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

absl::StatusOr<SliceResult> RunInputs(const SlicePlan& plan,
                                      const Settings& settings,
                                      const Programs& programs,
                                      const std::string& work,
                                      const std::string& inputs) {
  const Clock::time_point start = Clock::now();
  SliceResult result = Begun(plan);
  const absl::Status written = WritePlan(work, result.slice, plan.seen);
  if (!written.ok()) return written;
  const absl::Status done =
      RunThrough(inputs, plan, settings, programs, work, &result);
  if (!done.ok()) return done;
  result.slice.seconds =
      std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

absl::StatusOr<SliceResult> LeftBehind(const std::string& work) {
  const Json json = ObjectIn(work + "/slice.json");
  SliceResult result;
  if (json.is_object()) {
    result.slice.night = json.value("night", int64_t{0});
    result.slice.number = json.value("number", int64_t{0});
    result.slice.driver = json.value("driver", "");
    result.slice.engine = json.value("engine", "");
    result.slice.seed = json.value("seed", int64_t{0});
    result.slice.runs = json.value("runs", int64_t{0});
  }
  if (result.slice.night == 0 || !Read(work + "/output.json", &result)) {
    return absl::NotFoundError(
        absl::StrCat(work, " holds no slice that came to its end"));
  }
  return result;
}

}  // namespace atsfuzz::nightly
