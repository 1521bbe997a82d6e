#include "nightly/history.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <cassert>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"

namespace atsfuzz::nightly {
namespace {

// PRAGMA user_version of a file that this program understands.
constexpr int kVersion = 1;

// A night's rows go with it. Numbers are stored as they are in the structures.
constexpr char kSchema[] = R"(
  CREATE TABLE night (
    number INTEGER PRIMARY KEY,
    began TEXT NOT NULL,
    ended TEXT NOT NULL DEFAULT '',
    end TEXT NOT NULL DEFAULT 'running'
      CHECK (end IN ('running', 'done', 'stopped', 'cut off')),
    settings TEXT NOT NULL) STRICT;
  CREATE TABLE slice (
    night INTEGER NOT NULL REFERENCES night ON DELETE CASCADE,
    number INTEGER NOT NULL,
    driver TEXT NOT NULL, version TEXT NOT NULL, engine TEXT NOT NULL,
    seed INTEGER NOT NULL, seconds REAL NOT NULL,
    runs INTEGER NOT NULL, operations INTEGER NOT NULL,
    branches INTEGER NOT NULL, branches_covered INTEGER NOT NULL,
    peak_megabytes INTEGER NOT NULL, trouble TEXT NOT NULL,
    PRIMARY KEY (night, number)) STRICT;
  CREATE TABLE corpus (
    night INTEGER NOT NULL REFERENCES night ON DELETE CASCADE,
    driver TEXT NOT NULL,
    entries INTEGER NOT NULL, bytes INTEGER NOT NULL,
    branches INTEGER NOT NULL, branches_covered INTEGER NOT NULL,
    PRIMARY KEY (night, driver)) STRICT;
  CREATE TABLE finding (
    id INTEGER PRIMARY KEY,
    driver TEXT NOT NULL, signature TEXT NOT NULL, invariant TEXT NOT NULL,
    assumes TEXT NOT NULL, reason TEXT NOT NULL,
    operations INTEGER NOT NULL, switches INTEGER NOT NULL,
    message TEXT NOT NULL, expected TEXT NOT NULL, found TEXT NOT NULL,
    function TEXT NOT NULL, scenario TEXT NOT NULL, trace TEXT NOT NULL,
    timeline TEXT NOT NULL,
    UNIQUE (driver, signature)) STRICT;
  CREATE TABLE judgement (
    finding INTEGER NOT NULL REFERENCES finding,
    night INTEGER NOT NULL,
    by TEXT NOT NULL CHECK (by IN ('search', 'replay')),
    shows INTEGER NOT NULL, instead TEXT NOT NULL,
    PRIMARY KEY (finding, night, by)) STRICT;
  CREATE TABLE reach (
    finding INTEGER NOT NULL REFERENCES finding,
    driver TEXT NOT NULL,
    night INTEGER NOT NULL, runs INTEGER NOT NULL, signature TEXT NOT NULL,
    PRIMARY KEY (finding, driver)) STRICT;
)";

// What SQLite said; of a disk that is full it may say "disk I/O error".
absl::Status Told(const std::string& path, const SQLite::Exception& error) {
  std::error_code none;
  const auto space =
      std::filesystem::space(std::filesystem::path(path).parent_path(), none);
  constexpr uintmax_t kPage = 64 << 10;  // the least that a WAL needs
  return absl::UnavailableError(absl::StrCat(
      path, ": ", error.what(),
      !none && space.available < kPage ? "; the disk is full" : ""));
}

// What `body` returns, or what SQLite threw.
template <typename Body>
auto Guarded(SQLite::Database& database, const Body& body) -> decltype(body()) {
  try {
    return body();
  } catch (const SQLite::Exception& error) {
    return Told(database.getFilename(), error);
  }
}

NightEnd EndOf(const std::string& name) {
  for (const NightEnd end : {NightEnd::kRunning, NightEnd::kDone,
                             NightEnd::kStopped, NightEnd::kCutOff}) {
    if (name == NightEndName(end)) return end;
  }
  return NightEnd::kCutOff;  // the schema knows no other
}

// Binds its arguments in order and runs the statement.
template <typename... Values>
int Execute(SQLite::Database& database, const char* sql,
            const Values&... values) {
  SQLite::Statement statement(database, sql);
  [[maybe_unused]] int index = 0;
  (statement.bind(++index, values), ...);
  return statement.exec();
}

void Judge(SQLite::Database& database, int64_t finding, NightNumber night,
           const char* by, bool shows, const std::string& instead) {
  Execute(database,
          "INSERT INTO judgement VALUES (?, ?, ?, ?, ?) "
          "ON CONFLICT DO UPDATE SET shows = max(shows, excluded.shows), "
          "instead = iif(shows, '', excluded.instead)",
          finding, night, by, shows ? 1 : 0, instead);
}

std::optional<int64_t> IdOf(SQLite::Database& database,
                            const std::string& driver,
                            const std::string& signature) {
  SQLite::Statement row(
      database, "SELECT id FROM finding WHERE driver = ? AND signature = ?");
  row.bind(1, driver);
  row.bind(2, signature);
  if (!row.executeStep()) return std::nullopt;
  return row.getColumn(0).getInt64();
}

// Keeps the smaller of what is there and this. Returns its id.
int64_t Keep(SQLite::Database& database, const Found& found) {
  Execute(database,
          "INSERT INTO finding (driver, signature, invariant, assumes, reason, "
          "operations, switches, message, expected, found, function, scenario, "
          "trace, timeline) "
          "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
          "ON CONFLICT (driver, signature) DO UPDATE SET "
          "assumes = excluded.assumes, operations = excluded.operations, "
          "switches = excluded.switches, message = excluded.message, "
          "expected = excluded.expected, found = excluded.found, "
          "function = excluded.function, scenario = excluded.scenario, "
          "trace = excluded.trace, timeline = excluded.timeline "
          "WHERE (excluded.operations, excluded.switches, "
          "length(excluded.scenario), excluded.scenario) < (operations, "
          "switches, length(scenario), scenario)",
          found.driver, found.signature, found.invariant, found.assumes,
          found.reason, found.operations, found.switches, found.message,
          found.expected, found.found, found.function, found.scenario,
          found.trace, found.timeline);
  // It may be understood since, or no longer.
  Execute(database,
          "UPDATE finding SET reason = ? WHERE driver = ? AND signature = ?",
          found.reason, found.driver, found.signature);
  const auto id = IdOf(database, found.driver, found.signature);
  assert(id);
  return *id;
}

}  // namespace

