#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --check virtio: kernels that mean well break no rule, whatever features their devices have; each rule of the table
# in vmm/see/check_rules.c is in spec/views.md with the same clause and words, and a kernel of tests/cases/ breaks it.
# What the referee says of each mistake is in those kernels.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

# The rules of the code: name => { clause, words, hint, stores }.
my %rules;
my $table = slurp('vmm/see/check_rules.c');
while ($table =~ /\[CHECK_\w+\] = \{"([\w-]+)",\s*"([\d.]+)",\s*((?:"[^"]*"\s*)+)(.*?)\}/gs) {
	my ($name, $clause, $words, $rest) = ($1, $2, $3, $4);
	$words =~ s/"\s*"//g;
	$words =~ s/^"|"\s*$//g;
	$rules{$name} = { clause => $clause, words => $words, hint => scalar($rest =~ /is_hint = true/), stores => scalar($rest =~ /needs_stores = true/) };
}
my $count = () = slurp('vmm/see/check_rules.h') =~ /^\tCHECK_\w+,$/mg;
is(scalar keys %rules, $count, 'the table has each rule');

my %told = slurp('spec/views.md') =~ /^\| `([\w-]+)` \| ([\d.]+ \| .*) \|$/mg;
for (sort keys %rules) {
	my $rule = $rules{$_};
	my $marks = ($rule->{hint} ? ' (a hint)' : '') . ($rule->{stores} ? ' (software CPU)' : '');
	is($told{$_} // 'nothing', "$rule->{clause} | $rule->{words}$marks", "spec/views.md tells of $_");
}

my $cases = join '', map { slurp($_) } glob 'tests/cases/check-*.c';
for (grep { $_ ne 'malformed' } sort keys %rules) {
	like($cases, qr/says: .*(?:rule|hint) \Q$_\E\\\)/, "a kernel breaks $_");
}
like($cases, qr/-- malformed\n/, 'a kernel breaks malformed');

# Kernels that mean well: each { kernel, words of its command line }. What they do with their devices, the devices
# may do as they like.
my $disk = write_file('disk', pack 'V*', 0 .. 64 * 128 - 1);
my @kernels = (['demo'], ['in-flight'], ['journal', 20], ['console-smp'], ['devices'], ['disk'], ['library'], ['features'], ['repeat', 20], ['block-queues'], ['block-requests'], ['block-cache'], ['rng-draw'],
	['rng-print'], ['no-notify'], ['reset-in-flight'], ['mix']);
my @ways = ([], ['--virtio', 'packed=on'], ['--virtio', 'in-order=on,notification-data=on'], ['--virtio', 'indirect=off,event-idx=off'],
	['--virtio', 'packed=on,in-order=on,event-idx=off'], ['--chaos', 7], ['-c', 2]);

for my $way (@ways) {
	my @wrong;
	# All of them once; with each way, those that do most with their devices.
	for (@$way ? @kernels[0 .. 3] : @kernels) {
		my ($name, @words) = @$_;
		my $elf = build() . "/guest/$name.elf";
		my $got = run([vole_run(), '--timeout', 60, '--check', 'virtio,fatal', '-d', "$disk,queues=2", @$way, $elf, @words ? ('--', @words) : ()]);
		push @wrong, "$name: status $got->{status}\n$got->{err}"
			if $got->{status} == 123 || $got->{err} !~ /^vole: virtio: \d+ rules watched, 0 broken$/m || $got->{err} =~ /, (?:rule|hint) /;
	}
	is(join('', @wrong), '', "kernels that mean well break no rule: @$way");
}

# The CPU that a disk's interrupts come to has them off, as Linux' has while it powers off; that another one sleeps with
# interrupts on is no reason to call one unacknowledged.
my $deaf = run([vole_run(), '-c', 2, '--timeout', 60, '--check', 'virtio,fatal', '-d', $disk, build() . '/guest/deaf.elf']);
is("$deaf->{status} " . ($deaf->{err} =~ s/\d+ rules/N rules/r), "0 vole: virtio: N rules watched, 0 broken\n", 'an interrupt that its CPU does not accept yet is none to hint at')
	or diag(shown($deaf));

for my $bad (['pci', 'not virtio'], ['virtio,strict', 'unknown option "strict" (there is fatal)'], ['', 'not virtio']) {
	my $got = run([vole_run(), '--check', $bad->[0], build() . '/guest/hello.elf']);
	is($got->{status}, 125, "--check '$bad->[0]' is refused");
	like($got->{err}, qr/^vole: --check .*\Q$bad->[1]\E$/m, '... with what there is');
}

done_testing();
