/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A driver that lies about the ports of a console: messages too short and too long, of no event
 * and no port, in any order, again and again, and with nowhere for the answers to go; ports used
 * that are not open; control queues stopped under way. Port 0 is the console; port 1 has a name of
 * 64 bytes, and nobody at the other end. On split rings and direct, on packed ones and indirect.
 * Then hostile.h has its proof. Prints the number of attacks. Exit status 0.
 */

#include "hostile-ports.h"

/* Nothing was said so far, nor is due. */
static void begin(void)
{
	tell(UINT32_MAX, VIRTIO_CONSOLE_DEVICE_READY, 1); /* the id has no meaning: CON-DEV-05 */
	for (unsigned id = 0; id < PORTS; id++)
		check(hear_of(id) == VIRTIO_CONSOLE_DEVICE_ADD, "CON-DEV-06 port %u is added", id);
}

/* Ports are known, and no message is due: what is said next is what is asked for now. Of the last
 * port, since those of others come before. */
static void go_on(void)
{
	tell(LAST, READY, 0);
	tell(LAST, READY, 1);
	expect_port(LAST);
}

/* --- messages that make no sense -------------------------------------------------------------- */

static void too_short(void)
{
	struct virtio_console_control message = message_of(0, READY, 1);

	for (uint32_t len = 0; len < sizeof(message); len++)
		say_bytes(&message, len);
}

/* What lies behind the first 8 bytes is not looked at. */
static void too_long(void)
{
	static struct {
		struct virtio_console_control message;
		uint8_t more[4096];
	} text;

	text.message = message_of(0, READY, 1);
	memset(text.more, 0xff, sizeof(text.more));
	say_bytes(&text, HEAD + 1);
	expect_port(0);
	say_bytes(&text, sizeof(text));
	say_bytes(text.more, (64u << 20) - (uint32_t)text.more);
}

static void in_pieces(void)
{
	struct virtio_console_control message = message_of(0, READY, 1);
	uint8_t *bytes = (uint8_t *)&message;
	struct virtq_buffer few[] = {{bytes, 1}, {bytes + 1, 0}, {bytes + 1, 6}, {bytes + 7, 1}};
	struct virtq_buffer many[HEAD];

	say(few, 4, 0);
	expect_port(0);
	message = message_of(LAST, READY, 1);
	for (unsigned i = 0; i < HEAD; i++)
		many[i] = (struct virtq_buffer){bytes + i, 1};
	say(many, HEAD, 0);
	expect_port(LAST);
}

/* Room where a message belongs, and behind one. */
static void to_be_written(void)
{
	struct virtio_console_control message = message_of(0, READY, 1);
	uint8_t room[64];
	struct virtq_buffer buffers[] = {{&message, sizeof(message)}, {room, sizeof(room)}};

	memset(room, POISON, sizeof(room));
	say(&buffers[1], 0, 1);
	say(buffers, 1, 1);
	expect_port(0);
	for (unsigned i = 0; i < sizeof(room); i++)
		check(room[i] == POISON, "HARD-10 byte %u is left alone", i);
}

static void unknown_events(void)
{
	static const uint16_t events[] = {VIRTIO_CONSOLE_DEVICE_ADD, VIRTIO_CONSOLE_DEVICE_REMOVE,
		VIRTIO_CONSOLE_CONSOLE_PORT, VIRTIO_CONSOLE_RESIZE, VIRTIO_CONSOLE_PORT_NAME, 8, 31,
		32, 0x8000 | READY, UINT16_MAX};

	for (unsigned i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		tell(i % PORTS, events[i], 1);
}

static void unknown_ports(void)
{
	static const uint32_t ids[] = {
		PORTS, PORTS + 1, 8, 31, 32, 0x10000, 0x7fffffff, 0x80000000, UINT32_MAX};

	for (unsigned i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		tell(ids[i], READY, 1);
		tell(ids[i], OPEN, 1);
		tell(ids[i], OPEN, 0);
		tell(ids[i], READY, 0);
	}
}

/* --- messages at the wrong time --------------------------------------------------------------- */

static void not_ready(void)
{
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 0);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, 2);
	tell(0, VIRTIO_CONSOLE_DEVICE_READY, UINT16_MAX);
}

static void ready_again(void)
{
	for (unsigned i = 0; i < 8; i++)
		tell(i, VIRTIO_CONSOLE_DEVICE_READY, 1);
}

