#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# All views of one run agree; and a capture of many requests loses no record and does not hold up the guest, but for a
# reader that is slow: then what is lost is counted. In the environment: REQUESTS, how many (make check-capture has
# 100000).
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Installed 'present';
use IO::Select;
use JSON::PP ();
use List::Util 'sum0';
use POSIX ();
use Pcapng;
use Test::More;
use Vole;

each_engine();

my $disk = write_file('disk.img', pack 'V*', 0 .. 2048 * 128 - 1);
my ($capture, $trace, $log, $json) = map { scratch() . "/$_" } qw(capture.pcapng trace log stats.json);
my @reader = (vole_run(), qw(--timeout 1200 --console none --rng none -d), $disk);

# --- one run, all views ---

# How many lines of the log match.
sub logged {
	my ($pattern) = @_;
	return scalar grep { $_ =~ $pattern } split /\n/, slurp($log);
}

# How many events of each kind a trace has: slices by the name of their track, and others by their name.
sub traced {
	my $got = run(['sh', '-c', 'protoc --decode=Trace -I tests tests/perfetto.proto <"$1"', 'sh', $trace]);
	my (%tracks, %count, %event);
	for (split /\n/, $got->{out}) {
		%event = () if /^packet \{$/;
		$event{$1} = $2 if /^\s+(type|uuid|name|track_uuid): "?(.*?)"?$/;
		next unless /^\}$/;
		$tracks{$event{uuid}} = $event{name} if defined $event{uuid};
		next if ($event{type} // '') !~ /BEGIN|INSTANT/;
		$count{requests}++ if ($tracks{$event{track_uuid}} // '') =~ /requests/;
		$count{$1}++ if ($event{name} // '') =~ /^(kick|interrupt|host)\b/;
	}
	return %count;
}

for my $case (['demo', 0], ['journal', 7, 10], ['in-flight', 0]) {
	my ($kernel, $status, @words) = @$case;
	my $got = run([vole_run(), qw(--timeout 60 -c 2 -d), "$disk,queues=2,private", '--capture', $capture, '--trace', $trace, '--log', "virtio,file=$log",
		qw(--check virtio), "--stats=json:$json", guest($kernel), '--', @words]);
	is($got->{status}, $status, "$kernel: runs with all views") or diag(shown($got));
	like($got->{err}, qr/\Avole: virtio: \d+ rules watched, 0 broken\n\z/, "$kernel: nothing is lost, and no rule is broken");
	my %count;
	my $file = Pcapng::parse(slurp($capture));
	$count{$_->{kind}}++ for map { Pcapng::record($_) } @{$file->{packets}};
	$count{kick} = grep { $_->{kind} eq 'write' && unpack('V', substr $_->{packet}{bytes}, 16) == 0x50 } map { Pcapng::record($_) } @{$file->{packets}};
	my $stats = JSON::PP->new->decode(slurp($json));
	my @queues = map { @{$_->{queues}} } @{$stats->{devices}};
	my %traced = present('protoc') ? traced() : ();
	for (['chain', qr/: chain \d+: /, 'requests', 'requests'], ['used', qr/: chain \d+ used/, undef, 'completed'], ['kick', qr/: kick: /, 'kick', 'kicks'],
		['interrupt', qr/: interrupt, used/, undef, 'interrupts'], ['no interrupt', qr/: no interrupt: /, undef, 'interrupts_suppressed'], ['host begins', qr/: the host works$/, 'host', undef]) {
		my ($kind, $line, $slice, $key) = @$_;
		my $logged = logged($line);
		# Some interrupts are not about a queue.
		$count{interrupt} -= logged(qr/: interrupt, config/) if $kind eq 'interrupt';
		is($count{$kind} // 0, $logged, "$kernel, $kind: the capture has as many as the log");
		is(sum0(map { $_->{$key} } @queues), $logged, "$kernel, $kind: ... --stats") if $key;
		is($traced{$slice} // 0, $logged, "$kernel, $kind: ... the trace") if $slice && %traced;
	}
}

# --- many requests ---

# How many packets of each kind a capture has, which may be larger than memory; and how many it says are lost.
sub count_packets {
	my ($path) = @_;
	my (%count, $bytes);
	open my $file, '<:raw', $path or die "$path: $!\n";
	while (read $file, $bytes, 8) {
		my ($type, $len) = unpack 'VV', $bytes;
		read $file, $bytes, $len - 8;
		if ($type != 6 || length $bytes != $len - 8) {
			$count{cut}++ if length $bytes != $len - 8;
			next;
		}
		my $packet = Pcapng::packet(substr $bytes, 0, -4);
		$count{Pcapng::record($packet)->{kind}}++;
		$count{all}++;
		$count{lost} += $packet->{lost};
	}
	return \%count;
}

my $requests = $ENV{REQUESTS} // (engine() eq 'soft' ? 2000 : 150);
{
	my $got = run([@reader, '--capture', $capture, guest('bench-block'), '--', $requests, 1], limit => 1200);
	is($got->{status}, 0, "$requests requests: the guest runs to its end") or diag(shown($got));
	is($got->{err}, '', '... and vole has nothing to say');
	my $count = count_packets($capture);
	is($count->{lost}, 0, '... nothing is lost');
	is($count->{chain}, $requests, '... each request is there');
	is($count->{used}, $requests, '... and its used element');
	is($count->{cut}, undef, '... and the file is whole');
	diag(sprintf '%d packets, %d bytes, %.1f us a request', $count->{all}, -s $capture, $got->{out} / 1000) if $ENV{REQUESTS};
	unlink $capture;
}

# The reader begins when the guest is done, and what waits by then is not all.
sub read_late {
	my (@command) = @_;
	my $fifo = scratch() . '/fifo';
	my $err = scratch() . '/err';
	POSIX::mkfifo($fifo, 0600);
	open my $reader, '+<:raw', $fifo or die "$fifo: $!\n";
	open my $file, '>:raw', $capture or die "$capture: $!\n";
	my $pid = open(my $vole, '-|', 'sh', '-c', 'exec "$@" 2>"$0"', $err, map { $_ eq 'FIFO' ? $fifo : $_ } @command) // die "fork: $!\n";
	my ($number, $bytes, $ended) = (scalar <$vole>, '', 0);
	while (1) {
		if (IO::Select->new($reader)->can_read(0.05)) {
			sysread $reader, $bytes, 65536;
			print $file $bytes;
		} elsif ($ended) {
			last;
		}
		$ended ||= waitpid($pid, POSIX::WNOHANG()) == $pid;
	}
	close $file or die "$capture: $!\n";
	return slurp($err);
}

# With the virtual clock two runs have the same packets. 32 MiB may wait.
if (engine() eq 'soft') {
	my @words = (qw(--clock virtual --capture), 'FIFO', guest('bench-block'), '--', 9000, 16);
	run([@reader, map { $_ eq 'FIFO' ? $capture : $_ } @words]);
	my $all = count_packets($capture);
	my $said = read_late(@reader, @words);
	my $count = count_packets($capture);
	my ($lost) = $said =~ /\Avole: --capture: \S+: (\d+) packets are lost\n\z/;
	ok($lost, 'a slow reader: how much is lost is said') or diag($said);
	is($count->{all} + ($lost // 0), $all->{all}, '... and is what is not there');
	cmp_ok($count->{lost}, '<=', $lost // 0, '... which the file counts up to its last packet');
	is($all->{lost}, 0, '... and a file is no slow reader');
}

done_testing();
