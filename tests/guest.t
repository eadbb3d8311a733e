#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Kernels run, one behaviour each: a table of what they are given and what vole does about it.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Abi 'slurp';
use Mix;
use Vole;

each_engine();

# What a crash is to show besides its cause.
# What a machine that did not end by itself tells of its CPUs and devices.
my $state = qr/(?:vole:   .*\n)+/;
my $registers = qr/EAX [0-9a-f]{8} .* EIP 0x[0-9a-f]{8}.* EFLAGS .* CR0 [0-9a-f]{8}/s;
# A KVM may reset a CPU that shuts down; then there is nothing to show.
my $registers_if_kept = qr/$registers.*code at EIP|registers: lost/s;

sub image {
	my ($name, $sectors) = @_;
	my $path = write_file($name, '');
	truncate $path, $sectors * 512 or die "$path: $!\n";
	return $path;
}

# All of a file as words, and whether each is its own number.
sub counts_up {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	my @words = unpack 'V*', do { local $/; <$file> };
	return @words && !grep { $words[$_] != $_ } 0 .. $#words;
}

# An image of which each word is its own number.
sub counting {
	my ($name, $sectors) = @_;
	return write_file($name, pack 'V*', 0 .. $sectors * 128 - 1);
}

# What block-ranges leaves: words that are zero, that may be anything, and that are their own numbers.
sub ranges_are_done {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	my @words = unpack 'V*', do { local $/; <$file> };
	for my $sector (0 .. @words / 128 - 1) {
		next if $sector >= 25000 && $sector < 26000;
		my $zeroed = $sector >= 8 && $sector < 24008 || $sector >= 24016 && $sector < 24024;
		my $first = $sector * 128;
		my $expected = pack 'V*', $zeroed ? (0) x 128 : ($first .. $first + 127);
		return 0 if $expected ne pack 'V*', @words[$first .. $first + 127];
	}
	return @words == 32768 * 128;
}

# Bytes that a file takes.
sub storage { return 512 * (stat $_[0])[12] }

my $module_a = write_file('one.txt', 'abc');
my $module_b = write_file('two.bin', "\xff" x 5000);
my $disk = image('disk.img', 64);
my ($ranges, $counting, $resized) = (counting('ranges.img', 32768), counting('counting.img', 8192), image('resized.img', 64));
my $attacked = counting('attacked.img', 4096);
my $checked = qr/^all checks hold\n\z/m;
# How hostile kernels are run: input without end, and time for hundreds of attacks.
my %hostile = (vole => ['-c', 2, '-d', image('hostile.img', 64), '--virtio', 'packed=on'],
	under => ['sh', '-c', 'yes | "$0" "$@"'], limit => 600);
# The drivers of the library, of the demo and of most kernels here make no mistake: standard error is empty.
# What a driver is told by: a fault or a mistake, with its clause, and the place of an access to a register.
my $place = qr/(?:, (?:before or )?at 0x[0-9a-f]{8} \(\w+\+0x[0-9a-f]+\))/;
my $mistake = qr/(?:vole: device \d, \w+: .*\(virtio [2-6]\.[\d.]+\)$place?\n)/;
my $driver_fault = qr/(?:$mistake|vole: device \d, \w+: further faults are not reported\n)/;
my $used = qr/virtio at \S+: queue 0: used element \d+/;
my $alphabet = join '', ('a' .. 'z') x 1500;

my $full = unread_pipe(1);

# Standard error is a pipe that is full, and that nobody reads.
my @deaf = ('sh', '-c', "exec \"\$0\" \"\$@\" 2>" . unread_pipe(1));

# Standard output is a pipe that nobody reads.
sub unread { return ['sh', '-c', 'exec "$0" "$@" >' . unread_pipe(0)] }

