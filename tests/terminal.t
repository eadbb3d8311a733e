#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# vole on a terminal: raw while a guest runs, and afterwards as it was found, whatever way it ended.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Select;
use POSIX qw(ECHO ICANON ISIG);
use Test::More;
use Abi ();
use Vole;

each_engine();
my $demo = build() . '/guest/demo.elf';

# The demo at its prompt, on a terminal of 100 columns, whose settings were not vole's choice.
sub at_prompt {
	my (@options) = @_;
	my $terminal = terminal(vole_run(), @options, $demo);

	ok($terminal->expect(qr/> \z/), "@options: the demo gives a prompt on a terminal")
		or diag($terminal->text);
	return $terminal;
}

# It ends with this status, and has put the terminal back.
sub ended {
	my ($name, $terminal, $status, $pattern) = @_;

	is($terminal->finish, $status, "$name: status $status");
	is($terminal->settings, $terminal->before, "$name: the terminal is as it was");
	like($terminal->text, $pattern, "$name: says so") if $pattern;
	return;
}

{
	my $terminal = at_prompt();
	isnt($terminal->settings, $terminal->before, 'the terminal is raw while the guest runs');
	$terminal->send("help\r");
	ok($terminal->expect(qr/help.*crash.*> \z/s), 'help answers') or diag($terminal->text);
	$terminal->send("exit 7\r");
	ended('the guest exits', $terminal, 7);
}
{
	# Each command, and what it says to words it cannot use.
	my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
	my $terminal = at_prompt('-c', 2, '-d', "$disk,serial=d");
	for (['mem', qr/00001000 - 00003fff .* read-only/], ['dev', qr/d0000000 .*console.*block.*disk 0 +\d/s],
		['cpus', qr/CPU 1: started/], ['rng 3', qr/rng:\r\n  (?:[0-9a-f]{2} ?){3}\r/], ['read 0', qr/\| first sector/],
		['write 7 some words', qr/sector 7 written/], ['read 7', qr/\| some words\r/], ['read 1', qr/\(no text\)/],
		['rng 0', qr/1 to 256/], ['rng', qr/1 to 256/], ['read 8', qr/ends with sector 7/], ['read x', qr/0 to 7/],
		['write 8 x', qr/ends with sector 7/],
		['write 6 x', qr/sector 6 written/], ['zero 6', qr/sector 6 is all zeroes/], ['read 6', qr/\(no text\)/], ['zero 8', qr/zero: error -5/],
		['disk', qr/8 sectors, in blocks of 512 bytes.*writes back/s], ['disk through', qr/writes through/], ['disk x', qr/or disk back/], ['write 7', qr/TEXT what to write/], ['exit x', qr/0 to 119/],
		['fly', qr/there is no command "fly"/]) {
		my ($command, $answer) = @$_;
		$terminal->send("$command\r");
		ok($terminal->expect(qr/^\Q$command\E\r\n(?:.*)$answer.*> \z/s), "the demo's $command") or diag($terminal->text);
	}
	$terminal->send("exit\r");
	ended('exit', $terminal, 0);
	open my $image, '<:raw', $disk or die "$disk: $!\n";
	seek $image, 7 * 512, 0;
	is(scalar <$image>, 'some words' . "\0" x 502, 'write: the words are in the image');
}
{
	# As README says: SIGUSR1 has vole look at the disks again.
	my $disk = write_file('grows.img', "\0" x (8 * 512));
	my $terminal = at_prompt('-d', $disk);
	truncate $disk, 16 * 512;
	kill USR1 => $terminal->pid;
	ok($terminal->expect(qr/16 sectors, was 8/), 'a disk that grows: vole says so') or diag($terminal->text);
	# The guest is interrupted just after vole has said so, and the demo looks before each command.
	my ($answer, $tries) = ('', 0);
	while ($answer !~ /disk 0 has another size/ && $tries++ < 1000) {
		$terminal->send("disk\r");
		$answer = $terminal->expect(qr/disk\r\n(.*)> \z/s) or last;
	}
	like($answer, qr/16 sectors/, 'and the demo has the new size');
	$terminal->send("read 15\r");
	ok($terminal->expect(qr/\(no text\).*> \z/s), 'and reads what it had not') or diag($terminal->text);
	$terminal->send("exit\r");
	ended('a disk that grew', $terminal, 0);
}
{
	my $terminal = at_prompt();
	$terminal->send("\x01x");
	ended('^A x', $terminal, 0);
}
{
	my $terminal = at_prompt();
	$terminal->send("\x01");
	$terminal->send('x');
	ended('^A x, typed slowly', $terminal, 0);
}
{
	my $terminal = terminal(vole_run(), build() . '/guest/spin.elf');
	ok($terminal->expect(qr/busy\r\n/), 'a guest that hangs') or diag($terminal->text);
	$terminal->send('a' x 1024) for 1 .. 17;
	ok($terminal->expect(qr/\a/), 'a guest that hangs: a bell when no more can be typed ahead');
	$terminal->send("\x01x");
	ended('a guest that hangs: ^A x', $terminal, 0);
}
{
	my $terminal = at_prompt();
	$terminal->send("crash\r");
	ended('the guest crashes', $terminal, 126, qr/guest crashed.*through a null pointer/);
}
# How far the guest gets in a second is not known.
ended('time-out', terminal(vole_run(), qw(--timeout 1), $demo), 124, qr/time-out/);
{
	# Nothing of vole is left to do it: a child of its does, when it notices.
	my $terminal = at_prompt();
	kill KILL => $terminal->pid;
	is($terminal->finish, 128 + 9, 'SIGKILL: status 137');
	my $deadline = time + 60;
	select undef, undef, undef, 0.01 until $terminal->settings eq $terminal->before || time > $deadline;
	is($terminal->settings, $terminal->before, 'SIGKILL: the terminal is as it was');
}
# What vole says of a guest that waits at its prompt, or is about to, on a terminal.
my $state = qr/vole: state of the machine:\r\nvole:   CPU 0 (?:halted|running), interrupts o(?:n|ff), at 0x\w+ \(\w+\+0x\w+\)[^\n]*\r\n/;
{
	my $terminal = at_prompt();
	$terminal->send("\x01s");
	ok($terminal->expect(qr/$state.*device 0, console: in use/s), '^A s: the state of the machine') or diag($terminal->text);
	kill QUIT => $terminal->pid;
	ok($terminal->expect(qr/$state.*device 0, console: in use/s), 'SIGQUIT: the same') or diag($terminal->text);
	$terminal->send("exit 7\r");
	ended('the guest goes on after that', $terminal, 7);
}
{
	my $terminal = terminal(vole_run(), build() . '/guest/spin.elf');
	ok($terminal->expect(qr/busy\r\n/), 'a guest that hangs') or diag($terminal->text);
	$terminal->send("\x03\x03\x03\x03\x03\x03");
	$terminal->send("\x01s");
	ok($terminal->expect(qr/vole: the guest does not answer \^C; \^A x ends.*CPU 0 running.*Status is 0\r\n/s), '^C six times: how to leave, and ^A s: where it is')
		or diag($terminal->text);
	unlike($terminal->text =~ s/.*?answer \^C//sr, qr/answer \^C/, 'which is said once');
	$terminal->send("\x01x");
	ended('a guest that hangs: ^A x', $terminal, 0);
}
for my $signal (qw(INT TERM HUP)) {
	my $terminal = at_prompt();
	my %number = (INT => 2, TERM => 15, HUP => 1);
	kill $signal, $terminal->pid;
	ended("SIG$signal", $terminal, 128 + $number{$signal});
}
{
	# As a shell starts a job: in a process group of its own, whose parent is of the same session. But this parent
	# leaves the terminal alone.
	my $start = 'my $pid = fork; if (!$pid) { setpgid(0, 0); $SIG{TTOU} = "IGNORE"; tcsetpgrp(0, $$); $SIG{TTOU} = "DEFAULT";
		exec @ARGV } waitpid $pid, 0; exit $? >> 8';
	my $terminal = terminal($^X, '-MPOSIX=setpgid,tcsetpgrp', '-e', $start, vole_run(), $demo);
	ok($terminal->expect(qr/> \z/), 'a job: a prompt') or diag($terminal->text);
	my $raw = $terminal->settings;
	my ($job) = Abi::slurp('/proc/' . $terminal->pid . '/task/' . $terminal->pid . '/children') =~ /(\d+)/;
	for my $round (1, 2) {
		kill TSTP => $job;
		comes(sub { Abi::slurp("/proc/$job/stat") =~ /\) T / });
		like(Abi::slurp("/proc/$job/stat"), qr/\) T /, "SIGTSTP, $round: the job stops");
		is($terminal->settings, $terminal->before, "SIGTSTP, $round: the terminal is as it was");
		kill CONT => $job;
		comes(sub { $terminal->settings eq $raw });
		is($terminal->settings, $raw, "SIGCONT, $round: and is raw again");
	}
	# Whoever had the terminal meanwhile may have left it in any state.
	kill STOP => $job;
	comes(sub { Abi::slurp("/proc/$job/stat") =~ /\) T / });
	run(['sh', '-c', 'stty sane <"$0"', $terminal->path]);
	isnt($terminal->settings, $raw, 'SIGSTOP: somebody changes the terminal');
	kill CONT => $job;
	comes(sub { $terminal->settings eq $raw });
	is($terminal->settings, $raw, 'SIGSTOP: which is raw again afterwards');
	$terminal->send("exit 7\r");
	ended('the guest exits after that', $terminal, 7);
}
# The first child of a process, once there is one.
sub child_of {
	my ($pid) = @_;
	my $child = 0;
	comes(sub { ($child) = Abi::slurp("/proc/$pid/task/$pid/children") =~ /(\d+)/ });
	return $child // 0;
}

