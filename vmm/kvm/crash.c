/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/crash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "exit_status.h"
#include "kvm/complete.h"
#include "log.h"

/* Bytes of code that are shown; no x86 instruction is longer than 15. */
#define CODE_BYTES 16

#define EFER_LMA 0x400 /* long mode is active (Intel SDM 3, 2.2.1) */

/* Where a CPU begins after a reset (Intel SDM 3, 10.1.4). */
#define RESET_RIP     0xfff0
#define RESET_CS_BASE 0xffff0000

struct place {
	char text[128];
};

/* An address with the symbol it lies in, or after. */
static struct place place(struct vcpu *vcpu, uint64_t address)
{
	struct place place;
	uint32_t offset;
	const char *symbol = vcpu->ops->symbol(vcpu, address, &offset);
	int len = snprintf(place.text, sizeof place.text, "0x%08" PRIx64, address);

	if (symbol)
		snprintf(place.text + len, sizeof place.text - (size_t)len, " (%.80s+0x%x)", symbol,
			offset);
	return place;
}

static void show_code(
	struct vcpu *vcpu, const struct kvm_sregs *sregs, const char *name, uint64_t eip)
{
	uint8_t bytes[CODE_BYTES];
	char text[3 * CODE_BYTES + 1] = "";
	size_t len = linear_read(vcpu, sregs, eip, bytes, sizeof bytes);

	if (len == 0) {
		say("  code at %s: none, there is no memory", name);
		return;
	}
	for (size_t i = 0; i < len; i++)
		snprintf(text + 3 * i, 4, " %02x", bytes[i]);
	say("  code at %s:%s", name, text);
}

static void show_32(const struct kvm_regs *r, const struct kvm_sregs *s, const struct place *eip)
{
	say("  EAX %08x  EBX %08x  ECX %08x  EDX %08x", (uint32_t)r->rax, (uint32_t)r->rbx,
		(uint32_t)r->rcx, (uint32_t)r->rdx);
	say("  ESI %08x  EDI %08x  EBP %08x  ESP %08x", (uint32_t)r->rsi, (uint32_t)r->rdi,
		(uint32_t)r->rbp, (uint32_t)r->rsp);
	say("  EIP %s  EFLAGS %08x", eip->text, (uint32_t)r->rflags);
	say("  CR0 %08x  CR2 %08x  CR3 %08x  CR4 %08x", (uint32_t)s->cr0, (uint32_t)s->cr2,
		(uint32_t)s->cr3, (uint32_t)s->cr4);
}

static void show_64(const struct kvm_regs *r, const struct kvm_sregs *s, const struct place *rip)
{
	say("  RAX %016llx  RBX %016llx  RCX %016llx", r->rax, r->rbx, r->rcx);
	say("  RDX %016llx  RSI %016llx  RDI %016llx", r->rdx, r->rsi, r->rdi);
	say("  RBP %016llx  RSP %016llx  R8  %016llx", r->rbp, r->rsp, r->r8);
	say("  R9  %016llx  R10 %016llx  R11 %016llx", r->r9, r->r10, r->r11);
	say("  R12 %016llx  R13 %016llx  R14 %016llx", r->r12, r->r13, r->r14);
	say("  R15 %016llx", r->r15);
	say("  RIP %s  RFLAGS %08llx", rip->text, r->rflags);
	say("  CR0 %08llx  CR2 %016llx  CR3 %016llx  CR4 %08llx  EFER %08llx", s->cr0, s->cr2,
		s->cr3, s->cr4, s->efer);
}

static void show_registers(struct vcpu *vcpu)
{
	struct kvm_regs r;
	struct kvm_sregs s;
	struct place at;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0) {
		say("  registers: %s", strerror(errno));
		return;
	}
	at = place(vcpu, s.cs.base + r.rip);
	if (s.efer & EFER_LMA)
		show_64(&r, &s, &at);
	else
		show_32(&r, &s, &at);
	say("  CS %04x  SS %04x  DS %04x  ES %04x  GDT %08llx+%x  IDT %08llx+%x", s.cs.selector,
		s.ss.selector, s.ds.selector, s.es.selector, s.gdt.base, s.gdt.limit, s.idt.base,
		s.idt.limit);
	show_code(vcpu, &s, s.efer & EFER_LMA ? "RIP" : "EIP", s.cs.base + r.rip);
}

static struct place here(struct vcpu *vcpu)
{
	return place(vcpu, vcpu_rip(vcpu));
}

/* One CPU reports, whole; what others run into at the same moment is not the cause. The machine
 * ends first: the report may have to wait for its reader. */
static bool begin(struct vcpu *vcpu)
{
	if (!vcpu->ops->begin_report(vcpu))
		return false;
	vcpu->ops->end(vcpu, EXIT_STATUS_CRASH);
	return true;
}

static void end(struct vcpu *vcpu)
{
	vcpu->ops->end_report(vcpu);
}

/* After a shutdown an AMD processor leaves nothing that is defined, so KVM resets the vCPU (AMD
 * manual 2, 15.14.3); others keep it as it was. */
static bool was_reset(struct vcpu *vcpu)
{
	struct kvm_regs r;
	struct kvm_sregs s;

	return ioctl(vcpu->fd, KVM_GET_REGS, &r) == 0 && ioctl(vcpu->fd, KVM_GET_SREGS, &s) == 0 &&
	       r.rip == RESET_RIP && s.cs.base == RESET_CS_BASE;
}

void crash_triple_fault(struct vcpu *vcpu)
{
	if (!begin(vcpu))
		return;
	if (was_reset(vcpu)) {
		say("guest crashed: triple fault on CPU %u", vcpu->id);
		say("  registers: lost, since this host's KVM resets a CPU that shuts down");
		end(vcpu);
		return;
	}
	say("guest crashed: triple fault on CPU %u, at %s", vcpu->id, here(vcpu).text);
	show_registers(vcpu);
	end(vcpu);
}

void crash_instruction(struct vcpu *vcpu)
{
	if (!begin(vcpu))
		return;
	say("guest crashed: CPU %u cannot execute the instruction at %s", vcpu->id,
		here(vcpu).text);
	show_registers(vcpu);
	end(vcpu);
}

void crash_mmio(struct vcpu *vcpu, uint64_t address, bool write, const uint8_t *data, unsigned len,
	int error)
{
	const char *why = error == -EROFS ? "which is read-only" : "where nothing answers";

	if (!begin(vcpu))
		return;
	if (write)
		say("guest crashed: CPU %u stores 0x%" PRIx64 " (%u bytes) to %s, %s", vcpu->id,
			vcpu_value(data, len), len, place(vcpu, address).text, why);
	else
		say("guest crashed: CPU %u loads %u bytes from %s, %s", vcpu->id, len,
			place(vcpu, address).text, why);
	say("  %s %s", write ? "by the instruction before or at" : "by the instruction at",
		here(vcpu).text);
	show_registers(vcpu);
	end(vcpu);
}

void crash_port(struct vcpu *vcpu, uint16_t port, bool write, const uint8_t *data, unsigned len)
{
	if (!begin(vcpu))
		return;
	if (write)
		say("guest crashed: CPU %u writes 0x%" PRIx64 " (%u bytes) to port 0x%x, where "
		    "nothing answers",
			vcpu->id, vcpu_value(data, len), len, port);
	else
		say("guest crashed: CPU %u reads %u bytes from port 0x%x, where nothing answers",
			vcpu->id, len, port);
	say("  %s %s", write ? "by the instruction before or at" : "by the instruction at",
		here(vcpu).text);
	show_registers(vcpu);
	end(vcpu);
}
