#include "properties/fault.h"

namespace atsfuzz::properties {

const char* FaultName(uint64_t id) {
  switch (id) {
    case 0x01:
      return "F_UUT";
    case kBadStreamId:
      return "C_BAD_STREAMID";
    case 0x03:
      return "F_STE_FETCH";
    case kBadSte:
      return "C_BAD_STE";
    case 0x05:
      return "F_BAD_ATS_TREQ";
    case kStreamDisabled:
      return "F_STREAM_DISABLED";
    case 0x07:
      return "F_TRANSL_FORBIDDEN";
    case kBadSubstreamId:
      return "C_BAD_SUBSTREAMID";
    case 0x09:
      return "F_CD_FETCH";
    case kBadCd:
      return "C_BAD_CD";
    case 0x0b:
      return "F_WALK_EABT";
    case kTranslation:
      return "F_TRANSLATION";
    case 0x11:
      return "F_ADDR_SIZE";
    case 0x12:
      return "F_ACCESS";
    case 0x13:
      return "F_PERMISSION";
    default:
      return "an unknown event";
  }
}

}  // namespace atsfuzz::properties
