#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --stats: the table, the keys of JSON against spec/stats.md, and sums that agree with what the guest did and with what
# the other views of the same run have.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Fcntl 'O_RDWR';
use JSON::PP ();
use List::Util 'sum0';
use Pcapng;
use POSIX 'mkfifo';
use Test::More;
use Vole;

each_engine();

my $soft = engine() eq 'soft';
my $disk = write_file('disk.img', 'first sector' . "\0" x (2048 * 512 - 12));
my $json = scratch() . '/stats.json';
my $log = scratch() . '/log';
my $capture = scratch() . '/capture.pcapng';

# What JSON says of a run with these words.
sub stats {
	my ($name, @words) = @_;
	unlink $json;
	my $got = run([vole_run(), qw(--timeout 60), "--stats=json:$json", @words]);
	my $stats = eval { JSON::PP->new->utf8->decode(slurp($json)) };
	ok($stats, "$name: it is JSON") or diag($@, shown($got));
	$stats //= {};
	is($stats->{exit_status}, $got->{status}, "$name: it has the exit status") or diag(shown($got));
	return ($stats, $got);
}

# How many lines of the log match.
sub logged {
	my ($pattern) = @_;
	return scalar grep { $_ =~ $pattern } split /\n/, slurp($log);
}

# A distribution agrees with itself.
sub holds {
	my ($d) = @_;
	return $d->{p50} <= $d->{p99} && $d->{p99} <= $d->{max} && $d->{max} <= $d->{sum} && $d->{sum} <= $d->{count} * $d->{max};
}

# --- the table -----------------------------------------------------------------------------------

