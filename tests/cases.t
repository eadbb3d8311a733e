#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Beginner's mistakes: each kernel of tests/cases/ says in its head comment how it is built and run, and what vole
# has to say of it.
#
#	build: -DOPTION       compiled with this option, for the runs that follow; names the ELF file as well
#	run: OPTIONS          options of `vole run`, and after -- the guest's command line; %disk% is an empty disk
#	engine: soft          this run is for one engine alone
#	status: 126           vole's exit status
#	says: REGEX           lines of standard error, which follow one another
#	says not: REGEX       what standard error must not have
#	says nothing          standard error is empty
#	prints: REGEX         what standard output has
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole;

each_engine();

# The runs of a source: each { elf, line, run, engine, status, says, not, prints }.
sub runs {
	my ($source) = @_;
	my ($comment) = slurp($source) =~ m{^/\*(?!\h*SPDX)(.*?)\*/}ms or die "$source: no comment\n";
	my $name = $source =~ s{^tests/(.*)\.[cS]$}{$1}r;
	my ($option, @runs) = ('');
	for (split /\n/, $comment) {
		my ($key, $value) = /^ \*\h+(build|run|engine|status|says not|says nothing|says|prints)(?::\h*(.*?))?\h*$/ or next;
		$option = $value =~ tr/=/-/r, next if $key eq 'build';
		push(@runs, { elf => build() . "/guest/$name$option.elf", name => "$name$option", run => $value, says => [], not => [], prints => [] }),
			next if $key eq 'run';
		die "$source: \"$key\" before \"run:\"\n" if !@runs;
		my $run = $runs[-1];
		if    ($key eq 'says')         { push @{ $run->{says} }, $value }
		elsif ($key eq 'says not')     { push @{ $run->{not} }, $value }
		elsif ($key eq 'prints')       { push @{ $run->{prints} }, $value }
		elsif ($key eq 'says nothing') { $run->{quiet} = 1 }
		else                           { $run->{$key} = $value }
	}
	die "$source: no \"run:\"\n" if !@runs;
	return @runs;
}

# The first of these expressions that text does not have after what the ones before it matched, or undef.
sub missing {
	my ($text, @expressions) = @_;
	for (@expressions) {
		return $_ unless $text =~ /$_/g;
		$text = substr $text, pos $text;
	}
	return undef;
}

sub judge {
	my ($case) = @_;
	my $disk = write_file('disk', "\0" x 1048576);
	my ($options, $cmdline) = split /(?:^|\s)--(?:\s|$)/, $case->{run} =~ s/%disk%/$disk/gr, 2;
	my $ran = run([vole_run(), split(' ', $options), $case->{elf}, defined $cmdline ? ('--', split ' ', $cmdline) : ()]);
	my @wrong;
	push @wrong, "status $ran->{status} instead of $case->{status}" if $ran->{status} ne $case->{status};
	my $missing = missing($ran->{err}, @{ $case->{says} });
	push @wrong, "does not say: $missing" if defined $missing;
	push @wrong, "says: $_" for grep { $ran->{err} =~ /$_/ } @{ $case->{not} };
	push @wrong, 'says something' if $case->{quiet} && $ran->{err} ne '';
	push @wrong, "does not print: $_" for grep { $ran->{out} !~ /$_/ } @{ $case->{prints} };
	ok(!@wrong, "$case->{name}: $case->{run}") or diag(join "\n", @wrong, "standard error:", $ran->{err}, "standard output:", brief($ran->{out}));
}

for my $source (sort(glob('tests/cases/*.[cS]'), glob('tests/cases/library/*.[cS]'))) {
	for my $case (runs($source)) {
		die "$source: \"run: $case->{run}\" without a status\n" unless defined $case->{status};
		judge($case) if ($case->{engine} // engine()) eq engine();
	}
}
done_testing();
