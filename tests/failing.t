#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A host's disk that fails: the driver gets VIRTIO_BLK_S_IOERR for the request concerned and the next one works, vole
# says it once with the file and the reason, and a flush that failed once is never said to have worked. vole-faulty is
# a vole whose calls on one file fail or are shortened when VOLE_FAULTS says so (tests/faulty/faulty.h).
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

each_engine();

my $sectors = 4100;
my $faulty = build() . '/tests/tools/vole-faulty';

sub image {
	my $path = write_file('disk', '');
	truncate $path, $sectors * 512 or die "$path: $!\n";
	return $path;
}

# What vole says of a request, and of a flush. (A word in front of it is an error's text.)
my %text = (EIO => 'Input/output error', ENOSPC => 'No space left on device', ENOLCK => 'No locks available',
	ENODATA => 'No data available');
sub said {
	my ($what, $error) = @_;
	return qr{vole: \S+/disk: $what: $text{$error} \(said once; the guest gets an I/O error each time\)\n};
}
sub flush_said {
	my ($error) = @_;
	return qr{vole: \S+/disk: flush: $text{$error}; data written since the last flush may be lost, so each later flush fails too, .*\n};
}

# The requests of tests/guest/block-requests.c with what is to become of each. One that fails gives an I/O error.
my @requests = (
	{ name => 'no fault', says => qr//,
		requests => ['w 0 16' => 'ok', 'r 0 16' => 'ok', 'f 0 0' => 'ok', 'z 4 4' => 'ok', 'u 8 4' => 'ok', 'd 12 4' => 'ok', 'r 0 16' => 'ok'] },

	# Errors, each of one request.
	{ name => 'a read', faults => 'read:3-3=EIO', says => said('read at byte 512', 'EIO'),
		requests => ['w 0 4' => 'ok', 'r 1 2' => 'error 5', 'r 1 2' => 'ok', 'f 0 0' => 'ok'] },
	{ name => 'a write', faults => 'write:2-2=EIO', says => said('write at byte 1024', 'EIO'),
		requests => ['w 0 4' => 'ok', 'w 2 2' => 'error 5', 'w 2 2' => 'ok', 'r 0 4' => 'ok', 'f 0 0' => 'ok'] },
	{ name => 'a full file system', faults => 'write:1-3=ENOSPC', says => said('write at byte 0', 'ENOSPC'),
		requests => ['w 0 4' => 'error 5', 'w 8 4' => 'error 5', 'r 0 4' => 'ok', 'w 0 4' => 'error 5', 'w 0 4' => 'ok', 'r 0 4' => 'ok', 'f 0 0' => 'ok'] },
	{ name => 'HARD-26 reads and writes, said together once', faults => 'read:3-99=EIO write:1-99=EIO', says => said('read at byte 0', 'EIO'),
		requests => ['r 0 4' => 'error 5', 'w 0 4' => 'error 5', 'r 0 4' => 'error 5'] },

	# In the middle of a request of 2 MiB and more, which is served in steps.
	{ name => 'the second step of a read', options => 'size-max=off', faults => 'read:4-4=EIO', says => said('read at byte 1048576', 'EIO'),
		requests => ['w 0 4100' => 'ok', 'r 0 4100' => 'error 5', 'r 0 4100' => 'ok'] },
	{ name => 'the third step of a write', options => 'size-max=off', faults => 'write:3-3=ENOSPC', says => said('write at byte 2097152', 'ENOSPC'),
		requests => ['w 0 4100' => 'error 5', 'w 0 4100' => 'ok', 'r 0 4100' => 'ok'] },
	{ name => 'after half of a write', faults => 'write:1-1=half write:2-2=EIO', says => said('write at byte 1024', 'EIO'),
		requests => ['w 0 4' => 'error 5', 'r 0 4' => 'ok', 'w 0 4' => 'ok', 'r 0 4' => 'ok'] },

	# What the guest does not notice.
	{ name => 'reads and writes of one byte each', faults => 'read:3-9999=byte write:1-9999=byte', says => qr//,
		requests => ['w 1 2' => 'ok', 'r 0 4' => 'ok'] },
	{ name => 'halves', options => 'size-max=off', faults => 'read:3-9999=half write:1-9999=half', says => qr//,
		requests => ['w 0 4100' => 'ok', 'r 0 4100' => 'ok', 'w 7 1' => 'ok', 'r 0 10' => 'ok'] },
	{ name => 'signals', faults => 'open:1-2=EINTR read:1-6=EINTR write:1-4=EINTR flush:1-3=EINTR allocate:1-3=EINTR', says => qr//,
		requests => ['w 0 4' => 'ok', 'r 0 4' => 'ok', 'f 0 0' => 'ok', 'z 0 2' => 'ok', 'd 2 1' => 'ok', 'r 0 4' => 'ok'] },

	# No progress
	{ name => 'a file that became shorter', faults => 'read:3-3=nothing', says => said('read at byte 0', 'ENODATA'),
		requests => ['r 0 4' => 'error 5', 'r 0 4' => 'ok'] },
	{ name => 'a write of nothing', faults => 'write:1-1=nothing', says => said('write at byte 0', 'EIO'),
		requests => ['w 0 4' => 'error 5', 'w 0 4' => 'ok', 'r 0 4' => 'ok'] },

	# Flushes
	{ name => 'BLK-DEV-02 a flush', faults => 'flush:2-2=EIO', says => flush_said('EIO'),
		requests => ['w 0 4' => 'ok', 'f 0 0' => 'ok', 'w 0 4' => 'ok', 'f 0 0' => 'error 5', 'f 0 0' => 'error 5', 'w 0 4' => 'ok', 'f 0 0' => 'error 5',
			'r 0 4' => 'ok'] },
	{ name => 'a flush for lack of space', faults => 'flush:1-1=ENOSPC', says => flush_said('ENOSPC'),
		requests => ['f 0 0' => 'error 5', 'f 0 0' => 'error 5', 'r 0 4' => 'ok'] },
	{ name => 'a flush after a read', faults => 'read:3-4=EIO flush:1-1=EIO', says => qr/${\said('read at byte 0', 'EIO')}${\flush_said('EIO')}/,
		requests => ['r 0 4' => 'error 5', 'f 0 0' => 'error 5', 'r 0 4' => 'error 5', 'f 0 0' => 'error 5'] },
	{ name => 'a flush in write-through mode', options => 'flush=off', faults => 'flush:2-2=EIO', says => flush_said('EIO'),
		requests => ['w 0 4' => 'ok', 'f 0 0' => 'error 95', 'w 0 4' => 'error 5', 'w 0 4' => 'error 5', 'z 0 4' => 'error 5', 'r 0 4' => 'ok'] },

	# Zeroes and discards. What the host cannot, vole does, or need not be done.
	{ name => 'what punches holes', faults => 'allocate:1-99=EIO', says => said('write zeroes at byte 512', 'EIO'),
		requests => ['w 0 8' => 'ok', 'z 1 2' => 'error 5', 'u 3 2' => 'error 5', 'd 5 1' => 'error 5', 'r 0 8' => 'ok', 'w 0 8' => 'ok', 'r 0 8' => 'ok'] },
	{ name => 'one discard', faults => 'allocate:1-1=EIO', says => said('discard at byte 0', 'EIO'),
		requests => ['d 0 4' => 'error 5', 'd 0 4' => 'ok', 'z 0 4' => 'ok', 'r 0 4' => 'ok'] },
	{ name => 'a file system without holes', faults => 'allocate:1-99=EOPNOTSUPP', says => qr//,
		requests => ['w 0 8' => 'ok', 'z 1 2' => 'ok', 'u 3 2' => 'ok', 'd 5 1' => 'ok', 'r 0 8' => 'ok'] },
	{ name => 'a full one without holes', faults => 'allocate:1-99=EOPNOTSUPP write:2-2=ENOSPC', says => said('write at byte 512', 'ENOSPC'),
		requests => ['w 0 8' => 'ok', 'z 1 2' => 'error 5', 'u 3 2' => 'ok', 'd 5 1' => 'ok', 'r 0 8' => 'ok'] },
	{ name => 'zeroes that are written in parts', faults => 'allocate:1-99=ENOSYS write:2-3=half write:4-9=byte', says => qr//,
		requests => ['w 0 99' => 'ok', 'z 1 90' => 'ok', 'r 0 99' => 'ok'] },
);

