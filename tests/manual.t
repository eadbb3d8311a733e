#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The manual page and the completion against `vole --help`: no option is in one and not in the other, and exit
# statuses are in spec/machine.md, too.
use strict;
use warnings;
use lib 'tests/lib';
use Cwd 'abs_path';
use Test::More;
use Abi 'slurp';
use Installed;
use Vole;

my $help = run([vole(), '--help'])->{out};
my $page = 'vmm/vole.1';

# Options by their names, each with what it chooses from: "--clock" => "host virtual".
my (%helped, %described);
for (split /\n/, $help) {
	next unless /^ +(?:(-[a-z]), )?(--[a-z-]+)(?: ([a-z]\S*))?/;
	my ($short, $long, $choice) = ($1, $2, $3 // '');
	$helped{$_} = join ' ', words($choice) for grep { defined } $short, $long;
}
$helped{$_} = '' for '-h', $help =~ /^ +vole (--\w+) \| (--\w+)$/m;
for (slurp($page) =~ s/\\\n//gr =~ /^\.It (Fl .*)$/mg) {
	my @names = /\bFl (\S+)/g;
	my $choice = s/.*\bFl \S+ ?//r =~ s/ (?:Ns )?Oo .*//r =~ s/\bAr (\S+)/\U$1/gr =~ s/\b(?:Cm|Ns)\b| //gr;
	$described{"-$_"} = join ' ', words($choice) for @names;
}

# "stdio|file:PATH|pty[,name=NAME]" chooses from stdio, file: and pty; "N" from nothing that has a name.
sub words {
	my ($choice) = @_;
	return grep { /^[a-z]/ } map { s/([:=]).*/$1/r } split /\|/, $choice =~ s/\[.*//r =~ /^([a-z].*\|.*)/ ? $1 : '';
}

# Properties, "[,name=" or "[,name]", of what is behind an option.
my %properties = map { $_ => 1 } $help =~ /\[,([a-z-]+)[=\]]/g;
is(join(' ', grep { slurp($page) !~ /\bCm \Q$_\E\b/ } sort keys %properties), '', "$page has the properties of vole --help");

is(join(' ', sort keys %described), join(' ', sort keys %helped), "$page has the options of vole --help");
for (sort keys %helped) {
	is($described{$_}, $helped{$_}, "$page: $_ chooses from what vole --help has");
}
my ($commands) = slurp($page) =~ /^\.Sh SYNOPSIS\n(.*?)^\.Sh /ms;
is(join(' ', $commands =~ /^\.Cm (\w+)/mg), join(' ', $help =~ /^(?:usage:)? +vole (\w+)/mg), "$page has the commands");
for my $status (($help =~ /^(Exit status: .*)/ms)[0] =~ /\b(\d+)(?:-\d+)? /g) {
	ok(slurp($page) =~ /^\.It $status\b/m, "$page has exit status $status");
	ok(slurp('spec/machine.md') =~ /^\| $status (?:to \d+ )?\| (?!not used)/m, "spec/machine.md says when exit status $status comes");
}

SKIP: {
	skip 'neither mandoc nor groff is here', 1 if !present('mandoc') && !present('groff');
	my @lint = present('mandoc') ? qw(mandoc -Tlint -Wwarning) : qw(groff -mandoc -Tutf8 -ww -z);
	my $result = run([@lint, $page]);
	is($result->{out} . $result->{err}, '', "@lint has nothing to say of it");
	is($result->{status}, 0, '... and ends with 0');
}

# Bash on a terminal, with a line typed and TAB once, or twice for the list of what could follow.
my $vole = abs_path(vole());
$ENV{$_->[0]} = $_->[1] for ['HISTFILE', '/dev/null'], ['TERM', 'dumb'], ['INPUTRC', '/dev/null'];
my $terminal = terminal('bash', '--norc', '--noprofile', '-i');
$terminal->send("bind 'set enable-bracketed-paste off'; PS1=; PATH=" . ($vole =~ s{/[^/]*$}{}r) . ":\$PATH; " .
	". vmm/completion.bash; echo 'be'gin\n");
ok($terminal->expect(qr/^begin\r?\n/m), 'bash loads vmm/completion.bash');

sub completes {
	my ($line, $expected) = @_;
	$terminal->send("$line\t");
	ok($terminal->expect(qr/\Q$expected\E/), "$line TAB is $expected");
	$terminal->send("\x15\n");    # ^U: take the line back
}

completes('vole doc', 'vole doctor ');
completes('vole run --cl', 'vole run --clock ');
completes('vole run --clock v', 'vole run --clock virtual ');
completes('vole inspect -d GNUm', 'vole inspect -d GNUmakefile ');
completes('vole run --console fi', 'vole run --console file:');
completes('vole run --module guest-k', 'vole run --module guest-kernel/');
completes('vole run -v GNUm', 'vole run -v GNUmakefile ');
completes('vole story --ch', 'vole story --chain ');
completes('vole story GNUm', 'vole story GNUmakefile ');

# What there is, without a terminal: each option, and each choice of each option.
my $try = write_file('try', <<'END');
. vmm/completion.bash
compopt() { :; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_vole "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s ' "${COMPREPLY[@]}"
END

sub completions {
	return join ' ', sort split ' ', run(['bash', $try, $vole, @_])->{out};
}

my %of_story = map { $_ => 1 } ($help =~ /^Options of story:\n(.*?)\n\n/ms)[0] =~ /^ +(--\w+)/mg;
my @options = grep { !/^-h|^--(?:help|version)/ && !$of_story{$_} } keys %helped;
is(completions('run', '-'), join(' ', sort @options), 'all options complete');
is(completions('story', '-'), join(' ', sort keys %of_story), 'those of story, too');
is(completions(''), '--help --version clone doctor inspect replay run story', 'all commands complete');
for (sort grep { $helped{$_} } @options) {
	is(completions('run', $_, ''), join(' ', sort split ' ', $helped{$_}), "what $_ chooses from completes");
}
is(completions('run', 'kernel', '--', '-'), '', 'nothing completes behind --');
is(completions('doctor', '-'), '', 'nothing completes behind doctor');

done_testing();
