#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels that make no mistake survive devices that do all that the specification permits (spec/chaos.md), on each
# engine; with the virtual clock a seed repeats the run; what is wrong with the option is said.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

my @seeds = 1 .. 12;
sub disk { return write_file('chaos.img', 'x' x (2048 * 512)) }

# What the kernel is, and how a run ends and what it prints if all is well.
for my $case (
	['demo', 0, qr/last sector: written, (?:flushed, )?read back, compared, restored/],
	['journal', 7, qr/^1\n2\n3\n$/, 3],
	['rng-draw', 0, qr/all checks hold/],
) {
	my ($name, $status, $out, @words) = @$case;
	my @failed;
	for my $seed (@seeds) {
		my $got = run([vole_run(), qw(--timeout 60 --chaos), $seed, '-d', disk(), guest($name), '--', @words]);
		next if $got->{status} eq $status && $got->{out} =~ $out && $got->{err} !~ /device \d/;
		push @failed, $seed;
		diag("--chaos $seed: " . shown($got));
	}
	is("@failed", '', "$name survives seeds $seeds[0] to $seeds[-1]");
}

my $got = run([vole_run(), qw(--timeout 60 --chaos 18446744073709551615 -d), disk(), guest('journal'), '--', 1]);
like($got->{err}, qr/^vole: the devices were those of --chaos 18446744073709551615; --clock virtual/m, 'a run that fails names its seed');

$got = run([vole_run(), qw(--timeout 60 --chaos), '3,errors', '-d', disk(), guest('journal'), '--', 1000]);
is($got->{status}, 3, 'with errors, a write fails, and the kernel notices');
like($got->{err}, qr/^vole: the devices were those of --chaos 3,errors;/m, 'and the seed is named with it');

$got = run([vole_run(), qw(--timeout 60 --chaos), '3,reset', '-d', disk(), guest('journal'), '--', 1000]);
like($got->{err}, qr/^vole: device \d, \w+: --chaos: the device asks for a reset \(virtio 2\.1\.2\)$/m, 'with reset, a device asks for one');
unlike("$got->{status}", qr/124|limit/, 'and nothing hangs');

if (engine() eq 'soft') {
	my $entropy = write_file('entropy', 'abcdefg' x 1000);
	my ($once, $again, $other) = map {
		run([vole_run(), qw(--clock virtual -v --log exits --chaos), $_, '--rng', "file=$entropy", '-d', disk(), guest('demo')])
	} 5, 5, 6;
	cmp_ok(length $once->{err}, '>', 1000, 'there is a trace to compare');
	ok($once->{err} eq $again->{err} && $once->{out} eq $again->{out}, 'with the virtual clock a seed repeats the run');
	ok($once->{err} ne $other->{err}, 'and another seed is another run');
}

for my $bad (['x', 'x: the seed is not a number'], ['-1', '-1: the seed is not'], ['', ': the seed is not'],
	['18446744073709551616', '18446744073709551616: the seed is not'], ['7,error', '7: unknown option "error"; errors? (there are errors and reset)']) {
	$got = run([vole_run(), '--chaos', $bad->[0], guest('demo')]);
	is($got->{status}, 125, "--chaos '$bad->[0]' is refused");
	like($got->{err}, qr/^vole: --chaos \Q$bad->[1]/, 'and why is said');
}

done_testing();
