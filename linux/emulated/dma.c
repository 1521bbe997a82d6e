#include "linux/emulated/state.h"

/* What functions do: DMA, and translation requests of their own accord. */

static const uint64_t kNowhere = ~0ull;

/* Who asks, and through what. */
struct requester {
  uint32_t function;
  uint32_t stream; /* index */
  uint32_t sid;
  uint32_t pasid; /* 0: none */
  struct smmu *smmu;
};

static struct requester requester_of(uint32_t function, uint32_t stream,
                                     uint32_t pasid) {
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[function];
  return (struct requester){function, stream, machine->streams[stream], pasid,
                            &emulator.smmus[machine->smmu]};
}

static void record_fault(const struct requester *who, uint8_t fault,
                         uint64_t iova, int stage2) {
  const struct fault_record record = {.sid = who->sid,
                                      .pasid = who->pasid,
                                      .id = fault,
                                      .stage2 = stage2 != 0,
                                      .iova = iova};
  struct atsfuzz_event *event =
      smmu_event(who->smmu, ATSFUZZ_EVENT_SMMU_FAULT, who->function);
  event->stream = who->sid;
  event->pasid = who->pasid;
  event->a = fault;
  event->b = iova;
  event_queue_write(who->smmu, &record);
}

/* An access that the SMMU translates. The address reached, or kNowhere. */
static uint64_t access_untranslated(const struct requester *who,
                                    uint64_t iova) {
  struct translation found;
  struct regime regime;
  uint8_t fault;

  access_step();
  config_resolve(who->smmu, who->sid, who->pasid, &regime);
  if (regime.kind == REGIME_BYPASS) return iova;
  fault = regime.fault;
  if (regime.kind == REGIME_TRANSLATE) {
    fault = translate(who->smmu, &regime, iova, &found);
    if (!fault) return found.physical + (iova - found.iova);
  }
  if (fault) {
    record_fault(who, fault, iova,
                 regime.kind == REGIME_TRANSLATE && regime.table.stage == 2);
  }
  return kNowhere;
}

/* An access with an address from the ATC. 1 if the SMMU lets it pass. */
static int access_translated(const struct requester *who, uint64_t iova) {
  uint32_t cr0 = smmu_register(who->smmu, REG_CR0);
  struct regime regime;

  if (!(cr0 & CR0_SMMUEN)) return 0;
  if (!(cr0 & CR0_ATSCHK)) return 1;
  access_step();
  config_resolve(who->smmu, who->sid, who->pasid, &regime);
  if (regime.eats) return 1;
  record_fault(who, regime.ste_fault ? regime.fault : F_TRANSL_FORBIDDEN, iova,
               0);
  return 0;
}

/* Makes an ATC entry of an answer, and keeps it if it may. */
static struct atsfuzz_atc_entry cache(const struct requester *who,
                                      uint64_t iova,
                                      const struct translation *found) {
  uint64_t unit = 1ull << function_stu(who->function);
  struct atsfuzz_event *event;
  struct atsfuzz_atc_entry entry = {
      .function = (uint8_t)who->function,
      .stream = (uint8_t)who->stream,
      .pasid = who->pasid,
      .size = found->size < unit ? found->size : unit,
      .writable = found->writable,
  };

  entry.iova = iova & ~(entry.size - 1);
  entry.physical = found->physical + (entry.iova - found->iova);
  access_step();
  if (access_was_hit(HIT_ATC) || !emulator.functions[who->function].ats_enabled)
    return entry;
  atc_add(&entry);

  event = smmu_event(who->smmu, ATSFUZZ_EVENT_ATC_FILL, who->function);
  event->stream = who->sid;
  event->pasid = who->pasid;
  event->a = entry.iova;
  event->b = entry.physical;
  event->c = entry.size;
  return entry;
}

/*
 * A translation request; an answer goes to the ATC and to `out`. 1 if there was
 * one. The SMMU records a request that it refuses, unless `quiet`; "no access"
 * is a regular answer (specification, section 3.9.1).
 */
