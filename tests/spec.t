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

# What spec/ names is in include/vole/, where a guest's author finds it.
my $prologue = join '', map { "#include <$_>\n" } headers();
my @options = qw(-std=gnu11 -Iinclude);

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

for my $path (glob 'include/vole/*.h') {
	next if $path =~ m{/(?:le|language)\.h$};    # how C and C++ get at it all, not ABI
	ok($seen{$_}, "$path: $_ is in spec/") for constants($path);
	my %structs = structs($path);
	for my $name (sort keys %structs) {
		my @fields = @{$structs{$name}};
		ok($seen{"struct $name, $_"}, "$path: struct $name, $_ is in spec/") for @fields;
		ok($seen{"struct $name"} || $fields[-1] eq 'ring', "$path: the size of struct $name is in spec/");
	}
}

# So are the names that spec/ has outside of its tables, and README. "VIRTQ_DESC_F_" names all that begin so.
my %defined = map { s/\(\)$//r => 1 } map { constants($_) } glob 'include/vole/*.h';
for my $path (glob('spec/*.md'), 'README.md') {
	my %named = map { $_ => 1 } slurp($path) =~ /`((?:VOLE|VIRTIO|VIRTQ)_\w*[A-Z0-9])\b/g;
	is(join(' ', grep { !$defined{$_} } sort keys %named), '', "$path names no constant that include/vole/ lacks");
}

# What drivers are told of their mistakes, with its clause: section 3 of spec/virtio.md lists what virtio/report.c has.
my @rules = slurp('virtio/report.c') =~ /^\t\[RULE_\w+\] = \{("[^{}]*")\}/gm;
cmp_ok(@rules, '>', 40, 'virtio/report.c has rules');
my ($section) = slurp('spec/virtio.md') =~ /^## 3\. (.*?)^## /ms;
is(join("\n", $section =~ /^(\| [2-6]\.[\d.]+ \| [^|]+ \|)/gm),
	join("\n", map { my ($clause, $words) = /"([^"]*)"/g; "| $clause | $words |" } @rules), 'spec/virtio.md lists the rules of virtio/report.c');

# The example kernel is the one that is built and tested.
my ($example) = slurp('spec/boot.md') =~ /^```c\n(.*?)^```$/ms;
is($example, slurp('guest-kernel/examples/hello.c'), 'the complete kernel of spec/boot.md is hello.c');
my ($function) = slurp('README.md') =~ /^(    int main\(.*?^    }\n)/ms;
($function //= 'none') =~ s/^    ((?:    )*)/"\t" x (length($1) \/ 4)/gme;
ok(index($example, $function) >= 0, 'and the function that README shows is its function') or diag($function);

done_testing();