# Standard output is the master of a pseudo-terminal, from whose other side a child hands on a line.
my @to_master = ($^X, '-e', '$^F = 9; open my $out, ">&", STDOUT; open STDOUT, "+>", "/dev/ptmx" or die "/dev/ptmx: $!\n";
	my $unlock = pack "i", 0; ioctl STDOUT, 0x40045431, $unlock or die "TIOCSPTLCK: $!\n";
	my $number = pack "I", 0; ioctl STDOUT, 0x80045430, $number or die "TIOCGPTN: $!\n";
	open my $slave, "<", "/dev/pts/" . unpack "I", $number or die "/dev/pts: $!\n";
	if (fork) { close $out; exec @ARGV }
	print $out scalar <$slave>');

# What block-rw asks for, and may not.
my $bad_requests = qr/\A(?=.*: read of 1 sector at sector (\d+) of \1: beyond .* without a status byte .* write of 513 bytes: .* type 14: )$mistake{4}\z/s;

# What rings prints.
sub each_set {
	my ($count) = @_;
	return join '', (map { (sprintf "set %02d\n", $_) x 2 } 0 .. $count - 1), "$count sets of features\nall checks hold\n";
}

# Keys: kernel; name, where the kernel's own does not say enough; vole, its options; guest, its command
# line; engine, the only one with which it is so; stdin; until, what ends it by SIGTERM; under, a command that
# runs vole; limit, seconds. Expected:
# status, 0 where left out; out, err, patterns or whole texts, '' where left out; after, more to look at.
my @cases = (
	# --- ends ---
	{ kernel => 'hello', out => "Hello from a kernel!\n" },
	{ kernel => 'hello', name => 'the least machine', vole => [qw(-m 2M --console none --rng none)],
		out => "Hello from a kernel!\n" },
	{ kernel => 'hello', name => '3 GiB of RAM', vole => [qw(-m 3G)], out => "Hello from a kernel!\n" },
	{ kernel => 'hello', name => 'a standard output that is full', under => ['sh', '-c', 'exec "$0" "$@" >/dev/full'],
		status => 125, err => qr/standard output: No space left/ },
	{ kernel => 'hello', name => 'standard input closed', under => ['sh', '-c', 'exec "$0" "$@" <&-'],
		out => "Hello from a kernel!\n" },
	# Nothing that vole opens may take the place of what is not there.
	{ kernel => 'hello', name => 'standard output closed', under => ['sh', '-c', 'exec "$0" "$@" >&-'],
		status => 125, err => qr/standard output: Bad file descriptor/ },
	{ kernel => 'hello', name => 'standard input and output closed', under => ['sh', '-c', 'exec "$0" "$@" <&- >&-'],
		status => 125, err => qr/standard output: Bad file descriptor/ },
	{ kernel => 'hello', name => 'standard input and error closed', under => ['sh', '-c', 'exec "$0" "$@" <&- 2>&-'],
		out => "Hello from a kernel!\n" },
	(map { { kernel => $_, name => 'code 0', guest => ['0'] } } qw(exit-code return-value)),
	(map { { kernel => $_, name => 'code 1', guest => ['1'], status => 1 } } qw(exit-code return-value)),
	(map { { kernel => $_, name => 'code 119', guest => ['119'], status => 119 } } qw(exit-code return-value)),
	(map { my $code = $_; map { { kernel => $_, name => "code $code", guest => [$code], status => 119,
		err => qr/\Avole: .*exit code ${\unpack 'l', pack 'L', $code} \(0x[0-9a-f]+\) .*119.*\n\z/ } } qw(exit-code return-value) }
		120, 256, 4294967295),

	# --- crashes ---
	{ kernel => 'null-store', status => 126, err => qr/stores 0x\w+ .*to 0x00000000, through a null pointer.*store_to_null\+.*$registers/s },
	{ kernel => 'rodata-store', status => 126, err => qr/constant_table\+0x4.*read-only.*main.*$registers/s },
	{ kernel => 'text-store', status => 126, err => qr/\(main.*read-only.*$registers/s },
	{ kernel => 'stack-overflow', status => 126, err => qr/the boot stack \(0x4000 to 0x7fff\) has overflowed at .*0x00003f\w\w.*read-only.*main.*$registers/s },
	{ kernel => 'hole-load', status => 126, err => qr/loads 4 bytes from 0xc8000000.*nothing answers.*main.*$registers/s },
	{ kernel => 'hole-store', status => 126, err => qr/stores .* 0xc8000000.*nothing answers.*main.*$registers/s },
	{ kernel => 'hole-jump', status => 126, err => qr/calls 0xc8000000, where no memory is; return address 0x\w+ \(main.*$registers/s },
	{ kernel => 'crash-smp', vole => [qw(-c 8)], status => 126, err => qr/\Avole: guest crashed(?!.*guest crashed).*$registers/s },
	{ kernel => 'port-unknown', status => 126, err => qr/port 0x3f8.*nothing answers.*$registers/s },
	{ kernel => 'long-mode', engine => 'soft', status => 126,
		err => qr/\Avole: CPU 0 uses 64-bit mode, which the software CPU does not have, at 0x\w+ \(\w+\+0x\w+\): run it with --engine kvm.*\nvole: guest crashed: general protection \(13\), .*enter_long_mode/ },
	{ kernel => 'long-mode', engine => 'kvm', status => 126, err => qr/port 0x3f8.*nothing answers.*RAX 123456789abcdef0 .*RIP 0x\w+ \(enter_long_mode.*code at RIP: ec /s },
	{ kernel => 'port-unknown', name => 'the port of the stubs', guest => ['252'], status => 126, err => qr/reads 1 byte from port 0xfc, where nothing answers/ },
	{ kernel => 'port-width', status => 126, err => qr/port 0xf4.*$registers/s },
	{ kernel => 'triple-fault', status => 126, err => qr/triple fault.*(?:code at EIP: 0f 0b|registers: lost)/s },
	# The exceptions that led to it, the first of them included.
	{ kernel => 'triple-fault', name => 'told by the software CPU', engine => 'soft', status => 126,
		err => qr/crashed: invalid opcode \(6\) on CPU 0 at 0x\w+ \(\w+\+0x\w+\); it could not be delivered: .*\nvole:   triple fault: its delivery raised general protection \(13\), error code 0x\w+: gate 6, then general/ },
	{ kernel => 'triple-fault', name => 'int3', guest => ['int3'], status => 126,
		err => qr/triple fault.*(?:code at EIP: cc|registers: lost)/s },
	{ kernel => 'unhandled', status => 126, err => qr/crashed: divide error \(0\) on CPU 0 at 0x\w+ \(main\+.*$registers/s },
	{ kernel => 'unhandled', name => 'where no VMM reports exceptions', guest => ['alone'], status => 100,
		out => qr/exception 0 \(divide error\).*eip/s },

	# --- the machine ---
	{ kernel => 'boot-state', guest => ['one two'], out => $checked },
	{ kernel => 'boot-state', name => 'words are joined', guest => ['one', 'two'], out => $checked },
	{ kernel => 'boot-state', name => 'with everything', vole => ['-m', '1G', '-c', 4, '-d', $disk, '--module', $module_a],
		guest => ['one two'], out => $checked },
	{ kernel => 'exceptions', out => $checked },
	# Which of the two a host gives is tests/lane/hardware.t's matter.
	{ kernel => 'paging', out => qr/^(?:all checks hold|no paging here)\n\z/ },
	{ kernel => 'timer', out => qr/^10 \+ 10 ticks\n/ },
	{ kernel => 'smp', vole => [qw(-c 1)], out => $checked },
	{ kernel => 'smp', name => '4 CPUs', vole => [qw(-c 4)],
		out => qr/\A(?=.*CPU 1 counted)(?=.*CPU 2 counted)(?=.*CPU 3 counted).*$checked/s },
	{ kernel => 'smp', name => '64 CPUs', vole => [qw(-c 64)], out => qr/\A(?:CPU \d+ counted\n){63}$checked/ },
	{ kernel => 'cpu-state', vole => [qw(-c 3)], out => $checked },
	# Its timer is too fast for the host's clock where the host is slow: tests/virtual-clock.t has more of it.
	{ kernel => 'repeat', engine => 'soft', vole => ['-c', 3, '--clock', 'virtual', '-d', image('repeat.img', 64)], out => qr/^tick 23 at \d+\n[012\n]+$checked/m },
	# It is saved there in tests/clone.t.
	{ kernel => 'ready', vole => ['-c', 3, '-d', image('ready.img', 8)],
		out => "counted to 100\ngoing on, generation 0\ncounted to 200\nall checks hold\n" },
	{ kernel => 'nmi-halt', engine => 'soft', status => 7 },
	{ kernel => 'nmi-halt', engine => 'soft', name => 'virtual clock', vole => [qw(--clock virtual)], status => 7 },
	{ kernel => 'init-sipi', vole => [qw(-c 2)], out => qr/CPU 1 is here/ },
	{ kernel => 'init-sipi', name => '3 CPUs', vole => [qw(-c 3)], out => qr/\A(?=.*CPU 1 is)(?=.*CPU 2 is).*$checked/s },
	{ kernel => 'library', out => $checked },
	{ kernel => 'modules', out => "all checks hold\n" },
	{ kernel => 'modules', name => 'two of them', vole => ['--module', $module_a, '--module', $module_b],
		out => "one.txt 3 294\ntwo.bin 5000 1275000\nall checks hold\n" },
	# With KVM it takes hardware semantics: tests/lane/mix.t.
	{ kernel => 'mix', engine => 'soft', vole => ['--module', write_file('mix.bin', mix_module(1, 20))],
		out => qr/\A(?:\d+ v=\w+ e=\w+ at=\w+:\w+ ef=.*\n){20}\z/ },
	{ kernel => 'mix', name => 'no module', status => 1, out => "mix takes a module with snippets\n" },
	{ kernel => 'hlt', vole => [qw(--timeout 1)], status => 124, out => qr/\A(?:idle\n)?\z/, err => qr/\Avole: time-out.*\n$state\z/ },
	# The shell waits to be told that the guest runs, then hangs up.
	{ kernel => 'hlt', name => 'a signal that is ignored', vole => [qw(--timeout 5)], status => 124, out => "idle\n",
		err => qr/\Avole: time-out.*\n$state\z/, under => ['bash', '-c', 'trap "" HUP; exec 3< <(exec "$0" "$@");
			read -ru3 line; echo "$line"; kill -HUP $!; wait $!'] },
	# Instructions that take vole long: the clock is looked at in between all the same.
	(map { { kernel => 'costly', name => "costly instructions: $_", vole => ['--timeout', 1], guest => [$_], status => 124, out => qr/\A\w*\z/,
		err => qr/\A$mistake{0,3}vole: time-out.*\n$state\z/, limit => 8 } } qw(scan ports device)),
	{ kernel => 'spin', vole => [qw(--timeout 1 -c 2)], status => 124, out => qr/\A(?:busy\n)?\z/, err => qr/\Avole: time-out.*\n$state\z/ },

	(map { { kernel => 'spin', name => "nobody reads what vole says, @$_", vole => ['--timeout', 2, @$_], under => \@deaf,
		status => 124, out => qr/\A(?:busy\n)?\z/ } } [], [qw(--log exits)]),
	# An end that is not the guest's own waits for nobody.
	{ kernel => 'serial-handover', name => 'its output does not keep --max-exits from ending it', status => 124,
		vole => [qw(--console none --max-exits 1 --serial), "file:$full"], err => qr/\Avole: stopped after 1 exit\n$state\z/ },
	# How it ended is settled before that is said.
	{ kernel => 'crash-smp', name => 'nobody reads why', vole => [qw(--timeout 1)], under => \@deaf, status => 126 },
	{ kernel => 'exit-code', name => 'nobody reads that it is over', vole => [qw(--timeout 1)], guest => [200], under => \@deaf, status => 119 },

	# --- devices ---
	{ kernel => 'register-access', vole => ['-d', $disk], out => $checked, err => qr/\A$mistake{7,20}\z/ },
	{ %hostile, kernel => 'hostile-rings', name => 'HARD-26 each fault of a driver is said, up to 100 of a device',
		out => qr/^868 attacks\n$checked/m, err => qr/\A(?=(?:.*further faults are not reported){3}(?!.*further faults))$driver_fault{303,350}\z/s },
	{ %hostile, kernel => 'hostile-setup', out => qr/^126 attacks\n$checked/m, err => qr/\A$driver_fault+\z/ },
	{ %hostile, kernel => 'hostile-registers', out => qr/^162 attacks\n$checked/m, err => qr/\A$driver_fault+\z/ },
	{ %hostile, kernel => 'hostile-requests', vole => ['-d', "$attacked,serial=hostile", '--virtio', 'packed=on'],
		out => qr/^162 attacks\n$checked/m, err => qr/\A$mistake{10,20}\z/, after => sub { ok(counts_up($attacked), 'hostile-requests: the image is as it was') } },
	{ %hostile, kernel => 'hostile-queues', vole => ['-d', "$attacked,queues=4", '--virtio', 'packed=on'],
		out => qr/^36 attacks\n$checked/m, err => qr/\A$driver_fault+\z/,
		after => sub { ok(counts_up($attacked), 'hostile-queues: the image is as it was') } },
	{ %hostile, kernel => 'hostile-ports', vole => ['-d', $disk, '--virtio', 'packed=on', '--console', 'stdio',
		'--console', 'unix:' . scratch() . '/port,name=' . 'x' x 64],
		out => qr/^54 attacks\n$checked/m, err => qr/\A$driver_fault{4,30}\z/ },
	{ %hostile, kernel => 'hostile-memory', vole => ['-d', image('hostile-memory.img', 4096),
		'--virtio', 'packed=on,notification-data=on'], out => qr/^96 attacks\n$checked/m, err => qr/\A$mistake{3,20}\z/ },
	{ %hostile, kernel => 'hostile-smp', vole => ['-c', 2, '-d', image('hostile-smp.img', 64), '--virtio', 'packed=on',
		'--console', 'stdio', '--console', 'unix:' . scratch() . '/port-smp,name=x'],
		out => qr/^128 attacks\n$checked/m, err => qr/\A$driver_fault*\z/ },
	(map { { kernel => 'no-notify', name => $_, vole => ['--virtio', $_], out => $checked } }
		'event-idx=on', 'event-idx=off', 'packed=on', 'packed=on,event-idx=off'),
	{ kernel => 'rng-draw', out => $checked },
	# The first 40000 bytes are there at once.
	{ kernel => 'rng-draw', name => 'at 40000 bytes a second', vole => [qw(--rng rate=40000)], out => $checked },
	{ kernel => 'rng-print', vole => ['--rng', "file=$module_a"], guest => [3], out => 'abc' },
	{ kernel => 'rng-print', name => 'the end of the file', vole => ['--rng', "file=$module_a"], guest => [4], status => 2,
		err => qr/\Avole: device 1, rng: no random bytes from the host: No data available\n\z/ },
	{ kernel => 'rng-print', name => 'standard input, a pipe', guest => [2600],
		vole => ['--rng', 'file=/dev/stdin,rate=2000', '--console', 'file:/dev/stdout'],
		stdin => join('', 'a' .. 'z') x 100, out => join('', 'a' .. 'z') x 100 },
	{ kernel => 'block-rw', vole => ['-d', "$disk,serial=abc"], out => qr/^disk abc, 64 sectors\n.*$checked/s,
		err => $bad_requests,
		after => sub { ok(counts_up($disk), 'block-rw: the image has what the guest wrote') } },
	{ kernel => 'fake-device', out => qr/^(?:(?:$used\ was\ never\ made\ available\n){3}(?:$used\ has\ 11\ bytes,\ of\ at\ most\ 10\n){2}){2}
		$used\ was\ never\ made\ available\n$used\ has\ 1\ bytes,\ of\ at\ most\ 0\none\nall\ checks\ hold\n\z/x },
	# With a hundred of it: tests/many.
	{ kernel => 'mixed', vole => ['-d', image('mixed.img', 8)], until => qr/^20$/m, status => 128 + 15, out => qr/\A1\n2\n3\n/ },
	{ kernel => 'in-flight', vole => ['-d', "$disk,ro"] },
	{ kernel => 'rings', vole => ['-d', "$disk,ro"], stdin => $alphabet, out => each_set(4) },
	{ kernel => 'rings', name => 'of all features', stdin => $alphabet, vole => ['-d', "$disk,ro",
		'--virtio', 'packed=on,in-order=on,notification-data=on'], out => each_set(32) },
	{ kernel => 'features', vole => ['-d', "$disk,ro"], out => "3: 28 29 32 40\n4: 28 29 32 40\n2: 28 29 32 40\n" },
	{ kernel => 'features', name => 'chosen', vole => ['--virtio', 'indirect=off,notification-data=on', '--rng', 'host,indirect=on',
		'--console', 'stdio,notification-data=off,ring-reset=off,packed=on', '-d', "$disk,ro,event-idx=off,in-order=on"],
		out => "3: 29 32 34\n4: 28 29 32 38 40\n2: 32 35 38 40\n" },
	{ kernel => 'features', name => 'all', vole => ['-d', "$disk,ro", '--virtio', 'packed=on,in-order=on,notification-data=on'],
		out => join '', map { "$_: 28 29 32 34 35 38 40\n" } 3, 4, 2 },
	{ kernel => 'block-rw', name => 'read-only', vole => ['-d', "$disk,ro,serial=" . 'x' x 20],
		out => qr/^disk x{20}, 64 sectors\n.*$checked/s,
		err => qr/\Avole: device 2, block: write at sector 0: the disk is read-only \(virtio 5\.2\.6\.2\)\n$mistake{3}\z/,
		after => sub { ok(counts_up($disk), 'block-rw, read-only: the image is as it was') } },
	{ kernel => 'block-rw', name => 'of two disks the first', vole => ['-d', image('first.img', 16), '-d', image('second.img', 32)],
		out => qr/^disk disk0, 16 sectors\n.*$checked/s, err => $bad_requests },
	{ kernel => 'block-error', name => 'a host that takes all', vole => ['-d', image('good.img', 16)],
		out => "writes failed: 0 of 16\nflush: 0\nread: 0\n" },
	# Writes of the host fail from 4 KiB on: EFBIG, as a full file system's ENOSPC.
	{ kernel => 'block-error', name => 'a host that takes no more', vole => ['-d', image('limited.img', 16)],
		under => ['sh', '-c', 'ulimit -f 8 && exec "$0" "$@"'],
		out => "writes failed: 8 of 16\nflush: 0\nread: 0\n", err => qr/\Avole: \S+limited\.img: write.*\n\z/ },
	{ kernel => 'block-requests', vole => ['-d', image('requests.img', 16)], guest => ['w 0 2 r 0 3 f 0 0 z 1 1 r 0 3 r 16 1'],
		out => "w 0 2: ok\nr 0 3: ok\nf 0 0: ok\nz 1 1: ok\nr 0 3: ok\nr 16 1: error 5\n", err => qr/\A$mistake\z/ },
	{ kernel => 'block-ranges', vole => ['-d', $ranges],
		out => qr/^discard 16 of 131072, zero 8 of 2048\n$checked/,
		err => qr/\A(?=.* flags 0x1, .*of 32768: beyond .* 131073 sectors .* 15 bytes, )$mistake{4}\z/s,
		after => sub {
			ok(ranges_are_done($ranges), 'block-ranges: the image is zeroed where it should be, and nowhere else');
			cmp_ok(storage($ranges), '<', 16384 * 1024 - 400 * 1024, 'block-ranges: what was discarded takes no storage');
			cmp_ok(storage($ranges), '>', 12000 * 1024, 'block-ranges: what was zeroed without unmap does');
		} },
	{ kernel => 'block-cache', vole => ['-d', image('cache.img', 16)],
		out => "write-back\nwrite-through\nwrite-back\nwrite-through\nwrite-back\nall checks hold\n" },
	{ kernel => 'block-cache', name => 'without a choice', vole => ['-d', image('no-wce.img', 16) . ',config-wce=off'],
		out => "write-back\nall checks hold\n" },
	{ kernel => 'block-cache', name => 'without flush', vole => ['-d', image('no-flush.img', 16) . ',flush=off'],
		out => "write-through\nall checks hold\n" },
	{ kernel => 'block-limits', vole => ['-d', $counting],
		out => qr/^blocks of 512 bytes, units of \d+, pieces of 1048576\n$checked/ },
	{ kernel => 'block-limits', name => 'large blocks', vole => ['-d', "$counting,ro,block-size=4096"],
		out => qr/^blocks of 4096 bytes, units of \d+, pieces of 1048576\n$checked/ },
	{ kernel => 'block-limits', name => 'nothing said', vole => ['-d', "$counting,ro,size-max=off,blk-size=off,topology=off,seg-max=off"],
		out => qr/^blocks of 512 bytes, units of 512, pieces of 4294966784\n$checked/ },
	(map { { kernel => 'block-queues', name => "$_ of them", vole => ['-d', "$counting,ro,queues=$_"],
		out => "$_ queues\nall checks hold\n" } } 1, 2, 4),
	{ kernel => 'block-queues', name => 'more than the driver uses', vole => ['-d', "$counting,ro,queues=8,notification-data=on"],
		out => "4 queues\nall checks hold\n" },
	# Its thread looks before it waits; the software CPU has none.
	(map { { kernel => 'block-queues', name => "poll=$_", engine => 'kvm', vole => ['-d', "$counting,ro,queues=4,poll=$_"],
		out => "4 queues\nall checks hold\n" } } 'auto', 'off', 1, 1000),
	{ kernel => 'in-flight', name => 'polled', engine => 'kvm', vole => ['-d', "$counting,ro,poll=1000"] },
	{ kernel => 'reset-in-flight', name => 'polled', engine => 'kvm', vole => ['-d', image('large.img', 2048) . ',poll=100'], out => $checked },
	{ kernel => 'journal', vole => ['-d', image('journal.img', 2)], guest => [3], status => 7, out => "1\n2\n3\n",
		after => sub { ok(slurp(scratch() . '/journal.img') eq pack('V*', (2) x 128, (3) x 128), 'journal: in the image') } },
	{ kernel => 'stalled', vole => ['-d', image('stalled.img', 2)], stdin => 'xx', out => qr/^ready\nregisters answer\nreset\n$checked/ },
	# That would be 128 GiB.
	{ kernel => 'block-last', vole => ['-m', '640M', '--timeout', 4, '-d', image('last.img', 1 << 21) . ',queues=4'], status => 124,
		out => $checked, err => qr/\Avole: time-out .*asked for last is not done\n\z/ },
	# The shell changes the image's size twice, each time when the guest has said what it is.
	{ kernel => 'block-resize', vole => ['--timeout', 60, '-d', $resized], guest => [16],
		under => ['bash', '-c', 'exec 3< <(exec "$0" "$@"); pid=$!
			for size in 128 16; do
				read -ru3 line; echo "$line"; truncate -s $((size * 512)) ' . $resized . '; kill -USR1 $pid
			done
			cat <&3; wait $pid'],
		out => "64 sectors\n128 sectors\n16 sectors\nall checks hold\n",
		# What it asks for beyond the end before the first change is a mistake, and after the last is not.
		err => qr/\Avole: device 2, block: read of 1 sector at sector 64 of 64: beyond .*\nvole: \S+resized.img: 128 sectors, was 64\nvole: \S+resized.img: 16 sectors, was 128\n\z/ },
	{ kernel => 'reset-in-flight', vole => ['-d', image('large.img', 2048)], out => $checked },
	{ kernel => 'reset-in-flight', name => 'packed', vole => ['-d', image('large.img', 2048), '--virtio', 'packed=on'], out => $checked },
	(map { { kernel => 'busy', %$_, out => qr/\A\n+all checks hold\n+\z/, err => qr/\A(?:vole: device \d, \w+: .*\n)*\z/ } }
		{ vole => ['-c', 5, '-d', image('busy0.img', 64), '-d', image('busy1.img', 64)] },
		{ name => 'with all features', vole => ['-c', 5, '-d', image('busy2.img', 64), '-d', image('busy3.img', 64),
			'--virtio', 'packed=on,in-order=on,notification-data=on'] },
		{ name => 'polled', engine => 'kvm', vole => ['-c', 5, '-d', image('busy4.img', 64) . ',poll=100', '-d', image('busy5.img', 64) . ',poll=1'] }),
	{ kernel => 'emergency-write', out => "help\n" },
	# With several ports: tests/ports.t.
	{ kernel => 'ports', stdin => "flood a\nsize\nquit\n", out => "ports: 1\nno port \"a\"\nsize 0x0 0x0\n" },
	{ kernel => 'echo', stdin => "abc\0\x01\xffxyzq and more", out => "ready\nabc\0\x01\xffxyzq" },
	# To open /dev/ptmx by its name would make another one.
	{ kernel => 'echo', name => 'to the master of a pseudo-terminal', stdin => 'q', under => \@to_master, out => "ready\n" },
	{ kernel => 'echo', name => 'more than there are buffers', stdin => join('', map { "$_\n" } 1 .. 300) . 'q',
		out => "ready\n" . join('', map { "$_\n" } 1 .. 300) . 'q' },
	{ kernel => 'serial', vole => [qw(--serial stdio)], stdin => "abc\0\x01\xffxyzq and more", out => "ready\nabc\0\x01\xffxyzq" },
	{ kernel => 'serial', name => 'more than its FIFO holds', vole => [qw(--serial stdio)],
		stdin => join('', map { "$_\n" } 1 .. 3000) . 'q', out => join('', "ready\n", map { "$_\n" } 1 .. 3000) . 'q' },
	{ kernel => 'serial', name => 'no serial port', status => 126, err => qr/writes .* to port 0x3fa, where nothing answers/ },
	{ kernel => 'echo', name => 'the end of input is not told', stdin => 'abc', until => qr/abc/, status => 128 + 15,
		out => "ready\nabc" },
	{ kernel => 'console-smp', vole => [qw(-c 3)], out => qr/\A(?:CPU [012] line \d+\n){60}(?:all checks hold\n)?\z/ },
	{ kernel => 'console-flood', guest => [300],
		out => join '', map { sprintf "%08d %s\n", $_, substr 'abcdefghijklmnopqrstuvwxyz' x 40, 9, 1014 } 0 .. 299 },
	{ kernel => 'console-flood', name => 'a reader that leaves', guest => [300],
		under => ['bash', '-c', '"$0" "$@" | head -c 5 >/dev/null; exit ${PIPESTATUS[0]}'],
		status => 125, err => qr/\Avole: .*Broken pipe\n\z/ },
	{ kernel => 'console-flood', name => 'a full disk', guest => [300], under => ['sh', '-c', 'exec "$0" "$@" >/dev/full'],
		status => 125, err => qr/\Avole: .*No space left on device\n\z/ },
	{ kernel => 'console-flood', name => 'standard output closed', guest => [300], under => ['sh', '-c', 'exec "$0" "$@" >&-'],
		status => 125, err => qr/\Avole: .*Bad file descriptor\n\z/ },
	{ kernel => 'print-race', vole => ['-c', 2], out => qr/\A[A-Z]{20000}[A-Z]*all checks hold\n\z/ },
	{ kernel => 'restless', vole => [qw(--console none --serial stdio --virtio event-idx=off)], status => 7, out => "\0" x 16384 },
	{ kernel => 'serial-handover', vole => [qw(--console none --serial stdio)], status => 7, out => "late\n" },
	# It is saved in the middle of that in tests/clone.t.
	{ kernel => 'serial-count', vole => [qw(--console none --serial stdio)], out => join '', map { "$_\n" } 1 .. 1000 },
	{ kernel => 'console-flood', name => 'to a file', vole => ['--console', 'file:' . scratch() . '/flood'], guest => [2],
		after => sub { is(-s scratch() . '/flood', 2048, 'console-flood: all of it is in the file') } },
	{ kernel => 'console-passes', vole => [qw(--console file:/dev/null)], out => qr/\A\.*(?:\d+\.*)+\z/ },
	{ kernel => 'console-last', name => 'a reader that is slow', guest => [256],
		under => ['bash', '-c', '"$0" "$@" | { sleep 1; cat; }; exit ${PIPESTATUS[0]}'],
		out => join '', ('x' x 1023, "\n") x 256 },
	{ kernel => 'console-last', name => 'a full disk', guest => [256], under => ['sh', '-c', 'exec "$0" "$@" >/dev/full'],
		status => 125, err => qr/\Avole: [^\n]*No space left on device\n\z/ },
	# poll() takes no more descriptors than may be open, and SIGUSR1 has vole call it again.
	# prlimit64(2) of RLIMIT_NOFILE; not every machine of ours has prlimit(1).
	# The signal is for one that waits; it may be at its end already.
	{ kernel => 'console-last', name => 'a host that does not wait', guest => [256],
		under => ['bash', '-c', 'exec 3< <(exec "$0" "$@"); pid=$!; read -rN1 -u3
			perl -e "my \$limit = pack(q(QQ), 5, 5); syscall 302, $pid, 7, \$limit, 0"; kill -USR1 $pid 2>&-; wait $pid'],
		status => 125, err => qr/\Avole: poll: Invalid argument\n\z/ },
	{ kernel => 'console-last', name => 'nobody reads', vole => [qw(--timeout 3)], guest => [256], status => 124,
		under => unread(),
		err => qr/\Avole: time-out .*nobody takes its output\n\z/ },
	{ kernel => 'console-failed', vole => [qw(--timeout 60)],
		under => unread() },
	{ kernel => 'demo', vole => ['-c', 2, '-d', image('demo.img', 16), '--module', $module_a], guest => ['a', 'b'],
		out => qr/command line "a b".*"one\.txt".*disk 0: .*written, flushed, read back, compared.*CPU 1: started.*interrupts/s },
	{ kernel => 'demo', name => 'says what is agreed on', vole => ['-d', image('demo.img', 16) . ',packed=on,in-order=on', '--virtio', 'indirect=off'],
		out => qr/came through virtio\n  queues: split, event index, ring reset\n.*disk 0.*queues: packed, event index, in order, ring reset\n/s },
	{ kernel => 'demo', name => 'no devices', vole => [qw(--console none --rng none)], out => qr/device map, 0 entries/ },
);

# Whole text or pattern.
sub fits {
	my ($text, $expected) = @_;
	return ref $expected ? $text =~ $expected : $text eq ($expected // '');
}

for my $case (@cases) {
	next if $case->{engine} && $case->{engine} ne engine();
	my $name = $case->{kernel} . (defined $case->{name} ? ", $case->{name}" : '');
	my @command = (@{$case->{under} // []}, vole_run(), @{$case->{vole} // []}, build() . "/guest/$case->{kernel}.elf");
	push @command, '--', @{$case->{guest}} if $case->{guest};
	my $result = run(\@command, stdin => $case->{stdin}, until => $case->{until}, limit => $case->{limit});
	my $status = $case->{status} // 0;

	is($result->{status}, $status, "$name: status $status") or diag("@command\n", shown($result));
	ok(fits($result->{out}, $case->{out}), "$name: standard output")
		or diag("@command\n", shown($result), 'expected: ', brief($case->{out} // ''));
	ok(fits($result->{err}, $case->{err}), "$name: standard error")
		or diag("@command\n", shown($result), 'expected: ', brief($case->{err} // ''));
	$case->{after}->() if $case->{after};
}

my %tested = map { $_->{kernel} => 1 } @cases;
# Those of core.t, gdb.t, sandbox.t, stats.t, replay.t and backwards.t are not.
ok($tested{$_}, "$_ is in the table") for grep { !/^(?:core|costs|deaf|debug|list|recorded|rng-asleep|rng-flood|sandbox-hole)$/ } map { m{([^/]+)\.c$} } glob 'tests/guest/*.c';

# --- what the documents promise ---

# Text without what differs from run to run and from host to host.
sub constant_part {
	my ($text) = @_;
	$text =~ s/\b[0-9a-f]{2}(?: [0-9a-f]{2})+$/BYTES/gm;
	$text =~ s/\b(?:0x)?[0-9a-f]{8}\b|\d+/N/g;
	$text =~ s/ +/ /g;
	return $text =~ s/ $//gmr;
}
{
	my ($promised) = slurp('README.md') =~ /^    (build\/vole run .*?disk 0 +\d+)\n/ms;
	my ($disk_text, $image) = (slurp('guest-kernel/demo-disk.txt'), image('readme.img', 2048));
	open my $file, '+<:raw', $image or die "$image: $!\n";
	print $file $disk_text;
	close $file or die "$image: $!\n";
	my $result = run([vole_run(), '--disk', "$image,serial=demo", build() . '/guest/demo.elf']);
	my (undef, @lines) = map { s/^    //r } split /\n/, $promised // '';
	is(constant_part($result->{out}), constant_part(join '', map { "$_\n" } @lines), 'the demo prints what the README shows');
}

done_testing();
