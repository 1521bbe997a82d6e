#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "model/parse.h"

// Operation lines: a kind, its arguments, its faults.
namespace atsfuzz::model {
namespace {

template <typename IdType>
absl::Status ParseName(Line& line, const std::map<std::string, IdType>& names,
                       absl::string_view what, IdType* id) {
  const Token token = line.Next();
  const auto it = names.find(std::string(token.text));
  if (it == names.end()) {
    return line.Error(token, absl::StrCat("the name of ", what),
                      "declare it among the lines of the machine");
  }
  *id = it->second;
  return absl::OkStatus();
}

absl::Status ParseDefaultDomain(const Line& line, const Token& token,
                                Operation* operation) {
  if (token.text == "identity") {
    operation->default_domain = DefaultDomain::kIdentity;
  } else if (token.text != "dma") {
    return line.Error(token, "identity or dma",
                      "say the default domain that the group is to have");
  }
  return absl::OkStatus();
}

absl::Status ParsePasid(const Line& line, const Token& token, uint32_t min,
                        uint32_t* pasid) {
  auto number =
      line.Number(token, min, kMaxPasid,
                  absl::StrCat("a PASID from ", min, " to ", kMaxPasid),
                  "PASID 0 stands for traffic without PASID");
  if (number.ok()) *pasid = *number;
  return number.status();
}

// "#N": returns the bit of the N-th.
absl::StatusOr<uint64_t> ParseNth(const Line& line, const Token& token,
                                  uint32_t max, absl::string_view what) {
  auto number = line.Number(
      token, 1, max, absl::StrCat("the number of ", what, ", 1 to ", max),
      "they are counted from 1 within the operation");
  if (!number.ok()) return number.status();
  return uint64_t{1} << (*number - 1);
}

absl::Status ParseSite(const Line& line, const Token& token, Faults* faults) {
  std::string names;
  for (int i = 0; i < kAllocSites; ++i) {
    const absl::string_view name = AllocSiteName(static_cast<AllocSite>(i));
    if (token.text == name) {
      faults->alloc_sites |= 1u << i;
      return absl::OkStatus();
    }
    absl::StrAppend(&names, i == 0 ? "" : ", ", name);
  }
  return line.Error(token, "an allocation site",
                    absl::StrCat("the sites are ", names));
}

// What follows "!cmd-sync": nothing, for the first, or "#N".
absl::Status ParseSync(const Line& line, Token token, absl::string_view what,
                       uint8_t* numbers) {
  if (token.text.empty()) {
    *numbers |= 1;
    return absl::OkStatus();
  }
  if (token.text.front() != '#') {
    return line.Error(token, "# and a number, or nothing",
                      "!cmd-sync is the first one, !cmd-sync#2 the second");
  }
  auto bit = ParseNth(line, token.From(1), 8, what);
  if (bit.ok()) *numbers |= static_cast<uint8_t>(*bit);
  return bit.status();
}

absl::Status ParseFault(const Line& line, const Token& token, Faults* faults) {
  absl::string_view rest = token.text;
  const auto tail = [&] { return token.From(token.text.size() - rest.size()); };
  if (rest == "!prepare-ats") {
    faults->prepare_ats = true;
  } else if (rest == "!enable-ats") {
    faults->enable_ats = true;
  } else if (absl::ConsumePrefix(&rest, "!alloc:")) {
    return ParseSite(line, tail(), faults);
  } else if (absl::ConsumePrefix(&rest, "!alloc#")) {
    auto bit = ParseNth(line, tail(), 64, "an allocation");
    if (!bit.ok()) return bit.status();
    faults->alloc_numbers |= *bit;
  } else if (absl::ConsumePrefix(&rest, "!config-write#")) {
    auto bit = ParseNth(line, tail(), 8, "a config space write");
    if (!bit.ok()) return bit.status();
    faults->config_writes |= static_cast<uint8_t>(*bit);
  } else if (absl::ConsumePrefix(&rest, "!cmd-sync")) {
    return ParseSync(line, tail(), "a CMD_SYNC", &faults->cmd_syncs);
  } else if (absl::ConsumePrefix(&rest, "!atc-timeout")) {
    return ParseSync(line, tail(), "a CMD_SYNC after ATC invalidations",
                     &faults->atc_timeouts);
  } else {
    return line.Error(token,
                      "!alloc#N, !alloc:SITE, !prepare-ats, !enable-ats, "
                      "!config-write#N, !cmd-sync#N or !atc-timeout#N",
                      "these are the faults that this version injects");
  }
  return absl::OkStatus();
}

std::string ExpectedOptions(const OperationShape& shape) {
  return absl::StrCat(shape.queued ? "queued, " : "",
                      shape.stream ? "stream=, pasid=, " : "",
                      "a fault or the end of the line");
}

absl::Status ParseOption(const Line& line, const Token& token,
                         const OperationShape& shape, Operation* operation) {
  absl::string_view rest = token.text;
  if (shape.queued && rest == "queued" && !operation->queued) {
    operation->queued = true;
    return absl::OkStatus();
  }
  if (shape.stream && absl::ConsumePrefix(&rest, "stream=")) {
    auto stream = line.Number(
        token.From(token.text.size() - rest.size()), 0, ATSFUZZ_MAX_STREAMS - 1,
        absl::StrCat("0 to ", ATSFUZZ_MAX_STREAMS - 1),
        "it is an index into the function's streams, not a stream id");
    if (stream.ok()) operation->stream = static_cast<uint8_t>(*stream);
    return stream.status();
  }
  if (shape.stream && absl::ConsumePrefix(&rest, "pasid=")) {
    return ParsePasid(line, token.From(token.text.size() - rest.size()), 0,
                      &operation->pasid);
  }
  return line.Error(token, ExpectedOptions(shape),
                    absl::StrCat("`", shape.name, "` takes nothing else here"));
}

}  // namespace

absl::StatusOr<Operation> ParseOperation(OperationKind kind, Line& line,
                                         const Names& names) {
  const OperationShape& shape = ShapeOf(kind);
  Operation operation;
  operation.kind = kind;
  absl::Status status;
  if (shape.function) {
    status =
        ParseName(line, names.functions, "a function", &operation.function);
  }
  if (status.ok() && shape.pasid) {
    status = ParsePasid(line, line.Next(), 1, &operation.pasid);
  }
  if (status.ok() && shape.domain) {
    status = ParseName(line, names.domains, "a domain", &operation.domain);
  }
  if (status.ok() && shape.default_domain) {
    status = ParseDefaultDomain(line, line.Next(), &operation);
  }
  if (status.ok() && shape.page) {
    status = ParsePages(line, line.Next(), shape.range, &operation.page,
                        &operation.pages);
  }
  while (status.ok() && !line.AtEnd()) {
    const Token token = line.Next();
    status = token.text.front() == '!'
                 ? ParseFault(line, token, &operation.faults)
                 : ParseOption(line, token, shape, &operation);
  }
  if (!status.ok()) return status;
  return operation;
}

}  // namespace atsfuzz::model
