#include "report/names.h"

#include <string.h>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "model/ids.h"

namespace atsfuzz::report {
namespace {

// Opcodes of the SMMUv3 specification, section 4 (Commands).
enum Opcode : uint8_t {
  kPrefetchConfig = 0x01,
  kCfgiSte = 0x03,
  kCfgiAll = 0x04,
  kCfgiCd = 0x05,
  kCfgiCdAll = 0x06,
  kTlbiNhAll = 0x10,
  kTlbiNhAsid = 0x11,
  kTlbiNhVa = 0x12,
  kTlbiEl2All = 0x20,
  kTlbiEl2Va = 0x22,
  kTlbiS12Vmall = 0x28,
  kTlbiS2Ipa = 0x2a,
  kTlbiNsnhAll = 0x30,
  kAtcInv = 0x40,
  kPriResp = 0x41,
  kResume = 0x44,
  kSync = 0x46,
};

uint32_t High(uint64_t word) { return static_cast<uint32_t>(word >> 32); }

std::string AtcInvName(uint64_t word0, uint64_t word1) {
  std::string name = absl::StrFormat("ATC_INV %#x", High(word0));
  if ((word0 >> 11 & 1) != 0) {
    absl::StrAppendFormat(&name, " pasid %d", word0 >> 12 & 0xfffff);
  }
  const auto size = word1 & 0x3f;
  if (size >= 52) return name + " all";
  return name + absl::StrFormat(" %#x+%#x", word1 & ~uint64_t{0xfff},
                                uint64_t{0x1000} << size);
}

}  // namespace

std::string ResultName(int64_t result) {
  if (result >= 0) return absl::StrCat(result);
  const char* name = strerrorname_np(static_cast<int>(-result));
  return name != nullptr ? absl::StrCat("-", name) : absl::StrCat(result);
}

std::string FunctionName(const model::Topology& topology, uint8_t function) {
  if (function >= topology.functions.size()) return "nothing";
  return model::Name(topology, model::FunctionId(function));
}

std::string DomainName(const model::Topology& topology, uint8_t slot) {
  if (slot < topology.domains.size()) {
    return model::Name(model::DomainId(slot));
  }
  const bool blocking = slot >= ATSFUZZ_FIRST_BLOCKING;
  const int function =
      slot - (blocking ? ATSFUZZ_FIRST_BLOCKING : ATSFUZZ_MAX_DOMAINS);
  if (function < 0 ||
      static_cast<size_t>(function) >= topology.functions.size()) {
    return "nothing";
  }
  return FunctionName(topology, static_cast<uint8_t>(function)) +
         (blocking ? "'s blocking domain" : "'s default domain");
}

std::string CommandName(uint64_t word0, uint64_t word1) {
  switch (word0 & 0xff) {
    case kPrefetchConfig:
      return absl::StrFormat("PREFETCH_CONFIG %#x", High(word0));
    case kCfgiSte:
      return absl::StrFormat("CFGI_STE %#x", High(word0));
    case kCfgiAll:
      return "CFGI_ALL";
    case kCfgiCd:
      return absl::StrFormat("CFGI_CD %#x", High(word0));
    case kCfgiCdAll:
      return absl::StrFormat("CFGI_CD_ALL %#x", High(word0));
    case kTlbiNhAll:
      return "TLBI_NH_ALL";
    case kTlbiNhAsid:
      return absl::StrFormat("TLBI_NH_ASID %d", word0 >> 48);
    case kTlbiNhVa:
      return absl::StrFormat("TLBI_NH_VA asid %d %#x", word0 >> 48,
                             word1 & ~uint64_t{0xfff});
    case kTlbiEl2All:
      return "TLBI_EL2_ALL";
    case kTlbiEl2Va:
      return "TLBI_EL2_VA";
    case kTlbiS12Vmall:
      return absl::StrFormat("TLBI_S12_VMALL %d", High(word0) & 0xffff);
    case kTlbiS2Ipa:
      return absl::StrFormat("TLBI_S2_IPA vmid %d %#x", High(word0) & 0xffff,
                             word1 & ~uint64_t{0xfff});
    case kTlbiNsnhAll:
      return "TLBI_NSNH_ALL";
    case kAtcInv:
      return AtcInvName(word0, word1);
    case kPriResp:
      return "PRI_RESP";
    case kResume:
      return "RESUME";
    case kSync:
      return "SYNC";
    default:
      return absl::StrFormat("command %#x", word0 & 0xff);
  }
}

std::string RouteName(const atsfuzz_stream& stream) {
  std::string name;
  switch (stream.route) {
    case ATSFUZZ_ROUTE_NO_TABLE:
      return "none";
    case ATSFUZZ_ROUTE_INVALID:
      return "invalid";
    case ATSFUZZ_ROUTE_ABORT:
      name = "abort";
      break;
    case ATSFUZZ_ROUTE_BYPASS:
      name = "bypass";
      break;
    case ATSFUZZ_ROUTE_STAGE1:
      name = stream.cd_valid ? "stage 1" : "stage 1 without CD";
      break;
    case ATSFUZZ_ROUTE_STAGE2:
      name = "stage 2";
      break;
    case ATSFUZZ_ROUTE_S1DSS_TERMINATE:
      name = "S1DSS terminate";
      break;
    case ATSFUZZ_ROUTE_S1DSS_BYPASS:
      name = "S1DSS bypass";
      break;
    case ATSFUZZ_ROUTE_NESTED:
      name = "nested";
      break;
    default:
      name = "unknown";
  }
  return stream.eats ? name + ", EATS on" : name;
}

}  // namespace atsfuzz::report
