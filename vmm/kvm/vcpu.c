/* SPDX-License-Identifier: BSD-2-Clause */
#include "kvm/vcpu.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "container.h"
#include "cpu/register_bits.h"
#include "error_text.h"
#include "log.h"

/* Where a CPU begins after a reset (Intel SDM 3, 10.1.4). */
#define RESET_RIP     0xfff0
#define RESET_CS_BASE 0xffff0000

/* Type of a segment descriptor: code or data, accessed (Intel SDM 3, 3.4.5.1). */
#define SEGMENT_CODE 11
#define SEGMENT_DATA 3

static struct vcpu *vcpu_of(struct cpu *cpu)
{
	return container_of(cpu, struct vcpu, cpu);
}

/* --- what is asked of a CPU ------------------------------------------------------------------- */

static struct cpu_segment segment_of(const struct kvm_segment *segment)
{
	return (struct cpu_segment){segment->selector, segment->limit, segment->base};
}

static struct cpu_table table_of(const struct kvm_dtable *table)
{
	return (struct cpu_table){table->base, table->limit};
}

static void convert(struct cpu_registers *to, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	*to = (struct cpu_registers){
		.general = {r->rax, r->rcx, r->rdx, r->rbx, r->rsp, r->rbp, r->rsi, r->rdi, r->r8,
			r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15},
		.rip = r->rip,
		.rflags = r->rflags,
		.cr0 = s->cr0,
		.cr2 = s->cr2,
		.cr3 = s->cr3,
		.cr4 = s->cr4,
		.efer = s->efer,
		.cs = segment_of(&s->cs),
		.ss = segment_of(&s->ss),
		.ds = segment_of(&s->ds),
		.es = segment_of(&s->es),
		.fs = segment_of(&s->fs),
		.gs = segment_of(&s->gs),
		.ldt = segment_of(&s->ldt),
		.tr = segment_of(&s->tr),
		.gdt = table_of(&s->gdt),
		.idt = table_of(&s->idt),
	};
}

/* After a shutdown an AMD processor leaves nothing that is defined, so KVM resets the vCPU (AMD
 * manual 2, 15.14.3); others keep it as it was. */
static bool was_reset(const struct vcpu *vcpu, const struct kvm_regs *r, const struct kvm_sregs *s)
{
	return vcpu->run->exit_reason == KVM_EXIT_SHUTDOWN && r->rip == RESET_RIP &&
	       s->cs.base == RESET_CS_BASE;
}

static int vcpu_registers(struct cpu *cpu, struct cpu_registers *registers)
{
	struct vcpu *vcpu = vcpu_of(cpu);
	struct kvm_regs r;
	struct kvm_sregs s;

	if (ioctl(vcpu->fd, KVM_GET_REGS, &r) < 0 || ioctl(vcpu->fd, KVM_GET_SREGS, &s) < 0)
		return -errno;
	if (was_reset(vcpu, &r, &s))
		return -ENODATA;
	convert(registers, &r, &s);
	return 0;
}

/* KVM_TRANSLATE refuses without paging on some hosts, so it is asked only with it. */
static int vcpu_translate(struct cpu *cpu, uint64_t linear, uint64_t *gpa)
{
	struct vcpu *vcpu = vcpu_of(cpu);
	struct kvm_translation translation = {.linear_address = linear};
	struct kvm_sregs asked;
	const struct kvm_sregs *sregs = vcpu->sregs ? vcpu->sregs : &asked;

	*gpa = linear;
	if (!vcpu->sregs && ioctl(vcpu->fd, KVM_GET_SREGS, &asked) < 0)
		return -EFAULT;
	if (!(sregs->cr0 & X86_CR0_PG))
		return 0;
	if (ioctl(vcpu->fd, KVM_TRANSLATE, &translation) < 0 || !translation.valid)
		return -EFAULT;
	*gpa = translation.physical_address;
	return 0;
}

static uint64_t vcpu_position(struct cpu *cpu)
{
	struct vcpu *vcpu = vcpu_of(cpu);
	struct kvm_regs regs = {0};
	struct kvm_sregs sregs = {0};

	ioctl(vcpu->fd, KVM_GET_REGS, &regs);
	ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	return sregs.cs.base + regs.rip;
}

