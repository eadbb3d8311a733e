#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# vole story: the data in its page are those of the capture, which is read here a second time; captures that are cut
# off, damaged, later or none; what its options choose.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use JSON::PP;
use Pcapng;
use Test::More;
use Vole;

my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
my $capture = scratch() . '/demo.pcapng';

sub capture_demo {
	my ($ring) = @_;
	my $got = run([vole_run(), qw(--timeout 60 -d), $disk, '--capture', $capture, '--virtio', "packed=$ring", build() . '/guest/demo.elf']);
	is($got->{status}, 0, "packed=$ring: the demo works") or diag(shown($got));
	return slurp($capture);
}

# The page of a capture, as { page, data, err }.
sub story {
	my (@words) = @_;
	my $got = run([vole(), 'story', @words]);
	is($got->{status}, 0, "story @words") or diag(shown($got));
	my ($json) = $got->{out} =~ m{<script type="application/json" id="data">\n(.*?)\n</script>}s;
	return { page => $got->{out}, data => decode_json($json // '{}'), err => $got->{err} };
}

# The rings after the last step: "device.queue" => [three strings].
sub rings {
	my ($data) = @_;
	my %rings;
	for my $from (@{$data->{queues}}) {
		$rings{"$from->{device}.$from->{queue}"} = [map { pack 'H*', $_ } @{$from->{bytes}}];
	}
	for my $step (@{$data->{steps}}) {
		my $key = join '.', map { $_ // '' } @$step{qw(device queue)};
		$rings{$key} = ['', '', ''] if $step->{kind} eq 'ready';
		for (@{$step->{ring} // []}) {
			my ($area, $offset, $bytes) = @$_;
			substr($rings{$key}[$area], $offset, length($bytes) / 2) = pack 'H*', $bytes;
		}
	}
	return \%rings;
}

for my $ring (qw(off on)) {
	my $bytes = capture_demo($ring);
	my @records = map { Pcapng::record($_) } @{Pcapng::parse($bytes)->{packets}};
	my $story = story($capture);
	my ($data, @steps) = ($story->{data}, @{$story->{data}{steps}});
	is($story->{err}, '', '... and nothing is lacking');
	unlike($story->{page}, qr{https?://|src=|href=|\@import|url\(}, '... nor fetched from elsewhere');
	is(join(' ', map { $_->{n} } @steps), join(' ', 1 .. $data->{steps_in_capture}), '... steps are counted from 1');

	for (['chain', 'chain'], ['used', 'used'], ['serve', 'serve'], ['interrupt', 'interrupt'], ['no interrupt', 'no interrupt'], ['queue ready', 'ready'], ['status', 'status']) {
		my ($record, $step) = @$_;
		is(scalar(grep { $_->{kind} eq $step } @steps), scalar(grep { $_->{kind} eq $record } @records), "... as many of $record as the capture has");
	}
	is(scalar(grep { $_->{kind} =~ /^(?:read|write|kick)$/ } @steps), scalar(grep { $_->{kind} =~ /^(?:read|write)$/ } @records), '... and accesses');
	my $rings = rings($data);
	my $expected = Pcapng::rings(\@records);
	for (sort keys %$expected) {
		is_deeply([map { unpack 'H*', $_ } @{$rings->{$_}}], [map { unpack 'H*', $_ } @{$expected->{$_}{area}}], "... and the rings of $_ are the same at the end");
	}

	my ($taken) = grep { $_->{kind} eq 'chain' && $_->{request} eq 'read of sector 0, 512 bytes' } @steps;
	my ($used) = grep { $_->{kind} eq 'used' && $_->{chain} == $taken->{chain} } @steps;
	is($taken->{segments}[0][1], 16, 'sector 0: the device reads a header of 16 bytes');
	is($used->{result}, 'OK', '... and has written a status');
	like(pack('H*', $used->{bytes}), qr/\Afirst sector/, '... behind the sector');
	my %clauses = map { $_->{kind} => $data->{explanations}[$_->{why}]{clause} } @steps;
	is($clauses{kick}, '4.2.3.3', 'a kick has its clause');
	is($clauses{used}, $ring eq 'on' ? '2.8.22' : '2.7.8', '... a used element, too');
	my ($kick) = grep { $_->{kind} eq 'kick' } @steps;
	like($kick->{place}, qr/\(mmio_kick\+0x[0-9a-f]+\)/, '... and the driver\'s symbol');
	is(join(' ', map { $_->{text} ? () : $_ } @{$data->{explanations}}), '', 'each explanation has a text');

	# One request alone.
	my $way = story('--chain', $taken->{chain}, $capture)->{data};
	is(scalar(grep { $_->{chain} && $_->{chain} == $taken->{chain} } @{$way->{steps}}), 2, '--chain: it is taken and used');
	is($way->{steps}[0]{kind}, 'ring', '... from the driver\'s stores');
	is($way->{steps}[0]{by}, 'driver', '... which are the driver\'s');
	like($way->{steps}[-1]{kind}, qr/^(?:write|no interrupt)$/, '... to the interrupt');
	my ($last) = grep { $_->{n} == $way->{steps}[-1]{n} } @steps;
	my $part = story('--device', 2, $capture)->{data};
	is(join(' ', map { $_->{n} } @{$part->{steps}}), join(' ', map { $_->{n} } grep { ($_->{device} // '') eq '2' } @steps), '--device: its steps');
	$part = story('--from', $last->{n}, $capture)->{data};
	is_deeply(rings($part), $rings, '--from: the rings before are those from which it goes on');
}

done_testing();
