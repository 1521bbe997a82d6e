#ifndef ATSFUZZ_MODEL_OBSERVATION_H_
#define ATSFUZZ_MODEL_OBSERVATION_H_

#include <stdint.h>

#include "model/limits.h"

/*
 * What can be seen of a system from outside: the facts that the checker judges.
 * Plain C, because the kernel side of a driver module fills it too.
 *
 * Two parts. *Events* are what happened, in order, since the last operation
 * began: every step that another CPU, the SMMU or a device could have observed.
 * The *observation* is what is true at the instant it is taken.
 *
 * Functions, SMMUs and domain slots are indices of the topology
 * (model/limits.h); ATSFUZZ_NONE where there is none.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Events ---------------------------------------------------------- */

enum atsfuzz_event_kind {
  /* The SMMU consumed a command. a, b: its two 64-bit words. */
  ATSFUZZ_EVENT_COMMAND = 1,
  /* The SMMU refused a command as illegal and stopped. a, b: its words. */
  ATSFUZZ_EVENT_ILLEGAL_COMMAND,
  /*
   * A CPU stored a 64-bit word of a stream table entry. stream: its id;
   * a: word index 0..7; b: old value; c: new value.
   */
  ATSFUZZ_EVENT_STE_WRITE,
  /* The same of a context descriptor. function: whose; stream: the SSID. */
  ATSFUZZ_EVENT_CD_WRITE,
  /*
   * A CPU wrote a function's PCI config space. a: which register
   * (enum atsfuzz_config_register); b: old value; c: value that the
   * register has now (unchanged if the write was lost).
   */
  ATSFUZZ_EVENT_CONFIG_WRITE,
  /* The fault `config-write`: the write never reached the function. c: lost
     value. */
  ATSFUZZ_EVENT_CONFIG_WRITE_LOST,
  /* printk. a: level 0 (emerg) .. 7 (debug); text: the formatted line. */
  ATSFUZZ_EVENT_LOG,
  /* WARN or BUG. text: condition or message; a: 1 for BUG. */
  ATSFUZZ_EVENT_WARN,
  /*
   * An allocation. a: bytes; b: its number within the operation, from 1;
   * c: enum atsfuzz_alloc_site in the low byte, bit 8 set if it failed by
   * fault.
   */
  ATSFUZZ_EVENT_ALLOC,
  /* A PCI core call of the driver returned. text: the function's name; a:
     (int64) result; function. */
  ATSFUZZ_EVENT_PCI_RETURN,
  /*
   * The SMMU recorded an event (fault) against a stream. a: event id of
   * the specification (0x10 F_TRANSLATION, 0x04 C_BAD_STE, ...); b: IOVA;
   * pasid.
   */
  ATSFUZZ_EVENT_SMMU_FAULT,
  /*
   * A translation request of a function was answered and cached in its
   * ATC. a: IOVA; b: physical address; c: size in bytes; pasid.
   */
  ATSFUZZ_EVENT_ATC_FILL,
  /*
   * A function accessed memory. a: IOVA; b: physical address reached, or
   * ~0; c: enum atsfuzz_dma_result; pasid.
   */
  ATSFUZZ_EVENT_DMA,
  /* Memory error that the runtime noticed itself (double free, use of freed DMA
     memory by the SMMU). text. */
  ATSFUZZ_EVENT_MEMORY_ERROR,
  /* The CPU waited for the SMMU until its timeout. a: 1: and then for ever, the
     kernel is dead. b: 1: it did not wait, its operation goes on and on. */
  ATSFUZZ_EVENT_TIMEOUT,
  /* The event buffer was full; later events of this operation are lost. A
     defect of the harness. */
  ATSFUZZ_EVENT_OVERFLOW,
  /*
   * The fault `cmd-sync`: the SMMU stalls before this command, which waits in
   * its queue. a, b: its words. All that one CMD_SYNC completes come together,
   * that CMD_SYNC last.
   */
  ATSFUZZ_EVENT_COMMAND_HELD,
  /* A stalled SMMU goes on: as many of its next commands as were held belong to
     what held them. a: their number. */
  ATSFUZZ_EVENT_QUEUE_RESUMED,
  /*
   * The SMMU stopped at a CMD_SYNC: no ATC invalidation since the one before it
   * was answered (CERROR_ATC_INV_SYNC). a, b: its words. If the driver
   * acknowledges the error, the same CMD_SYNC is consumed next.
   */
  ATSFUZZ_EVENT_ATC_TIMEOUT,
  /*
   * In a `par` block, instrumented builds: the thread stopped here, and another
   * one or an SMMU may have gone on. a: enum atsfuzz_thread_status; b: how many
   * of its stores they do not see yet; c: the first of them, as `stack`.
   */
  ATSFUZZ_EVENT_STOP,
  /*
   * In a `par` block, instrumented builds that were asked to: nothing orders
   * this access and one of another thread. a: the other's place, as `stack`; b:
   * bit 0 this one writes, bit 1 it is plain, bits 2 and 3 the same of the
   * other; c: the other thread.
   */
  ATSFUZZ_EVENT_DATA_RACE,
  /*
   * In a weak turn: a load saw what was there when the thread last passed a
   * barrier. a: what; b: what is there now; both the first eight bytes.
   */
  ATSFUZZ_EVENT_EARLY_LOAD,
  /* A rule of locking was broken at a place in the kernel. text: which. */
  ATSFUZZ_EVENT_LOCK_RULE,
  /* In a `par` block whose schedule moves RCU: grace periods go on. a: the
     threads that they still wait for, a bit each; 0: they have ended. */
  ATSFUZZ_EVENT_GRACE_PERIOD,
};