my $got = run([vole_run(), qw(--timeout 60 --stats -d), $disk, guest('demo')]);
is($got->{status}, 0, 'the demo works');
unlike($got->{out}, qr/statistics/, '... and its output is its own');
like($got->{err}, qr/^statistics of \S+demo\.elf: engine ${\engine()}, clock host, 1 CPU, exit status 0$/m, 'the table says of what it is');
like($got->{err}, qr/^ +0\.0 +0\.0 +main\(\) begins$/m, '... when the run began');
like($got->{err}, qr/^ +\d+\.\d +\d+\.\d +(?:0 +)?the guest's first instruction$/m, '... the guest');
like($got->{err}, qr/its first exit\n.*its first output is written\n/, '... and its output');
like($got->{err}, qr/the end\n.*all CPUs have stopped\n.*requests and output are done\n.*everything is freed\n/, '... and the end');
like($got->{err}, qr/^ +\d+ .*  out 0x00e9$/m, 'exits have their reason');
# Those that took longest are listed, and which these are is the host's affair.
like($got->{err}, qr/^ +\d+ .* \(\w+\+0x[0-9a-f]+\): (?:load|store) 0xd000[0-2]\d+ \(device \d, \w+: \w+\)$/m, '... and their place');
like($got->{err}, qr/^device 2, block, queue 0: 7 requests, 7 used; \d+ bytes to the device, \d+ from it;$/m, 'a queue has its requests');
like($got->{err}, qr/^ +7 .*  from then until it is used$/m, '... and their times');
is($got->{err} =~ /^KVM's counters/m ? 1 : 0, $soft ? 0 : 1, 'KVM has counters');
is($got->{err} =~ /; \d+ instructions$/m ? 1 : 0, $soft ? 1 : 0, 'the software CPU counts instructions');
unlike($got->{err}, qr/[ \t]$/m, 'no line ends with a blank');

# --- sums ----------------------------------------------------------------------------------------

my %keys;

sub collect_keys {
	my ($value, $is_counters) = @_;
	if (ref $value eq 'HASH') {
		for (keys %$value) {
			$keys{$_} = 1 unless $is_counters;
			collect_keys($value->{$_}, $_ eq 'counters');
		}
	} elsif (ref $value eq 'ARRAY') {
		collect_keys($_, 0) for @$value;
	}
}

for my $case (['demo'], ['journal', 20], ['rng-draw'], ['reset-in-flight'], ['console-smp'], ['costs']) {
	my ($kernel, @words) = @$case;
	unlink $log, $capture;
	my ($stats, $result) = stats($kernel, qw(-v -c 2 -d), $disk, '--capture', $capture, '--log', "virtio,file=$log", guest($kernel), '--', @words);
	unlike($result->{err}, qr/--(?:stats|capture|log)/, "$kernel: nothing is lost");
	my @records = map { Pcapng::record($_) } @{Pcapng::parse(slurp($capture))->{packets}};
	my (@wrong, %sum);
	for my $device (@{$stats->{devices}}) {
		my $index = 0;
		for my $queue (@{$device->{queues}}) {
			my $of = qr/device $device->{number}, $device->{name}, queue $index: /;
			my %expected = (
				requests => logged(qr/${of}chain \d+: /),
				completed => logged(qr/${of}chain \d+ used/),
				interrupts => logged(qr/${of}interrupt, /),
				interrupts_suppressed => logged(qr/${of}no interrupt: /),
				kicks => logged(qr/device $device->{number}, $device->{name}: kick: QueueNotify = $index\b/),
				bytes_written => sum0(slurp($log) =~ /${of}chain \d+ used, (\d+) bytes? written/g),
			);
			push @wrong, map { "$device->{name} $index: $queue->{$_} $_, $expected{$_} in the log" }
				grep { $queue->{$_} != $expected{$_} } sort keys %expected;
			push @wrong, map { "$device->{name} $index: $_" } grep { !holds($queue->{$_}) } qw(kick_to_taken_ns taken_to_used_ns kick_to_interrupt_ns interrupt_to_acknowledged_ns);
			push @wrong, "$device->{name} $index: more times than requests" if $queue->{taken_to_used_ns}{count} != $queue->{completed} || $queue->{kick_to_taken_ns}{count} > $queue->{kicks};
			$sum{$_} += $queue->{$_} for qw(requests completed bytes_read interrupts interrupts_suppressed);
			$index++;
		}
		push @wrong, 'acknowledgements' if $device->{acknowledgements} != logged(qr/device $device->{number}, \w+: write InterruptACK/);
		push @wrong, 'host calls' if $device->{host_ns}{count} != logged(qr/device $device->{number}, \w+: the host has returned/);
		$sum{interrupts} += $device->{configuration_interrupts};
	}
	is(join("\n", @wrong), '', "$kernel: queues agree with the log");
	my %captured = ('chain', 0, 'used', 0, 'interrupt', 0, 'no interrupt', 0);
	$captured{$_->{kind}}++ for @records;
	is("$sum{requests} $sum{completed} $sum{interrupts} $sum{interrupts_suppressed}", "@captured{'chain', 'used', 'interrupt', 'no interrupt'}", "$kernel: ... and with the capture")
		if $stats->{devices}[0];

	# What vole says of each CPU at the end.
	my @exits = $result->{err} =~ /^vole: CPU \d+: (\d+) exits/mg;
	is(join(' ', map { $_->{exits} } @{$stats->{cpus}}), "@exits", "$kernel: each CPU has its exits");
	my $count = sum0(@exits);
	my $exits = $stats->{exits};
	is(sum0(map { $_->{ns}{count} } @{$exits->{reasons}}) + $exits->{other_reasons_ns}{count}, $count, "$kernel: reasons have all of them");
	is(sum0(map { $_->{count} } @{$exits->{places}}, $exits->{other_places}), $count, "$kernel: and places");
	my $ns = sum0(map { $_->{exits_ns} } @{$stats->{cpus}});
	is(sum0(map { $_->{ns}{sum} } @{$exits->{reasons}}) + $exits->{other_reasons_ns}{sum}, $ns, "$kernel: reasons have all their time");
	is(sum0(map { $_->{ns} } @{$exits->{places}}, $exits->{other_places}), $ns, "$kernel: and places");
	is(scalar(grep { !holds($_->{ns}) } @{$exits->{reasons}}), 0, "$kernel: times of exits hold");
	is(join(' ', map { $_->{ns}{sum} } @{$exits->{reasons}}), join(' ', sort { $b <=> $a } map { $_->{ns}{sum} } @{$exits->{reasons}}), "$kernel: the most expensive ones are first");

	my $moments = $stats->{moments};
	my @order = map { $moments->{$_}{ns} } qw(main image_read engine_made image_loaded devices_made shut_in first_instruction first_exit stopped drained freed);
	is("@order", join(' ', sort { $a <=> $b } @order), "$kernel: moments are in order");
	cmp_ok($moments->{end}{ns}, '<=', $moments->{stopped}{ns}, "$kernel: the end comes before the stop");
	cmp_ok($stats->{before_main_cpu_ns}, '>', 0, "$kernel: the process took time before main()");
	cmp_ok($stats->{cpu_ns}, '>', $stats->{before_main_cpu_ns}, "$kernel: ... and after it");
	if ($soft) {
		my @instructions = $result->{err} =~ /^vole: CPU \d+: \d+ exits, (\d+) instructions/mg;
		is(join(' ', map { $_->{instructions} } @{$stats->{cpus}}), "@instructions", "$kernel: each CPU has its instructions");
		is($moments->{stopped}{instructions}, sum0(@instructions), "$kernel: and the end has all of them");
		is($stats->{counters}, undef, "$kernel: there are no counters of KVM's");
	} else {
		is($moments->{stopped}{instructions}, undef, "$kernel: KVM counts no instructions");
		ok(!$stats->{counters} || $stats->{cpus}[0]{counters}{exits} > 0, "$kernel: KVM's counters are there, if the host has them");
	}
	collect_keys($stats);
}

my $spec = slurp('spec/stats.md');
my %told = map { s/.*\.//r => 1 } $spec =~ /`([a-z0-9_.]+)`/g;
is(join(' ', grep { !$told{$_} && !/^(?:count|sum|p50|p99|max)$/ } sort keys %keys), '', 'spec/stats.md has each key');
my @rows = map { s/\[\]//gr =~ s/.*\.//r } map { /`([^`]+)`/g } map { (split / \| /)[0] } $spec =~ /^(\| `.*)$/mg;
is(join(' ', grep { !$keys{$_} } @rows), '', 'each key of its table is there');

# --- marks and instructions ----------------------------------------------------------------------

my ($costs) = stats('costs', guest('costs'));
is($costs->{exit_status}, 7, 'the kernel came through');
is($costs->{marks}{count}, 20, 'its marks are counted');
is(scalar @{$costs->{devices}}, 0, 'devices that it does not touch are not told');
is(join(' ', map { $_->{value} } @{$costs->{marks}{first}}), join(' ', (1, 2) x 10), '... told one by one');
my %between = map { ("$_->{from} $_->{to}" => $_) } @{$costs->{marks}{intervals}};
is(join(', ', map { "$_: $between{$_}{ns}{count}" } sort keys %between), '1 2: 10, 2 1: 9', '... and in pairs');
is(scalar(grep { !holds($_->{ns}) } values %between), 0, '... with times that hold');
is((grep { ($_->{port} // '') eq '0x00e9' } @{$costs->{exits}{reasons}})[0]{ns}{count}, 10, 'so are its accesses to the debug port');
is((grep { ($_->{port} // '') eq '0x00e9' } @{$costs->{exits}{places}})[0]{symbol}, 'print_dot', '... whose place is known');

if ($soft) {
	my $first = $between{'1 2'}{instructions};
	cmp_ok($first->{sum}, '>', 10 * 998, 'instructions between marks are counted');
	cmp_ok($first->{sum}, '<', 10 * 1020, '... and not much more');
	is($first->{sum}, 10 * $first->{max}, '... each time the same');

	my @counts;
	for (1, 2) {
		my ($stats) = stats('twice', qw(--clock virtual -c 3 -d), write_file('repeat.img', "\1" x 32768), '--rng', "file=" . write_file('random', "\5" x 65536), guest('repeat'));
		is($stats->{exit_status}, 0, 'with --clock virtual the kernel comes through');
		push @counts, JSON::PP->new->canonical->encode([
			[map { $_->{instructions} } @{$stats->{cpus}}],
			[map { $stats->{moments}{$_}{instructions} } qw(first_exit first_output stopped)],
			[map { map { $_->{instructions_per_request} } @{$_->{queues}} } @{$stats->{devices}}]]);
	}
	is($counts[0], $counts[1], 'two runs with --clock virtual have the same counts');
	like($counts[0], qr/"count":[1-9]/, '... also for requests');
}

# --- bounds --------------------------------------------------------------------------------------

my ($many) = stats('many', guest('costs'), '--', 6000);
is($many->{exit_status}, 7, 'the kernel came through');
is($many->{marks}{count}, 6000 + 2000, 'many marks are counted');
is(scalar @{$many->{marks}{first}}, 256, '... and the first ones told');
is(scalar @{$many->{marks}{intervals}}, 64, '... as pairs of the first kinds');
is(sum0(map { $_->{ns}{count} } @{$many->{marks}{intervals}}) + $many->{marks}{other_intervals_ns}{count}, 7999, '... and the rest is summed');
my $exits = $many->{exits};
is(scalar @{$exits->{reasons}}, 128, 'so are many reasons');
cmp_ok($exits->{other_reasons_ns}{count}, '>', 200, '... of which the rest is summed');
is(scalar @{$exits->{places}}, 256, 'and many places');
is(sum0(map { $_->{count} } @{$exits->{places}}, $exits->{other_places}), $many->{cpus}[0]{exits}, '... of which the rest is summed');
$got = run([vole_run(), qw(--timeout 60 --stats), guest('costs'), '--', 6000]);
like($got->{err}, qr/^  and 7988 more marks$/m, 'the table says how many marks it leaves out');
like($got->{err}, qr/^ +\d+ +\d+\.\d  for other reasons$/m, '... what is in other reasons');
like($got->{err}, qr/^ +\d+ +\d+\.\d  at other places$/m, '... and places');

# --- names, ends and clones ----------------------------------------------------------------------

# A symbol's name is as long as before, but has what JSON must write otherwise.
my $image = slurp(guest('costs'));
$image =~ s/\0print_dot\0/\0"\\'{}<>&"\0/g;
my ($hostile) = stats('names', write_file("k\"\\\xc3.elf", $image));
ok(scalar(grep { ($_->{symbol} // '') eq q("\\'{}<>&") } @{$hostile->{exits}{places}}), 'any name of a symbol can be told');
like($hostile->{kernel}, qr{/k"\\\x{fffd}\.elf$}, '... and of a kernel');

$got = run([vole_run(), qw(--timeout 60 --stats), guest('null-store')]);
is($got->{status}, 126, 'a kernel crashes');
like($got->{err}, qr/guest crashed.*^statistics of .* exit status 126$/ms, '... and the table comes after the report');

my $saved = scratch() . '/saved';
my $zeroes = write_file('zeroes.img', "\0" x (8 * 512));
run([vole_run(), qw(--timeout 60 --checkpoint), $saved, '-d', $zeroes, guest('ready')]);
unlink $json;
$got = run([vole(), 'clone', '--engine', engine(), "--stats=json:$json", '-d', $zeroes, $saved]);
my $clone = eval { JSON::PP->new->utf8->decode(slurp($json)) } // {};
is($clone->{exit_status}, 0, 'a clone has statistics') or diag(shown($got));
is($clone->{kernel}, $saved, '... of its own');
is($clone->{moments}{first_instruction}{instructions}, $soft ? 0 : undef, '... and counts instructions from where it goes on');

if ($soft) {
	my $record = scratch() . '/record';
	my ($run) = stats('recorded', '--record', $record, qw(-c 3 -d), $zeroes, guest('repeat'));
	unlink $json;
	$got = run([vole(), 'replay', "--stats=json:$json", $record]);
	my $replay = eval { JSON::PP->new->utf8->decode(slurp($json)) } // {};
	is($replay->{moments}{stopped}{instructions}, $run->{moments}{stopped}{instructions}, 'a replay has statistics, with the same count') or diag(shown($got));
}

# --- bad input -----------------------------------------------------------------------------------

for (['=xml:x', '--stats=xml:x: not json:FILE; without it, a table goes to standard error'],
	['=json:', '--stats=json:: no file is named'],
	['=json:-', "--stats=json:-: standard output is the guest's; name a file"],
	['=json:' . scratch() . '/none/x', '--stats=json:' . scratch() . '/none/x: No such file or directory'],
	['=json:' . scratch(), '--stats=json:' . scratch() . ': Is a directory']) {
	my ($value, $message) = @$_;
	$got = run([vole_run(), "--stats$value", guest('hello')]);
	is("$got->{status} $got->{out}$got->{err}", "125 vole: $message\n", "--stats$value: refused");
}
$got = run([vole_run(), '--stats', "--stats=json:$json", guest('hello')]);
is("$got->{status} $got->{err}", "125 vole: --stats: there can be only one\n", 'two of them: refused');

$got = run([vole_run(), '--stats', 'json:x', guest('hello')]);
is("$got->{status} $got->{err}", "125 vole: --stats json:x: it is one word: --stats=json:x\n", 'its argument as a word of its own: refused');

$got = run([vole_run(), '--stats=json:/dev/full', guest('hello')]);
is($got->{status}, 0, 'a full disk does not keep the guest');
like($got->{err}, qr/^vole: --stats: \/dev\/full: No space left on device; the last \d+ bytes are not written$/m, '... and is said');

# Nobody reads the pipe: timeout(1) sends SIGTERM, and has the status 137 where it has to send SIGKILL.
mkfifo(my $fifo = scratch() . '/fifo', 0600) or die "mkfifo: $!\n";
$got = run([qw(timeout -k 5 1), vole_run(), "--stats=json:$fifo", guest('hello')]);
is($got->{status}, 124, 'SIGTERM ends the wait for a reader of a pipe');

# Who reads the pipe goes before the end.
my $reader = fork // die "fork: $!\n";
if ($reader == 0) {
	open my $in, '<', $fifo or POSIX::_exit(1);
	close $in;
	POSIX::_exit(0);
}
$got = run([vole_run(), qw(--timeout 1), "--stats=json:$fifo", guest('spin')]);
waitpid $reader, 0;
is($got->{status}, 124, 'a reader who leaves does not keep the guest');
like($got->{err}, qr/^vole: --stats: \Q$fifo\E: Broken pipe; the last \d+ bytes are not written$/m, '... and that is said');

done_testing();
