#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A debugger goes backwards (spec/replay.md, section 4): what a CPU has executed is undone, and executed again, with the
# same registers, memory, output and disks, as often as is wanted; in a run that is repeated, and in one that is live.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Gdb;
use Installed;
use Test::More;
use Vole;

my $list = build() . '/guest/list.elf';
my $recorded = build() . '/guest/recorded.elf';
my %at = elf_symbols(slurp($list));
my $content = pack 'V*', map { $_ * 2654435761 & 0xffffffff } 1 .. 64 * 128;
my @small = qw(-m 4M);

# The debugger is at a machine that can go back.
sub open_back {
	my ($words, %how) = @_;
	my $gdb = Gdb->new($how{replay} ? $words : [qw(--engine soft --clock virtual), @$words], %how);
	like($gdb->ask('qSupported:swbreak+;hwbreak+'), qr/;ReverseStep\+;ReverseContinue\+/, 'a debugger is told that it can go back');
	return $gdb;
}

# Registers of all CPUs, and some memory.
sub state_of {
	my ($gdb, $cpus, @ranges) = @_;
	my $state = join ' ', map { $gdb->ask("Hg$_") && $gdb->ask('g') } 1 .. $cpus;
	return join ' ', $state, map { $gdb->ask(sprintf 'm%x,%x', @$_) } @ranges;
}

# --- back to the store that broke a list ---

my $file = scratch() . '/list.rec';
my $run = run([vole(), 'run', @small, qw(-c 2 --record), $file, $list]);
is($run->{status}, 126, 'a kernel crashes, long after its list was broken') or diag(shown($run));
for my $how ('a record', 'a live run') {
	my $gdb = open_back($how eq 'a record' ? [$file] : [@small, qw(-c 2), $list], replay => $how eq 'a record');
	my $link = $at{entries} + 3 * 20 + 16;
	like($gdb->ask('c'), qr/^T0bthread:1;/, "$how: the crash");
	my $crash = state_of($gdb, 2, [$at{entries}, 160]);
	is($gdb->ask('P0=00000000') . $gdb->ask('M0,1:00') . $gdb->ask('c100000'), 'E01E14E01', 'what ends the past if it is done does not if it is refused');
	is($gdb->word($link), 11, 'where the link is a number');
	is($gdb->ask(sprintf 'Z2,%x,4', $link), 'OK', 'it is watched');
	is($gdb->ask('bc'), sprintf('T05thread:1;watch:%x;', $link), 'backwards to who wrote it last');
	ok($gdb->eip >= $at{fill} && $gdb->eip < $at{fill} + 64, 'a store of fill()') or diag(sprintf '%x', $gdb->eip);
	is($gdb->word($link), $at{entries} + 4 * 20, 'before it, the link is right');
	my $before = state_of($gdb, 2, [$at{entries}, 160]);
	my $second = $gdb->ask('Hg2') . $gdb->ask('g');
	is($gdb->ask('c100000'), 'E01', 'in the past no CPU goes on elsewhere');
	is('OK' . $gdb->ask('g'), $second, '... and the one that was chosen stays so');
	$gdb->ask('Hg1');
	is($gdb->ask('s'), sprintf('T05thread:1;watch:%x;', $link), 'forwards over it');
	is($gdb->word($link), 11, 'it is wrong again');
	is($gdb->ask('bs'), 'T05thread:1;', 'and back');
	is(state_of($gdb, 2, [$at{entries}, 160]), $before, 'all is as it was');
	like($gdb->ask('bc'), qr/^T05thread:1;watch:/, 'back to where it was set');
	ok($gdb->eip < $at{fill} || $gdb->eip > $at{fill} + 64, 'which is elsewhere');
	is($gdb->ask('bc'), 'T05thread:1;replaylog:begin;', 'before that, there is nothing');
	is($gdb->eip, elf_entry(slurp($list)), 'but the first instruction');
	is($gdb->ask(sprintf 'M%x,1:00', $at{entries}), 'E01', 'the past cannot be changed');
	is($gdb->ask(sprintf '%s%x', $_, $at{main}), 'E01', "... nor with $_ and an address") for 'c', 's', 'C05;';
	$gdb->ask(sprintf 'z2,%x,4', $link);
	like($gdb->ask('c'), qr/^T0bthread:1;/, 'forwards to the crash');
	is(state_of($gdb, 2, [$at{entries}, 160]), $crash, 'which is the same');
	is($gdb->ask('c'), 'X0b', 'and the end');
	is($gdb->finish, 126, 'with its status');
}

# --- 500 steps ---

