#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Raw code in real mode, spec/boot-flat.md; and with guests this small, what --debug-port, --log and
# --max-exits do.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

each_engine();


# vole run with these words gives this status and output. Returns what it said, line by line.
sub runs {
	my ($name, $status, $out, @words) = @_;
	my $result = run([vole_run(), @words]);
	my $ok = $result->{status} eq $status && (ref $out ? $result->{out} =~ $out : $result->{out} eq $out);

	ok($ok, "$name: status $status") or diag(shown($result));
	return split /\n/, $result->{err};
}

sub flat { return runs(@_[0 .. 2], qw(--boot flat), @_[3 .. $#_]) }

# A line of --log for a port: number, direction, port, size, value, instruction pointer.
sub port_lines {
	return map { /^vole: CPU 0 exit (\d+): (in|out) port (0x[0-9a-f]{4}) size ([124]) value 0x([0-9a-f]+) rip 0x([0-9a-f]{8})$/
		? [$1, $2, hex $3, $4, hex $5, hex $6] : () } @_;
}

# --- the two guests of the tutorials ---

my $hello = guest('flat-hello.bin');
my $count = guest('flat-count.bin');
is_deeply([flat('hello', 0, "Hello KVM!\n", qw(--debug-port 0x01), $hello)], [], 'hello: nothing else is said');
is_deeply([flat('hello, the port in decimal, the least RAM', 0, "Hello KVM!\n", qw(--debug-port 1 -m 4K), $hello)], [],
	'hello in one page: nothing else is said');
flat('hello without a console', 0, '', $hello);
flat('hello with the console elsewhere', 0, '', qw(--debug-port 0xe9), $hello);
{
	my @said = flat('count', 124, '', qw(--load 0x10000 --log pio --max-exits 300), $count);
	like(pop @said, qr/^vole:   CPU 0 running, interrupts off, at 0x0001000[024]$/, 'count: where it was');
	is(pop @said, 'vole: stopped after 300 exits', 'count: --max-exits says so');
	my @lines = port_lines(@said);
	is(@lines, 300, 'count: a line for each exit') or diag("@said[0 .. 2]");
	is_deeply([map { $_->[4] } @lines], [0 .. 299], 'count: 0, 1, 2, ...');
	is_deeply([map { $_->[0] } @lines], [1 .. 300], 'count: exits are numbered');
	is_deeply([grep { $_->[1] ne 'out' || $_->[2] != 0x10 || $_->[3] != 2 } @lines], [], 'count: out, port 0x10, 2 bytes');
	# At the instruction, or past it where KVM emulates.
	is_deeply([grep { $_->[5] != 0x10002 && $_->[5] != 0x10004 } @lines], [], 'count: where the instruction is');
}
like(join("\n", flat('count for ever', 124, '', qw(--timeout 1), $count)), qr/^vole: time-out after 1 second\nvole:   CPU 0 running.*$/,
	'count: without --log nothing is said but why it ended, and where');
like(join("\n", flat('count, without --log', 124, '', qw(--max-exits 7), $count)), qr/^vole: stopped after 7 exits\nvole:   CPU 0 running.*$/,
	'count: --max-exits alone says just that');
flat('the last exit may be the guest\'s own end', 0, '', qw(--max-exits 12), $hello);
flat('one exit less', 124, '', qw(--max-exits 11), $hello);

# --- readers of the log that leave ---

# The shell's words around a vole that counts for ever, or to the given number of exits; $0 and $@ are that vole.
for my $reader (
	['standard error', '"$0" "$@" 2> >(head -n 1 >/dev/null)', 124],
	['both', '"$0" "$@" 2>&1 | head -n 1 >/dev/null; exit ${PIPESTATUS[0]}', 125],
) {
	my ($name, $words, $status) = @$reader;
	my $end = $status == 124 ? 30000 : 1 << 60;
	my $result = run(['bash', '-c', $words, vole_run(), qw(--boot flat --log pio --max-exits), $end, $count]);
	is($result->{status}, $status, "count: the log's reader leaves, that of $name: status $status") or diag(shown($result));
}

# --- where it begins, and in what state ---

sub told {
	my (@words) = @_;
	return map { sprintf '%04x', $_->[4] } grep { $_->[1] eq 'out' } port_lines(flat("state, @words", 0, '', @words,
		qw(--log pio), guest('flat-state.bin')));
}
for my $case ([0, 0, 0], [0x100, 0, 0x100], [0x7c00, 0, 0x7c00], [0xff00, 0, 0xff00], [0x10000, 0x1000, 0], [0x10008, 0x1000, 8],
	[0x9fc05, 0x9fc0, 5], [0xffff0, 0xffff, 0], [0x100000, 0xffff, 0x10]) {
	my ($load, $segment, $ip) = @$case;
	my @state = told('--load', sprintf '0x%x', $load);
	$_ = sprintf '%04x', $_ for $segment, $ip;
	is("@state[0 .. 7]", join(' ', ('0000') x 8), "--load $load: AX, BX, CX, DX, SI, DI, BP, SP are 0");
	is("@state[8 .. 13]", join(' ', ($segment) x 6), "--load $load: CS, DS, ES, FS, GS, SS are $segment");
	is($state[14], '0002', "--load $load: interrupts off, direction up");
	is($state[15], $ip, "--load $load: IP is $ip");
}

# --- interrupts ---

{
	my @said = flat('a boot sector that calls the BIOS', 126, '', qw(--timeout 20 --load 0x7c00), guest('flat-bios.bin'));
	like($said[0], qr/^vole: guest crashed: int 0x10 on CPU 0 at 0x00007c03: there is no BIOS here$/, 'int 0x10 is named');
	like("@said", qr/the guest has set no vector 0x10, at 0x40.*EAX 00000e41.*ESP 0000(?:0000|ffff)/, 'with the registers that it had')
		or diag(join "\n", @said);
	@said = flat('with little RAM', 126, '', qw(--timeout 20 -m 64K --load 0x7c00), guest('flat-bios.bin'));
	like($said[0], qr/int 0x10 on CPU 0 at 0x00007c03/, 'with little RAM too');
	@said = flat('an exception, with a vector and without', 126, '', qw(--timeout 20 --log pio --load 0x8000), guest('flat-divide.bin'));
	is_deeply([map { $_->[4] } grep { $_->[2] == 0x10 } port_lines(@said)], [0x4f4b], 'a vector of the guest\'s own');
	ok((grep { /^vole: guest crashed: divide error \(0\) on CPU 0 at 0x0000801\w$/ } @said) == 1, 'then the exception is named')
		or diag(join "\n", @said);
}

# --- what nobody answers ---

{
	my @state = told(qw(-m 64K --load 0x100));
	is("@state[16, 17]", 'ffff ffff', 'a port of 32 bits reads as all ones');
	is($state[18], 'ffff', 'a port of 16 bits reads as all ones');
	is($state[19], '12ff', 'a port of 8 bits reads as all ones');
	is($state[20], '5678', 'RAM ends where --memory says: below is RAM');
	is($state[21], 'ffff', 'RAM ends where --memory says: above all is ones, and writes are lost');
}

# --- --log ---

{
	my @said = flat('hello, all exits', 0, "Hello KVM!\n", qw(--debug-port 1 --log exits), $hello);
	is(join('', map { chr $_->[4] } port_lines(@said)), "Hello KVM!\n", '--log exits has the ports');
	like($said[-1], qr/^vole: CPU 0 exit 12: hlt .*rip 0x0000000[de]$/, '--log exits has hlt');
	@said = flat('hello, MMIO', 0, "Hello KVM!\n", qw(--debug-port 1 --log mmio), $hello);
	is("@said", '', '--log mmio has no ports');
	@said = flat('state, MMIO', 0, '', qw(-m 64K --log mmio), guest('flat-state.bin'));
	is(@said, 2, '--log mmio: two accesses, no ports');
	like($said[0], qr/: store address 0x00010000 size 2 value 0x5678 rip /, '--log mmio: the store');
	like($said[1], qr/: load address 0x00010000 size 2 value 0xffff rip /, '--log mmio: the load, with its value');
	@said = flat('state, both', 0, '', qw(-m 64K --log mmio --log pio), guest('flat-state.bin'));
	is(@said, 27, '--log may be repeated');
	is_deeply([map { [@$_[1, 3, 4]] } grep { $_->[1] eq 'in' } port_lines(@said)],
		[['in', 4, 0xffffffff], ['in', 2, 0xffff], ['in', 1, 0xff]], '--log pio: what the guest reads, with size and value');
}
{
	my @said = runs('an ELF kernel', 0, "Hello from a kernel!\n", qw(--log exits), guest('hello.elf'));
	like($said[-1], qr/: out port 0x00f4 size 4 value 0x00000000 rip 0x/, '--log on the ELF machine');
	@said = runs('an ELF kernel with devices', 0, qr/all checks hold/, qw(--log mmio), guest('rng-draw.elf'));
	ok((grep { /: load address 0xd000[01]000 size 4 value 0x74726976 rip 0x/ } @said) > 0, '--log mmio has registers of devices');
	runs('the byte console of the ELF machine moves', 126, '', qw(--debug-port 0x3f8), guest('hello.elf'));
}

# --- what is refused ---

sub refused {
	my ($name, $status, $pattern, @words) = @_;
	my @said = runs($name, $status, '', @words);
	ok(@said == 1 && $said[0] =~ $pattern, "$name: is said by name") or diag("expected $pattern: @said");
	return;
}
my $disk = write_file('disk', "\0" x 4096);
my $module = write_file('module', 'abc');
refused("--load $_", 125, qr/--load \Q@{[s{[^ -~]}{sprintf '\x%02x', ord $&}er]}\E: not an address/, '--boot', 'flat', '--load', $_, $hello)
	for '', 'x', '-1', '0x', '0xg', "0x\x10", '1M', '0x100000000', '99999999999999999999', '0x10000000000000000';
refused("--load $_", 127, qr/--load 0x\w+: real mode begins at 0x100000 at most/, '--boot', 'flat', '--load', $_, $hello)
	for '0x100001', '0x200000', '4294967295';
refused('--load beyond RAM', 127, qr/hello\.bin: \d+ bytes at 0x10000 are beyond RAM, which has 65536/,
	qw(--boot flat -m 64K --load 0x10000), $hello);
refused('code that ends beyond RAM', 127, qr/hello\.bin: \d+ bytes at 0xfff8 are beyond RAM/,
	qw(--boot flat -m 64K --load 0xfff8), $hello);
refused("--debug-port $_", 125, qr/--debug-port \Q$_\E: not a port/, '--boot', 'flat', '--debug-port', $_, $hello)
	for '', 'x', '0x10000', '65536', '-1';
refused("--debug-port $_", 125, qr/--debug-port \Q$_\E: --boot vole has another port there/, '--debug-port', $_, guest('hello.elf'))
	for '0xec', '0xf0', '0xf4', '0xf8', '0xfc';
refused("--debug-port $_ with --serial", 125, qr/--debug-port \Q$_\E: --boot vole has another port there/, '--debug-port', $_, '--serial', 'pty',
	guest('hello.elf')) for '0x3f8', '0x3ff';
refused("--log $_", 125, qr/--log \Q$_\E: not pio, mmio, exits or virtio/, '--boot', 'flat', '--log', $_, $hello) for '', 'all';
refused('--log with two words', 125, qr/--log pio: unknown option "mmio".* \(there is file=PATH; --log may be repeated\)/, '--boot', 'flat', '--log', 'pio,mmio', $hello);
refused("--max-exits $_", 125, qr/--max-exits \Q$_\E: not a number/, '--boot', 'flat', '--max-exits', $_, $hello)
	for '', '0', 'x', '-1', '99999999999999999999';
refused('a disk', 125, qr/--disk \S+: --boot flat has no devices/, qw(--boot flat --disk), $disk, $hello);
refused('a console', 125, qr/--console stdio: --boot flat has no devices/, qw(--boot flat --console stdio), $hello);
refused('an entropy device', 125, qr/--rng host: --boot flat has no devices/, qw(--boot flat --rng host), $hello);
refused('an entropy device from a file', 125, qr{--rng file=/dev/zero: --boot flat has no devices},
	qw(--boot flat --rng file=/dev/zero), $hello);
flat('no devices, said aloud', 0, '', qw(--console none --rng none), $hello);
refused('a module', 125, qr/--boot flat takes no --module/, qw(--boot flat --module), $module, $hello);
refused('a second CPU', 125, qr/--boot flat takes no --cpus/, qw(--boot flat --cpus 2), $hello);
refused('a command line', 125, qr/--boot flat takes no command line/, qw(--boot flat), $hello, '--', 'a');
refused('--load for an ELF kernel', 125, qr/--boot vole takes no --load/, qw(--load 0x1000), guest('hello.elf'));
refused('an ELF file as raw code', 127, qr/hello\.elf: an ELF file, not raw code/, qw(--boot flat), guest('hello.elf'));
refused('an empty file', 127, qr/empty: the file is empty/, qw(--boot flat), write_file('empty', ''));
refused('a file that is missing', 127, qr/absent: No such file/, qw(--boot flat), scratch() . '/absent');
refused('a folder', 127, qr/: a directory/, qw(--boot flat), scratch());
refused('no RAM', 125, qr/--memory 0: a machine needs memory; 64M is usual/, qw(--boot flat -m 0), $hello);
refused('a protocol that is unknown', 125, qr/--boot flt: not auto, .*flat/, qw(--boot flt), $hello);
refused('raw code that nobody called flat', 127, qr/hello\.bin: .*nothing else that vole recognises.*--boot flat/, $hello);

# --- inspect ---

{
	my $result = run([vole(), qw(inspect --boot flat --load 0x10008), $count]);
	ok($result->{status} eq 0 && $result->{err} eq '' && $result->{out} =~ /7 bytes at 0x00010008.*real mode.*CS:IP +1000:0008/s,
		'inspect shows where raw code begins') or diag(shown($result));
}

done_testing();
