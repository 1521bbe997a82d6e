#ifndef ATSFUZZ_LINUX_EMULATED_STATE_H_
#define ATSFUZZ_LINUX_EMULATED_STATE_H_

#include "linux/emulator.h"

/* Inside a driver module these names must neither be interposed nor exported.
 */
#pragma GCC visibility push(hidden)

/*
 * The state of the emulated machine, and what its parts offer each other.
 * Register and table layouts: Arm IHI 0070 (SMMUv3), Arm DDI 0487 (VMSAv8-64),
 * PCI Express 10.5 (ATS). Addresses are host pointers.
 */

enum {
  IOTLB_ENTRIES = 256,
  ATC_ENTRIES = 64, /* of one function */
  CONFIG_ENTRIES = ATSFUZZ_MAX_FUNCTIONS * ATSFUZZ_MAX_STREAMS,
  TOLD_ENTRIES = CONFIG_ENTRIES,
  CACHED_CDS = CONFIG_ENTRIES * (1 + ATSFUZZ_MAX_SUBSTREAMS),
  STREAM_TABLES = 256,
  EAGER_PAGES = 8,
  CONFIG_SPACE_BYTES = 4096,
  COMMAND_SLOTS = 256,         /* as many as IDR1.CMDQS says */
  REGISTER_PAGE_BYTES = 0x200, /* beyond: reads as zero */
};

/* Event ids that the SMMU records (specification, section 7.3). */
enum {
  C_BAD_STREAMID = 0x02,
  F_STE_FETCH = 0x03,
  C_BAD_STE = 0x04,
  F_BAD_ATS_TREQ = 0x05,
  F_STREAM_DISABLED = 0x06,
  F_TRANSL_FORBIDDEN = 0x07,
  C_BAD_SUBSTREAMID = 0x08,
  F_CD_FETCH = 0x09,
  C_BAD_CD = 0x0a,
  F_WALK_EABT = 0x0b,
  F_TRANSLATION = 0x10,
  F_ADDR_SIZE = 0x11,
  F_ACCESS = 0x12,
  F_PERMISSION = 0x13,
};

/* Register offsets that more than one part reads. */
enum {
  REG_IDR0 = 0x00,
  REG_IDR1 = 0x04,
  REG_IDR3 = 0x0c,
  REG_IDR5 = 0x14,
  REG_CR0 = 0x20,
  REG_GBPA = 0x44,
  REG_IRQ_CTRL = 0x50,
  REG_GERROR = 0x60,
  REG_GERRORN = 0x64,
  REG_STRTAB_BASE = 0x80,
  REG_STRTAB_BASE_CFG = 0x88,
  REG_CMDQ_BASE = 0x90,
  REG_CMDQ_PROD = 0x98,
  REG_CMDQ_CONS = 0x9c,
  REG_EVTQ_BASE = 0xa0,
  PAGE1_EVTQ_PROD = 0xa8, /* from the start of page 1 */
  PAGE1_EVTQ_CONS = 0xac,
};

#define IDR0_S2P (1u << 0)
#define IDR0_S1P (1u << 1)
#define IDR0_ATS (1u << 10)
#define IDR3_RIL (1u << 10)
#define CR0_SMMUEN (1u << 0)
#define CR0_EVTQEN (1u << 2)
#define CR0_CMDQEN (1u << 3)
#define CR0_ATSCHK (1u << 4)
#define GBPA_ABORT (1u << 20)
#define GERROR_CMDQ (1u << 0)
#define IRQ_CTRL_GERROR (1u << 0)
#define IRQ_CTRL_EVTQ (1u << 2)

/* Whoever adds state adds it to atsfuzz_emulator_parts (machine.c), too. */

/* A piece of the stream table: `count` entries from stream id `first`. */
struct stream_table {
  uint64_t address;
  uint32_t first, count;
};

struct cached_ste {
  uint32_t sid;
  uint64_t ste[8];
};

struct cached_cd {
  uint32_t sid, ssid;
  uint64_t cd[8];
};

struct smmu {
  uint32_t page0[REGISTER_PAGE_BYTES / 4];
  uint32_t page1[REGISTER_PAGE_BYTES / 4];

  /* The stream table as last written; pieces sorted by address. */
  uint64_t l1_address, l1_bytes; /* 0 bytes: linear, or none */
  uint32_t table_count;
  struct stream_table tables[STREAM_TABLES];

  uint32_t ste_count, cd_count;
  struct cached_ste stes[CONFIG_ENTRIES];
  struct cached_cd cds[CACHED_CDS];

  /* The functions' entries in memory, as the events so far tell them. */
  uint32_t told_count;
  struct cached_ste told[TOLD_ENTRIES];

  /* Where the command queue ends for the SMMU: PROD, or before what is held. */
  uint32_t queue_end;
  uint32_t held; /* commands */
  /* Bit: the ATC_INV in that slot will not be answered. */
  uint64_t unanswered[COMMAND_SLOTS / 64];
  uint8_t atc_outstanding; /* one was consumed; the next CMD_SYNC fails */
  uint8_t interrupts;      /* raised, not taken */
};