# A timer interrupts, another CPU has its turns.
srand(1);
my $gdb = open_back([@small, qw(-c 2), $list]);
$gdb->ask(sprintf 'Z0,%x,1', $at{fill});
$gdb->ask('c') for 1 .. 3;
$gdb->ask(sprintf 'z0,%x,1', $at{fill});
my (@seen, %differ);
my ($here, $times_back) = (0, 0);
for my $step (1 .. 500) {
	my $state = state_of($gdb, 2, [$at{entries}, 160], [$at{ticks}, 4], [$at{rounds}, 4]);
	$seen[$here] //= $state;
	$differ{$here} = 1 if $state ne $seen[$here];
	my $forward = $here == 0 || rand() < 0.52;
	$times_back++ if !$forward;
	$here += $forward ? 1 : -1;
	my $reply = $gdb->ask($forward ? 's' : 'bs');
	$differ{"$here: $reply"} = 1 if $reply ne 'T05thread:1;';
}
is(join(' ', sort keys %differ), '', '500 steps, of which ' . $times_back . ' backwards, find each state again');
$gdb->ask('bs') while $here-- > 0;
is(state_of($gdb, 2, [$at{entries}, 160], [$at{ticks}, 4], [$at{rounds}, 4]), $seen[0], 'back at the first of them, too');
$gdb->ask('Hc2');
is($gdb->ask('bs'), 'T05thread:2;', 'the other CPU goes back') for 1 .. 3;
is($gdb->ask('s'), 'T05thread:2;', 'and forwards') for 1 .. 3;
is($gdb->ask('bs'), 'T05thread:2;', 'and back once more');
$gdb->send('k');
$gdb->finish;

# --- input, a disk, output ---

my $disk = write_file('disk.img', $content);
my $record = scratch() . '/run.rec';
my %in = elf_symbols(slurp($recorded));
my $typed = run(['bash', '-c', 'for i in 1 2 3 4 5; do printf ab$i; sleep 0.01; done | { cat; printf q; } | "$@"', '-',
	vole(), 'run', @small, qw(-c 3 --record), $record, '-d', "$disk,private", $recorded]);
