/* SPDX-License-Identifier: BSD-2-Clause */
"use strict";

/* What queues and devices are like after each step, put together from what the steps change. */

const data = JSON.parse(document.getElementById("data").textContent);
const steps = data.steps || [];

const DESCRIPTOR = 0, DRIVER = 1, DEVICE = 2; /* areas of a queue */
const NEXT = 1, WRITE = 2, INDIRECT = 4, AVAIL = 0x80, USED = 0x8000; /* flags of descriptors */

const keyOf = (device, queue) => device + "." + queue;
const nameOf = (device) => (data.devices.find((d) => d.number === device) || { name: "device" }).name;

function bytesOf(hex) {
	const bytes = new Uint8Array(hex.length / 2);
	for (let i = 0; i < bytes.length; i++)
		bytes[i] = parseInt(hex.substr(2 * i, 2), 16);
	return bytes;
}

/* An address with the kernel's symbol, if it has one. */
function addressOf(address) {
	const name = (data.names || {})[address];
	return name ? address + " (" + name + ")" : address;
}

/* --- queues -------------------------------------------------------------------------------------- */

function makeQueue(from) {
	const lengths = from.packed ? [16 * from.size, 4, 4]
		: [16 * from.size, 6 + 2 * from.size, 6 + 8 * from.size];
	return { device: from.device, queue: from.queue, size: from.size, packed: from.packed,
		eventIdx: from.event_idx, areas: from.areas, bytes: lengths.map((n) => new Uint8Array(n)) };
}

const u16 = (bytes, at) => bytes[at] | bytes[at + 1] << 8;
const u32 = (bytes, at) => (u16(bytes, at) | u16(bytes, at + 2) << 16) >>> 0;
const hex = (value, digits) => "0x" + value.toString(16).padStart(digits || 1, "0");
const addressAt = (bytes, at) => hex(BigInt(u32(bytes, at + 4)) << 32n | BigInt(u32(bytes, at)), 8);

function descriptorOf(queue, i) {
	const bytes = queue.bytes[DESCRIPTOR], at = 16 * i;
	const [flags, other] = queue.packed ? [14, 12] : [12, 14];
	const isEmpty = bytes.subarray(at, at + 12).every((b) => b === 0);
	return { addr: addressAt(bytes, at), len: u32(bytes, at + 8), flags: u16(bytes, at + flags),
		other: u16(bytes, at + other), isFree: isEmpty && u16(bytes, at + flags) === 0 };
}

function availOf(queue) {
	const bytes = queue.bytes[DRIVER];
	return { flags: u16(bytes, 0), idx: u16(bytes, 2), entry: (i) => u16(bytes, 4 + 2 * i),
		event: u16(bytes, 4 + 2 * queue.size) };
}

function usedOf(queue) {
	const bytes = queue.bytes[DEVICE];
	return { flags: u16(bytes, 0), idx: u16(bytes, 2), id: (i) => u32(bytes, 4 + 8 * i),
		len: (i) => u32(bytes, 8 + 8 * i), event: u16(bytes, 4 + 8 * queue.size) };
}

/* Descriptors of a chain in the table, from its first one on. */
function chainFrom(queue, head) {
	const places = [];
	for (let i = head; i < queue.size && places.length < queue.size; ) {
		const descriptor = descriptorOf(queue, i);
		places.push(i);
		if (!(descriptor.flags & NEXT) || places.length > queue.size)
			break;
		i = queue.packed ? (i + 1) % queue.size : descriptor.other;
	}
	return places;
}

/* --- a state ------------------------------------------------------------------------------------- */

function deviceIn(state, number) {
	if (!state.devices.has(number))
		state.devices.set(number, { status: 0, isr: 0, registers: new Map() });
	return state.devices.get(number);
}

function access(state, step) {
	const device = deviceIn(state, step.device), value = Number(step.value);
	const words = step.says.replace(/^.*? = /, "");
	device.registers.set(step.register === "Config" ? "Config+" + hex(step.offset - 0x100) : step.register,
		{ words, by: step.kind, n: step.n, offset: step.offset });
	if (step.register === "Status" && step.kind === "read")
		device.status = value;
	if (step.register === "InterruptACK")
		device.isr &= ~value;
}

