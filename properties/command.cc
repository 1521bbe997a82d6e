#include "properties/command.h"

#include <cassert>

namespace atsfuzz::properties {
namespace {

uint64_t Bits(uint64_t word, int high, int low) {
  return (word >> low) & ((uint64_t{2} << (high - low)) - 1);
}

constexpr uint64_t kAddressMask = ~uint64_t{0xfff};

}  // namespace

Range SmallestCover(const Range& range) {
  assert(!range.empty());
  const uint64_t first = range.start >> 12;
  const uint64_t last = (range.end - 1) >> 12;
  int log2_pages = 0;
  while (log2_pages < 52 && (first >> log2_pages) != (last >> log2_pages)) {
    ++log2_pages;
  }
  const uint64_t start = (first >> log2_pages) << log2_pages << 12;
  return {start, start + (uint64_t{1} << (log2_pages + 12))};
}

ConfigInvalidation DecodeConfigInvalidation(uint64_t word0, uint64_t word1) {
  const uint8_t opcode = OpcodeOf(word0);
  const uint32_t stream = static_cast<uint32_t>(Bits(word0, 63, 32));
  ConfigInvalidation decoded{.first = stream, .last = stream};
  switch (opcode) {
    case kCfgiSteRange: {
      // 2^(range + 1) streams, aligned.
      const int log2_streams = static_cast<int>(Bits(word1, 4, 0)) + 1;
      decoded.ste = decoded.every_ssid = true;
      decoded.all = log2_streams >= 32;
      const uint64_t mask = (uint64_t{1} << log2_streams) - 1;
      decoded.first = static_cast<uint32_t>(stream & ~mask);
      decoded.last = static_cast<uint32_t>(stream | mask);
      break;
    }
    case kCfgiSte:
      decoded.ste = decoded.every_ssid = true;
      break;
    case kCfgiCdAll:
      decoded.every_ssid = true;
      break;
    default:
      assert(opcode == kCfgiCd);
      decoded.ssid = static_cast<uint32_t>(Bits(word0, 31, 12));
  }
  return decoded;
}

TlbInvalidation DecodeTlbInvalidation(uint64_t word0, uint64_t word1) {
  TlbInvalidation decoded{.known = true};
  const auto asid = static_cast<uint16_t>(Bits(word0, 63, 48));
  const auto vmid = static_cast<uint16_t>(Bits(word0, 47, 32));
  switch (OpcodeOf(word0)) {
    case kTlbiNsnhAll:
      decoded.every_tag = decoded.whole = true;
      return decoded;
    case kTlbiNhAll:
      decoded.every_asid = decoded.whole = true;
      decoded.vmid = vmid;
      return decoded;
    case kTlbiNhAsid:
      decoded.vmid = vmid;
      decoded.tag = asid;
      decoded.whole = true;
      return decoded;
    case kTlbiS12VmAll:
      decoded.stage = 2;
      decoded.tag = vmid;
      decoded.whole = true;
      return decoded;
    case kTlbiNhVa:
      decoded.vmid = vmid;
      decoded.tag = asid;
      break;
    case kTlbiNhVaa:
      decoded.vmid = vmid;
      decoded.every_asid = true;
      break;
    case kTlbiS2Ipa:
      decoded.stage = 2;
      decoded.tag = vmid;
      break;
    default:
      return TlbInvalidation();
  }
  decoded.leaf = Bits(word1, 0, 0) != 0;
  decoded.range.start = decoded.range.end = word1 & kAddressMask;
  const int granule = static_cast<int>(Bits(word1, 11, 10));
  if (granule != 0) {
    // (NUM + 1) * 2^SCALE granules; TG 1, 2, 3 are 4, 16, 64 KiB.
    const int shift = 10 + 2 * granule + static_cast<int>(Bits(word0, 24, 20));
    decoded.range.end += (Bits(word0, 16, 12) + 1) << shift;
  }
  return decoded;
}

AtcInvalidation DecodeAtcInvalidation(uint64_t word0, uint64_t word1) {
  AtcInvalidation decoded;
  decoded.stream = static_cast<uint32_t>(Bits(word0, 63, 32));
  decoded.with_pasid = Bits(word0, 11, 11) != 0;
  decoded.pasid = static_cast<uint32_t>(Bits(word0, 31, 12));
  const int log2_pages = static_cast<int>(Bits(word1, 5, 0));
  if (log2_pages >= 52) {
    decoded.whole = true;
    return decoded;
  }
  const uint64_t size = uint64_t{1} << (log2_pages + 12);
  decoded.range.start = word1 & kAddressMask & ~(size - 1);
  decoded.range.end = decoded.range.start + size;
  return decoded;
}

}  // namespace atsfuzz::properties
