#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The guest library survives devices that do all that the specification permits (spec/chaos.md), for the seeds 1 to
# SEEDS: each kernel does what it does without --chaos; where requests fail, or devices ask for a reset, it ends by itself
# all the same. With KVM one seed in ten, since what the seeds miss is another matter there: the guest and the devices
# run at the same time.
use strict;
use warnings;
use lib 'tests/lib';
use POSIX ();
use Test::More;
use Vole;

each_engine();

my $seeds = $ENV{SEEDS} // 1000;
my $limit = $ENV{SAN} ? 120 : 30;
my @clock = engine() eq 'soft' ? qw(--clock virtual) : ();
$seeds = POSIX::ceil($seeds / 10) if engine() eq 'kvm';

my $words = write_file('words.img', pack 'V*', 0 .. 64 * 128 - 1);
my $lines = join '', map { "$_\n" } 1 .. 100;
my $checked = qr/^all checks hold$/m;

# The kernel, its disks (a size in sectors, or an image that is only read) and options, its words, its input; its status
# and output if all is well.
my @cases = (
	{ kernel => 'demo', disks => [2048], options => [qw(-c 2)],
		out => qr/last sector: written, (?:flushed, )?read back, compared, restored.*CPU 1: started/s },
	{ kernel => 'in-flight', disks => ["$words,ro"], out => qr/\A\z/ },
	{ kernel => 'block-queues', disks => ["$words,ro,queues=4"], out => qr/\A4 queues\n$checked/ },
	{ kernel => 'block-requests', disks => [16], words => ['w 0 2 r 0 3 f 0 0 r 0 3'], out => qr/\Aw 0 2: ok\nr 0 3: ok\nf 0 0: ok\nr 0 3: ok\n\z/ },
	{ kernel => 'block-cache', disks => [16], out => $checked },
	{ kernel => 'journal', disks => [8], words => [3], status => 7, out => qr/\A1\n2\n3\n\z/ },
	{ kernel => 'rng-draw', out => $checked },
	{ kernel => 'echo', input => "${lines}q", out => qr/\Aready\n${lines}q\z/ },
	{ kernel => 'console-flood', words => [20], out => qr/\A(?:[0-9]{8} [a-z]{1014}\n){20}\z/ },
	{ kernel => 'console-smp', options => [qw(-c 3)], out => qr/\A(?:CPU [012] line \d+\n){60}$checked/ },
	{ kernel => 'ports', options => ['--console', 'stdio', '--console', 'file:/dev/null,name=a'], input => "size\nflood a\nquit\n",
		out => qr/^ports: 2\n.*size 0x0 0x0\n/s },
);

# A disk for a process of its own.
sub disk {
	my ($disk) = @_;
	return $disk if $disk =~ /\D/;
	my $path = write_file("$$.img", '');
	truncate $path, $disk * 512 or die "$path: $!\n";
	return $path;
}

# The command of a case with a seed, and what became of it if that is not what should; undef if it is.
sub fails {
	my ($case, $seed, $mode) = @_;
	my @command = (vole_run(), @clock, '--timeout', $limit, '--chaos', $seed . $mode, (map { ('-d', disk($_)) } @{$case->{disks} // []}),
		@{$case->{options} // []}, build() . "/guest/$case->{kernel}.elf", '--', @{$case->{words} // []});
	my $got = run(\@command, stdin => $case->{input});
	my $reset = $mode eq ',reset' ? qr/vole: device \d, \w+: --chaos: the device asks for a reset .*\n/ : qr/(?!)/;
	my $reports = $got->{err} =~ s/$reset//gr;
	return if $mode eq '' && $got->{status} eq ($case->{status} // 0) && $got->{out} =~ $case->{out} && $reports !~ /device \d/;
	return if $mode ne '' && $got->{status} =~ /^\d+$/ && $got->{status} < 124 && $reports !~ /device \d/;
	return join '', "@command\n", shown($got);
}

# Has as many processes as there are processors run the case with all seeds. The seeds that failed, and what the first of
# them said.
sub survey {
	my ($case, $mode) = @_;
	my $jobs = POSIX::sysconf(84);    # _SC_NPROCESSORS_ONLN
	my (@readers, %failed);
	for my $job (0 .. $jobs - 1) {
		my $pid = open(my $reader, '-|') // die "fork: $!\n";
		if ($pid == 0) {
			for (my $seed = 1 + $job; $seed <= $seeds; $seed += $jobs) {
				my $what = fails($case, $seed, $mode);
				print STDOUT "$seed ", $what =~ s/\n/\r/gr, "\n" if defined $what;
			}
			STDOUT->flush;
			POSIX::_exit(0);
		}
		push @readers, $reader;
	}
	for my $reader (@readers) {
		while (my $line = <$reader>) {
			$failed{$1} = $2 if $line =~ /^(\d+) (.*)/;
		}
		close $reader or die "a survey of $case->{kernel} ended badly\n";
	}
	my @failed = sort { $a <=> $b } keys %failed;
	diag($failed{ $failed[0] } =~ s/\r/\n/gr) if @failed;
	return "@failed";
}

for my $case (@cases) {
	is(survey($case, ''), '', "$case->{kernel} does what it does, seeds 1 to $seeds");
	is(survey($case, $_), '', "$case->{kernel} ends, seeds 1 to $seeds$_") for ',errors', ',reset';
}
done_testing();
