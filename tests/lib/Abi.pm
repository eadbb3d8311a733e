# SPDX-License-Identifier: BSD-2-Clause
#
# What spec.t and abi.t share: names in our headers, and small C programs that print what the
# compiler makes of them.
package Abi;

use strict;
use warnings;
use Exporter 'import';
use File::Temp 'tempdir';

our @EXPORT = qw(slurp headers constants structs compile evaluate);

my $scratch = tempdir(CLEANUP => 1);

# A file's whole text.
sub slurp {
	my ($path) = @_;
	open my $file, '<', $path or die "$path: $!\n";
	local $/;
	return scalar <$file>;
}

# The ABI's headers, as they are named in an #include.
sub headers {
	return map { s{^include/}{}r } glob 'include/vole/*.h';
}

sub without_comments {
	my ($text) = @_;
	$text =~ s{/\*.*?\*/}{ }gs;
	$text =~ s{//.*}{}g;
	$text =~ s{\\\n}{ }g;
	return $text;
}

# Names of the constants, and of the macros with one parameter (as "NAME()"), that a header defines.
sub constants {
	my ($path) = @_;
	my @names;

	for (split /\n/, without_comments(slurp($path))) {
		next unless /^\s*#\s*define\s+(\w+)(\(\w+\))?\s+\S/;
		push @names, $2 ? "$1()" : $1;
	}
	return @names;
}

# Named structures that a header defines: name => [fields in order].
sub structs {
	my ($path) = @_;
	my %structs;
	my $text = without_comments(slurp($path));

	while ($text =~ /^struct (\w+) \{(.*?)^\}/gms) {
		my ($name, $body) = ($1, $2);
		for my $declaration (split /;/, $body) {
			my @declared = split /,/, $declaration;
			/(\w+)\s*(?:\[\w*\])?\s*$/ and push @{$structs{$name}}, $1 for @declared;
		}
	}
	return %structs;
}

# Compile source (C, or assembly with preprocessor) with these options. Returns what the compiler
# said if it failed, '' if all is well.
sub compile {
	my ($source, $suffix, @options) = @_;
	my $compiler = $ENV{CC} || 'cc';
	my $path = "$scratch/source.$suffix";

	open my $file, '>', $path or die "$path: $!\n";
	print $file $source;
	close $file or die "$path: $!\n";
	my $said = `$compiler @options -o $scratch/out $path 2>&1 </dev/null`;
	return $? ? $said || "exit status $?" : '';
}

# Values of C expressions after the given lines of C: a list in the same order, undef for those
# in whose place the preprocessor finds an undefined name (only names are looked at so).
sub evaluate {
	my ($prologue, $options, @expressions) = @_;
	my $source = "#include <stddef.h>\n#include <stdint.h>\n#include <stdio.h>\n$prologue\nint main(void)\n{\n";

	for (@expressions) {
		my $print = "printf(\"%llu\\n\", (unsigned long long)($_));\n";
		$print = "#ifdef $_\n$print#else\nputs(\"\");\n#endif\n" if /^[A-Z]\w*$/;
		$source .= $print;
	}
	my $said = compile("$source\treturn 0;\n}\n", 'c', @$options);
	die $said if $said;
	my @values = map { chomp; length $_ ? $_ : undef } `$scratch/out`;
	die "the program failed: $?\n" if $? || @values != @expressions;
	return @values;
}

1;
