#include <string.h>

#include "linux/emulated/state.h"

/* Config space of a function (PCI Express, sections 7.8 and 10.5). */

enum {
  KIND_VF = 1,
  CAP_ID_ATS = 0x0f,
  CAP_ID_PASID = 0x1b,
  CAP_CONTROL = 6,
  ATS_CONTROL = ATSFUZZ_CONFIG_ATS_CAP + CAP_CONTROL,
  PASID_CONTROL = ATSFUZZ_CONFIG_PASID_CAP + CAP_CONTROL,
  CAP_END = ATSFUZZ_CONFIG_PASID_CAP + 8,
};

#define ATS_CAP_PAGE_ALIGNED (1u << 5) /* queue depth 0: 32 */
#define ATS_ENABLE (1u << 15)
#define PASID_ENABLE (1u << 0)

static uint32_t load(const struct function *function, uint32_t offset,
                     uint32_t size) {
  uint32_t value = 0;
  memcpy(&value, &function->config[offset], size);
  return value;
}

static void store(struct function *function, uint32_t offset, uint32_t value,
                  uint32_t size) {
  memcpy(&function->config[offset], &value, size);
  if (function->config_used < offset + size)
    function->config_used = offset + size;
}

static uint32_t capability_header(uint32_t id, uint32_t next) {
  return id | 1u << 16 | next << 20;
}

void function_boot(uint32_t index) {
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[index];
  struct function *function = &emulator.functions[index];
  uint32_t pasid_cap = machine->pasid_bits ? ATSFUZZ_CONFIG_PASID_CAP : 0;

  memset(function->config, 0, function->config_used);
  function->config_used = 0;
  function->ats_enabled = function->stu_written = 0;
  function->atc_count = function->eager_count = 0;

  if (machine->ats || pasid_cap) {
    /* The list starts here: without ATS, a null capability leads on. */
    store(function, ATSFUZZ_CONFIG_ATS_CAP,
          capability_header(machine->ats ? CAP_ID_ATS : 0, pasid_cap), 4);
  }
  if (machine->ats)
    store(function, ATSFUZZ_CONFIG_ATS_CAP + 4, ATS_CAP_PAGE_ALIGNED, 2);
  if (pasid_cap) {
    store(function, ATSFUZZ_CONFIG_PASID_CAP,
          capability_header(CAP_ID_PASID, 0), 4);
    store(function, ATSFUZZ_CONFIG_PASID_CAP + 4,
          (machine->pasid_bits & 0x1fu) << 8, 2);
  }
}

void atsfuzz_emulator_reset_function(uint32_t index) {
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[index];
  struct function *function = &emulator.functions[index];

  atc_clear(index);
  function->ats_enabled = 0;
  if (machine->ats) store(function, ATS_CONTROL, 0, 2);
  if (machine->pasid_bits) store(function, PASID_CONTROL, 0, 2);
}

static int in_config_space(uint32_t offset, uint32_t size) {
  return (size == 1 || size == 2 || size == 4) &&
         offset <= CONFIG_SPACE_BYTES - size;
}

uint32_t atsfuzz_emulator_config_read(uint32_t index, uint32_t offset,
                                      uint32_t size) {
  if (!in_config_space(offset, size)) return ~0u;
  return load(&emulator.functions[index], offset, size);
}

static int overlaps(uint32_t offset, uint32_t size, uint32_t start,
                    uint32_t bytes) {
  return offset < start + bytes && start < offset + size;
}

/* May this byte of config space be written? Of a capability, the control
 * register alone; everything else is plain memory. */
static int writable(const struct atsfuzz_machine_function *machine,
                    uint32_t offset) {
  if (overlaps(offset, 1, ATSFUZZ_CONFIG_ATS_CAP, 8))
    return machine->ats && offset >= ATS_CONTROL;
  if (overlaps(offset, 1, ATSFUZZ_CONFIG_PASID_CAP, 8))
    return machine->pasid_bits && offset >= PASID_CONTROL;
  return 1;
}

static void apply(uint32_t index, uint32_t offset, uint32_t value,
                  uint32_t size) {
  for (uint32_t i = 0; i < size; i++)
    if (writable(&emulator.machine.functions[index], offset + i))
      store(&emulator.functions[index], offset + i, value >> (8 * i) & 0xff, 1);
}

static void ats_control_written(uint32_t index) {
  struct function *function = &emulator.functions[index];
  uint8_t enable = (load(function, ATS_CONTROL, 2) & ATS_ENABLE) != 0;

  function->stu_written = 1;
  if (enable && !function->ats_enabled) atc_clear(index);
  function->ats_enabled = enable;
}

void atsfuzz_emulator_config_write(uint32_t index, uint32_t offset,
                                   uint32_t value, uint32_t size) {
  struct function *function = &emulator.functions[index];
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[index];
  uint32_t which = ATSFUZZ_CONFIG_OTHER, start = offset, bytes = size;
  struct atsfuzz_event *event;
  uint32_t number = emulator.config_writes++;
  int lost = number < 32 && (emulator.lost_config_writes >> number & 1);

  if (!in_config_space(offset, size)) return;
  if (machine->ats && overlaps(offset, size, ATS_CONTROL, 2)) {
    which = ATSFUZZ_CONFIG_ATS_CONTROL;
    start = ATS_CONTROL;
    bytes = 2;
  } else if (machine->pasid_bits && overlaps(offset, size, PASID_CONTROL, 2)) {
    which = ATSFUZZ_CONFIG_PASID_CONTROL;
    start = PASID_CONTROL;
    bytes = 2;
  }

  event = atsfuzz_event_add(lost ? ATSFUZZ_EVENT_CONFIG_WRITE_LOST
                                 : ATSFUZZ_EVENT_CONFIG_WRITE);
  event->function = (uint8_t)index;
  event->a = which;
  event->b = load(function, start, bytes);
  if (lost) {
    event->c = value;
  } else {
    apply(index, offset, value, size);
    event->c = load(function, start, bytes);
    if (which == ATSFUZZ_CONFIG_ATS_CONTROL) ats_control_written(index);
  }
  if (emulator.eager_functions >> index & 1) eager_refill(index);
}

/* The function whose STU register counts: a VF uses its PF's. */
static uint32_t stu_owner(uint32_t index) {
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[index];
  return machine->kind == KIND_VF ? machine->pf : index;
}

uint32_t function_stu(uint32_t index) {
  return 12 +
         (load(&emulator.functions[stu_owner(index)], ATS_CONTROL, 2) & 0x1f);
}

void atsfuzz_emulator_observe_function(uint32_t index,
                                       struct atsfuzz_function *out) {
  out->ats = emulator.functions[index].ats_enabled;
  out->pasid =
      emulator.machine.functions[index].pasid_bits &&
      (load(&emulator.functions[index], PASID_CONTROL, 2) & PASID_ENABLE);
  out->stu = emulator.functions[stu_owner(index)].stu_written
                 ? (uint8_t)function_stu(index)
                 : 0;
}
