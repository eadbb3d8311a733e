#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The reports that spec/machine.md shows are those of the kernels that it names, but for addresses and other numbers,
# which are the compiler's.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

sub without_numbers {
	my ($text) = @_;
	$text =~ s/\b0x[0-9a-f]+/N/g;
	$text =~ s/\b[0-9a-f]{2,8}\b/N/g;
	# How long code is, and what precedes it, is the compiler's as well.
	$text =~ s/^(vole:   code at EIP:).*/$1/m;
	return $text;
}

my $samples = 0;
my $text = slurp('spec/machine.md');
while ($text =~ m{\(`tests/(cases/[\w-]+)\.c`, `(-[\w=-]+)`\)[^\n]*\n\n((?:    vole: .*\n)+)}g) {
	my ($name, $option, $sample) = ($1, $2, $3);
	$option =~ tr/=/-/;
	$sample =~ s/^    //gm;
	my $result = run([vole(), 'run', '--engine', 'soft', '--timeout', 20, build() . "/guest/$name$option.elf"]);
	my @lines = split /^/, $result->{err};

	splice @lines, $sample =~ tr/\n// if $sample !~ /code at EIP/;
	is(without_numbers(join '', @lines), without_numbers($sample), "$name, $option: the report is the one in spec/machine.md");
	$samples++;
}
is($samples, 3, 'there are three samples');

done_testing();
