/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The engine that executes guest code by KVM, on a thread for each CPU.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "container.h"
#include "cpu/engine.h"
#include "error_text.h"
#include "exit_status.h"
#include "kvm/counters.h"
#include "kvm/debug.h"
#include "kvm/doctor_kvm.h"
#include "kvm/kvm.h"
#include "kvm/kvm_caps.h"
#include "kvm/kvm_pics.h"
#include "kvm/kvm_rules.h"
#include "kvm/kvm_transfer.h"
#include "kvm/vcpu_state.h"
#include "kvm/vcpu_thread.h"
#include "layout.h"
#include "log.h"
#include "monotonic.h"

struct kvm_engine {
	struct engine engine;
	struct kvm kvm;
	enum engine_irqchip irqchip;
	const struct memory *memory; /* not owned */
	struct kvm_debug *debug;     /* NULL: there is no debugger. Owned */
	int irqfds[IOAPIC_PINS];     /* of connected GSIs; -1: not connected, or a PC's */
	int counters;                /* of KVM's counters of the VM; -1: none */
	unsigned vcpu_count;         /* so many of vcpus are made, the last one perhaps by half */
	struct vcpu vcpus[];
};

static struct kvm_engine *kvm_engine_of(struct engine *engine)
{
	return container_of(engine, struct kvm_engine, engine);
}

static const char *kvm_engine_absent(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	const char *reason = NULL;

	if (fd < 0)
		return strerror(errno);
	if (ioctl(fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		reason = "no KVM that vole knows";
	close(fd);
	return reason;
}

/* --- making and freeing ----------------------------------------------------------------------- */

static int add_memory(struct kvm *kvm, const struct memory *memory)
{
	for (unsigned i = 0; i < memory->gmem.count; i++) {
		const struct gmem_region *region = &memory->regions[i];
		int ret = kvm_add_memory(
			kvm, region->base, region->size, region->host, !region->writable);

		if (ret < 0)
			return ret;
	}
	return 0;
}

static int add_irqchip(struct kvm *kvm, enum engine_irqchip irqchip)
{
	switch (irqchip) {
	case ENGINE_IRQCHIP_APIC:
		return kvm_create_split_irqchip(kvm);
	case ENGINE_IRQCHIP_PC:
		return kvm_create_pc_irqchip(kvm);
	case ENGINE_IRQCHIP_NONE:
		break;
	}
	return 0;
}

static int add_vcpus(struct kvm_engine *engine, const struct engine_setup *setup)
{
	while (engine->vcpu_count < setup->cpu_count) {
		unsigned id = engine->vcpu_count++; /* free() undoes a half-made one too */
		struct vcpu *vcpu = &engine->vcpus[id];
		int ret = vcpu_init(vcpu, &engine->kvm, id);

		if (ret < 0)
			return ret;
		vcpu->cpu.host = setup->host;
		vcpu->cpu.ctx = setup->ctx;
		vcpu->cpu.gmem = &setup->memory->gmem;
		vcpu->cpu.log = setup->log;
	}
	return 0;
}

/* A KVM without counters has nothing to open; otherwise the first failure is said, and the machine
 * runs with the counters that are open. */
static void open_counters(struct kvm_engine *engine)
{
	if (!kvm_has(engine->kvm.fd, KVM_CAP_BINARY_STATS_FD))
		return;
	engine->counters = kvm_counters_open(engine->kvm.vm);
	if (engine->counters < 0)
		return;
	for (unsigned i = 0; i < engine->vcpu_count; i++) {
		struct vcpu *vcpu = &engine->vcpus[i];

		vcpu->counters = kvm_counters_open(vcpu->fd);
		if (vcpu->counters < 0)
			return;
	}
}

/* The order matters: see kvm_add_memory(). */
static int kvm_engine_open(struct engine **opened, const struct engine_setup *setup)
{
	struct kvm_engine *engine =
		calloc(1, sizeof *engine + setup->cpu_count * sizeof *engine->vcpus);
	int ret;

	*opened = NULL;
	if (!engine) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	*opened = &engine->engine;
	engine->engine.ops = &engine_kvm;
	engine->kvm = KVM_EMPTY;
	engine->counters = -1;
	engine->irqchip = setup->irqchip;
	engine->memory = setup->memory;
	for (unsigned gsi = 0; gsi < IOAPIC_PINS; gsi++)
		engine->irqfds[gsi] = -1;
	ret = kvm_init(&engine->kvm);
	if (ret == 0)
		ret = add_memory(&engine->kvm, setup->memory);
	if (ret == 0)
		ret = add_irqchip(&engine->kvm, setup->irqchip);
	if (ret == 0)
		ret = add_vcpus(engine, setup);
	if (ret < 0)
		return ret;
	if (setup->counters)
		open_counters(engine);
	kvm_close_device(&engine->kvm);
	engine->engine.tsc_khz = kvm_tsc_khz(engine->vcpus[0].fd);
	return 0;
}

static void kvm_engine_free(struct engine *base)
{
	struct kvm_engine *engine = kvm_engine_of(base);

	while (engine->vcpu_count > 0)
		vcpu_free(&engine->vcpus[--engine->vcpu_count]);
	for (unsigned gsi = 0; gsi < IOAPIC_PINS; gsi++)
		if (engine->irqfds[gsi] >= 0)
			close(engine->irqfds[gsi]);
	if (engine->counters >= 0)
		close(engine->counters);
	kvm_free(&engine->kvm);
	free(engine->debug);
	free(engine);
}

/* --- interrupts and kicks --------------------------------------------------------------------- */

static int kvm_engine_set_routes(
	struct engine *engine, const struct ioapic_route routes[IOAPIC_PINS])
{
	return kvm_set_routes(&kvm_engine_of(engine)->kvm, routes);
}

/* KVM has an irqfd's MSI in the guest at once. One of a pin of its own interrupt controllers it
 * leaves to a thread of the kernel's, so that each interrupt wakes that first: those pins are set
 * by hand. */
static int kvm_engine_connect(struct engine *base, unsigned gsi)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	int fd;

	if (engine->irqchip == ENGINE_IRQCHIP_PC)
		return 0;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (fd < 0) {
		int ret = -errno;

		say("eventfd: %s", error_text(-ret));
		return ret;
	}
	engine->irqfds[gsi] = fd;
	return kvm_add_irqfd(&engine->kvm, fd, gsi);
}

static void kvm_engine_raise(struct engine *base, unsigned gsi)
{
	struct kvm_engine *engine = kvm_engine_of(base);

	if (engine->irqchip == ENGINE_IRQCHIP_PC)
		kvm_pulse(&engine->kvm, gsi);
	else
		/* Fails only when the counter is full: the interrupt is on its way already. */
		(void)!eventfd_write(engine->irqfds[gsi], 1);
}

static int kvm_engine_set_kick(
	struct engine *engine, int eventfd, uint64_t address, uint32_t value, bool enable)
{
	return kvm_set_ioeventfd(&kvm_engine_of(engine)->kvm, eventfd, address, value, enable);
}

/* --- the sandbox ------------------------------------------------------------------------------ */

static void kvm_engine_permit(struct engine *base, struct rules *rules)
{
	const struct kvm_engine *engine = kvm_engine_of(base);
	int first = engine->vcpus[0].fd, last = first;

	for (unsigned i = 1; i < engine->vcpu_count; i++) {
		int fd = engine->vcpus[i].fd;

		first = fd < first ? fd : first;
		last = fd > last ? fd : last;
	}
	kvm_rules_add(rules, engine->kvm.vm, first, last);
}

/* --- CPUs ------------------------------------------------------------------------------------- */

static int kvm_engine_start(struct engine *base, const struct entry_state *state)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	int ret = state ? vcpu_set_state(&engine->vcpus[0], state) : 0;

	vcpu_init_signal();
	/* The boot CPU last: its guest may start the others at once, so their threads have to be
	 * there, and written down. */
	for (unsigned i = engine->vcpu_count; ret == 0 && i-- > 0;)
		ret = vcpu_start(&engine->vcpus[i]);
	return ret;
}