function apply(state, step) {
	const key = keyOf(step.device, step.queue);
	if (step.kind === "ready")
		state.queues.delete(key);
	if (step.kind === "ready" && step.size > 0)
		state.queues.set(key, makeQueue(step));
	for (const [area, offset, bytes] of step.ring || [])
		if (state.queues.has(key))
			state.queues.get(key).bytes[area].set(bytesOf(bytes), offset);
	if (step.register)
		access(state, step);
	if (step.kind === "status")
		deviceIn(state, step.device).status = step.status;
	if (step.kind === "interrupt")
		deviceIn(state, step.device).isr |= step.bit;
}

const copyOfQueue = (queue) => ({ ...queue, bytes: queue.bytes.map((b) => b.slice()) });

function copyOf(state) {
	const queues = new Map(), devices = new Map();
	for (const [key, queue] of state.queues)
		queues.set(key, copyOfQueue(queue));
	for (const [key, device] of state.devices)
		devices.set(key, { ...device, registers: new Map(device.registers) });
	return { queues, devices };
}

function firstState() {
	const state = { queues: new Map(), devices: new Map() };
	for (const from of data.queues || []) {
		const queue = makeQueue(from);
		from.bytes.forEach((bytes, area) => queue.bytes[area].set(bytesOf(bytes)));
		state.queues.set(keyOf(from.device, from.queue), queue);
	}
	for (const from of data.registers || []) {
		deviceIn(state, from.device).status = from.status;
		deviceIn(state, from.device).isr = from.interrupt_status;
	}
	return state;
}

/* Every so many steps a state is kept, from which the next ones are made. */
const KEPT = 64;
const kept = [firstState()];

/* The state after a step; -1: before the first one. The caller may keep it. */
function stateAt(index) {
	const from = Math.min(kept.length - 1, Math.floor((index + 1) / KEPT));
	const state = copyOf(kept[from]);
	for (let i = from * KEPT; i <= index; i++) {
		apply(state, steps[i]);
		if (i + 1 === kept.length * KEPT)
			kept.push(copyOf(state));
	}
	return state;
}

/* --- the ways of requests ------------------------------------------------------------------------ */

/* The stations of a request, in their order, with who makes each. */
const STATIONS = [
	["stored", "first store", "driver"], ["made", "made available", "driver"],
	["kick", "kick", "driver"], ["serve", "device looks", "device"],
	["taken", "taken", "device"], ["host", "host works", "host"], ["hosted", "host returns", "host"],
	["used", "used", "device"], ["published", "published", "device"],
	["interrupt", "interrupt", "device"], ["quiet", "no interrupt", "device"],
	["seen", "driver asks", "driver"], ["acknowledged", "acknowledged", "driver"],
];

const journeys = []; /* in the order in which chains are taken */

const isChange = (step) => step.kind === "ring" || step.kind === "store";

/* Calls has(i) for each place of the table whose flags a step has. */
function eachFlags(step, has) {
	for (const [area, offset, bytes] of step.ring)
		for (let i = Math.floor(offset / 16); area === DESCRIPTOR && 16 * i + 16 <= offset + bytes.length / 2; i++)
			if (16 * i + 14 >= offset)
				has(i);
}

/* Notes what a step of the driver's makes available, by the queue before it and after: an item for each chain, in the
 * order in which the device takes them. A packed one is there when its last descriptor is, and the device's when the
 * first one is. */
function noteAvailable(track, before, after, step, index) {
	const stores = track.stores.splice(0);
	if (step.kind === "store")
		stores.push(index);
	const made = [];
	if (!after.packed)
		for (let n = (availOf(after).idx - availOf(before).idx) & 0xffff; n > 0; n--)
			made.push({ index, stores });
	else
		eachFlags(step, (i) => {
			const tail = chainFrom(after, i).pop();
			const known = track.available.find((item) => item.tail === tail);
			if (known) {
				known.index = index;
				known.stores.push(...stores.splice(0));
			} else if (tail === i) {
				made.push({ index, tail, stores });
			}
		});
	track.available.push(...made);
	if (!made.length)
		track.stores.push(...stores);
}

