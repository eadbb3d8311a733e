#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make install` puts somewhere works from there: the program, the headers, and the links of the documents.
use strict;
use warnings;
use lib 'tests/lib';
use File::Basename 'dirname';
use Test::More;
use Abi 'slurp';
use Vole;

my $root = scratch() . '/root';
# Of what was made before, whatever the options: nothing is made anew.
delete @ENV{qw(MAKEFLAGS MAKELEVEL)};
my $result = run(['make', '-s', '-o', vole(), 'O=' . build(), "DESTDIR=$root", 'PREFIX=/opt/v', 'install']);
is($result->{status}, 0, 'make install') or diag(shown($result));
is($result->{err}, '', '... without a complaint');

like(run(["$root/opt/v/bin/vole", '--version'])->{out}, qr/^vole /, 'the program runs');

my $doc = "$root/opt/v/share/doc/vole";
ok(-f "$doc/$_", "$_ is there") for qw(README.md LICENSE), glob 'spec/*.md';
for my $path (glob "$doc/*.md $doc/*/*.md") {
	my $name = substr $path, 1 + length $doc;
	ok(-e dirname($path) . "/$_", "$name: its link to $_ leads there")
		for grep { !/^\w+:/ } slurp($path) =~ /\]\(([^)#]+)/g;
}

SKIP: {
	my $cc = $ENV{CC} // 'cc';
	skip "$cc is not here", 1 if run(['sh', '-c', 'command -v "$0"', $cc])->{status} ne 0;
	my $unit = write_file('all.c', join '', map { "#include <$_>\n" } Abi::headers());
	$result = run([$cc, qw(-m32 -std=c11 -ffreestanding -Wall -Werror -fsyntax-only), "-I$root/opt/v/include", $unit]);
	is($result->{status}, 0, 'the headers are complete') or diag(shown($result));
}

done_testing();
