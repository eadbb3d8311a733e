#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Records of runs (spec/replay.md): a replay has the instructions, the output and the exit status of the run, whatever
# came to it and whenever. Files that do not fit are refused by name, and what is cut off is repeated as far as it goes.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use File::Spec;
use Gdb;
use IO::Socket::UNIX;
use Test::More;
use Vole qw(:DEFAULT refused);

my $content = pack 'V*', map { $_ * 2654435761 & 0xffffffff } 1 .. 64 * 128;
my $kernel = build() . '/guest/recorded.elf';
my $file = scratch() . '/run.rec';

# What a run tells of itself: status, output, what it says but for the line of the record, instructions of each CPU.
sub traces {
	my ($result) = @_;
	my $said = join "\n", grep { !/--record|repeated to its end|^vole: time-out/ } split /\n/, $result->{err};
	return join "\n", $result->{status}, $result->{out}, $said;
}

sub replay { return run([vole(), 'replay', '-v', @_]) }

# Records a run, and repeats it; both traces.
sub both {
	my ($file, $under, @words) = @_;
	my $one = run([@$under, vole(), 'run', '-v', '--record', $file, @words]);
	return ($one, replay($file));
}

# --- three CPUs, input, a timer, entropy and a disk ---

my $disk = write_file('disk.img', $content);
# Each few bytes when those before have been answered: so the record has them at times of their own, however busy the host.
my $typist = <<'END';
coproc vole { "$@" 2>&3; } 3>&2
exec 4<&"${vole[0]}" 5>&"${vole[1]}"
pid=$vole_PID
answers() { for ((n = $1; n > 0; n--)); do IFS= read -r -u 4 line && printf '%s\n' "$line"; done; }
answers 1
for i in 0 1 2 3 4 5; do printf abc$i >&5; answers 4; done
printf q >&5
cat <&4
wait $pid
END
my $run = run(['bash', '-c', $typist, '-', vole(), qw(run -v -c 3 --record), $file, '-d', $disk, $kernel]);
cmp_ok($run->{status}, '>', 20, 'a guest is sent bytes while three CPUs work') or diag(shown($run));
isnt(slurp($disk), $content, 'and writes its disk');
like($run->{err}, qr{^vole: --record \Q$file\E: (\d+) instructions; "vole replay \Q$file\E" repeats them$}m, 'the end of the record is said');
my ($count) = $run->{err} =~ /: (\d+) instructions; "vole/;
my $spaced = scratch() . '/a b.rec';
like(run([vole(), 'run', '--record', $spaced, build() . '/guest/hello.elf'])->{err}, qr{; "vole replay '\Q$spaced\E'" repeats them$}m,
	'... with the name quoted where a shell needs it');

my $fresh = write_file('fresh.img', $content);
my $same = 0;
for (1 .. 10) {
	my $again = replay('-d', $fresh, $file);
	$same++, next if traces($again) =~ s/fresh/disk/gr eq traces($run) && $again->{err} =~ /repeated to its end, instruction $count\n/;
	diag(shown($again));
}
is($same, 10, "ten replays have the output, the status and the $count instructions of the run");
ok(slurp($fresh) eq $content, 'and write no disk');
my $elsewhere = run(['bash', '-c', 'cd / && cp "$2" "$5/k.elf" && exec 3<&0 && "$1" replay -d "$3" "$4" "$5/k.elf" </dev/null', '-',
	map { File::Spec->rel2abs($_) } vole(), $kernel, $fresh, $file, scratch()]);
is($elsewhere->{out}, $run->{out}, 'its kernel may be elsewhere');
my @disturbed = ('bash', '-c', '"$@" & for i in 1 2 3 4; do sleep 0.01; kill -STOP $!; sleep 0.02; kill -CONT $!; done 2>&-; wait $!', '-');
is(run([@disturbed, vole(), 'replay', '-d', $fresh, $file])->{out}, $run->{out}, 'and the host may be slow');

# The console that a board has by itself can be had elsewhere, as one that the user has named.
{
	my ($echoed, $apart) = map { scratch() . "/$_" } qw(echoed.rec apart);
	my $echo = run([vole(), qw(run --record), $echoed, build() . '/guest/echo.elf'], stdin => 'abcq');
	my $moved = run([vole(), qw(replay --console), "file:$apart", $echoed]);
	like($echo->{out}, qr/^ready\nabc/, 'a guest has the usual console');
	is("$moved->{status} $moved->{out}" . slurp($apart), "$echo->{status} $echo->{out}", '... which a replay may have elsewhere') or diag(shown($moved));
}

