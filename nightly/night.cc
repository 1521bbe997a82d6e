#include "nightly/night.h"

#include <time.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "fuzz/findings.h"
#include "nightly/output.h"
#include "nightly/take_in.h"

namespace atsfuzz::nightly {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using Clock = std::chrono::steady_clock;

// Boots and comes down again: tells whether a driver can be had at all.
constexpr char kBoot[] = "smmu s0\npf p0 smmu=s0 ats\nprobe p0\n";
// What a replay or a distillation may take: as long as fetching and building a
// kernel, and many times what it should.
constexpr double kStepSeconds = 1800;
// A slice that is shorter is not begun.
constexpr double kShortestSlice = 1;
// Seeds of a night are apart from all others', and those of a machine, also in
// what libFuzzer gets of them: the remainder by 2000000000.
constexpr int64_t kSeedsOfNight = 1000000;
constexpr int64_t kSeedsOfMachine = 100000019000;

// UTC, for people.
std::string Date() {
  const time_t now = time(nullptr);
  tm parts = {};
  gmtime_r(&now, &parts);
  char text[32];
  strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts);
  return text;
}

class NightRun {
 public:
  NightRun(const StateFolder& folder, History& history,
           const NightOptions& options)
      : folder_(folder), history_(history), options_(options) {}

  absl::StatusOr<NightResult> Run() {
    absl::Status status = TakeLeftovers();
    if (!status.ok()) return status;
    const auto night = history_.Begin(Date(), options_.settings_text);
    if (!night.ok()) return night.status();
    result_.number = *night;
    for (const auto step :
         {&NightRun::Replay, &NightRun::TakeIn, &NightRun::Search,
          &NightRun::Spread, &NightRun::Distil}) {
      status = (this->*step)();
      if (!status.ok()) return status;
    }
    status = history_.Forget(options_.settings.history_nights);
    if (!status.ok()) return status;
    status = WriteFindings();
    if (!status.ok()) return status;
    status = history_.End(
        *night, result_.interrupted ? NightEnd::kStopped : NightEnd::kDone,
        Date());
    if (!status.ok()) return status;
    return result_;
  }

 private:
  const Settings& settings() const { return options_.settings; }
  bool Interrupted() {
    result_.interrupted |=
        options_.programs.interrupted && options_.programs.interrupted();
    return result_.interrupted;
  }
  double Left() const {
    return settings().seconds -
           std::chrono::duration<double>(Clock::now() - start_).count();
  }
  void Say(const std::string& line) const {
    if (options_.say) options_.say(line);
  }
  void Trouble(const std::string& sentence) {
    result_.troubles.push_back(sentence);
    Say(sentence);
  }

  // An empty work folder.
  absl::Status ClearWork() const {
    std::error_code error;
    fs::remove_all(folder_.Work(), error);
    return fuzz::PrepareFolder(folder_.Work());
  }

  // A program whose whole output is one JSON object. Null: there is none, and
  // `why` says so.
  absl::StatusOr<Json> OutputOf(std::vector<std::string> argv,
                                std::string* why) {
    Job job;
    job.argv = std::move(argv);
    job.output = folder_.Work() + "/output.json";
    job.errors = folder_.Work() + "/errors.txt";
    job.seconds = kStepSeconds;
    job.memory_megabytes = settings().memory_megabytes;
    job.interrupted = options_.programs.interrupted;
    const auto end = RunJob(job);
    if (!end.ok()) return end.status();
    result_.interrupted |= end->interrupted;
    Json json = ObjectIn(job.output);
    if (!json.is_null()) return json;
    const std::string said = LastLineOf(job.errors);
    *why = said.empty() ? end->Describe() : said;
    return Json();
  }

  std::vector<std::string> Command(const char* name,
                                   const DriverSettings& driver) const {
    std::vector<std::string> argv = {options_.programs.atsfuzz, name};
    for (std::string& argument : driver.Arguments()) {
      argv.push_back(std::move(argument));
    }
    argv.push_back("--json");
    return argv;
  }

