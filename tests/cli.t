#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The command line: what is asked for wrongly is refused by name, on standard error alone, with the
# exit status of the manual: 125 for vole's own, 127 for the kernel.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Fcntl ':flock';
use IO::Handle;
use POSIX 'mkfifo';
use Test::More;
use Vole;

my $hello = build() . '/guest/hello.elf';
my $root = $> == 0;

# Root may read and write everything, so vole runs without that capability.
my @vole = ($root ? ('setpriv', '--bounding-set=-dac_override,-dac_read_search') : (), vole());

# vole with these words says this on standard error, each line its own, nothing on standard output.
sub refused {
	my ($name, $status, $pattern, @words) = @_;
	my $result = run([@vole, @words]);
	my @strange = grep { !/^vole: / } split /\n/, $result->{err};

	my $ok = $result->{status} eq $status && $result->{out} eq '' && $result->{err} =~ $pattern && !@strange;
	ok($ok, "$name is refused with $status") or diag("expected $pattern", "\n", shown($result));
	return;
}

# vole with these words succeeds, and says something like this on standard output.
sub accepted {
	my ($name, $pattern, @words) = @_;
	my $result = run([@vole, @words]);
	# Where there is no KVM, run says which engine takes its place.
	my $err = kvm_absent() ? $result->{err} =~ s{\Avole: /dev/kvm: [^\n]*the software CPU[^\n]*\n}{}r : $result->{err};

	my $ok = $result->{status} eq 0 && $err eq '' && $result->{out} =~ $pattern;
	ok($ok, $name) or diag("expected $pattern", "\n", shown($result));
	return;
}

# --- help ---

my $readme = slurp('README.md');
like($readme, qr/^ +(?:-\w, )?\Q$_\E\b/m, "the README's command line has $_")
	for run([vole(), '--help'])->{out} =~ /^ +(?:-\w, )?(--\w[\w-]*)/mg;
accepted('--help goes to standard output', qr/^usage: vole run .*--console.*Exit status/s, '--help');
accepted('run --help does too', qr/^usage: vole run/, 'run', '--help');
accepted('--version', qr/^vole \d/, '--version');
refused('--version with a word', 125, qr/\Avole: --version extra: it has no options\n\z/, '--version', 'extra');
{
	my $result = run([vole()]);
	ok($result->{status} eq 125 && $result->{out} eq '' && $result->{err} =~ /\Ausage: vole run (?:.*\n){2,7}\z/,
		'"vole" gives the forms of the command line on standard error, and 125') or diag(shown($result));
}
refused('a word that is no command', 125, qr/\A.*fly: not a command; there are run, clone, replay, inspect, story and doctor.*\n\z/, 'fly', $hello);
refused("a mistyped command: $_", 125, qr/\A.*$_: not a command; run\?/, $_, $hello) for qw(rnu runn ru rub);
refused('a kernel where a command should be', 125, qr/not a command; "vole run \Q$hello\E" boots it/, $hello);
refused('... with a space in its name', 125, qr/ "vole run '\S+a b'" boots it/, write_file('a b', ''));

for my $words ('--help', '--version', "inspect $hello") {
	my $full = run(['sh', '-c', "\"\$0\" $words >/dev/full", vole()]);
	ok($full->{status} eq 125 && $full->{err} =~ /^vole: standard output: No space left/, "$words to a full disk is an error")
		or diag(shown($full));
}
{
	# SIGUSR1 may come before there are disks to look at: whoever starts vole cannot know when there are. The pipe
	# is full, so it waits, early in its life; and says so by taking what has room.
	pipe my $read, my $write or die "pipe: $!\n";
	$write->blocking(0);
	1 while syswrite $write, 'x' x 4096;
	$write->blocking(1);
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		POSIX::dup2(fileno $write, 1);
		exec vole(), '--help' or POSIX::_exit(255);
	}
	close $write;
	my $deadline = time + 60;
	select undef, undef, undef, 0.01
		until slurp("/proc/$pid/wchan") =~ /pipe/ || slurp("/proc/$pid/syscall") =~ /^1 0x1 / || time > $deadline;
	kill 'USR1', $pid;
	1 while sysread $read, my ($bytes), 65536;
	waitpid $pid, 0;
	is($?, 0, 'SIGUSR1 does not end vole, however early');
}
# 16 MiB, in blocks of 512 bytes: sanitizers write some of their own before main().
my $limited_file = write_file('limited', "\0" x (16 << 20));
for my $words ('--help', "inspect $hello") {
	my $limited = run(['sh', '-c', "ulimit -f 32768; \"\$0\" $words >>'$limited_file'", vole()]);
	ok($limited->{status} eq 125 && $limited->{err} =~ /^vole: standard output: File too large/,
		"$words to a file that may not grow is an error") or diag(shown($limited));
}
SKIP: {
	skip 'it is linked dynamically, and needs files itself', 2
		if run(['sh', '-c', 'ulimit -n 0; exec "$0" --version', vole()])->{status} ne 0;
	for (['without room for a file', ':', 127, qr/hello\.elf: Too many open files/],
		['nor for a standard input', 'exec <&-', 125, qr{/dev/null: Too many open files}]) {
		my ($name, $first, $status, $said) = @$_;
		my $result = run(['sh', '-c', "$first; ulimit -n 0; exec \"\$0\" run \"\$1\"", vole(), $hello]);
		ok($result->{status} eq $status && $result->{err} =~ /\Avole: \S*$said: the limit is 0; [^\n]*\n\z/, $name) or diag(shown($result));
	}
}