static void kvm_engine_stop(struct engine *base)
{
	struct kvm_engine *engine = kvm_engine_of(base);

	for (unsigned i = 0; i < engine->vcpu_count; i++)
		vcpu_stop(&engine->vcpus[i]);
	for (unsigned i = 0; i < engine->vcpu_count; i++)
		vcpu_join(&engine->vcpus[i]);
	if (engine->debug)
		kvm_debug_insert(engine->debug, false);
}

static struct cpu *kvm_engine_cpu(struct engine *engine, unsigned id)
{
	return &kvm_engine_of(engine)->vcpus[id].cpu;
}

static int kvm_engine_start_cpu(struct engine *engine, unsigned id, const struct entry_state *state,
	const uint32_t frame[CPU_FRAME_WORDS])
{
	return vcpu_request_start(&kvm_engine_of(engine)->vcpus[id], state, frame);
}

static enum cpu_activity kvm_engine_activity(struct engine *engine, unsigned id)
{
	return vcpu_activity(&kvm_engine_of(engine)->vcpus[id]);
}

static int kvm_engine_pause(struct engine *base)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	struct timespec until = monotonic_in(ENGINE_PAUSE_MS * UINT64_C(1000000));
	int ret = 0;

	for (unsigned i = 0; i < engine->vcpu_count; i++)
		vcpu_ask_pause(&engine->vcpus[i]);
	for (unsigned i = 0; i < engine->vcpu_count; i++)
		if (!vcpu_await_pause(&engine->vcpus[i], &until))
			ret = -EBUSY;
	if (engine->debug && ret == 0)
		kvm_debug_insert(engine->debug, false);
	return ret;
}

/* The thread is told as by pause(): KVM_RUN completes the instruction and returns. */
static void kvm_engine_hold(struct engine *engine, unsigned id)
{
	vcpu_ask_pause(&kvm_engine_of(engine)->vcpus[id]);
}

