/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VMM_LAPIC_H
#define VMM_LAPIC_H

/*
 * Local APICs of the software CPU: one struct lapic per CPU, joined by a struct lapic_bus, over
 * which IPIs and MSIs travel (Intel SDM 3, chapter 11, "SDM" below). Registers are those of xAPIC
 * mode, 32 bits wide, in one page at APIC_BASE. x2APIC mode is left out. The version register
 * announces six LVT entries and no suppression of EOI broadcasts.
 *
 * Time is an argument, `now`: nanoseconds since an origin that the owner chooses, never less than
 * it was in an earlier call. The timer's input clock is 1 GHz, so a tick is a nanosecond before the
 * divider. The TSC that TSC-deadline mode compares with is `now` itself: an owner whose guest sees
 * another TSC converts IA32_TSC_DEADLINE on the way.
 *
 * Pure code without a clock, a thread, a lock or an allocation. All local APICs of a bus and the
 * bus itself belong to one thread: the software engine's CPUs take turns on one.
 *
 * Reserved bits read as 0; writes to them and to read-only registers are lost. An access to an
 * offset that is no register of this version reads as 0 or is lost, and sets ESR bit 7 (SDM
 * 11.5.3). The arbitration priority register (0x90) and the remote read register (0xc0) exist and
 * read as 0, as on every xAPIC.
 */

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_MAX 255 /* local APICs of a bus; destination 0xff is all of them */

/* Entries of the local vector table, in the order of their registers from 0x320 on (SDM 11.5.1). */
enum lapic_lvt { LVT_TIMER, LVT_THERMAL, LVT_PERF, LVT_LINT0, LVT_LINT1, LVT_ERROR, LVT_COUNT };

/*
 * Signals from local APICs to CPUs; none is NULL. The functions below call them on the caller's
 * thread, perhaps for another CPU than the one whose local APIC is accessed. An implementation may
 * read a local APIC, but changes none.
 */
struct lapic_ops {
	/* lapic_pending() has become true, or the PIC's output has reached a LINT0 that accepts it.
	 * May be called again while that holds. */
	void (*wake)(void *ctx, unsigned cpu);
	void (*nmi)(void *ctx, unsigned cpu);
	void (*smi)(void *ctx, unsigned cpu);
	/* The CPU is to be reset as by INIT; its local APIC has been already (SDM 11.4.7.3). */
	void (*init)(void *ctx, unsigned cpu);
	/* Start at vector << 12, if the CPU waits for a SIPI: the CPU knows whether it does. */
	void (*sipi)(void *ctx, unsigned cpu, uint8_t vector);
};

struct lapic {
	struct lapic_bus *bus; /* not owned */
	unsigned cpu;          /* which one, for struct lapic_ops; the ID after a reset */
	bool enabled;          /* IA32_APIC_BASE bit 11 */
	uint8_t id;
	uint32_t tpr, ldr, dfr, svr;
	uint32_t esr;    /* as a read shows it: what had been detected before the last write */
	uint32_t errors; /* detected since */
	uint32_t icr_low, icr_high;
	uint32_t lvt[LVT_COUNT];
	bool lint[2];                    /* the levels of pins LINT0 and LINT1 */
	uint32_t isr[8], tmr[8], irr[8]; /* a bit per vector */

	uint32_t timer_divide, timer_initial; /* the registers */
	uint64_t timer_expiry;                /* when the counter is 0 next; UINT64_MAX: stopped */
	uint64_t timer_deadline;              /* IA32_TSC_DEADLINE; 0: disarmed */
};

struct lapic_bus {
	const struct lapic_ops *ops;
	void *ctx;
	unsigned count;
	struct lapic *lapics[LAPIC_MAX]; /* by CPU; not owned */
	unsigned lowest;                 /* CPU that took the last lowest-priority interrupt */
};

/* Initialises a bus without local APICs. It keeps ops and ctx, and owns neither. */
void lapic_bus_init(struct lapic_bus *bus, const struct lapic_ops *ops, void *ctx);

/*
 * Initialises the local APIC of the next CPU, as after a power-up (SDM 11.4.7.1), and connects it
 * to the bus, which keeps its address. CPUs are numbered from 0, which is the boot CPU; there are
 * at most LAPIC_MAX.
 *
 * LINT0 is masked then, so the PIC's interrupts do not come through before the guest programs it.
 * KVM instead leaves the boot CPU's LINT0 as a PC's firmware would, unmasked with ExtINT.
 */
void lapic_init(struct lapic *lapic, struct lapic_bus *bus);

