#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The commands that README.md and spec/ show, typed as they stand there, do what is shown below them.
use strict;
use warnings;
use lib 'tests/lib';
use Cwd 'abs_path';
use Test::More;
use Abi 'slurp';
use Vole;

# Type it in a folder that looks like this one to it: build/ is the build folder, and include/ is there.
my $folder = scratch() . '/tree';
mkdir $folder or die "$folder: $!\n";
symlink abs_path(build()), "$folder/build" or die "build: $!\n";
symlink abs_path('include'), "$folder/include" or die "include: $!\n";
sub typed {
	my ($command) = @_;
	return run(['sh', '-c', "cd $folder && $command"]);
}

# What differs from host to host and from run to run: addresses, sizes, frequencies, interrupts.
sub shape {
	my ($text) = @_;
	$text =~ s/\b[0-9a-f]{2}(?: [0-9a-f]{2}){15}\b/BYTES/g;
	$text =~ s/\b(?:0x)?[0-9a-f]{8}\b/ADDRESS/g;
	$text =~ s/ *\b\d+ (?=KiB|kHz)/ NUMBER /g;
	$text =~ s/^(  (?:console|rng|disk \d+) +)\d+$/$1NUMBER/mg;
	$text =~ s/ +$//mg;
	return $text;
}

# The indented blocks of README, each a line for a command and below it what it prints.
my $readme = slurp('README.md');
my ($demo, $shown) = $readme =~ /^    (build\/vole run --disk .*)\n((?:    .*\n|\n)+)/m;
is(shape(typed($demo)->{out}), shape($shown =~ s/^    //gmr =~ s/\n+\z/\n/r), "README: $demo");
my ($hello, $said) = $readme =~ /^    \$ (build\/vole run .*hello\.elf)\n    (.*\n)/m;
is(typed($hello)->{out}, $said, "README: $hello");

# The other commands there end as they should.
my @commands = map { s/\s+#.*//r } $readme =~ /^    (build\/vole run --boot flat .*)$/mg;
is(scalar @commands, 2, 'README: two kernels of raw code');
for (@commands) {
	is(typed($_)->{status}, /--max-exits/ ? 124 : 0, "README: $_");
}

# A newcomer copies the kernel of spec/boot.md into a file and types what its first lines say. The compiler is the
# one of this run.
my ($kernel) = slurp('spec/boot.md') =~ /^```c\n(.*?)^```$/ms;
write_file('tree/hello.c', $kernel);
my $bin = scratch() . '/bin';
mkdir $bin or die "$bin: $!\n";
symlink abs_path(vole()), "$bin/vole" or die "vole: $!\n";
$ENV{PATH} = "$bin:$ENV{PATH}";
my ($compile, $run) = (join "\n", $kernel =~ /^ \*\t(.*)$/mg) =~ /^(cc .*)\n(vole run .*)\z/s;
my $compiled = typed($compile =~ s/^cc/$ENV{CC} || 'cc'/er);
is($compiled->{status}, 0, 'spec/boot.md: the command in the complete kernel compiles it') or diag(shown($compiled));
my $ran = typed($run);
is($ran->{out}, "Hello from a kernel!\n", 'spec/boot.md: ... and the next one runs it');
is($ran->{status}, 0, '... with status 0');

done_testing();
