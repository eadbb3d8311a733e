/* SPDX-License-Identifier: BSD-2-Clause */

/* Draws a queue and its buffers as they are, beside what was before the step. */

const $ = (id) => document.getElementById(id);

function el(tag, className, ...children) {
	const element = document.createElement(tag);
	element.className = className || "";
	element.append(...children);
	return element;
}

/* Rows of a table that are not shown, between two that are. */
function moreRow(count, columns) {
	const cell = el("td", "", count === 1 ? "1 more" : count + " more");
	cell.colSpan = columns;
	return el("tr", "more", cell);
}

/* The rows of a table of size items that are worth their place: those that are hot, up to limit, with the ones beside
 * them while there is room. */
function rowsOf(size, hot, limit) {
	const shown = new Set([...hot].filter((i) => i >= 0 && i < size).slice(0, limit));
	for (let distance = 1; shown.size < Math.min(size, limit) && distance <= size; distance++)
		for (const i of [...(hot.size ? hot : [0])])
			for (const j of [i - distance, i + distance])
				if (j >= 0 && j < size && shown.size < limit)
					shown.add(j);
	if (!hot.size && size > 0)
		shown.add(0);
	return [...shown].sort((a, b) => a - b);
}

/* A table of the items of an array: row(i) gives its cells. */
function itemTable(heads, size, hot, limit, row) {
	const table = el("table", "", el("tr", "", ...heads.map((h) => el("th", "", h))));
	let before = -1;
	for (const i of rowsOf(size, hot, limit)) {
		if (i > before + 1)
			table.append(moreRow(i - before - 1, heads.length));
		table.append(row(i));
		before = i;
	}
	if (before < size - 1)
		table.append(moreRow(size - 1 - before, heads.length));
	return table;
}

/* A cell; it is marked if its text was another one before. */
function cell(now, before, className) {
	const changed = before !== undefined && now !== before;
	return el("td", (className || "") + (changed ? " changed" : ""), now);
}

/* The head of an area: whose it is, where, and the clause that has it. */
function areaHead(title, who, address, clause) {
	return el("h3", "", title + " ",
		el("small", "", el("span", "owner", who), ", at " + addressOf(address) + ", virtio " + clause));
}

/* A ring drawn as one line of cells, each [name, now, before, meaning, attributes]; null: some are left out. */
function strip(id, side, head, cells) {
	const names = el("tr", ""), values = el("tr", "");
	for (const item of cells) {
		if (!item) {
			names.append(el("th", "gap-cell", "\u2026"));
			values.append(el("td", "gap-cell", "\u2026"));
			continue;
		}
		const [name, now, before, meaning, attributes] = item;
		const value = cell(now, before);
		Object.assign(value.dataset, attributes || {});
		value.title = meaning || "";
		if (attributes && attributes.isLast)
			value.classList.add("ours");
		names.append(el("th", "", name));
		values.append(value);
	}
	$(id).className = "strip " + side;
	$(id).replaceChildren(head, el("table", "", names, values));
}

/* The cells of a ring's slots that are worth their place. */
function slots(size, hot, limit, item) {
	const cells = [];
	let before = -1;
	for (const i of rowsOf(size, hot, limit)) {
		if (i > before + 1)
			cells.push(null);
		cells.push(item(i));
		before = i;
	}
	if (before < size - 1)
		cells.push(null);
	return cells;
}

/* --- split queues -------------------------------------------------------------------------------- */

const flagNames = (flags, names) => names.filter(([bit]) => flags & bit).map(([, name]) => name).join(" ") || "0";
const DESCRIPTOR_FLAGS = [[NEXT, "NEXT"], [WRITE, "WRITE"], [INDIRECT, "INDIRECT"]];
const PACKED_FLAGS = [...DESCRIPTOR_FLAGS, [AVAIL, "AVAIL"], [USED, "USED"]];

/* Items whose bytes differ. */
function changedItems(now, before, area, base, width) {
	const changed = new Set();
	for (let i = 0; before && i < now.size; i++)
		for (let at = base + i * width; at < base + (i + 1) * width; at++)
			if (now.bytes[area][at] !== before.bytes[area][at])
				changed.add(i);
	return changed;
}

