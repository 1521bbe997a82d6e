#ifndef ATSFUZZ_MODEL_MACHINE_ALPHABET_H_
#define ATSFUZZ_MODEL_MACHINE_ALPHABET_H_

#include <array>
#include <bit>
#include <span>
#include <vector>

#include "model/machine/machine.h"
#include "model/machine/promises.h"

// Every operation that a machine knows, and random walks over them.
namespace atsfuzz::machine {

// What operations may be about; a kind looks at what it needs.
struct Arguments {
  uint8_t function = 0, domain = 0, ssid = 0, stream = 0;
  uint8_t page = 0;     // of a dma
  uint8_t range = 0;    // of a map or unmap: index into Alphabet::kRanges
  bool queued = false;  // also: identity, of a set-default
};

// The honest requests that name functions, domains, PASIDs and pages of the
// machine, of the kinds that its design has; streams by index up to
// kStreamsEach. Sorted by kind, function, domain, PASID, stream, pages.
class Alphabet {
 public:
  struct Range {
    uint8_t page, pages;
  };
  static constexpr int kRangeCount = kPages * (kPages + 1) / 2;
  static const std::array<Range, kRangeCount> kRanges;

  explicit Alphabet(const Machine& machine);

  std::span<const Request> letters() const { return letters_; }
  std::span<const Request> Of(model::OperationKind kind) const {
    const int k = static_cast<int>(kind);
    return letters().subspan(first_[k], first_[k + 1] - first_[k]);
  }
  // The kinds that there are.
  KindSet kinds() const { return kinds_; }

  // REQUIRES: the kind has letters; a kind that names a PASID gets one.
  const Request& At(model::OperationKind kind, const Arguments& a) const {
    const Strides& by = strides_[static_cast<int>(kind)];
    return letters_[by.first + a.function * by.function + a.domain * by.domain +
                    a.ssid * by.ssid + a.stream * by.stream + a.page * by.page +
                    a.range * by.range + a.queued * by.choice];
  }

 private:
  // Letters from one value of an argument to the next; 0: not looked at.
  struct Strides {
    int16_t first, function, domain, ssid, stream, page, range, choice;
  };
  void Add(const Board& board, model::OperationKind kind);

  std::vector<Request> letters_;
  std::array<size_t, model::kOperationKinds + 1> first_{};
  std::array<Strides, model::kOperationKinds> strides_{};
  KindSet kinds_ = 0;
};

// Draws operations that the kernel could do, forever: the arguments first, each
// as likely as any, then one of the kinds that are legal with them. The same
// seed: the same operations. Almost without branches, which no processor could
// predict.
class Walk {
 public:
  Walk(const Machine& machine, const Alphabet& alphabet, uint64_t seed)
      : machine_(machine), alphabet_(alphabet), random_(seed * 2 + 1) {}

  // The next operation in `promises`: a domain-new, if what was drawn allocates
  // its domain. REQUIRES: some operation is legal, as a probe is at first.
  const Request& Next(const Promises& promises) {
    for (;;) {
      uint64_t bits = Random();
      const Arguments drawn = Draw(bits);
      const KindSet legal =
          LegalKinds(machine_, promises, drawn) & alphabet_.kinds();
      if (legal == 0) continue;
      const model::OperationKind kind = Choose(legal, Random());
      const bool allocates = AllocatesDomain(promises, kind, drawn.domain);
      return alphabet_.At(allocates ? model::OperationKind::kDomainNew : kind,
                          drawn);
    }
  }

 private:
  // xorshift64* (Vigna 2016).
  uint64_t Random() {
    random_ ^= random_ >> 12;
    random_ ^= random_ << 25;
    random_ ^= random_ >> 27;
    return random_ * 0x2545f4914f6cdd1d;
  }
  // The next 8 bits, scaled to 0 .. bound - 1.
  static uint8_t Take(uint64_t& bits, unsigned bound) {
    const auto taken = static_cast<uint8_t>((bits & 0xff) * bound >> 8);
    bits >>= 8;
    return taken;
  }
  Arguments Draw(uint64_t bits) const {
    Arguments drawn;
    drawn.function = Take(bits, machine_.board().function_count);
    drawn.domain = Take(bits, machine_.board().domain_count);
    drawn.ssid = Take(bits, kSsids);
    drawn.stream = Take(bits, kStreamsEach);
    drawn.page = Take(bits, kPages);
    drawn.range = Take(bits, Alphabet::kRangeCount);
    drawn.queued = Take(bits, 2) != 0;
    return drawn;
  }
  // One of `kinds`: the last that 6 draws hit, or the first of all.
  static model::OperationKind Choose(KindSet kinds, uint64_t bits) {
    auto chosen = static_cast<uint8_t>(std::countr_zero(kinds));
    for (int draw = 0; draw < 6; ++draw) {
      const uint8_t drawn = Take(bits, model::kOperationKinds);
      chosen = (kinds >> drawn & 1) != 0 ? drawn : chosen;
    }
    return static_cast<model::OperationKind>(chosen);
  }
  static KindSet LegalKinds(const Machine& machine, const Promises& promises,
                            const Arguments& drawn);

  const Machine& machine_;
  const Alphabet& alphabet_;
  uint64_t random_;
};

inline KindSet Walk::LegalKinds(const Machine& machine,
                                const Promises& promises,
                                const Arguments& drawn) {
  const auto [page, pages] = Alphabet::kRanges[drawn.range];
  return machine::LegalKinds(
      machine, promises,
      {drawn.function, drawn.domain, drawn.ssid, drawn.stream, page, pages});
}

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_ALPHABET_H_
