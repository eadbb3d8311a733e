#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The project's files can be read in an order: no header includes itself by way of others, and no two modules
# need each other. A module is X.h, X.c and X.S. It needs another one if it includes the other's header; and
# if it uses a name that the other defines, whatever header declares it.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole 'build';

# Circles that are known, the modules of each in a line, or a folder/ for any in it. A line goes when its
# circle is opened.
my %known = (
	'headers, by what they include' => [],
	'modules, by what they include' => [],
	'modules, by the names that they use' => [
		# An instruction can raise an exception, and to deliver that takes what instructions are made of.
		'vmm/x86/',
	],
);

# Where the headers that a folder's files name in quotes are looked up, after the folder of the file itself.
my %roots = ('virtio' => [qw(virtio)], 'vmm' => [qw(vmm virtio)], 'guest-kernel' => [qw(guest-kernel)]);

# Where a folder's objects are, below the build folder.
my %objects = ('virtio' => 'host/virtio', 'vmm' => 'host/vmm', 'guest-kernel' => 'guest-kernel');

my @folders = sort keys %roots;
my %files = map { my $folder = $_; $folder => [grep { -f } glob "$folder/{*.[chS],*/*.[chS],*/*/*.[chS]}"] } @folders;

sub object_of {
	my ($folder, $path) = @_;
	return build() . '/' . $path =~ s/^\Q$folder\E/$objects{$folder}/r =~ s/\.c$/.o/r;
}

sub module { return $_[0] =~ s/\.\w+$//r }

# The project's headers that a file includes.
sub included {
	my ($path, $roots) = @_;
	my ($own) = $path =~ m{^(.*)/};
	my $text = slurp($path);
	my @headers;

	while ($text =~ /^\s*#\s*include\s*"([^"]+)"/gm) {
		my ($found) = grep { -f } map { "$_/$1" } $own, @$roots;
		push @headers, $found if $found;
	}
	return @headers;
}

# Graphs are { node => { node it needs => 1 } }. Sets of nodes of which each reaches each other one, as Tarjan finds
# them; of one node only if it needs itself.
sub circles {
	my ($graph) = @_;
	my (%index, %low, %open, @stack, @circles);
	my $visit;

	$visit = sub {
		my ($node) = @_;
		$index{$node} = $low{$node} = keys %index;
		push @stack, $node;
		$open{$node} = 1;
		for my $next (sort keys %{$graph->{$node} // {}}) {
			$visit->($next) unless exists $index{$next};
			$low{$node} = $low{$next} if $open{$next} && $low{$next} < $low{$node};
		}
		return if $low{$node} != $index{$node};
		my @members;
		do {
			push @members, pop @stack;
			delete $open{$members[-1]};
		} until $members[-1] eq $node;
		push @circles, [sort @members] if @members > 1 || $graph->{$node}{$node};
	};
	exists $index{$_} or $visit->($_) for sort keys %$graph;
	return @circles;
}

# A shortest way from the first of a circle's nodes back to it, as text.
sub way_round {
	my ($graph, $circle) = @_;
	my %new = map { $_ => 1 } @$circle;
	my @ways = ([$circle->[0]]);

	while (my $way = shift @ways) {
		for my $next (grep { $new{$_} } sort keys %{$graph->{$way->[-1]}}) {
			return join ' -> ', @$way, $next if $next eq $circle->[0];
			delete $new{$next};
			push @ways, [@$way, $next];
		}
	}
}

# --- graphs ---

my (%headers, %modules, %names);

for my $folder (@folders) {
	for my $path (@{$files{$folder}}) {
		for my $header (included($path, $roots{$folder})) {
			$headers{$path}{$header} = 1 if $path =~ /\.h$/;
			$modules{module($path)}{module($header)} = 1 if module($path) ne module($header);
		}
	}
}

# Modules by the names that they define and use, from nm(1). Without assembler files: the stubs of an exception
# and the C behind them need each other.
for my $folder (@folders) {
	my %module_of = map { object_of($folder, $_) => module($_) } grep { /\.c$/ } @{$files{$folder}};
	my @objects = grep { -f } sort keys %module_of;
	my (%defined_by, @used);

	ok(scalar @objects, "$folder/ was built");
	open my $nm, '-|', qw(nm -A -P -g), @objects or die "nm: $!\n";
	while (<$nm>) {
		my ($module, $name, $type) = /^(\S+): (\S+) (\w)/ ? ($module_of{$1}, $2, $3) : die "nm says $_";
		if ($type eq 'U') {
			push @used, [$module, $name];
		} else {
			$defined_by{$name} = $module;
		}
	}
	close $nm or die "nm failed: $?\n";
	for (@used) {
		my ($module, $owner) = ($_->[0], $defined_by{$_->[1]});
		$names{$module}{$owner} = 1 if $owner && $owner ne $module;
	}
}

# --- circles ---

# All members of a circle are in this one that is known.
sub is_within {
	my ($circle, $known) = @_;
	my %members = map { $_ => 1 } split ' ', $known;
	return !grep { !$members{$_} && !$members{s{[^/]*$}{}r} } @$circle;
}

for (['headers, by what they include', \%headers], ['modules, by what they include', \%modules],
	['modules, by the names that they use', \%names]) {
	my ($what, $graph) = @$_;
	my (@new, %found);

	for my $circle (circles($graph)) {
		my @within = grep { is_within($circle, $_) } @{$known{$what}};
		$found{$_} = 1 for @within;
		next if @within;
		push @new, way_round($graph, $circle);
		diag("a circle of @$circle");
	}
	is(join('; ', @new), '', "no circle of $what");
	ok($found{$_}, "$what: still a circle: $_") for @{$known{$what}};
}

done_testing();
