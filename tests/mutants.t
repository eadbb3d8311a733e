#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The mutants of the guest library in tests/mutants/table are caught as the table says, on the software CPU with the
# virtual clock, where each run is the same everywhere; and the library itself passes where they fail.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Cwd 'getcwd';
use Test::More;
use Vole;

my $disk = write_file('words.img', pack 'V*', 0 .. 64 * 128 - 1);

# A copy of the sources, in which only the guest is built.
my $copy = scratch() . '/copy';
is(run(['sh', '-ec', 'mkdir "$1"; cp -r guest-kernel "$1"; for name in GNUmakefile include virtio vmm tests; do ln -s "$2/$name" "$1/$name"; done',
	'-', $copy, getcwd()])->{status}, 0, 'the sources are copied');

# Builds the guest with the patch, then takes the patch away. The path of its kernel.
sub mutant {
	my ($name) = @_;
	my $made = run(['sh', '-ec', 'cd "$1"; patch -s -p1 <"tests/mutants/$2.patch"; make -s O=made made/guest/in-flight.elf
		cp made/guest/in-flight.elf "$2.elf"; patch -s -R -p1 <"tests/mutants/$2.patch"', '-', $copy, $name]);
	is($made->{status}, 0, "$name: is built") or diag(shown($made));
	return "$copy/$name.elf";
}

sub try {
	my ($kernel, @options) = @_;
	return run([vole(), qw(run --engine soft --clock virtual --timeout 3 --rng none), @options, '-d', "$disk,ro", $kernel]);
}

my $library = build() . '/guest/in-flight.elf';
# What ends has time for that on a machine however busy.
my @in_time = ('--timeout', 100);
my $usual = try($library, @in_time);
is($usual->{status}, 0, 'the library passes without chaos') or diag(shown($usual));
is(try($library, @in_time, '--check', 'virtio,fatal')->{status}, 0, 'the library passes --check virtio');

for (grep { /^\w/ } split /\n/, slurp('tests/mutants/table')) {
	my ($name, $by, $seeds, $bug) = split /\t+/, $_, 4;
	my $kernel = mutant($name);
	my $got = try($kernel, $by eq 'chaos' ? @in_time : ());
	if ($by eq 'device') {
		like($got->{err}, qr/^vole: device \d, block: .* \(virtio [\d.]+\)/m, "$name: $bug: the device says so");
	} elsif ($by eq 'check') {
		my $judged = try($kernel, @in_time, '--check', 'virtio,fatal');
		is($judged->{status}, 123, "$name: $bug: --check virtio has it fail");
		like($judged->{err}, qr/^vole: device \d, .* \(virtio [\d.]+, rule [\w-]+\), CPU 0 at /m, "$name: ... with the clause and the place");
		note($judged->{err});
	} elsif ($by eq 'chaos') {
		is($got->{status}, 0, "$name: $bug: is not noticed without chaos");
		my ($seed) = grep { try($kernel, '--chaos', $_)->{status} != 0 } 1 .. $seeds;
		ok($seed, "$name: one of the seeds 1 to $seeds has it fail") or next;
		note("$name: caught by --chaos $seed");
		is(try($library, @in_time, '--chaos', $seed)->{status}, 0, "$name: the library passes with this seed");
	}
}

done_testing();
