#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Public images: each is run, or refused with the reason that tests/images/table has.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

my $images = $ENV{VOLE_CACHE} ? "$ENV{VOLE_CACHE}/images" : die "VOLE_CACHE: not set (make check-images)\n";
is(system('tests/images/fetch', $images), 0, 'the packages are there') or BAIL_OUT('no packages');

open my $table, '<', 'tests/images/table' or die "tests/images/table: $!\n";
while (my $line = <$table>) {
	next if $line =~ /^(?:#|$)/;
	chomp $line;
	my ($package, $path, $engine, $status, $says) = split / +/, $line, 5;
	# Firmware without a disk waits for a minute; what it is asked for here it prints at once.
	my @limit = $status eq 124 ? qw(--timeout 3) : ();
	my $result = run([vole(), 'run', '--engine', $engine, @limit, "$images/$package/$path"]);
	ok($result->{status} eq $status && "$result->{out}$result->{err}" =~ $says, "$engine: $path") or diag(shown($result));
}
close $table or die "tests/images/table: $!\n";
done_testing();
