#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The constants and layouts in spec/*.md against the headers, in both directions. Rows of tables count:
#
#	| 0x070 | `NAME` | ...		a constant, or with n in the first cell a macro of one parameter
#	| 4 | 2 | `field` | ...		below a heading that ends in "struct NAME": offset, bytes, field
#	| 12 | | size of `struct NAME`
use strict;
use warnings;
use lib 'tests/lib';
use Abi;
use Test::More;

# Besides include/vole/: where the constants are that a guest cannot see but may know.
my @more = qw(vmm/layout.h vmm/boot/boot_data.h vmm/boot/linux_guest.h virtio/virtq.h virtio/mmio.h virtio/rng.h);
my $prologue = join '', map { "#include <$_>\n" } headers(), map { s{^\w+/}{}r } @more;
my @options = qw(-std=gnu11 -D_GNU_SOURCE -Iinclude -Ivirtio -Ivmm);

my (%seen, @checks);    # checks: [what, C expression, expected as C expression]
for my $path (glob 'spec/*.md') {
	my $struct;
	my $line = 0;
	for (split /\n/, slurp($path)) {
		$line++;
		$struct = /\bstruct (\w+)$/ ? $1 : undef if /^#/;
		next unless /^\|/;
		my (undef, @cells) = map { s/^\s+|\s+$//gr } split /\|/;
		my $number = qr/0x[0-9a-f]+|[0-9]+/;

		if (@cells > 1 && $cells[0] =~ /^(?:$number|n| |[*+])+$/ && $cells[1] =~ /^`([A-Z]\w+)`$/) {
			my ($value, $name) = ($cells[0], $1);
			my $macro = $value =~ s/n/8/g;
			$seen{$macro ? "$name()" : $name} = 1;
			push @checks, ["$path:$line: $name", $macro ? "$name(8)" : $name, $value];
		} elsif ($struct && @cells > 2 && $cells[2] =~ /^`(\w+)`$/) {
			my $field = "struct $struct, $1";
			$seen{$field} = 1;
			push @checks, ["$path:$line: offset of $field", "offsetof($field)", $cells[0]];
			push @checks, ["$path:$line: bytes of $field", "sizeof(((struct $struct *)0)->$1)", $cells[1]]
				if length $cells[1];
		} elsif ($struct && @cells > 2 && $cells[2] =~ /^size of `struct (\w+)`$/) {
			push @checks, ["$path:$line: heading and row name the same struct", 1, $1 eq $struct ? 1 : 0];
			push @checks, ["$path:$line: size of struct $1", "sizeof(struct $1)", $cells[0]];
			$seen{"struct $1"} = 1;
		}
	}
}

my @values = evaluate($prologue, \@options, map { @$_[1, 2] } @checks);
for (@checks) {
	my ($what) = @$_;
	my ($got, $expected) = splice @values, 0, 2;
	is($got, $expected, $what);
}

for my $path (glob('include/vole/*.h'), 'vmm/layout.h') {
	next if $path =~ m{/le\.h$};    # how C gets at little-endian numbers, not ABI
	ok($seen{$_}, "$path: $_ is in spec/") for constants($path);
	my %structs = structs($path);
	for my $name (sort keys %structs) {
		my @fields = @{$structs{$name}};
		ok($seen{"struct $name, $_"}, "$path: struct $name, $_ is in spec/") for @fields;
		ok($seen{"struct $name"} || $fields[-1] eq 'ring', "$path: the size of struct $name is in spec/");
	}
}

# The example kernel is the one that is built and tested.
my ($example) = slurp('spec/boot.md') =~ /^```c\n(.*?)^```$/ms;
is($example, slurp('guest-kernel/kernels/hello.c'), 'the complete kernel of spec/boot.md is hello.c');
my ($function) = slurp('README.md') =~ /^(    int main\(.*?^    }\n)/ms;
($function //= 'none') =~ s/^    ((?:    )*)/"\t" x (length($1) \/ 4)/gme;
ok(index($example, $function) >= 0, 'and the function that README shows is its function') or diag($function);

done_testing();
