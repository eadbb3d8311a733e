#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Sessions with gdb itself: what a user types, and what he sees. tests/gdb.t tests the server by its protocol.
use strict;
use warnings;
use lib 'tests/lib';
use Installed;
use Test::More;
use Vole;

plan skip_all => 'gdb is not here' if !present('gdb');
each_engine();

my $soft = engine() eq 'soft';

# What the engine can do.
my $doctor = $soft ? '' : run([vole(), 'doctor'])->{out};
sub can { return $soft || $doctor =~ /^ok +$_[0]/m }

# What gdb says to these commands, for a kernel with these words on vole's command line behind it.
sub session {
	my ($name, $words, @commands) = @_;
	my $kernel = build() . "/guest/$name.elf";
	my $vole = join ' ', vole_run(), '--gdb', '-', split(' ', $words->[0]), $kernel, '--', $words->[1] // '';
	my $script = write_file('commands.gdb', join "\n", 'set confirm off', 'set pagination off', 'set style enabled off', 'set width 0',
		"target remote | $vole", @commands, '');
	# Both streams in one, in the order of what is written.
	return run(['sh', '-c', 'exec "$@" 2>&1', 'sh', 'gdb', '-q', '-nx', '-batch', '-x', $script, $kernel])->{out};
}

# The text matches these patterns, one after the other.
sub shows {
	my ($text, $what, @patterns) = @_;
	pos($text) = 0;
	for (@patterns) {
		next if $text =~ /$_/g;
		fail("$what: $_");
		diag($text);
		return;
	}
	pass($what);
	return;
}

# A beginner's session.
shows(session('debug', ['', 8], 'break write_it', 'continue', 'bt', 'print value', 'finish', 'next', 'info threads', 'delete', 'continue'),
	'break, backtrace, finish, next',
	qr/^Breakpoint 1 at 0x[0-9a-f]+: file tests\/guest\/debug\.c/m,
	qr/^Breakpoint 1, write_it \(value=.*1\) at tests\/guest\/debug\.c/m,
	qr/^#0  write_it .*\n(?:#1 .*run_writes .*\n#2  )?.*main \(/m,
	qr/^\$1 = 1$/m,
	qr/\* 1 +Thread 1 "CPU 0" \(running\)/,
	qr/^\[Inferior 1 \(Remote target\) exited with code 07\]$/m);

# With KVM a step may be one repetition of the instruction.
shows(session('debug', ['', 0], 'break *before_string', 'continue', 'info registers esi ecx cr0', 'delete', 'nexti', 'x/s copied_to', 'x/i $pc',
		'continue'),
	'instructions and registers',
	qr/^debug\n!/m,
	qr/^ecx +0x10 +16\ncr0 +0x[0-9a-f]+ +\[ PE .*\]/m,
	$soft ? qr/^0x[0-9a-f]+ <copied_to>:\t"sixteen bytes\.\.\."\n=> 0x[0-9a-f]+ <before_string\+2>:\tpop/m
		: qr/^0x[0-9a-f]+ <copied_to>:\t"s/m,
	qr/exited with code 07/);

# What vole says may come between two pieces of what gdb writes of the guest's output, so not at the beginning of a line.
shows(session('debug', ['', 4], 'continue', 'bt', 'x/i $pc', 'continue'),
	'a crash',
	qr/vole: guest crashed: divide error(?s:.*)^Program received signal SIGSEGV/m,
	qr/^#0  .*divide \(by=.*\) at tests\/guest\/debug\.c/m,
	qr/^=> 0x[0-9a-f]+ <divide\+\d+>:\tdiv/m,
	qr/Program terminated with signal SIGSEGV/);

