#ifndef ATSFUZZ_MODEL_MACHINE_LOG_H_
#define ATSFUZZ_MODEL_MACHINE_LOG_H_

#include <cstdint>

#include "model/operation.h"

namespace atsfuzz::machine {

struct Ste;

// What an onlooker can see happen, as the machine tells it. One method for each
// kind of event; model/observation.h says what the events mean.
class Log {
 public:
  virtual ~Log() = default;

  virtual void Allocation(model::AllocSite site, unsigned number,
                          bool failed) = 0;
  // WARN in a function of the kernel.
  virtual void Warn(const char* kernel_function, const char* text) = 0;
  // `died`: the kernel with it.
  virtual void MemoryError(const char* text, bool died) = 0;
  virtual void PciReturn(int function, const char* call, int result) = 0;
  // `value` is the register's afterwards, or what was lost.
  virtual void ConfigWrite(int function, bool is_ats, uint16_t before,
                           uint16_t value, bool lost) = 0;
  // The entry of stream `stream` of the board becomes `after`, word by word,
  // each with the CFGI and SYNC that the update takes.
  virtual void SteUpdate(int stream, const Ste& before, const Ste& after) = 0;
  // The same of a CD; values as State has them.
  virtual void CdUpdate(int function, int ssid, uint8_t before,
                        uint8_t after) = 0;

  // Commands that an SMMU consumed.
  virtual void Prefetch(int stream) = 0;
  virtual void CfgiCd(int stream, int ssid, bool leaf) = 0;
  // Of the tag of a domain: pages as a bit set, or the whole tag. `leaf`: only
  // last-level entries.
  virtual void Tlbi(int slot, unsigned pages, bool whole) = 0;
  // Everything of a guest's stage 1, by the VMID of its parent.
  virtual void TlbiGuest(int slot) = 0;
  virtual void AtcInv(int stream, int ssid, unsigned pages, bool whole) = 0;
  virtual void Sync(int smmu) = 0;
  // Faults on the command queue. What is logged of commands from here on is
  // held back by a stall, or is not; those held come to pass at Resume.
  virtual void Hold(bool holds) = 0;
  virtual void Resume(int smmu, bool unanswered) = 0;
  // The next SYNC fails first: no ATC invalidation was answered.
  virtual void AtcTimeout(int smmu) = 0;

  virtual void SmmuFault(int function, int stream, int ssid, int fault,
                         int page) = 0;
  virtual void AtcFill(int function, int stream, int ssid, int page,
                       uint8_t entry) = 0;
  // result: enum atsfuzz_dma_result. `entry`: an AtcEntry that says what was
  // reached, kAtcEmpty: nothing.
  virtual void Access(int function, int stream, int ssid, int page, int result,
                      uint8_t entry) = 0;
};

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_LOG_H_
