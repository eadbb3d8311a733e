#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A signal ends vole at every point of its life: it comes at each system call in turn, from the first one on, while a
# guest works without end and while one comes to its end. vole always ends by it, or as the guest did that had ended
# before; the terminal is as it was, and no socket and no process is left. KILLS is how many calls of each life are
# tried, 1000 are all of them.
use strict;
use warnings;
use lib 'tests/lib';
use POSIX ();
use Test::More;
use Abi 'slurp';
use Vole;

each_engine();

my $kills = $ENV{KILLS} // 100;
my @signals = (POSIX::SIGTERM, POSIX::SIGINT, POSIX::SIGHUP);
my $count = scratch() . '/count';
my $socket = scratch() . '/socket';
my $disk = write_file('disk', "\0" x 32768);

# What a life of so many turns comes to if this signal is sent at the call of this number, 0: never. All that is strange
# about it, or nothing.
sub live {
	my ($turns, $signal, $number, @statuses) = @_;
	my $vole = terminal(build() . '/tests/tools/signal-at', $signal, $number, $count, vole_run(), qw(-c 2 --console stdio --serial), "unix:$socket",
		'-d', $disk, build() . '/guest/journal.elf', '--', $turns);
	my $status = $vole->finish;
	my @strange;
	push @strange, "status $status" unless grep { $_ eq $status } @statuses;
	push @strange, 'the terminal is not as it was' if $vole->settings ne $vole->before;
	push @strange, 'the socket is left' if -e $socket;
	push @strange, 'says "' . $vole->text . '"' if $vole->text =~ /[^\d\s]/;
	unlink $socket;
	return () unless @strange;
	return "signal $signal at call $number (the kernel's " . (slurp($count) =~ s/.* |\n//gr) . '): ' . join ', ', @strange;
}

# The calls to try, spread over all.
sub calls {
	my ($all) = @_;
	my $some = $kills < $all ? $kills : $all;
	return map { 1 + int(($_ + 0.5) * $all / $some) } 0 .. $some - 1;
}

# A sanitizer's search for leaks is a debugger, too; there is none after a signal.
$ENV{ASAN_OPTIONS} = join ':', $ENV{ASAN_OPTIONS} // (), 'detect_leaks=0';

is(join("\n", live(2, 0, 0, 7)), '', 'a run under the eyes of signal-at');
my ($all) = split ' ', slurp($count);
cmp_ok($all, '>', 100, 'which counts its system calls');
for my $life (['a guest that works without end', 1_000_000_000], ['a guest that comes to its end', 2, 7]) {
	my ($name, $turns, @ended) = @$life;
	my (@strange, $tried);
	for my $number (calls($all)) {
		for my $signal ($kills < $all ? $signals[$number % @signals] : @signals) {
			push @strange, live($turns, $signal, $number, 128 + $signal, @ended);
			$tried++;
		}
	}
	is(join("\n", @strange), '', "$name: signals at $tried of $all system calls");
}
done_testing();