function descriptorRow(now, before, i, places) {
	const d = descriptorOf(now, i), b = before ? descriptorOf(before, i) : d;
	const names = now.packed ? PACKED_FLAGS : DESCRIPTOR_FLAGS;
	const isLinked = now.packed || d.flags & NEXT, wasLinked = now.packed || b.flags & NEXT;
	const cells = [cell(d.addr, b.addr), cell(String(d.len), String(b.len)),
		cell(flagNames(d.flags, names), flagNames(b.flags, names)),
		cell(isLinked ? String(d.other) : "-", wasLinked ? String(b.other) : "-")];
	if (now.packed)
		cells.splice(2, 0, cells.pop());
	const row = el("tr", (places.includes(i) ? "ours " : "") + (d.isFree ? "free" : ""),
		el("td", "index", String(i)), ...cells);
	row.dataset.descriptor = i;
	return row;
}

function drawAvail(now, before) {
	const avail = availOf(now), was = availOf(before), last = avail.idx ? (avail.idx - 1) % now.size : 0;
	const hot = changedItems(now, before, DRIVER, 4, 2).add(last);
	strip("driver", "driver", areaHead("Available ring", "the driver writes it", now.areas[DRIVER], "2.7.6"), [
		["flags", String(avail.flags), String(was.flags), "1: the driver wants no interrupts"],
		["idx", String(avail.idx), String(was.idx), "chains that were ever made available, modulo 65536"],
		...slots(now.size, hot, 12, (i) => ["[" + i + "]", String(avail.entry(i)), String(was.entry(i)),
			"the head of a chain", { avail: avail.entry(i), ...(i === last && avail.idx ? { isLast: 1 } : {}) }]),
		["used_event", now.eventIdx ? String(avail.event) : "-", now.eventIdx ? String(was.event) : "-",
			"the used element at which the driver wants an interrupt; with EVENT_IDX only"]]);
}

function drawUsed(now, before) {
	const used = usedOf(now), was = usedOf(before), last = used.idx ? (used.idx - 1) % now.size : 0;
	const hot = changedItems(now, before, DEVICE, 4, 8).add(last);
	strip("used", "device", areaHead("Used ring", "the device writes it", now.areas[DEVICE], "2.7.8"), [
		["flags", String(used.flags), String(was.flags), "1: the device wants no kicks"],
		["idx", String(used.idx), String(was.idx), "chains that were ever used, modulo 65536"],
		...slots(now.size, hot, 9, (i) => ["[" + i + "]",
			used.id(i) + ", " + used.len(i), was.id(i) + ", " + was.len(i), "the head of a chain, and bytes written",
			{ used: used.id(i), ...(i === last && used.idx ? { isLast: 1 } : {}) }]),
		["avail_event", now.eventIdx ? String(used.event) : "-", now.eventIdx ? String(was.event) : "-",
			"the available entry at which the device wants a kick; with EVENT_IDX only"]]);
}

const isNarrow = () => matchMedia("(max-width: 1000px)").matches;

/* Rows that the table has room for between the two rings. */
function tableRows() {
	const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
	const room = $("stage").clientHeight - $("driver").offsetHeight - $("used").offsetHeight - 5 * rem;
	return isNarrow() ? 8 : Math.max(4, Math.min(20, Math.floor(room / (1.3 * rem)) - 2));
}

function drawTable(now, before, places, step, title, who, clause, heads) {
	const hot = new Set([...places, ...changedItems(now, before, DESCRIPTOR, 0, 16)]);
	$("descriptors").className = "column " + (now.packed && step.by === "device" ? "device" : "driver");
	$("descriptors").replaceChildren(areaHead(title, who, now.areas[DESCRIPTOR], clause),
		itemTable(heads, now.size, hot, tableRows(), (i) => descriptorRow(now, before, i, places)));
}

function drawSplit(now, before, journey, step) {
	const places = journey ? chainFrom(now, journey.id) : [];
	drawAvail(now, before);
	drawUsed(now, before);
	drawTable(now, before, places, step, "Descriptor table", "the driver writes it", "2.7.5",
		["", "address", "length", "flags", "next"]);
	return places;
}

/* --- packed queues ------------------------------------------------------------------------------- */

