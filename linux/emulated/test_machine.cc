#include "linux/emulated/test_machine.h"

#include <cstdlib>
#include <cstring>
#include <deque>

namespace {

atsfuzz::emulated::TestMachine* current = nullptr;
std::deque<atsfuzz_event>& EventLog() {
  static std::deque<atsfuzz_event> log;
  return log;
}

uint64_t AddressOf(const void* pointer) {
  return reinterpret_cast<uint64_t>(pointer);
}

uint64_t TgOf(int granule_bits) {
  return granule_bits == 12 ? 0 : granule_bits == 16 ? 1 : 2;
}

int Shift(const atsfuzz::emulated::TableShape& shape, int level) {
  return shape.granule_bits + (3 - level) * (shape.granule_bits - 3);
}

constexpr uint64_t kAddressMask = (uint64_t{1} << 48) - (uint64_t{1} << 12);

std::function<void()> hardware_step;

}  // namespace

extern "C" {

atsfuzz_event* atsfuzz_event_add(uint16_t kind) {
  atsfuzz_event event{};
  event.kind = kind;
  event.smmu = event.function = ATSFUZZ_NONE;
  EventLog().push_back(event);
  return &EventLog().back();
}

uint32_t atsfuzz_running_thread() { return 0; }
void atsfuzz_hardware_step() {
  if (hardware_step) hardware_step();
}

int atsfuzz_dma_memory_live(uint64_t address, uint64_t size) {
  const auto& memory = current->memory_;
  auto next = memory.upper_bound(address);
  if (next == memory.begin()) return 0;
  const auto& [start, block] = *std::prev(next);
  return block.second && address + size <= start + block.first;
}

}  // extern "C"

