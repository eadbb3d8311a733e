#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels that are started as Linux is, by its boot protocol and by PVH, and the board around them. The
# kernel is tests/boot/probe.c in two formats; Linux itself is for `make check-linux`.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Socket;
use POSIX ();
use Test::More;
use Vole;

my $absent = kvm_absent();
plan skip_all => $absent if $absent;

my %probe = (linux => build() . '/guest/linux-probe.bzImage', pvh => build() . '/guest/linux-probe.elf');

# The probe with this command line ends with this status, and has said this; vole has said nothing, or just this line.
sub says {
	my ($name, $status, $pattern, $options, @cmdline) = @_;
	my $line = ref $cmdline[-1] ? pop @cmdline : qr//;
	for my $kind (sort keys %probe) {
		my $result = run([vole(), 'run', @$options, $probe{$kind}, '--', @cmdline]);
		my $ok = $result->{status} eq $status && $result->{out} =~ $pattern && $result->{err} =~ /\A$line\z/;
		ok($ok, "$kind: $name") or diag("expected $pattern\n", shown($result));
	}
	return;
}

# --- the state at entry, and what is told ---

my $memory = join '', map { "memory $_\n" } '0 9f000 1', '9f000 1000 2', 'e0000 20000 2', '100000 3f00000 1';
my $board = "port 80 ff\nkeyboard fd\naddress e0000000 ffffffff\ndevice magic 74726976\nbios 0\nmp 5f504d5f\n";
my $cpu = "cr0 11\ninterrupts 0\nselectors 100018\n";
my %told = (linux => "ebx 0\nheader 53726448\nloader ff\n", pvh => "esi 0\nmagic 336ec578\nversion 1\n");
my $device = 'virtio_mmio.device=4K@0xd0000000:5';
for my $kind (sort keys %probe) {
	my $result = run([vole(), 'run', $probe{$kind}, '--', 'a', 'b']);
	is($result->{out}, "$kind\n$cpu$told{$kind}$device a b\ninitrd 0\n$memory${board}done\n", "$kind: all that a kernel finds")
		or diag(shown($result));
	is($result->{status}, 0, "$kind: the exit port ends it");
}
my $initrd = write_file('initrd', 'ABCDEFG');
says('an initial RAM disk', 0, qr/^initrd 7\ninitrd begins 44434241\n/m, ['--initrd', $initrd]);
says('RAM up to 3 GiB', 0, qr/^memory 100000 bff00000 1\n/m, ['-m', '3G']);
says('an exit code', 7, qr/done\n\z/, [], 'exit=7');
my $disk = write_file('disk', "\0" x 512);
says('devices are named on the command line, each with an interrupt', 0,
	qr/^\Q$device virtio_mmio.device=4K\E\@0xd0001000:9 \Qvirtio_mmio.device=4K\E\@0xd0002000:10$/m,
	[qw(--console none --rng host -d), "$disk,ro", '-d', "$disk,ro"]);
says('ten devices', 0, qr/\@0xd0009000:15$/m, [('-d', "$disk,ro") x 9]);
says('no devices', 0, qr/^version 1\n\n|^loader ff\n\n/m, [qw(--rng none)]);

# Kernels of distributions often cannot find the devices. Who has asked for none is not told.
says('devices that nobody touches', 0, qr/done\n\z/, ['-d', "$disk,ro"], 'blind',
	qr/vole: the kernel has not touched any virtio device: .*CONFIG_VIRTIO_MMIO_CMDLINE_DEVICES.*\n/);
says('devices that nobody asked for', 0, qr/done\n\z/, [], 'blind');

# --- its end ---

says("a reset through the $_", 0, qr/done\n(?:still there\n)?\z/, [], "reset=$_") for qw(keyboard chipset triple);
says("a halt with interrupts off, $_ CPUs", 0, qr/done\n\z/, ['-c', $_], 'halt',
	qr/vole: CPU 0 has halted with interrupts off, at 0x[0-9a-f]+(?: \(execute_options\+0x[0-9a-f]+\))?: the machine ends\n/) for 1, 3;
for my $kind (sort keys %probe) {
	my $result = run([vole(), 'run', $probe{$kind}, '--', 'crash']);
	ok($result->{status} eq 126 && $result->{out} =~ /done\n\z/ && $result->{err} =~ /^vole: guest crashed: triple fault/,
		"$kind: a triple fault without a word to firmware is a crash") or diag(shown($result));
}

# --- the serial port ---

