/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Registers as gdb numbers them: first those that it expects of its architectures i386 and
 * i386:x86-64 (its feature org.gnu.gdb.i386.core), in its order, then control registers of a
 * feature of vole's own. The instruction pointer is the linear address of CS:RIP, which is what
 * symbols and breakpoints are about, also in real mode.
 */
#include <errno.h>
#include <string.h>

#include "cpu/register_bits.h"
#include "debug/gdb_parts.h"
#include "debug/hex.h"

enum source {
	ABSENT, /* vole does not have it */
	GENERAL,
	POSITION,
	FLAGS,
	SELECTOR,
	CONTROL,
};

struct reg {
	const char *name;
	const char *type; /* of the target description */
	uint8_t size;     /* bytes */
	enum source source;
	uint8_t index; /* of source: of the general registers, or what follows */
};

enum { CS, SS, DS, ES, FS, GS };
enum { CR0, CR2, CR3, CR4, EFER };

#define FPU_REGISTERS                                                                   \
	{"st0", "i387_ext", 10, ABSENT, 0}, {"st1", "i387_ext", 10, ABSENT, 0},         \
		{"st2", "i387_ext", 10, ABSENT, 0}, {"st3", "i387_ext", 10, ABSENT, 0}, \
		{"st4", "i387_ext", 10, ABSENT, 0}, {"st5", "i387_ext", 10, ABSENT, 0}, \
		{"st6", "i387_ext", 10, ABSENT, 0}, {"st7", "i387_ext", 10, ABSENT, 0}, \
		{"fctrl", "int", 4, ABSENT, 0}, {"fstat", "int", 4, ABSENT, 0},         \
		{"ftag", "int", 4, ABSENT, 0}, {"fiseg", "int", 4, ABSENT, 0},          \
		{"fioff", "int", 4, ABSENT, 0}, {"foseg", "int", 4, ABSENT, 0},         \
		{"fooff", "int", 4, ABSENT, 0},                                         \
	{                                                                               \
		"fop", "int", 4, ABSENT, 0                                              \
	}

#define SEGMENT_REGISTERS                                                           \
	{"cs", "int32", 4, SELECTOR, CS}, {"ss", "int32", 4, SELECTOR, SS},         \
		{"ds", "int32", 4, SELECTOR, DS}, {"es", "int32", 4, SELECTOR, ES}, \
		{"fs", "int32", 4, SELECTOR, FS},                                   \
	{                                                                           \
		"gs", "int32", 4, SELECTOR, GS                                      \
	}

#define CONTROL_REGISTERS(type, size)                                                        \
	{"cr0", "cr0_flags", size, CONTROL, CR0}, {"cr2", type, size, CONTROL, CR2},         \
		{"cr3", type, size, CONTROL, CR3}, {"cr4", "cr4_flags", size, CONTROL, CR4}, \
	{                                                                                    \
		"efer", "efer_flags", 8, CONTROL, EFER                                       \
	}

/* The last ones, behind those of gdb's own feature. */
#define OWN_COUNT 5

static const struct reg regs_32[] = {
	{"eax", "int32", 4, GENERAL, CPU_RAX},
	{"ecx", "int32", 4, GENERAL, CPU_RCX},
	{"edx", "int32", 4, GENERAL, CPU_RDX},
	{"ebx", "int32", 4, GENERAL, CPU_RBX},
	{"esp", "data_ptr", 4, GENERAL, CPU_RSP},
	{"ebp", "data_ptr", 4, GENERAL, CPU_RBP},
	{"esi", "int32", 4, GENERAL, CPU_RSI},
	{"edi", "int32", 4, GENERAL, CPU_RDI},
	{"eip", "code_ptr", 4, POSITION, 0},
	{"eflags", "i386_eflags", 4, FLAGS, 0},
	SEGMENT_REGISTERS,
	FPU_REGISTERS,
	CONTROL_REGISTERS("int32", 4),
};

static const struct reg regs_64[] = {
	{"rax", "int64", 8, GENERAL, CPU_RAX},
	{"rbx", "int64", 8, GENERAL, CPU_RBX},
	{"rcx", "int64", 8, GENERAL, CPU_RCX},
	{"rdx", "int64", 8, GENERAL, CPU_RDX},
	{"rsi", "int64", 8, GENERAL, CPU_RSI},
	{"rdi", "int64", 8, GENERAL, CPU_RDI},
	{"rbp", "data_ptr", 8, GENERAL, CPU_RBP},
	{"rsp", "data_ptr", 8, GENERAL, CPU_RSP},
	{"r8", "int64", 8, GENERAL, CPU_R8},
	{"r9", "int64", 8, GENERAL, CPU_R8 + 1},
	{"r10", "int64", 8, GENERAL, CPU_R8 + 2},
	{"r11", "int64", 8, GENERAL, CPU_R8 + 3},
	{"r12", "int64", 8, GENERAL, CPU_R8 + 4},
	{"r13", "int64", 8, GENERAL, CPU_R8 + 5},
	{"r14", "int64", 8, GENERAL, CPU_R8 + 6},
	{"r15", "int64", 8, GENERAL, CPU_R8 + 7},
	{"rip", "code_ptr", 8, POSITION, 0},
	{"eflags", "i386_eflags", 4, FLAGS, 0},
	SEGMENT_REGISTERS,
	FPU_REGISTERS,
	CONTROL_REGISTERS("int64", 8),
};

