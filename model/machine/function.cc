#include "model/machine/function.h"

#include <cerrno>

#include "model/machine/smmu.h"

namespace atsfuzz::machine {
namespace {

constexpr uint16_t kAtsEnable = 1u << 15;
constexpr uint16_t kPasidEnable = 1;
constexpr int kMinStu = 12;

uint16_t AtsControl(const Function& function) {
  const int stu = function.stu != 0 ? function.stu - kMinStu : 0;
  return static_cast<uint16_t>((function.ats ? kAtsEnable : 0) | stu);
}

bool IsLost(Context& c) {
  const unsigned number = c.thread.writes++;
  return number < 8 && (c.thread.request.config_writes >> number & 1) != 0;
}

// Writes the ATS control register; stu 0: the field is 0.
void WriteAtsControl(Context& c, int f, bool enable, int stu) {
  Function& function = c.state.functions[f];
  const uint16_t before = AtsControl(function);
  const auto value = static_cast<uint16_t>((enable ? kAtsEnable : 0) |
                                           (stu != 0 ? stu - kMinStu : 0));
  const bool lost = IsLost(c);
  if (!lost) {
    if (enable && !function.ats) ClearAtc(c.state, f);
    function.ats = enable;
    function.stu = static_cast<uint8_t>(stu);
    function.stu_written = 1;
  }
  if (c.log != nullptr) {
    c.log->ConfigWrite(f, true, before, lost ? value : AtsControl(function),
                       lost);
  }
  Refill(c, f);
}

void WritePasidControl(Context& c, int f, bool enable) {
  Function& function = c.state.functions[f];
  const uint16_t before = function.pasid ? kPasidEnable : 0;
  const uint16_t value = enable ? kPasidEnable : 0;
  const bool lost = IsLost(c);
  if (!lost) function.pasid = enable;
  if (c.log != nullptr) {
    c.log->ConfigWrite(f, false, before,
                       lost ? value : static_cast<uint16_t>(function.pasid),
                       lost);
  }
  Refill(c, f);
}

int Returned(Context& c, int f, const char* call, int result) {
  if (c.log != nullptr) c.log->PciReturn(f, call, result);
  return result;
}

void Warn(Context& c, const char* function) {
  if (c.log != nullptr) c.log->Warn(function, "dev->ats_enabled");
}

int PrepareAts(Context& c, int f) {
  Function& function = c.state.functions[f];
  const Board::Function& fixed = c.board.functions[f];
  const uint8_t stu = c.board.smmus[fixed.smmu].page_shift;
  if (!PciAtsSupported(c, f)) return -EINVAL;
  if (function.ats_enabled) {
    Warn(c, "pci_prepare_ats");
    return -EBUSY;
  }
  if (fixed.kind == model::FunctionKind::kVf) {
    const bool fits = c.state.functions[fixed.pf].ats_stu == stu;
    return c.design.vf_stu_check && !fits ? -EINVAL : 0;
  }
  function.ats_stu = stu;
  WriteAtsControl(c, f, false, stu);
  return 0;
}

int EnableAts(Context& c, int f) {
  Function& function = c.state.functions[f];
  const Board::Function& fixed = c.board.functions[f];
  const uint8_t stu = c.board.smmus[fixed.smmu].page_shift;
  if (!PciAtsSupported(c, f)) return -EINVAL;
  if (function.ats_enabled) {
    Warn(c, "pci_enable_ats");
    return -EBUSY;
  }
  if (fixed.kind == model::FunctionKind::kVf) {
    if (c.state.functions[fixed.pf].ats_stu != stu) {
      return -EINVAL;
    }
    WriteAtsControl(c, f, true, 0);
  } else {
    function.ats_stu = stu;
    WriteAtsControl(c, f, true, stu);
  }
  function.ats_enabled = 1;
  return 0;
}

}  // namespace

bool PciAtsSupported(const Context& c, int f) {
  const Board::Function& function = c.board.functions[f];
  if (!function.ats || function.untrusted) return false;
  if (!c.design.support_asks_pf || function.pf == f) return true;
  const Board::Function& pf = c.board.functions[function.pf];
  return pf.ats && !pf.untrusted;
}

int PciPrepareAts(Context& c, int f) {
  return Returned(c, f, "pci_prepare_ats",
                  c.thread.request.prepare_ats ? -EIO : PrepareAts(c, f));
}

int PciEnableAts(Context& c, int f) {
  return Returned(c, f, "pci_enable_ats",
                  c.thread.request.enable_ats ? -EIO : EnableAts(c, f));
}

void PciDisableAts(Context& c, int f) {
  Function& function = c.state.functions[f];
  if (!function.ats_enabled) {
    if (c.log != nullptr) c.log->Warn("pci_disable_ats", "!dev->ats_enabled");
    return;
  }
  WriteAtsControl(c, f, false, function.stu);
  function.ats_enabled = 0;
}

int PciEnablePasid(Context& c, int f) {
  Function& function = c.state.functions[f];
  const Board::Function& fixed = c.board.functions[f];
  int result = 0;
  if (fixed.kind == model::FunctionKind::kVf) {
    result = c.state.functions[fixed.pf].pasid_enabled ? 0 : -EINVAL;
  } else if (function.pasid_enabled) {
    if (c.log != nullptr) {
      c.log->Warn("pci_enable_pasid", "pdev->pasid_enabled");
    }
    result = -EBUSY;
  } else {
    WritePasidControl(c, f, true);
    function.pasid_enabled = 1;
  }
  return Returned(c, f, "pci_enable_pasid", result);
}

void PciDisablePasid(Context& c, int f) {
  Function& function = c.state.functions[f];
  // arm_smmu_disable_pasid asks the function itself: a VF never has it set.
  if (!function.pasid_enabled ||
      c.board.functions[f].kind == model::FunctionKind::kVf) {
    return;
  }
  WritePasidControl(c, f, false);
  function.pasid_enabled = 0;
}

void PciReset(Context& c, int f) {
  Function& function = c.state.functions[f];
  ClearAtc(c.state, f);
  function.ats = 0;
  function.pasid = 0;
  function.stu = 0;
  if (function.pasid_enabled) WritePasidControl(c, f, true);
  if (function.ats_enabled) {
    const bool is_vf = c.board.functions[f].kind == model::FunctionKind::kVf;
    WriteAtsControl(c, f, true, is_vf ? 0 : function.ats_stu);
  }
}

AtcEntry AtcAt(const State& state, int f, int s, int ssid, int page) {
  return static_cast<AtcEntry>(state.functions[f].atc[s][ssid] >> (4 * page) &
                               0xfu);
}

void SetAtc(State& state, int f, int s, int ssid, int page, AtcEntry entry,
            int stu) {
  uint16_t& line = state.functions[f].atc[s][ssid];
  line = static_cast<uint16_t>((line & ~(0xfu << (4 * page))) |
                               static_cast<unsigned>(entry) << (4 * page));
  const uint8_t bit = static_cast<uint8_t>(1u << (s * kPages + page));
  uint8_t& small = state.functions[f].atc_small[ssid];
  small = static_cast<uint8_t>(stu <= 12 ? small | bit : small & ~bit);
}

void ClearAtc(State& state, int f) {
  std::memset(state.functions[f].atc, 0, sizeof(state.functions[f].atc));
  std::memset(state.functions[f].atc_small, 0,
              sizeof(state.functions[f].atc_small));
}

void InvalidateAtc(Context& c, int stream, int ssid, unsigned pages) {
  uint16_t kept = 0;
  for (int page = 0; page < kPages; ++page) {
    if ((pages >> page & 1) == 0)
      kept |= static_cast<uint16_t>(0xf << 4 * page);
  }
  for (int f = 0; f < c.board.function_count; ++f) {
    const Board::Function& fixed = c.board.functions[f];
    for (int s = 0; s < fixed.streams; ++s) {
      if (fixed.stream[s] != stream) continue;
      for (int pasid = 0; pasid < kSsids; ++pasid) {
        if (ssid == 0 || ssid == pasid) {
          c.state.functions[f].atc[s][pasid] &= kept;
          c.state.functions[f].atc_small[pasid] &=
              static_cast<uint8_t>(~(pages << s * kPages));
        }
      }
    }
  }
}

void MakeAtcStale(State& state, int slot, unsigned pages) {
  const unsigned from = kAtcFromSlot + static_cast<unsigned>(slot);
  for (Function& function : state.functions) {
    for (auto& lines : function.atc) {
      for (uint16_t& line : lines) {
        for (int page = 0; line != 0 && page < kPages; ++page) {
          if ((pages >> page & 1) != 0 && (line >> 4 * page & 0xfu) == from) {
            line = static_cast<uint16_t>((line & ~(0xfu << 4 * page)) |
                                         static_cast<unsigned>(StaleFrom(slot))
                                             << 4 * page);
          }
        }
      }
    }
  }
}

}  // namespace atsfuzz::machine
