#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A machine that is saved to a socket instead of a file: vole keeps the checkpoint, and hands it to each clone that
# connects (spec/snapshot.md, 5).
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use IO::Socket::UNIX;
use POSIX 'WNOHANG';
use Test::More;
use Time::HiRes 'sleep';
use Vole qw(:DEFAULT refused);

$SIG{PIPE} = 'IGNORE';
each_engine();

my $folder = scratch();
my ($ready, $hello, $spin) = map { guest($_) } qw(ready hello spin);
my $socket = "$folder/socket";
my $disk = write_file('disk.img', "\0" x 4096);

# A line of /proc/net/unix: with a flag, __SO_ACCEPTCON, of the socket that listens.
my $listens = qr/^\w+: \w+ \w+ 00010000 .* \Q$socket\E$/m;

# Waits until the condition holds, for a minute. Returns whether it does.
sub soon(&) {
	my ($condition) = @_;
	for (1 .. 3000) {
		return 1 if $condition->();
		sleep 0.02;
	}
	return 0;
}

# A vole that runs beside the test, its standard error in a file; the last word may be a list of words to run it by.
# Ends the script if it does not listen.
sub keeper {
	my (@words) = @_;
	my @before = ref $words[-1] ? @{pop @words} : ();
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open STDIN, '<', '/dev/null';
		open STDOUT, '>', "$folder/out";
		open STDERR, '>', "$folder/err";
		# A shell that runs the tests in the background has them ignore it, and vole would, too.
		$SIG{INT} = 'DEFAULT';
		exec @before, vole_run(), @words or POSIX::_exit(99);
	}
	soon { slurp('/proc/net/unix') =~ /$listens/ } or die "nobody listens: ", slurp("$folder/err"), "\n";
	return $pid;
}

# Its exit status after a signal, if there is one; it has a minute.
sub ended {
	my ($pid, $signal) = @_;
	kill $signal, $pid if $signal;
	return $? & 127 ? 'signal ' . ($? & 127) : $? >> 8 if soon { waitpid($pid, WNOHANG) != 0 };
	kill 'KILL', $pid;
	waitpid $pid, 0;
	return 'time limit';
}