/* The registers of the machine's description, and how many there are. */
static const struct reg *regs_of(bool is_64, size_t *count)
{
	*count = is_64 ? sizeof regs_64 / sizeof *regs_64 : sizeof regs_32 / sizeof *regs_32;
	return is_64 ? regs_64 : regs_32;
}

/* --- reading ---------------------------------------------------------------------------------- */

static struct cpu *cpu_of(const struct gdb *gdb, unsigned id)
{
	struct engine *engine = gdb->machine.engine;

	return engine->ops->cpu(engine, id);
}

/* A CPU that has reported a crash shows what it was about, and not the code that told vole of it.
 */
static int read_cpu(const struct gdb *gdb, unsigned id, struct cpu_registers *registers)
{
	struct cpu *cpu = cpu_of(gdb, id);

	if (gdb->state == GDB_ENDED && gdb->reported && id == gdb->stop.cpu) {
		*registers = *gdb->reported;
		return 0;
	}
	return cpu->ops->registers(cpu, registers);
}

static uint16_t selector_of(const struct cpu_registers *r, unsigned index)
{
	const struct cpu_segment *const segments[] = {[CS] = &r->cs,
		[SS] = &r->ss,
		[DS] = &r->ds,
		[ES] = &r->es,
		[FS] = &r->fs,
		[GS] = &r->gs};

	return segments[index]->selector;
}

static uint64_t control_of(const struct cpu_registers *r, unsigned index)
{
	const uint64_t values[] = {
		[CR0] = r->cr0, [CR2] = r->cr2, [CR3] = r->cr3, [CR4] = r->cr4, [EFER] = r->efer};

	return values[index];
}

static uint64_t value_of(const struct cpu_registers *r, const struct reg *reg)
{
	switch (reg->source) {
	case GENERAL:
		return r->general[reg->index];
	case POSITION:
		return r->cs.base + r->rip;
	case FLAGS:
		return r->rflags;
	case SELECTOR:
		return selector_of(r, reg->index);
	case CONTROL:
		return control_of(r, reg->index);
	case ABSENT:
		break;
	}
	return 0;
}

/* is_known: r is valid. */
static void put(struct gdb_reply *reply, const struct cpu_registers *r, const struct reg *reg,
	bool is_known)
{
	uint64_t value = is_known ? value_of(r, reg) : 0;

	if (is_known && reg->source != ABSENT)
		gdb_put_hex(reply, &value, reg->size);
	else
		gdb_put(reply, "%.*s", 2 * reg->size, "xxxxxxxxxxxxxxxxxxxx");
}

int gdb_put_registers(struct gdb *gdb)
{
	struct cpu_registers registers;
	bool is_known = read_cpu(gdb, gdb->cpu, &registers) == 0;
	size_t count;
	const struct reg *regs = regs_of(gdb->machine.is_64, &count);

	for (size_t i = 0; i < count; i++)
		put(&gdb->reply, &registers, &regs[i], is_known);
	return 0;
}

int gdb_put_register(struct gdb *gdb, uint64_t number)
{
	struct cpu_registers registers;
	bool is_known = read_cpu(gdb, gdb->cpu, &registers) == 0;
	size_t count;
	const struct reg *regs = regs_of(gdb->machine.is_64, &count);

	if (number >= count)
		return -EINVAL;
	put(&gdb->reply, &registers, &regs[number], is_known);
	return 0;
}

uint64_t gdb_position(struct gdb *gdb, unsigned cpu)
{
	struct cpu_registers registers;

	return read_cpu(gdb, cpu, &registers) < 0 ? 0 : registers.cs.base + registers.rip;
}

/* --- writing ---------------------------------------------------------------------------------- */

static int write_cpu(struct gdb *gdb, const struct cpu_registers *registers)
{
	struct engine *engine = gdb->machine.engine;

	if (gdb->state == GDB_ENDED || !gdb->host->may_change(gdb->ctx))
		return -EINVAL;
	return engine->ops->debug->set_registers(engine, gdb->cpu, registers);
}

/* The bits of RFLAGS that can be set: those that there are, without bit 1, which is always set, and
 * VM. With others set, a processor does not enter the guest. */
#define FLAGS_MASK (X86_ARITHMETIC | X86_CONTROL_FLAGS)

static bool set_value(struct cpu_registers *r, const struct reg *reg, uint64_t value)
{
	switch (reg->source) {
	case GENERAL:
		r->general[reg->index] = value;
		return true;
	case POSITION:
		r->rip = value - r->cs.base;
		return true;
	case FLAGS:
		r->rflags = (r->rflags & ~(uint64_t)FLAGS_MASK) | (value & FLAGS_MASK);
		return true;
	default:
		return false;
	}
}