for my $how ('a record', 'a live run') {
	my $is_live = $how eq 'a live run';
	my $copy = write_file('copy.img', $content);
	$gdb = open_back($is_live ? [@small, qw(-c 3 -d), $copy, $recorded] : ['-d', $disk, $record], replay => !$is_live);
	$gdb->ask(sprintf 'Z0,%x,1', $in{console_read_byte});
	my (@forwards, @backwards);
	for (1 .. ($is_live ? 1 : 6)) {
		last if $gdb->ask('c') !~ /^T05thread:1;swbreak/;
		push @forwards, state_of($gdb, 3, [$in{next}, 4], [$in{ticks}, 4]);
	}
	for (2 .. @forwards) {
		$gdb->ask('bc');
		unshift @backwards, state_of($gdb, 3, [$in{next}, 4], [$in{ticks}, 4]);
	}
	is(join("\n", @backwards), join("\n", @forwards[0 .. $#forwards - 1]), "$how: bytes that came are taken back");
	is($gdb->ask('bc'), 'T05thread:1;replaylog:begin;', 'up to the beginning');
	if ($is_live) {
		like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'and forwards again');
		$gdb->send('k');
		$gdb->finish;
		next;
	}
	$gdb->ask(sprintf 'z0,%x,1', $in{console_read_byte});
	is($gdb->ask('c'), 'T05thread:1;replaylog:end;', 'then to its end');
	is($gdb->ask('bs'), 'T05thread:1;', 'back from there');
	is($gdb->ask('c'), 'T05thread:1;replaylog:end;', 'and there again');
	like($gdb->ask('c'), qr/^W/, 'and over');
	is($gdb->finish, $typed->{status}, 'with its status');
	is($gdb->output, $typed->{out}, 'and its output, once');
	ok(slurp($disk) eq $content, 'and no disk is written');
}

# A record that is cut off is debugged from where it ends.
$gdb = open_back(['-d', $disk, write_file('cut.rec', substr slurp($record), 0, -200)], replay => 1);
is($gdb->ask('c'), 'T05thread:1;replaylog:end;', 'a record that is cut off is repeated to there');
is($gdb->ask('bs'), 'T05thread:1;', 'back from there');
is($gdb->ask('c'), 'T05thread:1;replaylog:end;', 'and there again');
is($gdb->ask('c'), 'W7d', 'and over');
is($gdb->finish, 125, 'with the status of a record without an end');

# Entropy comes slowly, and its source is ready while the machine is in its past. The present may be before or after a request.
for my $delay (0.001, 0.02, 0.05, 0.1) {
	$gdb = open_back([@small, qw(--rng rate=20000), build() . '/guest/rng-draw.elf']);
	$gdb->send('c');
	select undef, undef, undef, $delay;
	$gdb->interrupt;
	like($gdb->receive, qr/^T02/, 'a guest waits for entropy');
	like($gdb->ask('bs'), qr/^T05thread:1;(?:replaylog:begin;)?$/, 'it goes back');
	select undef, undef, undef, 0.1;
	like($gdb->ask('c'), qr/^W00/, 'and gets what came meanwhile') or diag($gdb->err);
	$gdb->finish;
}

# --- back over an end that vole made ---

# The exits of what is executed again are not counted twice: the run ends where it ended, and not before.
{
	my $debug = build() . '/guest/debug.elf';
	my $file = scratch() . '/exits.rec';
	my @limited = (@small, '--max-exits', 3);
	is(run([vole(), 'run', '--record', $file, @limited, $debug, '--', 8])->{status}, 124, 'a run ends with its third exit');
	for my $how ('a record', 'a live run') {
		my $is_replay = $how eq 'a record';
		$gdb = open_back($is_replay ? [$file] : [@limited, $debug, '--', 8], replay => $is_replay);
		like($gdb->ask('c'), qr/^T18thread:1;/, "$how: the limit of exits");
		my $end = state_of($gdb, 1);
		for my $back (qw(bs bc bs)) {
			like($gdb->ask($back), qr/^T05thread:1;/, "$back goes back from there");
			like($gdb->ask('c'), qr/^T18thread:1;/, 'and the limit is met again');
			is(state_of($gdb, 1), $end, 'at the same place');
		}
		is($gdb->ask('c'), 'W7c', 'and is the end');
		is($gdb->finish, 124, 'with its status');
	}
}

# What a run leaves behind is written once, when it has ended for good; what it says at a crash, each time.
{
	my ($core, $lines, $profile) = map { scratch() . "/$_" } qw(k.core k.info k.callgrind);
	$gdb = open_back([@small, qw(-c 2 --last 3 --core), $core, '--coverage', $lines, '--profile', $profile, $list]);
	for my $round (1 .. 3) {
		like($gdb->ask('c'), qr/^T0bthread:1;/, "crash $round");
		$gdb->ask('bs');
	}
	is(-s $core, 0, 'a machine that may go on writes no files');
	like($gdb->ask('c'), qr/^T0bthread:1;/, 'crash 4');
	is($gdb->ask('c'), 'X0b', 'is the end');
	is($gdb->finish, 126, 'with its status');
	is(scalar(() = $gdb->err =~ /^vole: guest crashed/mg), 4, 'a crash is said each time');
	is(scalar(() = $gdb->err =~ /^vole: (?:core file|profile)/mg), 2, 'a core file and a profile are written once');
	ok(-s $core > 4096 && -s $lines && -s $profile, 'with what belongs there');
}

# --- how much is kept ---

$gdb = open_back([@small, build() . '/guest/rng-flood.elf'], history => '8M');
$gdb->ask(sprintf 'Z0,%x,1', {elf_symbols(slurp(build() . '/guest/rng-flood.elf'))}->{drawn});
like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'a guest draws 64 MiB');
my ($peak) = slurp("/proc/$gdb->{pid}/status") =~ /^VmHWM:\s+(\d+) kB$/m;
# Sanitizers keep several bytes for each.
cmp_ok($peak, '<', ($ENV{SAN} ? 4 : 1) * (48 << 10), 'much less is kept');
like($gdb->ask('bc'), qr/replaylog:begin/, 'so the past begins later');
like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'forwards from there');
$gdb->ask(sprintf 'z0,%x,1', $gdb->eip);
like($gdb->ask('c'), qr/^W00/, 'and to the end');
$gdb->finish;

# What a debugger changes begins the past anew, at the next turn.
$gdb = open_back([@small, qw(-c 2), $list]);
$gdb->ask(sprintf 'Z0,%x,1', $at{fill});
$gdb->ask('c');
is($gdb->ask(sprintf 'M%x,1:00', $at{entries} + 159), 'OK', 'memory is changed');
is($gdb->ask('bs'), 'T05thread:1;replaylog:begin;', 'there is nothing before that');
like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'and the machine goes on');
$gdb->send('k');
$gdb->finish;

# --- a disk that cannot be made what it was ---

