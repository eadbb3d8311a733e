#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What `make install` puts somewhere works from there: the program, the headers, and the links of the documents.
# outside.t makes kernels with it.
use strict;
use warnings;
use lib 'tests/lib';
use File::Basename 'dirname';
use Test::More;
use Abi 'slurp';
use Installed;
use Vole;

my $root = scratch() . '/root';
my $result = install_vole("DESTDIR=$root", 'PREFIX=/opt/v');
is($result->{status}, 0, 'make install') or diag(shown($result));
is($result->{err}, '', '... without a complaint');
is(join(' ', glob "$root/* $root/opt/*"), "$root/opt $root/opt/v", '... nothing beside PREFIX');

like(run(["$root/opt/v/bin/vole", '--version'])->{out}, qr/^vole /, 'the program runs');

my $doc = "$root/opt/v/share/doc/vole";
ok(-f "$doc/$_", "$_ is there") for qw(README.md LICENSE), glob 'spec/*.md';
for my $path (glob "$doc/*.md $doc/*/*.md") {
	my $name = substr $path, 1 + length $doc;
	ok(-e dirname($path) . "/$_", "$name: its link to $_ leads there")
		for grep { !/^\w+:/ } slurp($path) =~ /\]\(([^)#]+)/g;
}

# What is named to others is where PREFIX says, not where it was put for the time being.
like(slurp("$root/opt/v/lib/pkgconfig/vole-guest.pc"), qr{^prefix=/opt/v$}m, 'vole-guest.pc: prefix');
for my $path ("$root/opt/v/lib/pkgconfig/vole-guest.pc", "$root/opt/v/share/man/man1/vole.1") {
	unlike(slurp($path), qr{\Q$root\E|/usr/local|@\w+@}, "$path names PREFIX, and nothing else");
}
for my $path (slurp("$root/opt/v/share/man/man1/vole.1") =~ m{(/opt/v/[\w./-]*\w)}g) {
	ok(-e "$root$path", "vole(1): $path is there");
}

# The library's headers, each alone and each after the others, and those of the ABI along with them.
my $include = "$root/opt/v/include";
my @headers = map { substr $_, 1 + length $include } glob "$include/vole/*.h $include/vole/guest/*.h";
my $compiler = $ENV{CC} || 'cc';
my @options = ($compiler, qw(-m32 -ffreestanding -mgeneral-regs-only -Wall -Wextra -Werror -fsyntax-only), "-I$include");
my $includes = sub { join '', map { "#include <$_>\n" } @_, @_ };
my @c = map { write_file("$_.c", $includes->($headers[$_])) } 0 .. $#headers;
push @c, write_file('all.c', $includes->(@headers)), write_file('backwards.c', $includes->(reverse @headers));
my @cxx = map { write_file(s{.*/}{}r . 'c', "extern \"C\" {\n" . slurp($_) . "}\n") } @c;
for (['C', '-std=gnu11', @c], ['C++', '-std=c++11', @cxx], ['C++', '-std=c++17', @cxx]) {
	my ($language, $standard, @units) = @$_;
	$result = run([@options, $standard, @units]);
	is($result->{status}, 0, "the installed headers compile as $language, $standard, alone and together") or diag(shown($result));
}

done_testing();
