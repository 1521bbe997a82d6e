#ifndef ATSFUZZ_LINUX_MODULE_H_
#define ATSFUZZ_LINUX_MODULE_H_

#include "model/limits.h"
#include "model/observation.h"

/*
 * The boundary between the program and one build of the real driver: a shared
 * object that holds the kernel's sources, the runtime around them, the emulated
 * SMMUs and the emulated functions. Plain C; not thread-safe: one machine per
 * loaded module.
 *
 * All memory of a machine lies in one arena at a fixed address and in the
 * module's own writable data, so a boot starts from the same bytes every time.
 */

#ifdef __cplusplus
extern "C" {
#endif

#define ATSFUZZ_MODULE_ABI 13
#define ATSFUZZ_MODULE_SYMBOL "atsfuzz_module"

struct atsfuzz_machine_smmu {
  uint8_t granules; /* bit 0: 4K, 1: 16K, 2: 64K */
  uint8_t stage1, stage2, ats, range_invalidation;
};

struct atsfuzz_machine_function {
  uint8_t kind; /* 0: PF, 1: VF, 2: platform */
  uint8_t pf;   /* VF: index of its PF */
  uint8_t smmu; /* ATSFUZZ_NONE: behind no SMMU */
  uint8_t ats, untrusted, eager, requires_ats;
  uint8_t
      leader; /* the function whose group it is in; its own index: its own */
  uint8_t pasid_bits;
  uint8_t default_identity; /* the group's first default domain */
  uint8_t stream_count;
  uint32_t streams[ATSFUZZ_MAX_STREAMS];
  char name[8];                  /* as the scenario calls it; dev_name() */
  uint64_t direct, direct_bytes; /* its reserved region; 0 bytes: none */
};

struct atsfuzz_machine_domain {
  uint8_t smmu, stage;
  uint8_t parent;           /* ATSFUZZ_NONE: not nested */
  uint8_t guest, guest_ats; /* nested: model::GuestEntry; its EATS */
  uint8_t process;          /* the address space of one */
};

struct atsfuzz_machine {
  uint32_t smmu_count, function_count, domain_count;
  struct atsfuzz_machine_smmu smmus[ATSFUZZ_MAX_SMMUS];
  struct atsfuzz_machine_function functions[ATSFUZZ_MAX_FUNCTIONS];
  struct atsfuzz_machine_domain domains[ATSFUZZ_MAX_DOMAINS];
};

/* Same order as model::OperationKind. */
enum atsfuzz_request_kind {
  ATSFUZZ_PROBE,
  ATSFUZZ_RELEASE,
  ATSFUZZ_CLAIM,
  ATSFUZZ_UNCLAIM,
  ATSFUZZ_ATTACH,
  ATSFUZZ_REPLACE,
  ATSFUZZ_DETACH,
  ATSFUZZ_SET_DEFAULT,
  ATSFUZZ_MAP,
  ATSFUZZ_UNMAP,
  ATSFUZZ_FLUSH,
  ATSFUZZ_DMA,
  ATSFUZZ_DOMAIN_NEW,
  ATSFUZZ_DOMAIN_FREE,
  ATSFUZZ_SET_PASID,
  ATSFUZZ_REPLACE_PASID,
  ATSFUZZ_CLEAR_PASID,
  ATSFUZZ_RESET_BEGIN,
  ATSFUZZ_RESET_END,
  ATSFUZZ_VDEVICE_FREE,
  ATSFUZZ_GUEST_FLUSH,
  ATSFUZZ_BIND,
  ATSFUZZ_UNBIND,
  ATSFUZZ_EXIT,
  ATSFUZZ_REQUEST_KINDS,
};

struct atsfuzz_request {
  uint8_t kind;
  uint8_t function; /* DOMAIN_NEW: the function it is allocated through */
  uint8_t domain;
  uint8_t stream;                  /* DMA: index into the function's streams */
  uint8_t queued;                  /* UNMAP */
  uint8_t identity;                /* SET_DEFAULT */
  uint8_t prepare_ats, enable_ats; /* faults */
  uint8_t config_writes;  /* fault: bit n-1, the n-th config write is lost */
  uint16_t alloc_sites;   /* fault: bit s, allocations at site s fail */
  uint64_t alloc_numbers; /* fault: bit n-1, the n-th allocation fails */
  uint64_t iova, size;    /* MAP, UNMAP, DMA: bytes */
  uint64_t physical;      /* MAP */
  uint32_t pasid;         /* *_PASID; DMA: 0 for traffic without */
  /* Faults by number, as model::Faults counts: bit n-1, the n-th. */
  uint8_t cmd_syncs, atc_timeouts;
};

/* What the kernel of a module has (linux/features.h); see model::Capabilities.
 */
struct atsfuzz_features {
  uint8_t pasids, replace_pasid, resets, requires_ats;
  uint8_t finalised; /* model::Finalised */
  uint8_t ats_asks_pf;
  uint8_t replace;
  uint8_t nesting;
  uint8_t sva;
};

/* A frame of a recorded call stack; innermost first. */
struct atsfuzz_frame {
  uint64_t address; /* of the call or the access, inside the module */
};

/* A fact whose last writer an instrumented build records. */
enum atsfuzz_fact {
  ATSFUZZ_FACT_BELIEF,  /* index: function */
  ATSFUZZ_FACT_COUNTER, /* index: domain slot */
  ATSFUZZ_FACT_STE,     /* index: function * ATSFUZZ_MAX_STREAMS + stream */
  ATSFUZZ_FACT_ATS,     /* index: function; its enable bit */
  ATSFUZZ_FACT_PASID,   /* index: function; its enable bit */
  ATSFUZZ_FACT_STREAM,  /* index: as STE; the stream tree's node */
  ATSFUZZ_FACTS,
};

#define ATSFUZZ_NOT_ALL 0xffffffffu

/* What keeps a thread of a `par` block from going on. */
enum atsfuzz_thread_status {
  ATSFUZZ_THREAD_READY,
  ATSFUZZ_THREAD_WAITING,  /* for a lock */
  ATSFUZZ_THREAD_SPINNING, /* for any change: an answer of the SMMU, a flag */
};

/* A lock that a thread waits for. */
struct atsfuzz_wait {
  const char *lock; /* as the source names it: "&group->mutex" */
  const char *file;
  uint32_t line;
  uint32_t holder; /* a thread; ATSFUZZ_NONE: readers */
};

/*
 * Threads side by side, on one CPU at a time. The caller gives each a stack and
 * switches between them; the module says where. A *step* ends before each
 * access that another CPU, an SMMU or a function may see: locks, marked
 * accesses, atomics, barriers, MMIO, config space, waits, and the accesses of a
 * DMA.
 *
 * The SMMUs consume commands only when told to, and grace periods may.
 */
struct atsfuzz_threads {
  /*
   * Until `end`, operations are those of threads 1 .. ATSFUZZ_MAX_THREADS.
   * Clears the events; all that happens until `end` is in one list. `leave` is
   * called on a thread's stack when it must not go on, and returns when it has
   * been selected again.
   */
  void (*begin)(void (*leave)(void *data), void *data);
  /*
   * The thread that runs from now on, and for how many steps, 1 or more. Not 0,
   * `plain`: it leaves before it comes to the last step, if it makes so many
   * plain accesses there (instrumented builds).
   * `weak`: its CPU keeps to itself until a barrier (linux/kernel/weak.c);
   * instrumented builds alone heed it.
   */
  void (*select)(uint32_t thread, uint32_t steps, uint32_t plain, int weak);
  /*
   * What the thread or the SMMU that moved last touched. *count =
   * ATSFUZZ_NOT_ALL: that is not known (other builds; far too much).
   */
  const struct atsfuzz_touch *(*touched)(uint32_t *count);
  /* Of the selected thread: how many it has not taken. */
  uint32_t (*steps_left)(void);
  /* On the selected thread's stack: module.operate for it. */
  int (*operate)(const struct atsfuzz_request *request);
  /* enum atsfuzz_thread_status, when it left. */
  uint32_t (*status)(uint32_t thread);
  /* Nonzero: going on with the thread may bring it further. */
  int (*ready)(uint32_t thread);
  /* What a thread waits for; NULL if it does not. */
  const struct atsfuzz_wait *(*wait)(uint32_t thread);
  /*
   * The index-th lock that a thread holds, from 0 on, by the name that its
   * maker gave it: "&group->mutex"; NULL if there are not so many.
   */
  const char *(*held)(uint32_t thread, uint32_t index);
  /* Nonzero: the SMMU may consume a command, or finish one. */
  int (*smmu_ready)(uint32_t smmu);
  void (*smmu_step)(uint32_t smmu);
  /*
   * Until `end`, grace periods go on only when told. Else each begins where
   * something waits for it, and ends as soon as who read then has left.
   */
  void (*hold_grace_periods)(void);
  /* Nonzero: one can begin, or end: who read when it began has left. */
  int (*grace_period_ready)(void);
  /* All do that can; those that begin, and find nobody who reads, both. */
  void (*move_grace_periods)(void);
  /*
   * Nothing is ready: time passes, as long as a spinning thread has a use for
   * it. 0: it never has.
   */
  int (*pass_time)(void);
  /* No operation is in flight, or the kernel died. */
  void (*end)(void);
};

struct atsfuzz_module {
  uint32_t abi;          /* ATSFUZZ_MODULE_ABI */
  uint32_t instrumented; /* records stacks and last writers */
  const struct atsfuzz_features *features;

  /*
   * Starts a machine afresh: everything before is gone. 0, or a negative
   * errno if the driver did not come up (the events say why).
   */
  int (*boot)(const struct atsfuzz_machine *machine);
  /*
   * Runs one operation to its end and returns what the kernel returned.
   * Clears the events first. Operations that return nothing give 0.
   */
  int (*operate)(const struct atsfuzz_request *request);
  /*
   * Ends the machine: frees the domains, releases the functions, removes
   * the SMMUs. The observation then tells what was left behind.
   */
  void (*shutdown)(void);

  /* Valid until the next call into the module. */
  const struct atsfuzz_observation *(*observe)(void);
  const struct atsfuzz_event *(*events)(uint32_t *count);

  /* Instrumented builds; 0 frames elsewhere. */
  uint32_t (*frames)(uint32_t stack, struct atsfuzz_frame *out, uint32_t max);
  /* The stack at the last write of a fact; 0: never written. */
  uint32_t (*last_writer)(uint32_t fact, uint32_t index);
  /* Instrumented builds: from the next boot on, data races are events, or not.
   */
  void (*ask_for_races)(int on);

  /* Edge counters of the kernel sources; zero-length if not compiled in. */
  uint8_t *(*coverage)(uint64_t *count);

  /*
   * Plain and instrumented builds; NULL elsewhere. After a boot, whatever
   * became of it: copies the whole state (the machine, the kernel's data, the
   * last observation and its events) into `buffer` and returns its bytes; if
   * there is not `room` for the most that it may take, only returns that. In
   * plain builds equal states give equal bytes. Coverage counters are no part
   * of it.
   */
  uint64_t (*snapshot)(void *buffer, uint64_t room);
  /*
   * Goes back to a snapshot that this loaded module took, in this process or in
   * one that it was forked from, however often and whatever was since.
   */
  void (*restore)(const void *buffer);

  const struct atsfuzz_threads *threads;
};

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_LINUX_MODULE_H_ */