/* The stores that a chain is made of; others were made in between. */
function ownStores(item, queue, id) {
	const places = queue.packed ? [] : chainFrom(queue, id);
	return item.stores.filter((i) => {
		const [area, offset] = steps[i].ring[0];
		if (queue.packed)
			return area === DESCRIPTOR;
		return area === DESCRIPTOR ? places.includes(Math.floor(offset / 16)) : offset < 4 + 2 * queue.size;
	});
}

function findJourneys() {
	const state = firstState(), queues = new Map(), chains = new Map();
	const trackOf = (step) => {
		const key = keyOf(step.device, step.queue);
		if (!queues.has(key))
			queues.set(key, { available: [], stores: [], used: [], notified: [] });
		return queues.get(key);
	};
	const open = (device, test) => journeys.findLast((j) => j.device === device && test(j.at));
	steps.forEach((step, i) => {
		const track = trackOf(step), key = keyOf(step.device, step.queue);
		const before = isChange(step) && state.queues.has(key) ? copyOfQueue(state.queues.get(key)) : undefined;
		apply(state, step);
		switch (step.kind) {
		case "ready":
			queues.delete(key);
			break;
		case "ring":
		case "store":
			if (step.by === "driver" && before)
				noteAvailable(track, before, state.queues.get(key), step, i);
			if (step.by === "device")
				track.used.splice(0).forEach((j) => { j.at.published = i; track.notified.push(j); });
			break;
		case "kick":
		case "serve":
			track[step.kind] = i;
			break;
		case "chain": {
			const item = track.available.shift(), queue = state.queues.get(key);
			const stores = item && queue ? ownStores(item, queue, step.id) : [];
			const at = { stored: stores[0], made: item && item.index, taken: i };
			for (const station of ["kick", "serve"])
				if (track[station] > (at.made ?? -1))
					at[station] = track[station];
			const journey = { chain: step.chain, device: step.device, queue: step.queue, id: step.id,
				request: step.request, step, at, stores };
			journeys.push(journey);
			chains.set(step.chain, journey);
			break;
		}
		case "host begins": {
			const journey = open(step.device, (at) => at.host === undefined && at.used === undefined);
			if (journey)
				journey.at.host = i;
			break;
		}
		case "host ends": {
			const journey = open(step.device, (at) => at.host !== undefined && at.hosted === undefined);
			if (journey)
				journey.at.hosted = i;
			break;
		}
		case "used":
			if (chains.has(step.chain)) {
				const journey = chains.get(step.chain);
				journey.at.used = i;
				journey.usedStep = step;
				track.used.push(journey);
			}
			break;
		case "interrupt":
		case "no interrupt":
			[...track.used, ...track.notified.splice(0)].forEach((j) => {
				j.at[step.kind === "interrupt" ? "interrupt" : "quiet"] ??= i;
			});
			break;
		}
		const asks = { InterruptStatus: "seen", InterruptACK: "acknowledged" }[step.register];
		if (asks)
			journeys.filter((j) => j.device === step.device && j.at.interrupt !== undefined)
				.forEach((j) => { if (j.at.acknowledged === undefined) j.at[asks] ??= i; });
	});
	for (const journey of journeys) {
		const at = Object.values(journey.at).filter((i) => i !== undefined);
		journey.first = Math.min(...at);
		journey.last = Math.max(...at);
		journey.steps = [...new Set([...at, ...journey.stores])].sort((a, b) => a - b);
	}
}

findJourneys();

/* The request that a step is about, or the last one of its queue before it. */
function journeyAt(index, device, queue) {
	const own = journeys.find((j) => j.chain !== undefined && j.chain === steps[index].chain);
	if (own)
		return own;
	let best;
	for (const journey of journeys)
		if (journey.device === device && journey.queue === queue && journey.first <= index)
			best = best && best.last >= index && journey.last < index ? best : journey;
	return best;
}
