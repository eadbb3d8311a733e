#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The gdb server, by its protocol: a debugger of our own sends packets. tests/gdb-points.t has hardware
# breakpoints and watchpoints, tests/gdb-link.t sockets, tests/gdb-session.t gdb itself.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Gdb;
use Installed;
use Test::More;
use Time::HiRes 'sleep';
use Vole;

each_engine();

my $kernel = build() . '/guest/debug.elf';
my %at = elf_symbols(slurp($kernel));
my $soft = engine() eq 'soft';

my $hardware = stops_at('hardware breakpoints');

# Numbers of the kernel's deeds.
my ($INSTRUCTIONS, $SPIN, $HALT, $CRASH, $DIVIDE, $CPUS, $DMA, $TICKS, $WRITES) = 0 .. 8;

sub debug {
	my ($deed, @options) = @_;
	return Gdb->new([@options, $kernel, '--', $deed]);
}

# --- from the first instruction to the exit ---
{
	my $gdb = debug($INSTRUCTIONS);
	like($gdb->ask('qSupported:swbreak+;hwbreak+'), qr/PacketSize=4000;.*vContSupported\+/, 'qSupported');
	is($gdb->ask('vMustReplyEmpty'), '', 'what is not known gets an empty reply');
	is($gdb->ask('?'), 'T05thread:1;', 'the machine stands');
	is($gdb->eip, elf_entry(slurp($kernel)), '... at its entry point');
	is($gdb->ask('qAttached'), '0', 'gdb has started it');
	like($gdb->ask('qXfer:features:read:target.xml:0,1000'), qr{^[lm]<\?xml.*<architecture>i386<}s, 'the target is described');
	like($gdb->ask('qXfer:threads:read::0,1000'), qr{^l.*<thread id="1" core="0" name="CPU 0">running</thread>}s, 'and its threads');
	is($gdb->ask('g') =~ /^(?:[0-9a-f]{8}){16}x{224}(?:[0-9a-f]{8}){4}[0-9a-f]{16}$/, 1, 'g has all registers');
	is($gdb->ask('p20'), '11000000', 'CR0 has PE set');
	is($gdb->ask('p99'), 'E01', 'a register that is not there');
	is($gdb->ask('m' . hex_of($at{copied_from}) . ',10'), unpack('H*', 'sixteen bytes...'), 'm reads memory');
	is($gdb->ask('m0,4'), 'E14', 'm at page 0, which is not there');
	is($gdb->ask('md0000000,4'), 'E14', 'm of a device does not touch it');
	is($gdb->ask('M' . hex_of($at{written}) . ',4:78563412'), 'OK', 'M writes memory');
	is($gdb->word($at{written}), 0x12345678, '... which m reads');
	is($gdb->ask('X' . hex_of($at{written}) . ",4:\x01}\x03}\x5d\x02"), 'OK', 'X writes bytes, some of them escaped');
	is($gdb->word($at{written}), 0x027d2301, '... which m reads');
	is($gdb->ask('M' . hex_of($at{copied_from}) . ',1:53'), 'OK', 'M writes where the guest may only read');
	is($gdb->ask('M0,1:00'), 'E14', 'M where there is no memory');
	is($gdb->ask('P1=78563412'), 'OK', 'P sets a register');
	is($gdb->ask('p1'), '78563412', '... which p reads');
	my $flags = $gdb->ask('p9');
	is($gdb->ask('P9=ffffffff') . $gdb->ask('p9'), 'OKd77f3d00', 'P sets the bits of EFLAGS that there are, but not VM');
	is($gdb->ask("P9=$flags") . $gdb->ask('p9'), "OK$flags", '... and clears them');
	is($gdb->ask('P20=00000000'), 'E01', 'P of a control register is refused');
	is($gdb->ask('qC'), 'QC1', 'the current thread');
	is($gdb->ask('T1'), 'OK', 'thread 1 lives');
	is($gdb->ask('T2'), 'E01', 'thread 2 does not');
	is($gdb->ask('c'), 'W07', 'c: the machine ends, with its status');
	is($gdb->output, "debug\n!", 'the output came before that');
	is($gdb->finish, 7, 'the exit status is the guest\'s');
	is($gdb->err =~ /crash|gdb/, '', 'nothing is said') or diag($gdb->err);
}

