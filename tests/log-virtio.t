#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --log virtio: a line for each step between a driver and its device, in the order in which they happen, on each
# engine; to a file as well; a view that cannot be written is said, and the guest goes on.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));

# Runs the demo, which reads sector 0 of its disk among others. Gives what run() does.
sub demo {
	my (@options) = @_;
	my $got = run([vole_run(), qw(--timeout 60 -d), $disk, @options, guest('demo')]);
	is($got->{status}, 0, "@options: the demo works") or diag(shown($got));
	return $got;
}

# The steps of one read, as they follow each other. The kick comes before all that the device does.
my $at = qr/0x[0-9a-f]{8} \([a-z_ ]+(?:\+0x[0-9a-f]+)?\)/;
my $line = qr/^vole: \d+\.\d{9} device 2, block/;
my @steps = (
	qr/$line: read MagicValue = 0x74726976 \("virt"\), CPU 0 at $at$/,
	qr/$line: read DeviceID = 2 \(block\), CPU 0 at $at$/,
	qr/$line: write Status = 0x00 \(reset\), /,
	qr/$line: write Status = 0x03 \(ACKNOWLEDGE, DRIVER\), /,
	qr/$line: read DeviceFeatures = 0x[0-9a-f]{8}, word 1: VERSION_1, RING_RESET, /,
	qr/$line: read DeviceFeatures = 0x[0-9a-f]{8}, word 0: .*\bFLUSH, .*\bINDIRECT_DESC, EVENT_IDX, /,
	qr/$line: write DriverFeatures = 0x[0-9a-f]{8}, word 1: VERSION_1/,
	qr/$line: read configuration, 4 bytes at 0x14 = 0x00000200, /,
	qr/$line: write QueueDescLow = 0x[0-9a-f]{8}, /,
	qr/$line, queue 0: ready, split, \d+ entries: descriptors at $at, driver area at $at, device area at $at$/,
	qr/$line: write Status = 0x0f \(ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK\), /,
	qr/$line: read configuration, 4 bytes at 0x0 = 0x00000008, /,
	qr/$line: kick: QueueNotify = 0, CPU 0 at $at$/,
	qr/$line, queue 0: the device looks at it$/,
	qr/$line, queue 0: chain 0: request for the serial number; the device reads 16 at $at; it writes 20 at $at; it writes 1 at $at$/,
	qr/$line, queue 0: chain 0 used, 21 bytes written, OK$/,
	qr/$line, queue 0: interrupt, used buffer: pin 3, vector 0x23, to CPU 0$/,
	qr/$line: read InterruptStatus = 0x1 \(used buffer\), /,
	qr/$line: write InterruptACK = 0x1 \(used buffer\), /,
	qr/$line, queue 0: chain \d+: read of sector 0, 512 bytes; the device reads 16 at $at; it writes 512 at $at; it writes 1 at $at$/,
	qr/$line: the host works$/,
	qr/$line: the host has returned$/,
	qr/$line, queue 0: chain \d+ used, 513 bytes written, OK$/,
);
# With KVM the device may be done before the driver has asked for an interrupt, and may find a request before its kick.
@steps = grep { engine() eq 'soft' || !/nterrupt|kick:|looks at it/ } @steps;

sub follow {
	my ($name, $text) = @_;
	my @lines = split /\n/, $text;
	my $next = 0;
	for (@lines) {
		$next++ if $next < @steps && $_ =~ $steps[$next];
	}
	is($next, scalar @steps, "$name: each step is there, in its order") or diag("not found: $steps[$next]\n$text");
	my @times = map { /^(?:vole: )?(\d+\.\d{9}) device/ ? $1 : () } @lines;
	is(join(' ', @times), join(' ', sort { $a <=> $b } @times), "$name: time does not go back");
	return;
}

follow('standard error', demo(qw(--log virtio))->{err});

my $path = scratch() . '/virtio.log';
my $got = demo('--log', "virtio,file=$path");
unlike($got->{err}, qr/MagicValue/, 'a log to a file does not go to standard error');
follow('file', slurp($path) =~ s/^/vole: /mgr);

# Of which device depends on how soon a driver waits, with KVM.
like(demo(qw(--log virtio))->{err}, qr/^vole: \S+ device \d, \w+, queue \d: no interrupt: used_event is \d+$/m, 'what suppresses an interrupt is named: the event index');
like(demo(qw(--log virtio --virtio packed=on))->{err},
	qr/^vole: \S+ device \d, \w+, queue \d: no interrupt: the driver asked for descriptor \d+, wrap counter [01]$/m, '... of a packed queue');

# A file that cannot be written.
$got = run([vole_run(), '--log', 'virtio,file=' . scratch() . '/none/x', guest('hello')]);
is($got->{status}, 125, 'no such folder: refused');
like($got->{err}, qr{^vole: --log virtio: .*/none/x: No such file or directory$}m, '... by name');
SKIP: {
	skip 'there is no /dev/full', 2 unless -c '/dev/full';
	$got = demo('--log', 'virtio,file=/dev/full');
	like($got->{err}, qr{^vole: --log virtio: /dev/full: No space left on device; the last \d+ bytes are not written(?:, and \d+ lines? (?:is|are) lost)?$}m, 'a full disk is said');
}
for my $bad (['virtio,fil=x', 'unknown option "fil=x"'], ['virtio,file=', 'unknown option "file="'], ['virtoi', 'not pio, mmio, exits or virtio']) {
	$got = run([vole_run(), '--log', $bad->[0], guest('hello')]);
	is($got->{status}, 125, "--log $bad->[0] is refused");
	like($got->{err}, qr/^vole: --log .*\Q$bad->[1]\E/m, '... with what there is');
}

# A reader that takes nothing has no line, but the guest and its end are not held up.
{
	my $fifo = scratch() . '/slow';
	POSIX::mkfifo($fifo, 0600) or die "$fifo: $!\n";
	open my $reader, '+<', $fifo or die "$fifo: $!\n";
	$got = run([vole_run(), qw(--timeout 60 -d), write_file('j.img', "\0" x (2048 * 512)), '--log', "virtio,file=$fifo", guest('journal'), '--', 300]);
	is($got->{status}, 7, 'a reader that takes nothing does not hold up the guest');
	like($got->{err}, qr{^vole: --log virtio: \Q$fifo\E: Connection timed out; the last \d+ bytes are not written(?:, and \d+ lines? (?:is|are) lost)?$}m, '... and is said, with how much it has lost');
}

if (engine() eq 'soft') {
	my ($once, $again) = map { run([vole_run(), qw(--clock virtual --log virtio -d), write_file('j.img', "\0" x (2048 * 512)), guest('journal'), '--', 3]) } 1, 2;
	cmp_ok(length $once->{err}, '>', 1000, 'there is a log to compare');
	is($once->{err}, $again->{err}, 'with the virtual clock two runs have the same log');

	# CPUs have their turns one after the other, and each begins at the same guest time.
	for my $case (['journal', 2, 3], ['console-smp', 4]) {
		my ($kernel, $cpus, @words) = @$case;
		$got = run([vole_run(), qw(--clock virtual --log virtio -c), $cpus, '-d', write_file('j.img', "\0" x (2048 * 512)), guest($kernel), '--', @words]);
		my @times = $got->{err} =~ /^vole: (\d+\.\d{9}) device/mg;
		cmp_ok(scalar @times, '>', 20, "$kernel on $cpus CPUs has a log");
		is(join(' ', grep { $times[$_] < $times[$_ - 1] } 1 .. $#times), '', '... whose time never goes back');
	}
}

done_testing();
