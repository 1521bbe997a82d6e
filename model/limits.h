#ifndef ATSFUZZ_MODEL_LIMITS_H_
#define ATSFUZZ_MODEL_LIMITS_H_

/*
 * The largest machine that a scenario may describe. Plain C, because the
 * kernel side of a driver module sizes its tables by these too.
 */

enum {
  ATSFUZZ_MAX_SMMUS = 2,
  ATSFUZZ_MAX_FUNCTIONS = 8,
  ATSFUZZ_MAX_DOMAINS = 6,
  /* Stream ids of one function. */
  ATSFUZZ_MAX_STREAMS = 4,
  /* Different PASIDs of one scenario. */
  ATSFUZZ_MAX_PASIDS = 4,
  /*
   * Observed domains: the declared ones first, then by leader the groups'
   * default domains (slot ATSFUZZ_MAX_DOMAINS + function), then by leader their
   * blocking domains, where these are paging domains with nothing in them
   * (6.1).
   */
  ATSFUZZ_FIRST_BLOCKING = ATSFUZZ_MAX_DOMAINS + ATSFUZZ_MAX_FUNCTIONS,
  ATSFUZZ_MAX_DOMAIN_SLOTS = ATSFUZZ_FIRST_BLOCKING + ATSFUZZ_MAX_FUNCTIONS,
  /* Pages of a domain's address space that a scenario can name. */
  ATSFUZZ_MAX_PAGES = 1024,
  /* Processes of one scenario. */
  ATSFUZZ_MAX_PROCESSES = 2,
  /* PASIDs that can be in use: those that are named, and one a process. */
  ATSFUZZ_MAX_SUBSTREAMS = ATSFUZZ_MAX_PASIDS + ATSFUZZ_MAX_PROCESSES,
  /* Threads of a `par` block; they count from 1. 0 is who does everything
   * outside of it. */
  ATSFUZZ_MAX_THREADS = 4,
};

/* "No function", "no SMMU": an index that names nothing. */
#define ATSFUZZ_NONE 0xffu

#endif /* ATSFUZZ_MODEL_LIMITS_H_ */