  absl::Status TakeLeftovers() {
    const auto left = LeftBehind(folder_.Work());
    if (left.ok()) {
      Say(absl::StrCat("taking in what night ", left->slice.night,
                       " had finished when it was cut off"));
      const absl::Status status =
          history_.Record(left->slice, left->found, left->seen);
      if (!status.ok()) return status;
    }
    return ClearWork();
  }

  // Which findings still show, and on which other drivers, of those that can
  // be had.
  absl::Status Replay() {
    const auto findings = history_.Findings();
    if (!findings.ok()) return findings.status();
    for (const DriverSettings& driver : settings().drivers) {
      if (Interrupted()) return absl::OkStatus();
      Say(absl::StrCat(driver.Label(), ": replaying ", findings->size(),
                       findings->size() == 1 ? " finding" : " findings"));
      const auto runs = ReplayOn(driver, *findings);
      if (!runs.ok()) return runs.status();
      if (*runs) usable_.push_back(driver);
    }
    return absl::OkStatus();
  }

  // On which other drivers this night's findings show.
  absl::Status Spread() {
    auto findings = history_.Findings();
    if (!findings.ok()) return findings.status();
    for (const DriverSettings& driver : usable_) {
      if (Interrupted()) return absl::OkStatus();
      std::vector<Finding> others;
      for (const Finding& finding : *findings) {
        if (finding.judgements.front().night == result_.number &&
            finding.found.driver != driver.Label()) {
          others.push_back(finding);
        }
      }
      if (others.empty()) continue;
      const auto runs = ReplayOn(driver, others);
      if (!runs.ok()) return runs.status();
    }
    return absl::OkStatus();
  }

  // False: the driver cannot be had.
  absl::StatusOr<bool> ReplayOn(const DriverSettings& driver,
                                const std::vector<Finding>& findings) {
    absl::Status status = ClearWork();
    if (!status.ok()) return status;
    const std::string boot = folder_.Work() + "/boot.ats";
    status = fuzz::WriteWhole(boot, kBoot);
    if (!status.ok()) return status;
    std::map<std::string, const Finding*> files;
    std::vector<std::string> argv = Command("replay", driver);
    argv.push_back(boot);
    for (const Finding& finding : findings) {
      const std::string path =
          absl::StrCat(folder_.Work(), "/", finding.id, ".ats");
      status = fuzz::WriteWhole(path, finding.found.scenario);
      if (!status.ok()) return status;
      files[path] = &finding;
      argv.push_back(path);
    }
    std::string why;
    const auto json = OutputOf(argv, &why);
    if (!json.ok()) return json.status();
    if (json->is_null()) {
      if (!Interrupted()) {
        Trouble(absl::StrCat(driver.Label(), " was not run: ", why));
      }
      return false;
    }
    status = Judge(driver.Label(), *json, files);
    if (!status.ok()) return status;
    return true;
  }

  absl::Status Judge(const std::string& driver, const Json& json,
                     const std::map<std::string, const Finding*>& files) {
    std::set<std::string> refused;
    for (const Json& each : json.value("refused", Json::array())) {
      refused.insert(each.value("scenario", ""));
    }
    std::vector<Replayed> replayed;
    std::vector<Found> instead;
    std::vector<Reach> reaches;
    for (const auto& [path, finding] : files) {
      // What it shows of the finding's invariant: the same, or else the last.
      Found shown;
      for (const Json& each : json.value("findings", Json::array())) {
        if (each.value("scenario", "") != path) continue;
        const Found found = FoundFrom(each, driver);
        if (found.invariant == finding->found.invariant &&
            shown.signature != finding->found.signature) {
          shown = found;
        }
      }
      const bool runs = refused.count(path) == 0;
      if (finding->found.driver != driver) {
        reaches.push_back({.finding = finding->id,
                           .driver = driver,
                           .night = result_.number,
                           .runs = runs,
                           .signature = shown.signature});
        continue;
      }
      if (!runs) {
        Trouble(absl::StrCat(driver, ": ", finding->found.signature,
                             " cannot be replayed"));
        continue;
      }
      Replayed& each = replayed.emplace_back();
      each.finding = finding->id;
      each.shows = shown.signature == finding->found.signature;
      if (each.shows || shown.signature.empty()) continue;
      each.instead = shown.signature;
      instead.push_back(std::move(shown));
    }
    const absl::Status status =
        history_.Record(result_.number, replayed, instead);
    if (!status.ok()) return status;
    return history_.Record(reaches);
  }

