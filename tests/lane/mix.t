#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Random snippets of machine code on both engines: registers, flags, exceptions and memory are equal after each,
# but for what tests/lib/Mix.pm says. For tests/lane/run, where KVM has hardware semantics. Environment:
# MIX_SEED, the seed of the first module; MIX_MODULES, how many; MIX_COUNT, snippets in each.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Mix;
use Vole;

my $absent = kvm_absent();
die "$absent\n" if $absent;

my ($seed, $modules, $count) = map { $ENV{"MIX_$_->[0]"} // $_->[1] } ['SEED', 1], ['MODULES', 1], ['COUNT', 1200];

for my $number ($seed .. $seed + $modules - 1) {
	my $module = mix_module($number, $count);
	my $file = write_file("mix-$number", $module);
	my %out;
	for my $engine ('kvm', 'soft') {
		my $result = run([vole(), 'run', '--engine', $engine, '--module', $file, build() . '/guest/mix.elf'], limit => 600);
		is($result->{status}, 0, "seed $number: the kernel comes to its end with $engine") or diag($result->{err});
		is(scalar(() = $result->{out} =~ /\n/g), $count, "seed $number: each snippet ends with $engine");
		$out{$engine} = $result->{out};
	}
	my @texts = mix_differences($module, @out{'kvm', 'soft'});
	ok(!@texts, "seed $number: the engines agree on $count snippets")
		or diag(scalar(@texts) . " differ; KVM's line is above the software CPU's\n", $texts[0]);
}

done_testing();