# --- options ---

for my $command ('run', 'inspect') {
	refused("$command: a long option that is unknown", 125, qr/--fly: unknown option/, $command, '--fly', $hello);
	refused("$command: a short option that is unknown", 125, qr/-q: unknown option/, $command, '-q', $hello);
	refused("$command: $_->[0]", 125, $_->[1], $command, @$_[2 .. $#$_], $hello)
		for ['a short option among others', qr/ -x: unknown option/, '--verbose', '-xv'],
		['after a long one with its argument', qr/ -q: unknown option/, '--memory=64M', '-vqv'],
		['a long one with an argument too much', qr/ --verbose=3: --verbose takes no argument/, '-v', '--verbose=3', '-v'],
		['a long one that is mistyped', qr/ --tiemout=3: unknown option; --timeout\?/, '--tiemout=3'],
		['a long one that is unknown, before a short one', qr/ --fly: unknown option/, '--fly', '-v'];
	refused("$command: an option without its argument", 125, qr/-m: needs an argument/, $command, $hello, '-m');
	refused("$command: no kernel", 125, qr/no kernel/, $command);
	refused("$command: no kernel but a value", 125, qr/no kernel is named: \Q$hello\E is what --disk takes/, $command, '--disk', $hello);
	refused("$command: no kernel before --", 125, qr/no kernel/, $command, '--', $hello);
	refused("$command: a second kernel", 125, qr/second: a second kernel, after \Q$hello\E; words/, $command, $hello, 'second');
}
for ('', 'x', 'M', '-1', '16MB', '16m', '0x1000', '1.5G', '4G', '5000000000', '99999999999999999999', ' 16M', '16M ') {
	refused("memory \"$_\"", 125, qr/--memory \Q$_\E: /, 'run', '-m', $_, $hello);
}
refused('memory of 0', 125, qr/--memory 0: a machine needs memory; 64M is usual/, 'run', '-m', 0, $hello);
refused('memory of half a page', 125, qr/memory size 18432 is not a multiple of 4096/, 'run', '-m', '18K', $hello);
refused('memory over 3 GiB', 125, qr/--memory 3145732K: a machine has at most 3G/, 'run', '-m', '3145732K', $hello);
refused('memory of 4 GiB', 125, qr/--memory 4G: a machine has at most 3G/, 'run', '-m', '4G', $hello);
refused('memory in bytes where megabytes were meant', 125, qr/--memory 64: that is 64 bytes; 64M\?/, 'run', '-m', 64, $hello);
refused('memory for no more than the boot data', 125, qr/memory size 32768 is too small/, 'run', '-m', '32K', $hello);
refused('memory smaller than the kernel', 127, qr/hello\.elf: .*beyond RAM of 0x100000 bytes; --memory 2M is enough$/, 'run', '-m', '1M', $hello);
refused('memory smaller than the kernel and its module', 127, qr/hello\.elf: .*; --memory 7M is enough$/, 'run', '-m', '1M', '--module',
	write_file('five', 'x' x (5 << 20)), $hello);
accepted('... which it is', qr/^Memory map/m, 'inspect', '-m', '7M', '--module', scratch() . '/five', $hello);
{
	my $bytes = slurp($hello);
	my $moved = 0x8048000 - 0x100000;
	substr $bytes, $_->{header} + 8, 8, pack 'V2', $_->{vaddr} + $moved, $_->{paddr} + $moved for elf_segments($bytes);
	substr $bytes, 24, 4, pack 'V', $moved + elf_entry($bytes);
	my $hosted = write_file('hosted', $bytes);
	refused('a kernel at the default address of linkers', 127,
		qr/0x8048000-0x\w+ lies beyond RAM of 0x4000000 bytes; --memory 129M is enough, or link it lower \(cc -Wl,-Ttext-segment=0x100000\)/, 'run', $hosted);
	accepted('... which fits into as much', qr/^ +0  0x08048000/m, 'inspect', '-m', '129M', $hosted);
}
refused("CPUs: \"$_\"", 125, qr/--cpus \Q$_\E: not a number from 1 to/, 'run', '-c', $_, $hello)
	for 0, 65, 1000, -1, 'two', '', '99999999999999999999';
refused("console \"$_\"", 125, qr/--console \Q$_\E: not stdio/, 'run', '--console', $_, $hello) for '', 'tty', 'file:', 'unix:';
refused("a console $_->[0]", 125, qr/--console stdio: $_->[1]/, 'run', '--console', "stdio,$_->[2]", $hello)
	for ['with a name of no bytes', qr/name "" is not of 1 to 64 bytes/, 'name='],
	['with a name of 65', qr/name "x+" is not of/, 'name=' . 'x' x 65],
	['with an option that is unknown', qr/unknown option "size=on" \(there are name=NAME; multiport, indirect/, 'size=on'];
refused("console none,$_", 125, qr/--console none: nothing else goes with it/, 'run', '--console', "none,$_", $hello)
	for 'name=a', 'multiport=on', 'indirect=on';
refused('a ninth console', 125, qr/--console pty: at most 8 consoles/, 'run', ('--console', 'pty') x 9, $hello);
refused("consoles: $_->[0]", 125, $_->[1], 'run', (map { ('--console', $_) } @$_[2 .. $#$_]), $hello)
	for ['two on standard input', qr/--console stdio: only one can be/, 'stdio', 'pty', 'stdio'],
	['none of several', qr/--console none: none cannot be combined/, 'pty', 'none'],
	['the same name', qr/--console pty,name=a: another has the same name/, 'stdio,name=a', 'pty,name=a'],
	['several without multiport', qr/--console stdio: not without multiport/, 'stdio', 'pty,multiport=off'],
	['a name without multiport', qr/--console pty,name=a: not without multiport/, 'pty,name=a,multiport=off'];
refused('consoles: the same socket', 125, qr/--console .*sock: Address already in use/, 'run',
	('--console', 'unix:' . scratch() . '/sock') x 2, $hello);
refused('consoles: the same file', 125, qr/--console .*same: in use by this machine/, 'run',
	('--console', 'file:' . scratch() . '/same') x 2, $hello);
accepted('inspect shows a console of several ports', qr/^  0xd0000000 .*console of several ports/m, 'inspect',
	'--console', 'stdio', '--console', 'pty,name=a', $hello);
refused("serial \"$_\"", 125, qr/--serial \Q$_\E: not stdio/, 'run', '--serial', $_, $hello) for '', 'tty', 'file:', 'unix:';
refused("rng \"$_\"", 125, qr/--rng \Q$_\E: unknown option "\Q$_\E"(?:; file=PATH\?)? \(there are host, none, file=PATH, rate/, 'run', '--rng', $_,
	$hello) for '', 'guest', 'file=';
refused("rng with \"$_\"", 125, qr/--rng host: unknown option "\Q$_\E"(?:; packed=on\?)? \(there are host, .*; indirect,/, 'run', '--rng', "host,$_",
	$hello) for '', 'ro', 'packet=on';
refused("rng rate \"$_\"", 125, qr/--rng rate=\Q$_\E: not a number from 1 to 1000000000/, 'run', '--rng', "rate=$_", $hello)
	for '', 0, -1, 'fast', '10K', 1_000_000_001;
refused("rng \"$_\"", 125, qr/--rng \S+: not together with /, 'run', '--rng', $_, $hello)
	for 'host,file=/dev/null', 'file=/dev/null,none', 'host,rate=1,host', 'file=/dev/null,file=/dev/zero';
refused("rng \"$_\"", 125, qr/--rng none: nothing else goes with it/, 'run', '--rng', $_, $hello)
	for 'none,rate=1', 'rate=1,none', 'none,indirect=on';
# To look at a machine changes no file.
{
	my $left = write_file('left', 'as it was');
	for (map { [$_->[0], "$_->[1]$left"], [$_->[0], $_->[1] . scratch() . '/nowhere/x'] }
		['--checkpoint', ''], ['--record', ''], ['--core', ''], ['--coverage', ''], ['--profile', ''], ['--capture', ''], ['--trace', ''], ['--stats', 'json:'],
		['--log', 'virtio,file='], ['--console', 'file:'], ['--console', 'unix:'], ['--serial', 'file:']) {
		my ($option, $argument) = @$_;
		accepted("inspect $option", qr/^Kernel/, 'inspect', "$option=$argument", $hello);
	}
	is(slurp($left), 'as it was', 'inspect leaves files as they were');
}

# What a newcomer may do.
for (qw(--core --coverage --record --initrd --trace --profile --checkpoint)) {
	refused("$_ without a name", 125, qr/\Avole: $_: no file is named\n\z/, 'run', $_, '', $hello);
	refused("$_ -", 125, qr/\Avole: $_ -: standard output is the guest's; name a file\n\z/, 'run', $_, '-', $hello) if $_ ne '--initrd';
	refused("$_ twice", 125, qr/\Avole: $_ b: there can be only one, and a is named before\n\z/, 'run', $_, 'a', $_, 'b', $hello);
}
refused("--log $_,file=-", 125, qr/\Avole: --log $_,file=-: standard output is the guest's; name a file\n\z/, 'run', '--log', "$_,file=-", $hello)
	for qw(virtio pio mmio exits);
accepted("doctor $_", qr/^usage: vole run/, 'doctor', $_) for qw(--help -h);
refused("$_ with a socket's name that is too long", 125, qr/\Avole: $_ unix:x+: the name of a socket has at most 107 bytes\n\z/, 'run', $_, 'unix:' . 'x' x 108, $hello)
	for qw(--console --gdb --serial);
refused('--module without a name', 125, qr/\Avole: --module: no file is named\n\z/, 'run', '--module', '', $hello);
refused("$_ with a kernel that has no name", 125, qr/\Avole: the name of the \w+ is empty\n\z/, $_, '') for qw(run inspect clone replay);
like(run([vole(), ''])->{err}, qr/\Ausage: /, 'a command without a name: there are these');
refused("--memory $_", 125, qr/\Avole: --memory $_: a machine needs memory; 64M is usual\n\z/, 'run', '--memory', $_, $hello) for qw(0 0K 0G);
refused("$_->[0] unix:PATH of a file", 125, qr/\Avole: $_->[0] unix:\Q$_->[1]\E: a file or folder of this name is there, which is no socket\n\z/, 'run', $_->[0], "unix:$_->[1]", $hello)
	for ['--console', scratch()], ['--gdb', $hello], ['--serial', $hello];
SKIP: {
	my @protected = (qw(unshare -rm sh -c), 'mount --bind "$1" "$1" && mount -o remount,ro,bind "$1" && shift && exec "$@"', 'sh', scratch());
	my $disk = write_file('protected', "\0" x 512);
	skip 'no file system can be mounted here', 3 if run([@protected, 'true'])->{status} ne 0;
	my $ran = run([@protected, vole(), 'run', '-d', $disk, $hello]);
	is("$ran->{status} $ran->{err}", "125 vole: $disk: Read-only file system; \",ro\" has the disk be read-only, \",private\" keeps what is written in memory\n", 'a disk that cannot be written: what to do');
	is(run([@protected, vole(), 'run', '-d', "$disk,$_", $hello])->{status}, 0, "... with $_ it can be had") for qw(ro private);
}

# In every list a comma of a name is written twice; an option that takes a name alone takes it as it is. A file that is
# there is made known by its name where a comma stands alone.
{
	my $folder = scratch() . '/a,b: c';
	mkdir $folder or die "$folder: $!\n";
	my $in_list = $folder =~ s/,/,,/gr;
	write_file('a,b: c/disk', "\0" x 512);
	my @once = ('run', '--engine', 'soft');
	for (
		['--disk', '', 'disk', ',ro'], ['--console', 'file:', 'console', ',name=x'], ['--rng', 'file=', 'disk', ',rate=5'],
		['--log', 'virtio,file=', 'log', ''], ['--log', 'exits,file=', 'exits', ''], ['--capture', '', 'capture', ',snap=5'],
		['--profile', '', 'profile', ',hz=10'], ['--checkpoint', '', 'checkpoint', ',at=0']
	) {
		my ($option, $before, $name, $behind) = @$_;
		my $right = run([vole(), @once, $option, "$before$in_list/$name$behind", $hello]);
		ok($right->{status} eq 0 && -e "$folder/$name", "$option $before...$behind: a name with commas") or diag(shown($right));
		refused("$option $before...$behind: commas that stand alone", 125,
			qr/^vole: --.*\nvole: \Q$folder\E\S*: in a list, a comma of a name is written twice: \Q$in_list\E\S*\n\z/,
			@once, $option, "$before$folder/$name$behind", $hello);
	}
	for (['--trace', ''], ['--stats', 'json:'], ['--record', ''], ['--serial', 'file:']) {
		my ($option, $before) = @$_;
		my $plain = run([vole(), @once, "$option=$before$folder/plain$option", $hello]);
		ok($plain->{status} eq 0 && -e "$folder/plain$option", "$option: a name as it is") or diag(shown($plain));
	}
	accepted("$_: a name as it is", qr/^Hello/, @once, $_, "$folder/disk", $hello) for '--module';
	# Where it is refused for another reason, nothing is said of lists.
	refused("$_ twice, with commas", 125, qr/^vole: $_ \Q$folder\E\/disk: there can be only one, and a is named before\n\z/,
		@once, $_, 'a', $_, "$folder/disk", $hello) for '--trace', '--record', '--core', '--coverage', '--initrd';
	refused('--gdb unix:PATH, with commas', 125, qr/--gdb unix:\Q$folder\E\/s: unknown option "x"/, @once, '--gdb', "unix:$in_list/s,x", $hello);
}
accepted('a comma of the path\'s own, in a disk', qr/^  0x\w+ .* block .*\/a,b,$/m, 'inspect', '-d', write_file('a,b,', "\0" x 512) =~ s/,/,,/gr, $hello);
accepted('the last --rng counts', qr/entropy(?!.*absent)/, qw(inspect --rng), "file=absent", '--rng', 'host', $hello);
refused('a feature that is neither on nor off', 125, qr/--console stdio: "indirect=yes" is neither/,
	'run', '--console', 'stdio,indirect=yes', $hello);
refused('features of no devices', 125, qr/--virtio: --boot flat has no devices/, 'run', '--boot', 'flat', '--virtio', 'packed=on',
	build() . '/guest/flat-hello.bin');
refused("virtio \"$_\"", 125, qr/--virtio \Q$_\E: not one of indirect, /, 'run', '--virtio', $_, $hello)
	for '', 'indirect', 'indirect=yes', 'size=on';
refused('a feature of a disk that is unknown', 125, qr/--disk a: unknown option "size=on" \(there are ro, private, serial=ID, block-size=N, queues=N, poll=auto\|off\|US, format=raw; flush, .*indirect/,
	'run', '-d', 'a,ro,size=on', $hello);
refused("timeout \"$_\"", 125, qr/--timeout \Q$_\E: not a number/, 'run', '--timeout', $_, $hello) for 0, -1, 'soon', '';
refused('a disk option that is unknown', 125, qr/--disk a: unknown option "rw"/, 'run', '-d', 'a,rw', $hello);
refused('a serial of 21 bytes', 125, qr/--disk a: serial .* longer than 20/, 'run', '-d', 'a,serial=' . 'x' x 21, $hello);
refused("a block size of '$_'", 125, qr/--disk a: block-size $_ is not 512, 1024, 2048 or 4096/, 'run', '-d', "a,block-size=$_", $hello)
	for '', 0, 256, 513, 1536, 8192, '4K', -512;
refused("poll=$_", 125, qr/--disk a: poll $_ is neither auto nor off, nor a number of microseconds from 1 to 1000/, 'run', '-d', "a,poll=$_", $hello)
	for qw(0 1001 on -1 5x);
refused('poll of a disk that the software CPU serves', 125, qr/--disk \S+: poll=50: the software CPU serves disks between two instructions/,
	qw(run --engine soft -d), write_file('polled.img', "\0" x 512) . ',poll=50', $hello);
refused("$_ queues", 125, qr/--disk a: queues $_ is not a number from 1 to 8/, 'run', '-d', "a,queues=$_", $hello)
	for '', 0, 9, 'x';
refused('a feature of disks that is neither on nor off', 125, qr/--disk a: "flush=no" is neither =on nor =off/,
	'run', '-d', 'a,flush=no', $hello);
refused('a feature of disks for all devices', 125, qr/--virtio flush=on: not one of indirect/, 'run', '--virtio', 'flush=on', $hello);
refused('a disk without a name', 125, qr/--disk: no file/, 'run', '-d', ',ro', $hello);
refused('a fifteenth disk', 125, qr/--disk d: at most 14 disks/, 'run', ('-d', 'd') x 15, $hello);
refused('a seventeenth module', 125, qr/--module m: at most 16 modules/, 'run', ('--module', 'm') x 17, $hello);
refused('a command line of 4096 bytes', 125, qr/command line .* longer than 4095 bytes/, 'run', $hello, '--', 'x' x 4096);
refused('one that is too long with its spaces', 125, qr/command line/, 'run', $hello, '--', ('x' x 15) x 257);
accepted('a command line of 4095 bytes fits', qr/^Command line  x{4095}$/m, 'inspect', $hello, '--', 'x' x 4095);
accepted('words after -- are not options', qr/^Command line  -m 0 --fly$/m, 'inspect', $hello, qw(-- -m 0 --fly));

my $fifo = scratch() . '/fifo';
mkfifo($fifo, 0600) or die "$fifo: $!\n";

# --- modules ---

my $module = write_file('module', 'abc');
write_file('empty', '');
refused('a module that is missing', 125, qr/absent: No such file/, 'run', '--module', scratch() . '/absent', $hello);
refused('an empty module', 125, qr/empty: the file is empty/, 'run', '--module', scratch() . '/empty', $hello);
refused('a module that is a folder', 125, qr/: a directory/, 'run', '--module', scratch(), $hello);
my $large = write_file('large', '');
truncate $large, 5 << 30 or die "$large: $!\n";
refused('a module larger than any RAM', 125, qr/large: module of 5368709120 bytes/, 'run', '--module', $large, $hello);
truncate $large, 64 << 20 or die "$large: $!\n";
refused('a module that is a FIFO', 125, qr/fifo: not a regular file/, 'run', '--module', $fifo, $hello);
refused('a module as large as RAM', 125, qr/large: module of \d+ bytes does not fit/, 'run', '--module', $large, $hello);
accepted('inspect shows modules', qr{^  0x03fff000 .* \S*/module$}m, 'inspect', '--module', $module, $hello);

# --- kernels ---

for my $command ('run', 'inspect') {
	refused("$command: a kernel that is missing", 127, qr/absent: No such file/, $command, scratch() . '/absent');
	refused("$command: a kernel that is a folder", 127, qr/: /, $command, scratch());
	refused("$command: a kernel that is a FIFO", 127, qr/fifo: /, $command, $fifo);
	refused("$command: a kernel that is a device", 127, qr{/dev/null: }, $command, '/dev/null');
}
my $mkelf = build() . '/tests/tools/mkelf';
my $elf = scratch() . '/kernel';
for (split /\n/, run([$mkelf, 'list'])->{out}) {
	my ($kind, $outcome) = split;
	my $expected = run([$mkelf, $kind, $elf]);
	chomp(my $refusal = $expected->{out});
	if ($outcome eq 'loads') {
		accepted("ELF file \"$kind\" can be inspected", qr/^Memory map/m, 'inspect', $elf);
	} else {
		refused("ELF file \"$kind\"", 127, qr/^vole: \Q$elf: $refusal\E/, 'run', $elf);
	}
}
chmod 0, write_file('secret', 'x');
refused('a kernel without permission', 127, qr/secret: Permission denied/, 'run', scratch() . '/secret');

# --- disks ---

{
	my $disk = write_file('disk', "\0" x 4096);
	for (['that is missing', 'absent', qr/absent: No such file/],
		['that is empty', 'empty', qr/empty: empty/],
		['of 3 bytes', 'module', qr/module: size 3 is not a multiple of 512/],
		['that is a folder', '.', qr/: Is a directory/],
		['that is a FIFO', 'fifo', qr/fifo: /]) {
		my ($name, $file, $pattern) = @$_;
		refused("a disk $name", 125, $pattern, 'run', '-d', scratch() . "/$file", $hello);
		# A folder can be opened for reading.
		$pattern = qr/: neither a file|: Is a directory/ if $file eq '.';
		refused("a read-only disk $name", 125, $pattern, 'run', '-d', scratch() . "/$file,ro", $hello);
	}
	refused('a console file that is a FIFO without a reader', 125, qr/--console \S*fifo: nobody reads this FIFO: open it for reading first/,
		'run', '--console', "file:$fifo", $hello);
	refused('a disk of 9 sectors and blocks of 4096 bytes', 125, qr/size 4608 is not a multiple of 4096/,
		'run', '-d', write_file('odd', "\0" x 4608) . ',block-size=4096', $hello);
	refused('a disk that is /dev/null', 125, qr{/dev/null: }, 'run', '-d', '/dev/null', $hello);
	refused('the same disk twice', 125, qr/disk: in use by this machine already: the file is named twice/, 'run', '-d', $disk, '-d', $disk, $hello);
	refused('the same disk, once read-only', 125, qr/disk: in use by this machine/,
		'run', '-d', $disk, '-d', "$disk,ro", $hello);
	accepted('the same disk, twice read-only, is fine', qr/^Hello/, 'run', '-d', "$disk,ro", '-d', "$disk,ro", $hello);
	refused("a disk with $_", 125, qr/disk: \w.*=on: this disk cannot have it/, 'run', '-d', "$disk,$_", $hello)
		for 'ro,discard=on', 'ro,write-zeroes=on', 'flush=off,config-wce=on';
	refused('a console file that is the disk', 125, qr/--console \S+disk: in use by this machine/, 'run', '-d', $disk, '--console', "file:$disk",
		$hello);
	ok(-s $disk, 'a console file that is the disk: it keeps its contents');

	for (['the kernel', sub { $_[0] }], ['a module', sub { ('--module', $_[0], $hello) }],
		['the source of the entropy device', sub { ('--rng', "file=$_[0]", $hello) }]) {
		my ($name, $words) = @$_;
		my $read = write_file('read', Abi::slurp($hello));
		for my $option ('--console', '--serial') {
			refused("$option in a file that is $name", 125, qr/read: in use by this machine/, 'run', $option, "file:$read",
				$words->($read));
			ok(-s $read, "$option in a file that is $name: it keeps its contents");
		}
	}

	# The lock belongs to an open file, so this process can hold one too.
	my $lock = pack 's s x4 q q i x4', 1, 0, 0, 0, 0;    # struct flock: F_WRLCK, all of it
	open my $holder, '+<', $disk or die "$disk: $!\n";
	fcntl $holder, 37, $lock or die "F_OFD_SETLK: $!\n";
	refused('a disk that another process has locked', 125, qr/disk: in use by process $$ \(\S+\)/, 'run', '-d', $disk, $hello);
	close $holder;
	accepted('the lock goes with its holder', qr/^Hello/, 'run', '-d', $disk, $hello);

	my $odd = write_file('odd', "QFI\xfb" . "\0" x 1000);
	refused('a qcow2 image has any size', 125, qr/odd: an image of the format qcow2; /, 'run', '-d', $odd, $hello);
	refused('... which a disk has not, with format=raw', 125, qr/odd: size 1004 is not a multiple of 512$/m, 'run', '-d', "$odd,format=raw", $hello);

	# What other programs make of a disk image; a VHD has its mark in the last sector.
	for (['qcow2', "QFI\xfb"], ['VMDK', 'KDMV'], ['VMDK', "# Disk DescriptorFile\n"], ['VHDX', 'vhdxfile'], ['VDI', "\0" x 64 . "\x7f\x10\xda\xbe"],
		['VHD', "\0" x 3584 . 'conectix'], ['QED', "QED\0"], ['Parallels', 'WithouFreSpacExt']) {
		my ($name, $content) = @$_;
		my $path = write_file('format', $content . "\0" x (4096 - length $content));
		for my $command ('run', 'inspect') {
			refused("$command: a disk that is a $name image", 125, qr/format: an image of the format $name; .*format=raw/, $command, '-d', $path, $hello);
		}
		accepted("a disk that is a $name image, with format=raw", qr/^Hello/, 'run', '-d', "$path,format=raw", $hello);
	}

	chmod 0400, $disk;
	refused('a disk without permission to write', 125, qr/disk: Permission denied/, 'run', '-d', $disk, $hello);
}

# --- consoles ---

{
	refused('a console in a folder that is missing', 125, qr{absent/file: No such file}, 'run',
		'--console', 'file:' . scratch() . '/absent/file', $hello);
	refused('a console in a FIFO that nobody reads', 125, qr/fifo: nobody reads this FIFO: open it for reading first/, 'run',
		'--console', "file:$fifo", $hello);
}

# --- engines ---

refused("mistyped: @$_[1 .. $#$_]", 125, $_->[0], 'run', @$_[1 .. $#$_], $hello) for
	[qr/--engine sotf: not auto, kvm or soft; soft\?\n\z/, '--engine', 'sotf'], [qr/--clock virtaul: .*; virtual\?/, '--clock', 'virtaul'],
	[qr/--boot mutliboot: .*; multiboot\?/, '--boot', 'mutliboot'], [qr/--log mimo: .*; mmio\?/, '--log', 'mimo'],
	(map { [qr/--memory $_: not a size .*; 64M\?/, '-m', $_] } qw(64m 64MB 64mib)), [qr/--memory 64: that is 64 bytes; 64M\?/, '-m', 64, 'M'],
	(map { [qr/--memory $_: not a size[^;]*\n\z/, '-m', $_] } qw(64T m 64MBs 99999999m)),
	[qr/--disk a: unknown option "serail=5"; serial=5\? \(there/, '-d', 'a,serail=5'], [qr/--virtio paked=on: .*; packed=on\?/, '--virtio', 'paked=on'],
	[qr/--console unx:a: .*; unix:a\?/, '--console', 'unx:a'], [qr/--rng host: unknown option "rat=5"; rate=5\?/, '--rng', 'host,rat=5'],
	[qr/--chaos 7: unknown option "error"; errors\?/, '--chaos', '7,error'], [qr/--gdb unx:a: .*; unix:a\?/, '--gdb', 'unx:a'],
	[qr/--check vritio: not virtio; virtio\?/, '--check', 'vritio'], [qr/--sandbox lgo: .*; log\?/, '--sandbox', 'lgo'], [qr/-disk: a long option begins with two dashes: --disk\n/, '-disk', 'a'],
	[qr/-memory=64M: a long option begins with two dashes: --memory=64M\n/, '-memory=64M'], [qr/-help: a long option/, '-v', '-help'];
is(run([vole(), 'run', '-ddisk', '--', '-disk'])->{err}, "vole: no kernel is named (vole --help tells all)\n", 'what is no long option, and what is the guest\'s');
refused('an engine that does not exist', 125, qr/--engine tcg: not auto, kvm or soft/, 'run', '--engine', 'tcg', $hello);
refused('a clock that does not exist', 125, qr/--clock tsc: not host or virtual/, 'run', '--clock', 'tsc', $hello);
for my $command ('run', 'inspect') {
	refused("$command: a virtual clock with KVM", 125, qr/--clock virtual: with KVM time is the host's; take --engine soft/, $command,
		qw(--clock virtual --engine kvm), $hello);
	refused("$command: Linux on the software CPU", 125, qr/bzImage: a guest of --boot linux uses an FPU .*--engine kvm/, $command,
		qw(--engine soft), build() . '/guest/linux-probe.bzImage');
	refused("$command: Linux with a virtual clock", 125, qr/probe\.elf: a guest of --boot \w+ uses an FPU .*--engine kvm/, $command,
		qw(--clock virtual), build() . '/guest/linux-probe.elf');
}
if (kvm_absent()) {
	refused("$_: Linux where there is no KVM", 125, qr/bzImage: a guest of --boot linux uses an FPU .*--engine kvm/, $_, build() . '/guest/linux-probe.bzImage')
		for 'run', 'inspect';
	accepted('inspect --engine kvm shows it all the same', qr/^Kernel/, qw(inspect --engine kvm), build() . '/guest/linux-probe.bzImage');
}
accepted("a virtual clock chooses the software CPU", qr/^Hello/, 'run', '--clock', 'virtual', $hello);
{
	my $result = run([vole(), qw(run -v --engine soft), $hello]);
	ok($result->{status} eq 0 && $result->{err} =~ /^vole: engine: soft$/m && $result->{err} =~ /^vole: CPU 0: \d+ exits, \d+ instructions$/m,
		'-v names the engine, and what it counted') or diag(shown($result));
}

# --- the host ---

# Reading a large module takes its time, in which vole is ended as any program.
{
	my $large = write_file('large', '');
	truncate $large, 1 << 30;
	my $result = run(['bash', '-c', '"$@" & sleep 0.3; kill $!; wait $!; echo $?', '-', vole(), qw(run -m 2G --module), $large,
		build() . '/guest/hlt.elf'], limit => 60);
	is($result->{out}, "143\n", 'a signal ends vole while it reads') or diag(shown($result));
}

{
	my $result = run([vole(), 'doctor']);
	is($result->{status}, 0, 'doctor finds that this host will do') or diag(shown($result));
}
refused('doctor with a word', 125, qr/doctor --fast: it has no options/, 'doctor', '--fast');

# vole in a mount namespace of its own, in which a command changes /dev: what run says on standard error,
# and doctor on standard output.
sub elsewhere {
	my ($name, $change, $said, $found) = @_;
	my @unshare = $root ? qw(unshare --mount) : qw(unshare --mount --map-root-user);
	SKIP: {
		my $tried = run([@unshare, 'sh', '-c', $change]);
		skip 'no mount namespaces here', 3 if $tried->{status} ne 0;
		my @vole = (@unshare, 'sh', '-c', "$change && exec \"\$@\"", '-', vole());
		my $result = run([@vole, 'run', $hello]);
		ok($result->{status} eq 0 && $result->{err} =~ /\A$said[^\n]*the software CPU[^\n]*\n\z/ && $result->{out} =~ /^Hello/,
			"run: $name: the software CPU executes the guest, which is said with the reason") or diag("expected $said\n", shown($result));
		$result = run([@vole, qw(run --engine kvm), $hello]);
		ok($result->{status} eq 125 && $result->{err} =~ $said && $result->{out} eq '', "run --engine kvm: $name")
			or diag("expected $said\n", shown($result));
		$result = run([@vole, 'doctor']);
		ok($result->{status} eq 0 && $result->{out} =~ $found && $result->{out} =~ /^ok +software CPU .*can run here, with its software CPU/ms
			&& $result->{err} eq '', "doctor: $name") or diag("expected $found\n", shown($result));
	}
	return;
}
elsewhere('/dev/kvm is missing', 'mount -t tmpfs none /dev', qr{vole: /dev/kvm: No such file}, qr{^missing  /dev/kvm}m);
elsewhere('/dev/kvm is something else', 'mount -t tmpfs none /dev && mknod /dev/kvm c 1 3',
	qr{vole: /dev/kvm.*KVM}, qr{^missing .*/dev/kvm is not KVM}m) if $root;
SKIP: {
	skip 'only root can be somebody without permission', 1 if !$root || !-e '/dev/kvm';
	skip '/dev/kvm is permitted to everybody', 1 if (stat '/dev/kvm')[2] & 06;
	# Where nobody may go.
	chmod 0755, scratch();
	run(['cp', vole(), $hello, scratch()]);
	my $result = run([qw(setpriv --reuid=65534 --regid=65534 --clear-groups), scratch() . '/vole', qw(run --engine kvm),
		scratch() . '/hello.elf']);
	ok($result->{status} eq 125 && $result->{err} =~ m{/dev/kvm: Permission denied}, '/dev/kvm is not permitted')
		or diag(shown($result));
}

done_testing();