for my $ring (qw(split packed)) {
	for my $case (@requests) {
		my $path = image();
		local $ENV{VOLE_FAULTY_FILE} = $path;
		local $ENV{VOLE_FAULTS} = $case->{faults} // '';
		my (@asked, $expected);
		for (my $i = 0; $i < @{$case->{requests}}; $i += 2) {
			push @asked, $case->{requests}[$i];
			$expected .= "$case->{requests}[$i]: $case->{requests}[$i + 1]\n";
		}
		my $result = run([$faulty, 'run', '--engine', engine(), '--virtio', 'packed=' . ($ring eq 'packed' ? 'on' : 'off'),
			'-d', join(',', $path, $case->{options} // ()), build() . '/guest/block-requests.elf', '--', "@asked"]);
		my $name = "$ring ring, $case->{name}";
		is($result->{out}, $expected, "$name: what the driver sees") or diag(shown($result));
		like($result->{err}, qr/\A$case->{says}\z/, "$name: what vole says");
		is($result->{status}, 0, "$name: the exit status");
	}
}

# At the start: the disk, and the files of the kernel.
my $hello = build() . '/guest/hello.elf';
my $kernel = do { open my $file, '<:raw', $hello or die "$hello: $!\n"; local $/; write_file('kernel', <$file>) };
my @starts = (
	['a disk that cannot be opened', 'disk', 'open:1-1=EIO', 125, qr{vole: \S+/disk: $text{EIO}\n}],
	['a disk without a type', 'disk', 'stat:1-1=EIO', 125, qr{vole: \S+/disk: $text{EIO}\n}],
	['a disk without a size', 'disk', 'size:1-1=EIO', 125, qr{vole: \S+/disk: $text{EIO}\n}],
	['a disk without a size, later', 'disk', 'size:2-2=EIO', 125, qr{vole: \S+/disk: $text{EIO}\n}],
	['a disk that cannot be locked', 'disk', 'lock:1-1=ENOLCK', 125, qr{vole: \S+/disk: $text{ENOLCK}\n}],
	['a disk whose beginning cannot be read', 'disk', 'read:1-1=EIO', 125, qr{vole: \S+/disk: $text{EIO}, so it cannot be told .*"?,format=raw"? .*\n}],
	['a disk whose end cannot be read', 'disk', 'read:2-2=EIO', 125, qr{vole: \S+/disk: $text{EIO}, so it cannot be told .*\n}],
	['a disk that gives a byte each time', 'disk', 'read:1-999=byte', 0, qr//],
	['a kernel that cannot be opened', 'kernel', 'open:1-99=EIO', 127, qr{vole: \S+/kernel: $text{EIO}\n}],
	(map { ["a kernel of which read $_ fails", 'kernel', "read:$_-99=EIO", 127, qr{vole: \S+/kernel: .*\n}] } 1 .. 4),
	['a kernel that gives a byte each time', 'kernel', 'read:1-999999=byte', 0, qr//],
	['a kernel that is read while signals come', 'kernel', 'open:1-1=EINTR read:1-3=EINTR read:5-7=EINTR', 0, qr//],
);
for (@starts) {
	my ($name, $file, $faults, $status, $says) = @$_;
	my $path = image();
	local $ENV{VOLE_FAULTY_FILE} = scratch() . "/$file";
	local $ENV{VOLE_FAULTS} = $faults;
	my $result = run([$faulty, 'run', '--engine', engine(), '-d', $path, $kernel]);
	is($result->{status}, $status, "$name: the exit status") or diag(shown($result));
	like($result->{err}, qr/\A$says\z/, "$name: what vole says");
}
{
	local $ENV{VOLE_FAULTY_FILE} = image();
	local $ENV{VOLE_FAULTS} = 'read:1-2=EIO';
	my $result = run([$faulty, 'run', '--engine', engine(), '-d', "$ENV{VOLE_FAULTY_FILE},format=raw", $kernel]);
	is($result->{status}, 0, 'a disk whose beginning cannot be read, with format=raw: it is not looked at');
	is($result->{err}, '', '... without a word');
}
done_testing();