namespace atsfuzz::emulated {

void TestMachine::set_hardware_step(std::function<void()> step) {
  hardware_step = std::move(step);
}

TestMachine::TestMachine() {
  current = this;
  machine.smmu_count = 1;
  machine.smmus[0] = {7, 1, 1, 1, 1};
  machine.function_count = 3;
  for (int i = 0; i < 3; i++) {
    machine.functions[i].ats = 1;
    machine.functions[i].stream_count = 1;
  }
  machine.functions[0].pasid_bits = 8;
  machine.functions[0].stream_count = 2;
  machine.functions[0].streams[0] = 0x100;
  machine.functions[0].streams[1] = 0x205;
  machine.functions[1].kind = 1;
  machine.functions[1].streams[0] = 0x110;
  machine.functions[2].eager = 1;
  machine.functions[2].streams[0] = 0x300;
}

TestMachine::~TestMachine() {
  for (const auto& [address, block] : memory_)
    std::free(reinterpret_cast<void*>(address));
  current = nullptr;
}

void TestMachine::Boot() {
  atsfuzz_emulator_boot(&machine);
  producer_ = 0;
  level2_.clear();
  queue_ = Allocate(256 * 16);
  level1_ = Allocate(256 * 8);
  atsfuzz_emulator_mmio_write(0, 0x80, AddressOf(level1_), 8);
  Write(0x88, 1u << 16 | 8u << 6 | 16u);
  atsfuzz_emulator_mmio_write(0, 0x90, AddressOf(queue_) | 8, 8);
  Write(0x20, 0x1d);  // SMMUEN, EVTQEN, CMDQEN, ATSCHK
  Clear();
}

uint64_t* TestMachine::Allocate(uint64_t bytes) {
  if (bytes < 64) bytes = 64;
  void* memory = std::aligned_alloc(bytes, bytes);
  std::memset(memory, 0, bytes);
  memory_[AddressOf(memory)] = {bytes, true};
  return static_cast<uint64_t*>(memory);
}

// Stays allocated, so that only the emulator's own check can notice its use.
void TestMachine::Free(void* memory) {
  memory_.at(AddressOf(memory)).second = false;
}

uint64_t* TestMachine::NewRoot(const TableShape& shape) {
  return Allocate(uint64_t{8}
                  << (shape.input_bits - Shift(shape, shape.start_level)));
}

uint64_t* TestMachine::Entry(const TableShape& shape, uint64_t* root,
                             uint64_t iova, int level) {
  uint64_t* table = root;
  int bits = shape.input_bits - Shift(shape, shape.start_level);
  for (int at = shape.start_level;; at++) {
    uint64_t* entry =
        &table[(iova >> Shift(shape, at)) & ((uint64_t{1} << bits) - 1)];
    if (at == level) return entry;
    if (*entry == 0)
      *entry = AddressOf(Allocate(uint64_t{1} << shape.granule_bits)) | 3;
    table = reinterpret_cast<uint64_t*>(*entry & kAddressMask);
    bits = shape.granule_bits - 3;
  }
}

void TestMachine::Map(const TableShape& shape, uint64_t* root, uint64_t iova,
                      uint64_t physical, int level, uint64_t attributes) {
  *Entry(shape, root, iova, level) =
      physical | attributes | (level == 3 ? 3 : 1);
}

uint64_t TestMachine::Normal(const TableShape& shape) {
  return 1u << 10 | (shape.stage == 1 ? 1u << 6 : 3u << 6);
}

uint64_t* TestMachine::Ste(uint32_t sid) {
  if (!level2_.count(sid >> 8)) SetSecondLevel(sid >> 8, Allocate(256 * 64));
  return &level2_[sid >> 8][(sid & 0xff) * 8];
}

void TestMachine::SetSecondLevel(uint32_t index, uint64_t* table) {
  uint64_t descriptor = AddressOf(table) | 9;
  atsfuzz_emulator_stored(&level1_[index], level1_[index], descriptor);
  level1_[index] = descriptor;
  level2_[index] = table;
}

void TestMachine::SetAbort(uint32_t sid) { Ste(sid)[0] = 1; }
void TestMachine::SetBypass(uint32_t sid) { Ste(sid)[0] = 1 | 4 << 1; }

void TestMachine::FillCd(uint64_t* cd, const TableShape& shape, uint64_t* root,
                         uint16_t asid) {
  cd[0] = uint64_t(64 - shape.input_bits) | TgOf(shape.granule_bits) << 6 |
          uint64_t{1} << 31 | uint64_t{5} << 32 | uint64_t{1} << 41 |
          uint64_t{asid} << 48;
  cd[1] = AddressOf(root);
}

uint64_t* TestMachine::SetStage1(uint32_t sid, const TableShape& shape,
                                 uint64_t* root, uint16_t asid, bool eats,
                                 int substream_bits, int s1dss) {
  uint64_t* cds = Allocate(uint64_t{64} << substream_bits);
  FillCd(cds, shape, root, asid);
  uint64_t* ste = Ste(sid);
  ste[0] = 1 | 5 << 1 | AddressOf(cds) | uint64_t(substream_bits) << 59;
  ste[1] = uint64_t(s1dss) | uint64_t{eats} << 28;
  return cds;
}

void TestMachine::SetStage2(uint32_t sid, const TableShape& shape,
                            uint64_t* root, uint16_t vmid, bool eats) {
  int sl0 = (shape.granule_bits == 12 ? 2 : 3) - shape.start_level;
  uint64_t vtcr = uint64_t(64 - shape.input_bits) | uint64_t(sl0) << 6 |
                  TgOf(shape.granule_bits) << 14 | 5 << 16;
  uint64_t* ste = Ste(sid);
  ste[0] = 1 | 6 << 1;
  ste[1] = uint64_t{eats} << 28;
  ste[2] = vmid | vtcr << 32 | uint64_t{1} << 51;
  ste[3] = AddressOf(root);
}

void TestMachine::SetNested(uint32_t sid, const TableShape& shape,
                            uint64_t* root, uint16_t vmid, bool eats) {
  constexpr uint64_t kGuestTable = 0xdead0000;
  SetStage2(sid, shape, root, vmid, eats);
  Ste(sid)[0] = 1 | 7 << 1 | kGuestTable;
}

void TestMachine::Submit(
    const std::vector<std::pair<uint64_t, uint64_t>>& commands) {
  for (const auto& [word0, word1] : commands) {
    Slot(producer_)[0] = word0;
    Slot(producer_)[1] = word1;
    producer_ = (producer_ + 1) & 0x1ff;
  }
  Write(0x98, producer_);
}

void TestMachine::CfgiSte(uint32_t sid) {
  Command(0x03 | uint64_t{sid} << 32, 1);
}
void TestMachine::CfgiCd(uint32_t sid, uint32_t ssid) {
  Command(0x05 | uint64_t{ssid} << 12 | uint64_t{sid} << 32, 1);
}
void TestMachine::TlbiVa(uint16_t asid, uint64_t iova) {
  Command(0x12 | uint64_t{asid} << 48, iova);
}
void TestMachine::TlbiRange(uint16_t asid, uint64_t iova, int num, int scale,
                            int tg, int ttl) {
  Command(
      0x12 | uint64_t(num) << 12 | uint64_t(scale) << 20 | uint64_t{asid} << 48,
      iova | uint64_t(tg) << 10 | uint64_t(ttl) << 8);
}
void TestMachine::AtcInvalidate(uint32_t sid, uint64_t iova, int size) {
  Command(0x40 | uint64_t{sid} << 32, iova | uint64_t(size));
}

void TestMachine::EnableAts(uint32_t function, int stu) {
  atsfuzz_emulator_config_write(function, ATSFUZZ_CONFIG_ATS_CAP + 6,
                                0x8000u | uint32_t(stu - 12), 2);
}
void TestMachine::DisableAts(uint32_t function) {
  atsfuzz_emulator_config_write(function, ATSFUZZ_CONFIG_ATS_CAP + 6, 0, 2);
}

TestMachine::Dma TestMachine::Access(uint32_t function, uint64_t iova,
                                     uint32_t stream, uint32_t pasid) {
  size_t before = Events(ATSFUZZ_EVENT_DMA).size();
  atsfuzz_emulator_dma(function, stream, pasid, iova);
  auto events = Events(ATSFUZZ_EVENT_DMA);
  EXPECT_EQ(events.size(), before + 1);
  if (events.size() != before + 1) return {0, 99};
  EXPECT_EQ(events.back().a, iova);
  EXPECT_EQ(events.back().function, function);
  EXPECT_EQ(events.back().pasid, pasid);
  return {events.back().b, events.back().c};
}

std::vector<atsfuzz_event> TestMachine::Events(int kind) const {
  std::vector<atsfuzz_event> found;
  for (const atsfuzz_event& event : EventLog())
    if (event.kind == kind) found.push_back(event);
  return found;
}

void TestMachine::Clear() { EventLog().clear(); }

std::vector<uint64_t> TestMachine::Faults() const {
  std::vector<uint64_t> ids;
  for (const atsfuzz_event& event : Events(ATSFUZZ_EVENT_SMMU_FAULT))
    ids.push_back(event.a);
  return ids;
}

uint32_t TestMachine::IotlbCount() const {
  uint32_t count;
  atsfuzz_emulator_iotlb(&count);
  return count;
}

uint32_t TestMachine::AtcCount() const {
  uint32_t count;
  atsfuzz_emulator_atc(&count);
  return count;
}

}  // namespace atsfuzz::emulated
