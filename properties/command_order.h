#ifndef ATSFUZZ_PROPERTIES_COMMAND_ORDER_H_
#define ATSFUZZ_PROPERTIES_COMMAND_ORDER_H_

#include <array>
#include <cstdint>

#include "properties/command.h"
#include "properties/step.h"

// commands-in-order     Always.
//   - An ATC_INV comes after the CMD_SYNC of every TLBI before it, and in a
//     sync of unmapped pages there is one: else the ATC refills from a stale
//     IOTLB entry. Every TLBI, CFGI and ATC_INV is followed by a CMD_SYNC
//     before the operation returns.
//   - A store to a stream table entry or context descriptor is followed by a
//     CFGI of that entry (of each stream, for a CD, with its SSID) and a
//     CMD_SYNC before the
//     operation returns; a store that changes bits in use waits until earlier
//     stores are synced, and any store waits for such a one.
//   - The SMMU accepts every command, and records no event but those that a
//     well-behaved device causes itself: F_TRANSLATION for an access to an
//     unmapped page, C_BAD_STREAMID for a stream id that no table has,
//     F_STREAM_DISABLED where PASIDs are in use and the rest is blocked,
//     C_BAD_STE or C_BAD_CD for a request while a replacement shows V=0, and
//     C_BAD_CD or C_BAD_SUBSTREAMID for a PASID that is not attached.
//   Rule: IHI 0070 sections 3.21.1 to 3.21.3, 4.3, 4.5.1 (CMD_ATC_INV), 7.3;
//   arm_smmu_write_entry, arm_smmu_tlb_inv_range_domain (arm-smmu-v3.c).
namespace atsfuzz::properties {

class CommandOrder {
 public:
  void Begin();
  void OnCommand(const StepView& step, int index);
  void OnIllegalCommand(const StepView& step, int index);
  // An STE_WRITE or CD_WRITE, `replay` not yet advanced over it.
  void OnSteWrite(const StepView& step, const Replay& replay, int index);
  void OnCdWrite(const StepView& step, const Replay& replay, int index);
  void OnFault(const StepView& step, const Replay& replay, int index);
  void AtRest(const StepView& step);

 private:
  // Stores to one entry that the SMMU may not have seen.
  struct Pending {
    int written = -1;      // event of the last store; -1: all synced
    bool in_use = false;   // a store changed bits in use
    uint8_t uncached = 0;  // bit s: a CFGI for stream s came after the store
  };
  // The CD of a PASID that was stored to in this operation.
  struct PasidCd {
    uint32_t pasid = 0;  // 0: none
    // Word 0, as far as it tells which bits are in use.
    uint64_t word0 = 0;
    Pending pending;
  };
  PasidCd* FindPasidCd(const StepView& step, int f, uint32_t pasid);
  void OnPasidCdWrite(const StepView& step, int index);
  void OnPasidSync(const StepView& step, int f);
  void PasidsAtRest(const StepView& step, int f);
  void OnStore(const StepView& step, int index, Pending& pending, bool in_use,
               uint64_t subject, model::Fact fact, bool is_ste, int f);
  void OnCfgi(const StepView& step, const atsfuzz_event& event);
  void OnSync(const StepView& step, int smmu);
  bool IsOwn(const StepView& step, const Replay& replay,
             const atsfuzz_event& event) const;
  uint8_t AllStreams(const StepView& step, int f) const;

  std::array<Pending, kStreamSlots> ste_;
  std::array<Pending, ATSFUZZ_MAX_FUNCTIONS> cd_;
  std::array<std::array<PasidCd, ATSFUZZ_MAX_SUBSTREAMS>, ATSFUZZ_MAX_FUNCTIONS>
      pasid_cd_;
  bool any_pasid_cd_ = false;  // an entry of pasid_cd_ is in use
  bool any_pending_ = false;
  // Event of the first command without CMD_SYNC, by SMMU; -1: none.
  std::array<int, ATSFUZZ_MAX_SMMUS> tlbi_, other_;
  bool tlbi_synced_ = false;
};

}  // namespace atsfuzz::properties

#endif  // ATSFUZZ_PROPERTIES_COMMAND_ORDER_H_
