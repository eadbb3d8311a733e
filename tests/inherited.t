#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a process inherits: vole runs the same whatever signals its parent has blocked or ignored, and whatever
# standard descriptors it has closed.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

each_engine();

# A command under a parent that has done this, in Perl, before.
sub under {
	my ($perl, @command) = @_;
	return ['perl', '-MPOSIX', '-e', "$perl; exec { \$ARGV[0] } \@ARGV", @command];
}

my %parents = (
	'all signals blocked' => 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(grep { $_ != 32 && $_ != 33 } 1 .. 64))',
	'signals ignored that vole uses' => '$SIG{$_} = "IGNORE" for qw(USR1 USR2 ALRM WINCH CONT CHLD PIPE)',
	'blocked and ignored' => '$SIG{$_} = "IGNORE" for qw(USR1 USR2 ALRM WINCH CONT CHLD PIPE);
		sigprocmask(SIG_BLOCK, POSIX::SigSet->new(grep { $_ != 32 && $_ != 33 } 1 .. 64))',
);
my $kernels = build() . '/guest';

for my $name (sort keys %parents) {
	my $perl = $parents{$name};
	is(run(under($perl, vole_run(), "$kernels/hello.elf"))->{status}, 0, "$name: hello");
	is(run(under($perl, vole_run(), '-c', 3, "$kernels/smp.elf"))->{status}, 0, "$name: three CPUs");
	is(run(under($perl, vole_run(), "$kernels/timer.elf"))->{status}, 0, "$name: interrupts");
	is(run(under($perl, vole_run(), '--timeout', 1, "$kernels/spin.elf"))->{status}, 124, "$name: a time-out");
	is(run(under($perl, vole_run(), "$kernels/echo.elf"), stdin => 'q')->{out}, run([vole_run(), "$kernels/echo.elf"], stdin => 'q')->{out},
		"$name: input");
	is(run(under($perl, vole_run(), "$kernels/spin.elf"), until => qr/busy/)->{status}, 128 + 15, "$name: SIGTERM");
}
if (engine() eq 'kvm') {
	is(run(under($parents{'blocked and ignored'}, vole(), 'doctor'))->{status}, 0, 'blocked and ignored: doctor');
}

# The number of open files: what the user may raise is raised; where it is too low, that is said, and nothing hangs.
{
	my $disk = write_file('disk', "\0" x 4096);
	my @run = (vole_run(), '-d', $disk, '--console', 'file:' . scratch() . '/out', "$kernels/hello.elf");
	is(run(['sh', '-c', 'ulimit -S -n 8; exec "$0" "$@"', @run])->{status}, 0, 'a low limit of open files that may be raised');
	my @strange;
	for my $limit (4 .. 30) {
		my $ran = run(['sh', '-c', "ulimit -n $limit; exec \"\$0\" \"\$@\"", @run]);
		push @strange, "$limit: $ran->{status} $ran->{err}"
			unless $ran->{status} eq 0 || ($ran->{status} eq 125 && $ran->{err} =~ /Too many open files/);
	}
	is("@strange", '', 'a limit of 4 to 30 open files: it runs, or says that there are too many');
}

# Who is deaf by the user's wish stays so.
is(run(under('$SIG{INT} = "IGNORE"; if (!fork) { sleep 1; kill "INT", getppid; exit }', vole_run(), '--timeout', 3, "$kernels/spin.elf"))->{status},
	124, 'SIGINT that was ignored, as in a background job, does not end vole');
done_testing();