# Views do not change it.
my $logged = run([vole(), qw(replay --log exits --check virtio --last 5 -d), $fresh, $file]);
is($logged->{out}, $run->{out}, 'a log and a referee change nothing');
cmp_ok(scalar(() = $logged->{err} =~ /^vole: CPU \d exit \d+: /mg), '>', 1000, 'and show what happened');

# --- a machine that does not start ---

SKIP: {
	chomp(my $arch = `uname -m`);
	skip 'the number of prctl() is that of x86', 1 if $arch ne 'x86_64';
	skip 'sanitizer builds have no sandbox', 1 if $ENV{SAN};
	my $record = scratch() . '/unstarted.rec';
	my $result = run([build() . '/tests/tools/without-call', 157, vole(), 'run', '--record', $record, build() . '/guest/hello.elf']);
	is("$result->{status} $result->{err}", "125 vole: the sandbox: Function not implemented\n" .
		"vole: --record $record: the machine did not start; there is nothing to repeat\n", 'a machine that does not start is no run to repeat');
}

# --- ways to end ---

for (['exit-code' => [], undef], ['null-store' => [], 126], ['triple-fault' => [], 126], [hlt => ['--timeout', 1], 124],
	['smp' => [qw(-c 2 --max-exits 20)], 124]) {
	my ($name, $options, $status) = @$_;
	my ($one, $two) = both(scratch() . "/$name.rec", [], @$options, build() . "/guest/$name.elf");
	is($one->{status}, $status, "$name ends with $status") if defined $status;
	is(traces($two), traces($one), "$name: the replay ends as the run did");
}
my ($one, $two) = both(scratch() . '/signal.rec', [qw(timeout --preserve-status 0.3)], build() . '/guest/spin.elf');
is($one->{status}, 143, 'a signal ends a run');
is(traces($two), traces($one), 'and its replay, at the same instruction');

# A device that has more to do than it does at a time, while no CPU executes anything.
($one, $two) = both(scratch() . '/asleep.rec', [], '--timeout', 1, build() . '/guest/rng-asleep.elf');
like($one->{err}, qr/queue 0 of 64: available 64, taken 64, used 64$/m, 'a device serves all while the guest sleeps');
is(traces($two), traces($one), 'and so in the replay, which ends');

# In the middle of a turn: output to the debug port has no reader.
my $flood = scratch() . '/flood.rec';
my $stuck = run(['bash', '-c', '"$@" | sleep 1', '-', vole(), qw(run -v --timeout 1 --console none --record), $flood, build() . '/guest/serial-count.elf']);
my $unstuck = replay($flood);
my ($stuck_count, $unstuck_count) = map { $_->{err} =~ /(\d+) instructions$/m } $stuck, $unstuck;
is($unstuck_count, $stuck_count, 'a run without a reader is repeated');

# --- other devices ---

my $entropy = write_file('entropy', pack 'C*', map { ($_ * 7919 >> 3) & 255 } 1 .. 65536);
my %others = (
	'a serial port' => [qw(--console none --serial stdio), build() . '/guest/serial-count.elf'],
	'entropy from a file, at a rate' => ['--rng', "file=$entropy,rate=20000", build() . '/guest/rng-print.elf'],
	'much output' => [build() . '/guest/console-flood.elf', '--', 300],
	'a device with more to do than it does at a time' => [build() . '/guest/console-passes.elf'],
	'two CPUs and a device' => [qw(-c 2), build() . '/guest/print-race.elf'],
	map({ ("chaos $_" => ['--chaos', $_, qw(-c 3 -d), "$fresh,private", build() . '/guest/repeat.elf']) } 1 .. 4),
);
for my $name (sort keys %others) {
	my $file = scratch() . '/other.rec';
	my $one = run(['bash', '-c', '"$@" | { sleep 0.1; cat; }', '-', vole(), qw(run --record), $file, @{$others{$name}}]);
	my $two = run([vole(), 'replay', $file]);
	ok($two->{out} eq $one->{out} && $two->{err} =~ /: repeated to its end, instruction \d+\n\z/, "$name: the replay has the output of the run")
		or diag(shown($two));
}

# --- a terminal and a socket ---

