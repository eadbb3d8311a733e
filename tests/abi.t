#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The ABI's headers: freestanding, in C, C++ and assembly, at 32 and 64 bits, alone and together; and the virtio
# ones against those of the system.
use strict;
use warnings;
use lib 'tests/lib';
use Abi;
use Installed;
use Test::More;
use Vole;

my $compiler = $ENV{CC} || 'cc';
my @warnings = qw(-Wall -Wextra -Wpedantic -Wundef -Wshadow -Wconversion -Werror);

# gcc and clang, as far as they are installed, and the compiler of this run, which mostly is one of them.
my %compilers = map { $_ => 1 } $ENV{CC} || (), grep { present($_) } qw(gcc clang);
$compilers{$compiler} = 1 if !%compilers;

# -nostdinc keeps libc out; the compiler's own folder has stdint.h and stddef.h.
sub freestanding {
	my ($cc) = @_;
	chomp(my $own = `$cc -print-file-name=include`);
	return ($cc, qw(-ffreestanding -nostdinc -Iinclude -isystem), $own);
}

# One unit for each header and two with all, forwards and backwards; each header is included twice.
sub units {
	my ($suffix, $text_of) = @_;
	my %units = map { m{/(\w+)\.h$} ? ($1 => [$_]) : () } headers();
	$units{forwards} = [headers()];
	$units{backwards} = [reverse headers()];
	return map { write_file("$_.$suffix", $text_of->((@{$units{$_}}) x 2)) } sort keys %units;
}

sub includes {
	return join '', map { "#include <$_>\n" } @_;
}

my @c = units('c', sub { includes(@_) . "extern int unit;\n" });
my @cxx = units('cc', sub { includes(@_) . "extern int unit;\n" });
for my $cc (sort keys %compilers) {
	for my $standard (qw(c99 c11 gnu11 c++11 c++17)) {
		for my $bits (32, 64) {
			my $result = run([freestanding($cc), @warnings, "-std=$standard", "-m$bits", '-fsyntax-only',
				$standard =~ /\+/ ? @cxx : @c]);
			is($result->{err}, '', "$cc -std=$standard -m$bits: each header compiles alone, and all together");
			is($result->{status}, 0, '... with status 0');
		}
	}
}

# The constants of these headers, and their macros of an argument. In 64 bits, since segment descriptors are so large.
sub constants_in_assembly {
	my @headers = grep { !m{/(?:le|language)\.h$} } @_;
	my @names = map { s/\(\)$/(3)/r } map { constants("include/$_") } @headers;
	return includes(@_) . join '', ".data\n", map { ".quad $_\n" } @names;
}

my @assembly = units('S', \&constants_in_assembly);
for my $cc (sort keys %compilers) {
	for my $bits (32, 64) {
		for my $path (@assembly) {
			my $result = run([freestanding($cc), '-Werror', "-m$bits", '-c', '-o', '/dev/null', $path]);
			is($result->{err}, '', "$cc -m$bits: all constants serve in assembly, " . $path =~ s{.*/}{}r);
			is($result->{status}, 0, '... with status 0');
		}
	}
}

# What assembly makes of macros that use operators is what C makes of them.
my @macros = map { my $name = $_; map { $name =~ s/\(\)$/($_)/r } 0, 1, 7 }
	grep { /\(\)$/ } map { constants("include/$_") } grep { !m{/(?:le|language)\.h$} } headers();
my $table = write_file('macros.S', includes(headers()) . join '', ".section .text\n", map { ".long $_\n" } @macros);
is(run([$compiler, qw(-Iinclude -m32 -c -o), scratch() . '/macros.o', $table])->{status}, 0, 'macros for assembly');
run(['objcopy', '-O', 'binary', '-j', '.text', scratch() . '/macros.o', scratch() . '/macros.bin']);
is_deeply([unpack 'V*', slurp(scratch() . '/macros.bin')], [evaluate(includes(headers()), [qw(-Iinclude)], @macros)],
	'macros have the same values in C and in assembly');

