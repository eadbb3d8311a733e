#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Public images, and disk images as qemu-img makes them: each is run, or refused with the reason that
# tests/images/table has, and `vole inspect` refuses what `vole run` does.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

my $images = $ENV{VOLE_CACHE} ? "$ENV{VOLE_CACHE}/images" : die "VOLE_CACHE: not set (make check-images)\n";
is(system('tests/images/fetch', $images), 0, 'the packages are there') or BAIL_OUT('no packages');

# A disk image of 1 MiB of this format and options of qemu-img's; its path.
my %made;
sub make_disk {
	my ($name) = @_;
	my ($format, $options) = split /,/, $name, 2;
	my $path = scratch() . '/' . $name =~ s/[^a-z0-9]/-/gir;
	my $result = $made{$name} //= run(['qemu-img', 'create', '-q', '-f', $format, ($options ? ('-o', $options) : ()), $path, '1M']);
	is($result->{status}, 0, "qemu-img makes $name (Debian: qemu-utils)") or BAIL_OUT("no image:\n" . join '', shown($result));
	return $path;
}

open my $table, '<', 'tests/images/table' or die "tests/images/table: $!\n";
while (my $line = <$table>) {
	next if $line =~ /^(?:#|$)/;
	chomp $line;
	my ($package, $path, $engine, $options, $status, $says) = split / +/, $line, 6;
	my $is_disk = $package eq '(qemu-img)';
	my $image = $is_disk ? make_disk($path) : (glob "$images/$package/$path")[0] // "$images/$package/$path";
	my @options = map { s/%image/$image/r } grep { $_ ne '-' } split /;/, $options;
	my @rest = (@options, $is_disk ? build() . '/guest/hello.elf' : $image);
	# Firmware without a disk waits for a minute; what it is asked for here it prints at once.
	my @limit = $status eq 124 && $options eq '-' ? qw(--timeout 3) : ();
	my $result = run([vole(), 'run', '--engine', $engine, @limit, @rest]);
	my $name = $options eq '-' ? $path : "$path $options";
	ok($result->{status} eq $status && "$result->{out}$result->{err}" =~ $says, "$engine: $name") or diag(shown($result));
	# What needs an engine that the host may lack is refused by run alone.
	next unless $status eq 127 || ($is_disk && $status eq 125);
	$result = run([vole(), 'inspect', @rest]);
	ok($result->{status} eq $status && $result->{err} =~ $says, "inspect: $name") or diag(shown($result));
}
close $table or die "tests/images/table: $!\n";
done_testing();