absl::string_view NightEndName(NightEnd end) {
  switch (end) {
    case NightEnd::kRunning:
      return "running";
    case NightEnd::kDone:
      return "done";
    case NightEnd::kStopped:
      return "stopped";
    case NightEnd::kCutOff:
      return "cut off";
  }
  assert(false);
  return "";
}

History::History(std::unique_ptr<SQLite::Database> database)
    : database_(std::move(database)) {}

History::~History() = default;

absl::StatusOr<std::unique_ptr<History>> History::Open(
    const std::string& path) {
  try {
    auto database = std::make_unique<SQLite::Database>(
        path, SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    // A reader (a report) may look at it meanwhile.
    database->setBusyTimeout(10000);
    database->exec("PRAGMA journal_mode = WAL");
    database->exec("PRAGMA synchronous = FULL");
    database->exec("PRAGMA foreign_keys = ON");
    const int version = database->execAndGet("PRAGMA user_version").getInt();
    if (version > kVersion) {
      return absl::FailedPreconditionError(absl::StrCat(
          path, ": found version ", version, " of the history, expected ",
          kVersion, " at most; a later atsfuzz has made it"));
    }
    if (version == 0) {
      SQLite::Transaction transaction(*database,
                                      SQLite::TransactionBehavior::IMMEDIATE);
      database->exec(kSchema);
      database->exec(absl::StrCat("PRAGMA user_version = ", kVersion));
      transaction.commit();
    }
    return std::unique_ptr<History>(new History(std::move(database)));
  } catch (const SQLite::Exception& error) {
    return Told(path, error);
  }
}

absl::StatusOr<NightNumber> History::Begin(const std::string& began,
                                           const std::string& settings) {
  return Guarded(*database_, [&]() -> absl::StatusOr<NightNumber> {
    SQLite::Transaction transaction(*database_,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    database_->exec("UPDATE night SET end = 'cut off' WHERE end = 'running'");
    Execute(*database_,
            "INSERT INTO night (number, began, settings) "
            "SELECT coalesce(max(number), 0) + 1, ?, ? FROM night",
            began, settings);
    const NightNumber night = database_->getLastInsertRowid();
    transaction.commit();
    return night;
  });
}

absl::Status History::End(NightNumber night, NightEnd end,
                          const std::string& ended) {
  return Guarded(*database_, [&]() -> absl::Status {
    Execute(*database_, "UPDATE night SET end = ?, ended = ? WHERE number = ?",
            std::string(NightEndName(end)), ended, night);
    return absl::OkStatus();
  });
}

absl::Status History::Record(const Slice& slice,
                             const std::vector<Found>& found,
                             const std::vector<std::string>& seen) {
  return Guarded(*database_, [&]() -> absl::Status {
    SQLite::Transaction transaction(*database_,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    const int added = Execute(
        *database_,
        "INSERT INTO slice VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        slice.night, slice.number, slice.driver, slice.version, slice.engine,
        slice.seed, slice.seconds, slice.runs, slice.operations, slice.branches,
        slice.branches_covered, slice.peak_megabytes, slice.trouble);
    if (added == 0) return absl::OkStatus();
    for (const Found& each : found) {
      Judge(*database_, Keep(*database_, each), slice.night, "search", true,
            "");
    }
    for (const std::string& signature : seen) {
      const auto id = IdOf(*database_, slice.driver, signature);
      if (id) Judge(*database_, *id, slice.night, "search", true, "");
    }
    transaction.commit();
    return absl::OkStatus();
  });
}

absl::Status History::Record(NightNumber night,
                             const std::vector<Replayed>& replayed,
                             const std::vector<Found>& instead) {
  return Guarded(*database_, [&]() -> absl::Status {
    SQLite::Transaction transaction(*database_,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    for (const Replayed& each : replayed) {
      Judge(*database_, each.finding, night, "replay", each.shows,
            each.instead);
    }
    for (const Found& each : instead) {
      Judge(*database_, Keep(*database_, each), night, "replay", true, "");
    }
    transaction.commit();
    return absl::OkStatus();
  });
}

absl::Status History::Record(const std::vector<Reach>& reaches) {
  return Guarded(*database_, [&]() -> absl::Status {
    SQLite::Transaction transaction(*database_,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    for (const Reach& reach : reaches) {
      Execute(*database_, "INSERT OR REPLACE INTO reach VALUES (?, ?, ?, ?, ?)",
              reach.finding, reach.driver, reach.night, reach.runs ? 1 : 0,
              reach.signature);
    }
    transaction.commit();
    return absl::OkStatus();
  });
}

absl::Status History::Record(const CorpusRecord& corpus) {
  return Guarded(*database_, [&]() -> absl::Status {
    Execute(*database_,
            "INSERT OR REPLACE INTO corpus VALUES (?, ?, ?, ?, ?, ?)",
            corpus.night, corpus.driver, corpus.entries, corpus.bytes,
            corpus.branches, corpus.branches_covered);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<Night>> History::Nights() {
  return Guarded(*database_, [&]() -> absl::StatusOr<std::vector<Night>> {
    std::vector<Night> nights;
    SQLite::Statement row(*database_,
                          "SELECT number, began, ended, end, settings "
                          "FROM night ORDER BY number");
    while (row.executeStep()) {
      nights.push_back({.number = row.getColumn(0).getInt64(),
                        .began = row.getColumn(1).getString(),
                        .ended = row.getColumn(2).getString(),
                        .end = EndOf(row.getColumn(3).getString()),
                        .settings = row.getColumn(4).getString()});
    }
    return nights;
  });
}

absl::StatusOr<std::vector<Slice>> History::Slices(NightNumber night) {
  return Guarded(*database_, [&]() -> absl::StatusOr<std::vector<Slice>> {
    std::vector<Slice> slices;
    SQLite::Statement row(
        *database_,
        "SELECT number, driver, version, engine, seed, seconds, runs, "
        "operations, branches, branches_covered, peak_megabytes, trouble "
        "FROM slice WHERE night = ? ORDER BY number");
    row.bind(1, night);
    while (row.executeStep()) {
      slices.push_back({.night = night,
                        .number = row.getColumn(0).getInt64(),
                        .driver = row.getColumn(1).getString(),
                        .version = row.getColumn(2).getString(),
                        .engine = row.getColumn(3).getString(),
                        .seed = row.getColumn(4).getInt64(),
                        .seconds = row.getColumn(5).getDouble(),
                        .runs = row.getColumn(6).getInt64(),
                        .operations = row.getColumn(7).getInt64(),
                        .branches = row.getColumn(8).getInt64(),
                        .branches_covered = row.getColumn(9).getInt64(),
                        .peak_megabytes = row.getColumn(10).getInt64(),
                        .trouble = row.getColumn(11).getString()});
    }
    return slices;
  });
}

absl::StatusOr<std::vector<CorpusRecord>> History::Corpora() {
  return Guarded(
      *database_, [&]() -> absl::StatusOr<std::vector<CorpusRecord>> {
        std::vector<CorpusRecord> corpora;
        SQLite::Statement row(*database_,
                              "SELECT night, driver, entries, bytes, branches, "
                              "branches_covered FROM corpus "
                              "ORDER BY night, driver");
        while (row.executeStep()) {
          corpora.push_back({.night = row.getColumn(0).getInt64(),
                             .driver = row.getColumn(1).getString(),
                             .entries = row.getColumn(2).getInt64(),
                             .bytes = row.getColumn(3).getInt64(),
                             .branches = row.getColumn(4).getInt64(),
                             .branches_covered = row.getColumn(5).getInt64()});
        }
        return corpora;
      });
}

absl::StatusOr<std::vector<Finding>> History::Findings() {
  return Guarded(*database_, [&]() -> absl::StatusOr<std::vector<Finding>> {
    std::vector<Finding> findings;
    std::map<int64_t, size_t> by_id;
    SQLite::Statement row(
        *database_,
        "SELECT id, driver, signature, invariant, assumes, reason, operations, "
        "switches, message, expected, found, function, scenario, trace, "
        "timeline FROM finding ORDER BY driver, signature");
    while (row.executeStep()) {
      Finding finding;
      finding.id = row.getColumn(0).getInt64();
      finding.found = {.driver = row.getColumn(1).getString(),
                       .signature = row.getColumn(2).getString(),
                       .invariant = row.getColumn(3).getString(),
                       .assumes = row.getColumn(4).getString(),
                       .reason = row.getColumn(5).getString(),
                       .operations = row.getColumn(6).getInt64(),
                       .switches = row.getColumn(7).getInt64(),
                       .message = row.getColumn(8).getString(),
                       .expected = row.getColumn(9).getString(),
                       .found = row.getColumn(10).getString(),
                       .function = row.getColumn(11).getString(),
                       .scenario = row.getColumn(12).getString(),
                       .trace = row.getColumn(13).getString(),
                       .timeline = row.getColumn(14).getString()};
      by_id[finding.id] = findings.size();
      findings.push_back(std::move(finding));
    }
    SQLite::Statement judged(*database_,
                             "SELECT finding, night, shows, instead "
                             "FROM judgement ORDER BY night, finding, by");
    while (judged.executeStep()) {
      findings[by_id.at(judged.getColumn(0).getInt64())].judgements.push_back(
          {.night = judged.getColumn(1).getInt64(),
           .shows = judged.getColumn(2).getInt() != 0,
           .instead = judged.getColumn(3).getString()});
    }
    return findings;
  });
}

absl::StatusOr<std::vector<Reach>> History::Reaches() {
  return Guarded(*database_, [&]() -> absl::StatusOr<std::vector<Reach>> {
    std::vector<Reach> reaches;
    SQLite::Statement row(*database_,
                          "SELECT finding, driver, night, runs, signature "
                          "FROM reach ORDER BY finding, driver");
    while (row.executeStep()) {
      reaches.push_back({.finding = row.getColumn(0).getInt64(),
                         .driver = row.getColumn(1).getString(),
                         .night = row.getColumn(2).getInt64(),
                         .runs = row.getColumn(3).getInt() != 0,
                         .signature = row.getColumn(4).getString()});
    }
    return reaches;
  });
}

absl::Status History::Forget(int64_t nights) {
  return Guarded(*database_, [&]() -> absl::Status {
    SQLite::Transaction transaction(*database_,
                                    SQLite::TransactionBehavior::IMMEDIATE);
    // Judgements that say what those before and after them say.
    Execute(*database_,
            "DELETE FROM judgement WHERE rowid IN (SELECT rowid FROM ("
            "  SELECT rowid, night, shows, instead,"
            "    lag(shows) OVER life AS was, lag(instead) OVER life AS was_i,"
            "    lead(shows) OVER life AS will, lead(instead) OVER life AS "
            "will_i"
            "  FROM judgement WINDOW life AS "
            "    (PARTITION BY finding ORDER BY night, by))"
            "  WHERE was IS shows AND will IS shows AND was_i IS instead"
            "    AND will_i IS instead AND night <= "
            "      (SELECT max(number) FROM night) - ?)",
            nights);
    Execute(*database_,
            "DELETE FROM night WHERE number <= "
            "(SELECT max(number) FROM night) - ?",
            nights);
    transaction.commit();
    return absl::OkStatus();
  });
}

}  // namespace atsfuzz::nightly
