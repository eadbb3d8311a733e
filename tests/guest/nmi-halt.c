/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Halts in the handler of an NMI while another NMI is pending, which is masked until IRET (Intel
 * SDM 3, 6.7.1): only the local APIC's timer wakes the CPU. Exit status 7, by the timer's handler.
 */

#include "check.h"
#include "x86.h"

#define APIC            0xfee00000
#define APIC_SVR        0x0f0
#define APIC_ICR_LOW    0x300
#define APIC_LVT_TIMER  0x320
#define APIC_INITIAL    0x380
#define ICR_NMI_TO_SELF 0x4400 /* physical destination 0 */
#define SVR_ENABLED     0x1ff
#define TIMER_VECTOR    0x30
#define TICKS           100000
#define INTERRUPT_GATE  0x8e00

struct gate {
	uint16_t offset_low, selector, rights, offset_high;
};

static struct gate idt[TIMER_VECTOR + 1];

void on_nmi(void), on_timer(void);
__asm__(".text\n"
	"on_nmi:\n"
	"	movl $0x4400, 0xfee00300\n"
	"	sti\n"
	"1:	hlt\n"
	"	jmp 1b\n"
	"on_timer:\n"
	"	movl $7, %eax\n"
	"	movl $0xf4, %edx\n"
	"	outl %eax, %dx\n");

static void set_gate(unsigned vector, void (*handler)(void))
{
	uint16_t cs;

	__asm__("movw %%cs, %0" : "=r"(cs));
	idt[vector] = (struct gate){
		.offset_low = (uint16_t)(uint32_t)handler,
		.selector = cs,
		.rights = INTERRUPT_GATE,
		.offset_high = (uint16_t)((uint32_t)handler >> 16),
	};
}

int main(const struct start_info *info)
{
	const struct {
		uint16_t limit;
		uint32_t base;
	} __attribute__((packed)) idtr = {sizeof idt - 1, (uint32_t)idt};

	(void)info;
	interrupts_off();
	set_gate(2, on_nmi);
	set_gate(TIMER_VECTOR, on_timer);
	__asm__ volatile("lidt %0" : : "m"(idtr) : "memory");
	write32(APIC + APIC_SVR, SVR_ENABLED);
	write32(APIC + APIC_LVT_TIMER, TIMER_VECTOR);
	write32(APIC + APIC_INITIAL, TICKS);
	write32(APIC + APIC_ICR_LOW, ICR_NMI_TO_SELF);
	halt_forever();
}
