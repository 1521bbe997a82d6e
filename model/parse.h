#ifndef ATSFUZZ_MODEL_PARSE_H_
#define ATSFUZZ_MODEL_PARSE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "model/line.h"
#include "model/operation.h"
#include "model/schedule.h"
#include "model/topology.h"

// The parts of the parser (model/text.h): one function for each kind of line.
namespace atsfuzz::model {

// What the text calls things. One name space: no name stands for two things.
struct Names {
  std::map<std::string, SmmuId> smmus;
  std::map<std::string, FunctionId> functions;
  std::map<std::string, DomainId> domains;

  bool Has(const std::string& name) const {
    return smmus.contains(name) || functions.contains(name) ||
           domains.contains(name);
  }
};

inline bool IsDeclaration(absl::string_view keyword) {
  return keyword == "smmu" || keyword == "pf" || keyword == "vf" ||
         keyword == "platform" || keyword == "domain";
}

// Pages of a domain: "3", or "3..6" if `range`, both ends included.
absl::Status ParsePages(const Line& line, const Token& token, bool range,
                        uint16_t* page, uint16_t* pages);

// The rest of a line that starts with `keyword`, a declaration. Adds the thing
// to `topology` and its name to `names`.
absl::Status ParseDeclaration(absl::string_view keyword, Line& line,
                              Names& names, Topology& topology);

// The rest of a line that starts with the name of `kind`.
absl::StatusOr<Operation> ParseOperation(OperationKind kind, Line& line,
                                         const Names& names);

// How many there are of what a schedule can name.
struct Limits {
  int threads = 0, smmus = 0;
};
// The next word of a `schedule` line.
absl::StatusOr<Turn> ParseTurn(Line& line, const Limits& limits);

}  // namespace atsfuzz::model

#endif  // ATSFUZZ_MODEL_PARSE_H_
