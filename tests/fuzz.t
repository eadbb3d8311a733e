#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Replays the corpora of the fuzz targets, tests/fuzz/, without libFuzzer: inputs that honest guests would give,
# those that once were a fault, and what is shorter than any. `make check-fuzz` goes on from them.
use strict;
use warnings;
use lib 'tests/lib';
use POSIX ();
use Test::More;
use Vole;

my @targets = map { m{([^/]+)$} } grep { -d } glob 'tests/fuzz/corpus/*';

# The part of the KVM engine that executes instructions is built for x86 hosts only.
@targets = grep { $_ ne 'emulate' } @targets if (POSIX::uname())[4] !~ /^(?:x86_64|i.86)$/;

for my $target (@targets) {
	my @files = (write_file('empty', ''), write_file('zero', "\0"), glob "tests/fuzz/corpus/$target/*");
	my $result = run([build() . "/tests/fuzz/$target", @files]);
	my @done = split /\n/, $result->{out};

	is("$result->{status} " . @done, '0 ' . @files, "$target: " . @files . ' inputs are harmless')
		or diag("the last of them: $done[-1]\n", shown($result));
}

done_testing();
