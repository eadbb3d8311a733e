#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --capture: the file's blocks as spec/capture.md has them, read here without the help of Wireshark; and what tshark
# makes of them with the dissector, whose counts are those of the log of the same run.
use strict;
use warnings;
use lib 'tests/lib';
use Installed 'present';
use List::Util 'sum0';
use Abi 'slurp';
use Pcapng;
use Test::More;
use Vole;

each_engine();

my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
my $capture = scratch() . '/demo.pcapng';
my $log = scratch() . '/demo.log';

sub demo {
	my (@options) = @_;
	my $got = run([vole_run(), qw(--timeout 60 -d), $disk, '--capture', @options, guest('demo')]);
	is($got->{status}, 0, "--capture @options: the demo works") or diag(shown($got));
	is($got->{err}, '', '... and vole has nothing to say');
	return $got;
}

# How many lines of the log match.
sub logged {
	my ($pattern) = @_;
	return scalar grep { $_ =~ $pattern } split /\n/, slurp($log);
}

for my $ring (qw(split packed)) {
	demo($capture, '--log', "virtio,file=$log", '--virtio', 'packed=' . ($ring eq 'packed' ? 'on' : 'off'));
	my $file = Pcapng::parse(slurp($capture));
	is($file->{error}, undef, "$ring: the file is whole");
	like($file->{application}, qr/^vole \d/, "$ring: it says who wrote it");
	my %names = map { $_->{name} => 1 } @{$file->{interfaces}};
	ok($names{'device 2, block'} && $names{'device 2, block, queue 0'} && $names{'device 0, console, queue 1'}, "$ring: each queue is an interface");
	my @packets = @{$file->{packets}};
	is(join(' ', map { $_->{ns} } @packets), join(' ', sort { $a <=> $b } map { $_->{ns} } @packets), "$ring: time does not go back");
	my @records = map { Pcapng::record($_) } @packets;

	my %count;
	$count{$_->{kind}}++ for @records;
	is($count{read} + $count{write}, logged(qr/device \d+, \w+: (?:read|write|kick)/), "$ring: as many accesses as the log has");
	is($count{chain}, logged(qr/: chain \d+: /), "$ring: ... chains");
	is($count{used}, logged(qr/: chain \d+ used/), "$ring: ... used elements");
	is($count{interrupt} // 0, logged(qr/: interrupt, /), "$ring: ... interrupts");
	is($count{'no interrupt'} // 0, logged(qr/: no interrupt: /), "$ring: ... interrupts that nobody asked for");

	# A chain and its used element have a number that nobody else has.
	my (%taken, %used);
	for (@records) {
		$taken{$_->{packet}{id}}++ if $_->{kind} eq 'chain';
		$used{$_->{packet}{id}}++ if $_->{kind} eq 'used';
	}
	is(sum0(values %taken), scalar keys %taken, "$ring: each chain has a number of its own");
	is(join(' ', grep { !$taken{$_} } keys %used), '', "$ring: each used element has that of its chain");
	my ($sector0) = grep { $_->{kind} eq 'used' && $_->{device_id} == 2 && $_->{payload} =~ /\Afirst sector/ } @records;
	ok($sector0 && length $sector0->{payload} == 513 && substr($sector0->{payload}, -1) eq "\0", "$ring: the sector's bytes are there, and the status");
	ok(!(grep { $_->{kind} eq 'used' && $_->{device_id} == 4 && length $_->{payload} } @records), "$ring: random bytes are not");

	# The changes of a ring, put together, are the ring: the last chain is what the driver made available.
	my $rings = Pcapng::rings(\@records);
	my $queue = $rings->{'2.0'};
	is(length $queue->{area}[0], 16 * $queue->{size}, "$ring: all of the descriptors are there");
	if ($ring eq 'split') {
		my ($idx) = unpack 'x2v', $queue->{area}[1];
		is($idx, scalar(grep { $_->{kind} eq 'chain' && $_->{device_id} == 2 } @records), "$ring: the available ring's idx is the number of chains");
		($idx) = unpack 'x2v', $queue->{area}[2];
		is($idx, scalar(grep { $_->{kind} eq 'used' && $_->{device_id} == 2 } @records), "$ring: the used ring's idx that of used elements");
	}
}

# Bytes of buffers, up to snap.
demo("$capture,snap=4");
my @records = map { Pcapng::record($_) } @{Pcapng::parse(slurp($capture))->{packets}};
my ($longest) = sort { $b <=> $a } map { length $_->{payload} } grep { $_->{kind} =~ /chain|used/ } @records;
is($longest, 4, 'snap=4: four bytes of each buffer');
my ($cut) = grep { $_->{kind} eq 'used' && $_->{device_id} == 2 && $_->{used_len} == 513 } @records;
is($cut->{packet}{len} - length $cut->{packet}{bytes}, 509, '... and how many are left out');

SKIP: {
	skip 'tshark is not here', 8 unless present('tshark');
	local $ENV{HOME} = scratch();
	local $ENV{WIRESHARK_RUN_FROM_BUILD_DIRECTORY};
	demo($capture, '--log', "virtio,file=$log");
	my $tshark = sub {
		my $got = run(['tshark', qw(-X lua_script:vmm/vole.lua -r), $capture, @_]);
		unlike($got->{err}, qr/vole\.lua|Lua/, "tshark @_: the dissector has no mistake");
		return $got->{out};
	};
	my $lines = sub { return scalar split /\n/, $_[0] };
	is($lines->($tshark->('-Y', 'vole.kind == 6')), logged(qr/: chain \d+: /), 'vole.kind == 6: the chains');
	is($lines->($tshark->('-Y', 'vole.blk.sector == 7')), logged(qr/: (?:read|write) of sector 7, /), 'vole.blk.sector == 7: the requests for it');
	is($lines->($tshark->('-Y', 'vole.blk.status == 0')), logged(qr/device 2, block, queue 0: chain \d+ used, .*, OK$/), 'vole.blk.status == 0: those that went well');
	is($tshark->('-Y', '_ws.malformed || vole.expert.malformed || _ws.lua.error'), '', 'nothing is malformed');
	like($tshark->('-2', '-Y', 'vole.blk.sector == 0 && vole.used_in', '-T', 'fields', '-e', 'vole.used_in', '-e', 'vole.blk.type'), qr/^\d+\t0$/m, 'a request knows where it is used');
	like($tshark->('-Y', 'vole.chain_in', '-T', 'fields', '-e', 'vole.latency'), qr/^0\.000\d+$/m, 'a used element how long it took');
	is($lines->($tshark->('-Y', 'vole.register == 0x50')), logged(qr/: kick: /), 'vole.register == 0x50: kicks');
	like($tshark->('-Y', 'vole.status.before', '-T', 'fields', '-e', '_ws.col.Info'), qr/^Status is now 0x0f \(ACKNOWLEDGE, DRIVER, FEATURES_OK, DRIVER_OK\)$/m, 'Status in words');
	my $words = sub { return join '', sort map { "$_\n" } grep { /^no interrupt: / } map { s/^.*?(?=no interrupt: )//r } split /\n/, $_[0] };
	for my $features ('packed=off', 'packed=on') {
		demo($capture, '--log', "virtio,file=$log", '--virtio', $features);
		isnt($words->(slurp($log)), '', "$features: some interrupts are suppressed");
		is($words->($tshark->('-Y', 'vole.suppression', '-T', 'fields', '-e', '_ws.col.Info')), $words->(slurp($log)), "$features: why there is no interrupt, as the log says it");
	}

	# Mistakes are errors, and requests that fail are warnings.
	my $severe = sub { return $lines->($tshark->('-Y', qq(_ws.expert.severity == "$_[0]"))) };
	run([vole_run(), qw(--timeout 60 -d), $disk, '--capture', $capture, guest('register-access')]);
	my $mistakes = grep { $_->{kind} eq 'report' } map { Pcapng::record($_) } @{Pcapng::parse(slurp($capture))->{packets}};
	is($severe->('Error'), $mistakes, 'each mistake is an expert item, an error');
	run([vole_run(), qw(--timeout 60 --chaos), '5,errors', '-d', $disk, '--capture', $capture, '--log', "virtio,file=$log", guest('demo')]);
	ok(logged(qr/ used, .*, IOERR$/), 'a request fails');
	is($severe->('Warning'), logged(qr/ used, .*, IOERR$|: interrupt, .*lost/), '... and is a warning');
}

# A driver's mistake is a comment.
my $got = run([vole_run(), qw(--timeout 60), '--capture', $capture, '-d', $disk, guest('register-access')]);
my @reports = grep { $_->{kind} eq 'report' } map { Pcapng::record($_) } @{Pcapng::parse(slurp($capture))->{packets}};
like($got->{err}, qr/^vole: device \d, \Q$reports[0]{payload}\E/m, 'a mistake is in the capture as it was said') if @reports;
ok(scalar @reports, 'a mistake is captured') or diag(shown($got));
is($reports[0]{packet}{comment}, $reports[0]{payload}, '... as a comment as well') if @reports;

# To standard output: then what the guest prints goes to standard error.
$got = run([vole_run(), qw(--timeout 60 -d), $disk, '--capture', '-', guest('demo')]);
is(Pcapng::parse($got->{out})->{error}, undef, 'standard output is a capture');
like($got->{err}, qr/vole demo kernel/, '... and standard error has what the guest prints');

for my $bad ([scratch() . '/none/x', 'No such file or directory'], ["$capture,snap=x", 'snap=x is not a number of bytes up to 262144'], ["$capture,snip=1", 'unknown option "snip=1"'], ['', 'no file is named']) {
	$got = run([vole_run(), '--capture', $bad->[0], guest('hello')]);
	is($got->{status}, 125, "--capture '$bad->[0]' is refused");
	like($got->{err}, qr/^vole: --capture.*\Q$bad->[1]\E/m, '... with the reason');
}

# Stores of drivers, one by one, where the engine sees them.
{
	my $soft = run([vole(), qw(run --engine soft --timeout 60 -d), $disk, '--capture', "$capture,stores", guest('demo')]);
	is($soft->{status}, 0, 'stores: the demo works') or diag(shown($soft));
	my @with = map { Pcapng::record($_) } @{Pcapng::parse(slurp($capture))->{packets}};
	my @stores = grep { $_->{kind} eq 'store' && $_->{device} == 2 } @with;
	my ($idx) = grep { $_->{area} == 1 && $_->{offset} == 2 } @stores;
	is(unpack('v', $idx->{payload}), 1, '... one is to idx');
	like($idx->{place}, qr/\(split_add\+0x[0-9a-f]+\)/, '... with its instruction');
	ok(!(grep { $_->{kind} eq 'ring' && $_->{device} == 2 && $_->{area} < 2 && $_->{packet}{ns} > $stores[0]{packet}{ns} } @with), '... and no change is told twice');
	my $chains = grep { $_->{kind} eq 'chain' && $_->{device} == 2 } @with;
	is(unpack('x2v', Pcapng::rings(\@with)->{'2.0'}{area}[1]), $chains, '... and the ring is whole at the end');
}

done_testing();
