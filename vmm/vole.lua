-- SPDX-License-Identifier: BSD-2-Clause
--
-- Dissector of vole's captures for Wireshark and tshark: spec/capture.md is the format. Read by
--
--	tshark -X lua_script:vole.lua -r FILE.pcapng
--
-- or by itself from Wireshark's folder of personal Lua plugins (Help, About Wireshark, Folders).

local vole = Proto("vole", "Virtio as vole sees it")

local KINDS = {
	[1] = "register read", [2] = "register write", [3] = "status", [4] = "queue ready", [5] = "serve",
	[6] = "chain", [7] = "used", [8] = "interrupt", [9] = "no interrupt", [10] = "host begins",
	[11] = "host ends", [12] = "report", [13] = "ring", [14] = "mark", [15] = "store", [16] = "name",
}
local DEVICES = { [1] = "network", [2] = "block", [3] = "console", [4] = "entropy" }
local REGISTERS = { -- virtio 4.2.2
	[0x000] = "MagicValue", [0x004] = "Version", [0x008] = "DeviceID", [0x00c] = "VendorID",
	[0x010] = "DeviceFeatures", [0x014] = "DeviceFeaturesSel", [0x020] = "DriverFeatures",
	[0x024] = "DriverFeaturesSel", [0x030] = "QueueSel", [0x034] = "QueueSizeMax", [0x038] = "QueueSize",
	[0x044] = "QueueReady", [0x050] = "QueueNotify", [0x060] = "InterruptStatus", [0x064] = "InterruptACK",
	[0x070] = "Status", [0x080] = "QueueDescLow", [0x084] = "QueueDescHigh", [0x090] = "QueueDriverLow",
	[0x094] = "QueueDriverHigh", [0x0a0] = "QueueDeviceLow", [0x0a4] = "QueueDeviceHigh", [0x0ac] = "SHMSel",
	[0x0b0] = "SHMLenLow", [0x0b4] = "SHMLenHigh", [0x0b8] = "SHMBaseLow", [0x0bc] = "SHMBaseHigh",
	[0x0c0] = "QueueReset", [0x0fc] = "ConfigGeneration",
}
local CONFIG = 0x100
local REQUESTS = { -- virtio 5.2.6
	[0] = "read", [1] = "write", [4] = "flush", [8] = "get id", [10] = "get lifetime", [11] = "discard",
	[13] = "write zeroes", [14] = "secure erase",
}
local RESULTS = { [0] = "OK", [1] = "IOERR", [2] = "UNSUPP" }
local EVENTS = { -- virtio 5.3.6.2
	[0] = "DEVICE_READY", [1] = "DEVICE_ADD", [2] = "DEVICE_REMOVE", [3] = "PORT_READY", [4] = "CONSOLE_PORT",
	[5] = "RESIZE", [6] = "PORT_OPEN", [7] = "PORT_NAME",
}
local OBSTACLES = { [0] = "none", [1] = "masked", [2] = "vector below 16", [3] = "delivery mode" }
local AREAS = { [0] = "descriptor area", [1] = "driver area", [2] = "device area" }
local STATUS = { { 0x01, "ACKNOWLEDGE" }, { 0x02, "DRIVER" }, { 0x08, "FEATURES_OK" }, { 0x04, "DRIVER_OK" },
	{ 0x40, "DEVICE_NEEDS_RESET" }, { 0x80, "FAILED" } }
local NONE = 0xffff

