/* SPDX-License-Identifier: BSD-2-Clause */

/* Goes from step to step, by keys, mouse and address: #step=N&chain=N&theme=dark|light. */

const player = { index: 0, followed: undefined, queue: "", timer: 0 };

/* --- the sentence and the device ----------------------------------------------------------------- */

const seconds = (ns) => (ns / 1e9).toFixed(9) + " s";

function drawSentence(step) {
	const why = (data.explanations || [])[step.why] || { text: "" };
	$("says").className = step.by;
	$("side").textContent = step.by;
	$("sentence").textContent = step.says + ".";
	$("why").replaceChildren(why.text + " ",
		el("span", "clause", why.clause ? data.specification + ", " + why.clause : ""));
	const where = [];
	if (step.device !== undefined)
		where.push(nameOf(step.device) + " " + step.device + (step.queue === undefined ? "" : ", queue " + step.queue));
	if (step.cpu !== undefined)
		where.push("CPU " + step.cpu);
	$("where").replaceChildren(where.join(", "), ...(step.place ? [" at ", el("b", "", step.place)] : []));
}

const LAMPS = [[1, "ACKNOWLEDGE"], [2, "DRIVER"], [8, "FEATURES_OK"], [4, "DRIVER_OK"],
	[0x40, "NEEDS_RESET"], [0x80, "FAILED"]];

function drawDevice(number, now, before) {
	const device = deviceIn(now, number), was = deviceIn(before, number);
	const lamp = (name, isLit, wasLit) =>
		el("span", "lamp" + (isLit ? " lit" : "") + (isLit !== wasLit ? " changed" : ""), name);
	const lamps = LAMPS.filter(([bit]) => bit < 0x40 || device.status & bit)
		.map(([bit, name]) => lamp(name, Boolean(device.status & bit), Boolean(was.status & bit)));
	$("device").className = "driver";
	$("device").replaceChildren(el("b", "", nameOf(number) + " " + number), "Status", ...lamps, "InterruptStatus",
		lamp("used buffer", Boolean(device.isr & 1), Boolean(was.isr & 1)),
		lamp("configuration change", Boolean(device.isr & 2), Boolean(was.isr & 2)));
}

function drawRegisters(number, now, step) {
	const table = el("table", "", el("tr", "", ...["register", "last", "value"].map((head) => el("th", "", head))));
	const registers = number === undefined ? [] : [...deviceIn(now, number).registers];
	for (const [name, register] of registers.sort((a, b) => a[1].offset - b[1].offset)) {
		const mark = register.n === step.n ? "changed" : "";
		table.append(el("tr", "", el("td", mark, name),
			el("td", mark, register.by === "read" ? "read" : "written"), el("td", mark, register.words)));
	}
	$("registers").className = "driver";
	$("registers").replaceChildren(el("h3", "", "Registers ",
		el("small", "", "as the driver has read and written them, virtio 4.2.2")), table);
	table.querySelector(".changed")?.scrollIntoView({ block: "nearest" });
}

/* --- the way of a request ------------------------------------------------------------------------ */

function drawJourney(journey, index) {
	const list = $("journey");
	list.replaceChildren();
	if (!journey)
		return;
	list.append(el("li", "request", "chain " + journey.chain + ": " + (journey.request || "id " + journey.id)));
	let before;
	for (const [station, name, side] of STATIONS) {
		const at = journey.at[station];
		if (at === undefined)
			continue;
		const item = el("li", side + (at <= index ? " done" : "") + (at === index ? " now" : ""), name);
		if (before !== undefined)
			item.append(el("small", "", "+" + ((steps[at].ns - steps[before].ns) / 1000).toFixed(1) + " µs"));
		item.addEventListener("click", () => go(at));
		list.append(item);
		before = at;
	}
}

/* --- all ----------------------------------------------------------------------------------------- */