# A window that changes, keys, and the user who ends it: on another's standard output, the replay prints the same.
{
	my $file = scratch() . '/terminal.rec';
	my $terminal = terminal(vole(), qw(run --record), $file, build() . '/guest/demo.elf');
	ok($terminal->expect(qr/> \z/), 'the demo runs on a terminal');
	$terminal->resize(50, 132);
	for my $word (qw(dev cpus fly)) {
		$terminal->send("$word\r");
		$terminal->expect(qr/^$word\r\n.*> \z/ms) or diag($terminal->text);
	}
	$terminal->send("\x01x");
	is($terminal->finish, 0, 'and is ended by its user');
	my $again = run([vole(), 'replay', $file]);
	like($again->{out}, qr/demo> dev\n.*demo> cpus\n.*there is no command "fly".*demo> \z/s, 'the replay prints what was on the terminal')
		or diag(shown($again));
	is($again->{status}, 0, 'and ends so');
}
{
	my ($file, $path) = map { scratch() . "/$_" } qw(socket.rec socket);
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>', scratch() . '/socket.err';
		exec { vole() } vole(), qw(run --record), $file, '--console', "unix:$path", build() . '/guest/echo.elf';
	}
	for my $text ("one\n", "two\n", 'q') {
		my ($client, $answer, $deadline) = (undef, '', time + 60);
		select undef, undef, undef, 0.02 until ($client = IO::Socket::UNIX->new(Peer => $path)) || time > $deadline;
		syswrite $client, $text;
		1 while $answer !~ /\Q$text\E\z/ && sysread $client, $answer, 1024, length $answer;
	}
	waitpid $pid, 0;
	my $out = scratch() . '/socket.out';
	my $again = run([vole(), 'replay', '--console', "file:$out", $file]);
	is($again->{status}, 0, 'clients of a socket come and go, and so they do in a replay');
	is(slurp($out), "ready\none\ntwo\nq", 'where output goes to a file');
}