local f = {
	version = ProtoField.uint8("vole.version", "Version"),
	kind = ProtoField.uint8("vole.kind", "Kind", base.DEC, KINDS),
	device = ProtoField.uint16("vole.device", "Device"),
	device_id = ProtoField.uint32("vole.device_id", "Device id", base.DEC, DEVICES),
	queue = ProtoField.uint16("vole.queue", "Queue"),
	cpu = ProtoField.uint16("vole.cpu", "CPU"),
	packed = ProtoField.bool("vole.packed", "Packed ring", 8, nil, 1),
	event_idx = ProtoField.bool("vole.event_idx", "EVENT_IDX", 8, nil, 2),
	register = ProtoField.uint32("vole.register", "Register", base.HEX, REGISTERS),
	register_len = ProtoField.uint32("vole.register.len", "Length of the access"),
	register_value = ProtoField.uint64("vole.register.value", "Value", base.HEX),
	register_selected = ProtoField.uint32("vole.register.selected", "Selected"),
	place = ProtoField.string("vole.place", "Instruction"),
	name_address = ProtoField.uint64("vole.name.address", "Address", base.HEX),
	name = ProtoField.string("vole.name", "Symbol"),
	status_before = ProtoField.uint8("vole.status.before", "Status before", base.HEX),
	status = ProtoField.uint8("vole.status", "Status", base.HEX),
	queue_size = ProtoField.uint32("vole.queue.size", "Size"),
	queue_desc = ProtoField.uint64("vole.queue.descriptor_area", "Descriptor area", base.HEX),
	queue_driver = ProtoField.uint64("vole.queue.driver_area", "Driver area", base.HEX),
	queue_device = ProtoField.uint64("vole.queue.device_area", "Device area", base.HEX),
	chain_id = ProtoField.uint16("vole.chain", "Chain"),
	segments = ProtoField.uint16("vole.segments", "Segments"),
	readable_segments = ProtoField.uint32("vole.segments.readable", "Segments that the device reads"),
	readable = ProtoField.uint64("vole.readable", "Bytes that the device reads"),
	writable = ProtoField.uint64("vole.writable", "Bytes that the device may write"),
	segment = ProtoField.none("vole.segment", "Segment"),
	segment_address = ProtoField.uint64("vole.segment.address", "Address", base.HEX),
	segment_len = ProtoField.uint64("vole.segment.len", "Length"),
	payload = ProtoField.bytes("vole.payload", "Bytes"),
	used_len = ProtoField.uint32("vole.used.len", "Length in the used ring"),
	used_shown = ProtoField.uint64("vole.used.bytes", "Bytes that were written"),
	used_in = ProtoField.framenum("vole.used_in", "Used in", base.NONE, frametype.RESPONSE),
	chain_in = ProtoField.framenum("vole.chain_in", "Taken in", base.NONE, frametype.REQUEST),
	latency = ProtoField.relative_time("vole.latency", "Time since it was taken"),
	interrupt_bit = ProtoField.uint32("vole.interrupt", "Bit of InterruptStatus", base.HEX,
		{ [1] = "used buffer", [2] = "configuration change" }),
	pin = ProtoField.uint32("vole.interrupt.pin", "Pin"),
	vector = ProtoField.uint32("vole.interrupt.vector", "Vector", base.HEX),
	destination = ProtoField.uint32("vole.interrupt.destination", "Destination"),
	obstacle = ProtoField.uint32("vole.interrupt.obstacle", "Obstacle", base.DEC, OBSTACLES),
	suppression = ProtoField.uint32("vole.suppression", "What the driver said", base.HEX),
	report = ProtoField.string("vole.report", "Report"),
	mark = ProtoField.uint32("vole.mark", "Mark", base.HEX),
	area = ProtoField.uint8("vole.ring.area", "Area", base.DEC, AREAS),
	area_offset = ProtoField.uint32("vole.ring.offset", "Offset", base.HEX),
	area_bytes = ProtoField.bytes("vole.ring.bytes", "Bytes"),
	desc = ProtoField.none("vole.desc", "Descriptor"),
	desc_index = ProtoField.uint32("vole.desc.index", "Index"),
	desc_address = ProtoField.uint64("vole.desc.address", "Address", base.HEX),
	desc_len = ProtoField.uint32("vole.desc.len", "Length"),
	desc_flags = ProtoField.uint16("vole.desc.flags", "Flags", base.HEX),
	desc_next = ProtoField.uint16("vole.desc.next", "Next"),
	desc_id = ProtoField.uint16("vole.desc.id", "Buffer id"),
	avail_flags = ProtoField.uint16("vole.avail.flags", "Available ring, flags", base.HEX),
	avail_idx = ProtoField.uint16("vole.avail.idx", "Available ring, idx"),
	avail_entry = ProtoField.uint16("vole.avail.entry", "Available ring, head"),
	used_event = ProtoField.uint16("vole.avail.used_event", "used_event"),
	used_flags = ProtoField.uint16("vole.used.flags", "Used ring, flags", base.HEX),
	used_idx = ProtoField.uint16("vole.used.idx", "Used ring, idx"),
	used_id = ProtoField.uint32("vole.used.id", "Used ring, id"),
	used_elem_len = ProtoField.uint32("vole.used.elem_len", "Used ring, len"),
	avail_event = ProtoField.uint16("vole.used.avail_event", "avail_event"),
	event_word = ProtoField.uint32("vole.event.word", "Event suppression", base.HEX),
	blk_type = ProtoField.uint32("vole.blk.type", "Request", base.DEC, REQUESTS),
	blk_sector = ProtoField.uint64("vole.blk.sector", "Sector"),
	blk_len = ProtoField.uint64("vole.blk.len", "Bytes of data"),
	blk_status = ProtoField.uint8("vole.blk.status", "Result", base.DEC, RESULTS),
	blk_range_sector = ProtoField.uint64("vole.blk.range.sector", "Range, sector"),
	blk_range_sectors = ProtoField.uint32("vole.blk.range.sectors", "Range, sectors"),
	blk_range_flags = ProtoField.uint32("vole.blk.range.flags", "Range, flags", base.HEX),
	con_text = ProtoField.string("vole.con.text", "Text"),
	con_port = ProtoField.uint32("vole.con.port", "Port"),
	con_event = ProtoField.uint16("vole.con.event", "Event", base.DEC, EVENTS),
	con_value = ProtoField.uint16("vole.con.value", "Value"),
	rng_len = ProtoField.uint64("vole.rng.len", "Random bytes asked for"),
}
vole.fields = f

