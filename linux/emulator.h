#ifndef ATSFUZZ_LINUX_EMULATOR_H_
#define ATSFUZZ_LINUX_EMULATOR_H_

#include "linux/module.h"

/*
 * The hardware of a machine: SMMUs (registers, command queue, configuration
 * cache, IOTLB, table walks) and functions (config space, ATC). Plain C without
 * kernel headers; the kernel's runtime (linux/kernel/) calls it for every MMIO
 * and config access, and it calls back for memory and for the event log.
 *
 * A DMA address is a host pointer. All state is static and starts at zero, so a
 * restored data segment is a powered-off machine.
 */

#ifdef __cplusplus
extern "C" {
#endif

/* Powers the machine on: registers at reset values, config spaces filled in. */
void atsfuzz_emulator_boot(const struct atsfuzz_machine *machine);
/* The operation that is about to run; its config-write, cmd-sync and
 * atc-timeout faults apply. NULL: no operation (shutdown), no faults. */
void atsfuzz_emulator_begin(const struct atsfuzz_request *request);

/* MMIO. offset: from the SMMU's base; page 1 is at 0x10000. size: 4 or 8. */
uint64_t atsfuzz_emulator_mmio_read(uint32_t smmu, uint32_t offset,
                                    uint32_t size);
void atsfuzz_emulator_mmio_write(uint32_t smmu, uint32_t offset, uint64_t value,
                                 uint32_t size);

/*
 * Interrupts (specification, section 3.18). Each is raised once, when its cause
 * comes up while IRQ_CTRL enables it.
 */
enum {
  ATSFUZZ_INTERRUPT_GERROR = 1, /* a global error */
  ATSFUZZ_INTERRUPT_EVTQ = 2,   /* the event queue is no longer empty */
};
/* The interrupts that an SMMU has raised since the last call. */
uint32_t atsfuzz_emulator_take_interrupts(uint32_t smmu);
/* Nonzero: an SMMU's command queue is stalled (`cmd-sync`). */
int atsfuzz_emulator_stalled(void);

/*
 * Lazy: an SMMU consumes its commands one by one, when told to. Not lazy:
 * whatever is left, and from then on as they come.
 */
void atsfuzz_emulator_set_lazy(int lazy);
/*
 * Nonzero: there is a command that the SMMU may consume. A CMD_SYNC waits for
 * the accesses in flight that an invalidation before it has hit.
 */
int atsfuzz_emulator_can_consume(uint32_t smmu);
void atsfuzz_emulator_consume(uint32_t smmu);

/* PCI config space of a function, 4 KiB. size: 1, 2 or 4. */
uint32_t atsfuzz_emulator_config_read(uint32_t function, uint32_t offset,
                                      uint32_t size);
void atsfuzz_emulator_config_write(uint32_t function, uint32_t offset,
                                   uint32_t value, uint32_t size);
/* A function level reset: its ATC is empty, ATS and PASID are off, STU is 0. */
void atsfuzz_emulator_reset_function(uint32_t function);
/* Offsets of the extended capabilities in every config space that has them. */
enum {
  ATSFUZZ_CONFIG_ATS_CAP = 0x100, /* PCI_EXT_CAP_ID_ATS, control at +6 */
  ATSFUZZ_CONFIG_PASID_CAP =
      0x140, /* PCI_EXT_CAP_ID_PASID, cap +4, control +6 */
};

/*
 * The function accesses one byte at `iova` through stream `stream` (an index),
 * with a PASID unless that is 0. The function's PASID control is not asked:
 * what a function sends is the scenario's affair, as in model/machine/.
 */
void atsfuzz_emulator_dma(uint32_t function, uint32_t stream, uint32_t pasid,
                          uint64_t iova);

/*
 * A CPU stored a 64-bit word to DMA memory with WRITE_ONCE: if it is part of a
 * stream table entry of an SMMU, logs an STE_WRITE. CD writes are logged by the
 * glue, which knows whose table it is. Returns nonzero if it was an STE.
 */
int atsfuzz_emulator_stored(const void *address, uint64_t old_value,
                            uint64_t new_value);

/* Fills ste, cd, route, eats, cd_valid, asid, vmid, table of the stream with id
 * `id` of an SMMU, read from memory (never from a cache). */
void atsfuzz_emulator_observe_stream(uint32_t smmu, uint32_t id,
                                     struct atsfuzz_stream *out);
/* Fills ats, pasid and stu of a function. */
void atsfuzz_emulator_observe_function(uint32_t function,
                                       struct atsfuzz_function *out);
const struct atsfuzz_atc_entry *atsfuzz_emulator_atc(uint32_t *count);
const struct atsfuzz_iotlb_entry *atsfuzz_emulator_iotlb(uint32_t *count);

/*
 * Snapshots (linux/kernel/runtime.h). The emulator's state is one large
 * variable, of which the parts are in use. Before a restore it is switched off:
 * what the parts of the snapshot leave out must be zero.
 */
void atsfuzz_emulator_large(void (*variable)(void *start, uint64_t bytes));
void atsfuzz_emulator_parts(void (*part)(void *start, uint64_t bytes));
void atsfuzz_emulator_switch_off(void);

/* ---- Provided by the runtime ------------------------------------------ */

/* The thread that runs: an access in flight is a thread's. */
uint32_t atsfuzz_running_thread(void);
/* Others may go on before the next access of an SMMU or a function. */
void atsfuzz_hardware_step(void);

/* Appends an event, zeroed but for kind, smmu and function (ATSFUZZ_NONE) and
 * the kernel's current place; the caller fills in the rest. Never NULL. */
struct atsfuzz_event *atsfuzz_event_add(uint16_t kind);
/* Nonzero if [address, address + size) lies in one live allocation of DMA
 * memory (or of io-pgtable pages). */
int atsfuzz_dma_memory_live(uint64_t address, uint64_t size);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* ATSFUZZ_LINUX_EMULATOR_H_ */
