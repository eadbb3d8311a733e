#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A 64-bit Linux finds the devices and uses them before its first program starts: a disk is mounted, the
# virtio console is the console, and the entropy device seeds its random numbers. So much is possible on
# a KVM that interprets guest code too, without the instructions that such a one lacks; but not where the guest gets
# much less than half a processor, which its timer ticks use up (spec/boot-linux.md, 6): run it beside little else.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Time::HiRes 'time';
use Vole;

my $absent = kvm_absent();
plan skip_all => $absent if $absent;

my $disk = write_file('ext2.img', '');
truncate $disk, 1 << 20 or die "$disk: $!\n";
system('/sbin/mkfs.ext2', '-q', '-F', $disk) == 0 or die "mkfs.ext2 fails\n";

for my $kernel (qw(bzImage-64 vmlinux-64)) {
	my $start = time;
	my $result = run([vole(), qw(run -m 128M --timeout 400 --check virtio --serial none --console stdio -d), $disk, build() . "/linux/$kernel",
		'--', qw(console=hvc0 root=/dev/vda ro panic=-1 noxsave), 'clearcpuid=smap,smep,fsgsbase,popcnt'], limit => 450);
	diag(sprintf '%s: %.1f s', $kernel, time - $start);

	like($result->{out}, qr{\A\[ *\d+\.\d{6}\] \w}, "$kernel: hvc0 is the console");
	like($result->{out}, qr/virtio_blk virtio\d+: \[vda\] 2048 512-byte logical blocks/, "$kernel: the disk is found");
	like($result->{out}, qr/random: crng init done/, "$kernel: random numbers are seeded");
	like($result->{out}, qr/VFS: Mounted root \(ext2 filesystem\) readonly on device/, "$kernel: the disk is mounted");
	like($result->{out}, qr/No working init found/, "$kernel: and read: there is no init on it");
	is($result->{status}, 0, "$kernel: the restart after the panic is no crash") or diag(shown($result));
	like($result->{err}, qr/\Avole: virtio: \d+ rules watched, 0 broken\n\z/, "$kernel: its drivers make no mistake, and break no rule");
}
done_testing();