# The guest has written twice; of the writes that go back, the first or second fails, and with a third one also those that would
# have the disk be as before.
for (['the first', '3-3'], ['the second', '4-4'], ['a disk that stays broken', '4-9']) {
	my ($name, $fails) = @$_;
	my $requests = build() . '/guest/block-requests.elf';
	my $disk = write_file('faulty.img', "\0" x (4100 * 512));
	local @ENV{qw(VOLE_FAULTY_FILE VOLE_FAULTS)} = ($disk, "write:$fails=EIO");
	$gdb = open_back([@small, '-d', $disk, $requests, '--', qw(w 0 4 w 2 4 f 0 0)], program => build() . '/tests/tools/vole-faulty');
	my %in = elf_symbols(slurp($requests));
	$gdb->ask(sprintf 'Z0,%x,1', $in{block_flush});
	like($gdb->ask('c'), qr/^T05thread:1;swbreak/, "$name: a guest has written its disk");
	my ($state, $content) = (state_of($gdb, 1, [$in{written}, 64]), slurp($disk));
	ok($content ne "\0" x (4100 * 512), 'which has something');
	is($gdb->ask($_), 'E01', 'it cannot go back') for $name =~ /stays/ ? 'bc' : 'bs';
	is(state_of($gdb, 1, [$in{written}, 64]), $state, 'and is where it was');
	if ($name =~ /stays/) {
		like($gdb->err, qr/--gdb: \S+faulty\.img: neither its earlier nor its present content can be written: Input\/output error; the debugger cannot go back any more/,
			'what cannot be is said');
		is($gdb->ask('bs'), 'T05thread:1;replaylog:begin;', 'nor is there a past any more');
	} else {
		ok(slurp($disk) eq $content, 'so is the disk');
		like($gdb->err, qr/--gdb: \S+faulty\.img: its earlier content cannot be written back: Input\/output error; the machine stays where it is\n/, 'which is said');
		like($gdb->ask('bc'), qr/replaylog:begin/, 'it goes back when its disk is well');
		ok(slurp($disk) eq "\0" x (4100 * 512), 'disk and all');
		like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'and forwards');
		ok(slurp($disk) eq $content, 'with what it wrote');
	}
	$gdb->send('k');
	$gdb->finish;
}

# A search finds that only after it has gone back a little: it ends at a moment that there was. A step back leaves such a moment
# behind the writes, which it undoes (3 and 4), and has done again (5 and 6).
{
	my $requests = build() . '/guest/block-requests.elf';
	my $disk = write_file('faulty.img', "\0" x (4100 * 512));
	local @ENV{qw(VOLE_FAULTY_FILE VOLE_FAULTS)} = ($disk, 'write:7-7=EIO');
	$gdb = open_back([@small, '-d', $disk, $requests, '--', qw(w 0 4 w 2 4), (qw(r 0 60)) x 12, qw(f 0 0)], program => build() . '/tests/tools/vole-faulty');
	my %in = elf_symbols(slurp($requests));
	my $point = sprintf '0,%x,1', $in{block_flush};
	$gdb->ask("Z$point");
	like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'a guest has written its disk, a while ago');
	my ($state, $content) = (state_of($gdb, 1, [$in{written}, 64]), slurp($disk));
	is($gdb->ask('bs'), 'T05thread:1;', 'it goes back by a step');
	like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'and forwards');
	is($gdb->ask('bc'), 'T02thread:1;', 'a search that its disk ends is as one that the user ends');
	like($gdb->err, qr/faulty\.img: its earlier content cannot be written back: Input\/output error; the machine stays where it is\n/, 'which is said');
	is(state_of($gdb, 1, [$in{written}, 64]), $state, 'the machine is where it looked last');
	ok(slurp($disk) eq $content, 'and so is its disk');
	like($gdb->ask('bc'), qr/replaylog:begin/, 'it goes on when the disk is well');
	ok(slurp($disk) eq "\0" x (4100 * 512), 'to what there was');
	$gdb->send('k');
	$gdb->finish;
}

# What a disk has cannot be read before it is written: there is no way back over that.
{
	my $requests = build() . '/guest/block-requests.elf';
	my $disk = write_file('faulty.img', "\0" x (4100 * 512));
	local @ENV{qw(VOLE_FAULTY_FILE VOLE_FAULTS)} = ($disk, 'read:4-4=EIO');
	$gdb = open_back([@small, '-d', $disk, $requests, '--', qw(w 0 4 w 2 4 f 0 0)], program => build() . '/tests/tools/vole-faulty');
	$gdb->ask(sprintf 'Z0,%x,1', {elf_symbols(slurp($requests))}->{block_flush});
	like($gdb->ask('c'), qr/^T05thread:1;swbreak/, 'a guest has written a disk that could not be read');
	my $content = slurp($disk);
	is($gdb->ask('bc'), 'E01', 'it cannot go back');
	like($gdb->err, qr/--gdb: what was on a disk before it was written could not be kept; the past begins after that\n/, 'which is said');
	ok(slurp($disk) eq $content, 'and the disk stays as it is');
	is($gdb->ask('bc'), 'T05thread:1;replaylog:begin;', 'the past begins there');
	$gdb->send('k');
	$gdb->finish;
}

