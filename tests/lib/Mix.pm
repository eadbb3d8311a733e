# SPDX-License-Identifier: BSD-2-Clause
#
# Makes the modules of snippets that tests/guest/mix.c runs, from a seed, and compares what it printed on two
# engines. Chapters are the Intel SDM's.
#
# QEMU 7.2, whose emulated processor tests/lane has, differs from the manual in what follows. The snippets stay clear
# of it where it is not a matter of normalise(), and unit tests judge the software CPU there.
#
#	limits and types of segments: not checked at accesses, jumps and returns (SDM 3, 5.3, 5.5)
#	accessed bit of a descriptor: not set for CS by far transfers, for SS by stack switches (3, 3.4.5.1)
#	LOCK with MOV, LOCK with BTS, BTR, BTC on a register: no #UD; the latter ends QEMU (2, LOCK)
#	8F /1 to /7, C6 /1, C7 /1: no #UD. F6 /1, F7 /1: #UD, where processors take them for TEST
#	INT1: #UD. MOV from CR1 at CPL 3: #GP before #UD (3, 6.9)
#	IRET at CPL 3 with VM in the frame: enters virtual-8086 mode; VIP then never goes away (2, IRET)
#	RET and IRET to a stack segment that is not present: #NP, not #SS (2, RET, IRET)
#	TS after a task switch while CR0.CD is set: KVM shows the CR0 of before (3, 8.3)
#	LTR with a null selector: no #GP. A far jump to a TSS in the LDT: #TS, not #GP (2, LTR, JMP)
#	an instruction that has just been stored, in the same block, while paging is on: the old one runs (3, 12.6)
#	flags after CMPXCHG8B: wrong. In the TSS of a task that a far jump or call leaves: those of an earlier
#	instruction, unless a jump came between. After a fault of the store of RCL, RCR, SETcc: changed (3, 6.5).
#	After a fault of a repeated CMPS or SCAS: the last comparison's, not those of before (2, REP)
#	ARPL that changes nothing: stores. PUSHA, SGDT, SIDT and pushes of an exception that fault in their midst:
#	what was stored by then stays; the manual leaves that open, as it does which operand of CMPS faults first
package Mix;

use strict;
use warnings;
use Exporter 'import';
use Mix::Bytes;
use Mix::Plain;
use Mix::System;

our @EXPORT = qw(mix_module mix_differences);

# --- snippets -------------------------------------------------------------------------------------------------

my @PLAIN = ((\&alu) x 5, (\&move) x 3, (\&shift_) x 3, (\&conditional) x 2, (\&compare_and_jump) x 2, (\&bits) x 2,
	(\&stack) x 2, \&test, (\&unary) x 2, \&exchange, \&convert, \&swap_bytes, \&double_shift, \&multiply, \&divide,
	\&decimal, \&loop_, (\&string) x 2, \&call_, \&jump, \&change_code);
my @LAST = ((\&load_segment) x 2, \&load_stack_segment, (\&use_segment) x 3, (\&look_at_selector) x 2, (\&far) x 3,
	(\&far_return) x 3, (\&set_flags) x 2, (\&interrupt) x 3, (\&move_stack) x 3, \&bound, \&invalid, (\&system_) x 3);

