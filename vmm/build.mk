# The monitor; in the order in which a reader may want them.
vmm_sources = $(addprefix vmm/,main.c usage.c suggest.c shell_word.c process.c error_text.c checksum.c options_parse.c options_machine.c options_devices.c options_checkpoint.c options_views.c option_list.c numbers.c descriptors.c feature_choice.c children.c leave.c line.c log.c machine.c \
	$(addprefix machine/,vm.c plan.c setup.c vm_state.c checkpoint.c keeper.c clone.c cpu_host.c debugger.c measure.c monitor.c monitor_tables.c signals.c pending.c devices.c device.c accessor.c watch.c polling.c worker.c last_resort.c serial.c pc_keyboard.c screen.c ports.c cpu_start.c timers.c halts.c hang.c \
		interrupt_source.c exception.c examine.c state_report.c shut_in.c drain.c) \
	$(addprefix sandbox/,sandbox.c calls.c rules.c filter.c landlock.c inherited.c violation.c names.c) \
	$(addprefix snapshot/,stream.c file.c handover.c) \
	options_record.c $(addprefix replay/,journal.c journal_check.c record_file.c outside.c outside_log.c outside_port.c outside_source.c ram_copy.c undo.c) \
	$(addprefix machine/,recording.c recording_files.c replay.c replay_options.c history.c history_points.c) \
	$(addprefix debug/,gdb_output.c gdb_reverse.c gdb_stop.c) \
	options_profile.c $(addprefix machine/,results.c core_file.c last.c) \
	io/result_file.c $(addprefix see/,sort.c grow.c hits.c lines.c lines_program.c coverage.c profile.c callgrind.c) \
	$(addprefix x86/,counts.c account_last.c account.c soft_account.c) \
	$(addprefix see/,core.c core_notes.c) \
	$(addprefix cpu/,cpu.c memory.c engine.c engine_choice.c access.c exit_log.c) \
	$(addprefix cpu/,crash.c crash_exception.c crash_memory.c crash_triple_fault.c report.c) \
	$(addprefix cpu/,stack.c place.c text_list.c callers.c branches.c) \
	$(addprefix cpu/,fault.c paging.c page_walk.c page_ranges.c delivery.c store.c float_code.c) \
	$(addprefix kvm/,$(if $(x86_host),engine_kvm.c kvm.c kvm_caps.c kvm_pics.c kvm_rules.c vcpu.c vcpu_state.c vcpu_thread.c kvm_transfer.c exits.c counters.c debug.c debug_registers.c complete.c \
		cpu_timer.c own_writes.c own_paging.c selectors.c emulate.c doctor_kvm.c probe.c,no_kvm.c)) \
	$(addprefix x86/,opcodes.c decode.c translate.c translate_move.c translate_flow.c optimize.c build.c \
		block.c debug.c stop.c trail.c branches.c execute.c run.c operands.c near.c arithmetic.c string.c general.c) \
	$(addprefix x86/,reset.c physical.c walk.c watch.c mmu.c segment.c segment_ops.c frame.c far.c gate.c iret.c task.c \
		control.c system.c msr.c cpuid.c state.c) \
	$(addprefix x86/,soft.c soft_run.c soft_bus.c soft_start.c soft_state.c soft_transfer.c soft_debug.c pc_chips.c doctor_soft.c) \
	$(addprefix chips/,ioapic.c cmos.c i8042.c vga_text.c uart.c lapic_reset.c lapic_interrupt.c lapic_timer.c lapic_bus.c lapic_registers.c lapic_state.c pic.c pit.c pit_counter.c) \
	$(addprefix boot/,boot.c restored.c image_state.c ram_advice.c refuse.c vole.c flat.c firmware.c linux.c note.c pvh.c pvh_note.c multiboot.c multiboot_load.c multiboot_header.c \
		multiboot_sections.c multiboot_info.c multiboot_inspect.c \
		boot_data.c modules.c idt_stubs.c elf.c symbols.c inspect.c linux_guest.c mptable.c) \
	$(addprefix io/,loop.c sink.c file.c file_holder.c helper.c remover.c disk_format.c stream.c unix_socket.c listener.c keyboard.c terminal.c pty.c chardev.c chardev_open.c entropy.c disk.c overlay.c) \
	$(addprefix see/,views.c log_exits.c log_virtio.c words.c) \
	$(addprefix see/,capture.c capture_record.c capture_rings.c pcapng.c ring_copy.c bytes.c) \
	$(addprefix see/,trace.c trace_device.c trace_file.c protobuf.c) \
	$(addprefix see/,histogram.c json.c $(addprefix stats,.c _run.c _exits.c _marks.c _queues.c _table.c _json.c)) \
	$(addprefix see/,text.c state_text.c state_cpu.c state_interrupt.c state_pic.c state_device.c) \
	$(addprefix debug/,hex.c packet.c gdb_link.c gdb_reply.c gdb_registers.c gdb_memory.c gdb_target.c breakpoint.c gdb_requests.c gdb.c) \
	$(addprefix story/,reader.c record.c queues.c changes.c steps.c choice.c problems.c explain.c sentence.c stores.c names.c write.c page.c story.c) \
	$(addprefix see/check,.c _rules.c _status.c _config.c _say.c _setup.c _areas.c _ring.c _memory.c _hang.c _chain.c _request.c) \
	doctor.c finding.c)

# The names of system calls, for messages, are those of the compiler's headers.
cflags_vmm/sandbox/names.c = -iquote . -DCALL_NAMES='"$O/call-names"'

# What the program has of a page of vole story.
story_page = $(addprefix vmm/story/,page.html page.css state.js draw.js timeline.js player.js)

# With computed goto, gcc's own manual advises against this pass; without it guest code runs 5 % faster.
cflags_vmm/x86/execute.c = $(shell $(CC) -fno-gcse -Werror -E -x c /dev/null >/dev/null 2>&1 && echo -fno-gcse)