# --- what cannot go back ---

for (["the host's clock", '-', qw(--engine soft --clock host)], ['no memory for it', '-,history=0', qw(--clock virtual)]) {
	my ($name, $option, @words) = @$_;
	my $result = run(['bash', '-c', 'printf "\$qSupported#37\$k#6b" | "$@"', '-', vole(), 'run', @words, '--gdb', $option, $list]);
	unlike($result->{out}, qr/Reverse/, "with $name a debugger is not told that it could go back");
}
my $bad = run([vole(), qw(run --clock virtual --gdb), '-,history=much', $list]);
is($bad->{err}, "vole: --gdb -: history=much: not a size (a number of bytes, or with K, M or G)\n", 'a size that is none is refused');

# A search that takes long is ended by ^C: the breakpoint is met a million times.
$gdb = open_back([@small, build() . '/guest/spin.elf']);
$gdb->send('c');
select undef, undef, undef, 0.1;
$gdb->interrupt;
is($gdb->receive, 'T02thread:1;', 'a loop is stopped');
my $place = sprintf '0,%x,1', $gdb->eip;
is($gdb->ask("Z$place"), 'OK', 'a breakpoint is in it');
$gdb->send('bc');
# What came together with the request is not looked at before its end.
select undef, undef, undef, 0.3;
$gdb->interrupt;
like($gdb->receive, qr/^T0[25]thread:1;/, 'a search backwards can be interrupted');
is($gdb->ask("z$place"), 'OK', 'the breakpoint goes');
# A terminal that gets another size is not the user's ^C.
my $main = sprintf '0,%x,1', {elf_symbols(slurp(build() . '/guest/spin.elf'))}->{main};
$gdb->send('c');
select undef, undef, undef, 0.3;
$gdb->interrupt;
is($gdb->receive, 'T02thread:1;', 'the loop goes on for a while');
is($gdb->ask("Z$main"), 'OK', 'a breakpoint is at what was executed long ago');
$gdb->send('bc');
for (1 .. 20) {
	select undef, undef, undef, 0.005;
	kill WINCH => $gdb->{pid};
}
is($gdb->receive, 'T05thread:1;swbreak:;', 'a search backwards goes on when a window changes its size');
is($gdb->ask("z$main"), 'OK', 'this breakpoint goes, too');
is($gdb->ask('s'), 'T05thread:1;', 'and the machine goes on');
$gdb->send('k');
$gdb->finish;

# A small history: the past begins later.
$gdb = open_back([@small, qw(-c 2), $list], history => '200K');
$gdb->ask('c');
like($gdb->ask('bc'), qr/replaylog:begin/, 'a small history has a beginning');
$gdb->send('k');
$gdb->finish;

# --- gdb itself ---

SKIP: {
	skip 'gdb is not here', 1 if !present('gdb');
	my $script = write_file('commands.gdb', join "\n", 'set confirm off', 'set pagination off', 'set style enabled off', 'set width 0',
		'target remote | ' . vole() . " replay --gdb - $file", 'continue', 'watch -l entries[3].next', 'reverse-continue', 'reverse-finish',
		'break walk', 'reverse-continue', 'next', 'next', 'reverse-next', 'reverse-next', 'reverse-stepi', 'continue', 'delete', 'continue', '');
	my $text = run(['sh', '-c', 'exec "$@" 2>&1', 'sh', 'gdb', '-q', '-nx', '-batch', '-x', $script, $list])->{out};
	my @patterns = (
		qr/Thread 1 "CPU 0" received signal SIGSEGV/, qr/walk \(\) at/,
		qr/hit Hardware watchpoint 1: -location entries\[3\]\.next\n\nOld value = \(struct entry \*\) 0xb\nNew value = .*<entries\+80>\n/,
		qr/fill \(numbers=/, qr/main \(/, qr/Breakpoint 2, walk \(\)/, qr/Breakpoint 2, |hit Hardware watchpoint 1/, qr/SIGSEGV/);
	pos($text) = 0;
	my ($missing) = grep { $text !~ /$_/g } @patterns;
	ok(!defined $missing, 'gdb goes backwards to the store that broke a list') or diag("no $missing in\n$text");
}

done_testing();