  // What other engines left in the folders of take-in.
  absl::Status TakeIn() {
    for (const DriverSettings& driver : usable_) {
      if (Interrupted() || driver.take_in.empty()) continue;
      absl::Status status = ClearWork();
      if (!status.ok()) return status;
      std::vector<std::string> inputs;
      for (const std::string& folder : driver.take_in) {
        const std::vector<std::string> more = InputsOf(folder);
        if (more.empty()) {
          Trouble(absl::StrCat(driver.Label(), ": nothing to take in from ",
                               folder));
        }
        inputs.insert(inputs.end(), more.begin(), more.end());
      }
      const std::string taken = folder_.Work() + "/taken";
      const auto count = WriteAsScenarios(inputs, taken);
      if (!count.ok()) return count.status();
      if (*count == 0) continue;
      Say(absl::StrCat(driver.Label(), ": taking in ", *count, " inputs"));
      auto plan = NextSlice(driver, kTakenIn, 0);
      if (!plan.ok()) return plan.status();
      const auto ran = RunInputs(*plan, settings(), options_.programs,
                                 folder_.Work(), taken);
      if (!ran.ok()) return ran.status();
      status = Keep(*ran);
      if (!status.ok()) return status;
      status = AddScenarios(taken, folder_.Corpus(driver.Label()));
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  absl::StatusOr<SlicePlan> NextSlice(const DriverSettings& driver,
                                      const std::string& engine,
                                      double seconds) {
    SlicePlan plan;
    plan.night = result_.number;
    plan.number = ++slices_;
    plan.seed = settings().machine * kSeedsOfMachine +
                result_.number * kSeedsOfNight + slices_;
    plan.driver = driver;
    plan.engine = engine;
    plan.seconds = seconds;
    const auto findings = history_.Findings();
    if (!findings.ok()) return findings.status();
    for (const Finding& finding : *findings) {
      if (finding.found.driver == driver.Label()) {
        plan.seen.push_back(finding.found.signature);
      }
    }
    return plan;
  }

  // Records a slice, and says what it did.
  absl::Status Keep(const SliceResult& result) {
    result_.interrupted |= result.interrupted;
    const Slice& slice = result.slice;
    if (!slice.trouble.empty()) {
      Trouble(
          absl::StrCat(slice.driver, ": ", slice.engine, ": ", slice.trouble));
    }
    Say(absl::StrFormat("%s: %s: %d runs, %d findings", slice.driver,
                        slice.engine, slice.runs, result.found.size()));
    return history_.Record(slice, result.found, result.seen);
  }

  struct Turn {
    const DriverSettings* driver;
    std::string engine;
  };

  // The first engine of each driver, then the second of each, and so on.
  std::vector<Turn> Turns() {
    std::vector<Turn> turns;
    bool no_libfuzzer = false;
    bool more = true;
    for (size_t i = 0; more; ++i) {
      more = false;
      for (const DriverSettings& driver : usable_) {
        if (i >= driver.engines.size()) continue;
        more = true;
        if (driver.engines[i] != kLibFuzzer ||
            !options_.programs.libfuzzer.empty()) {
          turns.push_back({&driver, driver.engines[i]});
        } else {
          no_libfuzzer = true;
        }
      }
    }
    if (no_libfuzzer) {
      Trouble("libfuzzer was not run: there is no such target here");
    }
    return turns;
  }

  // Each engine on each driver in turn, in passes, until the time is up.
  absl::Status Search() {
    const std::vector<Turn> turns = Turns();
    // The corpora are still to be distilled.
    const double reserve = std::min(60.0, settings().seconds / 20);
    while (!turns.empty()) {
      for (size_t i = 0; i < turns.size(); ++i) {
        if (Interrupted()) return absl::OkStatus();
        const double share =
            (Left() - reserve) / static_cast<double>(turns.size() - i);
        const double seconds = std::min(share, settings().slice_seconds);
        if (seconds < kShortestSlice) return absl::OkStatus();
        const absl::Status status = SearchOnce(turns[i], seconds);
        if (!status.ok()) return status;
      }
    }
    return absl::OkStatus();
  }

  absl::Status SearchOnce(const Turn& turn, double seconds) {
    absl::Status status = ClearWork();
    if (!status.ok()) return status;
    const auto plan = NextSlice(*turn.driver, turn.engine, seconds);
    if (!plan.ok()) return plan.status();
    Say(absl::StrFormat("%s: %s for %.0f s", turn.driver->Label(), turn.engine,
                        seconds));
    const auto result =
        RunSlice(*plan, settings(), options_.programs, folder_.Work(),
                 folder_.Corpus(turn.driver->Label()));
    if (!result.ok()) return result.status();
    return Keep(*result);
  }

  absl::Status Distil() {
    for (const DriverSettings& driver : usable_) {
      if (Interrupted()) return absl::OkStatus();
      absl::Status status = ClearWork();
      if (!status.ok()) return status;
      const std::string corpus = folder_.Corpus(driver.Label());
      status = fuzz::PrepareFolder(corpus);
      if (!status.ok()) return status;
      std::vector<std::string> argv = Command("distil", driver);
      argv.push_back(absl::StrCat("--megabytes=", settings().corpus_megabytes));
      argv.push_back(corpus);
      std::string why;
      const auto json = OutputOf(argv, &why);
      if (!json.ok()) return json.status();
      if (json->is_null()) {
        if (!Interrupted()) {
          Trouble(absl::StrCat(driver.Label(),
                               ": the corpus was not distilled: ", why));
        }
        continue;
      }
      CorpusRecord record;
      record.night = result_.number;
      record.driver = driver.Label();
      record.entries = json->value("entries", int64_t{0});
      record.bytes = json->value("bytes", int64_t{0});
      record.branches = json->value("branches", int64_t{0});
      record.branches_covered = json->value("branches_covered", int64_t{0});
      status = history_.Record(record);
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // The findings as files, for people and their commands.
  absl::Status WriteFindings() const {
    const auto findings = history_.Findings();
    if (!findings.ok()) return findings.status();
    for (const Finding& finding : *findings) {
      const Found& found = finding.found;
      const std::string path = folder_.Finding(found.driver, found.signature);
      absl::Status status = fuzz::PrepareFolder(path);
      for (const auto& [name, contents] : FilesOf(found, folder_.path())) {
        if (!status.ok()) return status;
        const std::string file = absl::StrCat(path, "/", name);
        if (ContentsOf(file) == contents) continue;
        status = fuzz::WriteWhole(file, contents);
      }
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  }

  const StateFolder& folder_;
  History& history_;
  const NightOptions& options_;
  const Clock::time_point start_ = Clock::now();
  std::vector<DriverSettings> usable_;  // those that can be had
  int64_t slices_ = 0;
  NightResult result_;
};

}  // namespace

absl::StatusOr<NightResult> RunNight(const StateFolder& folder,
                                     History& history,
                                     const NightOptions& options) {
  return NightRun(folder, history, options).Run();
}

}  // namespace atsfuzz::nightly
