#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A console of several ports, on a real vCPU: clients of sockets come and go, ports do not hold each other up,
# and a driver that does not know of ports has one. The kernel is tests/guest/ports.c, whose head says what it
# does.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Select;
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use Vole;

each_engine();
my $kernel = build() . '/guest/ports.elf';
my ($path_a, $path_b) = map { scratch() . "/$_" } qw(a b);

sub client {
	my ($path) = @_;
	return IO::Socket::UNIX->new(Peer => $path) // die "$path: $!\n";
}

# As many bytes as that from a client, or what there is until nothing comes any more.
sub take {
	my ($client, $len) = @_;
	my $text = '';
	while (length $text < $len) {
		last unless IO::Select->new($client)->can_read(60) && sysread $client, $text, $len - length $text, length $text;
	}
	return $text;
}

# The kernel says this on port 0, which is a terminal.
sub says {
	my ($vole, $pattern, $name) = @_;
	ok($vole->expect($pattern), $name) or diag($vole->text);
	return;
}

for my $features ('packed=off', 'packed=on', 'indirect=off,event-idx=off', 'in-order=on,notification-data=on') {
	note($features);
	my $vole = terminal(vole_run(), '--virtio', $features, '--console', 'stdio', '--console', "unix:$path_a,name=a",
		'--console', "unix:$path_b,name=b", $kernel);
	says($vole, qr/ports: 3\r\n/, 'CON-DEV-02 (5.3.2) three ports, with queues');
	$vole->send("size\n");
	says($vole, qr/size 100x30 100x30\r\n/, 'CON-DEV-08 (5.3.6) the size of the window, by message too');
	$vole->resize(50, 132);
	# The signal takes its time.
	my $deadline = time + 60;
	my $seen;
	until ($seen || time > $deadline) {
		$vole->send("size\n");
		$seen = $vole->expect(qr/size (\d+x\d+ \d+x\d+)\r\n/) eq '132x50 132x50';
	}
	ok($seen, 'CON-DEV-08 (5.3.6) and when that is changed');

	my $a = client($path_a);
	says($vole, qr/a: client\r\n/, '5.3.6.2 a client comes');
	syswrite $a, 'to port a';
	is(take($a, 9), 'TO PORT A', 'CON-DEV-10 (5.3.6.2) and talks to the port of that name');
	my $b = client($path_b);
	says($vole, qr/b: client\r\n/, '5.3.6.2 another, to another port');
	syswrite $b, 'to port b';
	is(take($b, 9), 'TO PORT B', '5.3.6 whose input is its own');
	close $a;
	says($vole, qr/a: nobody\r\n/, '5.3.6.2 the first leaves');
	syswrite $b, 'still';
	is(take($b, 5), 'STILL', '5.3.6 the other stays');
	$a = client($path_a);
	says($vole, qr/a: client\r\n/, '5.3.6.2 and comes again');

	$vole->send("flood a\n");
	syswrite $b, 'meanwhile';
	is(take($b, 9), 'MEANWHILE', 'CON-DEV-11 (5.3.6) while one does not read, others go on');
	$vole->send("size\n");
	says($vole, qr/\A(?!.*flooded).*size 132x50/s, 'CON-DEV-11 (5.3.6) and so does the console');
	is(length take($a, 60 * 4096), 60 * 4096, 'CON-DEV-11 (5.3.6) until all of it is read');
	says($vole, qr/flooded a\r\n/, 'CON-DEV-11 and the driver has its buffers back');

	$vole->send("flood b\n");
	is(length take($b, 5000), 5000, 'a client that reads a little');
	close $b;
	says($vole, qr/\A(?=.*flooded b\r\n).*b: nobody\r\n|\A(?=.*b: nobody\r\n).*flooded b\r\n/s,
		'5.3.6 and leaves: what it did not read is lost, the port goes on, and the driver hears');

	$vole->send("declined\n");
	says($vole, qr/ports: 1\r\n/, 'CON-DEV-02 (5.3.2) a driver that does not want ports has one');
	$vole->send("size\n");
	says($vole, qr/size 0x0 132x50\r\n/, 'and no messages');
	$vole->send("quit\n");
	is($vole->finish, 0, 'all checks of the kernel hold');
}

# One port, with and without a name.
for (['a console that can have several ports', qr/size 100x30 100x30/, 'stdio,multiport=on'], ['a console that cannot',
	qr/size 0x0 100x30/, 'stdio']) {
	my ($name, $size, $console) = @$_;
	my $vole = terminal(vole_run(), '--console', $console, $kernel);
	says($vole, qr/ports: 1\r\n/, "$name: one");
	$vole->send("size\n");
	says($vole, $size, "$name: its size");
	$vole->send("quit\n");
	is($vole->finish, 0, "$name: ends");
}

# Clients that come and go as fast as they can. For the thread sanitizer, too.
{
	my @paths = map { "$path_a$_" } 1 .. 3;
	my $vole = terminal(vole_run(), '--console', 'stdio', (map { ('--console', "unix:$paths[$_],name=n$_") } 0 .. 2), $kernel);
	says($vole, qr/ports: 4\r\n/, 'four ports');
	my $answers = 0;
	for my $round (1 .. 60) {
		my $client = client($paths[$round % 3]);
		syswrite $client, "round $round;";
		next if $round % 2;    # it does not wait for the answer
		my $text = '';
		1 while $text !~ /ROUND $round;/ && IO::Select->new($client)->can_read(60) && sysread $client, $text, 4096, length $text;
		$answers += $text =~ /ROUND $round;/;
	}
	is($answers, 30, '5.3.6.2 clients that come and go: those that wait are answered');
	$vole->send("quit\n");
	is($vole->finish, 0, '5.3.6.2 and nothing is the worse for it');
}

done_testing();
