/* SPDX-License-Identifier: BSD-2-Clause */
#include "sys.h"

#include <asm/poll.h>

#define LINE 1024

#ifdef __i386__
#define AT_SYSINFO 32

/* The kernel's preferred way in, 0 where it has none. Named in the assembly
 * below, so not static. */
extern long gate;
long gate;

__asm__(".globl system_call\n"
	"system_call:\n"
	"	push %ebx; push %esi; push %edi; push %ebp\n"
	"	mov 20(%esp), %eax; mov 24(%esp), %ebx; mov 28(%esp), %ecx\n"
	"	mov 32(%esp), %edx; mov 36(%esp), %esi; mov 40(%esp), %edi\n"
	"	cmpl $0, gate\n"
	"	je 1f\n"
	"	call *gate\n"
	"	jmp 2f\n"
	"1:	int $0x80\n"
	"2:	pop %ebp; pop %edi; pop %esi; pop %ebx\n"
	"	ret\n");

void system_call_init(const long *auxiliary)
{
	for (; auxiliary[0]; auxiliary += 2)
		if (auxiliary[0] == AT_SYSINFO)
			gate = auxiliary[1];
}

static long transfer(long number, int fd, long data, size_t n, uint64_t offset)
{
	return SYS5(number, fd, data, n, (uint32_t)offset, (uint32_t)(offset >> 32));
}
#else
long system_call(long number, long a, long b, long c, long d, long e)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8)
			 : "rcx", "r11", "memory");
	return result;
}

void system_call_init(const long *auxiliary)
{
	(void)auxiliary;
}

static long transfer(long number, int fd, long data, size_t n, uint64_t offset)
{
	return SYS5(number, fd, data, n, offset, 0);
}
#endif

long sys_pread(int fd, void *to, size_t n, uint64_t offset)
{
	return transfer(__NR_pread64, fd, (long)to, n, offset);
}

long sys_pwrite(int fd, const void *from, size_t n, uint64_t offset)
{
	return transfer(__NR_pwrite64, fd, (long)from, n, offset);
}

bool read_all(int fd, void *to, size_t n)
{
	for (uint8_t *at = to; n > 0;) {
		long done = sys_read(fd, at, n);

		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

bool write_all(int fd, const void *from, size_t n)
{
	for (const uint8_t *at = from; n > 0;) {
		long done = sys_write(fd, at, n);

		if (done <= 0)
			return false;
		at += done;
		n -= (size_t)done;
	}
	return true;
}

bool readable(int fd, int milliseconds)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return SYS3(__NR_poll, &p, 1, milliseconds) == 1 && (p.revents & POLLIN);
}

const char *line_of(const char *path)
{
	static char line[LINE];
	int fd = sys_open(path, O_RDONLY);
	long n = fd < 0 ? 0 : sys_read(fd, line, sizeof line - 1);

	if (fd >= 0)
		sys_close(fd);
	line[n > 0 ? n : 0] = 0;
	for (char *c = line; *c; c++)
		if (*c == '\n')
			*c = 0;
	return line;
}

long write_file(const char *path, const char *text)
{
	int fd = sys_open(path, O_WRONLY);
	long n;

	if (fd < 0)
		return fd;
	n = sys_write(fd, text, length(text));
	sys_close(fd);
	return n < 0 ? n : 0;
}

/* --- memory and text -------------------------------------------------------------------------- */

void *memset(void *to, int byte, size_t n)
{
	void *at = to;

	__asm__ volatile("rep stosb" : "+D"(at), "+c"(n) : "a"(byte) : "memory");
	return to;
}

void *memcpy(void *restrict to, const void *restrict from, size_t n)
{
	void *at = to;

	__asm__ volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(n) : : "memory");
	return to;
}

/* One instruction for all bytes: a loop takes minutes where each instruction is emulated. */
bool same(const void *a, const void *b, size_t n)
{
	uint8_t equal;

	__asm__ volatile("cmp %%eax, %%eax; repe cmpsb; sete %0"
			 : "=q"(equal), "+S"(a), "+D"(b), "+c"(n)
			 :
			 : "cc", "memory");
	return equal;
}

size_t length(const char *text)
{
	size_t n = 0;

	while (text[n])
		n++;
	return n;
}

struct text {
	char *at, *end;
};

static void put(struct text *text, char c)
{
	if (text->at < text->end)
		*text->at++ = c;
}

/* 32 bits only: a 64-bit division would need libgcc on i386. */
static void put_number(struct text *text, uint32_t value, unsigned base)
{
	char digits[32];
	unsigned n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(text, digits[--n]);
}

static void put_signed(struct text *text, int value)
{
	if (value < 0)
		put(text, '-');
	put_number(text, value < 0 ? -(uint32_t)value : (uint32_t)value, 10);
}

size_t format_list(char *to, size_t size, const char *form, va_list list)
{
	struct text text = {to, to + size - 1};

	for (; *form; form++) {
		if (*form != '%') {
			put(&text, *form);
			continue;
		}
		switch (*++form) {
		case 's':
			for (const char *s = va_arg(list, const char *); *s; s++)
				put(&text, *s);
			break;
		case 'd':
			put_signed(&text, va_arg(list, int));
			break;
		case 'u':
			put_number(&text, va_arg(list, uint32_t), 10);
			break;
		case 'x':
			put_number(&text, va_arg(list, uint32_t), 16);
			break;
		}
	}
	*text.at = 0;
	return (size_t)(text.at - to);
}

size_t format(char *to, size_t size, const char *form, ...)
{
	va_list list;
	size_t n;

	va_start(list, form);
	n = format_list(to, size, form, list);
	va_end(list);
	return n;
}
