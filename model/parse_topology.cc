#include <bit>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "model/parse.h"

// Declarations: smmu, pf, vf, platform, domain.
namespace atsfuzz::model {
namespace {

constexpr absl::string_view kLookAtAttributes =
    "remove it, or correct its spelling";

// "key=value" or a flag. The key of the former includes its `=`.
struct Attribute {
  Token whole, key, value;
};

class AttributeReader {
 public:
  explicit AttributeReader(Line& line) : line_(line) {}

  bool AtEnd() const { return line_.AtEnd(); }

  absl::StatusOr<Attribute> Next() {
    Attribute attribute;
    attribute.whole = attribute.key = line_.Next();
    const size_t equals = attribute.whole.text.find('=');
    if (equals != absl::string_view::npos) {
      attribute.key.text = attribute.whole.text.substr(0, equals + 1);
      attribute.value = attribute.whole.From(equals + 1);
    }
    for (absl::string_view key : seen_) {
      if (key == attribute.key.text) {
        return line_.Error(attribute.whole, "each attribute once",
                           "remove one of the two");
      }
    }
    seen_.push_back(attribute.key.text);
    return attribute;
  }

  bool Saw(absl::string_view key) const {
    for (absl::string_view seen : seen_) {
      if (seen == key) return true;
    }
    return false;
  }

