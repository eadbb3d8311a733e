/* SPDX-License-Identifier: BSD-2-Clause */

/* The run at a glance: a lane for each queue and for the registers of each device, a tick for each step, a bar for
 * each request. */

const lanes = []; /* { device, queue, name } */

function findLanes() {
	const seen = new Map();
	for (const step of steps) {
		const key = keyOf(step.device, step.queue);
		if (!seen.has(key) && step.device !== undefined)
			seen.set(key, { device: step.device, queue: step.queue, key,
				name: nameOf(step.device) + " " + step.device +
					(step.queue === undefined ? "" : ", queue " + step.queue) });
	}
	lanes.push(...[...seen.values()].sort((a, b) => a.device - b.device || (a.queue ?? -1) - (b.queue ?? -1)));
}

findLanes();

const LABEL = 130, MARGIN = 10;
const laneHeight = () => Math.max(5, Math.min(15, Math.floor((lanes.length > 8 ? 120 : 90) / lanes.length)));

/* What stands before a lane: where lanes are low, the device's first one has the device's name alone. */
function labelOf(lane, i, height) {
	if (height >= 10)
		return lane.name;
	return i === 0 || lanes[i - 1].device !== lane.device ? nameOf(lane.device) + " " + lane.device : "";
}

function timelineScale() {
	const width = $("timeline").clientWidth - LABEL - MARGIN;
	return { width, x: (i) => LABEL + width * (i + .5) / steps.length,
		index: (x) => Math.floor((x - LABEL) / width * steps.length) };
}

function drawTimeline(index, journey) {
	const canvas = $("timeline"), scale = timelineScale(), height = laneHeight();
	const style = getComputedStyle(document.documentElement), color = (name) => style.getPropertyValue("--" + name);
	canvas.style.height = lanes.length * height + 4 + "px";
	canvas.width = canvas.clientWidth * devicePixelRatio;
	canvas.height = canvas.clientHeight * devicePixelRatio;
	const context = canvas.getContext("2d"), top = new Map(lanes.map((lane, i) => [lane.key, 2 + i * height]));
	context.scale(devicePixelRatio, devicePixelRatio);
	context.font = Math.max(11, Math.min(12, height)) + "px system-ui, sans-serif";
	lanes.forEach((lane, i) => {
		const name = labelOf(lane, i, height);
		context.fillStyle = color("faint");
		context.fillText(name, 0, 2 + (i + .5) * height + 4, LABEL - 6);
		context.fillStyle = color("line");
		context.fillRect(LABEL, 2 + (i + .5) * height, scale.width, 1);
	});
	for (const j of journeys) {
		const y = top.get(keyOf(j.device, j.queue)), isOwn = j === journey;
		context.fillStyle = color(isOwn ? "text" : "line");
		context.globalAlpha = isOwn ? .5 : .8;
		context.fillRect(scale.x(j.first), y + 1, Math.max(2, scale.x(j.last) - scale.x(j.first)), height - 2);
	}
	context.globalAlpha = 1;
	const inner = Math.max(3, height - 6);
	const tick = Math.max(1, Math.min(4, scale.width / steps.length - .5));
	steps.forEach((step, i) => {
		const y = top.get(keyOf(step.device, step.queue));
		context.fillStyle = color(step.by);
		if (y === undefined)
			context.fillRect(scale.x(i) - tick / 2, 0, tick, canvas.clientHeight);
		else
			context.fillRect(scale.x(i) - tick / 2, y + (height - inner) / 2, tick, inner);
	});
	context.fillStyle = color("text");
	context.fillRect(scale.x(index) - 1, 0, 2, canvas.clientHeight);
}

/* Calls go(index) for the step that the mouse or a finger is on. */
function watchTimeline(go) {
	const canvas = $("timeline");
	const move = (event) => go(timelineScale().index(event.clientX - canvas.getBoundingClientRect().left));
	canvas.addEventListener("pointerdown", (event) => {
		canvas.setPointerCapture(event.pointerId);
		move(event);
	});
	canvas.addEventListener("pointermove", (event) => {
		if (event.buttons)
			move(event);
	});
}
