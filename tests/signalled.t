#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A signal ends vole at every point of its life: it comes at each system call in turn, from the first one on, while a
# guest comes to its end, while one works without end, be it in a clone, and while one crashes. vole always ends by it, or
# as the guest did that had ended before; the terminal is as it was, and no socket and no process is left. KILLS is how
# many calls of each life are tried, spread over all; if there are not more, each is tried with each signal.
use strict;
use warnings;
use lib 'tests/lib';
use POSIX ();
use Test::More;
use Abi 'slurp';
use Vole;

each_engine();

my $kills = $ENV{KILLS} // 40;
my @signals = (POSIX::SIGTERM, POSIX::SIGINT, POSIX::SIGHUP);
my $count = scratch() . '/count';
my $socket = scratch() . '/socket';
my $disk = write_file('disk', "\0" x 32768);

sub kernel { return build() . "/guest/$_[0].elf" }

# A machine to go on from
my $checkpoint = scratch() . '/checkpoint';
my $saved = run([vole_run(), qw(-c 2 --console file:/dev/null --serial file:/dev/null --checkpoint), "$checkpoint,at=20ms", kernel('console-flood'), '--', 3_000_000]);
is($saved->{status}, 0, 'a machine is saved') or diag(shown($saved));

# Each life: its command line but for consoles, the statuses with which it may end by itself, what is never shown.
my @run = (vole_run(), qw(-c 2), '-d', $disk);
my @lives = (
	{ name => 'a guest that comes to its end', command => [@run, kernel('journal'), '--', 2], ends => [7], unlike => qr/[^\d\s]/ },
	{ name => 'a guest that works without end', command => [@run, kernel('journal'), '--', 1_000_000_000], ends => [], unlike => qr/[^\d\s]/ },
	{ name => 'a clone that works without end', command => [vole(), 'clone', $checkpoint], ends => [], unlike => qr/vole:|error:/ },
	{ name => 'a guest that crashes', command => [@run, '--core', scratch() . '/core', kernel('null-store')], ends => [126], unlike => qr/error:|cannot/ },
);

# What such a life comes to if this signal is sent at the call of this number, 0: never. All that is strange about it, or
# nothing.
sub live {
	my ($life, $signal, $number) = @_;
	my ($program, $verb, @rest) = @{$life->{command}};
	my $vole = terminal(build() . '/tests/tools/signal-at', $signal, $number, $count, $program, $verb, qw(--console stdio --serial),
		"unix:$socket", @rest);
	my $status = $vole->finish;
	my @strange;
	push @strange, "status $status" unless grep { $_ eq $status } @{$life->{ends}}, $signal ? 128 + $signal : ();
	push @strange, 'the terminal is not as it was' if $vole->settings ne $vole->before;
	push @strange, 'the socket is left' if -e $socket;
	push @strange, 'says "' . $vole->text . '"' if $vole->text =~ $life->{unlike};
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

my $all;
for my $life (@lives) {
	# One that does not end by itself works by the time that the one before it ended.
	if (@{$life->{ends}}) {
		is(join("\n", live($life, 0, 0)), '', "$life->{name}: a run without a signal");
		($all) = split ' ', slurp($count);
		cmp_ok($all, '>', 100, "$life->{name}: its system calls are counted");
	}
	my (@strange, $tried);
	for my $number (calls($all)) {
		for my $signal ($kills < $all ? $signals[$number % @signals] : @signals) {
			push @strange, live($life, $signal, $number);
			$tried++;
		}
	}
	is(join("\n", @strange), '', "$life->{name}: signals at $tried of $all system calls");
}
# SIGQUIT asks a machine for a report; one that comes while a machine is saved does not end vole after the file is whole.
{
	my $path = scratch() . '/quit';
	my @command = (@run, '--console', 'file:/dev/null', '--checkpoint', "$path,at=1ms", kernel('console-flood'), '--', 3_000_000);
	my $quit = sub { return run([build() . '/tests/tools/signal-at', POSIX::SIGQUIT, $_[0], $count, @command]) };
	my $usual = $quit->(0);
	is($usual->{status}, 0, 'a guest that is saved: a run without a signal') or diag(shown($usual));
	my ($all, $saved, @strange) = (split ' ', slurp($count))[0];
	for my $number (calls($all)) {
		my $got = $quit->($number);
		my $is_saved = $got->{err} =~ /is saved/;
		$saved++ if $is_saved;
		push @strange, "SIGQUIT at call $number: status $got->{status}, $got->{err}" if $got->{status} ne ($is_saved ? 0 : 128 + POSIX::SIGQUIT);
	}
	is(join("\n", @strange), '', "a guest that is saved: SIGQUIT at system calls of $all");
	ok($saved, '... and some come when the machine has been made');
}
done_testing();
