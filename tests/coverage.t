#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Coverage by the line table, --coverage: against gcov's of the same source, compiled with --coverage as a program of
# the host.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Cwd 'abs_path';
use Installed;
use Sample;
use Test::More;
use Vole;

my $info = scratch() . '/coverage.info';
my @source = ('', split /\n/, slurp(sample_source()));

# Lines of the sample, and functions, as the file has them: { line => count }, { name => count }.
sub read_info {
	my (%lines, %functions);
	for my $record (split /^end_of_record\n/m, slurp($info)) {
		next unless $record =~ /^SF:.*sample\.c$/m;
		%lines = $record =~ /^DA:(\d+),(\d+)$/mg;
		%functions = map { /^FNDA:(\d+),(\w+)$/ ? ($2 => $1) : () } split /\n/, $record;
	}
	return (\%lines, \%functions);
}

# What gcov says of the lines of the sample.
sub gcov {
	my $source = abs_path(sample_source());
	my $folder = scratch() . '/gcov';
	mkdir $folder;
	my $result = run(['sh', '-c', 'cd "$0" && "${CC:-cc}" -O0 --coverage -o host "$1" && ./host && gcov -t host-sample.gcda', $folder, $source]);
	return unless $result->{status} eq 0;
	my %counts = map { /^ *([\d#]+)\*?: *(\d+):/ ? ($2 => $1) : () } split /\n/, $result->{out};
	return map { $_ => $counts{$_} =~ tr/0-9//cdr || 0 } keys %counts;
}

my %gcov = present('gcov') ? gcov() : ();
for my $version (2 .. 5) {
	my $kernel = sample_kernel("dwarf$version", '-g', "-gdwarf-$version");
	my $result = run([vole(), 'run', '--coverage', $info, $kernel]);
	ok($result->{status} eq 0 && $result->{err} eq '', "DWARF $version: the sample runs") or diag(shown($result));
	my ($lines, $functions) = read_info();

	is_deeply([map { $functions->{$_} } qw(main never is_even recurse)], [1, 0, 111, 5], "DWARF $version: functions")
		or diag(explain $functions);
	SKIP: {
		skip 'gcov cannot be used here', 3 unless %gcov;
		my @common = grep { exists $gcov{$_} } sort { $a <=> $b } keys %$lines;
		my @differ = grep { $gcov{$_} ne $lines->{$_} } @common;
		cmp_ok(scalar @common, '>=', 28, "DWARF $version: gcov knows the same lines");
		is("@differ", '', "DWARF $version: and says that they were executed as often") or diag(map { "$_: $gcov{$_}, $lines->{$_}\n" } @differ);
		# A function begins at its name for the one, at its brace for the other; labels have no code.
		my @alone = grep { !exists $gcov{$_} ? $source[$_] !~ /^[{}]|\bfor\b/ : $source[$_] !~ /^\w|\bcase\b|default:/ }
			grep { !(exists $gcov{$_} && exists $lines->{$_}) } keys %gcov, keys %$lines;
		is("@alone", '', "DWARF $version: no other line is known to one of them alone");
	}
}

# --- several CPUs, ends, and what cannot be had ---
{
	my $result = run([vole(), qw(run --engine soft --clock virtual -c 3 --coverage), $info, build() . '/guest/crash-smp.elf']);
	ok($result->{status} eq 126 && slurp($info) =~ /^FNDA:3,crash$/m, 'several CPUs are added up, and a crash does not matter')
		or diag(shown($result));
	like(slurp($info), qr/^SF:.*crash-smp\.c\n(?:FN.*\n)*FNF:\d+\nFNH:\d+\n(?:DA:\d+,\d+\n)+LF:\d+\nLH:\d+\nend_of_record$/m, 'the form of a record');
}
unlink $info;
for (['without -g', [], 'no line table; compile it with -g'],
	['compressed', ['-g', '-gz'], 'its line table is compressed; objcopy --decompress-debug-sections']) {
	my ($name, $options, $why) = @$_;
	my $kernel = sample_kernel('bad', @$options);
	my $result = run([vole(), 'run', '--engine', 'soft', '--coverage', $info, $kernel]);
	ok($result->{status} eq 0 && $result->{err} eq "vole: --coverage: $kernel: $why; there will be no coverage\n" && !-e $info,
		"$name: said, and the run is as it was") or diag(shown($result));
}
{
	my $result = run([vole(), qw(run --engine kvm --coverage), $info, build() . '/guest/hello.elf']);
	ok($result->{status} eq 125 && $result->{err} =~ /^vole: --coverage: KVM does not .*; take --engine soft\n\z/, '--engine kvm is refused')
		or diag(shown($result));
	my $path = scratch() . '/nowhere/info';
	$result = run([vole(), qw(run --engine soft --coverage), $path, build() . '/guest/hello.elf']);
	ok($result->{status} eq 0 && $result->{err} eq "vole: --coverage $path: No such file or directory; it will not be written\n",
		'no such folder') or diag(shown($result));
	# A sanitizer's run-time library has files of its own, and the limit ends it.
	my $kernel = sample_kernel('full', '-g');
	last if $ENV{SAN};
	$result = run(['sh', '-c', 'ulimit -f 0 && exec "$0" "$@"', vole(), qw(run --engine soft --coverage), $info, $kernel]);
	ok($result->{status} eq 0 && $result->{err} eq "vole: --coverage $info: File too large: the limit of a file is 0 KiB (ulimit -f); the file is empty\n" && !-e $info,
		'a file that cannot be written') or diag(shown($result));
}
done_testing();
