/* SPDX-License-Identifier: BSD-2-Clause */
#include "chips/i8042.h"

#include "snapshot/stream.h"

/* Status register. */
#define STATUS_OUTPUT_FULL 0x01
#define STATUS_SYSTEM      0x04 /* the self-test has passed */
#define STATUS_COMMAND     0x08 /* the last byte was written to the command port */
#define STATUS_UNLOCKED    0x10

/* Configuration byte. */
#define CONFIG_INTERRUPT   0x01
#define CONFIG_SYSTEM      0x04
#define CONFIG_DISABLED    0x10 /* the keyboard's clock is off */
#define CONFIG_MOUSE_OFF   0x20
#define CONFIG_TRANSLATION 0x40
#define CONFIG_OF_FIRMWARE \
	(CONFIG_INTERRUPT | CONFIG_SYSTEM | CONFIG_MOUSE_OFF | CONFIG_TRANSLATION)

/* Output port: bit 0 is the reset line, which is low when it resets; bit 1 is A20. */
#define OUTPUT_PORT       0x03
#define OUTPUT_PORT_RESET 0x01

/* Commands of the controller. */
enum {
	READ_CONFIGURATION = 0x20,
	WRITE_CONFIGURATION = 0x60,
	DISABLE_MOUSE = 0xa7,
	ENABLE_MOUSE = 0xa8,
	TEST_MOUSE = 0xa9,
	SELF_TEST = 0xaa,
	TEST_KEYBOARD = 0xab,
	DISABLE_KEYBOARD = 0xad,
	ENABLE_KEYBOARD = 0xae,
	READ_OUTPUT_PORT = 0xd0,
	WRITE_OUTPUT_PORT = 0xd1,
	WRITE_KEYBOARD_OUTPUT = 0xd2,
	WRITE_MOUSE_OUTPUT = 0xd3,
	WRITE_MOUSE = 0xd4,
	PULSE_FIRST = 0xf0, /* up to 0xff: lines whose bits are 0 are pulsed */
};

#define SELF_TEST_PASSED 0x55
#define TEST_PASSED      0x00
#define TEST_NO_DEVICE   0x02 /* the clock line is stuck high */

/* Commands of the keyboard, and what it answers. */
enum {
	SET_LAMPS = 0xed,
	ECHO = 0xee,
	SCAN_CODE_SET = 0xf0,
	IDENTIFY = 0xf2,
	SET_RATE = 0xf3,
	ENABLE_SCANNING = 0xf4,
	DISABLE_SCANNING = 0xf5,
	SET_DEFAULTS = 0xf6,
	RESET = 0xff,
};

#define ACKNOWLEDGED    0xfa
#define RESEND          0xfe /* the command is not known */
#define KEYBOARD_PASSED 0xaa

int i8042_init(
	struct i8042 *controller, void (*raise)(void *ctx), void (*reset)(void *ctx), void *ctx)
{
	*controller = (struct i8042){
		.raise = raise,
		.reset = reset,
		.ctx = ctx,
		.configuration = CONFIG_OF_FIRMWARE,
		.scan_code_set = 2,
	};
	return -pthread_mutex_init(&controller->lock, NULL);
}

void i8042_free(struct i8042 *controller)
{
	pthread_mutex_destroy(&controller->lock);
}

/* --- bytes for the guest ---------------------------------------------------------------------- */

static void interrupt(struct i8042 *controller)
{
	if (controller->configuration & CONFIG_INTERRUPT)
		controller->raise(controller->ctx);
}

/* A byte that comes when the queue is full is lost, as a keyboard's own buffer loses it. */
static void queue(struct i8042 *controller, uint8_t byte)
{
	if (controller->queue_len == I8042_QUEUE)
		return;
	controller->queue[controller->queue_len++] = byte;
	if (controller->queue_len == 1)
		interrupt(controller);
}

static uint8_t take(struct i8042 *controller)
{
	if (controller->queue_len == 0)
		return controller->last;
	controller->last = controller->queue[0];
	controller->queue_len--;
	for (unsigned i = 0; i < controller->queue_len; i++)
		controller->queue[i] = controller->queue[i + 1];
	if (controller->queue_len > 0)
		interrupt(controller);
	return controller->last;
}

uint8_t i8042_read(struct i8042 *controller, uint16_t port)
{
	uint8_t value;

	pthread_mutex_lock(&controller->lock);
	if (port == I8042_DATA)
		value = take(controller);
	else
		value = STATUS_UNLOCKED | (controller->queue_len > 0 ? STATUS_OUTPUT_FULL : 0) |
			(controller->configuration & CONFIG_SYSTEM ? STATUS_SYSTEM : 0) |
			(controller->command ? STATUS_COMMAND : 0);
	pthread_mutex_unlock(&controller->lock);
	return value;
}

/* --- the keyboard ----------------------------------------------------------------------------- */

/* The second byte of a command. */
static void finish_keyboard_command(struct i8042 *controller, uint8_t value)
{
	uint8_t command = controller->keyboard_command;

	controller->keyboard_command = 0;
	queue(controller, ACKNOWLEDGED);
	if (command != SCAN_CODE_SET)
		return;
	if (value == 0)
		queue(controller, controller->scan_code_set);
	else if (value <= 3)
		controller->scan_code_set = value;
}

