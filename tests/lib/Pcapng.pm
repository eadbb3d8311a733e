# SPDX-License-Identifier: BSD-2-Clause
#
# Reads captures of vole, as spec/capture.md has them.
package Pcapng;

use strict;
use warnings;

my @KINDS = (undef, 'read', 'write', 'status', 'queue ready', 'serve', 'chain', 'used', 'interrupt', 'no interrupt', 'host begins',
	'host ends', 'report', 'ring', 'mark', 'store', 'name');

# Options as { code => value }, of the bytes that follow a block's own fields.
sub options {
	my ($bytes) = @_;
	my %options;
	while (length $bytes >= 4) {
		my ($code, $len) = unpack 'vv', $bytes;
		last if $code == 0;
		$options{$code} = substr $bytes, 4, $len;
		substr $bytes, 0, 4 + ($len + 3 & ~3), '';
	}
	return \%options;
}

# A packet of an enhanced packet block's body.
sub packet {
	my ($body) = @_;
	my ($interface, $high, $low, $captured, $len) = unpack 'VVVVV', $body;
	my $options = options(substr $body, 20 + ($captured + 3 & ~3));
	return {
		interface => $interface, ns => $high * 2**32 + $low, bytes => substr($body, 20, $captured), len => $len,
		flags => unpack('V', $options->{2}), comment => $options->{1},
		map { $_->[0] => defined $options->{$_->[1]} ? unpack('Q<', $options->{$_->[1]}) : 0 } ['id', 5], ['lost', 4],
	};
}

# { application, interfaces => [{ name }], packets => [packet()], error }: error says what is wrong with the file.
sub parse {
	my ($bytes) = @_;
	my $file = { interfaces => [], packets => [] };
	for (my $at = 0; $at < length $bytes;) {
		my ($type, $len) = unpack 'VV', substr $bytes, $at, 8;
		if (!defined $len || $len < 12 || $len % 4 || $at + $len > length $bytes) {
			$file->{error} = "a block at $at is cut off";
			last;
		}
		my $body = substr $bytes, $at + 8, $len - 12;
		$file->{error} = "the lengths of the block at $at differ" if unpack('V', substr $bytes, $at + $len - 4, 4) != $len;
		if ($type == 0x0a0d0d0a) {
			$file->{application} = options(substr $body, 16)->{4};
		} elsif ($type == 1) {
			push @{$file->{interfaces}}, { name => options(substr $body, 8)->{2} };
		} elsif ($type == 6) {
			push @{$file->{packets}}, packet($body);
		} else {
			$file->{error} = "block $type is of no kind that vole writes";
		}
		$at += $len;
	}
	return $file;
}

# A packet as a record.
sub record {
	my ($packet) = @_;
	my ($version, $kind, $device, $id, $queue, $cpu, $flags) = unpack 'CCvVvvC', $packet->{bytes};
	my %record = (
		packet => $packet, version => $version, kind => $KINDS[$kind], device => $device, device_id => $id,
		queue => $queue, cpu => $cpu, packed => $flags & 1,
	);
	my $body = substr $packet->{bytes}, 16;
	if ($record{kind} eq 'chain') {
		my ($chain, $segments) = unpack 'vv', $body;
		@record{qw(id payload)} = ($chain, substr $body, 24 + 16 * $segments);
	} elsif ($record{kind} eq 'used') {
		@record{qw(id used_len)} = unpack 'vx2V', $body;
		$record{payload} = substr $body, 16;
	} elsif ($record{kind} eq 'report') {
		$record{payload} = substr $body, 4;
	} elsif ($record{kind} eq 'queue ready') {
		$record{size} = unpack 'V', $body;
	} elsif ($record{kind} eq 'ring') {
		@record{qw(area offset)} = unpack 'Cx3V', $body;
		$record{payload} = substr $body, 8;
	} elsif ($record{kind} eq 'name') {
		@record{qw(address payload)} = unpack 'Q<a*', $body;
	} elsif ($record{kind} eq 'store') {
		@record{qw(area offset place payload)} = unpack 'Cx3Vv/aa*', $body;
	}
	return \%record;
}

# The rings as they are after these records: "device.queue" => { size, area => [three strings] }.
sub rings {
	my ($records) = @_;
	my %rings;
	for (@$records) {
		my $key = "$_->{device}.$_->{queue}";
		$rings{$key} = { size => $_->{size}, area => ['', '', ''] } if $_->{kind} eq 'queue ready' && $_->{size};
		substr($rings{$key}{area}[$_->{area}], $_->{offset}, length $_->{payload}) = $_->{payload} if $_->{kind} =~ /^(?:ring|store)$/;
	}
	return \%rings;
}

1;