/* The places in the ring that a chain was taken from: its last descriptor has its id. */
function packedPlaces(queue, journey) {
	const before = (i) => (i + queue.size - 1) % queue.size;
	for (let i = 0; i < queue.size; i++) {
		const descriptor = descriptorOf(queue, i);
		if (descriptor.isFree || descriptor.other !== journey.id || descriptor.flags & NEXT)
			continue;
		const places = [i];
		const isNext = (j) => places.length < queue.size && descriptorOf(queue, j).flags & NEXT;
		for (let j = before(i); isNext(j); j = before(j))
			places.unshift(j);
		return places;
	}
	return [];
}

function drawSuppression(id, side, now, before, area) {
	const word = u32(now.bytes[area], 0), was = u32(before.bytes[area], 0);
	const mode = (w) => ["always", "never", "at descriptor", "3 (not defined)"][w >>> 16 & 3];
	const what = side === "driver" ? "interrupts" : "kicks";
	strip(id, side, areaHead(side === "driver" ? "Driver event suppression" : "Device event suppression",
		"the " + side + " writes it", now.areas[area], "2.8.14"), [
		["wants " + what, mode(word), mode(was), "when the " + side + " wants to be notified"],
		["descriptor", String(word & 0x7fff), String(was & 0x7fff), "counts with \"at descriptor\" alone"],
		["wrap counter", String(word >>> 15 & 1), String(was >>> 15 & 1), "of that descriptor"]]);
}

function drawPacked(now, before, journey, step) {
	const places = journey ? packedPlaces(now, journey) : [];
	drawSuppression("driver", "driver", now, before, DRIVER);
	drawSuppression("used", "device", now, before, DEVICE);
	drawTable(now, before, places, step, "Descriptor ring", "driver and device write it", "2.8.13",
		["", "address", "length", "id", "flags"]);
	return places;
}

/* --- buffers ------------------------------------------------------------------------------------- */

const WIDTH = 16; /* bytes of a line */

function dump(bytes) {
	const lines = [];
	for (let at = 0; at < bytes.length; at += WIDTH) {
		const part = [...bytes.subarray(at, at + WIDTH)];
		const digits = part.map((b) => b.toString(16).padStart(2, "0")).join(" ");
		lines.push(digits.padEnd(3 * Math.min(WIDTH, bytes.length)) + " " +
			part.map((b) => b >= 32 && b < 127 ? String.fromCharCode(b) : "·").join(""));
	}
	return lines.join("\n");
}

/* What a disk's request has in its header and its last byte (virtio 5.2.6). */
function meaningOf(journey, isRead, offset, bytes) {
	if (nameOf(journey.device) !== "block")
		return "";
	if (isRead && offset === 0 && bytes.length >= 16)
		return "header: type " + u32(bytes, 0) + ", sector " + BigInt(addressAt(bytes, 8));
	const written = journey.usedStep;
	if (!isRead && journey.isUsed && bytes.length === 1)
		return "status" + (written.result ? ": " + written.result : "");
	return "";
}

/* Why a buffer is not shown to its end. */
function lackOf(journey, isRead, count) {
	const step = isRead ? journey.step : journey.usedStep;
	const more = count + (count === 1 ? " byte more, " : " bytes more, ");
	if (!isRead && !journey.isUsed)
		return "nothing is in it yet";
	if (step.bytes_left_out)
		return more + "which the page does not have";
	return more + (isRead || !step.bytes && step.written ? "which the capture does not have"
		: "which the device has not written");
}

function bufferCard(journey, number, segment, isRead, offset, bytes, isChanged) {
	const [address, length] = segment, side = isRead ? "driver" : "device";
	const card = el("div", "buffer " + side + (isChanged ? " changed" : ""),
		el("p", "", el("b", "", String(number) + "  "),
			addressOf(address) + ", " + length + (length === 1 ? " byte, " : " bytes, "),
			el("span", "owner", isRead ? "the device reads it" : "the device writes it")));
	const meaning = meaningOf(journey, isRead, offset, bytes);
	if (meaning)
		card.append(el("p", "meaning", meaning));
	if (bytes.length)
		card.append(el("pre", "", dump(bytes)));
	if (bytes.length < length)
		card.append(el("p", "none", lackOf(journey, isRead, length - bytes.length)));
	card.dataset.buffer = number;
	return card;
}