# --- the ways to end it ---
{
	my $gdb = debug($SPIN);
	$gdb->send('k');
	is($gdb->finish, 0, 'k ends the machine');
}
{
	my $gdb = debug($SPIN);
	is($gdb->ask('vKill;1'), 'OK', 'vKill is acknowledged');
	is($gdb->finish, 0, '... and ends the machine');
}
{
	my $gdb = debug($INSTRUCTIONS);
	is($gdb->ask('D'), 'OK', 'D is acknowledged');
	is($gdb->finish, 7, '... and the machine goes on');
}
{
	my $gdb = debug($SPIN);
	$gdb->disappear;
	is($gdb->finish, 125, 'a debugger that disappears ends the machine, with -');
	like($gdb->err, qr/--gdb -: the debugger has disappeared; the machine ends/, '... which is said');
}

# gdb sends a packet again that vole, on a busy host, has not acknowledged in two seconds.
{
	my $gdb = debug($HALT);
	my $ask = Gdb::packet_of('qAttached');
	$gdb->send_raw($ask x 3 . Gdb::packet_of('QStartNoAckMode') x 2);
	is(join(' ', map { $gdb->receive } 1 .. 2), '0 OK', 'a packet that has come several times is one request');
	$gdb->send_raw($ask x 2);
	is(join(' ', map { $gdb->receive } 1 .. 2), '0 0', '... but not without acknowledgements, where none is sent again');
	$gdb->send('k');
	$gdb->finish;
}

# A debugger that detaches while the machine is about to stop, or executes, leaves no stop behind at which nobody would
# have it go on.
{
	my $gdb = debug($HALT, '--timeout', 1);
	$gdb->ask('?');
	$gdb->send('c');
	sleep 0.3;
	$gdb->send_raw("\x03" . Gdb::packet_of('D'));
	is($gdb->receive, 'OK', '^C and D');
	is($gdb->finish, 124, '... and the machine goes on until its time is over');

	$gdb = debug($TICKS);
	$gdb->ask(point('Z0', $at{tick}));
	$gdb->send_raw(Gdb::packet_of('c') . Gdb::packet_of('D'));
	is($gdb->receive, 'OK', 'D while the machine executes');
	is($gdb->finish, 7, '... and it goes on to its end, past the breakpoint');
}

# --- a machine that has ended, looked at for long ---

# With a disk, the software CPU has a thread that ends vole when the I/O thread does not come back for five seconds.
{
	my $gdb = debug($SPIN, '--timeout', 1, '-d', write_file('looked-at.img', "\0" x 65536));
	is($gdb->ask('c'), 'T18thread:1;', 'the time is over');
	sleep 6.5;
	is($gdb->ask('?'), 'T18thread:1;', '... and long after, the machine can still be looked at');
	$gdb->send('k');
	is($gdb->finish, 124, '... until the user has seen enough');
	unlike($gdb->err, qr/does not return/, '... and no disk is blamed');
}
if ($soft) {
	my $gdb = debug($SPIN, qw(--clock virtual --timeout 1 -d), write_file('revived.img', "\0" x 65536));
	is($gdb->ask('c'), 'T18thread:1;', 'the time is over');
	is($gdb->ask('bs'), 'T05thread:1;', '... a step back');
	sleep 6.5;
	is($gdb->ask('s'), 'T05thread:1;', '... and long after, the machine can go on');
	is($gdb->ask('c'), 'T18thread:1;', '... until its time is over once more');
	$gdb->send('k');
	$gdb->finish;
}

# --- a debugger that reads late ---

# Processor time of vole, in hundredths of a second.
sub time_of {
	my ($gdb) = @_;
	my @fields = split ' ', slurp("/proc/$gdb->{pid}/stat") =~ s/.*\)//sr;
	return $fields[11] + $fields[12];
}

