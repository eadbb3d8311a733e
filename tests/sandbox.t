#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# vole is shut in: what the kernel says of its processes, and what becomes of the calls that an attacker would
# make who has taken it over. For that there is a vole with a deliberate hole (tests/hole/hole.c).
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use POSIX ();
use Test::More;
use Vole;

plan skip_all => 'sanitizer builds have no sandbox' if $ENV{SAN};
each_engine();

my $hole = build() . '/tests/hole/vole';
my $kernel = build() . '/guest/sandbox-hole.elf';
my $spin = build() . '/guest/spin.elf';
my $x86 = (POSIX::uname())[4] eq 'x86_64';

sub attack {
	my ($mode, $call) = @_;
	return run([$hole, 'run', '--engine', engine(), '--sandbox', $mode, $kernel, '--', $call], limit => 60);
}

# --- calls that are forbidden ---

# What the hole does; the system call that is named; and what comes of it without the sandbox, the errno that
# the guest gets: without a hole in the sandbox the test would say so.
my @calls = (
	['openat', 'openat', 0],
	['socket', 'socket', 0],
	['connect', 'connect', 88],
	['mmap-exec', 'mmap', 0],
	['mmap-file', 'mmap', undef],
	['mprotect-exec', 'mprotect', 0],
	['ptrace', 'ptrace', 3],
	['process_vm_readv', 'process_vm_readv', undef],
	['kill', 'kill', 0],
	['tgkill', 'tgkill', 0],
	['fork', 'clone', 0],
	['unlinkat', 'unlinkat', 2],
	['newfstatat', 'newfstatat', 0],
	['memfd_create', 'memfd_create', 0],
	['bpf', 'bpf', undef],
	['io_uring_setup', 'io_uring_setup', undef],
	['fcntl-setown', 'fcntl', undef],
	['madvise', 'madvise', undef],
	['prctl', 'prctl', 0],
	['tiocsti', 'ioctl', undef],
);
push @calls, ['open', 'open', 0], ['x32', 'system call 1073741863,', undef] if $x86;
push @calls, ['create-vm', 'ioctl', 25], ['create-vcpu', 'ioctl', 0], ['other-vcpu', 'ioctl', 0] if engine() eq 'kvm';

# int 0x80 is a system call where the host's kernel has those of 32-bit programs. Elsewhere it is a fault.
if ($x86) {
	my $fault = 128 + POSIX::SIGSEGV;
	if (attack('off', '32-bit')->{status} ne $fault) {
		push @calls, ['32-bit', 'system call 20 of another architecture', undef];
	} else {
		is(attack('on', '32-bit')->{status}, $fault, '32-bit: it is a fault here');
	}
}

for (@calls) {
	my ($call, $name, $errno) = @$_;
	my $named = $name =~ / / ? qr/\Q$name\E/ : qr/system call \Q$name\E \(\d+\), arguments(?: 0x[0-9a-f]+){4}:/;
	my $result = attack('on', $call);
	is($result->{status}, 122, "$call: vole ends") or diag(shown($result));
	like($result->{err}, qr/\Avole: the sandbox forbids $named.* vole ends here\. .*\n\z/, '... with one line that names the call');
	is($result->{out}, '', '... and the guest learns nothing');
	$result = attack('off', $call);
	like($result->{out}, defined $errno ? qr/\Aerrno $errno\n\z/ : qr/\Aerrno \d+\n\z/, '... which is made without the sandbox') or diag(shown($result));
	is($result->{err}, "vole: --sandbox off: a broken vole has all rights of its user\n", '... and that is said');
}
{
	# Another program takes vole's place.
	my $result = attack('on', 'execve');
	is($result->{status}, 122, 'execve: vole ends') or diag(shown($result));
	like($result->{err}, qr/\Avole: the sandbox forbids system call execve \(\d+\), .*\n\z/, '... with one line that names the call');
	$result = attack('off', 'execve');
	is("$result->{status} $result->{out}", '0 ', '... which is made without the sandbox') or diag(shown($result));
}

# --- calls that are answered ---

is(attack('on', 'fstat')->{out}, "errno 0\n", 'fstat: done, whichever call the C library takes for it');
is(attack('on', 'clone3')->{out}, "errno 38\n", 'clone3: there is none, so that the C library takes clone');
is(attack('on', 'mremap')->{out}, "errno 38\n", 'mremap: none either, since it would make more of a file executable');
is(attack('off', 'mremap')->{out}, "errno 0\n", '... without the sandbox, it is there');
# Landlock has a say here: another pseudo-terminal than a console's is not opened.
is(attack('off', 'other-pty')->{out}, "errno 0\n", 'a pseudo-terminal can be opened by its master');
is(attack('on', 'other-pty')->{out}, "errno 13\n", '... but not by a vole that is shut in, where the kernel has landlock');

