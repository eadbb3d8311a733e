#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Many machines: at once, with mixed load (tests/guest/mixed.c), and one after the other. None is lost, none
# leaks, none hangs; they are served alike; what a machine costs beside its guest's pages does not grow with
# their number. In the environment: MACHINES at once (100), LOAD, for how many seconds they work (600), CLONES of
# one (1000), STARTS one after the other (10000).
use strict;
use warnings;
use lib 'tests/lib';
use IO::Select;
use List::Util qw(min sum);
use Test::More;
use Time::HiRes qw(sleep time);
use Bench;
use Vole;

my ($machines, $seconds, $clones, $starts) = ($ENV{MACHINES} // 100, $ENV{LOAD} // 600, $ENV{CLONES} // 1000, $ENV{STARTS} // 10000);
# Private memory beside guest pages, in KiB for each machine.
my $MEMORY_MAX = 1024;

each_engine();
$SIG{PIPE} = 'IGNORE';

# --- machines at once ---

my $select = IO::Select->new;
my %of;    # machines by their output

sub disk {
	my ($name) = @_;
	my $disk = scratch() . "/$name";
	open my $file, '>', $disk or die "$disk: $!\n";
	truncate $file, 1 << 20 or die "$disk: $!\n";
	return $disk;
}

# A machine by this command, whose last round was that.
sub begin {
	my ($round, @command) = @_;
	my $pid = open(my $output, '-|') // die "fork: $!\n";
	if ($pid == 0) {
		open STDIN, '<', '/dev/null' or die "/dev/null: $!\n";
		open STDERR, '>&', \*STDOUT or die "standard error: $!\n";
		exec @command or POSIX::_exit(255);
	}
	my $machine = {pid => $pid, output => $output, rest => '', round => $round, strange => ''};
	$of{$output} = $machine;
	$select->add($output);
	return $machine;
}

# Reads what machines print, until then or until the function says that it is enough.
sub follow {
	my ($until, $enough) = @_;
	while ((my $left = $until - time) > 0) {
		return 1 if $enough && $enough->();
		for my $output ($select->can_read($left)) {
			my $machine = $of{$output};
			if (!sysread $output, $machine->{rest}, 65536, length $machine->{rest}) {
				$machine->{strange} .= 'ended; ';
				$select->remove($output);
				next;
			}
			while ($machine->{rest} =~ s/\A([^\n]*)\n//) {
				my $line = $1;
				if ($line eq $machine->{round} + 1) {
					$machine->{round}++;
				} else {
					$machine->{strange} .= "$line; ";
				}
			}
		}
	}
	return $enough && $enough->();
}

# Ends these machines, which must have run on to here and have printed nothing strange.
sub end {
	my ($what, @all) = @_;
	is(join('', map { $_->{strange} } @all), '', "$what: each printed its rounds, one after the other, and nothing else");
	kill 'TERM', map { $_->{pid} } @all;
	my @ends = map { $select->remove($_->{output}); close $_->{output}; $? } @all;
	is(scalar(grep { $_ != POSIX::SIGTERM() } @ends), 0, "$what: each ends by SIGTERM");
	return;
}

sub descriptors {
	my ($pid) = @_;
	my @open = glob "/proc/$pid/fd/*";
	return scalar @open;
}

# The cost of a machine by how many there are.
my (@all, %memory);
for my $count (sort { $a <=> $b } keys %{{map { $_ => 1 } 1, int($machines / 10) || 1, int($machines / 2) || 1, $machines}}) {
	push @all, begin(0, vole_run(), qw(-m 16M -d), disk('disk-' . @all), kernel('mixed')) while @all < $count;
	ok(follow(time + 300, sub { !grep { $_->{round} < 3 } @all }), "$count at once: all work");
	$memory{$count} = sum(map { private_memory($_->{pid}) } @all) / $count;
	# A single one has the program's pages for itself.
	cmp_ok($memory{$count}, '<=', $MEMORY_MAX, "$count at once: KiB beside guest pages, each") if $count > 1;
}
diag(engine() . ': private KiB a machine beside guest pages: ' . join ', ', map { sprintf '%d at once %d', $_, $memory{$_} } sort { $a <=> $b } keys %memory);

my %first = map { $_ => $all[$_]{round} } 0 .. $#all;
# The first tenth is what a machine needs to have seen all that it ever does.
follow(time + $seconds / 10);
my @open = map { descriptors($_->{pid}) } @all;
my @memory = map { private_memory($_->{pid}) } @all;
follow(time + $seconds * 9 / 10);
my @rounds = sort { $a <=> $b } map { $all[$_]{round} - $first{$_} } 0 .. $#all;
diag(sprintf '%s: %d machines, %d s: %d rounds, of one %d to %d', engine(), scalar @all, $seconds, sum(@rounds), @rounds[0, -1]);
cmp_ok($rounds[0], '>', 0, 'none stood still');
# Two more, since a short load is a few rounds where KVM interprets.
cmp_ok($rounds[-1], '<=', 2 * $rounds[0] + 2, 'the fastest had at most twice the rounds of the slowest');
is("@{[map { descriptors($_->{pid}) } @all]}", "@open", 'none has more descriptors than before');
my @grown = grep { private_memory($all[$_]{pid}) > $memory[$_] + 64 } 0 .. $#all;
is("@grown", '', 'none has more than 64 KiB more memory than after the first tenth');

end("$machines at once", @all);

# --- clones of one ---

my $checkpoint = scratch() . '/checkpoint';
my $saved = run([vole_run(), qw(-m 16M -d), disk('cloned'), '--checkpoint', "$checkpoint,at=500ms", kernel('mixed')]);
my $round = () = $saved->{out} =~ /^\d+$/mg;
is($saved->{status}, 0, 'a machine is saved') or BAIL_OUT(shown($saved));

# In groups, of which those before stand still: the host's processors have to be free for starts.
my @clones;
while (@clones < $clones) {
	my @group = map { begin($round, vole(), 'clone', '-d', scratch() . '/cloned,private', $checkpoint) } 1 .. min(50, $clones - @clones);
	follow(time + 300, sub { !grep { $_->{round} < $round + 3 } @group }) or last;
	kill 'STOP', map { $_->{pid} } @group;
	push @clones, @group;
}
is(scalar @clones, $clones, "$clones clones of one: all go on from there");
my $cost = sum(map { private_memory($_->{pid}) } @clones) / $clones;
diag(sprintf '%s: %d clones, private KiB of each beside guest pages: %d', engine(), $clones, $cost);
cmp_ok($cost, '<=', $MEMORY_MAX, "$clones clones of one: KiB beside guest pages, each");
my %stood = map { $_->{pid} => $_->{round} } @clones;
kill 'CONT', map { $_->{pid} } @clones;
ok(follow(time + 300, sub { !grep { $_->{round} < $stood{$_->{pid}} + 3 } @clones }), "$clones clones of one at once: all work");
end("$clones clones of one", @clones);

# --- one after the other ---

my (%ended, $slowest);
for my $i (1 .. $starts) {
	my $begin = time;
	my $result = run([vole_run(), qw(-m 16M), kernel('hello')], limit => 60);
	$slowest = time - $begin if !defined $slowest || time - $begin > $slowest;
	$ended{$result->{status} eq 0 && $result->{err} eq '' ? 'well' : "status $result->{status}: $result->{err}"}++;
}
diag(sprintf '%s: %d starts, the slowest %.3f s', engine(), $starts, $slowest);
is(join('; ', map { "$ended{$_} times $_" } sort keys %ended), "$starts times well", "$starts machines one after the other");
done_testing();