sub snippet {
	my $ring = pick(0, 3);
	my $bits = pick(32, 32, 32, 16);
	my $selectors = $RING{$ring};
	my $iopl = pick(0, 0, 0, 3, int rand 4);
	my $start = pick(0, 0, 0, int rand 0xd00);
	my $b = { ring => $ring, bits => $bits, iopl => $iopl, code => '', start => $start, is_late => 0 };
	for (1 .. int rand 10) {
		pick(@PLAIN)->($b) if length $b->{code} < 120;
	}
	$b->{is_late} = 1;
	for (1 .. int rand 4) {
		pick(@LAST)->($b) if length $b->{code} < 150;
	}
	my $flags = 2 | int(rand 0x1000) & ($CF | $PF | $AF | $ZF | $SF | $OF | $DF) | $IF | $iopl << 12;
	if (chance(0.03)) {
		$flags |= $TF;
		$b->{code} = '';
		$b->{is_late} = 0;
		pick(\&move, \&unary, \&stack, \&exchange, \&load_segment)->($b);
	}
	my $data = $selectors->{$bits == 16 && chance(0.3) ? 'data16' : 'data'};
	my $stack = $selectors->{chance($bits == 16 ? 0.5 : 0.1) ? 'data16' : 'data'};
	my $mode = chance(0.5) ? $PAGING | (chance(0.5) ? $WRITE_PROTECT : 0) : 0;
	my @reg = (value(), value(), value(), pointer(), 0x3f00, pointer(), pointer(), pointer());
	return pack 'v8 V2 V8 a200', length $b->{code}, $b->{start}, $selectors->{$bits == 16 ? 'code16' : 'code'}, $stack,
		$data, $data, $data, $data, $mode, $flags, @reg, $b->{code};
}

# A module of this many snippets.
sub mix_module {
	my ($seed, $count) = @_;
	srand $seed;
	return join '', map { snippet() } 1 .. $count;
}

# --- comparison -----------------------------------------------------------------------------------------------

sub fields {
	my ($line) = @_;
	return { $line =~ /(\w+)=(\S*)/g };
}

# What may differ, in the fields of KVM and of the software CPU.
sub normalise {
	my ($kvm, $soft) = @_;
	if ($kvm->{v} eq 'e' && $soft->{v} eq 'e') {
		# SDM 3, 4.7: the software CPU reports a read-modify-write instruction as a write, QEMU by its load. SDM 3, 4.8:
		# which pages of a faulting instruction count as accessed is not said.
		$kvm->{e} = sprintf '%x', hex($kvm->{e}) | 2 if hex($soft->{e}) & 2;
		$_->{p} = join ',', map { sprintf '%x', hex($_) & ~0x20 } split /,/, $_->{p} for $kvm, $soft;
	}
	# SDM 3, 8.6: a 16-bit task has no upper halves of registers; ones are there on Intel's processors.
	if ($kvm->{t} =~ /^e8,/ && $soft->{t} =~ /^e8,/) {
		$_->{r} = join ',', map { sprintf '%x', hex($_) & 0xffff } split /,/, $_->{r} for $kvm, $soft;
	}
	return;
}

sub shown_record {
	my ($record) = @_;
	my ($len, $start, $cs, $ss, @rest) = unpack 'v8 V2 V8', $record;
	my $code = unpack 'H*', substr $record, 56, $len;
	return sprintf "CS %x SS %x DS %x EIP %x mode %x EFLAGS %x, registers %s\n  code: %s\n", $cs, $ss, $rest[0], $start,
		@rest[4, 5], join(',', map { sprintf '%x', $_ } @rest[6 .. 13]), $code =~ s/(..)/$1 /gr;
}

# What differs between two outputs for this module: one text for each snippet.
sub mix_differences {
	my ($module, $one, $other) = @_;
	my (@a, @b);
	/^(\d+) / and $a[$1] = $_ for split /\n/, $one;
	/^(\d+) / and $b[$1] = $_ for split /\n/, $other;
	my @texts;
	for my $i (0 .. length($module) / 256 - 1) {
		my ($x, $y) = map { $_ // "$i v=nothing" } $a[$i], $b[$i];
		next if $x eq $y;
		my ($f, $g) = map { fields($_) } $x, $y;
		normalise($f, $g) if !grep { /nothing|died|lost/ } $x, $y;
		my @names = grep { ($f->{$_} // '') ne ($g->{$_} // '') } sort keys %{ { %$f, %$g } };
		next if !@names;
		push @texts, "snippet $i: " . shown_record(substr $module, 256 * $i, 256) . "  $x\n  $y\n" . "  differs: @names\n";
	}
	return @texts;
}

1;