# --- said and made ---
{
	my $result = attack('log', 'openat');
	is("$result->{status} $result->{out}", "0 errno 0\n", '--sandbox log: a forbidden call is made');
	like($result->{err}, qr/\Avole: --sandbox log: system call openat \(\d+\), arguments(?: 0x[0-9a-f]+){4} is none that the sandbox permits\n\z/, '... and named');
	is(attack('log', 'socket')->{out}, "errno 0\n", '... and has its own result');
	is(attack('log', 'connect')->{out}, "errno 88\n", '... or error');
}

# --- what is left behind ---
{
	my $socket = scratch() . '/socket';
	my $vole = terminal($hole, 'run', '--engine', engine(), '--serial', "unix:$socket", $kernel, '--', 'openat');
	is($vole->finish, 122, 'on a terminal, with a socket') or diag($vole->text);
	is($vole->settings, $vole->before, '... the terminal is restored by then');
	ok(!-e $socket, '... and the socket removed');
}

# --- what the kernel says ---

sub status_of {
	my ($path) = @_;
	return { map { /^(\w+):\s+(.*)/ ? ($1 => $2) : () } split /\n/, slurp("$path/status") };
}

sub children_of { return split ' ', slurp("/proc/$_[0]/task/$_[0]/children") }

{
	my $disk = write_file('disk', "\0" x 65536);
	my $socket = scratch() . '/running';
	my $inherited = write_file('inherited', '');
	open my $kept, '<', $inherited or die "$inherited: $!\n";
	local $^F = 250;
	open my $far, '<', $inherited or die "$inherited: $!\n";
	POSIX::dup2(fileno $far, 200);
	my $vole = terminal(vole_run(), '-c', 2, '-d', $disk, '--serial', "unix:$socket", $spin);
	$vole->expect(qr/busy/) or diag($vole->text);
	my $pid = $vole->pid;
	my @tasks = glob "/proc/$pid/task/*";
	my @strange = grep { my $s = status_of($_); $s->{NoNewPrivs} != 1 || $s->{Seccomp} != 2 || $s->{Seccomp_filters} != 1 } @tasks;
	is("@strange", '', 'each of ' . @tasks . ' threads has no_new_privs and one filter');
	my @files = map { readlink // () } glob "/proc/$pid/fd/*";
	is(join(' ', grep { $_ eq $inherited } @files), '', 'no inherited descriptor is left');
	ok((grep { $_ eq $disk } @files), 'the disk is');
	my @odd = grep { !m{^(?:/dev/(?:pts/\d+|tty)|socket:|pipe:|anon_inode:(?:\[?(?:eventfd|eventpoll|timerfd|signalfd)\]?|kvm-(?:vm|vcpu:\d)))} && $_ ne $disk } @files;
	is("@odd", '', 'and nothing that a machine does not need');
	my @children = children_of($pid);
	is(scalar @children, 2, 'two helpers: for the terminal and for the socket');
	for my $child (@children) {
		my $name = slurp("/proc/$child/comm") =~ s/\n//r;
		# It may not have had its turn yet.
		my $deadline = time + 60;
		select undef, undef, undef, 0.02 while status_of("/proc/$child")->{Seccomp} != 2 && time < $deadline;
		my $status = status_of("/proc/$child");
		is("$status->{NoNewPrivs} $status->{Seccomp}", '1 2', "$name is shut in as well");
		my @held = map { readlink // () } glob "/proc/$child/fd/*";
		is(scalar(grep { !m{^/dev/|^pipe:|^/} } @held), 0, '... and holds nothing of the machine');
	}
	my ($flags) = grep { /\bdd\b/ } slurp("/proc/$pid/smaps") =~ /^Size: +65536 kB.*?^VmFlags: (.*)$/msg;
	ok($flags, 'guest memory is not dumped with vole');
	kill 'KILL', $pid;
	is($vole->finish, 128 + 9, 'even if vole is killed');
	my $deadline = time + 60;
	select undef, undef, undef, 0.02 while -e $socket && time < $deadline;
	ok(!-e $socket, '... its socket is removed');
}
{
	my $vole = terminal(vole_run(), '--sandbox', 'off', $spin);
	$vole->expect(qr/busy/);
	my $status = status_of('/proc/' . $vole->pid);
	is("$status->{NoNewPrivs} $status->{Seccomp}", '0 0', '--sandbox off: none of it');
	kill 'TERM', $vole->pid;
	is($vole->finish, 128 + 15, '... to its end');
}

{
	# A child that vole was given, and which outlives it. It has none of the standard descriptors, for whose end run() waits.
	my $begun = time;
	my $result = run(['bash', '-c', 'sleep 100 <&- >&- 2>&- & echo $!; exec "$@"', '-', $hole, 'run', '--engine', engine(), $kernel, '--', 'openat']);
	is($result->{status}, 122, 'a vole with a child that is no helper ends') or diag(shown($result));
	cmp_ok(time - $begun, '<', 60, '... and does not wait for it');
	ok($result->{out} =~ /^(\d+)\n/ && kill('KILL', $1), '... which lives on');
}
{
	# As by pkill(1), whose pattern fits the names of the helpers.
	my $socket = scratch() . '/gdb';
	my $vole = terminal(vole_run(), '--gdb', "unix:$socket", $spin);
	$vole->expect(qr/waits for a debugger/) or diag($vole->text);
	kill 'TERM', children_of($vole->pid), $vole->pid;
	is($vole->finish, 128 + 15, 'a signal for all processes of a machine ends it');
	ok(!-e $socket, '... and its helper removes the socket first');
}

# --- hosts that lack something ---

# How vole runs without a system call, by its number; with ":" and an errno, where it fails with that.
sub without {
	my ($number, @words) = @_;
	return run([build() . '/tests/tools/without-call', $number, @words]);
}
my @hello = (vole_run(), build() . '/guest/hello.elf');
my $seccomp = $x86 ? 317 : 277;
{
	my $result = without(444, @hello);
	is("$result->{status} $result->{out}", "0 Hello from a kernel!\n", 'without landlock: runs') or diag(shown($result));
	is($result->{err}, "vole: this host has no landlock (Function not implemented): the list of system calls alone keeps vole from files\n", '... and says so');
	like(without(444, $hole, 'run', '--engine', engine(), $kernel, '--', 'openat')->{err}, qr/the sandbox forbids system call openat/, '... shut in');
	$result = without($seccomp, @hello);
	is("$result->{status} $result->{out}", "0 Hello from a kernel!\n", 'without seccomp: runs') or diag(shown($result));
	is($result->{err}, 'vole: this host has no seccomp (Function not implemented): a broken vole could make any system call; it gains no ' .
		"privileges, and landlock keeps it from files\n", '... and says so');
	for my $call (444, 446, $seccomp) {
		my $name = $call == $seccomp ? 'seccomp' : 'landlock';
		$result = without("$call:1", @hello);
		is("$result->{status} $result->{out}", "0 Hello from a kernel!\n", "call $call is forbidden to vole: runs") or diag(shown($result));
		like($result->{err}, qr/\Avole: this host has no $name \(Operation not permitted\): [^\n]*\n\z/, '... and says so');
	}
	is(without($seccomp, $hole, 'run', '--engine', engine(), $kernel, '--', 'openat')->{out}, "errno 13\n", '... and files stay closed, by landlock');
	$result = without(436, @hello);
	is("$result->{status} $result->{out}$result->{err}", "0 Hello from a kernel!\n", 'without close_range: runs');
	$result = without('436:1', vole_run(), '--console', 'unix:' . scratch() . '/no-range', build() . '/guest/hello.elf');
	is("$result->{status} $result->{err}", '0 ', '... and ends, helper and all, where a container forbids it') or diag(shown($result));
	like(run([vole(), 'doctor'])->{out}, qr/^ok +sandbox .*\nok +landlock +version \d+/m, 'doctor finds both');
	like(without(444, vole(), 'doctor')->{out}, qr/^missing +landlock +Function not implemented/m, '... or no landlock');
	like(without($seccomp, vole(), 'doctor')->{out}, qr/^missing +sandbox +seccomp: Function not implemented/m, '... or no seccomp');
}

# --- what spec/security.md says ---
{
	my $spec = slurp('spec/security.md');
	my @code = map { slurp($_) } qw(vmm/sandbox/calls.c vmm/kvm/kvm_rules.c);
	my @calls = map { /\bCALL(?:_IF|_FAILS)?\((\w+)[,)]/g, /__NR_(\w+)\}/g } @code;
	my @values = map { /\b((?:KVM|MADV|F|TC|TIO|FION)(?:_|[A-Z])\w*)[,)]/g } map { s{^#.*}{}mgr } @code;
	cmp_ok(scalar @calls, '>', 50, 'the lists are found in the source');
	is(join(' ', grep { $spec !~ /`\Q$_\E`/ } grep { $_ ne 'tkill' && $_ ne 'name' } @calls), '', 'spec/security.md has all calls of the lists');
	is(join(' ', grep { $spec !~ /\b\Q$_\E\b/ } @values), '', '... and all values of their arguments');
}

# --- the command line ---
{
	my $result = run([vole(), 'run', '--sandbox', 'maybe', $spin]);
	is("$result->{status} $result->{err}", "125 vole: --sandbox maybe: not on, off or log\n", 'other words are refused');
}

done_testing();
