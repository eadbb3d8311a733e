#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The last instructions before an end, --last.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

# vole with these words; kernels by their names.
sub soft { return run([vole(), 'run', '--engine', 'soft', @_[0 .. $#_ - 1], build() . "/guest/$_[-1].elf"]) }

# The lines about a CPU, without "vole: "; nothing if there are none.
sub lines_of {
	my ($result, $cpu) = @_;
	my ($lines) = $result->{err} =~ /^vole: last instructions of CPU $cpu:\n((?:vole:   .*\n)+)/m;
	return map { s/^vole: +//r } split /\n/, $lines // '';
}

{
	my $result = soft('--last', 5, 'cases/divide');
	my @lines = lines_of($result, 0);
	my ($at) = $result->{err} =~ /divide error \(0\) on CPU 0 at (0x\w+ \(main\+0x\w+\))/;
	ok($result->{status} eq 126 && @lines == 5, 'a crash: so many lines') or diag(shown($result));
	is($lines[4], 'interrupted by 0x0', 'the exception is the last one');
	like($lines[3], qr/^\Q$at\E: f7 /, 'after the instruction at fault');
	my @places = map { /^0x(\w+)/ ? hex $1 : () } @lines;
	my @lengths = map { scalar(() = s/.*: //r =~ /\b[0-9a-f]{2}\b/g) } @lines[0 .. 3];
	is_deeply([map { $places[$_] + $lengths[$_] } 1 .. 2], [@places[2 .. 3]], 'each is behind the one before');
}
{
	my $result = soft('--last', 3, '--timeout', 1, 'spin');
	ok($result->{status} eq 124 && lines_of($result, 0) == 3, 'a time-out') or diag(shown($result));
	$result = soft('--last', 3, 'hello');
	ok($result->{status} eq 0 && $result->{err} eq '', 'an end of the guest\'s own shows none') or diag(shown($result));
}
{
	my $result = soft('--last', 6, '-c', 3, 'crash-smp');
	my ($cpu) = $result->{err} =~ /guest crashed: CPU (\d)/;
	my @shown = $result->{err} =~ /^vole: last instructions of CPU (\d)/mg;
	is("@shown", $cpu, 'of several CPUs, the one that has crashed') or diag(shown($result));
	my ($at) = $result->{err} =~ /by the instruction at (0x\w+ \(\S+\))/;
	like((lines_of($result, $cpu))[-1], qr/^\Q$at\E: not completed$/, 'up to the instruction at fault');
}
{
	# A run is the same to the last instruction.
	my @runs = map { join "\n", lines_of(soft('--clock', 'virtual', '--last', 100000, 'cases/divide'), 0) } 1 .. 2;
	is($runs[0], $runs[1], '--clock virtual: two runs have executed the same');
	my ($count) = soft('-v', '--last', 100000, 'cases/divide')->{err} =~ /CPU 0: \d+ exits, (\d+) instructions/;
	# One line is the exception, and the stub that reports it is left out.
	my $lines = () = $runs[0] =~ /^0x/mg;
	ok($lines > 10 && $count - $lines >= 0 && $count - $lines <= 2, 'and with room for all, all of it') or diag("$count, $lines");
}
{
	my $result = run([vole(), 'run', '--engine', 'kvm', '--last', 5, build() . '/guest/hello.elf']);
	ok($result->{status} eq 125 && $result->{err} =~ /^vole: --last: KVM does not tell .*; take --engine soft\n\z/, '--engine kvm: refused by name')
		or diag(shown($result));
	$result = run([vole(), 'run', '-v', '--last', 5, build() . '/guest/hello.elf']);
	like($result->{err}, qr/^vole: engine: soft$/m, '--engine auto takes the software CPU');
	for my $bad ('0', '-1', 'x', '100001', '') {
		$result = run([vole(), 'run', '--last', $bad, build() . '/guest/hello.elf']);
		ok($result->{status} eq 125 && $result->{err} =~ /^vole: --last \Q$bad\E: not a number from 1 to 100000\n/, "--last '$bad' is refused")
			or diag(shown($result));
	}
}
done_testing();
