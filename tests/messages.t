#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The messages that README.md and spec/ show are vole's, in its present words: each word of a line after "vole: ", or
# in the table of images and what is said of them, comes from a text in the sources, as a whole piece between two
# conversions of its format, or a sentence of one.
use strict;
use warnings;
use lib 'tests/lib';
use Abi;
use Test::More;

# The constant parts of all texts in the sources, longest first.
my %pieces;
for my $path (glob '{vmm,virtio}/{,*/}*.[ch]') {
	my $text = slurp($path) =~ s{/\*.*?\*/}{}gsr;
	$text =~ s/\\"/\x01/g;
	# Adjacent literals are one; of "%" PRIu64 ", ..." too.
	$text =~ s/"\s*PRI\w+\s*"/u/g;
	$text =~ s/"\s*"//g;
	while ($text =~ /"((?:[^"\\\n]|\\.)*)"/g) {
		for (split /%[-#0-9.*]*(?:hh?|ll?|z|j)?[a-zA-Z%]/, $1 =~ s/\\(.)/$1/gr =~ tr/\x01/"/r) {
			my $piece = s/^\s+|^vole: //r =~ s/\s*(?:0x)?(?:%[-0-9.*]*)?$//r;
			# Pages may show the first sentence alone.
			$pieces{$_} = 1 for grep { /[a-zA-Z]{2}/ } $piece, split /(?<=\.) /, $piece;
		}
	}
}
my @pieces = sort { length $b <=> length $a || $a cmp $b } keys %pieces;
cmp_ok(scalar @pieces, '>', 1000, 'texts in the sources');

# The words of a message that no text has, without what differs from run to run: places, numbers, files, the screen.
sub strange_words {
	my ($message) = @_;
	$message =~ s/^\| .*//;
	$message =~ s/^file:/:/;
	$message =~ s/\w+\+0x[0-9a-f]+|(?<=system call )\w+//g;
	for my $piece (@pieces) {
		next if index($message, $piece) < 0;
		my $before = $piece =~ /^\w/ ? '(?<![A-Za-z])' : '';
		my $after = $piece =~ /\w$/ ? '\b' : '';
		$message =~ s/$before\Q$piece\E$after/\0/g;
	}
	$message =~ s{(?:\S*/\S*|\bk\.(?:elf|core|rec)|\b\w+\.pcapng)\b|\b[0-9a-f]{2}(?: [0-9a-f]{2}){7,}\b}{}g;
	$message =~ s/\b[0-9a-fA-F]*[0-9][0-9a-fA-F]*\b|0x[0-9a-f]+//g;
	return $message =~ /[A-Za-z]{2,}/g;
}

# The C library's texts of errors are its own.
my $errors = join '|', map { local $! = $_; quotemeta "$!" } 1 .. 40;
my $count = 0;
for my $page ('README.md', glob 'spec/*.md') {
	my $table = 0;
	for my $line (split /\n/, slurp($page)) {
		$table = $line =~ /^## What people bring/ if $line =~ /^#/;
		# In the table, the name of the file is left out.
		my $message = $line =~ /^ *vole: +(.*)/ ? $1 : $table && $line =~ /^\| .*\| `(.*)` \|$/ ? "file: $1" : next;
		$count++;
		my @words = strange_words($message =~ s/$errors//gr);
		is("@words", '', "$page: $message");
	}
}
cmp_ok($count, '>', 50, 'messages are shown');
done_testing();
