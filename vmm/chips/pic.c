/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of command words and their bits are those of the 8259A data sheet. */
#include "chips/pic.h"

#include "snapshot/stream.h"

#define PINS    8
#define CASCADE 2 /* the master's pin on which the slave is */

enum { MASTER, SLAVE };

/* Written to a chip's first port; ICW1 and OCW3 are told by these bits. */
#define ICW1         0x10
#define ICW1_IC4     0x01 /* ICW4 follows */
#define ICW1_SNGL    0x02 /* ICW3 does not */
#define OCW3         0x08
#define OCW3_RIS     0x01
#define OCW3_RR      0x02
#define OCW3_POLL    0x04
#define OCW3_SMM     0x20
#define OCW3_ESMM    0x40
#define OCW2_PIN     0x07
#define OCW2_EOI     0x20
#define OCW2_SL      0x40
#define OCW2_R       0x80
#define ICW2_VECTOR  0xf8
#define ICW4_AEOI    0x02
#define ICW4_SFNM    0x10
#define POLL_REQUEST 0x80

/* Bits of icws_left. */
#define ICW2_LEFT 0x02
#define ICW3_LEFT 0x04
#define ICW4_LEFT 0x08

/* Pins that can be level-triggered; timer, keyboard, cascade, clock and coprocessor cannot. */
static const uint8_t elcr_bits[] = {[MASTER] = 0xf8, [SLAVE] = 0xde};

void pic_init(struct pic *pic)
{
	*pic = (struct pic){.chips = {[MASTER] = {.slaves = 1u << CASCADE}}};
}

/* --- one chip ------------------------------------------------------------------------------------
 * */

uint8_t pic_requests(const struct pic_chip *chip)
{
	return (uint8_t)((chip->latched & ~chip->elcr) | (chip->lines & chip->elcr));
}

static void set_line(struct pic_chip *chip, unsigned pin, bool level)
{
	uint8_t bit = (uint8_t)(1u << pin);

	if (!level) {
		chip->lines &= (uint8_t)~bit;
		return;
	}
	if (!(chip->lines & bit))
		chip->latched |= bit;
	chip->lines |= bit;
}

/* The pin that has this place in the order of priorities, 0 being the highest. */
static unsigned pin_at(const struct pic_chip *chip, unsigned place)
{
	return (chip->lowest + 1 + place) % PINS;
}

/*
 * The pin that would interrupt now; -1: none. A pin in service blocks itself and those of lower
 * priority, except that in special mask mode a masked one does not, and that in special fully
 * nested mode the slave does not block itself.
 */
static int requesting_pin(const struct pic_chip *chip)
{
	uint8_t requests = pic_requests(chip) & (uint8_t)~chip->imr;
	uint8_t blocking = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;

	if (!chip->initialized || chip->icws_left)
		return -1;
	for (unsigned place = 0; place < PINS; place++) {
		unsigned pin = pin_at(chip, place);
		uint8_t bit = (uint8_t)(1u << pin);
		bool nests = chip->special_fully_nested && chip->slaves & bit;

		if (requests & bit && (nests || !(chip->isr & bit)))
			return (int)pin;
		if (blocking & bit)
			return -1;
	}
	return -1;
}

/* The pin goes into service, or has been served at once in automatic EOI mode. */
static void acknowledge_pin(struct pic_chip *chip, unsigned pin)
{
	chip->latched &= (uint8_t) ~(1u << pin);
	if (!chip->auto_eoi)
		chip->isr |= (uint8_t)(1u << pin);
	else if (chip->rotate_in_auto_eoi)
		chip->lowest = (uint8_t)pin;
}

/* The pin of highest priority in service; -1: none. In special mask mode a masked one does not
 * count. */
static int pin_in_service(const struct pic_chip *chip)
{
	uint8_t candidates = chip->special_mask ? chip->isr & (uint8_t)~chip->imr : chip->isr;

	for (unsigned place = 0; place < PINS; place++) {
		unsigned pin = pin_at(chip, place);

		if (candidates & 1u << pin)
			return (int)pin;
	}
	return -1;
}