/* The queue that is drawn: the step's own, the one that the user chose, or the last one of its device. */
function queueFor(step, state) {
	const own = keyOf(step.device, step.queue);
	if (state.queues.has(own))
		player.queue = own;
	const current = state.queues.get(player.queue);
	if (current && (step.device === undefined || current.device === step.device))
		return current;
	return [...state.queues.values()].find((queue) => queue.device === step.device);
}

/* A queue that differs in all bytes of a store, so that they are marked even if they were the same before. */
function withoutStore(queue, step) {
	const copy = copyOfQueue(queue);
	for (const [area, offset, bytes] of step.ring)
		for (let i = 0; i < bytes.length / 2; i++)
			copy.bytes[area][offset + i] ^= 0xff;
	return copy;
}

function drawQueue(queue, before, journey, step) {
	const same = before.queues.get(keyOf(queue.device, queue.queue));
	const isSame = same && same.size === queue.size && step.kind !== "ready";
	const was = step.kind === "store" ? withoutStore(queue, step) : isSame ? same : queue;
	const places = (queue.packed ? drawPacked : drawSplit)(queue, was, journey, step);
	drawBuffers(journey, step);
	drawArrows(queue, journey, places);
}

function draw() {
	const step = steps[player.index], before = stateAt(player.index - 1), now = stateAt(player.index);
	const queue = queueFor(step, now);
	const journey = player.followed || (queue && journeyAt(player.index, queue.device, queue.queue));
	if (journey)
		journey.isUsed = journey.at.used <= player.index;
	drawSentence(step);
	$("device").hidden = step.device === undefined;
	if (step.device !== undefined)
		drawDevice(step.device, now, before);
	drawJourney(journey, player.index);
	for (const id of ["driver", "descriptors", "buffers", "used"])
		$(id).hidden = !queue;
	$("registers").hidden = Boolean(queue);
	if (queue)
		drawQueue(queue, before, journey, step);
	else
		$("arrows").replaceChildren();
	drawRegisters(step.device, now, step);
	drawTimeline(player.index, journey);
	$("position").textContent = "step " + step.n + " of " + data.steps_in_capture + ", " + seconds(step.ns);
	$("timeline").setAttribute("aria-valuenow", player.index + 1);
	$("queues").value = queue ? keyOf(queue.device, queue.queue) : "";
}

function saveAddress() {
	const words = ["step=" + steps[player.index].n];
	if (player.followed)
		words.push("chain=" + player.followed.chain);
	if (document.documentElement.dataset.chosen)
		words.push("theme=" + document.documentElement.dataset.theme);
	try {
		history.replaceState(null, "", "#" + words.join("&"));
	} catch {
		/* Some browsers have no history for files. */
	}
}

function go(index) {
	player.index = Math.max(0, Math.min(steps.length - 1, index));
	draw();
	saveAddress();
}

/* One step on or back, of the request that is followed or of all. */
function move(by) {
	const own = player.followed && player.followed.steps;
	if (!own)
		return go(player.index + by);
	const next = by > 0 ? own.find((i) => i > player.index) : own.findLast((i) => i < player.index);
	if (next !== undefined)
		go(next);
}

/* To the request before or after, of the queue that is drawn. */
function moveRequest(by) {
	const current = player.followed || journeyAt(player.index, ...player.queue.split(".").map(Number));
	const own = current ? journeys.filter((j) => j.device === current.device && j.queue === current.queue) : journeys;
	const next = own[current ? own.indexOf(current) + by : 0];
	if (!next)
		return;
	player.followed = player.followed && next;
	go(next.first);
}

function follow(wanted) {
	const step = steps[player.index];
	const queue = queueFor(step, stateAt(player.index));
	player.followed = wanted && queue ? journeyAt(player.index, queue.device, queue.queue) : undefined;
	$("follow").checked = Boolean(player.followed);
	go(player.index);
}

