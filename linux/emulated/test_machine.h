#ifndef ATSFUZZ_LINUX_EMULATED_TEST_MACHINE_H_
#define ATSFUZZ_LINUX_EMULATED_TEST_MACHINE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "gtest/gtest.h"
#include "linux/emulator.h"

// A machine for tests of the emulated hardware: plays the kernel's runtime
// (memory, event log) and the driver (registers, queue, tables by hand).
namespace atsfuzz::emulated {

// What tests use for a translation table.
struct TableShape {
  int stage = 1;
  int granule_bits = 12;
  int input_bits = 48;
  int start_level = 0;
};

class TestMachine : public ::testing::Test {
 protected:
  TestMachine();
  ~TestMachine() override;

  // `function` 0: PF with ATS and PASID, streams 0x100 and 0x205; 1: its VF,
  // stream 0x110; 2: eager PF, stream 0x300. All behind SMMU 0 with everything.
  // Change before Boot().
  atsfuzz_machine machine{};

  // Called between two steps of an access. Null: nothing happens there.
  static void set_hardware_step(std::function<void()> step);

  // Powers on, sets up command queue and stream table, enables the SMMU.
  void Boot();

  // ---- Memory ----
  // Zeroed, aligned to its size (a power of two), live until Free.
  uint64_t* Allocate(uint64_t bytes);
  void Free(void* memory);

  // ---- Tables ----
  uint64_t* NewRoot(const TableShape& shape);
  // Maps the entry at `level` (3: a page) that covers iova, making the tables
  // above. attributes: or'ed into the leaf, besides valid and type bits.
  void Map(const TableShape& shape, uint64_t* root, uint64_t iova,
           uint64_t physical, int level, uint64_t attributes);
  // Writable and accessed, as the kernel maps. By stage.
  static uint64_t Normal(const TableShape& shape);
  // The word in which `iova` has its entry at `level`.
  uint64_t* Entry(const TableShape& shape, uint64_t* root, uint64_t iova,
                  int level);

  // ---- Configuration ----
  uint64_t* Ste(uint32_t sid);  // allocates the second level
  // Makes `table` (256 entries) the second level of ids with bits 15:8 index.
  void SetSecondLevel(uint32_t index, uint64_t* table);
  void SetAbort(uint32_t sid);
  void SetBypass(uint32_t sid);
  // Returns the CD table (1 << substream_bits entries; CD 0 filled in).
  uint64_t* SetStage1(uint32_t sid, const TableShape& shape, uint64_t* root,
                      uint16_t asid, bool eats, int substream_bits = 0,
                      int s1dss = 2);
  void FillCd(uint64_t* cd, const TableShape& shape, uint64_t* root,
              uint16_t asid);
  void SetStage2(uint32_t sid, const TableShape& shape, uint64_t* root,
                 uint16_t vmid, bool eats);
  // Stage 1 of a guest, whose CD table is nowhere, then stage 2.
  void SetNested(uint32_t sid, const TableShape& shape, uint64_t* root,
                 uint16_t vmid, bool eats);

  // ---- Commands ----
  // Puts commands into the queue, then moves PROD once.
  void Submit(const std::vector<std::pair<uint64_t, uint64_t>>& commands);
  void Command(uint64_t word0, uint64_t word1) { Submit({{word0, word1}}); }
  void CfgiSte(uint32_t sid);
  void CfgiCd(uint32_t sid, uint32_t ssid = 0);
  void TlbiVa(uint16_t asid, uint64_t iova);
  void TlbiRange(uint16_t asid, uint64_t iova, int num, int scale, int tg,
                 int ttl);
  void AtcInvalidate(uint32_t sid, uint64_t iova, int size);
  uint32_t Consumer() { return Read(0x9c); }
  uint32_t Producer() const { return producer_; }
  // The queue's slot that position `at` names.
  uint64_t* Slot(uint32_t at) { return &queue_[(at & 0xff) * 2]; }

  // ---- Registers and config space ----
  uint32_t Read(uint32_t offset) {
    return static_cast<uint32_t>(atsfuzz_emulator_mmio_read(0, offset, 4));
  }
  void Write(uint32_t offset, uint32_t value) {
    atsfuzz_emulator_mmio_write(0, offset, value, 4);
  }
  void EnableAts(uint32_t function, int stu = 12);
  void DisableAts(uint32_t function);

  // ---- What happened ----
  struct Dma {
    uint64_t physical;
    uint64_t result;
    bool operator==(const Dma&) const = default;
  };
  // A DMA, and what its event says. pasid 0: without.
  Dma Access(uint32_t function, uint64_t iova, uint32_t stream = 0,
             uint32_t pasid = 0);
  // The events of a kind since the last Clear (Boot clears).
  std::vector<atsfuzz_event> Events(int kind) const;
  void Clear();
  // The `a` of each fault event.
  std::vector<uint64_t> Faults() const;
  uint32_t IotlbCount() const;
  uint32_t AtcCount() const;

 private:
  std::map<uint64_t, std::pair<uint64_t, bool>> memory_;  // size, live
  uint64_t* queue_ = nullptr;
  uint64_t* level1_ = nullptr;
  uint32_t producer_ = 0;
  std::map<uint32_t, uint64_t*> level2_;

  friend int ::atsfuzz_dma_memory_live(uint64_t address, uint64_t size);
};

}  // namespace atsfuzz::emulated

#endif  // ATSFUZZ_LINUX_EMULATED_TEST_MACHINE_H_