enum atsfuzz_config_register {
  ATSFUZZ_CONFIG_ATS_CONTROL,   /* enable bit 15, STU 4:0 (page shift - 12) */
  ATSFUZZ_CONFIG_PASID_CONTROL, /* enable bit 0 */
  ATSFUZZ_CONFIG_OTHER,
};

enum atsfuzz_dma_result {
  ATSFUZZ_DMA_BLOCKED,      /* aborted by the SMMU: no such mapping, or abort */
  ATSFUZZ_DMA_UNTRANSLATED, /* translated by the SMMU (or bypassed) */
  ATSFUZZ_DMA_ATC_HIT,      /* translated by an entry that the ATC had */
  ATSFUZZ_DMA_ATC_MISS,     /* translated after a translation request */
  ATSFUZZ_DMA_REFUSED,      /* a translated access that the SMMU refused */
};

/* Same order as model::AllocSite. */
enum atsfuzz_alloc_site {
  ATSFUZZ_ALLOC_MASTER,
  ATSFUZZ_ALLOC_STREAMS,
  ATSFUZZ_ALLOC_STREAM_TABLE,
  ATSFUZZ_ALLOC_CD_TABLE,
  ATSFUZZ_ALLOC_CD_LEAF,
  ATSFUZZ_ALLOC_ATTACHMENT,
  ATSFUZZ_ALLOC_DOMAIN,
  ATSFUZZ_ALLOC_PAGE_TABLE,
  ATSFUZZ_ALLOC_ID,
  ATSFUZZ_ALLOC_GROUP,
  ATSFUZZ_ALLOC_CORE,
  ATSFUZZ_ALLOC_MERGE,
  ATSFUZZ_ALLOC_SITES,
};

struct atsfuzz_event {
  uint16_t kind; /* enum atsfuzz_event_kind */
  uint8_t smmu;
  uint8_t function;
  uint32_t stream;
  uint64_t a, b, c;
  const char *text; /* lives until the next operation; may be NULL */
  /* Where the kernel did it; file NULL where not known. */
  const char *file;
  const char *kernel_function;
  uint32_t line;
  /*
   * Instrumented builds: the call stack at the event, as an index for
   * module->frames(); 0 elsewhere.
   */
  uint32_t stack;
  /* Traffic with PASID: which; 0: without. */
  uint32_t pasid;
  /* The thread that did it, 0 where there is one; ATSFUZZ_NONE: the SMMU. */
  uint8_t thread;
  uint8_t event_pad[3];
};

/* A place that was touched: an address over 4, or any other number that is the
 * same for the same place as long as the machine runs. */
struct atsfuzz_touch {
  uint64_t place;
  uint64_t written; /* or only read: 0 */
};

/* ---- Observation ----------------------------------------------------- */

/* What the SMMU does with traffic of a stream, decoded from memory. */
enum atsfuzz_route {
  ATSFUZZ_ROUTE_NO_TABLE, /* no second-level table, or beyond the table */
  ATSFUZZ_ROUTE_INVALID,  /* V = 0 */
  ATSFUZZ_ROUTE_ABORT,
  ATSFUZZ_ROUTE_BYPASS,
  ATSFUZZ_ROUTE_STAGE1, /* through CD 0 */
  ATSFUZZ_ROUTE_STAGE2,
  ATSFUZZ_ROUTE_S1DSS_TERMINATE,
  ATSFUZZ_ROUTE_S1DSS_BYPASS,
  ATSFUZZ_ROUTE_NESTED, /* a guest's stage 1, then stage 2 */
};

struct atsfuzz_stream {
  uint32_t id;
  uint8_t route;    /* enum atsfuzz_route */
  uint8_t eats;     /* STE.EATS == 1 in a valid entry that translates */
  uint8_t cd_valid; /* stage 1: CD 0 has V = 1 */
  uint8_t master;   /* function whose record the driver finds for this id;
                       ATSFUZZ_NONE */
  uint16_t asid;    /* stage 1, CD valid */
  uint16_t vmid;    /* STE.S2VMID */
  uint64_t table;   /* physical address of the root page table in use (nested:
                       of stage 2), or 0 */
  uint64_t ste[8];  /* the raw entry, zero if there is none */
  uint64_t cd[8];   /* the raw CD 0, zero if there is none */
};