 private:
  Line& line_;
  std::vector<absl::string_view> seen_;
};

template <typename IdType>
absl::Status FindName(const Line& line, const Token& token,
                      const std::map<std::string, IdType>& names,
                      absl::string_view what, IdType* id) {
  const auto it = names.find(std::string(token.text));
  if (it == names.end()) {
    return line.Error(token, absl::StrCat("the name of ", what),
                      "declare it on a line above");
  }
  *id = it->second;
  return absl::OkStatus();
}

absl::Status ParseGranules(const Line& line, const Token& value, Smmu* smmu) {
  smmu->granules = 0;
  for (const Token& size : value.Split()) {
    if (size.text == "4K") {
      smmu->granules |= kGranule4K;
    } else if (size.text == "16K") {
      smmu->granules |= kGranule16K;
    } else if (size.text == "64K") {
      smmu->granules |= kGranule64K;
    } else {
      return line.Error(size, "4K, 16K or 64K",
                        "list the granules as in granules=4K,64K");
    }
  }
  return absl::OkStatus();
}

absl::Status ParseStages(const Line& line, const Token& value, Smmu* smmu) {
  smmu->stage1 = smmu->stage2 = false;
  for (const Token& stage : value.Split()) {
    if (stage.text == "1") {
      smmu->stage1 = true;
    } else if (stage.text == "2") {
      smmu->stage2 = true;
    } else {
      return line.Error(stage, "1 or 2", "list the stages as in stages=1,2");
    }
  }
  return absl::OkStatus();
}

absl::Status ParseSmmuAttribute(const Line& line, const Attribute& attribute,
                                Smmu* smmu) {
  const absl::string_view key = attribute.key.text;
  if (key == "granules=") return ParseGranules(line, attribute.value, smmu);
  if (key == "stages=") return ParseStages(line, attribute.value, smmu);
  if (key == "no-ats") {
    smmu->ats = false;
  } else if (key == "no-ril") {
    smmu->range_invalidation = false;
  } else {
    return line.Error(attribute.whole, "granules=, stages=, no-ats or no-ril",
                      kLookAtAttributes);
  }
  return absl::OkStatus();
}

absl::Status ParseStreams(const Line& line, const Token& value,
                          Function* function) {
  for (const Token& token : value.Split()) {
    auto stream = line.Number(
        token, 0, kMaxStreamId,
        absl::StrCat("a stream id, 0 to 0x", absl::Hex(kMaxStreamId)),
        "list them as in streams=0x100,0x101");
    if (!stream.ok()) return stream.status();
    function->streams.push_back(*stream);
  }
  return absl::OkStatus();
}

absl::Status ParsePasids(const Line& line, const Token& value,
                         Function* function) {
  constexpr absl::string_view kExpected =
      "a number of PASIDs, a power of two from 2 to 1048576, or 0";
  constexpr absl::string_view kHint = "0 means no PASID capability";
  auto pasids = line.Number(value, 0, 1u << 20, kExpected, kHint);
  if (!pasids.ok()) return pasids.status();
  if (*pasids == 1 || (*pasids != 0 && !std::has_single_bit(*pasids))) {
    return line.Error(value, kExpected, kHint);
  }
  function->pasid_bits = *pasids == 0 ? 0 : std::countr_zero(*pasids);
  return absl::OkStatus();
}

absl::Status ParseDefault(const Line& line, const Token& value,
                          Function* function) {
  if (value.text == "identity") {
    function->default_domain = DefaultDomain::kIdentity;
  } else if (value.text != "dma") {
    return line.Error(value, "identity or dma",
                      "it is the domain of a group that nobody owns");
  }
  return absl::OkStatus();
}

absl::Status ParseFunctionAttribute(const Line& line,
                                    const Attribute& attribute,
                                    const Names& names, Function* function) {
  const absl::string_view key = attribute.key.text;
  const Token& value = attribute.value;
  if (key == "smmu=") {
    return FindName(line, value, names.smmus, "an SMMU", &function->smmu);
  }
  if (key == "of=" && function->kind == FunctionKind::kVf) {
    return FindName(line, value, names.functions, "a PF", &function->pf);
  }
  if (key == "streams=") return ParseStreams(line, value, function);
  if (key == "pasids=") return ParsePasids(line, value, function);
  if (key == "default=") return ParseDefault(line, value, function);
  if (key == "direct=") {
    return ParsePages(line, value, true, &function->direct_page,
                      &function->direct_pages);
  }
  if (key == "group=") {
    return FindName(line, value, names.functions, "a function",
                    &function->leader);
  }
  if (key == "ats") {
    function->ats = true;
  } else if (key == "untrusted") {
    function->untrusted = true;
  } else if (key == "eager") {
    function->eager = true;
  } else if (key == "requires-ats") {
    function->requires_ats = true;
  } else {
    return line.Error(
        attribute.whole,
        absl::StrCat(function->kind == FunctionKind::kVf ? "of=, " : "",
                     "smmu=, ats, requires-ats, untrusted, eager, "
                     "pasids=, streams=, default=, direct= or group="),
        kLookAtAttributes);
  }
  return absl::OkStatus();
}

absl::Status ParseGuest(const Line& line, const Token& value, Domain* domain) {
  for (GuestEntry guest :
       {GuestEntry::kStage1, GuestEntry::kBypass, GuestEntry::kAbort}) {
    if (value.text != GuestName(guest)) continue;
    domain->guest = guest;
    return absl::OkStatus();
  }
  return line.Error(value, "stage1, bypass or abort",
                    "it is what the guest's stream table entry says");
}

absl::Status ParseDomainAttribute(const Line& line, const Attribute& attribute,
                                  const Names& names, Domain* domain) {
  const absl::string_view key = attribute.key.text;
  if (key == "smmu=") {
    return FindName(line, attribute.value, names.smmus, "an SMMU",
                    &domain->smmu);
  }
  if (key == "stage=") {
    auto stage = line.Number(attribute.value, 1, 2, "1 or 2",
                             "a domain translates in one stage");
    if (stage.ok()) domain->stage = static_cast<uint8_t>(*stage);
    return stage.status();
  }
  if (key == "nested=") {
    return FindName(line, attribute.value, names.domains, "a domain",
                    &domain->parent);
  }
  if (key == "guest=") return ParseGuest(line, attribute.value, domain);
  if (key == "ats") {
    domain->guest_ats = true;
    return absl::OkStatus();
  }
  if (key == "process") {
    domain->process = true;
    return absl::OkStatus();
  }
  return line.Error(attribute.whole,
                    "smmu=, stage=, process, nested=, guest= or ats",
                    kLookAtAttributes);
}

absl::StatusOr<Token> ParseNewName(Line& line, const Names& names) {
  const Token token = line.Next();
  bool good = !token.text.empty() && absl::ascii_isalpha(token.text.front());
  for (char c : token.text) {
    good = good && (absl::ascii_isalnum(c) || c == '-' || c == '_');
  }
  if (!good) {
    return line.Error(token, "a name",
                      "letters, digits, - and _, a letter first");
  }
  if (names.Has(std::string(token.text))) {
    return line.Error(token, "a new name", "it is declared above");
  }
  return token;
}

absl::Status Require(const Line& line, const AttributeReader& attributes,
                     absl::string_view key, absl::string_view hint) {
  if (attributes.Saw(key)) return absl::OkStatus();
  return line.Error(line.Peek(), key, hint);
}

// Appends a thing to `things` unless there are `max` of them.
template <typename Thing, typename IdType>
absl::Status Declare(const Line& line, const Token& name, size_t max,
                     absl::string_view plural, std::vector<Thing>& things,
                     std::map<std::string, IdType>& names) {
  if (things.size() == max) {
    return line.Error(name, absl::StrCat("at most ", max, " ", plural),
                      "remove what the scenario does not need");
  }
  names.emplace(std::string(name.text),
                IdType(static_cast<uint8_t>(things.size())));
  things.emplace_back();
  return absl::OkStatus();
}

// What the machine cannot be although each word of the line is good.
template <typename IdType>
absl::Status Judge(const Line& line, const Token& name,
                   const Topology& topology, IdType id) {
  absl::Status status = Validate(topology, id);
  if (status.ok()) return status;
  return line.Error(name, "a machine that can exist", status.message());
}

absl::Status ParseSmmu(Line& line, const Token& name, Names& names,
                       Topology& topology) {
  if (auto status = Declare(line, name, ATSFUZZ_MAX_SMMUS, "SMMUs",
                            topology.smmus, names.smmus);
      !status.ok()) {
    return status;
  }
  AttributeReader attributes(line);
  while (!attributes.AtEnd()) {
    auto attribute = attributes.Next();
    if (!attribute.ok()) return attribute.status();
    auto status = ParseSmmuAttribute(line, *attribute, &topology.smmus.back());
    if (!status.ok()) return status;
  }
  return Judge(line, name, topology, names.smmus[std::string(name.text)]);
}

absl::Status ParseFunction(FunctionKind kind, Line& line, const Token& name,
                           Names& names, Topology& topology) {
  if (auto status = Declare(line, name, ATSFUZZ_MAX_FUNCTIONS, "functions",
                            topology.functions, names.functions);
      !status.ok()) {
    return status;
  }
  Function& function = topology.functions.back();
  function.kind = kind;
  AttributeReader attributes(line);
  while (!attributes.AtEnd()) {
    auto attribute = attributes.Next();
    if (!attribute.ok()) return attribute.status();
    auto status = ParseFunctionAttribute(line, *attribute, names, &function);
    if (!status.ok()) return status;
  }
  if (kind == FunctionKind::kVf) {
    auto status = Require(line, attributes, "of=", "a VF belongs to a PF");
    if (!status.ok()) return status;
  }
  const FunctionId id = names.functions[std::string(name.text)];
  if (function.smmu.valid() && function.streams.empty()) {
    function.streams = DefaultStreams(id);
  }
  return Judge(line, name, topology, id);
}

// What a nested domain has of its parent, and the others must say.
absl::Status CompleteDomain(const Line& line, const AttributeReader& attributes,
                            Topology& topology) {
  Domain& domain = topology.domains.back();
  if (!domain.parent.valid()) {
    for (absl::string_view key : {"guest=", "ats"}) {
      if (attributes.Saw(key)) {
        return Require(line, attributes,
                       "nested=", "only a nested domain has a guest");
      }
    }
    auto status =
        Require(line, attributes, "smmu=", "a domain belongs to an SMMU");
    if (!status.ok()) return status;
    if (domain.process) return absl::OkStatus();
    return Require(line, attributes, "stage=", "it is 1 or 2");
  }
  if (auto status =
          Require(line, attributes, "guest=", "it is stage1, bypass or abort");
      !status.ok()) {
    return status;
  }
  const Domain& parent = topology.at(domain.parent);
  if (!attributes.Saw("smmu=")) domain.smmu = parent.smmu;
  if (!attributes.Saw("stage=")) domain.stage = parent.stage;
  return absl::OkStatus();
}

absl::Status ParseDomain(Line& line, const Token& name, Names& names,
                         Topology& topology) {
  if (auto status = Declare(line, name, ATSFUZZ_MAX_DOMAINS, "domains",
                            topology.domains, names.domains);
      !status.ok()) {
    return status;
  }
  AttributeReader attributes(line);
  while (!attributes.AtEnd()) {
    auto attribute = attributes.Next();
    if (!attribute.ok()) return attribute.status();
    auto status =
        ParseDomainAttribute(line, *attribute, names, &topology.domains.back());
    if (!status.ok()) return status;
  }
  if (auto status = CompleteDomain(line, attributes, topology); !status.ok()) {
    return status;
  }
  return Judge(line, name, topology, names.domains[std::string(name.text)]);
}

}  // namespace

absl::Status ParseDeclaration(absl::string_view keyword, Line& line,
                              Names& names, Topology& topology) {
  auto name = ParseNewName(line, names);
  if (!name.ok()) return name.status();
  if (keyword == "smmu") return ParseSmmu(line, *name, names, topology);
  if (keyword == "domain") return ParseDomain(line, *name, names, topology);
  const FunctionKind kind = keyword == "pf"   ? FunctionKind::kPf
                            : keyword == "vf" ? FunctionKind::kVf
                                              : FunctionKind::kPlatform;
  return ParseFunction(kind, line, *name, names, topology);
}

}  // namespace atsfuzz::model