/* Puts the local APIC back into its power-up state, which is enabled by IA32_APIC_BASE (SDM
 * 11.4.7.1). The pins LINT0 and LINT1 keep their levels. */
void lapic_reset(struct lapic *lapic);

/*
 * A guest's access to the register at an offset below 4096 from APIC_BASE. An offset that is not a
 * multiple of 16 is no register. The access advances the timer to now first. While IA32_APIC_BASE
 * disables the local APIC, reads give all ones and writes are lost.
 */
uint32_t lapic_read(struct lapic *lapic, uint32_t offset, uint64_t now);
void lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value, uint64_t now);

/*
 * lapic_read() and lapic_write() for accesses of any length inside the page. SDM 11.4.1 defines
 * only those of 32 bits at a multiple of 16; here reads inside the four bytes of a register give
 * those bytes, other reads give 0, and other writes are lost.
 */
void lapic_mmio_read(
	struct lapic *lapic, uint32_t offset, uint8_t *data, unsigned len, uint64_t now);
void lapic_mmio_write(
	struct lapic *lapic, uint32_t offset, const uint8_t *data, unsigned len, uint64_t now);

/*
 * IA32_APIC_BASE (SDM 11.4.4). A write that returns false has no effect and raises #GP: it sets a
 * reserved bit, asks for x2APIC mode, or would relocate the page, which this local APIC refuses. A
 * write does not change the BSP flag. Clearing the enable flag resets all registers (SDM 11.4.3);
 * CPUID's APIC flag follows `enabled`.
 */
uint64_t lapic_base_read(const struct lapic *lapic);
bool lapic_base_write(struct lapic *lapic, uint64_t value);

/* IA32_TSC_DEADLINE (SDM 11.5.4.1). It reads as 0 while the timer is disarmed. In the other timer
 * modes it reads as 0 and writes are lost. A deadline that is not after now interrupts at once. */
uint64_t lapic_deadline_read(struct lapic *lapic, uint64_t now);
void lapic_deadline_write(struct lapic *lapic, uint64_t deadline, uint64_t now);

/* True if IRR has a vector whose priority class is above PPR's (SDM 11.8.3, 11.8.4). */
bool lapic_pending(const struct lapic *lapic);

/* Moves the highest vector of IRR to ISR and returns it: the CPU takes the interrupt. Without a
 * pending one it returns the spurious vector and leaves ISR as it is (SDM 11.9). */
uint8_t lapic_acknowledge(struct lapic *lapic);

/* True if the PIC's output interrupts this CPU: LINT0 is unmasked with delivery mode ExtINT, or
 * IA32_APIC_BASE disables the local APIC (SDM 11.4.3). */
bool lapic_accepts_extint(const struct lapic *lapic);

/*
 * Sets the level of pin LINT0 (number 0) or LINT1 (number 1). A rising edge does what the pin's LVT
 * entry says (SDM 11.5.1). A guest can set the entry's trigger mode and polarity, but pins are
 * always edge-triggered and active high. The owner connects the PIC's output to LINT0 of every CPU.
 */
void lapic_set_lint(struct lapic *lapic, unsigned number, bool level);

/* Returns when the timer interrupts next, in nanoseconds; UINT64_MAX if it will not as it is
 * programmed now, for example because its LVT entry is masked. */
uint64_t lapic_timer_next(const struct lapic *lapic);

/* Returns what the current-count register shows once lapic_timer_advance() was called with now. */
uint32_t lapic_timer_current(const struct lapic *lapic, uint64_t now);

/*
 * Lets the timer interrupt if it was due by now. Several missed periods become one interrupt, and
 * the next one is after now and in phase. The work does not depend on the time or the period.
 */
void lapic_timer_advance(struct lapic *lapic, uint64_t now);

/*
 * Delivers a message of the IOAPIC or a device (SDM 11.11); struct ioapic_route has these two
 * words. A message is dropped if its address is not 0xfee?????, if its delivery mode is reserved or
 * ExtINT, or if it is level-triggered and reports a low level. A fixed vector below 16 sets ESR bit
 * 6 of the receivers and interrupts nobody.
 */
void lapic_bus_msi(struct lapic_bus *bus, uint32_t address, uint32_t data);

struct snapshot_stream;

/* Transfers the state of a local APIC, and what the bus itself keeps, which belongs to all of its
 * local APICs, to or from a stream (snapshot/stream.h). Nobody is interrupted. */
void lapic_transfer(struct lapic *lapic, struct snapshot_stream *stream);
void lapic_bus_transfer(struct lapic_bus *bus, struct snapshot_stream *stream);

#endif