struct function {
  uint32_t config_used; /* bytes of `config` that may differ from zero */
  uint8_t ats_enabled;
  uint8_t stu_written;
  uint32_t atc_count;
  uint32_t eager_count; /* pages it has used, oldest first */
  struct {
    uint32_t stream; /* index */
    uint64_t page;
  } eager[EAGER_PAGES];
  uint8_t config[CONFIG_SPACE_BYTES];
};

/* What an access in flight has met. */
enum {
  HIT_CONFIG = 1, /* an invalidation of configuration */
  HIT_TLB = 2,    /* of IOTLB entries */
  HIT_ATC = 4,    /* of ATC entries */
};

/* An access of a function that takes its time: a thread's. */
struct access {
  uint8_t active;
  uint8_t smmu;
  uint8_t hits;
};

struct emulator {
  struct atsfuzz_machine machine;
  uint8_t lazy;
  struct access accesses[1 + ATSFUZZ_MAX_THREADS]; /* by thread */
  uint32_t eager_functions; /* bit f: function f is eager */
  uint32_t lost_config_writes, config_writes;
  /* `cmd-sync` and `atc-timeout` by number, and how many there were so far. */
  uint32_t stalling_syncs, syncs, unanswered_syncs, atc_syncs;
  uint64_t last_batch; /* fingerprint of what the last CMD_SYNC completes */
  uint32_t iotlb_count, atc_count;
  struct smmu smmus[ATSFUZZ_MAX_SMMUS];
  struct function functions[ATSFUZZ_MAX_FUNCTIONS];
  struct atsfuzz_iotlb_entry iotlb[IOTLB_ENTRIES];
  uint8_t iotlb_writable[IOTLB_ENTRIES];
  struct atsfuzz_atc_entry atc[ATC_ENTRIES * ATSFUZZ_MAX_FUNCTIONS];
};

extern struct emulator emulator;

/* Bits high..low of a word. */
static inline uint64_t field(uint64_t value, unsigned high, unsigned low) {
  return (value >> low) & (~0ull >> (63 - (high - low)));
}

/* `value` with only bits high..low, in place: an address in a descriptor. */
static inline uint64_t masked(uint64_t value, unsigned high, unsigned low) {
  return field(value, high, low) << low;
}

static inline uint32_t smmu_index(const struct smmu *smmu) {
  return (uint32_t)(smmu - emulator.smmus);
}

static inline uint32_t smmu_register(const struct smmu *smmu, uint32_t offset) {
  return smmu->page0[offset / 4];
}

static inline uint64_t smmu_register64(const struct smmu *smmu,
                                       uint32_t offset) {
  return smmu->page0[offset / 4] | (uint64_t)smmu->page0[offset / 4 + 1] << 32;
}

/* An event of an SMMU (and of a function, or ATSFUZZ_NONE). */
struct atsfuzz_event *smmu_event(const struct smmu *smmu, uint16_t kind,
                                 uint32_t function);
/* The SMMU found memory freed that it was told to use. `text` is a constant. */
void smmu_memory_error(const struct smmu *smmu, const char *text);

void smmu_boot(struct smmu *smmu, const struct atsfuzz_machine_smmu *machine);

/* ---- Stream table and CD tables, as they are in memory ----------------- */

/* Reads the table registers anew, and the first-level table if there is one. */
void stream_table_refresh(struct smmu *smmu);
/* The STE of stream id `sid`; NULL beyond the table or without second level. */
const uint64_t *stream_table_entry(const struct smmu *smmu, uint32_t sid);

/*
 * Tells of the stores to the entry of `sid` that no hook has seen: 6.1 changes
 * its entries by plain assignments, and the SMMU hears of them by a CFGI_STE.
 */
void stream_table_tell(struct smmu *smmu, uint32_t sid);

/*
 * The CD of an STE that has Config = stage 1. NULL with *fault set to an event
 * id if there is none, F_CD_FETCH if its memory was freed.
 */
const uint64_t *cd_table_entry(const uint64_t *ste, uint32_t ssid,
                               uint8_t *fault);

/* ---- Configuration cache ---------------------------------------------- */

/* A translation table, as a CD or an STE describes it. */
struct walk_table {
  uint64_t root;
  uint8_t stage;
  uint8_t granule_bits;
  uint8_t input_bits, output_bits;
  uint8_t start_level;
};

enum regime_kind {
  REGIME_ABORT, /* refused; `fault` is recorded unless it is 0 */
  REGIME_BYPASS,
  REGIME_TRANSLATE,
};

/* What the SMMU does with traffic of a stream (of a PASID of it). */
struct regime {
  uint8_t kind;
  uint8_t fault;
  uint8_t ste_fault; /* the STE itself cannot be used: `fault` is about it */
  uint8_t eats;      /* ATS requests and translated traffic are accepted */
  /*
   * REGIME_TRANSLATE: stage 1 of a guest comes before `table`. A guest's tables
   * are not in memory: they map every page onto itself, with ASID 0
   * (model/topology.h).
   */
  uint8_t guest;
  uint16_t tag;  /* REGIME_TRANSLATE: ASID or VMID, by the table's stage */
  uint16_t vmid; /* stage 1: whose ASIDs these are */
  struct walk_table table;
};

