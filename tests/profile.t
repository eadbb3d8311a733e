#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Profiles, --profile: exact with the software CPU, by samples with KVM.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Installed;
use Sample;
use Test::More;
use Vole;

my $folded = scratch() . '/folded';
my $callgrind = scratch() . '/sample.callgrind';
my $sample = sample_kernel('profiled', '-g');

sub soft { return run([vole(), qw(run --engine soft -v), @_]) }

sub instructions {
	my ($result) = @_;
	my $sum = 0;
	$sum += $_ for $result->{err} =~ /^vole: CPU \d+: \d+ exits, (\d+) instructions$/mg;
	return $sum;
}

# Weights by stack, of a file of folded stacks.
sub stacks { return map { /^(\S.*) (\d+)$/ ? ($1 => $2) : die "$_\n" } split /\n/, slurp($folded) }

sub sum {
	my $sum = 0;
	$sum += $_ for @_;
	return $sum;
}

# --- the software CPU ---
{
	my $result = soft('--profile', "$folded,hz=100000000", $sample);
	my %stacks = stacks();
	ok($result->{status} eq 0 && instructions($result) > 1000, 'the sample runs') or diag(shown($result));
	is(sum(values %stacks), instructions($result), 'folded stacks add up to the instructions');
	ok($stacks{$_}, "there is $_") for 'main', 'main;choose', 'main;collatz', 'main;collatz;is_even', 'main;recurse;recurse';
	ok(!grep({ /never/ } keys %stacks), 'and nothing that was not executed') or diag(explain \%stacks);
	cmp_ok($stacks{'main;collatz'} + $stacks{'main;collatz;is_even'}, '>', instructions($result) / 2, 'most of it where most is done');
}
{
	my $result = soft('-c', 3, '--clock', 'virtual', '--profile', $folded, build() . '/guest/smp.elf');
	is(sum({ stacks() } ? values %{{ stacks() }} : ()), instructions($result), 'several CPUs, with the usual number of samples') or diag(shown($result));
	my $before = slurp($folded);
	soft('-c', 3, '--clock', 'virtual', '--profile', $folded, build() . '/guest/smp.elf');
	is(slurp($folded), $before, '--clock virtual: twice the same');
}
{
	my $result = soft('--profile', "$callgrind,hz=100000000", $sample);
	my $text = slurp($callgrind);
	my ($totals) = $text =~ /^totals: (\d+)$/m;
	is($totals, instructions($result), 'callgrind: totals are the instructions');
	like($text, qr/^positions: line\nevents: Instructions\n/m, 'by line');
	my $own = 0;
	# A line after "calls=" is what was called.
	$own += /^\d+ (\d+)$/ ? $1 : 0 for split /\n/, $text =~ s/^calls=.*\n.*\n//mgr;
	is($own, $totals, 'the costs of lines add up to it');
	my ($number) = grep { (split /\n/, slurp(sample_source()))[$_ - 1] =~ /number = 3/ } 1 .. 60;
	like($text, qr/^fl=.*sample\.c\nfn=collatz\n(?:\d+ \d+\n)*$number \d+\n/m, 'with lines of the source');
	like($text, qr/^cfi=.*sample\.c\ncfn=is_even\ncalls=\d+ 0\n\d+ \d+\n/m, 'and calls');
	SKIP: {
		skip 'callgrind_annotate is not here', 2 unless present('callgrind_annotate');
		$result = run(['sh', '-c', 'cd / && callgrind_annotate --auto=no --inclusive=yes "$0"', $callgrind]);
		my $shown = $result->{out} =~ s/,(?=\d)//gr;
		# It shortens some paths below the folder where it is, and not others.
		like($shown, qr/^ *$totals \(100\.0%\) +PROGRAM TOTALS$/m, 'callgrind_annotate reads it') or diag(shown($result));
		like($shown, qr/^ *\d+ \([ \d.]+%\) .*sample\.c:main(?: .*)?\n.*sample\.c:collatz\b/ms, 'and shows functions with what they called') or diag($shown);
	}
}
{
	my $result = soft('--profile', "$callgrind", sample_kernel('stripped', '-s'));
	ok($result->{status} eq 0 && $result->{err} =~ /no line table; compile it with -g; the profile is without lines\n/ &&
		slurp($callgrind) =~ /^fn=\?\?\?\n0 \d+\n/m, 'without lines and symbols it is still one') or diag(shown($result));
}

# --- KVM ---
SKIP: {
	skip kvm_absent(), 2 if kvm_absent();
	my $result = run([vole(), qw(run --engine kvm --timeout 1 --profile), "$folded,hz=200", build() . '/guest/spin.elf']);
	my %stacks = stacks();
	ok($result->{status} eq 124 && grep({ /(?:^|;)main$/ } keys %stacks), 'KVM: samples tell where it was') or diag(shown($result));
	my ($samples) = $result->{err} =~ /^vole: profile \Q$folded\E: (\d+) samples$/m;
	is(sum(values %stacks), $samples, 'each of them once');
}

# --- what is wrong ---
for (['', qr/--profile: no file is named/], ["$folded,hz=0", qr/--profile \Q$folded\E: hz=0: not a number from 1 to 100000000/],
	["$folded,fast", qr/--profile \Q$folded\E: fast: not hz=N/]) {
	my ($argument, $pattern) = @$_;
	my $result = run([vole(), 'run', '--profile', $argument, $sample]);
	ok($result->{status} eq 125 && $result->{err} =~ /^vole: $pattern\n\z/, "--profile '$argument'") or diag(shown($result));
}
{
	my $result = run([vole(), qw(run --engine soft --profile), scratch(), $sample]);
	ok($result->{status} eq 0 && $result->{err} =~ /^vole: --profile \S+: Is a directory; it will not be written\n\z/, 'a directory')
		or diag(shown($result));
}
# Memory runs out for the profile alone where the address space is limited to a little more than a machine without one needs.
# Sanitizers need terabytes of it.
if (!$ENV{SAN}) {
	my ($first, $result) = (0);
	for my $limit (map { $_ * 4000 } 15 .. 60) {
		my @limited = ('sh', '-c', "ulimit -v $limit; exec \"\$0\" \"\$@\"", vole(), qw(run --engine soft));
		next if !$first && run([@limited, $sample])->{status} eq 125;
		$first ||= $limit;
		$result = run([@limited, '--profile', "$folded.none", $sample]);
		last if $result->{err} =~ /--profile/;
	}
	ok($result->{err} =~ /^vole: --profile \Q$folded\E\.none: [^\n]*; it will not be written\n\z/m && !-e "$folded.none",
		'without memory: the file is named, and not left') or diag(shown($result));
}
done_testing();
