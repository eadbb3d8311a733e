#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# With --clock virtual two runs with equal input are equal to the last instruction (spec/engines.md, section 4):
# what the guest prints, each access to a port or a device with its instruction pointer, how many instructions each
# CPU has executed, and the disk.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

my $entropy = write_file('entropy', pack 'C*', map { ($_ * 7919 >> 3) & 255 } 1 .. 65536);
my $content = pack 'V*', map { $_ * 2654435761 & 0xffffffff } 1 .. 64 * 128;

# What a run leaves, on a fresh disk; under is a command that runs vole.
sub repeat {
	my (@under) = @_;
	my $disk = write_file('repeat.img', $content);
	my $result = run([@under, vole(), qw(run --clock virtual -c 3 -v --log exits --rng), "file=$entropy", '-d', $disk,
		build() . '/guest/repeat.elf']);
	is($result->{status}, 0, "the guest's own checks hold") or diag(shown($result));
	return { %$result, disk => slurp($disk) };
}

my $first = repeat();
my @exits = $first->{err} =~ /^vole: CPU \d exit \d+: /mg;
my @counts = $first->{err} =~ /^vole: CPU \d: \d+ exits, (\d+) instructions$/mg;
my @ticks = $first->{out} =~ /^tick \d+ at (\d+)$/mg;
cmp_ok(scalar @exits, '>', 1000, 'there is a trace to compare');
is(scalar(grep { $_ > 1000 } @counts), 3, 'each of three CPUs has executed instructions to count');
is(scalar @ticks, 24, 'timer interrupts came');
isnt($first->{disk}, $content, 'the disk was written');
like($first->{out}, qr/^(?=.*0)(?=.*1)[012]*2[012]*$/m, 'the CPUs had their turns in between');

# The last of them is disturbed by another process that keeps a processor busy, and stopped now and then.
my @disturbed = ('bash', '-c', 'while :; do :; done & busy=$!; "$@" & vole=$!
	for i in 1 2 3 4 5 6; do sleep 0.01; kill -STOP $vole; sleep 0.02; kill -CONT $vole; done 2>&-
	wait $vole; status=$?; kill $busy; exit $status', '-');
for my $under ([], [], \@disturbed) {
	my $again = repeat(@$under);
	is($again->{out}, $first->{out}, 'the output is the same, with the time of each tick and the order of the CPUs');
	is($again->{err}, $first->{err}, 'so are all exits and the counts of instructions');
	ok($again->{disk} eq $first->{disk}, 'and the disk');
}

# Nor does it matter when output is taken: more than a pipe holds.
my ($fast, $slow) = map {
	run(['bash', '-c', '"$@" | { sleep ' . $_ . '; cat; }', '-', vole(), qw(run --engine soft --clock virtual -v),
		build() . '/guest/console-flood.elf', '--', 300]);
} 0, 1;
like($fast->{err}, qr/^vole: CPU 0: \d+ exits, \d+ instructions$/m, 'a guest that prints 300 KiB');
is($slow->{err}, $fast->{err}, 'executes the same instructions if its output is read late');
ok($slow->{out} eq $fast->{out}, 'and prints the same');

# Nor when the log is read, while a device has more to do than it does at a time.
my ($soon, @later) = map {
	run(['bash', '-c', '"$@" 2>&1 | ' . $_, '-', vole(), qw(run --engine soft --clock virtual -v --log pio --console file:/dev/null),
		build() . '/guest/console-passes.elf']);
} 'cat', '{ sleep 0.5; cat; }', '{ head -c 20000; sleep 0.3; cat; }';
like($soon->{out}, qr/ \d{4} exits, \d+ instructions\nvole: exit status 0/, 'a guest looks at what a device does');
is(scalar(grep { $_->{out} ne $soon->{out} } @later), 0, 'and sees the same if the log is read late');

# Nor what another CPU sees of a device that was kicked before the output.
my ($at_once, @late) = map {
	run(['bash', '-c', '"$@" | ' . $_, '-', vole(), qw(run --engine soft --clock virtual -c 2), '--rng', "file=$entropy",
		build() . '/guest/print-race.elf']);
} 'cat', '{ sleep 0.5; cat; }', map { 'perl -e \'while (sysread STDIN, my $bytes, ' . $_ .
	') { syswrite STDOUT, $bytes; select undef, undef, undef, 0.01 }\'' } 1500, 4000, 5000;
cmp_ok(length $at_once->{out}, '>', 100000, 'a CPU prints what a device writes for another');
is(scalar(grep { $_->{out} ne $at_once->{out} } @late), 0, 'and prints the same if its output is read late');

done_testing();
