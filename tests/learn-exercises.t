#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The exercises of spec/learn/exercises.md: the kernel that a learner begins with is not passed, a solution is, and
# answers with a mistake are told what it is.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

# For each exercise, what stands between its two comments, and what guest-kernel/learn/grade then says besides "not
# passed"; undef for a solution.
my %answers = (
	capacity => [
		[<<'END', undef],
	uint32_t generation, low, high;

	do {
		generation = get(VIRTIO_MMIO_CONFIG_GENERATION);
		low = get(VIRTIO_MMIO_CONFIG);
		high = get(VIRTIO_MMIO_CONFIG + 4);
	} while (generation != get(VIRTIO_MMIO_CONFIG_GENERATION));
	return (uint64_t)high << 32 | low;
END
		["\treturn get(VIRTIO_MMIO_CONFIG) | (uint64_t)get(VIRTIO_MMIO_CONFIG + 4) << 32;\n", qr/\(capacity\+0x.*\): ConfigGeneration was not read before and after \(virtio 2\.5\.1, rule config-generation\)/],
		["\treturn 2048;\n", qr/expected: 77 sectors\nprinted:  2048 sectors\n/],
		["\tfor (;;)\n\t\t__asm__ volatile(\"hlt\");\n", qr/the kernel has crashed/],
		["\tfor (int i = 0; i < 1000; i++)\n\t\tprint(\"again and again\\n\");\n\tfor (;;)\n\t\t__asm__ volatile(\"hlt\");\n",
			qr/\A(?:again and again\n){125}\n\.\.\. and so on: 16000 bytes, in .*\n(?!again)/],
		["\treturn capacity;\n}\n", qr/it cannot be compiled/],
	],
	write => [
		[<<'END', undef],
	to_write->header.type = cpu_to_le32(VIRTIO_BLK_T_OUT);
	to_write->header.sector = cpu_to_le64(sector);
	to_write->status = 0xff;
	describe(head, &to_write->header, sizeof to_write->header, VIRTQ_DESC_F_NEXT);
	describe(head + 1, to_write->data, sizeof to_write->data, VIRTQ_DESC_F_NEXT);
	describe(head + 2, &to_write->status, sizeof to_write->status, VIRTQ_DESC_F_WRITE);
END
		["\tprepare_read(to_write, sector, head);\n\tto_write->header.type = cpu_to_le32(VIRTIO_BLK_T_OUT);\n", qr/device 2, block: write with 512 bytes of device-writable data \(virtio 5\.2\.6\)/],
		[<<'END', qr/the disk is not as it should be/],
	(void)sector;
	to_write->header.type = cpu_to_le32(VIRTIO_BLK_T_OUT);
	describe(head + 1, to_write->data, sizeof to_write->data, VIRTQ_DESC_F_NEXT);
END
		["\tprepare_read(to_write, sector, head);\n\tdesc[head + 2].flags = cpu_to_le16(0);\n", qr/device-readable descriptor after a device-writable one \(virtio 2\.7\.4\.2\)/],
	],
	random => [
		["\tdescribe(0, data, len, VIRTQ_DESC_F_WRITE);\n\tpublish(0);\n\tkick();\n\treturn le32_to_cpu(wait_used().len);\n", undef],
		["\tdescribe(0, data, len, VIRTQ_DESC_F_WRITE);\n\tpublish(0);\n\tkick();\n\twait_used();\n\treturn len;\n",
			qr/--chaos .*\nrandom: the kernel prints something else\n/],
		["\tdescribe(0, data, len, 0);\n\tpublish(0);\n\tkick();\n\twait_used();\n\treturn len;\n", qr/rule rng-readable\)/],
	],
	order => [
		["\treturn le32_to_cpu(element.id) / CHAIN_LENGTH;\n", undef],
		["\treturn le32_to_cpu(element.id);\n", qr/changed while the device owned its chain \(virtio 3\.3\.1, rule descriptor-changed\)/],
	],
	quiet => [
		["\tavail.used_event.raw = cpu_to_le16(count - 1).raw;\n", undef],
		["\tavail.used_event.raw = cpu_to_le16(count).raw;\n", qr/interrupts for used buffers: \d+ instead of 5/],
		["\t(void)count;\n\tavail.flags.raw = cpu_to_le16(1).raw;\n", qr/flags of the available ring that are not defined \(virtio 2\.7\.7\.1, rule available-flags\)/],
	],
);

sub grade {
	my (@words) = @_;
	local $ENV{O} = build();
	# A name that needs care in lists and in the shell.
	local $ENV{GRADED} = scratch() . "/graded, by: o'us";
	return run(['guest-kernel/learn/grade', @words]);
}

is(join(' ', sort keys %answers), join(' ', map { m{exercise-(\w+)\.c$} } sort(glob 'guest-kernel/learn/exercise-*.c')), 'all exercises are here');
for my $exercise (sort keys %answers) {
	my $got = grade($exercise);
	is($got->{status}, 1, "$exercise: what it begins with is not passed") or diag(shown($got));
	like($got->{out}, qr/^$exercise: not passed\n\z/m, '... which is said');

	my $skeleton = slurp("guest-kernel/learn/exercise-$exercise.c");
	for (@{ $answers{$exercise} }) {
		my ($code, $says) = @$_;
		my $source = $skeleton;
		$source =~ s{(?<=Your part begins here\. \*/\n).*?(?=^\t/\* Your part ends)}{$code}ms or die "$exercise: no part\n";
		$got = grade($exercise, write_file("$exercise.c", $source));
		if ($says) {
			is($got->{status}, 1, "$exercise: a mistake is not passed") or diag($code, shown($got));
			like($got->{out} . $got->{err}, $says, '... and told');
			my ($again) = $got->{out} =~ /^To run this again: (.*)$/m;
			ok(run(['bash', '-c', $again])->{status} !~ /^12[57]$/, '... and can be seen again') or diag($again) if $again;
		} else {
			is($got->{status}, 0, "$exercise: the solution is passed") or diag(shown($got));
			is($got->{out}, "$exercise: passed\n", '... and nothing else is said');
		}
	}
}

for my $bad ([], ['none'], [qw(write a b)], [qw(write /nowhere.c)]) {
	is(grade(@$bad)->{status}, 2, "grade @$bad: cannot be graded");
}
done_testing();
