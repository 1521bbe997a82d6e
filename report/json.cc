#include "report/json.h"

#include "model/operation.h"

namespace atsfuzz::report {

Json AssumesJson(uint8_t classes) {
  if (classes == 0) return "honest";
  Json names = Json::array();
  for (int i = 0; i < model::kFaultClasses; ++i) {
    const auto fault = static_cast<model::FaultClass>(1 << i);
    if ((classes & fault) != 0) {
      names.push_back(std::string(model::FaultClassName(fault)));
    }
  }
  return names;
}

Json ToJson(const FindingRecord& finding) {
  Json json = {{"invariant", finding.invariant},
               {"assumes", AssumesJson(finding.assumes)},
               {"signature", finding.signature},
               {"operations", finding.operations},
               {"switches", finding.switches},
               {"scenario", finding.scenario},
               {"known", finding.known},
               {"message", finding.message},
               {"expected", finding.expected},
               {"found", finding.found},
               {"function", finding.function}};
  if (!finding.reason.empty()) json["reason"] = finding.reason;
  if (!finding.confirmation.empty()) {
    json["confirmation"] = finding.confirmation;
  }
  if (finding.run) json["run"] = *finding.run;
  return json;
}

Json ToJson(const RunRecord& run) {
  Json findings = Json::array();
  size_t known = 0;
  for (const FindingRecord& finding : run.findings) {
    findings.push_back(ToJson(finding));
    if (finding.known) ++known;
  }
  return {{"driver", run.driver},   {"seed", run.seed},
          {"runs", run.runs},       {"operations", run.operations},
          {"seconds", run.seconds}, {"findings", findings},
          {"known_findings", known}};
}

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace atsfuzz::report
