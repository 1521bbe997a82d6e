#include "model/machine/alphabet.h"

namespace atsfuzz::machine {
namespace {

using model::OperationKind;
using model::OperationShape;

constexpr std::array<Alphabet::Range, Alphabet::kRangeCount> AllRanges() {
  std::array<Alphabet::Range, Alphabet::kRangeCount> ranges{};
  int count = 0;
  for (uint8_t page = 0; page < kPages; ++page) {
    for (uint8_t pages = 1; page + pages <= kPages; ++pages) {
      ranges[count++] = {page, pages};
    }
  }
  return ranges;
}

}  // namespace

constinit const std::array<Alphabet::Range, Alphabet::kRangeCount>
    Alphabet::kRanges = AllRanges();

Alphabet::Alphabet(const Machine& machine) {
  const model::Capabilities capabilities = CapabilitiesOf(machine.design());
  for (int k = 0; k < model::kOperationKinds; ++k) {
    const auto kind = static_cast<OperationKind>(k);
    first_[k] = letters_.size();
    if (model::HasKind(capabilities, kind)) Add(machine.board(), kind);
    if (letters_.size() > first_[k]) kinds_ |= KindSet{1} << k;
  }
  first_[model::kOperationKinds] = letters_.size();
}

void Alphabet::Add(const Board& board, OperationKind kind) {
  const OperationShape& shape = model::ShapeOf(kind);
  const bool has_choice = shape.queued || shape.default_domain;
  const int functions = shape.function ? board.function_count : 1;
  const int domains = shape.domain ? board.domain_count : 1;
  const int first_ssid = shape.pasid ? 1 : 0;
  const int ssids = shape.pasid ? kSsids - 1 : shape.stream ? kSsids : 1;
  const int streams = shape.stream ? kStreamsEach : 1;
  const int places = shape.range ? kRangeCount : shape.page ? kPages : 1;
  const int choices = has_choice ? 2 : 1;
  Request request = {};
  request.kind = kind;
  for (int i = 0; i < functions * domains * ssids * streams * places * choices;
       ++i) {
    int rest = i;
    const auto take = [&rest](int count) {
      const auto value = static_cast<uint8_t>(rest % count);
      rest /= count;
      return value;
    };
    const uint8_t choice = take(choices), place = take(places);
    request.queued = shape.queued && choice != 0;
    request.identity = shape.default_domain && choice != 0;
    request.page = shape.range ? kRanges[place].page : place;
    request.pages = shape.range ? kRanges[place].pages : 1;
    request.stream = take(streams);
    request.ssid = static_cast<uint8_t>(take(ssids) + first_ssid);
    request.domain = take(domains);
    request.function = take(functions);
    letters_.push_back(request);
  }
  const int stream = choices * places, ssid = stream * streams;
  const int domain = ssid * ssids, function = domain * domains;
  const auto stride = [](bool counts, int letters) {
    return static_cast<int16_t>(counts ? letters : 0);
  };
  Strides& by = strides_[static_cast<int>(kind)];
  by.first = static_cast<int16_t>(
      static_cast<int>(first_[static_cast<int>(kind)]) - first_ssid * ssid);
  by.function = stride(shape.function, function);
  by.domain = stride(shape.domain, domain);
  by.ssid = stride(shape.pasid || shape.stream, ssid);
  by.stream = stride(shape.stream, stream);
  by.page = stride(shape.page && !shape.range, choices);
  by.range = stride(shape.range, choices);
  by.choice = stride(has_choice, 1);
}

}  // namespace atsfuzz::machine