# A disk that grows and shrinks.
{
	my ($file, $disk) = (scratch() . '/sizes.rec', write_file('sizes.img', "\0" x (64 * 512)));
	my $one = run(['bash', '-c', 'exec 3< <(exec "$0" "$@"); pid=$!
		for size in 128 16; do
			read -ru3 line; echo "$line"; truncate -s $((size * 512)) ' . $disk . '; kill -USR1 $pid
		done
		cat <&3; wait $pid', vole(), qw(run --timeout 60 --record), $file, '-d', $disk, build() . '/guest/block-resize.elf', '--', 16]);
	is($one->{out}, "64 sectors\n128 sectors\n16 sectors\nall checks hold\n", "a disk's size changes");
	write_file('sizes.img', "\0" x (64 * 512));
	is(run([vole(), 'replay', $file])->{out}, $one->{out}, 'and so it does in the replay, whose disk stays');
	is(-s $disk, 64 * 512, '... as it is');
	my $gdb = Gdb->new([$file], replay => 1);
	$gdb->ask('qSupported:swbreak+;hwbreak+');
	like($gdb->ask('c'), qr/replaylog:end/, 'a debugger is at its end');
	like($gdb->ask('bc'), qr/replaylog:begin/, 'and goes back');
	my $beginning = $gdb->eip;
	isnt($beginning, elf_entry(slurp(build() . '/guest/block-resize.elf')), 'to where the disk got its last size');
	like($gdb->ask('c'), qr/replaylog:end/, 'and forwards');
	$gdb->send('k');
	$gdb->finish;
	is($gdb->output, $one->{out}, 'with the same output');
}

# --- what it costs ---

# In CPU time, of runs in turns.
{
	my @times;
	my @kernel = (qw(-c 3 -d), "$fresh,private", build() . '/guest/repeat.elf');
	for my $round (0 .. 17) {
		my @words = $round % 2 ? ('--record', scratch() . '/cost.rec') : qw(--engine soft --clock virtual);
		my @before = times;
		run([vole(), 'run', @words, @kernel]);
		my @after = times;
		push @{$times[$round % 2]}, $after[2] + $after[3] - $before[2] - $before[3];
	}
	my ($without, $with) = map { (sort { $a <=> $b } @$_)[4] } @times;
	cmp_ok($with, '<=', 1.3 * $without + 0.01, 'recording costs a run of three CPUs, a disk and entropy less than a third more');
}

# --- what is refused ---

my $bytes = slurp($file);
sub spoilt {
	my ($name, $change) = @_;
	my $spoilt = $bytes;
	$change->(\$spoilt);
	return write_file($name, $spoilt);
}

refused('a record on standard output', qr/--record -: standard output is the guest's; name a file/, 'run', '--record', '-', $kernel);
refused('no record', qr/no record is named/, 'replay');
refused('a kernel', qr/recorded\.elf: not a record of vole/, 'replay', $kernel);
is(run([vole(), 'run', $file])->{err}, "vole: $file: a record, which vole does not run: vole replay repeats it\n", 'a record is no kernel');
refused('another kernel', qr/hello\.elf: not the kernel of the record, which has \d+ bytes/, 'replay', '-d', $fresh, $file, build() . '/guest/hello.elf');
refused('a kernel of the same size', qr/k\.elf: not the kernel of the record, which has \d+ bytes and another content/, 'replay', '-d', $fresh, $file,
	write_file('k.elf', slurp($kernel) =~ s/ready/steady/r =~ s/.\z//sr));
refused('the disk as it is now', qr/disk\.img: not as it was when the record began/, 'replay', $file);
refused('a disk of another size', qr/small\.img: 8 sectors: the disk of the record has 64/, 'replay', '-d', write_file('small.img', "\0" x 4096), $file);
refused('a disk too many', qr/--disk: the record has 1: it is given for each/, 'replay', '-d', $fresh, '-d', $fresh, $file);
refused('a console too many', qr/--console: the record has 1: /, 'replay', '-d', $fresh, qw(--console stdio --console pty), $file);
refused('no console', qr/--console none: the record has a console/, 'replay', '-d', $fresh, qw(--console none), $file);
refused('a serial port', qr/--serial pty: the record has no serial port/, 'replay', '-d', $fresh, qw(--serial pty), $file);
refused('another machine', qr/--$_->[0]: a replay has the machine of its record/, 'replay', "--$_->[0]", $_->[1], '-d', $fresh, $file)
	for [memory => '1G'], [cpus => 2], [clock => 'virtual'], [engine => 'kvm'], [virtio => 'packed=on'], [chaos => 1], [boot => 'vole'], [record => 'x'];
refused('a referee who would end it sooner', qr/--check virtio,fatal: a replay ends where its record does; take --check virtio/, 'replay', '--check', 'virtio,fatal', $file);
refused('words for the guest', qr/a replay's guest has its command line already/, 'replay', $file, '--', 'word');
refused('two kernels', qr/b: a second kernel, after a/, 'replay', $file, 'a', 'b');
refused('another version of vole', qr/version: recorded by vole x\.y\S*, which alone can repeat it; this is vole /, 'replay', '-d', $fresh, other_version());
like(slurp('spec/replay.md'), qr/^\| 16 \| 4 \| version of the format: @{[unpack 'V', substr $bytes, 16, 4]} \|$/m, 'spec/replay.md has the version of the format');
refused('another format', qr/format: a record of format 9, and this vole reads format 3/, 'replay', spoilt('format', sub { substr(${$_[0]}, 16, 4) = pack 'V', 9 }));
refused('a damaged beginning', qr/begin: a record that cannot be used: its beginning is damaged/, 'replay',
	spoilt('begin', sub { substr(${$_[0]}, 60, 1) ^= "\1" }));
refused('a beginning that is cut off', qr/short: .*cut off before the run begins/, 'replay', spoilt('short', sub { ${$_[0]} = substr ${$_[0]}, 0, 100 }));
refused('what is no file', qr{/dev/null: not a regular file}, qw(replay /dev/null));
refused('an empty file', qr/empty: the file is empty/, 'replay', write_file('empty', ''));
refused('a record by KVM', qr/--record: KVM does not tell after how many instructions something comes/, qw(run --engine kvm --record), scratch() . '/x', $kernel);
refused("a record by the host's clock", qr/--record x: not with --clock host/, qw(run --clock host --record x), $kernel);
refused('a record of a checkpoint', qr/--record x: not with --checkpoint/, qw(run --checkpoint y --record x), $kernel);
refused('a record with a debugger', qr/--record x: not with --gdb; record the run, and debug it with vole replay --gdb/, qw(run --gdb - --record x), $kernel);
refused('a record of a clone', qr/--record: a clone has the machine of its checkpoint/, qw(clone --record x y));
refused('a record into its kernel', qr/recorded\.elf: in use/, qw(run --record), $kernel, $kernel);
my $copy = write_file('copy.rec', $bytes);
refused('a view into its record', qr/--capture \S+copy\.rec: in use by this machine already/, 'replay', '-d', $fresh, '--capture', $copy, $copy);
is(slurp($copy), $bytes, '... which stays as it is');
refused('a folder', qr{/: (?:Is a directory|not a regular file)}, qw(run --record /), $kernel);
ok(slurp($kernel) =~ /\A\x7fELF/, 'the kernel is as it was');

# As vmm/checksum.c has it.
sub mix {
	my ($lane, $word) = @_;
	{ use integer; $lane = ($lane ^ $word) * -7046029254386353131; }
	return $lane ^ ($lane >> 29);
}

sub checksum {
	my ($sum, $bytes) = @_;
	$sum = mix($sum, length $bytes);
	$sum = mix($sum, $_) for unpack 'Q<*', $bytes . "\0" x (-length($bytes) % 8);
	return $sum;
}

# An entry that nothing asks for, with right checksums: entropy at the first position, in a kernel that draws none.
{
	my $path = scratch() . '/forged.rec';
	run([vole(), 'run', '--record', $path, '--timeout', 1, build() . '/guest/hlt.elf']);
	my $bytes = slurp($path);
	my $at = 32 + unpack 'V', substr $bytes, 20, 4;
	my ($sum, $count, $forged) = (0, 0, substr $bytes, 0, $at);
	my $entry = sub {
		my ($fields, $data) = @_;
		$sum = checksum(checksum($sum, $fields), $data);
		$forged .= $fields . pack('Q<', $sum) . $data;
	};
	while ($at < length $bytes) {
		my $len = unpack 'V', substr $bytes, $at + 32, 4;
		$entry->(substr($bytes, $at, 40), substr $bytes, $at + 48, $len);
		# Behind the first one, which tells who is at the port.
		$entry->(pack('V2 Q<2 Q< V2', 4, 0, 0, 0, 1, 1, 0), 'e') if !$count++;
		$at += 48 + $len;
	}
	my $result = run([vole(), 'replay', write_file('forged', $forged)], limit => 30);
	is("$result->{status} $result->{err}", '125 vole: ' . scratch() . "/forged: the run is not that of the record: nothing asks for what the " .
		"record has after instruction 0\n", 'entropy that nobody asks for is a difference');
}

# The record of another vole, with a version as long as this one's.
sub other_version {
	my $len = unpack 'V', substr $bytes, 20, 4;
	my $setup = substr $bytes, 32, $len;
	$setup =~ s/\A(.{12})(....)(.{3})/$1$2x.y/s;
	my $head = substr $bytes, 0, 24;
	return write_file('version', $head . pack('Q<', checksum(checksum(0, $head), $setup)) . $setup . substr $bytes, 32 + $len);
}

# --- what is cut off ---

# Near the end, so that the guest has had most of its input by then.
for (['cut off', qr/the file is cut off/, sub { substr(${$_[0]}, -200) = '' }],
	['interrupted', qr/the recording was interrupted/, sub { substr(${$_[0]}, -48) = '' }],
	['damaged', qr/the file is damaged/, sub { substr(${$_[0]}, -200, 1) ^= "\1" }]) {
	my ($name, $pattern, $change) = @$_;
	my $result = run([vole(), 'replay', '-d', $fresh, spoilt('part', $change)]);
	like($result->{err}, qr/part: $pattern; the run is repeated as far as the record goes\n/, "a record that is $name is said to be so");
	is($result->{status}, 125, 'its replay ends with 125');
	next if $name eq 'interrupted';
	like($result->{err}, qr/part: repeated to instruction \d+, and the record goes no further/, '... where it is cut');
	ok(length $result->{out} > 100 && substr($run->{out}, 0, length $result->{out}) eq $result->{out}, '... with the output of the run to there') or diag(shown($result));
}

# Vole is killed while its guest asks for nothing: the record has marks, and is repeated until the next one would be there.
{
	my $killed = scratch() . '/killed.rec';
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		exec { vole() } vole(), qw(run --console none --record), $killed, build() . '/guest/spin.elf';
	}
	my $deadline = time + 240;
	select undef, undef, undef, 0.02 until (entries($killed))[-1] > 0 || time > $deadline;
	kill KILL => $pid;
	waitpid $pid, 0;
	my $turns = (entries($killed))[-1];
	cmp_ok($turns, '>', 0, 'a record of a guest that asks for nothing has marks');
	my $result = run([vole(), 'replay', $killed]);
	like($result->{err}, qr/killed\.rec: the recording was interrupted; /, 'vole may have been killed');
	my ($end) = $result->{err} =~ /killed\.rec: repeated to instruction (\d+), and the record goes no further: the recording was interrupted\n/;
	# A turn is 10000 instructions, but for those at which a device is kicked.
	my $expected = ($turns + 8192) * 10000;
	ok($end && $end <= $expected && $end > $expected - 100000, 'the replay ends by itself near the last mark') or diag(shown($result));
	is($result->{status}, 125, 'with status 125');
	is(run([vole(), 'replay', $killed])->{err}, $result->{err}, 'and again at the same instruction');
}

# The turns of the entries of a record; 0 if there are none.
sub entries {
	my ($file) = @_;
	my $bytes = -e $file ? slurp($file) : '';
	my $at = 32 + (length $bytes < 32 ? 0 : unpack 'x20V', $bytes);
	my @turns = (0);
	while ($at + 48 <= length $bytes) {
		my ($turns, $len) = unpack "x${at} x8 Q< x16 V", $bytes;
		push @turns, $turns;
		$at += 48 + $len;
	}
	return @turns;
}

# A file that takes nothing for a while: the machine waits for it, and loses nothing. A signal ends the wait.
for my $ends (0, 1) {
	my ($file, $stall, $stalled, $err) = map { scratch() . "/$_" } qw(stall.rec stall stalled stall.err);
	unlink $file, $err, $stall;
	pipe my $in, my $typed or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		@ENV{qw(VOLE_STALL VOLE_STALLED VOLE_FAULTY_FILE)} = ($stall, $stalled, $file);
		open STDIN, '<&', $in or die "stdin: $!\n";
		open STDERR, '>', $err;
		exec { build() . '/tests/tools/vole-faulty' } 'vole', qw(run --record), $file, build() . '/guest/rng-flood.elf', '--', 'wait';
	}
	# It is opened, and has its beginning; the next write does not return.
	my $deadline = time + 60;
	select undef, undef, undef, 0.01 until -s $file || time > $deadline;
	write_file('stall', '');
	syswrite $typed, 'x';
	select undef, undef, undef, 0.05 until slurp($err) ne '' || time > $deadline;
	is(slurp($err), "vole: --record $file: the file takes nothing at present; the machine waits for it\n", 'that a record has to be waited for is said, once');
	kill TERM => $pid if $ends;
	unlink $stalled if !$ends;
	waitpid $pid, 0;
	unlink $stalled;
	is($?, $ends ? 15 : 0, $ends ? 'a signal ends the wait' : 'and the run goes on');
	if ($ends) {
		like(slurp($err), qr/\nvole: --record: \S+: Connection timed out; the last \d+ bytes are not written\n/, 'and what is missing is said');
		next;
	}
	my $again = run([vole(), 'replay', $file]);
	is($again->{status}, 0, 'nothing of the record is lost');
	like($again->{err}, qr/repeated to its end/, 'up to its end');
}

# A full disk: the run is as without, and the record is cut off.
SKIP: {
	my $mount = 'mkdir -p "$1"; mount -t tmpfs -o size=8k none "$1" || exit 99';
	my $full = run(['unshare', '-rm', 'bash', '-c', "$mount; shift; head -c 4000 /dev/zero | tr '\\0' a | { cat; printf q; } | \"\$@\"; echo \$?; ls \"\$6\" >&2",
		'-', scratch() . '/full', vole(), qw(run -c 3 --record), scratch() . '/full/x.rec', '-d', "$fresh,private", $kernel]);
	skip 'no mount namespaces here', 2 if $full->{out} =~ /^99$/m || $full->{err} =~ /unshare/;
	like($full->{err}, qr/--record: .*x\.rec: No space left on device; the last \d+ bytes? (?:is|are) not written(?:, and \d+ inputs? (?:is|are) lost)?\n/, 'a full disk is said') or diag(shown($full));
	like($full->{out}, qr/^4001: byte 113/m, 'and the run goes on') or diag(shown($full));
}

done_testing();