function play() {
	clearInterval(player.timer);
	player.timer = player.timer ? 0 : setInterval(() => {
		const before = player.index;
		move(1);
		if (player.index === before)
			play();
	}, 900);
	$("play").textContent = player.timer ? "\u23f8\ufe0e pause" : "\u25b6\ufe0e play";
}

function setTheme(theme, isChosen) {
	document.documentElement.dataset.theme = theme;
	if (isChosen)
		document.documentElement.dataset.chosen = "1";
}

function switchTheme() {
	setTheme(document.documentElement.dataset.theme === "dark" ? "light" : "dark", true);
	go(player.index);
}

const KEYS = {
	ArrowRight: () => move(1), ArrowLeft: () => move(-1),
	ArrowDown: () => moveRequest(1), ArrowUp: () => moveRequest(-1),
	PageDown: () => go(player.index + 10), PageUp: () => go(player.index - 10),
	Home: () => go(0), End: () => go(steps.length - 1), " ": play,
	f: () => follow(!player.followed), t: switchTheme, "?": () => $("keys").showModal(),
};

function watchKeys() {
	addEventListener("keydown", (event) => {
		const arrow = { ArrowRight: 10, ArrowLeft: -10 }[event.key];
		if (event.ctrlKey || event.altKey || event.metaKey || $("keys").open || event.target.tagName === "SELECT")
			return;
		if (event.shiftKey && arrow)
			go(player.index + arrow);
		else if (KEYS[event.key])
			KEYS[event.key]();
		else
			return;
		event.preventDefault();
	});
}

function watchControls() {
	const actions = { first: "Home", back: "ArrowLeft", play: " ", next: "ArrowRight", last: "End", theme: "t",
		help: "?" };
	for (const [id, key] of Object.entries(actions))
		$(id).addEventListener("click", KEYS[key]);
	$("follow").addEventListener("change", () => follow($("follow").checked));
	$("queues").addEventListener("change", () => {
		player.queue = $("queues").value;
		const [device, queue] = player.queue.split(".").map(Number);
		const first = steps.findIndex((step, i) => i >= player.index && step.device === device && step.queue === queue);
		go(first >= 0 ? first : steps.findIndex((step) => step.device === device && step.queue === queue));
	});
	watchTimeline(go);
	watchKeys();
	addEventListener("resize", draw);
	addEventListener("hashchange", readAddress);
}

/* Takes what the address asks for. */
function readAddress() {
	const words = new URLSearchParams(location.hash.slice(1));
	const wanted = Number(words.get("step"));
	const chain = journeys.find((j) => j.chain === Number(words.get("chain")));
	if (words.has("theme"))
		setTheme(words.get("theme") === "dark" ? "dark" : "light", true);
	player.followed = chain;
	$("follow").checked = Boolean(chain);
	const index = steps.findIndex((step) => step.n >= wanted);
	go(words.has("step") ? index < 0 ? steps.length - 1 : index : chain ? chain.first : 0);
}

function fillPage() {
	document.title = data.capture + " - vole story";
	$("capture").textContent = data.capture + (data.application ? ", by " + data.application : "");
	$("problems").hidden = !data.problems.length;
	$("problems").querySelector("summary").textContent =
		data.problems.length === 1 ? "what this page lacks" : data.problems.length + " things that this page lacks";
	$("problems").querySelector("ul").append(...data.problems.map((problem) => el("li", "", problem)));
	$("timeline").setAttribute("aria-valuemax", steps.length);
	$("queues").append(...lanes.filter((lane) => lane.queue !== undefined).map((lane) => {
		const option = el("option", "", lane.name);
		option.value = lane.key;
		return option;
	}));
}

const wantsDark = matchMedia("(prefers-color-scheme: dark)");
setTheme(wantsDark.matches ? "dark" : "light", false);
wantsDark.addEventListener("change", () => {
	if (!document.documentElement.dataset.chosen)
		setTheme(wantsDark.matches ? "dark" : "light", false);
	draw();
});
fillPage();
watchControls();
readAddress();