/* A valid context descriptor of a PASID. */
struct atsfuzz_substream {
  uint32_t pasid;
  uint16_t asid;
  uint16_t pad;
  uint64_t table; /* physical address of the root page table; 0: no walks, as
                     of a process that has exited (EPD0) */
};

struct atsfuzz_function {
  uint8_t probed; /* the driver has a record of it */
  uint8_t belief; /* the record's ats_enabled */
  uint8_t ats;    /* the function's ATS enable bit, in its config space */
  uint8_t pasid;  /* the function's PASID enable bit */
  uint8_t
      stu; /* the function's own STU register as page shift; 0: never written */
  uint8_t stream_count; /* as the topology lists them */
  uint8_t group_domain; /* domain slot of the core's group->domain; ATSFUZZ_NONE
                           if static or none */
  uint8_t substream_count;
  struct atsfuzz_stream streams[ATSFUZZ_MAX_STREAMS];
  /* The valid CDs of its CD table beside CD 0, by PASID. */
  struct atsfuzz_substream substreams[ATSFUZZ_MAX_SUBSTREAMS];
};

struct atsfuzz_domain {
  uint8_t exists;      /* allocated (a default domain: of type DMA) */
  uint8_t finalised;   /* has a page table and a tag */
  uint8_t stage;       /* 1 or 2, once finalised */
  uint8_t smmu;        /* SMMU it belongs to, once finalised */
  uint16_t tag;        /* ASID (stage 1) or VMID (stage 2) */
  uint8_t has_counter; /* this kernel has nr_ats_masters */
  uint8_t has_array;   /* this kernel has invalidation arrays (7.1+) */
  int32_t nr_ats_masters;
  uint64_t table; /* physical address of the root page table */
  /*
   * Attachments on the driver's list, by function: of its RID (a nested
   * domain's are on its parent), and of its PASIDs.
   */
  uint8_t attachments[ATSFUZZ_MAX_FUNCTIONS];
  uint8_t pasid_attachments[ATSFUZZ_MAX_FUNCTIONS];
  /* The invalidation array: entries inv_first .. inv_first + num_invs of the
     observation's `invs`, trash among them. */
  uint8_t has_ats;
  uint8_t array_pad[3];
  uint32_t inv_first, num_invs, max_invs, num_trashes;
};

/* Same order as the kernel's enum arm_smmu_inv_type. */
enum atsfuzz_inv_type {
  ATSFUZZ_INV_S1_ASID,
  ATSFUZZ_INV_S2_VMID,
  ATSFUZZ_INV_S2_VMID_S1_CLEAR,
  ATSFUZZ_INV_ATS,
  ATSFUZZ_INV_ATS_FULL,
};

/* An entry of an invalidation array. */
struct atsfuzz_inv {
  uint8_t smmu;
  uint8_t type;  /* enum atsfuzz_inv_type */
  uint16_t rank; /* of the SMMU's address among the SMMUs: arrays sort by it */
  uint32_t id;   /* ASID, VMID or stream id */
  uint32_t ssid; /* ATS entries: PASID, 0 the RID */
  int32_t users; /* 0: trash */
};

/* An entry of an ATC. */
struct atsfuzz_atc_entry {
  uint8_t function;
  uint8_t stream; /* index into the function's streams */
  uint16_t pad;
  uint32_t pasid;
  uint64_t iova, physical, size;
  uint8_t writable;
};

/* An entry of an SMMU's IOTLB. */
struct atsfuzz_iotlb_entry {
  uint8_t smmu;
  uint8_t stage; /* 1: tagged by ASID and `vmid`, 2: tagged by VMID */
  uint16_t tag;
  uint8_t level; /* of the leaf, 1..3 */
  uint8_t pad;
  /* Stage 1 of a guest: its VMID, and `physical` is what stage 2 makes of the
     guest's address; 0 elsewhere. */
  uint16_t vmid;
  uint64_t iova, physical, size;
};

struct atsfuzz_observation {
  struct atsfuzz_function functions[ATSFUZZ_MAX_FUNCTIONS];
  struct atsfuzz_domain domains[ATSFUZZ_MAX_DOMAIN_SLOTS];
  const struct atsfuzz_atc_entry *atc;
  uint32_t atc_count;
  uint32_t iotlb_count;
  const struct atsfuzz_iotlb_entry *iotlb;
  /* The domains' invalidation arrays, one after the other. */
  const struct atsfuzz_inv *invs;
  uint32_t inv_count;
  /* Allocations made and not freed; devm memory of SMMUs not counted. */
  uint32_t allocations;
  /* Nodes in the SMMUs' stream trees. */
  uint32_t stream_nodes;
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_MODEL_OBSERVATION_H_ */