local e = {
	report = ProtoExpert.new("vole.expert.report", "The device reports a mistake or a fault",
		expert.group.PROTOCOL, expert.severity.ERROR),
	failed = ProtoExpert.new("vole.expert.failed", "The device asks for a reset (DEVICE_NEEDS_RESET)",
		expert.group.RESPONSE_CODE, expert.severity.ERROR),
	result = ProtoExpert.new("vole.expert.result", "The request has failed",
		expert.group.RESPONSE_CODE, expert.severity.WARN),
	lost_interrupt = ProtoExpert.new("vole.expert.interrupt", "The interrupt is lost",
		expert.group.SEQUENCE, expert.severity.WARN),
	suppressed = ProtoExpert.new("vole.expert.suppressed", "No interrupt: the driver did not ask for one",
		expert.group.SEQUENCE, expert.severity.CHAT),
	malformed = ProtoExpert.new("vole.expert.malformed", "The record ends too early, or is of another version",
		expert.group.MALFORMED, expert.severity.ERROR),
}
vole.experts = e

-- What earlier packets said, which later ones need: filled at the first pass over the file, in order.
local chains  -- by "device.queue.id": the chain that is in flight
local sizes   -- by "device.queue": entries of the queue
local of_used -- by the number of a used packet: its chain
local of_ring -- by the number of a ring packet: entries of its queue then

function vole.init()
	chains, sizes, of_used, of_ring = {}, {}, {}, {}
end

-- What follows in a buffer from an offset on; without a byte, nothing.
local function rest(buffer, at)
	if at < buffer:len() then
		return buffer(at)
	end
end

