#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The gdb server's sockets, with debuggers that come and go, and what --gdb refuses.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Gdb;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes 'sleep';
use Vole;

each_engine();

my $kernel = build() . '/guest/debug.elf';
my %at = elf_symbols(slurp($kernel));

# Numbers of the kernel's deeds.
my ($SPIN, $CRASH) = (1, 3);

# --- sockets ---
{
	my $path = scratch() . '/gdb.sock';
	my $gdb = Gdb->new([$kernel, '--', $SPIN], socket => $path);
	is($gdb->ask('?'), 'T05thread:1;', 'unix: the machine stands');
	is($gdb->ask('qAttached'), '1', '... and gdb has not started it');
	like($gdb->err, qr/^vole: the machine waits for a debugger: \(gdb\) target remote \Q$path\E$/m, 'vole says where to connect');
	my $second = IO::Socket::UNIX->new(Peer => $path);
	is(sysread($second, my $nothing, 1), 0, 'a second debugger is turned away');
	like($gdb->err, qr/a second debugger was turned away/, '... which is said');
	my $result = run([vole_run(), '--gdb', "unix:$path", $kernel]);
	is("$result->{status} $result->{err}", "125 vole: --gdb unix:$path: Address already in use\n", 'a socket that is in use is refused');
	$gdb->ask(point('Z0', $at{spin}));
	like(go_to($gdb, 'c', 'spin', \%at), qr/^spin/, 'the first one goes on');
	$gdb->send('c');
	$gdb->disappear;
	$gdb->connect;
	is($gdb->ask('?'), 'T05thread:1;', 'after a debugger that has disappeared the machine stands, and the next one is there');
	like($gdb->err, qr/the debugger has disappeared; the machine stands until another one connects/, '... which is said');
	$gdb->send('c');
	sleep 0.2;
	$gdb->interrupt;
	is($gdb->receive, 'T02thread:1;', '... without breakpoints of the other one');
	is($gdb->ask('D'), 'OK', 'D');
	$gdb->connect;
	is($gdb->ask('?'), 'T05thread:1;', 'a debugger that comes back stops the machine');
	$gdb->send('k');
	is($gdb->finish, 0, 'k');
	ok(!-e $path, 'the socket is removed');

	$gdb = Gdb->new([$kernel, '--', $CRASH], socket => $path);
	is($gdb->ask('c'), 'T0bthread:1;', 'a crash');
	is($gdb->output, "vole: the machine has ended; why is said on vole's standard error\n", '... and where the report is');
	$gdb->send('k');
	is($gdb->finish, 126, '... and its status');

	$gdb = Gdb->new([$kernel, '--', $SPIN], socket => $path, lost => ',lost=end');
	is($gdb->ask('?'), 'T05thread:1;', 'lost=end: the machine stands');
	$gdb->disappear;
	is($gdb->finish, 125, '... and ends with the debugger');
}

# --- the command line ---
for (['tcp:0.0.0.0:1234', 'a debugger can do all that you can, so vole listens on 127\.0\.0\.1 alone: tcp:1234'],
	['tcp:0', 'not a port from 1 to 65535'], ['tcp:', 'not a port'], ['tcp:65536', 'not a port'], ['unix:', 'not -, unix:PATH or tcp:PORT'],
	['1234', 'not -, unix:PATH or tcp:PORT'], ['-,lost=wait', 'lost=wait needs unix:PATH or tcp:PORT'], ['tcp:1234,x', 'unknown option "x"'],
	['unix:/nonexistent/gdb', '/nonexistent/gdb: No such file or directory']) {
	my ($argument, $says) = @$_;
	my $result = run([vole_run(), '--gdb', $argument, $kernel]);
	is($result->{status}, 125, "--gdb $argument is refused");
	like($result->{err}, qr/^vole: --gdb .*$says/, '... by name');
}
{
	my $result = run([vole_run(), '--gdb', '-', '--capture', '-', $kernel]);
	is("$result->{status} $result->{err}", "125 vole: --gdb -: standard output is gdb's; --capture needs the name of a file\n",
		'--gdb - and --capture - are refused');
}
{
	open my $file, '<', $0 or die "$0: $!\n";
	my $result = run([vole_run(), '--gdb', '-', $kernel], stdin => $file);
	is($result->{status}, 125, '--gdb - with a file as standard input is refused');
	like($result->{err}, qr/^vole: --gdb -: standard input is a file/, '... by name');
}

done_testing();