/* --- the pair ------------------------------------------------------------------------------------
 * */

/* The slave's output is the master's pin. After any change of the slave. */
static void update_cascade(struct pic *pic)
{
	set_line(&pic->chips[MASTER], CASCADE, requesting_pin(&pic->chips[SLAVE]) >= 0);
}

/* A chip acknowledges its request. The slave's output then falls for a moment, so that its next
 * request is an edge for the master. */
static int acknowledge_chip(struct pic *pic, unsigned number)
{
	int pin = requesting_pin(&pic->chips[number]);

	if (pin >= 0)
		acknowledge_pin(&pic->chips[number], (unsigned)pin);
	if (number == SLAVE) {
		set_line(&pic->chips[MASTER], CASCADE, false);
		update_cascade(pic);
	}
	return pin;
}

void pic_raise(struct pic *pic, unsigned irq, bool level)
{
	if (irq == CASCADE)
		return;
	set_line(&pic->chips[irq / PINS], irq % PINS, level);
	update_cascade(pic);
}

bool pic_output(const struct pic *pic)
{
	return requesting_pin(&pic->chips[MASTER]) >= 0;
}

uint8_t pic_acknowledge(struct pic *pic)
{
	unsigned number = MASTER;
	int pin = acknowledge_chip(pic, MASTER);

	if (pin == CASCADE) {
		number = SLAVE;
		pin = acknowledge_chip(pic, SLAVE);
	}
	if (pin < 0)
		pin = PINS - 1; /* spurious: the data sheet's "default IR7" */
	return (uint8_t)(pic->chips[number].vector + pin);
}

/* --- command words -------------------------------------------------------------------------------
 * */

static void write_icw1(struct pic_chip *chip, uint8_t value)
{
	*chip = (struct pic_chip){
		.lines = chip->lines,
		.elcr = chip->elcr,
		.slaves = chip->slaves,
		.vector = chip->vector,
		.lowest = PINS - 1,
		.icws_left = ICW2_LEFT | (value & ICW1_SNGL ? 0 : ICW3_LEFT) |
			     (value & ICW1_IC4 ? ICW4_LEFT : 0),
	};
}

/* ICW2 to ICW4, whichever is due. */
static void write_next_icw(struct pic_chip *chip, uint8_t value)
{
	uint8_t icw = chip->icws_left & (uint8_t)-chip->icws_left;

	if (icw == ICW2_LEFT) {
		chip->vector = value & ICW2_VECTOR;
	} else if (icw == ICW4_LEFT) {
		chip->auto_eoi = value & ICW4_AEOI;
		chip->special_fully_nested = value & ICW4_SFNM;
	}
	chip->icws_left &= (uint8_t)~icw;
	chip->initialized = !chip->icws_left;
}

static void write_ocw2(struct pic_chip *chip, uint8_t value)
{
	bool rotates = value & OCW2_R, is_specific = value & OCW2_SL;
	int pin = is_specific ? value & OCW2_PIN : pin_in_service(chip);

	if (value & OCW2_EOI) {
		if (pin < 0)
			return;
		chip->isr &= (uint8_t) ~(1u << pin);
		if (rotates)
			chip->lowest = (uint8_t)pin;
	} else if (!is_specific) {
		chip->rotate_in_auto_eoi = rotates;
	} else if (rotates) {
		chip->lowest = (uint8_t)pin;
	}
}

static void write_ocw3(struct pic_chip *chip, uint8_t value)
{
	if (value & OCW3_ESMM)
		chip->special_mask = value & OCW3_SMM;
	chip->poll = value & OCW3_POLL;
	if (value & OCW3_RR)
		chip->reads_isr = value & OCW3_RIS;
}

static void write_command(struct pic_chip *chip, uint8_t value)
{
	if (value & ICW1)
		write_icw1(chip, value);
	else if (value & OCW3)
		write_ocw3(chip, value);
	else
		write_ocw2(chip, value);
}

