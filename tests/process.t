#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a running vole is to its host: the files that it holds, and the process that guards its terminal.
use strict;
use warnings;
no warnings 'portable'; # addresses have more than 32 bits
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

my $spin = build() . '/guest/spin.elf';

# What the descriptors of a process are open on.
sub files_of {
	my ($pid) = @_;
	return map { readlink // () } glob "/proc/$pid/fd/*";
}

{
	my $disk = write_file('disk', "\0" x 4096);
	my $vole = terminal(vole_run(), '-d', $disk, $spin);
	$vole->expect(qr/busy/);
	my @files = files_of($vole->pid);
	ok((grep { $_ eq $disk } @files), 'the disk is held');
	ok(!(grep { $_ eq '/dev/kvm' } @files), '/dev/kvm is not, once there is a machine');

	# The guard is vole's only child. Guest memory is the only mapping of 64 MiB; those of sanitizers are larger.
	my ($guard) = map { split } slurp('/proc/' . $vole->pid . '/task/' . $vole->pid . '/children');
	ok($guard, 'a child guards the terminal');
	# It may not have had its first turn yet.
	my $deadline = time + 60;
	select undef, undef, undef, 0.02 while slurp("/proc/$guard/comm") eq "vole\n" && time < $deadline;
	is(slurp("/proc/$guard/comm"), "vole terminal\n", 'it has a name of its own');
	my $large = sub { grep { /^(\w+)-(\w+) / && hex($2) - hex($1) >= 60 << 20 && hex($2) - hex($1) <= 64 << 20 } split /\n/, slurp("/proc/$_[0]/maps") };
	is(scalar $large->($vole->pid), 1, 'guest memory is mapped in vole');
	is(scalar $large->($guard), 0, 'and not in the guard') or diag($large->($guard));
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, 'to its end');
}
done_testing();