static void kvm_engine_resume(struct engine *base)
{
	struct kvm_engine *engine = kvm_engine_of(base);

	if (engine->debug)
		kvm_debug_insert(engine->debug, true);
	for (unsigned i = 0; i < engine->vcpu_count; i++) {
		struct vcpu *vcpu = &engine->vcpus[i];

		if (vcpu->debug && vcpu->go == CPU_HOLD)
			continue;
		if (vcpu->debug && kvm_debug_prepare(vcpu) < 0)
			vcpu->cpu.host->end(&vcpu->cpu, EXIT_STATUS_VOLE);
		vcpu_resume(vcpu);
	}
}

/* A vCPU that is in KVM_RUN cannot be asked: the call would wait for as long as it is. */
static int kvm_engine_state(struct engine *base, unsigned id, struct cpu_state *state)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	struct vcpu *vcpu = &engine->vcpus[id];

	*state = (struct cpu_state){.activity = CPU_UNKNOWN};
	if (!vcpu_is_stopped(vcpu))
		return -EBUSY;
	return vcpu_read_state(vcpu, engine->irqchip != ENGINE_IRQCHIP_NONE, base->tsc_khz, state);
}

static bool kvm_engine_pics(struct engine *base, struct pic *pic, bool *uses_ioapic)
{
	const struct kvm_engine *engine = kvm_engine_of(base);

	return engine->irqchip == ENGINE_IRQCHIP_PC &&
	       kvm_read_pics(engine->kvm.vm, pic, uses_ioapic) == 0;
}

static int kvm_engine_transfer(struct engine *base, struct snapshot_stream *stream)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	bool has_lapic = engine->irqchip != ENGINE_IRQCHIP_NONE;
	int ret = kvm_transfer_vm(&engine->kvm, engine->irqchip, base->tsc_khz, stream);

	for (unsigned i = 0; ret == 0 && i < engine->vcpu_count; i++)
		ret = kvm_transfer_vcpu(&engine->vcpus[i], has_lapic, stream);
	return ret;
}

static void kvm_engine_describe(struct engine *engine, unsigned id, char *text, size_t size)
{
	const struct vcpu *vcpu = &kvm_engine_of(engine)->vcpus[id];

	snprintf(text, size, "%" PRIu64 " exits, %" PRIu64 " instructions completed for KVM",
		vcpu->cpu.exits, vcpu->completed);
}

static void kvm_engine_counters(struct engine *base,
	void (*each)(void *ctx, int cpu, const char *name, const uint64_t *values, unsigned count),
	void *ctx)
{
	const struct kvm_engine *engine = kvm_engine_of(base);

	kvm_counters_read(engine->counters, -1, each, ctx);
	for (unsigned i = 0; i < engine->vcpu_count; i++)
		kvm_counters_read(engine->vcpus[i].counters, (int)i, each, ctx);
}

/* --- the debugger ----------------------------------------------------------------------------- */

static int kvm_engine_attach(struct engine *base)
{
	struct kvm_engine *engine = kvm_engine_of(base);
	struct kvm_debug *debug = calloc(1, sizeof *debug);

	if (!debug) {
		say("%s", error_text(ENOMEM));
		return -ENOMEM;
	}
	kvm_debug_find_out(debug, engine->kvm.vm);
	debug->host = engine->memory->host;
	engine->debug = debug;
	for (unsigned i = 0; i < engine->vcpu_count; i++)
		engine->vcpus[i].debug = debug;
	return 0;
}

static int kvm_engine_set_point(struct engine *engine, const struct debug_point *point, bool set)
{
	return kvm_debug_set_point(kvm_engine_of(engine)->debug, point, set);
}

static void kvm_engine_go(struct engine *engine, unsigned id, enum cpu_go go)
{
	kvm_engine_of(engine)->vcpus[id].go = go;
}

static int kvm_engine_set_registers(
	struct engine *engine, unsigned id, const struct cpu_registers *registers)
{
	return kvm_debug_set_registers(&kvm_engine_of(engine)->vcpus[id], registers);
}

static const struct engine_debug_ops kvm_debug_ops = {
	.attach = kvm_engine_attach,
	.set_point = kvm_engine_set_point,
	.go = kvm_engine_go,
	.set_registers = kvm_engine_set_registers,
};

const struct engine_ops engine_kvm = {
	.name = "kvm",
	.absent = kvm_engine_absent,
	.open = kvm_engine_open,
	.free = kvm_engine_free,
	.set_routes = kvm_engine_set_routes,
	.connect = kvm_engine_connect,
	.raise = kvm_engine_raise,
	.set_kick = kvm_engine_set_kick,
	.permit = kvm_engine_permit,
	.start = kvm_engine_start,
	.stop = kvm_engine_stop,
	.cpu = kvm_engine_cpu,
	.start_cpu = kvm_engine_start_cpu,
	.activity = kvm_engine_activity,
	.pause = kvm_engine_pause,
	.resume = kvm_engine_resume,
	.hold = kvm_engine_hold,
	.state = kvm_engine_state,
	.pics = kvm_engine_pics,
	.transfer = kvm_engine_transfer,
	.describe = kvm_engine_describe,
	.counters = kvm_engine_counters,
	.debug = &kvm_debug_ops,
	.doctor = doctor_kvm,
};