/* Through the cache: reads memory only for what is not cached yet. */
void config_resolve(struct smmu *smmu, uint32_t sid, uint32_t pasid,
                    struct regime *out);
void config_drop_ste(struct smmu *smmu, uint32_t first, uint64_t count);
void config_drop_cd(struct smmu *smmu, uint32_t sid, uint32_t ssid);
void config_drop_cds(struct smmu *smmu, uint32_t sid);

/* ---- Translation ------------------------------------------------------- */

struct translation {
  uint64_t iova, physical, size; /* of the leaf */
  uint8_t level;
  uint8_t writable;
};

/* Describe a stage-1 table by a CD, a stage-2 table by an STE. 0, or C_BAD_CD,
 * C_BAD_STE: fields that make no table. */
uint8_t walk_table_of_cd(const struct smmu *smmu, const uint64_t *cd,
                         struct walk_table *out);
uint8_t walk_table_of_ste(const struct smmu *smmu, const uint64_t *ste,
                          struct walk_table *out);

/* Walks for a read without privilege. 0, or the event id of the fault. */
uint8_t walk(const struct smmu *smmu, const struct walk_table *table,
             uint64_t iova, struct translation *out);

/* Bytes of the smallest granule that the SMMU has. */
uint64_t smallest_granule(const struct smmu *smmu);

/* IOTLB, else a walk that fills it. `regime` translates. 0, or an event id. */
uint8_t translate(const struct smmu *smmu, const struct regime *regime,
                  uint64_t iova, struct translation *out);

/* Which IOTLB entries a TLBI command names. */
struct iotlb_range {
  uint8_t stage;   /* 0: both, of every VMID */
  uint8_t any_tag; /* of that stage */
  uint8_t level;   /* only entries of this level; 0: of any */
  uint16_t tag;
  uint16_t vmid;        /* stage 1: whose ASIDs */
  uint64_t first, last; /* addresses, inclusive */
};
void iotlb_drop(const struct smmu *smmu, const struct iotlb_range *range);

/* ---- Command queue ------------------------------------------------------ */

/* Consumes what there is, unless the queue is off, stalled or stopped by an
 * error. */
void command_queue_run(struct smmu *smmu);
/* PROD moved on from `before`: decides what faults do to the new commands, ends
 * a stall, and runs the queue. */
void command_queue_written(struct smmu *smmu, uint32_t before);

/* ---- Event queue and interrupts ------------------------------------------ */

/* What an event record says of a fault (specification, section 7.3). */
struct fault_record {
  uint32_t sid, pasid;
  uint8_t id;
  uint8_t stage2; /* a fault of the second stage */
  uint64_t iova;
};
/* Writes a record into the event queue in memory; lost if that is full or
 * off. */
void event_queue_write(struct smmu *smmu, const struct fault_record *fault);
/* Toggles GERROR bits. */
void raise_gerror(struct smmu *smmu, uint32_t bits);

/* ---- Accesses in flight (access.c) --------------------------------------- */

void access_begin(uint32_t smmu);
void access_end(void);
/* Between two steps of the access; others may go on. Nothing if there is none.
 */
void access_step(void);
/* The access has met any of `hits`: what it has read so far may be used, until
 * the CMD_SYNC, and not kept (specification, sections 3.21.1 and 3.9.1.3). */
int access_was_hit(uint32_t hits);
/* An invalidation by a command of the SMMU. */
void access_hit(const struct smmu *smmu, uint8_t hit);
/* A CMD_SYNC of the SMMU has an access to wait for. */
int access_outstanding(const struct smmu *smmu);

/* ---- Functions ---------------------------------------------------------- */

void function_boot(uint32_t function);
/* log2 of the function's smallest translation unit. */
uint32_t function_stu(uint32_t function);

/* The entry that translates `iova` of a stream, with the PASID or with 0 for
 * none; NULL: there is none. */
const struct atsfuzz_atc_entry *atc_find(uint32_t function, uint32_t stream,
                                         uint32_t pasid, uint64_t iova);
void atc_add(const struct atsfuzz_atc_entry *entry);
/* Empties the ATC of one function. */
void atc_clear(uint32_t function);
/* An Invalidate Request that an SMMU sends for a stream id. */
struct atc_range {
  uint32_t sid, pasid;
  uint8_t any_pasid;
  uint64_t first, last;
};
void atc_invalidate(const struct smmu *smmu, const struct atc_range *range);

/* Eager functions ask for the pages that their ATC has lost. */
void eager_refill(uint32_t function);
void eager_refill_all(void);

#pragma GCC visibility pop

#endif /* ATSFUZZ_LINUX_EMULATED_STATE_H_ */