# Ours and the system's have different names for a few things: virtio 1.2 renamed them.
my %renamed = (
	VIRTIO_MMIO_QUEUE_SIZE_MAX => 'VIRTIO_MMIO_QUEUE_NUM_MAX',
	VIRTIO_MMIO_QUEUE_SIZE => 'VIRTIO_MMIO_QUEUE_NUM',
	VIRTIO_MMIO_QUEUE_DRIVER_LOW => 'VIRTIO_MMIO_QUEUE_AVAIL_LOW',
	VIRTIO_MMIO_QUEUE_DRIVER_HIGH => 'VIRTIO_MMIO_QUEUE_AVAIL_HIGH',
	VIRTIO_MMIO_QUEUE_DEVICE_LOW => 'VIRTIO_MMIO_QUEUE_USED_LOW',
	VIRTIO_MMIO_QUEUE_DEVICE_HIGH => 'VIRTIO_MMIO_QUEUE_USED_HIGH',
	VIRTIO_ID_ENTROPY => 'VIRTIO_ID_RNG',
	VIRTIO_CONSOLE_DEVICE_ADD => 'VIRTIO_CONSOLE_PORT_ADD',
	VIRTIO_CONSOLE_DEVICE_REMOVE => 'VIRTIO_CONSOLE_PORT_REMOVE',
	VIRTIO_STATUS_ACKNOWLEDGE => 'VIRTIO_CONFIG_S_ACKNOWLEDGE',
	VIRTIO_STATUS_DRIVER => 'VIRTIO_CONFIG_S_DRIVER',
	VIRTIO_STATUS_DRIVER_OK => 'VIRTIO_CONFIG_S_DRIVER_OK',
	VIRTIO_STATUS_FEATURES_OK => 'VIRTIO_CONFIG_S_FEATURES_OK',
	VIRTIO_STATUS_DEVICE_NEEDS_RESET => 'VIRTIO_CONFIG_S_NEEDS_RESET',
	VIRTIO_STATUS_FAILED => 'VIRTIO_CONFIG_S_FAILED',
	VIRTIO_F_INDIRECT_DESC => 'VIRTIO_RING_F_INDIRECT_DESC',
	VIRTIO_F_EVENT_IDX => 'VIRTIO_RING_F_EVENT_IDX',
	VIRTIO_BLK_T_GET_LIFETIME => '',    # not in Linux
	VIRTIO_BLK_F_LIFETIME => '',
	VIRTQ_DESC_ALIGN => 'VRING_DESC_ALIGN_SIZE',
	VIRTQ_AVAIL_ALIGN => 'VRING_AVAIL_ALIGN_SIZE',
	VIRTQ_USED_ALIGN => 'VRING_USED_ALIGN_SIZE',
	VIRTQ_DESC_F_NEXT => 'VRING_DESC_F_NEXT',
	VIRTQ_DESC_F_WRITE => 'VRING_DESC_F_WRITE',
	VIRTQ_DESC_F_INDIRECT => 'VRING_DESC_F_INDIRECT',
	VIRTQ_DESC_F_AVAIL => '',    # Linux counts these bits
	VIRTQ_DESC_F_USED => '',
	VIRTQ_EVENT_WRAP => '',
	VIRTQ_EVENT_ENABLE => 'VRING_PACKED_EVENT_FLAG_ENABLE',
	VIRTQ_EVENT_DISABLE => 'VRING_PACKED_EVENT_FLAG_DISABLE',
	VIRTQ_EVENT_DESC => 'VRING_PACKED_EVENT_FLAG_DESC',
	VIRTQ_AVAIL_F_NO_INTERRUPT => 'VRING_AVAIL_F_NO_INTERRUPT',
	VIRTQ_USED_F_NO_NOTIFY => 'VRING_USED_F_NO_NOTIFY',
);
my $ours = includes(headers());
my $system = includes(map { "linux/$_.h" }
	qw(virtio_ids virtio_config virtio_ring virtio_mmio virtio_blk virtio_console));

my @names = grep { !/\(\)$/ } map { constants($_) } glob 'include/vole/virtio_*.h';
my @theirs = map { $renamed{$_} // $_ } @names;
my @our_values = evaluate($ours, [qw(-Iinclude)], @names);
my @their_values = evaluate($system, [], map { $_ || 'NOT_IN_LINUX' } @theirs);
my $compared = 0;
for my $i (0 .. $#names) {
	next unless defined $their_values[$i];
	is($our_values[$i], $their_values[$i], "$names[$i] is the system's $theirs[$i]");
	$compared++;
}
# The system may be too old for a few of them, never for most.
cmp_ok($compared, '>=', 60, 'most constants were compared');

# Structures: field by field in order, which says what the other side calls them.
my %same = (
	'struct virtq_desc' => ['struct vring_desc', qw(addr len flags next)],
	'struct virtq_packed_desc' => ['struct vring_packed_desc', qw(addr len id flags)],
	'struct virtq_avail' => ['struct vring_avail', qw(flags idx ring)],
	'struct virtq_used' => ['struct vring_used', qw(flags idx ring)],
	'struct virtq_used_elem' => ['struct vring_used_elem', qw(id len)],
	'struct virtio_console_config' => ['struct virtio_console_config', qw(cols rows max_nr_ports emerg_wr)],
	'struct virtio_console_control' => ['struct virtio_console_control', qw(id event value)],
	'struct virtio_blk_req' => ['struct virtio_blk_outhdr', qw(type ioprio sector)],
	'struct virtio_blk_config' => ['struct virtio_blk_config',
		qw(capacity size_max seg_max geometry.cylinders geometry.heads geometry.sectors blk_size
		physical_block_exp alignment_offset min_io_size opt_io_size wce unused num_queues
		max_discard_sectors max_discard_seg discard_sector_alignment max_write_zeroes_sectors
		max_write_zeroes_seg write_zeroes_may_unmap unused1)],
);
for my $struct (sort keys %same) {
	my ($other, @other_fields) = @{$same{$struct}};
	my %structs = map { structs($_) } glob 'include/vole/virtio_*.h';
	my @fields = @{$structs{$struct =~ s/^struct //r}};
	my @got = evaluate($ours, [qw(-Iinclude)], map { "offsetof($struct, $_)" } @fields);
	my @expected = evaluate($system, [], map { "offsetof($other, $_)" } @other_fields);
	for my $i (0 .. $#expected) {
		is($got[$i], $expected[$i], "$struct, $fields[$i] is where the system has $other, $other_fields[$i]");
	}
}

done_testing();
