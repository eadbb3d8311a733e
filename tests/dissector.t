#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Wireshark's dissector, vmm/vole.lua, bears captures that no vole has written: packets with other bytes, cut off, too
# long, repeated, missing and out of order, and files whose blocks are. In the environment: ROUNDS, how many files of
# each kind (1), and SEED, of the first one (1).
use strict;
use warnings;
use lib 'tests/lib';
use Installed 'present';
use Abi 'slurp';
use Test::More;
use Vole;

plan skip_all => 'tshark is not here' unless present('tshark');
local $ENV{HOME} = scratch();
local $ENV{WIRESHARK_RUN_FROM_BUILD_DIRECTORY};

my ($rounds, $seed) = ($ENV{ROUNDS} // 1, $ENV{SEED} // 1);
my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
my $path = scratch() . '/mutated.pcapng';

# The blocks of a capture of the demo: [type, body].
sub blocks {
	my (@options) = @_;
	my $capture = scratch() . '/demo.pcapng';
	my $got = run([vole(), qw(run --engine soft --timeout 60 -d), $disk, '--capture', $capture, @options, guest('demo')]);
	is($got->{status}, 0, "@options: there is a capture") or diag(shown($got));
	my ($bytes, @blocks) = (slurp($capture));
	while (length $bytes) {
		my ($type, $len) = unpack 'VV', $bytes;
		push @blocks, [$type, substr $bytes, 8, $len - 12];
		substr $bytes, 0, $len, '';
	}
	return \@blocks;
}

sub block {
	my ($type, $body) = @_;
	$body .= "\0" x (-length($body) & 3);
	my $len = 12 + length $body;
	return pack('VV', $type, $len) . $body . pack 'V', $len;
}

my @values = (0, 1, 0x7f, 0x80, 0xff);
my @words = (0, 1, 0xff, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff);

# The bytes of a record with one change: most are in its first ones, where numbers and lengths are.
sub change {
	my ($bytes) = @_;
	my $at = int rand(rand() < 0.8 ? 48 : 1 + length $bytes) % (1 + length $bytes);
	my $way = int rand 6;
	return substr $bytes, 0, $at if $way == 0;
	return $bytes . pack 'C*', map { int rand 256 } 1 .. 1 + rand 40 if $way == 1;
	return $bytes if $at == length $bytes;
	if ($way == 2) {
		my $word = pack 'V', $words[rand @words];
		substr $bytes, $at & ~3, 4, $word;
	} else {
		substr $bytes, $at, 1, chr($way == 3 ? int rand 256 : $way == 4 ? $values[rand @values] : ord(substr $bytes, $at, 1) ^ 1 << rand 8);
	}
	return $bytes;
}

# A packet whose record, and sometimes its interface or length, are others.
sub change_packet {
	my ($body, $interfaces) = @_;
	my ($interface, $high, $low, $captured, $len) = unpack 'VVVVV', $body;
	my $options = substr $body, 20 + ($captured + 3 & ~3);
	my $bytes = substr $body, 20, $captured;
	$bytes = change($bytes) for 1 .. 1 + rand 3;
	$interface = int rand $interfaces if rand() < 0.05;
	my $packet = pack 'VVVVV', $interface, $high, $low, length $bytes, rand() < 0.1 ? int rand 1 << 16 : length $bytes;
	return $packet . $bytes . "\0" x (-length($bytes) & 3) . $options;
}

# A file of these blocks with many changes: to packets alone, so that tshark reads all of it, or to the file.
sub mutate {
	my ($blocks, $is_file) = @_;
	my $bytes = '';
	my $interfaces = grep { $_->[0] == 1 } @$blocks;
	my @packets;
	for (@$blocks) {
		my ($type, $body) = @$_;
		$bytes .= block($type, $body), next if $type != 6;
		push @packets, block(6, rand() < 0.5 ? change_packet($body, $interfaces) : $body) for 1 .. (rand() < 0.1 ? 2 : rand() < 0.1 ? 0 : 1);
	}
	for (1 .. @packets / 20) {
		my ($one, $other) = (rand @packets, rand @packets);
		@packets[$one, $other] = @packets[$other, $one];
	}
	$bytes .= join '', @packets;
	return $bytes unless $is_file;
	substr $bytes, rand length $bytes, 1, chr int rand 256 for 1 .. 4;
	return substr $bytes, 0, rand length $bytes;
}

my @sources = (blocks(), blocks('--virtio', 'packed=on'), blocks('--chaos', 3));
for my $round ($seed .. $seed + $rounds - 1) {
	srand $round;
	for my $is_file (0, 1) {
		open my $file, '>:raw', $path or die "$path: $!\n";
		print $file mutate($sources[$round % @sources], $is_file);
		close $file or die "$path: $!\n";
		my $name = 'seed ' . $round . ($is_file ? ', the file' : '');
		my $got = run(['tshark', qw(-X lua_script:vmm/vole.lua -2 -V -r), $path], limit => 300);
		unlike($got->{status}, qr/limit|^1[2-9]\d$/, "$name: tshark ends by itself");
		my ($error) = "$got->{out}$got->{err}" =~ /^(.*(?:Lua Error|vole\.lua:|stack traceback|Dissector bug|\bERROR\b|Assertion).*)$/m;
		is($error, undef, "$name: ... without an error of the dissector's") or diag("SEED=$round prove tests/dissector.t");
		next if $is_file;
		like($got->{out}, qr/virtio|vole/i, "$name: ... and has dissected it");
	}
}
done_testing();