shows(session('debug', ['-c 3', 5], 'break work', 'continue', 'info threads', 'thread 1', 'bt', 'delete', 'continue'),
	'several CPUs',
	qr/hit Breakpoint 1, work \(ctx=/,
	qr/^\* [23] +Thread [23] "CPU [12]" .*work \(/m,
	qr/^\[Switching to thread 1 \(Thread 1\)\]/m,
	qr/exited with code 07/);

shows(session('debug', ['', 1], 'break spin', 'continue', 'stepi 100', 'kill'),
	'many steps, and kill',
	qr/^Breakpoint 1, .*spin/m,
	qr/^\[Inferior 1 \(Remote target\) killed\]$/m);

shows(session('debug', ['', 0], 'print written', 'set var written = 42', 'print written', 'print $eip = before_return', 'detach'),
	'setting variables and registers, and detach',
	qr/^\$1 = 0$/m,
	qr/^\$2 = 42$/m,
	qr/^\[Inferior 1 \(Remote target\) detached\]$/m);

if (can('watchpoints')) {
	shows(session('debug', ['', 8], 'watch written', 'continue', 'continue', 'delete', 'continue'),
		'a watchpoint',
		qr/^Hardware watchpoint 1: written$/m,
		qr/^Old value = 0\nNew value = 1\n.*write_it/m,
		qr/^Old value = 1\nNew value = 2\n.*write_it/m,
		qr/exited with code 07/);
	shows(session('debug', ['', 8], 'rwatch written', 'continue', 'continue', 'delete', 'continue'),
		'a watchpoint for reads',
		qr/^Hardware read watchpoint 1: written$/m,
		qr/^Value = 0\n.*run_writes/m,
		qr/^Value = 1\n.*run_writes/m,
		qr/exited with code 07/);
} else {
	shows(session('debug', ['', 8], 'break write_it', 'continue', 'watch written', 'python', 'try: gdb.execute("continue")', 'except gdb.error as e: print(e)',
			'end', 'delete 2', 'set can-use-hw-watchpoints 0', 'watch written', 'continue', 'delete', 'continue'),
		'watchpoints that this KVM does not have',
		qr/^Hardware watchpoint 2: written$/m,
		qr/^vole: this host's KVM does not stop at watchpoints: "set can-use-hw-watchpoints 0" has gdb step and compare/m,
		qr/^Could not insert hardware watchpoint 2\.$/m,
		qr/^Watchpoint 3: written$/m,
		qr/^Old value = 0\nNew value = 1\n.*write_it/m,
		qr/exited with code 07/);
}

SKIP: {
	skip 'this KVM does not stop at hardware breakpoints', 1 if !can('hardware breakpoints');
	shows(session('debug', ['', 8], 'hbreak write_it', 'continue', 'bt', 'continue', 'delete', 'continue'),
		'a hardware breakpoint',
		qr/^Hardware assisted breakpoint 1 at 0x[0-9a-f]+: file tests\/guest\/debug\.c/m,
		qr/^Breakpoint 1, write_it \(value=.*1\) at/m,
		qr/^#0  write_it .*\n(?:#1 .*run_writes .*\n#2  )?.*main \(/m,
		qr/^Breakpoint 1, write_it \(value=.*2\) at/m,
		qr/exited with code 07/);
}

SKIP: {
	skip 'this KVM has no 32-bit paging', 1 if !can('32-bit paging');
	shows(session('higher-half', [''], 'break function', 'break main', 'continue', 'print (int) calls', 'continue', 'bt', 'continue', 'bt', 'print (int) calls',
			'continue'),
		'a kernel of the higher half, before paging and after it',
		qr/^Breakpoint 1 at 0xc0[0-9a-f]+: /m,
		qr/^vole: the breakpoint at 0xc0([0-9a-f]+) is met at its physical address, 0x00\1$/m,
		qr/^Program received signal SIGTRAP.*\n0x00[0-9a-f]+ in \?\? \(\)/m,
		qr/^\$1 = 0$/m,
		qr/^Breakpoint 2, main \(\)/m,
		qr/^Breakpoint 1, function \(\)/m,
		qr/^\$2 = 1$/m,
		qr/exited with code 05/);
}

done_testing();
