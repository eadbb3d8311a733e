#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Consoles that are neither standard output nor a file: pseudo-terminals and sockets, for whose readers output waits
# while they are there.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Select;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use Vole;

each_engine();

# --- pseudo-terminals ---

# A guest that writes so many KiB once its console is read from; the console; and where that is.
sub flood {
	my ($kib) = @_;
	my $vole = terminal(vole_run(), qw(--console pty), build() . '/guest/console-flood.elf', '--', $kib, 'after');
	my $path = $vole->expect(qr{console is on (/dev/pts/\d+)});
	open my $console, '+<:raw', $path or die "$path: $!\n";
	syswrite $console, '!';
	return ($vole, $console, $path);
}

# Reads a console to its end, so many bytes at once, and returns them behind what was read before.
sub read_out {
	my ($console, $size, $text) = @_;
	1 while IO::Select->new($console)->can_read(60) && sysread $console, $text, $size, length $text;
	return $text;
}

{
	my $vole = terminal(vole_run(), qw(--console pty), build() . '/guest/echo.elf');
	my $path = $vole->expect(qr{console is on (/dev/pts/\d+)});
	ok($path, '--console pty: says where') or diag($vole->text);
	open my $console, '+<:raw', $path or die "$path: $!\n";
	syswrite $console, "over a pty\rq";
	my ($answer, $expected) = ('', "ready\nover a pty\rq");
	while (length $answer < length $expected) {
		last unless IO::Select->new($console)->can_read(60) && sysread $console, $answer, 1024, length $answer;
	}
	is($answer, $expected, '--console pty: the guest hears and answers, every byte as it is');
	is($vole->finish, 0, '--console pty: and ends');
}
{
	# More than a pseudo-terminal holds, for one who has it open and reads later.
	my ($vole, $console) = flood(100);
	select undef, undef, undef, 0.5;
	my $text = read_out($console, 65536, '');
	is(length $text, 100 * 1024, '--console pty: output waits for the one who has it open');
	is($vole->finish, 0, '--console pty: to its end');
}
{
	# All of it fits, so the guest has ended when it is read; and that later than vole would wait for nobody.
	my ($vole, $console) = flood(2);
	IO::Select->new($console)->can_read(60);
	select undef, undef, undef, 2.5;
	my $text = read_out($console, 512, '');
	is(length $text, 2 * 1024, '--console pty: what the terminal holds at the end waits for the one who has it open');
	is($vole->finish, 0, '--console pty: and then vole ends');
}
{
	# The one for whom output waits leaves, and it does no longer.
	my ($vole, $console, $path) = flood(100);
	IO::Select->new($console)->can_read(60);
	close $console;
	is($vole->finish, 0, '--console pty: the guest goes on when that one leaves');
	like($vole->text, qr/^vole: --console pty: \Q$path\E is full, and nobody has it open/m, '--console pty: and what is lost is said');
	is(() = $vole->text =~ /nobody has it open/g, 1, '--console pty: once');
}
{
	# Somebody has it open, and does not read: the end does not wait for ever. But it waits for one who reads so slowly that
	# what the kernel holds behind the terminal fills it again each time: that is what he reads of 12 KiB in 24 s.
	my ($idle_vole, $idle) = flood(1);
	my ($vole, $console) = flood(12);
	my $since = time;
	my $text = '';
	while (time < $since + 24 && sysread $console, $text, 100, length $text) {
		select undef, undef, undef, 0.6;
	}
	$text = read_out($console, 65536, $text);
	is(length $text, 12 * 1024, '--console pty: what the terminal holds waits for one who reads slowly');
	is($vole->finish, 0, '--console pty: to its end');
	is($idle_vole->finish, 0, '--console pty: one who has it open and does not read does not keep vole from ending');
}
{
	# One reader leaves, and there is time for the next.
	my ($vole, $first, $path) = flood(2);
	my $text = '';
	sysread $first, $text, 100;
	select undef, undef, undef, 2.5;
	close $first;
	select undef, undef, undef, 0.1;
	open my $second, '+<:raw', $path or die "$path: $!\n";
	$text = read_out($second, 512, $text);
	is(length $text, 2 * 1024, '--console pty: what one reader leaves is there for the next');
	is($vole->finish, 0, '--console pty: and vole ends');
}
{
	# Nobody has it open, and the end does not wait for ever.
	my $vole = terminal(vole_run(), qw(--console pty), build() . '/guest/console-flood.elf', '--', 1);
	is($vole->finish, 0, '--console pty: output that nobody reads does not keep vole from ending');
	# And more of it than a terminal holds, of a guest that has ended.
	$vole = terminal(vole_run(), qw(--console pty), build() . '/guest/console-last.elf', '--', 256);
	is($vole->finish, 0, '--console pty: nor does what the terminal does not take');
}
{
	my $vole = terminal(vole_run(), (map { ('--console', $_) } 'pty,name=a', 'pty', 'pty,name=b'),
		'--serial', 'pty', build() . '/guest/exit-code.elf');
	is($vole->finish, 0, '--console pty: several');
	my @said = $vole->text =~ /^vole: (.*) is on /mg;
	is("@said", 'serial console 0 (a) console 1 console 2 (b)', '--console pty: says of each which it is');
}
# --- sockets ---

{
	my $path = scratch() . '/socket';
	my $vole = terminal(vole_run(), qw(--console), "unix:$path", build() . '/guest/echo.elf');
	my ($client, $answer) = (undef, '');
	my $deadline = time + 60;
	select undef, undef, undef, 0.02 until ($client = IO::Socket::UNIX->new(Peer => $path)) || time > $deadline;
	ok($client, '--console unix: listens') or diag($vole->text);
	syswrite $client, 'q';
	is($vole->finish, 0, '--console unix: the guest hears');
	1 while sysread $client, $answer, 1024, length $answer;
	like($answer, qr/q\z/, '--console unix: and answers');
	ok(!-e $path, '--console unix: the socket is removed');
}
{
	# A vCPU writes while the I/O thread greets clients and sees them leave; for the thread sanitizer.
	my $path = scratch() . '/socket';
	my $vole = terminal(vole_run(), qw(--console), "unix:$path", build() . '/guest/emergency-write.elf', '--', 100_000_000);
	my $deadline = time + 60;
	my ($served, $byte) = (0, '');
	while ($served < 100 && time < $deadline) {
		my $client = IO::Socket::UNIX->new(Peer => $path) or select undef, undef, undef, 0.02;
		next unless $client && IO::Select->new($client)->can_read(60) && sysread $client, $byte, 1;
		$served++;
	}
	is($served, 100, '--console unix: one client after the other is served');
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, '--console unix: while the guest writes by itself');
	is($vole->text, '', '--console unix: and nobody complains');
}

done_testing();