{
	my $gdb = Gdb->new(['-m', '4M', build() . '/guest/console-flood.elf', '--', 1000]);
	$gdb->ask('?');
	$gdb->send('c');
	sleep 2;
	my $before = time_of($gdb);
	sleep 1;
	my $taken = time_of($gdb) - $before;
	ok($taken < 30, 'output that the debugger does not read waits, and takes no time') or diag($taken);
	# More slowly than the guest writes, so that some waits when the guest has ended.
	my ($len, $reply) = (0);
	while (defined($reply = $gdb->next_raw) && $reply !~ /^W/) {
		$len += length($reply) >> 1 if $reply =~ /^O/;
		sleep 0.01;
	}
	is($reply, 'W00', '... until it is read');
	is($len, 1000 * 1024, '... all of it');
	$gdb->finish;
}

# --- crashes ---
{
	my $gdb = debug($CRASH);
	is($gdb->ask('vCont;c'), 'T0bthread:1;', 'a crash stops in the debugger');
	my $eip = $gdb->eip;
	ok($eip >= $at{crash} && $eip < $at{crash} + 64, '... at the place') or diag(sprintf '%x', $eip);
	like($gdb->err, qr/guest crashed: .*0x00000010.*\n(?:.*\n)*.*EIP 0x0*[0-9a-f]+ \(crash/, '... with a report');
	kill 'WINCH', $gdb->{pid};
	kill 'USR1', $gdb->{pid};
	is($gdb->word($at{spins}), 0, '... and memory can be read, whatever signals vole gets');
	is($gdb->ask('c'), 'X0b', 'c after it is the end');
	is($gdb->finish, 126, '... with its status');
}
{
	my $gdb = debug($DIVIDE);
	is($gdb->ask('vCont;c'), 'T0bthread:1;', 'an exception without a handler of the kernel\'s');
	my $eip = $gdb->eip;
	ok($eip >= $at{divide} && $eip < $at{divide} + 64, '... stops at the instruction that has raised it');
	$gdb->send('k');
	is($gdb->finish, 126, '... and k ends with its status');
}
{
	my $gdb = debug($SPIN, '--timeout', 1);
	sleep 2;
	is($gdb->ask('?'), 'T05thread:1;', 'the time-out stands still while the machine stands');
	is($gdb->ask('c'), 'T18thread:1;', '... and stops in the debugger when it comes');
	is($gdb->ask('c'), 'W7c', '... where c is the end');
	is($gdb->finish, 124, '... with its status');
}

# --- breakpoints and steps ---

{
	my $gdb = debug($INSTRUCTIONS);
	$gdb->ask('qSupported:swbreak+;hwbreak+');
	is($gdb->ask(point('Z0', $at{before_port})), 'OK', 'Z0 where the guest may only read');
	is(go_to($gdb, 'c', 'before_port', \%at), 'before_port T05thread:1;swbreak:;', 'a breakpoint is met');
	is($gdb->output, "debug\n", 'the output came before that');
	is(go_to($gdb, 's', 'before_port', \%at), sprintf('%x T05thread:1;', $at{before_port} + 1), 's from a breakpoint: a step over OUT');
	my ($type, $is_called) = $hardware ? (1, 'hwbreak') : (0, 'swbreak');
	is($gdb->ask(point("Z$type", $at{before_string})), 'OK', "Z$type");
	my $why = go_to($gdb, 'vCont;c', 'before_string', \%at);
	is($gdb->output, "debug\n!", 'the instruction was executed');
	is($why, "before_string T05thread:1;$is_called:;", "a $is_called is met");
	is($gdb->ask(point("z$type", $at{before_string})), 'OK', "z$type");
	my $steps = 0;
	do { $gdb->ask('vCont;s:1'); $steps++ } while $gdb->eip == $at{before_string} && $steps < 20;
	is($gdb->eip, $at{before_string} + 2, 'steps get over REP MOVSB');
	ok($steps <= 16, '... with at most one for each byte') or diag($steps);
	is($gdb->ask('m' . hex_of($at{copied_to}) . ',10'), unpack('H*', 'sixteen bytes...'), '... which has copied');
	is($gdb->ask(point('Z0', $at{before_push})), 'OK', 'Z0 further on');
	is(go_to($gdb, 'c', 'before_push', \%at), 'before_push T05thread:1;swbreak:;', 'it is met');
	$gdb->ask('s');
	my $esp = unpack 'V', pack 'H*', $gdb->ask('p4');
	# A processor's own trap flag is pushed.
	is($gdb->word($esp) & 0x100, 0, 'what PUSHF pushes has no trace of the step') if $soft;
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	is($gdb->finish, 7, '... with its status');
}
{
	my $gdb = debug($INSTRUCTIONS);
	is($gdb->ask(point('Z0', $at{before_port})), 'OK', 'without swbreak+: Z0');
	is(go_to($gdb, 'c', 'before_port', \%at), 'before_port T05thread:1;', '... and the stop says no more than where');
	is($gdb->ask(point('z0', $at{before_port})), 'OK', '... z0');
	is($gdb->ask('Z0,d0000000,1'), 'E14', 'no breakpoint where no memory is');
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;
}

# --- interrupts by the user ---
{
	my $gdb = debug($SPIN);
	$gdb->ask(point('Z0', $at{spin}));
	like(go_to($gdb, 'c', 'spin', \%at), qr/^spin/, 'the loop begins');
	$gdb->ask(point('z0', $at{spin}));
	for (1 .. 3) {
		$gdb->send('c');
		sleep 0.2;
		$gdb->interrupt;
		is($gdb->receive, 'T02thread:1;', '^C stops a loop');
		my $eip = $gdb->eip;
		ok($eip >= $at{spin} && $eip < $at{spin} + 32, '... in it') or diag(sprintf '%x', $eip);
	}
	my $spins = $gdb->word($at{spins});
	sleep 1;
	is($gdb->word($at{spins}), $spins, 'the machine stands while it stands');
	is($gdb->ask('G' . $gdb->ask('g')), 'OK', 'G takes what g gives');
	$gdb->send('c');
	sleep 0.2;
	$gdb->interrupt;
	is($gdb->receive, 'T02thread:1;', '... and the machine goes on after it');
	$gdb->send('k');
	$gdb->finish;
}
{
	my $gdb = debug($HALT);
	$gdb->send('c');
	sleep 1;
	$gdb->interrupt;
	is($gdb->receive, 'T02thread:1;', '^C stops a CPU that has halted');
	like($gdb->ask('qXfer:threads:read::0,1000'), qr{name="CPU 0">halted</thread>}s, '... which the threads tell');
	$gdb->send('k');
	$gdb->finish;
}
# ^C may come when the machine ends: then that is told, and no stop before it.
my $repeated = write_file('repeated.img', "\0" x 65536);
for my $run (1 .. 8) {
	my $gdb = Gdb->new([qw(--engine soft --clock virtual -m 4M -c 3 -d), $repeated, build() . '/guest/repeat.elf']);
	my $reply = $gdb->ask('?');
	while ($reply =~ /^T/) {
		$gdb->send('c');
		sleep 0.001 + $run / 2000;
		$gdb->interrupt;
		$reply = $gdb->receive // 'nothing';
	}
	is($reply, 'W00', 'a machine that is stopped again and again ends');
	$gdb->finish;
}
{
	my $gdb = debug($TICKS);
	is($gdb->ask(point('Z0', $at{tick})), 'OK', 'a breakpoint in an interrupt handler');
	is(go_to($gdb, 'c', 'tick', \%at), 'tick T05thread:1;', "it is met, time $_") for 1 .. 3;
	$gdb->ask(point('z0', $at{tick}));
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;
}

# --- several CPUs ---
{
	my $gdb = debug($CPUS, '-c', 3);
	like($gdb->ask('qXfer:threads:read::0,1000'), qr{CPU 1">not started.*CPU 2">not started}s, 'CPUs that are not started');
	is($gdb->ask('qfThreadInfo'), 'm1,2,3', 'each CPU is a thread');
	is($gdb->ask('vCont?'), 'vCont;c;C;s;S', 'vCont');
	$gdb->ask(point('Z0', $at{work}));
	my %met;
	for (1 .. 2) {
		my $why = $gdb->ask('vCont;c');
		$met{$why} = 1;
		is($gdb->eip, $at{work}, 'a CPU has come to its work');
	}
	is(join(' ', sort keys %met), 'T05thread:2; T05thread:3;', 'both others have');
	$gdb->ask(point('z0', $at{work}));
	my @before = map { $gdb->ask("Hg$_"); $gdb->ask('g') } 1 .. 3;
	like($gdb->ask('vCont;s:2'), qr/^T05thread:2;/, 'a step of CPU 1');
	my @after = map { $gdb->ask("Hg$_"); $gdb->ask('g') } 1 .. 3;
	is(join(' ', map { $before[$_] eq $after[$_] ? 'stood' : 'moved' } 0 .. 2), 'stood moved stood', '... moves no other');
	like($gdb->ask('vCont;s:3;c'), qr/^T05thread:3;/, 'a step of CPU 2, while the others go on');
	is($gdb->ask('vCont;c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;
}

# --- monitor ---

# What vole says to a command; it comes as output.
sub monitor {
	my ($gdb, $command) = @_;
	$gdb->{output} = '';
	is($gdb->ask('qRcmd,' . unpack 'H*', $command), 'OK', "monitor $command");
	return $gdb->output;
}

{
	my $gdb = debug($TICKS, '-c', 2, '--sandbox', 'off');
	$gdb->ask(point('Z0', $at{tick}));
	is(go_to($gdb, 'c', 'tick', \%at), 'tick T05thread:1;', 'in an interrupt handler');
	my $help = monitor($gdb, 'help');
	for (qw(devices queues interrupts pages idt gdt exits screen core help physical)) {
		like($help, qr/^  monitor $_\b/m, "help names $_");
	}
	is(monitor($gdb, 'nonsense'), "vole has no command \"nonsense\"; there are:\n$help", 'what it does not know');
	like(monitor($gdb, 'devices'), qr/^  devices? 0 \(console\)/m, 'devices');
	like(monitor($gdb, 'queues'), qr/^  device 0, console, queue 0: not ready$/m, 'queues');
	# With KVM the next tick may be pending already.
	like(monitor($gdb, 'interrupts'), qr/^  CPU 0: interrupts off, local APIC on, task priority 0x00, pending (?:none|0x38), in service (?:none|0x[0-9a-f]{2})$/m, 'interrupts');
	like(monitor($gdb, 'idt'), qr/^  0x00: interrupt gate, DPL 0, 0x0008:0x[0-9a-f]{8} \(\w+/m, 'idt');
	like(monitor($gdb, 'gdt'), qr/^  0x0008: base 0x00000000, limit 0xffffffff, DPL 0, code, readable, 32 bits$/m, 'gdt');
	like(monitor($gdb, 'pages 0x100000'), qr/^paging is off: 0x00100000 is itself$/, 'pages');
	is(monitor($gdb, "pages $_"), "pages $_: not an address\n", 'pages of what is none') for '-1', '0x10000000000000000';
	is(monitor($gdb, "pages $_->[0]"), qq{pages $_->[0]: not an address; gdb computes one: eval "monitor pages %p", $_->[1]\n}, "... and of $_->[0]")
		for ['main', '&main'], ['&main', '&main'], ['$esp', '$esp'];
	like(monitor($gdb, 'pages 0x100100000'), qr/^0x100100000: beyond 4 GiB, /, 'nor is there a page beyond 4 GiB');
	is(monitor($gdb, 'pages'), "monitor pages ADDRESS\n", 'pages of nothing');
	like(monitor($gdb, 'exits'), qr/^  CPU 0: \d+ exits, .*\n  CPU 1: 0 exits, /m, 'exits');
	like(monitor($gdb, 'screen'), qr/^this machine has no screen/, 'screen');
	like(monitor($gdb, 'core'), qr/^there is no file to write: start vole with --core FILE/, 'core without --core');
	is(monitor($gdb, 'core -'), "core -: standard output is the guest's; name a file\n", 'core to standard output');
	my $core = scratch() . '/monitor core';
	like(monitor($gdb, "core $core"), qr/^core file: gdb \S+ '\Q$core\E'$/m, 'core');
	is(substr(slurp($core), 0, 4), "\x7fELF", '... is an ELF file');
	is(monitor($gdb, "core $core"), "core $core: File exists\n", '... and is not overwritten');
	is(monitor($gdb, 'physical on'), "addresses are physical now\n", 'physical on');
	is($gdb->word($at{ticks}), 0, 'a physical address');
	is(monitor($gdb, 'physical off'), "addresses are linear, as the CPU has them now\n", 'physical off');
	$gdb->send('k');
	$gdb->finish;
}
{
	my $core = scratch() . '/monitor-own-core';
	my $gdb = debug($INSTRUCTIONS, '--core', $core);
	like(monitor($gdb, "core $core.2"), qr/^the sandbox opens no new file/, 'core FILE in the sandbox');
	like(monitor($gdb, 'core'), qr/^core file: gdb \S+ \Q$core\E$/m, 'core with --core');
	is(substr(slurp($core), 0, 4), "\x7fELF", '... writes that file');
	$gdb->send('k');
	$gdb->finish;
	$gdb = debug($INSTRUCTIONS, '--core', '/dev/full');
	is(monitor($gdb, 'core'), "core /dev/full: not written; vole's standard error says why\n", 'core with a --core that cannot be written');
	$gdb->send('k');
	$gdb->finish;
}
SKIP: {
	skip 'paging of 32-bit code everywhere is the software CPU\'s', 1 if !$soft;
	my $high = build() . '/guest/higher-half.elf';
	my %high = elf_symbols(slurp($high));
	my $gdb = Gdb->new([$high]);
	is($gdb->word($high{calls}), 0, 'a virtual address of the kernel\'s, before paging');
	is($gdb->ask(point('Z0', $high{function})), 'OK', 'a breakpoint there');
	is($gdb->ask('c'), 'T05thread:1;', '... is met');
	is($gdb->eip, $high{function} - 0xc0000000, '... at the physical address');
	like($gdb->output, qr/^vole: the breakpoint at 0xc0\w+ is met at its physical address, 0x00\w+$/m, '... which vole explains');
	is($gdb->ask('c'), 'T05thread:1;', 'and is met again');
	is($gdb->eip, $high{function}, '... at the virtual one, once paging is on');
	is($gdb->word($high{calls}), 1, '... in between the machine went on');
	like(monitor($gdb, sprintf 'pages 0x%x', $high{calls}), qr/^  page directory entry 0x300, .*present, writable, supervisor.*\n  0x\w+ is at 0x001\w+$/m,
		'... and pages shows the mapping');
	is($gdb->ask('c'), 'W05', 'and the machine goes on to its end');
	$gdb->finish;

	# By its physical address it is met at the virtual one, which the debugger takes for another.
	$gdb = Gdb->new([$high]);
	$gdb->ask(point('Z0', $high{main}));
	$gdb->ask('c');
	monitor($gdb, 'physical on');
	is($gdb->ask(point('Z0', $high{function} - 0xc0000000)), 'OK', 'a breakpoint at a physical address, with paging');
	is($gdb->ask('c'), 'T05thread:1;', '... is met');
	like($gdb->output, qr/^vole: the breakpoint at 0x00\w+ is met at another address of the same memory, 0xc0\w+$/m, '... which vole explains');
	is($gdb->ask('c'), 'W05', '... and the machine goes on from there');
	$gdb->finish;
}

# A 64-bit kernel has 64-bit registers, from the first instruction on.
SKIP: {
	skip 'objcopy is not here', 1 if !present('objcopy');
	my $wide = scratch() . '/wide.elf';
	is(run(['objcopy', '-O', 'elf64-x86-64', build() . '/guest/multiboot2.elf', $wide])->{status}, 0, 'a 64-bit kernel');
	my $gdb = Gdb->new([$wide]);
	like($gdb->ask('qXfer:features:read:target.xml:0,1000'), qr{<architecture>i386:x86-64<.*name="r15" bitsize="64"}s, '... is described so');
	like($gdb->ask('g'), qr/^(?:[0-9a-f]{16}){17}(?:[0-9a-f]{8}){7}x{224}(?:[0-9a-f]{16}){5}$/, '... and has registers of 64 bits');
	is(unpack('Q<', pack 'H*', $gdb->ask('p10')), 0x100000 | unpack('Q<', pack 'H*', $gdb->ask('p10')), '... and is at its entry point');
	$gdb->send('k');
	$gdb->finish;
}

# --- what is malformed ---
{
	my $gdb = debug($INSTRUCTIONS);
	for my $bad ('m', 'm1', 'm,4', 'mzz,4', 'm100000', 'm100000,4x', 'm11112222333344445,4', 'M', "M$at{written},4:12", 'M100000,4:zz000000', 'X100000,5:ab',
		'p', 'pxyz', 'P', 'P1', 'P1=', 'P1=12', 'P0=1122334455', 'G', 'Z', 'Z0', 'Z9,100000', 'Z0,100000', 'z0,,', 'H', 'Hx1', 'Hg99', 'T', 'Tx', 'vCont', 'vCont;', 'vCont;x', 'vCont;s:',
		'vCont;c:99', 'vCont;C', 'cxyz', 'sxyz', 'C', 'Czz', 'qXfer:features:read:target.xml:', 'qXfer:features:read:target.xml:0',
		'qXfer:features:read:target.xml:99999,1', 'qThreadExtraInfo,', 'qThreadExtraInfo,99', 'qRcmd,xyz', 'qRcmd,0', 'qRcmd,68656c700') {
		like($gdb->ask($bad), qr/^E[0-9a-f]{2}$/, "$bad is an error");
	}
	is($gdb->ask($_), '', "$_ is not known") for 'qXfer:features:read:other.xml:0,10', 'vAttach;1', 'R00', '!', 'Z5,100000,1', 'z9,100000,1', "\x01\xff", '';
	$gdb->send_raw('$?#00');
	is($gdb->next_raw, '-', 'a wrong sum: the packet is asked for again');
	$gdb->send_raw('$?#zz');
	is($gdb->next_raw, '-', 'a sum that is none');
	$gdb->send_raw("\x00garbage+++\$?");
	$gdb->send('?');
	is($gdb->receive, 'T05thread:1;', 'bytes between packets, and a packet without an end, are ignored');
	$gdb->send_raw('$' . 'm' x 40000 . sprintf '#%02x', 109 * 40000 % 256);
	is($gdb->next_raw, '-', 'a packet that is too long');
	$gdb->send('?');
	is($gdb->next_raw, '+', 'an acknowledgement');
	is($gdb->next_raw, 'T05thread:1;', 'a reply');
	$gdb->send_raw('-');
	is($gdb->next_raw, 'T05thread:1;', '- asks for it again');
	is($gdb->ask('QStartNoAckMode'), 'OK', 'QStartNoAckMode');
	$gdb->{acks} = 0;
	$gdb->send('?');
	is($gdb->next_raw, 'T05thread:1;', '... and there are no more acknowledgements');
	is(length $gdb->ask('m' . hex_of($at{instructions}) . ',ffffffff') <= 16384, 1, 'more memory than fits gives what fits');
	is($gdb->ask('c'), 'W07', 'all that has done no harm');
	$gdb->finish;
}

# --- more than there is room for ---
{
	my $gdb = debug($INSTRUCTIONS);
	is(join(' ', map { $gdb->ask(point('Z0', $at{copied_to} + $_)) } 0 .. 1024), 'OK ' x 1024 . 'E1c', '1024 breakpoints, and no more');
	like($gdb->err, qr/^vole: --gdb: there is no room for a point at 0x00\w+: 1024 breakpoints and watchpoints are set$/m, '... which is said');
	$gdb->ask(point('z0', $at{copied_to} + 1023));
	if ($soft) {
		is($gdb->ask(point('Z2', $at{copied_to}, 4097)), 'E1c', 'a watchpoint of more than a page');
		like($gdb->err, qr/^vole: there is no room for a watchpoint of 4097 bytes at 0x00\w+: the software CPU has 64, of up to 4096 bytes each$/m, '... is refused with the reason');
	}
	$gdb->send('k');
	$gdb->finish;
}

done_testing();
