#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Who may include whom: vmm -> virtio -> include <- guest-kernel, and nothing else.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole 'build';

# The project's own headers, as they are included: the folders that have one of this name. Two may: the
# device's and the driver's side of the same thing. What is in a folder of vmm/ is named with it, from there too.
my %folders_of;
for (grep { !m{^build/} } glob '{include/vole,virtio,vmm,vmm/*,guest-kernel,guest-kernel/kernels,guest-kernel/learn,tests,tests/guest,tests/cases}/*.h') {
	m{^(include|vmm|.*)/(.+)$};
	push @{$folders_of{$2}}, $1;
}

my %may_see = (
	'include' => [qw(include)],
	'virtio' => [qw(include virtio)],
	'vmm' => [qw(include virtio vmm)],
	'guest-kernel' => [qw(include guest-kernel guest-kernel/kernels guest-kernel/learn)],
	'tests/guest' => [qw(include guest-kernel tests/guest)],
	'tests/cases' => [qw(include guest-kernel tests/cases)],
);

# Headers of the system: what a folder may name ...
my %system_only = (
	'include' => qr/^std(?:int|def)\.h$/,
	'guest-kernel' => qr/^std(?:int|def|bool|arg|noreturn|align|atomic)\.h$/,
	'tests/cases' => qr/^std(?:int|def|bool)\.h$/,
	'tests/guest' => qr/^std(?:int|def|bool|arg|noreturn|align|atomic)\.h$/,
);
# ... and what none but vmm/ may.
my $vmm_only = qr{^(?:linux/kvm\.h|libelf\.h|gelf\.h|elf\.h|sys/epoll\.h|sys/eventfd\.h|sys/ioctl\.h)$};

for my $folder (sort keys %may_see) {
	my $glob = $folder eq 'include' ? 'include/vole/*.h' : "$folder/{*.[chS],*/*.[chS]}";
	for my $path (sort grep { -f } glob $glob) {
		my $text = slurp($path);
		my @bad;
		while ($text =~ /^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")/gm) {
			my ($system, $name) = ($1, $1 // $2);
			my @owners = @{$folders_of{$name} // []};
			if (@owners && !(defined $system && $owners[0] ne 'include')) {
				my %owned = map { $_ => 1 } @owners;
				push @bad, $name unless grep { $owned{$_} } @{$may_see{$folder}};
			} elsif (!defined $system) {
				push @bad, "$name, which no folder has";
			} elsif ($system_only{$folder} && $name !~ $system_only{$folder}) {
				push @bad, $name;
			} elsif ($folder ne 'vmm' && $name =~ $vmm_only) {
				push @bad, $name;
			}
		}
		push @bad, "names $1" if $folder eq 'virtio' && $text =~ /\b(kvm_\w+|KVM_\w+|epoll_\w+)\b/;
		is("@bad", '', "$path includes only what $folder/ may");
	}
}

# Inside of vmm/: which folders the files of a folder may include, besides their own and vmm/ itself. An engine is
# known by nobody: machine/ and all others know what cpu/engine.h says of engines.
my %may_see_in_vmm = (
	'sandbox' => [],
	'snapshot' => [qw(io)],
	'replay' => [qw(chips cpu io snapshot)],
	'cpu' => [qw(chips snapshot)],
	'kvm' => [qw(chips cpu sandbox snapshot)],
	'x86' => [qw(chips cpu snapshot)],
	'chips' => [qw(snapshot)],
	'io' => [qw(sandbox)],
	'boot' => [qw(chips cpu io snapshot)],
	'see' => [qw(chips cpu io)],
	'story' => [qw(chips see)],
	'debug' => [qw(chips cpu io see)],
	'machine' => [qw(boot chips cpu debug io replay sandbox see snapshot)],
);
for my $folder (sort keys %may_see_in_vmm) {
	my %allowed = map { $_ => 1 } $folder, @{$may_see_in_vmm{$folder}};
	for my $path (glob "vmm/$folder/*.[ch]") {
		my @bad = grep { $may_see_in_vmm{$_} && !$allowed{$_} } slurp($path) =~ m{^\s*#\s*include\s*"(\w+)/}gm;
		is("@bad", '', "$path includes only what vmm/$folder/ may");
	}
}
is(join(' ', grep { slurp($_) =~ m{^\s*#\s*include\s*"(?:kvm|x86)/}m } glob 'vmm/*.[ch]'), '', 'no file of vmm/ itself includes an engine');
is(join(' ', grep { slurp($_) =~ /^\s*#\s*include\s*<linux\/kvm\.h>/m } grep { !m{^vmm/kvm/} } glob '{vmm,vmm/*,virtio}/*.[ch]'), '',
	'vmm/kvm/ alone includes linux/kvm.h');

# The build tells what is included on any way.
my %seen = map { $_ => 1 } map { slurp($_) =~ m{\b(vmm/\S+\.[ch])\b}g } glob build() . '/host/vmm/boot/*.d';
ok($seen{'vmm/boot/boot.h'}, 'the build tells what boot protocols include');
is(join(' ', grep { m{^vmm/(?:kvm|x86)/} } sort keys %seen), '', 'nothing of that is an engine');

# Headers that come with gcc-multilib, which the README does not ask for: a build finds them where that happens to be.
my @built = glob build() . '/{guest-kernel,linux-32,tests}/{*.d,*/*.d}';
my @multilib = grep { slurp($_) =~ m{ /usr/include/asm/} } @built;
ok(scalar @built, 'the build tells what 32-bit code includes');
is("@multilib", '', 'no 32-bit code includes what gcc-multilib brings');

done_testing();