static const struct cpu_ops vcpu_ops = {
	.registers = vcpu_registers,
	.translate = vcpu_translate,
	.position = vcpu_position,
};

/* --- making one ------------------------------------------------------------------------------- */

int vcpu_init(struct vcpu *vcpu, const struct kvm *kvm, unsigned id)
{
	void *run;

	*vcpu = VCPU_EMPTY;
	vcpu->cpu.ops = &vcpu_ops;
	vcpu->cpu.id = id;
	vcpu->run_size = kvm->run_size;
	vcpu->fd = kvm_create_vcpu(kvm, id);
	if (vcpu->fd < 0)
		return vcpu->fd;
	run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (run == MAP_FAILED) {
		int ret = -errno;

		say("mapping vCPU %u: %s", id, error_text(-ret));
		return ret;
	}
	vcpu->run = run;
	return 0;
}

void vcpu_free(struct vcpu *vcpu)
{
	if (vcpu->run)
		munmap(vcpu->run, vcpu->run_size);
	if (vcpu->counters >= 0)
		close(vcpu->counters);
	if (vcpu->fd >= 0)
		close(vcpu->fd);
	pthread_cond_destroy(&vcpu->changed);
	pthread_mutex_destroy(&vcpu->lock);
}

/* --- entry states ----------------------------------------------------------------------------- */

static struct kvm_segment flat_segment(uint16_t selector, uint8_t type)
{
	return (struct kvm_segment){
		.base = 0,
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.dpl = 0,
		.db = 1,
		.s = 1,
		.g = 1,
	};
}

static void set_flat32(struct kvm_sregs *sregs, const struct entry_state *state)
{
	sregs->cs = flat_segment(state->code_selector, SEGMENT_CODE);
	sregs->ds = flat_segment(state->data_selector, SEGMENT_DATA);
	sregs->es = sregs->fs = sregs->gs = sregs->ss = sregs->ds;
	sregs->gdt.base = state->gdt_base;
	sregs->gdt.limit = state->gdt_limit;
	sregs->idt.base = state->idt_base;
	sregs->idt.limit = state->idt_limit;
	sregs->ldt = (struct kvm_segment){.unusable = 1};
	sregs->cr0 = X86_CR0_PE | X86_CR0_ET;
	sregs->cr4 = 0;
}

/* As after a load of the selector in real mode (Intel SDM 3, 21.1.1). */
static void move_segment(struct kvm_segment *segment, uint16_t selector)
{
	segment->selector = selector;
	segment->base = 16u * selector;
}

/* As after reset, but for the segments. */
static void set_real16(struct kvm_sregs *sregs, const struct entry_state *state)
{
	struct kvm_segment *data[] = {&sregs->ds, &sregs->es, &sregs->fs, &sregs->gs, &sregs->ss};

	move_segment(&sregs->cs, state->code_selector);
	for (size_t i = 0; i < sizeof data / sizeof *data; i++)
		move_segment(data[i], state->data_selector);
}

int vcpu_set_state(struct vcpu *vcpu, const struct entry_state *state)
{
	struct kvm_regs regs = {
		.rax = state->eax,
		.rbx = state->ebx,
		.rsi = state->esi,
		.rsp = state->esp,
		.rip = state->eip,
		.rflags = 0x2, /* the bit that is always set; interrupts off */
	};
	struct kvm_sregs sregs;
	int ret;

	if (state->mode == ENTRY_RESET)
		return 0;
	ret = kvm_ioctl(vcpu->fd, KVM_GET_SREGS, &sregs);
	if (ret < 0)
		return ret;
	if (state->mode == ENTRY_FLAT32)
		set_flat32(&sregs, state);
	else
		set_real16(&sregs, state);
	ret = kvm_ioctl(vcpu->fd, KVM_SET_SREGS, &sregs);
	if (ret < 0)
		return ret;
	return kvm_ioctl(vcpu->fd, KVM_SET_REGS, &regs);
}
