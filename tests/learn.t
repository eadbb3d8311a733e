#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The course in spec/learn/: each command that its pages show is run in their order, as a reader would type it, and what
# is shown below it is what comes; each piece of C is in guest-kernel/learn/; each question has an answer; links lead
# somewhere.
#
# A block of commands begins with "$ ". A line "..." stands for lines that are left out, and "..." at the end of a line
# for its rest. On a terminal, lines of vole and of the guest come in an order that is left to chance, so the lines of
# each are compared apart.
use strict;
use warnings;
use lib 'tests/lib';
use Cwd 'abs_path';
use File::Basename 'dirname';
use Test::More;
use Abi 'slurp';
use Vole;

each_engine();

# In the order in which a reader comes to them: later ones may use files of earlier ones.
my @pages = map { "spec/learn/$_.md" } qw(seven-steps one-block-read exercises);
is(join(' ', sort(@pages, 'spec/learn/answers.md')), join(' ', sort(glob 'spec/learn/*.md')), 'each page is tested');

# A folder that looks to the reader's commands like that of the sources, with the build folder of this run as build/.
my $tree = scratch() . '/tree';
mkdir $tree or die "$tree: $!\n";
symlink abs_path(build()), "$tree/build" or die "build: $!\n";
for (qw(GNUmakefile guest-kernel include spec tests virtio vmm)) {
	symlink abs_path($_), "$tree/$_" or die "$_: $!\n";
}

# Programs that only some readers have.
my %optional = map { $_ => scalar grep { -x "/usr/bin/$_" } $_ } qw(tshark protoc);

# Run a command after one that ended with this status.
sub typed {
	my ($command, $status) = @_;
	my $engine = engine();
	# All is made already, perhaps with settings that make would not have here, so it only says what it would do.
	$command =~ s/\bmake /make -n -B O=build /;
	$command =~ s/\bvole run (?!.*--engine )/vole run --engine $engine /g;
	delete local @ENV{qw(O GRADED)};
	return run(['bash', '-c', "cd '$tree' && (exit $status); $command"]);
}

# What differs from run to run and from compiler to compiler: times, addresses, and what the referee can see with KVM.
sub shape {
	my ($line) = @_;
	$line =~ s/^( *)\d+(?= TIME)/$1/ if $line =~ s/\b\d+\.\d{9}\b/TIME/g;
	$line =~ s/(?<=  virtio )\d+/LENGTH/ if $line =~ /TIME/;
	$line =~ s/\b0x[0-9a-f]{6,16}\b/ADDRESS/g;
	$line =~ s/\+0x[0-9a-f]+/+OFFSET/g;
	$line =~ s/, (?:perhaps )?called from .*//;
	$line =~ s/\b\d+(?= rules watched)/SOME/;
	# A disk offers what its host's file can do.
	$line =~ s/(?<=read DeviceFeatures = ADDRESS, word 0: ).*(?=, CPU)/FEATURES/;
	return $line =~ s/\s+$//r;
}