function drawBuffers(journey, step) {
	const head = el("h3", "", "Buffers",
		el("small", "", journey ? journey.request || "chain " + journey.id : "no chain was taken yet"));
	const cards = [];
	if (journey) {
		const chain = journey.step, read = bytesOf(chain.bytes);
		const written = bytesOf(journey.isUsed ? journey.usedStep.bytes : "");
		let offset = 0;
		chain.segments.forEach((segment, i) => {
			const isRead = i < chain.readable;
			offset = i === chain.readable ? 0 : offset;
			const bytes = (isRead ? read : written).subarray(offset, offset + segment[1]);
			const isChanged = step === chain ? isRead : step === journey.usedStep && !isRead;
			cards.push(bufferCard(journey, i, segment, isRead, offset, bytes, isChanged));
			offset += segment[1];
		});
		if (chain.segments_left_out)
			cards.push(el("p", "none", chain.segments_left_out + " more buffers, which the page does not have"));
	}
	$("buffers").className = "column";
	$("buffers").replaceChildren(head, ...cards);
}

/* --- arrows -------------------------------------------------------------------------------------- */

function svg(tag, attributes) {
	const element = document.createElementNS($("arrows").namespaceURI, tag);
	for (const [name, value] of Object.entries(attributes))
		element.setAttribute(name, value);
	return element;
}

/* Where elements are on the stage. */
function boxOf(element) {
	const stage = $("stage"), base = stage.getBoundingClientRect(), box = element.getBoundingClientRect();
	const dx = stage.scrollLeft - base.left, dy = stage.scrollTop - base.top;
	return { left: box.left + dx, right: box.right + dx, top: box.top + dy, bottom: box.bottom + dy,
		x: (box.left + box.right) / 2 + dx, y: (box.top + box.bottom) / 2 + dy };
}

/* A line along a path, to a head at x, y that points to the right. */
function arrow(side, path, x, y) {
	const group = svg("g", { class: side });
	group.append(svg("path", { d: path + ` ${x - 6} ${y}` }),
		svg("path", { class: "head", d: `M${x} ${y} l-8 -4 v8 z` }));
	$("arrows").append(group);
}

/* From a slot of a ring, above or below, around the table's left to a row of it. */
function slotArrow(side, slot, row) {
	const a = boxOf(slot), b = boxOf(row), table = boxOf(slot.closest("table"));
	const isAbove = a.y < b.y, down = isAbove ? 1 : -1;
	const y = isAbove ? table.bottom : table.top, x = b.left - 20, turn = y + 8 * down;
	arrow(side, `M${a.x} ${y} V${turn - 4 * down} Q${a.x} ${turn} ${a.x - 4} ${turn} ` +
		`H${x + 6} Q${x} ${turn} ${x} ${turn + 6 * down} ` +
		`V${b.y - 6 * down} Q${x} ${b.y} ${x + 6} ${b.y} L`, b.left, b.y);
}

function drawArrows(now, journey, places) {
	const row = (i) => document.querySelector(`[data-descriptor="${i}"]`);
	const head = row(places[0]);
	$("arrows").replaceChildren();
	if (!journey || !head || isNarrow())
		return;
	const from = document.querySelector(`.ours[data-${journey.isUsed ? "used" : "avail"}="${journey.id}"]`);
	if (from && !now.packed)
		slotArrow(journey.isUsed ? "device" : "driver", from, head);
	places.slice(1).forEach((place, i) => {
		if (!row(places[i]) || !row(place))
			return;
		const a = boxOf(row(places[i])), b = boxOf(row(place));
		arrow("driver", `M${a.left} ${a.y + 4} C${a.left - 14} ${a.y + 4} ${b.left - 14} ${b.y - 4}`, b.left, b.y - 4);
	});
	document.querySelectorAll("[data-buffer]").forEach((card) => {
		const number = Number(card.dataset.buffer), place = row(places.length === 1 ? places[0] : places[number]);
		if (!place)
			return;
		const a = boxOf(place), b = boxOf(card), y = b.top + 14, middle = (a.right + b.left) / 2;
		arrow(card.classList.contains("driver") ? "driver" : "device",
			`M${a.right} ${a.y} C${middle} ${a.y} ${middle} ${y}`, b.left, y);
	});
}