my $text = join '', map { "line $_ of many, sixteen bytes at a time\n" } 1 .. 200;
for my $kind (sort keys %probe) {
	my $result = run([vole(), 'run', $probe{$kind}, '--', 'echo'], stdin => "$text.");
	ok($result->{status} eq 0 && $result->{out} =~ /\n\Q$text\E\.\ninterrupts: some\ndone\n\z/, "$kind: echo by interrupts")
		or diag(shown($result));
	$result = run([vole(), 'run', $probe{$kind}, '--', 'loop'], stdin => "$text.");
	ok($result->{status} eq 0 && $result->{out} =~ /\n\Q$text\E\.\ndone\n\z/, "$kind: echo without interrupts")
		or diag(shown($result));
}
{
	my $path = scratch() . '/serial.out';
	my $result = run([vole(), 'run', '--serial', "file:$path", $probe{linux}]);
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	ok($result->{status} eq 0 && $result->{out} eq '' && <$file> =~ /^linux\n.*done\n\z/s, '--serial file: output goes there')
		or diag(shown($result));
}
{
	my $vole = terminal(vole(), qw(run --serial pty), $probe{pvh}, '--', 'echo');
	my ($path) = $vole->expect(qr{serial is on (/dev/pts/\d+)});
	ok($path, '--serial pty: says where') or diag($vole->text);
	open my $serial, '+<', $path or die "$path: $!\n";
	$serial->autoflush;
	# What is not read when the other side is closed is lost: so the guest is told to end after that.
	my $heard = '';
	while ($heard !~ /^mp .*\n/m && sysread $serial, $heard, 4096, length $heard) { }
	print $serial 'over a pty';
	while ($heard !~ /over a pty/ && sysread $serial, $heard, 4096, length $heard) { }
	like($heard, qr/^pvh\n.*\nover a pty\z/s, '--serial pty: the guest hears and answers, every byte as it is');
	print $serial '.';
	1 while sysread $serial, $heard, 4096;
	is($vole->finish, 0, '--serial pty: and ends');
}
{
	my $vole = terminal(vole(), 'run', $probe{linux}, '--', 'echo');
	ok($vole->expect(qr/mp 5f504d5f/), 'the serial port is on the terminal') or diag($vole->text);
	$vole->send("typed");
	ok($vole->expect(qr/typed/), 'what is typed arrives') or diag($vole->text);
	$vole->send("\x01x");
	is($vole->finish, 0, '^A x ends the machine');
	is($vole->settings, $vole->before, 'the terminal is as it was');
}

{
	# A guest that waits for input has halted as well, but with interrupts on.
	my ($guest, $ours) = IO::Socket->socketpair(AF_UNIX, SOCK_STREAM, PF_UNSPEC) or die "socketpair: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		close $guest;
		sleep 2;
		print $ours '.';
		POSIX::_exit(0);
	}
	my $result = run([vole(), 'run', $probe{pvh}, '--', 'echo'], stdin => $guest);
	waitpid $pid, 0;
	ok($result->{status} eq 0 && $result->{out} =~ /^\.\ninterrupts: some/m, 'a halt with interrupts on is no end')
		or diag(shown($result));
}

# --- what is refused ---

sub refused {
	my ($name, $status, $pattern, @words) = @_;
	my $result = run([vole(), 'run', @words]);
	ok($result->{status} eq $status && $result->{out} eq '' && $result->{err} =~ $pattern && $result->{err} =~ /\Avole: .*\n\z/,
		"$name is refused with $status") or diag("expected $pattern\n", shown($result));
	return;
}

my $hello = build() . '/guest/hello.elf';
refused('two devices on standard input and output', 125, qr/only one can be on standard input and output/,
	qw(--console stdio --serial stdio), $probe{linux});
refused('an eleventh device', 125, qr/--boot linux: 11 devices, of at most 10/, ('-d', "$disk,ro") x 10, $probe{linux});
refused('a module', 125, qr/--boot linux takes no --module/, '--module', $initrd, $probe{pvh});
refused('an initial RAM disk for another protocol', 125, qr/--boot vole takes no --initrd/, '--initrd', $initrd, $hello);
refused('a missing initial RAM disk', 125, qr/absent: No such file/, '--initrd', scratch() . '/absent', $probe{linux});
refused('one that does not fit', 127, qr/initrd: 7 bytes do not fit/, '-m', '2M', '--initrd', $initrd, $probe{linux});
refused('a command line that is too long', 125, qr/this kernel takes 1000/, $probe{linux}, '--', 'x' x 1000);
refused('too little RAM', 127, qr/needs RAM up to 0x200000, and there is RAM up to 0x1ff000/, '-m', '2044K', $probe{linux});
refused('an ELF file without the note, as linux', 127, qr/not a Linux kernel: no bzImage header, and no ELF file with a PVH entry/,
	qw(--boot linux), $hello);
refused('a kernel that cannot be read, as linux', 127, qr/absent: No such file/, qw(--boot linux), scratch() . '/absent');
my $image = do { open my $file, '<:raw', $probe{linux} or die "$probe{linux}: $!\n"; local $/; <$file> };
refused('a truncated bzImage', 127, qr/truncated: the kernel ends at/, write_file('cut', substr $image, 0, -16));
substr $image, 0x206, 2, "\x05\x02";
refused('an old one', 127, qr/protocol 2\.05 is too old/, write_file('old', $image));

# --- inspect ---

for my $kind (sort keys %probe) {
	my $result = run([vole(), 'inspect', '--initrd', $initrd, $probe{$kind}, '--', 'quiet']);
	ok($result->{status} eq 0 && $result->{err} eq '' && $result->{out} =~ /^Command line  \Q$device\E quiet$/m &&
			$result->{out} =~ /^  0x03fff000  0x03fff006 .*initrd$/m, "$kind: inspect shows it") or diag(shown($result));
}
is(run([vole(), 'run', '--boot', 'linux', $probe{$_}])->{status}, 0, "--boot linux takes $_") for sort keys %probe;

done_testing();