# Clones that come before the machine is saved, and one after another.
my $keeper = keeper(qw(-c 3 -d), $disk, '--checkpoint', "unix:$socket", $ready);
my %generations;
for my $number (1 .. 4) {
	my $clone = run([vole(), 'clone', '-d', "$disk,private", "unix:$socket"]);
	ok($clone->{status} eq 0 && $clone->{err} eq '' && $clone->{out} =~ /\Agoing on, generation (\d+)\ncounted to 200\nall checks hold\n\z/,
		"clone $number goes on from a socket") or diag(shown($clone));
	$generations{$1 // 0} = 1;
}
is(scalar(grep { $_ } keys %generations), 4, 'each with a generation of its own');
my $own = run([vole(), 'clone', '-d', $disk, "unix:$socket"]);
is($own->{status}, 0, 'the disk is free: the machine has ended') or diag(shown($own));
is(slurp("$folder/out"), "counted to 100\n", 'what was saved does not go on itself');
like(slurp("$folder/err"), qr/^vole: unix:\Q$socket\E: the machine is saved; "vole clone unix:\Q$socket\E" goes on from here, until this vole is ended\n\z/m,
	'vole says how clones are made, and how long');

sub processor_ticks { return (split ' ', slurp("/proc/$_[0]/stat"))[13] + (split ' ', slurp("/proc/$_[0]/stat"))[14] }
my $before = processor_ticks($keeper);
sleep 1;
is(processor_ticks($keeper), $before, 'it waits without using a processor');

# Whoever connects and says nothing, or goes again, is in nobody's way.
{
	my @silent = map { IO::Socket::UNIX->new(Peer => $socket) // die "$socket: $!\n" } 1 .. 3;
	close $silent[0];
	print {$silent[1]} "hello\n";
	my $clone = run([vole(), 'clone', '-d', "$disk,private,format=raw", "unix:$socket"]);
	like($clone->{err}, qr/not as it was when the checkpoint was taken/, 'a clone is judged as one of a file') or diag(shown($clone));
}
refused('a second one at the same socket', qr/--checkpoint unix:\Q$socket\E: Address already in use/, 'run', '--checkpoint', "unix:$socket", $hello);
my $crowded = run(['bash', '-c', 'ulimit -n 4; exec "$@"', '-', vole(), 'clone', '-d', "$disk,private", "unix:$socket"]);
like($crowded->{err}, qr/\Avole: unix:\Q$socket\E: Too many open files: the limit is 4; .*\n\z/, 'a clone that has no descriptor left says so');
is(ended($keeper, 'TERM'), 'signal 15', 'a signal ends it');
ok(!-e $socket, 'and the socket is gone');
refused('nobody', qr/unix:\Q$socket\E: No such file or directory/, 'clone', "unix:$socket");

# A clone can be kept as well.
$keeper = keeper('--checkpoint', "unix:$socket,at=20ms", $spin);
my $second = run(['bash', '-c', '"$1" clone --checkpoint "unix:$2.2,at=40ms" "unix:$2" 2>"$2.err" & until grep -q " 00010000 .* $2.2$" /proc/net/unix; do sleep 0.02; done; ' .
	'"$1" clone --timeout 1 "unix:$2.2"; status=$?; kill %1; exit $status', '-', vole(), $socket], limit => 60);
is($second->{status}, 124, "a clone's clone runs") or diag(shown($second));
is(ended($keeper, 'INT'), 'signal 2', '^C ends it as well');

# A signal that comes while the machine is saved, or its output waits for a reader, ends vole afterwards.
$keeper = keeper('-d', write_file('second.img', "\0" x 4096), qw(--console pty --checkpoint), "unix:$socket", $ready);
soon { slurp("$folder/err") =~ /is saved/ };
is(ended($keeper, 'TERM'), 'signal 15', 'a signal that comes early is not lost');

# Clients that take nothing: the kernel bounds by RLIMIT_NOFILE how many descriptors a user without privileges has sent
# that nobody has taken yet.
my @bare = $> == 0 ? ('setpriv', '--bounding-set', '-sys_resource,-sys_admin') : ();
$keeper = keeper('--checkpoint', "unix:$socket,at=1ms", $spin, [@bare, qw(prlimit --nofile=32)]);
my @silent = map { IO::Socket::UNIX->new(Peer => $socket) // die "$socket: $!\n" } 1 .. 36;
my $said = qr/^vole: --checkpoint unix:\Q$socket\E: no client can be served: Too many references/m;
soon { slurp("$folder/err") =~ /$said/ };
like(slurp("$folder/err"), $said, 'clients that take nothing are in the way, which vole says');
@silent = ();
my $served = run(['bash', '-c', 'until "$@"; [ $? = 124 ]; do sleep 0.1; done', '-', vole(), qw(clone --timeout 1), "unix:$socket"], limit => 60);
is($served->{status}, 0, '... until they have gone') or diag(shown($served));
is(ended($keeper, 'TERM'), 'signal 15', '... and it ends as ever');

# A machine that ends without being saved, by itself or not.
for my $signal (qw(TERM KILL)) {
	$keeper = keeper('--checkpoint', "unix:$socket", $spin);
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		open STDERR, '>', "$folder/waiting";
		exec { vole() } vole(), 'clone', "unix:$socket" or POSIX::_exit(99);
	}
	# The listening socket, and one for each client that waits, have its name.
	soon { (() = slurp('/proc/net/unix') =~ / \Q$socket\E$/mg) > 1 };
	ended($keeper, $signal);
	is(ended($pid), 125, "a machine that ended by SIG$signal before it was saved: the clones that waited end");
	is(slurp("$folder/waiting"), "vole: unix:$socket: no checkpoint came: the machine has ended without one, or its vole could not send it\n", '... and say so');
}
unlink $socket;

# Others behind the socket.
{
	my $stranger = IO::Socket::UNIX->new(Local => $socket, Listen => 4) or die "$socket: $!\n";
	my $pid = fork() // die "fork: $!\n";
	if ($pid == 0) {
		my $client = $stranger->accept();
		print $client "a checkpoint, I promise\n";
		POSIX::_exit(0);
	}
	refused('a socket of something else', qr/unix:\Q$socket\E: what came is no checkpoint/, 'clone', "unix:$socket");
	waitpid $pid, 0;
}
refused('a socket that was left behind', qr/unix:\Q$socket\E: nobody hands a checkpoint over here any more/, 'clone', "unix:$socket");
refused('the path of a socket', qr/\Q$socket\E: a socket; unix:\Q$socket\E\?/, 'run', '--checkpoint', $socket, $hello);
refused('a file in its place', qr/a file or folder of this name is there/, 'run', '--checkpoint', "unix:$disk", $hello);
refused('no name', qr/--checkpoint unix:: no socket is named/, 'run', '--checkpoint', 'unix:', $hello);
refused('no name, for a clone', qr/unix:: no socket is named/, 'clone', 'unix:');
refused('a name that is too long', qr/unix:x+: the name of a socket has at most 107 bytes/, 'clone', 'unix:' . 'x' x 108);
refused('the longest name', qr/unix:x+: No such file or directory/, 'clone', 'unix:' . 'x' x 107);
refused('a machine that goes on', qr/--checkpoint unix:x: not with continue: /, 'run', '--checkpoint', 'unix:x,continue', $hello);

my $never = run([vole_run(), '--checkpoint', "unix:$socket", $hello]);
is($never->{status}, 0, 'a machine that is never saved ends as any') or diag(shown($never));
like($never->{err}, qr/unix:\Q$socket\E: no checkpoint was taken: the guest did not write to port 0xec\n/, '... and that is said');
ok(!-e $socket, 'its socket goes with it, though another had left one there');

done_testing();
