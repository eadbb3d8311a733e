#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# spec/conformance.md against the sources: no clause without test or reason, and nothing named there that
# is not here. Rows of its tables count:
#
#	| ID | section | requirement | `file: function, ...`, ... | `file: function, ...`, ... |
#	| ID | section | requirement | - | the reason why it does not apply |
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;

# All clauses: areas and how many each has.
my %device = (BASE => 19, RES => 8, SPLIT => 20, PACK => 21, MMIO => 22, CON => 14, RNG => 5, BLK => 27);
my %hard = (HARD => 29);
my @clauses = (numbered('-DEV', \%device), numbered('', \%hard));
my %is_clause = map { $_ => 1 } @clauses;
my $id = qr/\b(?:[A-Z]+-DEV|HARD)-\d\d\b/;

sub numbered {
	my ($side, $count) = @_;
	return map { my $area = $_; map { sprintf "%s%s-%02d", $area, $side, $_ } 1 .. $count->{$area} } sort keys %$count;
}

sub ids_in {
	my ($text) = @_;
	my %ids = map { $_ => 1 } $text =~ /($id)/g;
	return \%ids;
}

# --- what the sources have ---

sub without_comments {
	my ($text) = @_;
	return $text =~ s{/\*.*?\*/}{ }gsr;
}

# Functions that a C file defines: name => body.
sub functions {
	my ($path) = @_;
	my %functions;
	my $text = without_comments(slurp($path));
	$functions{$1} = $2 while $text =~ /^\w[^\n;=]*\b(\w+)\([^;{]*\)\n\{\n(.*?)^\}/gms;
	return \%functions;
}

# Whether a C file defines this function or object.
sub defines {
	my ($path, $name) = @_;
	return functions($path)->{$name} || slurp($path) =~ /^\w[^\n;(]*\b\Q$name\E(?:\[[^\n]*\])? = /m;
}

# Tests: file => { function => ids that its strings name }. Of what is no unit test, all text counts, as
# function ''.
my %tests;
for my $path (glob 'tests/*/*.c tests/*.t') {
	next if $path eq 'tests/conformance.t';
	my $file = $path =~ s{^tests/}{}r;
	if ($file =~ m{^unit/}) {
		my $functions = functions($path);
		for my $function (keys %$functions) {
			my $strings = join ' ', $functions->{$function} =~ /"((?:[^"\\\n]|\\.)*)"/g;
			$tests{$file}{$function} = ids_in($strings);
		}
	} else {
		$tests{$file}{''} = ids_in(slurp($path));
	}
}

# Whether virtio/ has anything to do with a feature.
my $devices = join '', map { without_comments(slurp($_)) } glob 'virtio/*.[ch]';

sub is_known_feature {
	my ($name) = @_;
	return $devices =~ /_F_\Q$name\E\b/;
}

# --- what the table says ---

my (%rows, @strange);
for (split /\n/, slurp('spec/conformance.md')) {
	next unless /^\| ($id) /;
	my ($name, $section, $requirement, $where, $proof) = map { s/^\s+|\s+$//gr } (split /\|/)[1 .. 5];
	push @strange, $name if $rows{$name} || !$is_clause{$name};
	$rows{$name} = { section => $section, requirement => $requirement, where => $where, proof => $proof };
}
is("@strange", '', 'the table has each clause once, and no others');

# `file: name, ...`, ...: pairs of file and name; a file without names is a pair with ''.
sub references {
	my ($cell) = @_;
	my @pairs;
	for ($cell =~ /`([^`]*)`/g) {
		my ($file, $names) = /^([^:]+)(?:: (.*))?$/;
		push @pairs, map { [$file, $_] } defined $names ? split /, /, $names : '';
	}
	return @pairs;
}

sub problems_where {
	my ($cell) = @_;
	my @pairs = references($cell);
	return 'no place' unless @pairs;
	return map { my ($file, $name) = @$_;
		!-f $file ? "no file $file" : defines($file, $name) ? () : "no $name in $file" } @pairs;
}

sub problems_tests {
	my ($clause, $cell) = @_;
	return map { my ($file, $function) = @$_;
		my $ids = $tests{$file}{$function};
		!$ids ? "no test $file $function" : $ids->{$clause} ? () : "$file $function does not name it" } references($cell);
}

# A clause that does not apply: why not, and that nothing says otherwise.
sub problems_reason {
	my ($clause, $reason) = @_;
	my @problems;
	if ($reason =~ /^not offered: (.*)/) {
		push @problems, map { "$_ is known to virtio/" } grep { is_known_feature($_) } split / and /, $1;
	}
	for my $file (sort keys %tests) {
		push @problems, "but $file names it" if grep { $_->{$clause} } values %{$tests{$file}};
	}
	return @problems;
}

my %count;
for my $clause (@clauses) {
	my $row = $rows{$clause};
	my @problems;
	my ($area) = $clause =~ /^([A-Z]+)/;

	if (!$row) {
		@problems = ('is not in the table');
	} elsif (!length($row->{proof} // '')) {
		@problems = ('has neither test nor reason');
	} elsif ($row->{proof} =~ /`/) {
		@problems = (problems_where($row->{where}), problems_tests($clause, $row->{proof}));
		$count{$area}[0]++;
	} else {
		@problems = problems_reason($clause, $row->{proof});
		$count{$area}[1]++;
	}
	push @problems, 'no section' if $row && $clause =~ /DEV/ && $row->{section} !~ /^\d+(?:\.\d+)*$/;
	push @problems, 'no requirement' if $row && !length $row->{requirement};
	is(join('; ', @problems), '', $clause);
}

# --- tests that name what is not there ---

for my $file (sort keys %tests) {
	my %named = map { %$_ } values %{$tests{$file}};
	my @unknown = grep { !$is_clause{$_} } sort keys %named;
	is("@unknown", '', "$file names clauses that there are") if %named;
}

note(sprintf '%-5s %2d tested, %2d with a reason', $_, map { $_ // 0 } @{$count{$_} // []}[0, 1]) for sort keys %count;
done_testing();