/* Those that were added stay so. */
static void ready_to_and_fro(void)
{
	for (unsigned i = 0; i < 6; i++)
		tell(0, VIRTIO_CONSOLE_DEVICE_READY, i % 2);
}

static void ports_too_early(void)
{
	for (unsigned id = 0; id < PORTS; id++) {
		tell(id, READY, 1);
		tell(id, OPEN, 1);
	}
}

/* What is due is due once. */
static void port_twice(void)
{
	tell(0, READY, 1);
	tell(0, READY, 1);
	expect_port(0);
	tell(0, READY, 1);
}

static void port_to_and_fro(void)
{
	for (unsigned i = 0; i < 8; i++)
		tell(0, READY, i % 2 == 0);
	tell(0, READY, 2);
	tell(0, READY, UINT16_MAX);
}

static void open_games(void)
{
	static const uint16_t values[] = {1, 1, 0, 0, 1, 2, UINT16_MAX, 1, 0};

	tell(0, OPEN, 1); /* not ready */
	tell(0, READY, 1);
	for (unsigned i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		tell(0, OPEN, values[i]);
	tell(0, READY, 0);
	tell(0, OPEN, 1);
	tell(0, READY, 1);
	expect_port(0);
}

/* --- nowhere for the answers to go ------------------------------------------------------------ */

/* As many messages as there is room for, at once. */
static void add_flood(void)
{
	static struct virtio_console_control messages[VIRTQ_SIZE];
	unsigned i = 0;

	for (; i < transmit->size; i++) {
		struct virtq_buffer buffer = {&messages[i], HEAD};

		messages[i] = message_of(i / 2 % PORTS, READY, i % 2);
		check(virtq_add(transmit, &buffer, 1, 0, &messages[i]) == 0, "a message fits");
	}
	virtq_kick(transmit);
}

/* There is a bound: of all that only the last state is told. */
static void flood(void)
{
	uint32_t written;

	add_flood();
	for (unsigned i = 0; i < transmit->size; i++)
		check(virtq_wait(transmit) == 0 && virtq_take(transmit, &written) && written == 0,
			"CON-DEV-12 message %u is taken without an answer", i);
	tell(LAST, READY, 0);
	expect_port(0);
}

/* Too short for any message: back as they are. */
static void no_room(void)
{
	static const uint32_t rooms[] = {0, 1, HEAD - 1};

	tell(0, READY, 1);
	for (unsigned i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		check(hear(rooms[i]) == 0 && heard.more[0] == POISON &&
				*(uint8_t *)&heard == POISON,
			"CON-DEV-12 a buffer of %u bytes comes back empty", rooms[i]);
	}
	expect_port(0);
}

static void no_room_for_the_name(void)
{
	static const uint32_t rooms[] = {HEAD, HEAD + 1, HEAD + 63};

	for (unsigned i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		tell(LAST, READY, 0);
		tell(LAST, READY, 1);
		check(hear(rooms[i]) == rooms[i] && ((uint8_t *)&heard)[rooms[i]] == POISON,
			"CON-DEV-10 of a name as much as fits in %u bytes", rooms[i]);
	}
}

static void nothing_to_be_written(void)
{
	struct virtq_buffer buffer = {&heard, sizeof(heard)};
	uint32_t written = 1;

	tell(0, READY, 1);
	memset(&heard, POISON, sizeof(heard));
	check(virtq_exchange(receive, &buffer, 1, 0, &written) == 0 && written == 0 &&
			heard.more[0] == POISON && *(uint8_t *)&heard == POISON,
		"HARD-10 a buffer that is not to be written comes back as it is");
	expect_port(0);
}

/* The message and where the answer goes are one: the device may read what it wrote. */
static void one_buffer_for_both(void)
{
	static struct virtio_console_control message;
	struct virtq_buffer buffer = {&message, sizeof(message)};

	for (unsigned i = 0; i < 10; i++) {
		message = message_of(0, READY, i % 2 == 0);
		virtq_add(receive, &buffer, 0, 1, &message);
		virtq_add(transmit, &buffer, 1, 0, &message);
		virtq_kick(receive);
		virtq_kick(transmit);
	}
}

/* The device fails, as it does by any other queue. */
static void message_nowhere(void)
{
	spoil(transmit, false);
	wait_for_failure(dev);
}

static void answer_nowhere(void)
{
	tell(0, READY, 1);
	spoil(receive, true);
	wait_for_failure(dev);
}

/* --- ports that are not open ------------------------------------------------------------------ */

/* Output is taken, since the device has no say in when it comes. */
static void output(void)
{
	static char byte = '!';
	struct virtq_buffer buffer = {&byte, 1};
	uint32_t written;

	for (unsigned id = 0; id < PORTS; id++)
		check(virtq_exchange(&console.ports[id].transmit, &buffer, 1, 0, &written) == 0 &&
				written == 0,
			"CON-DEV-14 port %u takes output", id);
}

static bool has_input(struct virtq *vq)
{
	virtq_kick(vq);
	timer_delay(1000);
	return virtq_pending(vq);
}

/* Input of port 0 has no end, but it waits for somebody to open it. */
static void input(void)
{
	static uint8_t bytes[2];
	struct virtq_buffer buffers[] = {{&bytes[0], 1}, {&bytes[1], 1}};
	struct virtq *vq = &console.ports[0].receive;
	uint32_t len;

	virtq_add(vq, &buffers[0], 0, 1, &bytes[0]);
	check(!has_input(vq), "CON-DEV-11 no input before the port is ready");
	tell(0, READY, 1);
	expect_port(0);
	check(!has_input(vq), "CON-DEV-11 nor before it is open");
	tell(0, OPEN, 1);
	check(virtq_wait(vq) == 0 && virtq_take(vq, &len) == &bytes[0] && len == 1,
		"CON-DEV-11 input of a port that is open");
	tell(0, OPEN, 0);
	virtq_add(vq, &buffers[1], 0, 1, &bytes[1]);
	check(!has_input(vq), "CON-DEV-11 no input once it is closed");
	tell(0, READY, 0);
	tell(0, OPEN, 1);
	check(!has_input(vq), "CON-DEV-11 nor if it is not ready");
}

/* --- under way -------------------------------------------------------------------------------- */

static struct console_message answers[VIRTQ_SIZE];

static void begin_answers(void)
{
	for (unsigned i = 0; i < receive->size; i++) {
		struct virtq_buffer buffer = {&answers[i], sizeof(answers[i])};

		virtq_add(receive, &buffer, 0, 1, &answers[i]);
	}
	virtq_kick(receive);
	add_flood();
}

static void check_answers(const char *when)
{
	unsigned changed = 0;

	memset(answers, POISON, sizeof(answers));
	mmio_kick(dev, receive->index, 0);
	mmio_kick(dev, transmit->index, 0);
	timer_delay(1000);
	for (unsigned i = 0; i < VIRTQ_SIZE; i++)
		changed += *(uint8_t *)&answers[i] != POISON;
	check(!changed, "HARD-14 memory is left alone after %s", when);
}

static void reset(void)
{
	begin_answers();
	mmio_write(dev, VIRTIO_MMIO_STATUS, 0);
	check_answers("the device's reset, BASE-DEV-02");
}

static void set_up_again(struct virtq *vq)
{
	check(virtq_setup(vq, dev, vq->index) == 0, "queue %u is set up again", vq->index);
}

/* What the ports are stays as it was; and what is due is told later. */
static void queue_resets(void)
{
	begin_answers();
	check(mmio_queue_reset(dev, receive->index) == 0, "the one is reset");
	check(mmio_queue_reset(dev, transmit->index) == 0, "the other too");
	check_answers("a reset of the queues, BASE-DEV-05");
	set_up_again(receive);
	set_up_again(transmit);
	for (unsigned id = 0; id < PORTS; id++)
		tell(id, READY, 0);
}

static void stop(struct virtq *vq)
{
	mmio_write(dev, VIRTIO_MMIO_QUEUE_SEL, vq->index);
	mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 0);
}

