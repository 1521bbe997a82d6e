#ifndef ATSFUZZ_MODEL_MACHINE_FUNCTION_H_
#define ATSFUZZ_MODEL_MACHINE_FUNCTION_H_

#include "model/machine/context.h"

// A PCI function: its config space and ATC, and what drivers/pci/ats.c and the
// PCI core do with them. `f` is the function's index.
namespace atsfuzz::machine {

// ---- drivers/pci/ats.c. Errors as the kernel returns them.
bool PciAtsSupported(const Context& c, int f);
int PciPrepareAts(Context& c, int f);
int PciEnableAts(Context& c, int f);
void PciDisableAts(Context& c, int f);
int PciEnablePasid(Context& c, int f);
void PciDisablePasid(Context& c, int f);
// A function level reset between pci_save_state and pci_restore_state: control
// registers and ATC are cleared, and what the pci_dev remembers is written
// back.
void PciReset(Context& c, int f);

// ---- The ATC. `s`: index into the function's streams.
AtcEntry AtcAt(const State& state, int f, int s, int ssid, int page);
void SetAtc(State& state, int f, int s, int ssid, int page, AtcEntry entry,
            int stu);
void ClearAtc(State& state, int f);
// An Invalidate Request for a stream of the board. ssid 0: every PASID.
void InvalidateAtc(Context& c, int stream, int ssid, unsigned pages);
// Entries filled from the pages of a slot become stale: they were unmapped.
void MakeAtcStale(State& state, int slot, unsigned pages);

}  // namespace atsfuzz::machine

#endif  // ATSFUZZ_MODEL_MACHINE_FUNCTION_H_