local function status_names(value)
	local names = {}
	for _, bit in ipairs(STATUS) do
		if bit32.band(value, bit[1]) ~= 0 then
			names[#names + 1] = bit[2]
		end
	end
	return #names > 0 and " (" .. table.concat(names, ", ") .. ")" or ""
end

-- --- registers -----------------------------------------------------------------------------------

local function register_name(offset)
	if offset >= CONFIG then
		return string.format("configuration+0x%x", offset - CONFIG)
	end
	return REGISTERS[offset] or string.format("offset 0x%03x", offset)
end

local function dissect_register(buffer, tree, is_write)
	local offset, value = buffer(0, 4):le_uint(), buffer(8, 8):le_uint64()
	local len = buffer(20, 2):le_uint()
	local name = register_name(offset)
	local text = string.format("%s %s = 0x%s", is_write and "write" or "read", name, value:tohex():gsub("^0+(.)", "%1"))

	tree:add_le(f.register, buffer(0, 4)):set_text("Register: " .. name)
	tree:add_le(f.register_len, buffer(4, 4))
	tree:add_le(f.register_value, buffer(8, 8))
	tree:add_le(f.register_selected, buffer(16, 4))
	if len > 0 then
		tree:add(f.place, buffer(22, len))
	end
	if name == "Status" then
		text = text .. status_names(value:tonumber())
	elseif name == "QueueNotify" and is_write then
		text = "kick: " .. text
	end
	return text .. (len > 0 and ", at " .. buffer(22, len):string() or "")
end

-- --- requests ------------------------------------------------------------------------------------

local function dissect_block_request(payload, tree, chain)
	if not payload or payload:len() < 16 then
		return "no whole header"
	end
	local kind, sector = payload(0, 4):le_uint(), payload(8, 8):le_uint64()
	local name = REQUESTS[kind] or "type " .. kind
	tree:add_le(f.blk_type, payload(0, 4))
	if kind == 0 or kind == 1 then
		local data = kind == 0 and chain.writable - 1 or chain.readable - 16
		tree:add_le(f.blk_sector, payload(8, 8))
		tree:add(f.blk_len, UInt64(math.max(data, 0)))
		return string.format("%s of sector %s, %d bytes", name, tostring(sector), data)
	end
	for at = 16, payload:len() - 16, 16 do
		if kind == 11 or kind == 13 or kind == 14 then
			tree:add_le(f.blk_range_sector, payload(at, 8))
			tree:add_le(f.blk_range_sectors, payload(at + 8, 4))
			tree:add_le(f.blk_range_flags, payload(at + 12, 4))
		end
	end
	return name
end

-- A console of several ports has queues 2 and 3 for control messages; one of a single port has no such queues.
local function dissect_console(payload, tree, queue)
	if not payload then
		return ""
	end
	if (queue == 2 or queue == 3) and payload:len() >= 8 then
		tree:add_le(f.con_port, payload(0, 4))
		tree:add_le(f.con_event, payload(4, 2))
		tree:add_le(f.con_value, payload(6, 2))
		local event = payload(4, 2):le_uint()
		return string.format("port %d: %s %d", payload(0, 4):le_uint(), EVENTS[event] or event, payload(6, 2):le_uint())
	end
	tree:add(f.con_text, payload)
	return string.format("%d bytes", payload:len())
end

local function dissect_request(payload, tree, head, chain)
	if head.id == 2 then
		return dissect_block_request(payload, tree, chain)
	elseif head.id == 3 then
		local text = dissect_console(payload, tree, head.queue)
		return text ~= "" and text or string.format("buffer for %d bytes", chain.writable)
	elseif head.id == 4 then
		tree:add(f.rng_len, UInt64(chain.writable))
		return string.format("%d random bytes", chain.writable)
	end
	return ""
end

-- --- chains --------------------------------------------------------------------------------------

local function key_of(head, id)
	return string.format("%d.%d.%d", head.device, head.queue, id)
end

local function dissect_chain(buffer, pinfo, tree, head)
	local id, count, readable = buffer(0, 2):le_uint(), buffer(2, 2):le_uint(), buffer(4, 4):le_uint()
	local chain = { number = pinfo.number, time = pinfo.abs_ts, readable = buffer(8, 8):le_uint64():tonumber(),
		writable = buffer(16, 8):le_uint64():tonumber() }
	tree:add_le(f.chain_id, buffer(0, 2))
	tree:add_le(f.segments, buffer(2, 2))
	tree:add_le(f.readable_segments, buffer(4, 4))
	tree:add_le(f.readable, buffer(8, 8))
	tree:add_le(f.writable, buffer(16, 8))
	for i = 0, count - 1 do
		local segment = buffer(24 + 16 * i, 16)
		local branch = tree:add(f.segment, segment)
		branch:set_text(string.format("The device %s %s bytes at 0x%s", i < readable and "reads" or "may write",
			tostring(segment(8, 8):le_uint64()), segment(0, 8):le_uint64():tohex()))
		branch:add_le(f.segment_address, segment(0, 8))
		branch:add_le(f.segment_len, segment(8, 8))
	end
	if not pinfo.visited then
		chains[key_of(head, id)] = chain
		chain.id = id
		of_used[-pinfo.number] = chain
	end
	chain = of_used[-pinfo.number] or chain
	if chain.used then
		tree:add(f.used_in, chain.used):set_generated()
	end
	local payload = rest(buffer, 24 + 16 * count)
	if payload then
		tree:add(f.payload, payload)
	end
	return string.format("chain %d: %s", id, dissect_request(payload, tree, head, chain))
end

local function dissect_used(buffer, pinfo, tree, head)
	local id, len = buffer(0, 2):le_uint(), buffer(4, 4):le_uint()
	local text = string.format("chain %d used, %d bytes written", id, len)
	tree:add_le(f.chain_id, buffer(0, 2))
	tree:add_le(f.used_len, buffer(4, 4))
	tree:add_le(f.used_shown, buffer(8, 8))
	if not pinfo.visited then
		local chain = chains[key_of(head, id)]
		chains[key_of(head, id)] = nil
		of_used[pinfo.number] = chain
		if chain then
			chain.used = pinfo.number
		end
	end
	local chain = of_used[pinfo.number]
	if chain then
		tree:add(f.chain_in, chain.number):set_generated()
		local ns = math.floor((pinfo.abs_ts - chain.time) * 1e9 + 0.5)
		tree:add(f.latency, NSTime.new(math.floor(ns / 1e9), ns % 1000000000)):set_generated()
	end
	local shown, payload = buffer(8, 8):le_uint64():tonumber(), rest(buffer, 16)
	if payload then
		tree:add(f.payload, payload)
	end
	if head.id == 2 and payload and payload:len() == shown then
		local status = payload(shown - 1, 1)
		local item = tree:add(f.blk_status, status)
		text = text .. ", " .. (RESULTS[status:uint()] or "status " .. status:uint())
		if status:uint() ~= 0 then
			item:add_proto_expert_info(e.result)
		end
	elseif head.id == 3 then
		dissect_console(payload, tree, head.queue)
	end
	return text
end

-- --- rings ---------------------------------------------------------------------------------------

-- Calls add(offset, length) for each item of width bytes, from base on, that the run covers wholly or in part.
local function each_item(offset, len, base, width, count, add)
	local first, last = math.max(0, math.floor((offset - base) / width)),
		math.min(count - 1, math.floor((offset + len - 1 - base) / width))
	for i = first, last do
		add(i, base + i * width - offset)
	end
end

-- The part of a run that an item's field has, if it is all there.
local function part(bytes, at, len)
	if at >= 0 and at + len <= bytes:len() then
		return bytes(at, len)
	end
end

local function add_part(tree, field, bytes, at, len)
	local range = part(bytes, at, len)
	if range then
		tree:add_le(field, range)
	end
	return range
end

local function dissect_descriptors(bytes, offset, tree, size, packed)
	each_item(offset, bytes:len(), 0, 16, size, function(i, at)
		local branch = tree:add(f.desc, bytes)
		branch:set_text("Descriptor " .. i)
		branch:add(f.desc_index, i)
		add_part(branch, f.desc_address, bytes, at, 8)
		add_part(branch, f.desc_len, bytes, at + 8, 4)
		add_part(branch, packed and f.desc_id or f.desc_flags, bytes, at + 12, 2)
		add_part(branch, packed and f.desc_flags or f.desc_next, bytes, at + 14, 2)
	end)
	return "descriptors"
end

local function dissect_avail(bytes, offset, tree, size)
	add_part(tree, f.avail_flags, bytes, 0 - offset, 2)
	local idx = add_part(tree, f.avail_idx, bytes, 2 - offset, 2)
	each_item(offset, bytes:len(), 4, 2, size, function(_, at) add_part(tree, f.avail_entry, bytes, at, 2) end)
	local event = add_part(tree, f.used_event, bytes, 4 + 2 * size - offset, 2)
	return "available ring" .. (idx and ", idx " .. idx:le_uint() or "") .. (event and ", used_event " .. event:le_uint() or "")
end

local function dissect_used_ring(bytes, offset, tree, size)
	add_part(tree, f.used_flags, bytes, 0 - offset, 2)
	local idx = add_part(tree, f.used_idx, bytes, 2 - offset, 2)
	each_item(offset, bytes:len(), 4, 8, size, function(_, at)
		add_part(tree, f.used_id, bytes, at, 4)
		add_part(tree, f.used_elem_len, bytes, at + 4, 4)
	end)
	local event = add_part(tree, f.avail_event, bytes, 4 + 8 * size - offset, 2)
	return "used ring" .. (idx and ", idx " .. idx:le_uint() or "") .. (event and ", avail_event " .. event:le_uint() or "")
end

-- A change that was found, or a store that was seen: what does what to which part of an area.
local function dissect_area(buffer, bytes, what, pinfo, tree, head)
	local area, offset = buffer(0, 1):uint(), buffer(4, 4):le_uint()
	if not pinfo.visited then
		of_ring[pinfo.number] = sizes[head.device .. "." .. head.queue]
	end
	local size = of_ring[pinfo.number] or 0
	tree:add(f.area, buffer(0, 1))
	tree:add_le(f.area_offset, buffer(4, 4))
	tree:add(f.area_bytes, bytes)
	if area == 0 then
		return what .. dissect_descriptors(bytes, offset, tree, size, head.packed)
	elseif head.packed then
		add_part(tree, f.event_word, bytes, 0 - offset, 4)
		return what .. AREAS[area]
	elseif area == 1 then
		return what .. dissect_avail(bytes, offset, tree, size)
	end
	return what .. dissect_used_ring(bytes, offset, tree, size)
end

local function dissect_store(buffer, pinfo, tree, head)
	local len = buffer(8, 2):le_uint()
	if len > 0 then
		tree:add(f.place, buffer(10, len))
	end
	local text = dissect_area(buffer, buffer(10 + len), "store: ", pinfo, tree, head)
	return text .. (len > 0 and ", at " .. buffer(10, len):string() or "")
end

-- --- the others ----------------------------------------------------------------------------------

local function dissect_status(buffer, tree)
	local now = buffer(1, 1):uint()
	tree:add(f.status_before, buffer(0, 1))
	local item = tree:add(f.status, buffer(1, 1))
	item:append_text(status_names(now))
	if bit32.band(now, 0x40) ~= 0 then
		item:add_proto_expert_info(e.failed)
	end
	return string.format("Status is now 0x%02x%s", now, status_names(now))
end

local function dissect_queue(buffer, pinfo, tree, head)
	local size = buffer(0, 4):le_uint()
	if not pinfo.visited and size > 0 then
		sizes[head.device .. "." .. head.queue] = size
	end
	tree:add_le(f.queue_size, buffer(0, 4))
	tree:add_le(f.queue_desc, buffer(8, 8))
	tree:add_le(f.queue_driver, buffer(16, 8))
	tree:add_le(f.queue_device, buffer(24, 8))
	return size > 0 and string.format("ready, %s, %d entries", head.packed and "packed" or "split", size) or "stopped"
end

local function dissect_interrupt(buffer, tree)
	local vector, obstacle = buffer(8, 4):le_uint(), buffer(16, 4):le_uint()
	tree:add_le(f.interrupt_bit, buffer(0, 4))
	tree:add_le(f.pin, buffer(4, 4))
	local text = "interrupt by pin " .. buffer(4, 4):le_uint()
	if vector ~= 0xffffffff then
		tree:add_le(f.vector, buffer(8, 4))
		tree:add_le(f.destination, buffer(12, 4))
		text = text .. string.format(", vector 0x%02x", vector)
	end
	local item = tree:add_le(f.obstacle, buffer(16, 4))
	if obstacle ~= 0 then
		item:add_proto_expert_info(e.lost_interrupt)
		text = text .. ", lost: " .. (OBSTACLES[obstacle] or obstacle)
	end
	return text
end

-- The words are those of --log virtio (vmm/see/words.c).
local function dissect_suppression(buffer, tree, head)
	local word = buffer(0, 4):le_uint()
	tree:add_le(f.suppression, buffer(0, 4)):add_proto_expert_info(e.suppressed)
	if not head.packed then
		return "no interrupt: " .. (head.event_idx and "used_event is " or "the available ring's flags are ") .. word
	elseif bit32.band(bit32.rshift(word, 16), 3) == 1 then
		return "no interrupt: the driver has disabled them"
	end
	return string.format("no interrupt: the driver asked for descriptor %d, wrap counter %d",
		bit32.band(word, 0x7fff), bit32.band(bit32.rshift(word, 15), 1))
end

-- --- records -------------------------------------------------------------------------------------

local function dissect_record(buffer, pinfo, tree, head)
	local kind = head.kind
	if kind == 1 or kind == 2 then
		return dissect_register(buffer, tree, kind == 2)
	elseif kind == 3 then
		return dissect_status(buffer, tree)
	elseif kind == 4 then
		return dissect_queue(buffer, pinfo, tree, head)
	elseif kind == 6 then
		return dissect_chain(buffer, pinfo, tree, head)
	elseif kind == 7 then
		return dissect_used(buffer, pinfo, tree, head)
	elseif kind == 8 then
		return dissect_interrupt(buffer, tree)
	elseif kind == 9 then
		return dissect_suppression(buffer, tree, head)
	elseif kind == 12 then
		local text = buffer(4):string()
		tree:add(f.report, buffer(4)):add_proto_expert_info(e.report, text)
		return text
	elseif kind == 14 then
		tree:add_le(f.mark, buffer(0, 4))
		return string.format("mark 0x%x", buffer(0, 4):le_uint())
	elseif kind == 13 then
		return dissect_area(buffer, buffer(8), "changed: ", pinfo, tree, head)
	elseif kind == 16 then
		tree:add_le(f.name_address, buffer(0, 8))
		tree:add(f.name, buffer(8))
		return string.format("0x%s is %s", buffer(0, 8):le_uint64():tohex():gsub("^0+(.)", "%1"), buffer(8):string())
	elseif kind == 15 then
		return dissect_store(buffer, pinfo, tree, head)
	end
	return KINDS[kind] or "kind " .. kind
end

local function dissect_head(buffer, tree)
	local head = {
		kind = buffer(1, 1):uint(), device = buffer(2, 2):le_uint(), id = buffer(4, 4):le_uint(),
		queue = buffer(8, 2):le_uint(), cpu = buffer(10, 2):le_uint(), packed = bit32.band(buffer(12, 1):uint(), 1) ~= 0,
		event_idx = bit32.band(buffer(12, 1):uint(), 2) ~= 0,
	}
	tree:add(f.version, buffer(0, 1))
	tree:add(f.kind, buffer(1, 1))
	tree:add_le(f.device, buffer(2, 2))
	tree:add_le(f.device_id, buffer(4, 4))
	if head.queue ~= NONE then
		tree:add_le(f.queue, buffer(8, 2))
	end
	if head.cpu ~= NONE then
		tree:add_le(f.cpu, buffer(10, 2))
	end
	tree:add(f.packed, buffer(12, 1))
	tree:add(f.event_idx, buffer(12, 1))
	return head
end

function vole.dissector(buffer, pinfo, root)
	local tree = root:add(vole, buffer())
	pinfo.cols.protocol = "virtio"
	if buffer:len() < 16 or buffer(0, 1):uint() ~= 1 then
		tree:add_proto_expert_info(e.malformed)
		pinfo.cols.info = "not a record of version 1"
		return
	end
	local head = dissect_head(buffer(0, 16), tree)
	local device = head.device ~= NONE and string.format("%s %d", DEVICES[head.id] or "device", head.device) or "vole"
	local driver = head.cpu ~= NONE and "CPU " .. head.cpu or "driver"
	local to_device = pinfo.p2p_dir == P2P_DIR_RECV or head.kind == 1 or head.kind == 2 or head.kind == 6
	pinfo.cols.src = to_device and driver or device
	pinfo.cols.dst = to_device and device or driver
	-- A record that ends too early, or numbers in it that lead beyond its end, are no reason to stop.
	local ok, text = pcall(dissect_record, rest(buffer, 16), pinfo, tree, head)
	if not ok then
		tree:add_proto_expert_info(e.malformed)
		text = (KINDS[head.kind] or "record") .. ", damaged"
	end
	pinfo.cols.info = (head.queue ~= NONE and "queue " .. head.queue .. ": " or "") .. text
end

DissectorTable.get("wtap_encap"):add(wtap.USER0, vole)
