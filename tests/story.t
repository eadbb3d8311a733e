#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# vole story: the data in its page are those of the capture, which is read here a second time; captures that are cut
# off, damaged, later or none; what its options choose.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Chromium;
use Installed 'present';
use JSON::PP;
use Pcapng;
use Test::More;
use Vole;

my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
my $capture = scratch() . '/demo.pcapng';

sub capture_demo {
	my ($ring, @engine) = @_;
	my $got = run([vole_run(), @engine, qw(--timeout 60 -d), $disk, '--capture', $capture, '--virtio', "packed=$ring", build() . '/guest/demo.elf']);
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
	like($data->{names}{$taken->{segments}[0][0]}, qr/^boot stack\+0x[0-9a-f]+$/, '... and the buffer has the kernel\'s symbol');
	my %clauses = map { $_->{kind} => $data->{explanations}[$_->{why}]{clause} } @steps;
	is($clauses{kick}, '4.2.3.3', 'a kick has its clause');
	is($clauses{used}, $ring eq 'on' ? '2.8.22' : '2.7.8', '... a used element, too');
	my ($kick) = grep { $_->{kind} eq 'kick' } @steps;
	like($kick->{place}, qr/\(mmio_kick\+0x[0-9a-f]+\)/, '... and the driver\'s symbol');
	is(join(' ', map { $_->{text} ? () : $_ } @{$data->{explanations}}), '', 'each explanation has a text');

	# One request alone.
	my $way = story('--chain', $taken->{chain}, $capture)->{data};
	is(scalar(grep { $_->{chain} && $_->{chain} == $taken->{chain} } @{$way->{steps}}), 2, '--chain: it is taken and used');
	is((map { $_->{status} } grep { $_->{device} == 2 } @{$way->{registers}})[0], 15, '... of a device that is live');
	is($way->{steps}[0]{kind}, 'ring', '... from the driver\'s stores');
	is($way->{steps}[0]{by}, 'driver', '... which are the driver\'s');
	like($way->{steps}[-1]{kind}, qr/^(?:write|no interrupt)$/, '... to the interrupt');
	my ($last) = grep { $_->{n} == $way->{steps}[-1]{n} } @steps;
	my $part = story('--device', 2, $capture)->{data};
	is(join(' ', map { $_->{n} } @{$part->{steps}}), join(' ', map { $_->{n} } grep { ($_->{device} // '') eq '2' } @steps), '--device: its steps');
	$part = story('--from', $last->{n}, $capture)->{data};
	is_deeply(rings($part), $rings, '--from: the rings before are those from which it goes on');
}

# Each store of the driver's, from the first one to the interrupt.
my $gives_away;
for my $ring (qw(off on)) {
	my $got = run([vole(), qw(run --engine soft --timeout 60 -d), $disk, '--capture', "$capture,stores", '--virtio', "indirect=off,packed=$ring", build() . '/guest/demo.elf']);
	is($got->{status}, 0, "packed=$ring: the demo works with stores") or diag(shown($got));
	my $data = story('--device', 2, $capture)->{data};
	my @steps = @{$data->{steps}};
	my ($taken) = grep { $steps[$_]{kind} eq 'chain' && $steps[$_]{request} =~ /^read of sector 0,/ } 0 .. $#steps;
	my ($made) = grep { $steps[$_]{kind} eq 'store' && $steps[$_]{says} !~ /wants|used_event/ } reverse 0 .. $taken;
	like($steps[$made]{says}, $ring eq 'on' ? qr/^The driver stores in descriptor 3: flags = NEXT AVAIL$/ : qr/^The driver stores in the available ring: idx = 2$/,
		'... the last store before the device takes a chain is what gives it away');
	is($data->{explanations}[$steps[$made]{why}]{clause}, $ring eq 'on' ? '2.8.21' : '2.7.13.3', '... as its clause says');
	like($steps[$made]{place}, $ring eq 'on' ? qr/\(packed_add\+/ : qr/\(split_add\+/, '... with the driver\'s symbol');
	ok((grep { $_->{says} eq 'The driver stores in descriptor 4: length = 512' } @steps[0 .. $made]), '... behind the length of the buffer');
	$gives_away = $steps[$made]{n};
}
my $packed = write_file('packed.pcapng', slurp($capture));

# What is no capture, or not all of one.
sub refused {
	my ($what, $reason, @words) = @_;
	my $got = run([vole(), 'story', @words]);
	is($got->{status}, 125, "$what: status 125");
	is($got->{out}, '', '... no page');
	like($got->{err}, qr/\Avole: story: (?:\S+: )?$reason[^\n]*\n\z/, '... and why, in one line');
}

refused('no such file', 'No such file', scratch() . '/none');
refused('an empty file', 'it is empty', write_file('empty', ''));
refused('text', 'it is no pcapng file', 'README.md');
refused('random bytes', 'it is no pcapng file', write_file('noise', join '', map { chr $_ * 7919 % 251 } 1 .. 3000));
refused('an older format', 'it is a pcap file, not pcapng', write_file('old.pcap', pack 'L<vvL<4', 0xa1b2c3d4, 2, 4, 0, 0, 65536, 1));
refused('the other byte order', 'its numbers are not little-endian', write_file('big-endian', pack 'L>2L>nnQ>L>', 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, 2**63, 28));
refused('another program\'s packets', 'none of its records was written by vole', 'tests/fuzz/corpus/story/foreign');
run([vole(), 'run', '--capture', scratch() . '/unused.pcapng', build() . '/guest/hello.elf']);
refused('a run without a driver', 'it has no steps: no driver has used a virtio device', scratch() . '/unused.pcapng');
refused('a ring of a queue that is not ready', '1 record is damaged and left out: there is nothing else to show', 'tests/fuzz/corpus/story/not-ready');
refused('a folder', 'it cannot be read: Is a directory', scratch());
refused('no capture', 'no capture is named');
{
	my $own = write_file('own.pcapng', slurp($capture));
	my $got = run(['sh', '-c', '"$0" story "$1" >>"$1"', vole(), $own]);
	is($got->{status}, 125, 'a page behind its capture: status 125');
	like($got->{err}, qr/^vole: story: \S+: the page would be written into the capture: name another file$/, '... and why');
	is(slurp($own), slurp($capture), '... and the capture is as it was');
}
refused('two captures', 'it makes a page of one capture', $capture, $capture);
refused('a device that cannot be', '--device 16: not a number from 0 to 15', '--device', 16, $capture);
refused('a queue that is no number', '--queue x: not a number from 0', '--queue', 'x', $capture);
refused('a chain that is not there', 'it has no chain 99999', '--chain', 99999, $capture);
refused('a device that is not there', 'it has no step that the options choose', '--device', 9, $capture);
refused('an option that it has not', '--chian=3: not an option of it; .* --chain=3\?', '--chian=3', $capture);
refused('an option without its number', '--from: its number is missing', $capture, '--from');

my $whole = slurp($capture);
for my $cut (400, 5000, length($whole) - 1) {
	my $story = story(write_file('cut', substr $whole, 0, $cut));
	like($story->{err}, qr/\Avole: story: \S+: it is cut off in the block at byte \d+; this is what comes before\n\z/, "$cut bytes: that is said");
	like($story->{data}{problems}[0], qr/^it is cut off/, '... in the page, too');
	ok(scalar @{$story->{data}{steps}}, '... and what there is, is shown');
}
like(story('tests/fuzz/corpus/story/later')->{err}, qr/: 2 records are of a version or kind that this vole does not know\n\z/, 'later records are counted');
like(story('tests/fuzz/corpus/story/lost')->{err}, qr/: 12 records are lacking/, '... and lost ones');

# A long capture: the device looks at a queue, over and over.
my $look = pack 'L<7CCvL<vvCx3L<', 6, 48, 0, 0, 5, 16, 16, 1, 5, 2, 2, 0, 0xffff, 0, 48;
my ($start) = slurp('tests/fuzz/corpus/story/lost') =~ /\A(.{96})/s or die;
my $long = story(write_file('long', $start . $look x 9000));
is(scalar @{$long->{data}{steps}}, 4000, 'a long capture: 4000 steps');
like($long->{err}, qr/: 4000 of 9000 steps, up to 4000; --from 4001 shows what comes then/, '... and what is left out');
$long = story('--from', 8001, scratch() . '/long');
is(join('-', map { $_->{n} } @{$long->{data}{steps}}[0, -1]), '8001-9000', '... --from: the rest of it');

# Queues of other programs' machines, which have more entries than vole's own, and what no page shows.
sub packet {
	my ($kind, $device, $queue, $body) = @_;
	my $record = pack('CCvVvvCx3', 1, $kind, $device, 2, $queue, 0xffff, 0) . $body;
	my $len = length($record) + 3 & ~3;
	return pack "L<7a${len}L<", 6, $len + 32, 0, 0, 5, length $record, length $record, $record, $len + 32;
}

sub ready { return packet(4, @_[0, 1], pack 'L<L<Q<3', $_[2], 0, 0x100000, 0x200000, 0x300000) }

for my $size (1024, 32768) {
	my $descriptor = pack 'Q<L<S<S<', 0x5000, 512, 0, 0;
	my $large = story(write_file('large', $start . ready(2, 0, $size) . packet(13, 2, 0, pack('CxxxL<', 0, 16 * ($size - 1)) . $descriptor)));
	is($large->{err}, '', "a queue of $size entries is shown");
	my ($made) = grep { $_->{kind} eq 'ready' } @{$large->{data}{steps}};
	like($made->{says}, qr/^Queue 0 is ready: split, $size entries/, '... with its size');
	is_deeply($made->{ring}, [[0, 16 * ($size - 1), unpack 'H*', $descriptor]], '... and with its last descriptor');
}
for (
	['a queue of more entries than there can be', [ready(2, 0, 65536), packet(13, 2, 0, pack 'CxxxL<L<', 0, 0, 1)], '2 records are left out, the first of queue 0 of device 2, whose 65536 entries are more than the 32768 that a queue can have (virtio 2.7, 2.8)'],
	['a queue of a high number', [ready(2, 18, 64)], '1 record is left out, the first of queue 18 of device 2: a page shows queues 0 to 17 of a device'],
	['a device of a high number', [ready(16, 0, 64)], '1 record is left out, the first of device 16: a page shows devices 0 to 15'],
) {
	my ($what, $packets, $reason) = @$_;
	my $capture = write_file('beyond', join '', $start, @$packets);
	refused($what, "\Q$reason\E: there is nothing else to show", $capture);
	my $beside = story(write_file('beside', join '', $start, @$packets, $look));
	is($beside->{err}, "vole: story: @{[scratch()]}/beside: $reason\n", '... and beside others, those are shown');
	is($beside->{data}{problems}[0], $reason, '... and the page says so');
}
is(scalar @{story(write_file('no-rings', join '', $start, ready(2, 0, 65536), packet(5, 2, 0, '')))->{data}{steps}}, 1, '... but what the device does with such a queue is a step');
like(story(write_file('huge', $start . $look . pack 'L<2', 6, 1 << 25))->{err}, qr/: the block at byte 144 has 33554432 bytes, and the largest one that is read 16777216; this is/, 'a huge block is told from a damaged one');
{
	my $interface = pack 'L<2S<2L<2', 1, 20, 147, 0, 0, 20;
	like(story(write_file('interfaces', $start . $look . $interface x 5000))->{err}, qr/: a section has more than 4096 interfaces; this is what comes before$/m, 'so many interfaces are said');
}

# A page in a browser.
SKIP: {
	skip 'chromium is not here', 1 unless present('chromium');
	# By the software CPU, which does nothing else between two steps of a request.
	capture_demo('off', qw(--engine soft));
	my $story = story($capture);
	my $page = write_file('page.html', $story->{page});
	run([vole(), qw(run --engine soft --timeout 60 -d), $disk, '--capture', scratch() . '/stores.pcapng,stores', build() . '/guest/demo.elf']);
	my $browser = Chromium->start(scratch());
	skip 'chromium does not start here', 1 unless $browser;
	my @steps = @{$story->{data}{steps}};
	my ($taken) = grep { $_->{kind} eq 'chain' && $_->{request} eq 'read of sector 0, 512 bytes' } @steps;
	my ($used) = grep { $_->{kind} eq 'used' && $_->{chain} == $taken->{chain} } @steps;
	my $texts = sub { return join '|', @{$browser->value("[...document.querySelectorAll('$_[0]')].map((e) => e.textContent)")} };
	my $at = sub { return $browser->value('location.hash') };

	$browser->open_page("file://$page#step=$used->{n}");
	is($texts->('#sentence'), "$used->{says}.", 'a page opens at a step');
	is($texts->('#side') . ', ' . $texts->('#why .clause'), 'device, virtio 1.3, 2.7.8', '... with who makes it, and the clause');
	like($texts->('.buffer'), qr/header: type 0, sector 0.*\|.*first sector.*\|.*status: OK/s, '... and the request\'s buffers');
	my $idx = $browser->value('document.querySelector("#used td:nth-child(2)").textContent');
	$browser->key('ArrowRight');
	is($texts->('#used .changed'), $idx + 1, 'one step on: idx of the used ring is marked, which counts it');
	like($at->(), qr/^#step=\d+$/, '... the address is that of the step');
	$browser->key('ArrowLeft') for 1 .. 2;
	like($texts->('#used .changed'), qr/^\d+, 513$/, 'two back: the used element is marked');

	$browser->key('f');
	$browser->key('ArrowRight') for 1 .. 20;
	my $last = $texts->('#journey li.now');
	like($last, qr/^(?:acknowledged|no interrupt)/, 'to follow a request: right leads to its end');
	$browser->key('ArrowLeft') for 1 .. 20;
	like($texts->('#journey li.now'), qr/^made available/, '... and left to its beginning');
	like($at->(), qr/&chain=$taken->{chain}$/, '... which the address has');
	like($texts->('#descriptors .ours'), qr/INDIRECT|NEXT/, '... and the chain is in the table');
	$browser->key('f');
	$browser->open_page('file://' . write_file('stores.html', story(scratch() . '/stores.pcapng')->{page}) . "#chain=$taken->{chain}");
	like($texts->('#sentence'), qr/^The driver stores in descriptor \d+: /, 'with stores, a request begins with the first one');
	$browser->key('ArrowRight') while $texts->('#sentence') =~ /^The driver stores/;
	like($texts->('#sentence'), qr/^The driver kicks queue 0/, '... and the kick comes after them');
	is($texts->('#journey li.done')  =~ s/\+.*?s\b//gr, 'first store|made available|kick', '... as its way shows');
	$browser->open_page("file://" . write_file('packed.html', story($packed)->{page}) . "#step=$gives_away");
	like($texts->('#journey li.now'), qr/^made available/, '... of a packed queue, too: the flags of its first descriptor make it available');
	$browser->open_page("file://$page");
	$browser->key('End');
	is($at->(), "#step=$steps[-1]{n}", 'End: the last step');
	$browser->key('Home');
	is($at->(), '#step=1', 'Home: the first');
	my $box = $browser->value('(({ left, top, width }) => ({ left, top, width }))(document.getElementById("timeline").getBoundingClientRect())');
	$browser->click($box->{left} + $box->{width} - 12, $box->{top} + 5);
	ok(substr($at->(), 6) > @steps * .9, 'a click on the timeline leads there');

	my $ground = sub { return $browser->value('getComputedStyle(document.body).backgroundColor') };
	my $scheme = sub {
		$browser->call('Emulation.setEmulatedMedia', { features => [{ name => 'prefers-color-scheme', value => $_[0] }] });
		$browser->open_page("file://$page");
		return $ground->();
	};
	my ($light, $dark) = map { $scheme->($_) } qw(light dark);
	isnt($light, $dark, 'light and dark are what the browser prefers');
	$browser->key('t');
	is($ground->(), $light, '... until t chooses');

	# Whatever the width, nothing is wider than the page.
	for my $width (1280, 400) {
		$browser->call('Emulation.setDeviceMetricsOverride', { width => $width, height => 720, deviceScaleFactor => 1, mobile => JSON::PP::false });
		$browser->open_page("file://$page#step=$used->{n}");
		ok($browser->value('document.documentElement.scrollWidth <= innerWidth'), "$width pixels wide: nothing is cut off");
	}
	ok($browser->value('document.documentElement.scrollHeight > 720'), '... and narrow, it is longer');

	# Captures that are not whole, or have text that would end a script.
	for (qw(later split-cut-off packed-0)) {
		$browser->open_page('file://' . write_file("$_.html", story("tests/fuzz/corpus/story/$_")->{page}));
		ok($browser->value('document.getElementById("sentence").textContent'), "$_: the page shows something");
		$browser->key('End');
	}
	is($texts->('#sentence'), 'The kernel marks this moment: 0x5.', '... up to its last step');
	$browser->key('ArrowLeft');
	is($texts->('#sentence'), 'vole says: no </script> queue.', '... and text as it is');
	$browser->stop;
}

done_testing();