static void execute_keyboard_command(struct i8042 *controller, uint8_t command)
{
	switch (command) {
	case SET_LAMPS:
	case SET_RATE:
	case SCAN_CODE_SET:
		controller->keyboard_command = command;
		queue(controller, ACKNOWLEDGED);
		break;
	case ECHO:
		queue(controller, ECHO);
		break;
	case IDENTIFY:
		/* 0xab 0x83; the controller translates the second one as it does scan codes. */
		queue(controller, ACKNOWLEDGED);
		queue(controller, 0xab);
		queue(controller, controller->configuration & CONFIG_TRANSLATION ? 0x41 : 0x83);
		break;
	case RESET:
		controller->scan_code_set = 2;
		queue(controller, ACKNOWLEDGED);
		queue(controller, KEYBOARD_PASSED);
		break;
	case ENABLE_SCANNING:
	case DISABLE_SCANNING:
	case SET_DEFAULTS:
		queue(controller, ACKNOWLEDGED);
		break;
	default:
		queue(controller, RESEND);
	}
}

/* A byte for the keyboard, which turns its clock on. */
static void write_keyboard(struct i8042 *controller, uint8_t value)
{
	controller->configuration &= (uint8_t)~CONFIG_DISABLED;
	if (controller->keyboard_command)
		finish_keyboard_command(controller, value);
	else
		execute_keyboard_command(controller, value);
}

/* --- the controller --------------------------------------------------------------------------- */

/* A byte at the data port. Returns whether it resets the machine. */
static bool write_data(struct i8042 *controller, uint8_t value)
{
	uint8_t command = controller->command;

	controller->command = 0;
	switch (command) {
	case WRITE_CONFIGURATION:
		controller->configuration = value;
		return false;
	case WRITE_OUTPUT_PORT:
		return !(value & OUTPUT_PORT_RESET);
	case WRITE_KEYBOARD_OUTPUT:
		queue(controller, value);
		return false;
	case WRITE_MOUSE_OUTPUT:
	case WRITE_MOUSE:
		return false;
	default:
		write_keyboard(controller, value);
		return false;
	}
}

/* A byte at the command port. Returns whether it resets the machine. */
static bool write_command(struct i8042 *controller, uint8_t command)
{
	controller->command = 0;
	switch (command) {
	case READ_CONFIGURATION:
		queue(controller, controller->configuration);
		break;
	case SELF_TEST:
		controller->configuration |= CONFIG_SYSTEM;
		queue(controller, SELF_TEST_PASSED);
		break;
	case TEST_KEYBOARD:
		queue(controller, TEST_PASSED);
		break;
	case TEST_MOUSE:
		queue(controller, TEST_NO_DEVICE);
		break;
	case DISABLE_KEYBOARD:
		controller->configuration |= CONFIG_DISABLED;
		break;
	case ENABLE_KEYBOARD:
		controller->configuration &= (uint8_t)~CONFIG_DISABLED;
		break;
	case DISABLE_MOUSE:
		controller->configuration |= CONFIG_MOUSE_OFF;
		break;
	case ENABLE_MOUSE:
		controller->configuration &= (uint8_t)~CONFIG_MOUSE_OFF;
		break;
	case READ_OUTPUT_PORT:
		queue(controller, OUTPUT_PORT);
		break;
	case WRITE_CONFIGURATION:
	case WRITE_OUTPUT_PORT ... WRITE_MOUSE:
		controller->command = command;
		break;
	default:
		return command >= PULSE_FIRST && !(command & OUTPUT_PORT_RESET);
	}
	return false;
}

void i8042_write(struct i8042 *controller, uint16_t port, uint8_t value)
{
	bool is_reset;

	pthread_mutex_lock(&controller->lock);
	is_reset = port == I8042_DATA ? write_data(controller, value)
				      : write_command(controller, value);
	pthread_mutex_unlock(&controller->lock);
	if (is_reset)
		controller->reset(controller->ctx);
}

/* --- saving and restoring --------------------------------------------------------------------- */

void i8042_transfer(struct i8042 *controller, struct snapshot_stream *stream)
{
	pthread_mutex_lock(&controller->lock);
	snapshot_begin(stream, "KBDC", 0);
	SNAPSHOT_FIELD(stream, controller->configuration);
	SNAPSHOT_FIELD(stream, controller->command);
	SNAPSHOT_FIELD(stream, controller->keyboard_command);
	SNAPSHOT_FIELD(stream, controller->scan_code_set);
	SNAPSHOT_FIELD(stream, controller->last);
	SNAPSHOT_FIELD(stream, controller->queue_len);
	snapshot_check(stream, controller->queue_len <= I8042_QUEUE, "%u bytes are queued",
		controller->queue_len);
	SNAPSHOT_FIELD(stream, controller->queue);
	snapshot_end(stream);
	pthread_mutex_unlock(&controller->lock);
}