static int request_translation(const struct requester *who, uint64_t iova,
                               int quiet, struct atsfuzz_atc_entry *out) {
  struct translation found;
  struct regime regime;
  uint8_t fault = 0;

  if (!(smmu_register(who->smmu, REG_CR0) & CR0_SMMUEN)) return 0;
  access_step();
  config_resolve(who->smmu, who->sid, who->pasid, &regime);
  if (!regime.eats)
    fault = regime.ste_fault ? regime.fault : F_BAD_ATS_TREQ;
  else if (regime.kind == REGIME_ABORT)
    fault = regime.fault;
  if (fault) {
    if (!quiet) record_fault(who, fault, iova, 0);
    return 0;
  }
  if (regime.kind == REGIME_BYPASS) {
    uint64_t unit = 1ull << function_stu(who->function);
    found.iova = found.physical = iova & ~(unit - 1);
    found.size = unit;
    found.writable = 1;
  } else if (regime.kind != REGIME_TRANSLATE ||
             translate(who->smmu, &regime, iova, &found)) {
    return 0;
  }
  *out = cache(who, iova, &found);
  return 1;
}

static uint64_t access_by_atc(const struct requester *who, uint64_t iova,
                              uint8_t *result) {
  const struct atsfuzz_atc_entry *found =
      atc_find(who->function, who->stream, who->pasid, iova);
  struct atsfuzz_atc_entry entry;

  if (found) {
    *result = ATSFUZZ_DMA_ATC_HIT;
    entry = *found;
  } else {
    *result = ATSFUZZ_DMA_ATC_MISS;
    if (!request_translation(who, iova, 0, &entry)) {
      *result = ATSFUZZ_DMA_BLOCKED;
      return kNowhere;
    }
  }
  if (!access_translated(who, iova)) {
    *result = ATSFUZZ_DMA_REFUSED;
    return kNowhere;
  }
  return entry.physical + (iova - entry.iova);
}

/* Keeps the last pages that an eager function used. */
static void remember(uint32_t index, uint32_t stream, uint64_t iova) {
  struct function *function = &emulator.functions[index];
  uint64_t page = iova & ~0xfffull;

  for (uint32_t i = 0; i < function->eager_count; i++)
    if (function->eager[i].stream == stream && function->eager[i].page == page)
      return;
  if (function->eager_count == EAGER_PAGES) {
    function->eager_count--;
    for (uint32_t i = 0; i < function->eager_count; i++)
      function->eager[i] = function->eager[i + 1];
  }
  function->eager[function->eager_count].stream = stream;
  function->eager[function->eager_count].page = page;
  function->eager_count++;
}

void atsfuzz_emulator_dma(uint32_t function, uint32_t stream, uint32_t pasid,
                          uint64_t iova) {
  const struct atsfuzz_machine_function *machine =
      &emulator.machine.functions[function];
  struct atsfuzz_event *event;
  struct requester who;
  uint64_t physical;
  uint8_t result;

  if (machine->smmu == ATSFUZZ_NONE || stream >= machine->stream_count) return;
  if (machine->eager && !pasid) remember(function, stream, iova);
  who = requester_of(function, stream, pasid);
  access_begin(machine->smmu);
  access_step();
  if (emulator.functions[function].ats_enabled) {
    physical = access_by_atc(&who, iova, &result);
  } else {
    physical = access_untranslated(&who, iova);
    result =
        physical == kNowhere ? ATSFUZZ_DMA_BLOCKED : ATSFUZZ_DMA_UNTRANSLATED;
  }
  event = smmu_event(who.smmu, ATSFUZZ_EVENT_DMA, function);
  event->stream = who.sid;
  event->pasid = pasid;
  event->a = iova;
  event->b = physical;
  event->c = result;
  access_end();
}

void eager_refill(uint32_t index) {
  const struct function *function = &emulator.functions[index];

  if (!function->ats_enabled ||
      emulator.machine.functions[index].smmu == ATSFUZZ_NONE)
    return;
  for (uint32_t i = 0; i < function->eager_count; i++) {
    struct requester who = requester_of(index, function->eager[i].stream, 0);
    struct atsfuzz_atc_entry entry;
    if (!atc_find(index, who.stream, 0, function->eager[i].page))
      request_translation(&who, function->eager[i].page, 1, &entry);
  }
}

void eager_refill_all(void) {
  for (uint32_t left = emulator.eager_functions; left; left &= left - 1)
    eager_refill((uint32_t)__builtin_ctz(left));
}