/* Reads the value of the register that digits begin with. Returns false if they are too few, or
 * unknown ("x"). */
static bool read_value(const char *digits, const struct reg *reg, uint64_t *value)
{
	*value = 0;
	return reg->size <= sizeof *value && hex_bytes(digits, value, reg->size);
}

int gdb_set_registers(struct gdb *gdb, const char *digits)
{
	size_t count, left = strlen(digits);
	const struct reg *regs = regs_of(gdb->machine.is_64, &count);
	struct cpu_registers registers;
	int ret = left == 0 ? -EINVAL : read_cpu(gdb, gdb->cpu, &registers);

	for (size_t i = 0; i < count && ret == 0 && left >= 2u * regs[i].size; i++) {
		uint64_t value;

		if (read_value(digits, &regs[i], &value))
			set_value(&registers, &regs[i], value);
		digits += 2 * regs[i].size;
		left -= 2u * regs[i].size;
	}
	return ret == 0 ? write_cpu(gdb, &registers) : ret;
}

int gdb_set_register(struct gdb *gdb, uint64_t number, const char *digits)
{
	size_t count;
	const struct reg *regs = regs_of(gdb->machine.is_64, &count);
	struct cpu_registers registers;
	uint64_t value;
	int ret = read_cpu(gdb, gdb->cpu, &registers);

	if (ret < 0)
		return ret;
	if (number >= count || strlen(digits) != 2u * regs[number].size ||
		!read_value(digits, &regs[number], &value) ||
		!set_value(&registers, &regs[number], value))
		return -EINVAL;
	return write_cpu(gdb, &registers);
}

int gdb_set_position(struct gdb *gdb, uint64_t linear)
{
	struct cpu_registers registers;
	int ret = read_cpu(gdb, gdb->cpu, &registers);

	if (ret < 0)
		return ret;
	registers.rip = linear - registers.cs.base;
	return write_cpu(gdb, &registers);
}

/* --- description ------------------------------------------------------------------------------ */

/* Bits of the control registers by name (Intel SDM 3, 2.5 and 2.2.1). */
struct bit {
	const char *name;
	unsigned number;
};

static const struct bit cr0_bits[] = {{"PE", 0}, {"MP", 1}, {"EM", 2}, {"TS", 3}, {"ET", 4},
	{"NE", 5}, {"WP", 16}, {"AM", 18}, {"NW", 29}, {"CD", 30}, {"PG", 31}, {NULL, 0}};
static const struct bit cr4_bits[] = {{"VME", 0}, {"PVI", 1}, {"TSD", 2}, {"DE", 3}, {"PSE", 4},
	{"PAE", 5}, {"MCE", 6}, {"PGE", 7}, {"PCE", 8}, {"OSFXSR", 9}, {"OSXMMEXCPT", 10},
	{"UMIP", 11}, {"LA57", 12}, {"FSGSBASE", 16}, {"PCIDE", 17}, {"OSXSAVE", 18}, {"SMEP", 20},
	{"SMAP", 21}, {NULL, 0}};
static const struct bit efer_bits[] = {{"SCE", 0}, {"LME", 8}, {"LMA", 10}, {"NXE", 11}, {NULL, 0}};
static const struct bit eflags_bits[] = {{"CF", 0}, {"", 1}, {"PF", 2}, {"AF", 4}, {"ZF", 6},
	{"SF", 7}, {"TF", 8}, {"IF", 9}, {"DF", 10}, {"OF", 11}, {"NT", 14}, {"RF", 16}, {"VM", 17},
	{"AC", 18}, {"VIF", 19}, {"VIP", 20}, {"ID", 21}, {NULL, 0}};

static void describe_flags(
	struct text *text, const char *name, unsigned size, const struct bit *bits)
{
	text_line(text, "<flags id=\"%s\" size=\"%u\">", name, size);
	for (; bits->name; bits++)
		text_line(text, "<field name=\"%s\" start=\"%u\" end=\"%u\"/>", bits->name,
			bits->number, bits->number);
	text_line(text, "</flags>");
}

static void describe(struct text *text, const struct reg *regs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		text_line(text, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", regs[i].name,
			8 * regs[i].size, regs[i].type);
}

void gdb_describe_registers(bool is_64, struct text *text)
{
	size_t count;
	const struct reg *regs = regs_of(is_64, &count);
	size_t core = count - OWN_COUNT;

	text_line(text, "<feature name=\"org.gnu.gdb.i386.core\">");
	describe_flags(text, "i386_eflags", 4, eflags_bits);
	describe(text, regs, core);
	text_line(text, "</feature>");
	text_line(text, "<feature name=\"vole.control\">");
	describe_flags(text, "cr0_flags", is_64 ? 8 : 4, cr0_bits);
	describe_flags(text, "cr4_flags", is_64 ? 8 : 4, cr4_bits);
	describe_flags(text, "efer_flags", 8, efer_bits);
	describe(text, regs + core, OWN_COUNT);
	text_line(text, "</feature>");
}
