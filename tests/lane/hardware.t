#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What holds on a KVM with hardware semantics and need not on one that interprets guest code: for
# tests/lane/run to run on the former.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

my $absent = kvm_absent();
die "$absent\n" if $absent;

sub run_kernel {
	my ($kernel, @options) = @_;
	return run([vole(), 'run', @options, build() . "/guest/$kernel.elf"]);
}

# --- instructions are the processor's ---

for my $kernel ('exceptions', 'timer', 'paging') {
	my $result = run_kernel($kernel, '-v');
	my ($exits, $completed) = $result->{err} =~ /^vole: CPU 0: (\d+) exits, (\d+) instructions completed for KVM$/m;

	is($result->{status}, 0, "$kernel: status 0") or diag(shown($result));
	like($result->{out}, qr/^all checks hold$/m, "$kernel: all checks hold");
	is($completed, 0, "$kernel: no instruction has to be completed, iret among them");
	diag("$kernel: $exits exits");
}

# --- crashes ---

{
	my $result = run_kernel('triple-fault');
	is($result->{status}, 126, 'triple fault: status 126');
	is($result->{err}, "vole: guest crashed: triple fault on CPU 0\n"
		. "vole:   registers: lost, since this host's KVM resets a CPU that shuts down (run again with --engine soft, which keeps them)\n",
		'triple fault: no place is named, since this KVM (AMD) does not keep it') or diag(shown($result));
}

# --- flags that the CPU itself sets, in read-only memory ---

for my $kernel ('constant-gdt', 'constant-gdt-in-text', 'constant-tss-descriptor', 'constant-page-directory-DLOAD') {
	my $result = run_kernel("cases/$kernel");
	is($result->{status}, 0, "$kernel: status 0") or diag(shown($result));
	is($result->{err}, '', "$kernel: nothing is said");
}

{
	my $result = run_kernel('cases/constant-tss');
	is($result->{status}, 126, 'constant-tss: status 126');
	like($result->{err}, qr/^vole: guest crashed: CPU 0 itself saves a task in a TSS at \S+ \(old_tss\+0x20\), which is read-only$/m,
		"constant-tss: is told as the CPU's own write") or diag(shown($result));
}

for my $kernel ('constant-stack-DEXCEPTION', 'constant-stack-DINTERRUPT') {
	my $result = run_kernel("cases/$kernel");
	is($result->{status}, 126, "$kernel: status 126");
	like($result->{err}, qr/^vole: guest crashed: ESP is \S+ at \S+ \(main\+\S+\), where no stack can be$/m, "$kernel: ESP is told")
		or diag(shown($result));
}

# Whether KVM gives the store the wrong address depends on what the processor's TLB holds.
{
	my $result = run_kernel('cases/constant-page-directory-DSTORE');
	my $told = qr/^vole: guest crashed: CPU 0 itself sets an accessed or dirty flag of a paging-structure entry at \S+ \(directory/m;
	ok($result->{status} eq 126 && $result->{err} =~ $told || $result->{status} eq 0 && $result->{out} eq "accessed\n",
		"constant-page-directory-DSTORE: works, or the CPU's own write is told") or diag(shown($result));
	diag("constant-page-directory-DSTORE: status $result->{status}");
}

# --- what vole says about it ---

{
	my $result = run([vole(), 'doctor']);
	is($result->{status}, 0, "doctor: this host will do") or diag(shown($result));
	like($result->{out}, qr/^ok +\Q$_\E  /m, "doctor: $_")
		for "iret", "int n in user mode", "32-bit paging", "SSE";
	diag($result->{out});
}

done_testing();