# Until this holds, or a minute is over; whether it does.
sub comes {
	my ($holds) = @_;
	my $deadline = time + 60;
	select undef, undef, undef, 0.01 until $holds->() || time > $deadline;
	return $holds->();
}

# A shell with jobs, which reads keys one by one, at its prompt.
sub shell {
	my $terminal = terminal('env', 'PS1=ready\$ ', 'HISTFILE=', 'bash', '--norc', '-i');
	ok($terminal->expect(qr/ready. \z/), 'a shell') or diag($terminal->text);
	return $terminal;
}

# A job in the foreground: the guest hears what is typed, and ^A x gives the shell its terminal.
sub hears_and_ends {
	my ($terminal, $job) = @_;
	$terminal->send("help\r");
	ok($terminal->expect(qr/help.*crash.*> \z/s), 'the guest hears the user') or diag($terminal->text);
	$terminal->send("\x01x");
	ok($terminal->expect(qr/ready. \z/), '^A x ends the job') or diag($terminal->text);
	kill KILL => $job;
	return;
}
{
	# A shell that has a job go on in the background reads the terminal itself.
	my $terminal = shell();
	$terminal->send(join(' ', vole_run()) . " --timeout 300 $demo\r");
	ok($terminal->expect(qr/> \z/), 'a job of a shell: a prompt') or diag($terminal->text);
	my $raw = $terminal->settings;
	my $job = child_of($terminal->pid);
	kill TSTP => $job;
	ok($terminal->expect(qr/Stopped.*ready. \z/s), 'SIGTSTP: the shell has the terminal') or diag($terminal->text);
	$terminal->send("bg\r");
	ok($terminal->expect(qr/&.*ready. \z/s), 'it has the job go on');
	$terminal->send("echo some''words\r");
	ok($terminal->expect(qr/somewords\r\n.*ready. \z/s), 'and does something else') or diag($terminal->text);
	unlike(Abi::slurp("/proc/$job/stat"), qr/\) T /, 'what is typed meanwhile does not stop the job');
	$terminal->send("fg\r");
	ok(comes(sub { $terminal->settings eq $raw }), 'in the foreground again: the terminal is raw');
	hears_and_ends($terminal, $job);
	$terminal->send("exit 0\r");
	$terminal->finish;
}
{
	# Nothing tells a job that runs that it has come to the foreground.
	my $terminal = shell();
	$terminal->send(join(' ', vole_run()) . " --timeout 300 $demo &\r");
	# The shell's prompt may cut one of the two lines in two.
	ok($terminal->expect(qr/(?:vole demo kernel|memory map, \d).*> /s), 'a job in the background: it runs') or diag($terminal->text);
	my $job = child_of($terminal->pid);
	$terminal->send("echo some''words\r");
	ok($terminal->expect(qr/somewords\r\n.*ready. \z/s), 'and the shell hears the user') or diag($terminal->text);
	$terminal->send("fg\r");
	# Raw: no key ends a line, none is a signal, none is shown.
	ok(comes(sub { $terminal->settings =~ /^(?:\w+ ){3}(\w+)/ && !(hex($1) & (ECHO | ICANON | ISIG)) }),
		'in the foreground: the terminal is raw');
	hears_and_ends($terminal, $job);
	$terminal->send("stty -a\rexit 0\r");
	ok($terminal->expect(qr/\bisig icanon iexten echo /), 'and the terminal is as the shell had it') or diag($terminal->text);
	$terminal->finish;
}
{
	# A pipe that nobody reads has the end wait for its reader, when there is no guest any more.
	my $path = scratch() . '/pipe';
	POSIX::mkfifo($path, 0600) or die "$path: $!\n";
	sysopen my $reader, $path, POSIX::O_RDWR() or die "$path: $!\n";
	my $terminal = terminal(vole_run(), qw(--serial stdio --console), "file:$path", build() . '/guest/console-last.elf', '--', 256);
	IO::Select->new($reader)->can_read(60);
	# The threads of CPUs are gone; KVM has one of its own. The thread sanitizer begins another with the first of
	# them, and the software CPU has none.
	my $own = ($ENV{SAN} // '') eq 'thread' && engine() eq 'kvm' ? 2 : 1;
	my ($deadline, $threads) = (time + 60, $own + 1);
	while ($threads > $own && time < $deadline) {
		select undef, undef, undef, 0.01;
		$threads = grep { Abi::slurp($_) eq "vole\n" } glob '/proc/' . $terminal->pid . '/task/*/comm';
	}
	is($threads, $own, 'output that nobody takes: the end waits');
	$terminal->send("\x01x");
	ended('output that nobody takes: ^A x', $terminal, 0);
}
{
	# A view of a FIFO waits for its reader. The terminal is meanwhile as it was, so that ^C is a signal.
	my $path = scratch() . '/unread';
	POSIX::mkfifo($path, 0600) or die "$path: $!\n";
	# Signals are held back, by a signalfd, and the terminal is no more raw.
	my $waits = sub {
		my ($terminal) = @_;
		return comes(sub { $terminal->settings eq $terminal->before && grep { (readlink // '') =~ /signalfd/ } glob '/proc/' . $terminal->pid . '/fd/*' });
	};
	for (['--capture', $path], ["--trace=$path"], ["--stats=json:$path"], ['--log', "virtio,file=$path"], ['--log', "exits,file=$path"]) {
		my $terminal = terminal(vole_run(), @$_, $demo);
		ok($waits->($terminal), "@$_: it waits, and the terminal is as it was");
		$terminal->send("\x03");
		ended("@$_: ^C", $terminal, 130, qr/\A\^Cvole: --\w+[^\n]*\Q$path\E: nobody reads this FIFO; a signal has ended the wait for a reader\r\n\z/);
	}
	my $terminal = terminal(vole_run(), '--capture', $path, $demo);
	ok($waits->($terminal), 'it waits again');
	kill TERM => $terminal->pid;
	ended('SIGTERM', $terminal, 143, qr/nobody reads this FIFO; a signal has ended/);
	ended('--timeout', terminal(vole_run(), qw(--timeout 1 --capture), $path, $demo), 124, qr/: nobody reads this FIFO; --timeout has ended the wait for a reader\r\n/);

	$terminal = terminal(vole_run(), '--log', "exits,file=$path", $demo);
	ok($waits->($terminal), 'and once more');
	sysopen my $reader, $path, POSIX::O_RDONLY() | POSIX::O_NONBLOCK() or die "$path: $!\n";
	ok($terminal->expect(qr/> \z/), 'until a reader comes') or diag($terminal->text);
	isnt($terminal->settings, $terminal->before, '... and the terminal is raw then');
	$terminal->send("exit 7\r");
	ended('a reader who came', $terminal, 7);
}
for my $signal (qw(TERM KILL)) {
	# As a shell starts a job, but the parent takes the terminal as the job stops, sets it, and lets the job go on in the background.
	my $start = 'my $pid = fork; $SIG{TTOU} = "IGNORE";
		if (!$pid) { setpgid(0, 0); tcsetpgrp(0, $$); $SIG{TTOU} = "DEFAULT"; exec @ARGV }
		waitpid $pid, WUNTRACED; tcsetpgrp(0, getpgrp); system "stty -echo -icanon"; kill CONT => $pid; print "mine\n";
		waitpid $pid, WUNTRACED; print WIFSTOPPED($?) ? "stopped by " . WSTOPSIG($?) : "ended by " . ($? & 127), "\n";
		kill KILL => $pid; <STDIN>';
	my $terminal = terminal($^X, '-MPOSIX=setpgid,tcsetpgrp,getpgrp,:sys_wait_h', '-e', "\$| = 1; $start", vole_run(), $demo);
	ok($terminal->expect(qr/> \z/), "SIG$signal in the background: a prompt") or diag($terminal->text);
	my ($job) = Abi::slurp('/proc/' . $terminal->pid . '/task/' . $terminal->pid . '/children') =~ /(\d+)/;
	kill TSTP => $job;
	ok($terminal->expect(qr/mine\r\n/), "SIG$signal in the background: somebody else has the terminal") or diag($terminal->text);
	my $theirs = $terminal->settings;
	my ($guard) = Abi::slurp("/proc/$job/task/$job/children") =~ /(\d+)/;
	kill $signal, $job;
	my $number = $signal eq 'TERM' ? 15 : 9;
	is($terminal->expect(qr/((?:ended|stopped) by \d+)\r\n/), "ended by $number", "SIG$signal in the background: vole ends")
		or diag($terminal->text);
	my $deadline = time + 60;
	select undef, undef, undef, 0.01 while kill(0, $guard) && Abi::slurp("/proc/$guard/stat") !~ /\) Z / && time < $deadline;
	is($terminal->settings, $theirs, "SIG$signal in the background: the terminal stays as it was set meanwhile");
	$terminal->send("\n");
	$terminal->finish;
}
{
	# Before the guest runs there is nothing to put back, and nothing may have been changed.
	my $terminal = terminal(vole_run(), '-d', 'absent.img', $demo);
	ended('a disk that is missing', $terminal, 125, qr/absent\.img/);
	$terminal = terminal(vole_run(), '/dev/null');
	ended('no kernel', $terminal, 127, qr{/dev/null});
}
{
	# The descriptor is shared with the shell: it must not stay nonblocking.
	my $terminal = terminal('sh', '-c', '"$0" run --engine "$2" "$1"; echo "status $?"; exec cat', vole(), $demo, engine());
	ok($terminal->expect(qr/> \z/), 'under a shell: a prompt');
	$terminal->send("exit 3\r");
	ok($terminal->expect(qr/status 3\r\n/), 'under a shell: the status');
	$terminal->send("line\n");
	ok($terminal->expect(qr/line\r\nline\r\n/), 'under a shell: the next program reads and waits as ever');
	$terminal->send("\x04");
	is($terminal->finish, 0, 'under a shell: until the end of input');
}

done_testing();