static void queue_stops(void)
{
	begin_answers();
	stop(receive);
	check_answers("QueueReady 0, MMIO-DEV-01");
	stop(transmit);
	set_up_again(transmit);
	for (unsigned id = 0; id < PORTS; id++)
		tell(id, READY, 0);
	tell(0, READY, 1);
	set_up_again(receive);
	expect_port(0);
}

/* --- without MULTIPORT ------------------------------------------------------------------------ */

static void one_port(void)
{
	for (unsigned queue = 2; queue < victim->queue_count; queue++) {
		check(!has_queue(victim, queue), "CON-DEV-02 queue %u is not there", queue);
		mmio_write(dev, VIRTIO_MMIO_QUEUE_READY, 1);
		check(mmio_read(dev, VIRTIO_MMIO_QUEUE_READY) == 0, "CON-DEV-02 nor ready");
	}
	check(mmio_ready(dev) == 0, "live without queues");
	for (unsigned queue = 0; queue < victim->queue_count; queue++)
		mmio_kick(dev, queue, 0);
}

/* Where the conversation is when the attack begins. */
enum phase {
	CHOSEN, /* features are agreed on, without MULTIPORT */
	SILENT, /* nothing was said */
	BEGUN,  /* the driver knows the ports */
};

static const struct {
	const char *name;
	enum phase phase;
	enum outcome expected;
	void (*perform)(void);
} attacks[] = {
	{"CON-DEV-07 messages too short", BEGUN, GOES_ON, too_short},
	{"CON-DEV-07 messages too long", BEGUN, GOES_ON, too_long},
	{"CON-DEV-07 messages in pieces", BEGUN, GOES_ON, in_pieces},
	{"CON-DEV-07 messages to be written", BEGUN, GOES_ON, to_be_written},
	{"CON-DEV-07 unknown events at first", SILENT, GOES_ON, unknown_events},
	{"CON-DEV-07 unknown events", BEGUN, GOES_ON, unknown_events},
	{"CON-DEV-07 unknown ports", BEGUN, GOES_ON, unknown_ports},
	{"CON-DEV-06 not ready", SILENT, GOES_ON, not_ready},
	{"CON-DEV-03 ready again and again", BEGUN, GOES_ON, ready_again},
	{"CON-DEV-03 ready to and fro", BEGUN, GOES_ON, ready_to_and_fro},
	{"CON-DEV-06 ports too early", SILENT, GOES_ON, ports_too_early},
	{"CON-DEV-07 a port ready twice", BEGUN, GOES_ON, port_twice},
	{"CON-DEV-07 a port ready to and fro", BEGUN, GOES_ON, port_to_and_fro},
	{"CON-DEV-07 games with PORT_OPEN", BEGUN, GOES_ON, open_games},
	{"CON-DEV-12 a flood without buffers", BEGUN, GOES_ON, flood},
	{"CON-DEV-12 buffers without room", BEGUN, GOES_ON, no_room},
	{"CON-DEV-10 no room for the name", BEGUN, GOES_ON, no_room_for_the_name},
	{"HARD-10 buffers not to be written", BEGUN, GOES_ON, nothing_to_be_written},
	{"HARD-09 a message nowhere", BEGUN, FAILS, message_nowhere},
	{"HARD-09 an answer nowhere", BEGUN, FAILS, answer_nowhere},
	{"one buffer for both", BEGUN, ANYTHING, one_buffer_for_both},
	{"output to ports that are not open", SILENT, GOES_ON, output},
	{"CON-DEV-11 input of a port that is not open", BEGUN, GOES_ON, input},
	{"HARD-14 reset under way", BEGUN, ANYTHING, reset},
	{"HARD-14 control queues reset under way", BEGUN, GOES_ON, queue_resets},
	{"HARD-14 control queues stopped under way", BEGUN, GOES_ON, queue_stops},
	{"CON-DEV-02 no control queues", CHOSEN, ANYTHING, one_port},
};

#define ATTACKS (sizeof(attacks) / sizeof(attacks[0]))

static void attack(unsigned i, uint64_t declined)
{
	if (attacks[i].phase == CHOSEN)
		choose(victim, declined | FEATURE(VIRTIO_CONSOLE_F_MULTIPORT));
	else
		bring_up(victim, declined);
	if (attacks[i].phase == BEGUN)
		begin();
	attacks[i].perform();
	if (attacks[i].expected == FAILS)
		check(has_failed(dev), "\"%s\" fails", attacks[i].name);
	if (attacks[i].expected == GOES_ON) {
		if (attacks[i].phase == SILENT)
			begin();
		go_on();
		check(!has_failed(dev), "goes on after \"%s\"", attacks[i].name);
	}
	check_aftermath(victim, declined, attacks[i].name);
}

int main(const struct start_info *info)
{
	for (unsigned form = 0; form < FORMS; form++) {
		start_targets(info, forms[form]);
		check(victim->queue_count == 2 + 2 * PORTS, "the console has two ports");
		for (unsigned i = 0; i < ATTACKS; i++)
			attack(i, forms[form]);
	}
	return attacks_done();
}