static void write_data(struct pic_chip *chip, uint8_t value)
{
	if (chip->icws_left)
		write_next_icw(chip, value);
	else
		chip->imr = value; /* OCW1 */
}

/* An edge that came in the other mode does not count. */
static void write_elcr(struct pic *pic, unsigned number, uint8_t value)
{
	struct pic_chip *chip = &pic->chips[number];

	value &= elcr_bits[number];
	chip->latched &= (uint8_t) ~(chip->elcr ^ value);
	chip->elcr = value;
}

/* --- ports ---------------------------------------------------------------------------------------
 * */

/* A read after the poll command acknowledges, and tells which pin it was. */
static uint8_t read_poll(struct pic *pic, unsigned number)
{
	int pin;

	pic->chips[number].poll = false;
	pin = acknowledge_chip(pic, number);
	return pin < 0 ? 0 : (uint8_t)(POLL_REQUEST | pin);
}

static uint8_t read_chip(struct pic *pic, unsigned number, bool is_data)
{
	const struct pic_chip *chip = &pic->chips[number];

	if (chip->poll)
		return read_poll(pic, number);
	if (is_data)
		return chip->imr;
	return chip->reads_isr ? chip->isr : pic_requests(chip);
}

uint8_t pic_read(struct pic *pic, uint16_t port)
{
	switch (port) {
	case PIC_MASTER_PORT:
	case PIC_MASTER_PORT + 1:
		return read_chip(pic, MASTER, port != PIC_MASTER_PORT);
	case PIC_SLAVE_PORT:
	case PIC_SLAVE_PORT + 1:
		return read_chip(pic, SLAVE, port != PIC_SLAVE_PORT);
	case PIC_ELCR_PORT:
	case PIC_ELCR_PORT + 1:
		return pic->chips[port - PIC_ELCR_PORT].elcr;
	default:
		return 0xff;
	}
}

void pic_write(struct pic *pic, uint16_t port, uint8_t value)
{
	switch (port) {
	case PIC_MASTER_PORT:
		write_command(&pic->chips[MASTER], value);
		break;
	case PIC_MASTER_PORT + 1:
		write_data(&pic->chips[MASTER], value);
		break;
	case PIC_SLAVE_PORT:
		write_command(&pic->chips[SLAVE], value);
		break;
	case PIC_SLAVE_PORT + 1:
		write_data(&pic->chips[SLAVE], value);
		break;
	case PIC_ELCR_PORT:
	case PIC_ELCR_PORT + 1:
		write_elcr(pic, port - PIC_ELCR_PORT, value);
		break;
	default:
		break;
	}
	update_cascade(pic);
}

/* --- saving and restoring --------------------------------------------------------------------- */

static void transfer_chip(struct pic_chip *chip, struct snapshot_stream *stream)
{
	bool *const flags[] = {&chip->initialized, &chip->auto_eoi, &chip->rotate_in_auto_eoi,
		&chip->special_fully_nested, &chip->special_mask, &chip->poll, &chip->reads_isr};

	SNAPSHOT_FIELD(stream, chip->lines);
	SNAPSHOT_FIELD(stream, chip->latched);
	SNAPSHOT_FIELD(stream, chip->elcr);
	SNAPSHOT_FIELD(stream, chip->imr);
	SNAPSHOT_FIELD(stream, chip->isr);
	SNAPSHOT_FIELD(stream, chip->vector);
	SNAPSHOT_FIELD(stream, chip->lowest);
	SNAPSHOT_FIELD(stream, chip->icws_left);
	for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
		snapshot_bool(stream, flags[i]);
	snapshot_check(stream, chip->lowest < PINS, "pin %u has the lowest priority", chip->lowest);
	snapshot_check(stream, chip->vector % PINS == 0, "vector 0x%x", chip->vector);
}

void pic_transfer(struct pic *pic, struct snapshot_stream *stream)
{
	snapshot_begin(stream, "PIC ", 0);
	transfer_chip(&pic->chips[MASTER], stream);
	transfer_chip(&pic->chips[SLAVE], stream);
	snapshot_end(stream);
}
