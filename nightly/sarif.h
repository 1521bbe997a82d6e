#ifndef ATSFUZZ_NIGHTLY_SARIF_H_
#define ATSFUZZ_NIGHTLY_SARIF_H_

#include <string>

#include "report/html.h"
#include "report/json.h"

namespace atsfuzz::nightly {

// What the nights of `state`, the folder, have found, in SARIF: a run for each
// driver. A finding that is new or regressed is new, one that is known or was
// not looked for is unchanged, a changed one is updated, a fixed one absent; by
// which word the pages call it, and since which night, are properties.
report::Json SarifOf(const report::IndexView& view, const std::string& state);

}  // namespace atsfuzz::nightly

#endif  // ATSFUZZ_NIGHTLY_SARIF_H_
