/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/cmos.h"

#include <stdbool.h>

#include "snapshot/stream.h"

/* The clock's registers (MC146818 data sheet). */
enum {
	SECONDS = 0x00,
	SECONDS_ALARM = 0x01,
	MINUTES = 0x02,
	MINUTES_ALARM = 0x03,
	HOURS = 0x04,
	HOURS_ALARM = 0x05,
	DAY_OF_WEEK = 0x06, /* 1 is Sunday */
	DAY_OF_MONTH = 0x07,
	MONTH = 0x08,
	YEAR = 0x09, /* of the century */
	A = 0x0a,
	B = 0x0b,
	C = 0x0c,
	D = 0x0d,
	CENTURY = 0x32,
};

#define A_UIP    0x80 /* update in progress */
#define A_PC     0x26 /* as a PC firmware leaves it: 32768 Hz, 1024 periodic interrupts a second */
#define B_24H    0x02
#define B_BINARY 0x04 /* rather than BCD */
#define D_VALID  0x80 /* the battery is good */
#define HOURS_PM 0x80

#define FLOPPY_DRIVES     0x10 /* a type for each of two; 0: none */
#define KIB_BELOW_1M      0x15 /* 16 bits, low byte first */
#define KIB_EXTENDED      0x17 /* as KIB_ABOVE_1M */
#define KIB_ABOVE_1M      0x30 /* 16 bits, low byte first; at most 65535 */
#define KIB64_ABOVE_16M   0x34 /* 16 bits, in units of 64 KiB */
#define CPUS_BUT_THE_BOOT 0x5f

#define NS_PER_S UINT64_C(1000000000)

/* UIP rises 244 us before an update, which takes 1984 us with a 32768 Hz crystal. */
#define UIP_NS ((244 + 1984) * UINT64_C(1000))

/* --- time ----------------------------------------------------------------------------------------
 * */

struct date {
	unsigned year, month, day; /* month and day from 1 */
};

static bool is_leap_year(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_of_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap_year(year) ? 1 : 0);
}

/* The date so many days after 1 January 1970. Not libc's gmtime_r(), which opens files. */
static struct date date_of(uint64_t days)
{
	struct date date = {1970, 1, 1};

	while (days >= (is_leap_year(date.year) ? 366u : 365u))
		days -= is_leap_year(date.year++) ? 366 : 365;
	while (days >= days_of_month(date.year, date.month))
		days -= days_of_month(date.year, date.month++);
	date.day += (unsigned)days;
	return date;
}

static uint8_t encode(unsigned value, uint8_t format)
{
	return (uint8_t)(format & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static uint8_t encode_hour(unsigned hour, uint8_t format)
{
	unsigned hour_of_half = hour % 12 ? hour % 12 : 12;

	if (format & B_24H)
		return encode(hour, format);
	return encode(hour_of_half, format) | (hour >= 12 ? HOURS_PM : 0);
}

/* One of the registers of the time. */
static uint8_t read_time(unsigned index, uint64_t seconds, uint8_t format)
{
	uint64_t days = seconds / 86400;
	unsigned second = (unsigned)(seconds % 86400);
	struct date date = date_of(days);

	switch (index) {
	case SECONDS:
		return encode(second % 60, format);
	case MINUTES:
		return encode(second / 60 % 60, format);
	case HOURS:
		return encode_hour(second / 3600, format);
	case DAY_OF_WEEK:
		return encode(
			(unsigned)((days + 4) % 7 + 1), format); /* 1970 began on a Thursday */
	case DAY_OF_MONTH:
		return encode(date.day, format);
	case MONTH:
		return encode(date.month, format);
	case YEAR:
		return encode(date.year % 100, format);
	default:
		return encode(date.year / 100, format);
	}
}

/* --- registers -----------------------------------------------------------------------------------
 * */

static void set16(struct cmos *cmos, unsigned index, uint32_t value)
{
	cmos->registers[index] = value & 0xff;
	cmos->registers[index + 1] = value >> 8 & 0xff;
}

void cmos_init(struct cmos *cmos, uint32_t ram_size, unsigned cpu_count,
	uint64_t (*time)(void *ctx), void *ctx)
{
	uint32_t above_1m = (ram_size - (1u << 20)) >> 10;
	uint32_t above_16m = ram_size > 16u << 20 ? (ram_size - (16u << 20)) >> 16 : 0;

	cmos->time = time;
	cmos->ctx = ctx;
	atomic_init(&cmos->index, 0);
	for (unsigned i = 0; i < CMOS_REGISTERS; i++)
		atomic_init(&cmos->registers[i], 0xff);
	cmos->registers[SECONDS_ALARM] = 0;
	cmos->registers[MINUTES_ALARM] = 0;
	cmos->registers[HOURS_ALARM] = 0;
	cmos->registers[A] = A_PC;
	cmos->registers[B] = B_24H;
	cmos->registers[C] = 0;
	cmos->registers[D] = D_VALID;
	cmos->registers[FLOPPY_DRIVES] = 0;
	set16(cmos, KIB_BELOW_1M, 640);
	set16(cmos, KIB_EXTENDED, above_1m < 0xffff ? above_1m : 0xffff);
	set16(cmos, KIB_ABOVE_1M, above_1m < 0xffff ? above_1m : 0xffff);
	set16(cmos, KIB64_ABOVE_16M, above_16m);
	cmos->registers[CPUS_BUT_THE_BOOT] = (uint8_t)(cpu_count - 1);
}

void cmos_select(struct cmos *cmos, uint8_t index)
{
	atomic_store(&cmos->index, index % CMOS_REGISTERS);
}

uint8_t cmos_read(struct cmos *cmos)
{
	unsigned index = atomic_load(&cmos->index);
	uint64_t now;

	switch (index) {
	case SECONDS:
	case MINUTES:
	case HOURS:
	case DAY_OF_WEEK ... YEAR:
	case CENTURY:
		now = cmos->time(cmos->ctx);
		return read_time(index, now / NS_PER_S, cmos->registers[B]);
	case A:
		now = cmos->time(cmos->ctx);
		return cmos->registers[A] | (now % NS_PER_S >= NS_PER_S - UIP_NS ? A_UIP : 0);
	default:
		return cmos->registers[index];
	}
}

void cmos_write(struct cmos *cmos, uint8_t value)
{
	unsigned index = atomic_load(&cmos->index);

	switch (index) {
	case SECONDS_ALARM:
	case MINUTES_ALARM:
	case HOURS_ALARM:
	case B:
		cmos->registers[index] = value;
		break;
	case A:
		cmos->registers[A] = value & (uint8_t)~A_UIP;
		break;
	default:
		break;
	}
}

/* --- saving and restoring --------------------------------------------------------------------- */

void cmos_transfer(struct cmos *cmos, struct snapshot_stream *stream)
{
	static const uint8_t writable[] = {SECONDS_ALARM, MINUTES_ALARM, HOURS_ALARM, A, B};
	unsigned index = atomic_load(&cmos->index);

	snapshot_begin(stream, "CMOS", 0);
	SNAPSHOT_FIELD(stream, index);
	snapshot_check(stream, index < CMOS_REGISTERS, "index %u", index);
	atomic_store(&cmos->index, index % CMOS_REGISTERS);
	for (size_t i = 0; i < sizeof writable; i++) {
		uint8_t value = atomic_load(&cmos->registers[writable[i]]);

		SNAPSHOT_FIELD(stream, value);
		atomic_store(&cmos->registers[writable[i]], value);
	}
	snapshot_end(stream);
}