# Whether lines are those that are expected, of which "..." is any number, or none.
sub same {
	my ($lines, $expected) = @_;
	my $pattern = join '', map { $_ eq '...' ? '(?:.*\n)*' : quotemeta(shape(s/\.\.\.$//r)) . (/\.\.\.$/ ? '.*\n' : '\n') } @$expected;
	return join('', map { shape($_) . "\n" } @$lines) =~ /\A$pattern\z/;
}

# Compare what a command printed with what the page shows, vole's words and others' apart.
sub compare {
	my ($name, $got, @shown) = @_;
	# tshark warns of root.
	my @lines = grep { !/^Running as user "root"/ } split /\n/, $got->{out} . $got->{err};
	my $whole = 1;
	for my $by_vole (0, 1) {
		my @own = grep { /^vole: / == $by_vole } @lines;
		$whole &&= same(\@own, [grep { $_ eq '...' || /^vole: / == $by_vole } @shown]);
	}
	ok($whole, $name) or diag("shown:\n", map({ "$_\n" } @shown), "now:\n", $got->{out}, $got->{err});
	return;
}

# Pages that name the software CPU in each command are the same whatever else the host has, so they are run once.
sub has_own_engine {
	my ($path) = @_;
	return !grep { !/--engine / } slurp($path) =~ /^\$ .*\bvole run .*/mg;
}

sub run_page {
	my ($path) = @_;
	my $count = 0;
	for my $block (slurp($path) =~ /^```\n(\$ .*?)^```$/gms) {
		my $status = 0;
		for (split /^(?=\$ )/m, $block) {
			my ($command, @shown) = split /\n/;
			$command =~ s/^\$ //;
			$count++;
			SKIP: {
				my ($program) = grep { $command =~ /^$_ / } sort keys %optional;
				skip "$path: $program is not installed", 1 if $program && !$optional{$program};
				my $got = typed($command, $status);
				$status = $got->{status};
				if ($command =~ /^make /) {
					is($status, 0, "$path: $command") or diag(shown($got));
					my %needed = map { $_ => 1 } slurp($path) =~ m{(?<= )(build/\S+\.elf|build/demo\.img|build/vole)\b}g;
					delete $needed{'build/graded/kernel.elf'};
					is(join(' ', grep { $got->{out} !~ /\Q$_\E/ } sort keys %needed), '', '... makes all that the page needs');
				} else {
					compare("$path: $command", $got, @shown);
				}
			}
		}
	}
	cmp_ok($count, '>', 3, "$path: commands");
	return;
}

# Pieces of C, as they stand in a source of the course.
my $sources = join "\0", map { slurp($_) } glob 'guest-kernel/learn/*.[ch]';
sub compare_pieces {
	my ($path) = @_;
	for my $piece (slurp($path) =~ /^```c\n(.*?)^```$/gms) {
		my ($first) = $piece =~ /(.*)/;
		ok(index($sources, $piece) >= 0, "$path: guest-kernel/learn/ has the piece that begins: $first");
	}
	return;
}

# Links to files and to headings.
sub anchor {
	my ($heading) = @_;
	return lc($heading =~ s/[^\w\s-]//gr) =~ tr/ /-/r;
}

sub follow_links {
	my ($path) = @_;
	for (grep { !/^\w+:/ } slurp($path) =~ /\]\(([^)\s]+)\)/g) {
		my ($file, $heading) = /^([^#]*)(?:#(.*))?$/;
		my $to = $file eq '' ? $path : dirname($path) . "/$file";
		ok(-e $to, "$path: $_ is there") or next;
		ok((grep { anchor($_) eq $heading } slurp($to) =~ /^#+ (.*)$/mg), "$path: $_ is a heading") if defined $heading;
	}
	return;
}

for (@pages) {
	run_page($_) if engine() eq 'soft' || !has_own_engine($_);
	compare_pieces($_);
}
follow_links($_) for @pages, 'spec/learn/answers.md';

my @questions = map { slurp($_) =~ /\*\*Question (\d+)\.\*\*/g } @pages;
cmp_ok(scalar @questions, '>', 6, 'there are questions');
is(join(' ', slurp('spec/learn/answers.md') =~ /^## Question (\d+)$/mg), "@questions", 'each has its answer');

# A page that shows something else fails, so that the comparison is known to compare.
ok(same(["vole: 0.123456789 x at 0x00101234 (main+0x1c)", 'y', 'z'], ['vole: 9.000000001 x at 0x00100000 (main+0x2)', '...']), 'times and addresses may differ');
ok(!same(['chain 0 used'], ['chain 1 used']), 'other words may not');
ok(!same(['a', 'b'], ['a']), 'nor may there be more lines');
ok(!same(['a'], ['a', 'b']), 'nor fewer');
ok(same(['a b'], ['a ...']) && !same(['b a'], ['a ...']), 'the end of a line may be left out');

done_testing();
