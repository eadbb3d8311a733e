#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Hardware breakpoints and watchpoints, by the protocol of the gdb server: with KVM those of the processor's debug
# registers, where the host's KVM stops at them.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Elf;
use Gdb;
use Test::More;
use Vole;

each_engine();

my $kernel = build() . '/guest/debug.elf';
my %at = elf_symbols(slurp($kernel));
my $soft = engine() eq 'soft';
my $hardware = stops_at('hardware breakpoints');

# Numbers of the kernel's deeds.
my ($INSTRUCTIONS, $CPUS, $DMA, $TICKS, $WRITES) = (0, 5 .. 8);

sub debug {
	my ($deed, @options) = @_;
	return Gdb->new([@options, $kernel, '--', $deed]);
}

# --- hardware breakpoints ---
SKIP: {
	skip 'this KVM does not stop at hardware breakpoints', 1 if !$hardware;
	my $gdb = debug($WRITES);
	$gdb->ask('qSupported:swbreak+;hwbreak+');
	is($gdb->ask(point('Z1', $at{write_it})), 'OK', 'a hardware breakpoint');
	my $code = $gdb->ask('m' . hex_of($at{write_it}) . ',10');
	is(go_to($gdb, 'c', 'write_it', \%at), 'write_it T05thread:1;hwbreak:;', "it is met, time $_") for 1 .. 2;
	is($gdb->ask('m' . hex_of($at{write_it}) . ',10'), $code, '... and the code is the guest\'s own');
	is($gdb->ask(point('z1', $at{write_it})), 'OK', 'it goes');
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;

	for (['z1', 'swbreak'], ['z0', 'hwbreak']) {
		my ($removed, $is_called) = @$_;
		$gdb = debug($WRITES);
		$gdb->ask('qSupported:swbreak+;hwbreak+');
		is($gdb->ask(point($_, $at{write_it})), 'OK', "both kinds in one place: $_") for qw(Z0 Z1), $removed;
		is(go_to($gdb, 'c', 'write_it', \%at), "write_it T05thread:1;$is_called:;", '... and the other one stays');
		$gdb->send('k');
		$gdb->finish;
	}

	$gdb = debug($TICKS);
	is($gdb->ask(point('Z1', $at{tick})), 'OK', 'a hardware breakpoint in an interrupt handler');
	is(go_to($gdb, 'c', 'tick', \%at), 'tick T05thread:1;', "it is met, time $_") for 1 .. 3;
	is($gdb->ask('D'), 'OK', 'D');
	is($gdb->finish, 7, '... and the machine goes on to its end');

	$gdb = debug($CPUS, '-c', 3);
	$gdb->ask(point('Z1', $at{work}));
	my %met;
	for (1 .. 2) {
		$met{$gdb->ask('vCont;c')} = 1;
		is($gdb->eip, $at{work}, 'a CPU has come to its work');
	}
	is(join(' ', sort keys %met), 'T05thread:2; T05thread:3;', 'both others have');
	is($gdb->ask('vCont;c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;
}

# As many as the processor has debug registers.
SKIP: {
	skip 'the software CPU has as many as are wanted', 1 if $soft;
	my $gdb = debug($INSTRUCTIONS);
	my @places = @at{qw(spin tick halt work before_push)};
	if (!$hardware) {
		is($gdb->ask(point('Z1', $places[0])), '', 'a hardware breakpoint is refused as a packet that is unknown');
		like($gdb->err, qr/^vole: this host's KVM does not stop at hardware breakpoints: use "break", or --engine soft$/m, '... which is said');
	} else {
		is($gdb->ask(point('Z1', $_)), 'OK', 'a hardware breakpoint') for @places[0 .. 3];
		is($gdb->ask(point('Z1', $places[4])), 'E1c', 'a fifth one is refused');
		like($gdb->err, qr/^vole: all 4 debug registers are in use: none is left for the breakpoint at 0x[0-9a-f]{8}$/m, '... which is said');
		is($gdb->ask(point('z1', $places[1])), 'OK', 'one goes');
		is($gdb->ask(point('Z1', $places[4])), 'OK', '... and there is room for it');
		is(go_to($gdb, 'c', 'before_push', \%at), 'before_push T05thread:1;', '... where it is met');
	}
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;
}

# --- watchpoints ---

SKIP: {
	if (!stops_at('watchpoints')) {
		my $gdb = debug($WRITES);
		is($gdb->ask(point('Z3', $at{written}, 4)), '', 'a watchpoint for reads is refused as a packet that is unknown');
		is($gdb->err, '', '... and gdb asks for another kind then');
		is($gdb->ask(point('Z4', $at{written}, 4)), '', '... which is refused');
		like($gdb->err, qr/^vole: this host's KVM does not stop at watchpoints: "set can-use-hw-watchpoints 0" has gdb step and compare; or use --engine soft$/m,
			'... which is said');
		is($gdb->ask(point('z4', $at{written}, 4)), 'OK', 'z4 of what is not set');
		is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
		$gdb->finish;
		skip 'this KVM does not stop at watchpoints', 1;
	}
	my $gdb = debug($WRITES);
	is($gdb->ask(point('Z2', $at{written}, 4)), 'OK', 'a watchpoint');
	for (1 .. 3) {
		is($gdb->ask('c'), sprintf('T05thread:1;watch:%x;', $at{written}), "write $_ is met");
		is($gdb->word($at{written}), $_, '... after the store');
		my $eip = $gdb->eip;
		ok($eip > $at{write_it} && $eip < $at{write_it} + 32, '... in the function that has made it');
	}
	is($gdb->ask('c'), 'W07', '... and no other store is');
	$gdb->finish;

	if ($soft) {
		$gdb = debug($WRITES);
		is($gdb->ask(point('Z3', $at{written}, 4)), 'OK', 'a watchpoint for reads');
		like($gdb->ask('c'), qr/^T05thread:1;rwatch:/, "read $_ is met") for 1 .. 3;
		is($gdb->ask('c'), 'W07', '... and no store is');
		$gdb->finish;
	} else {
		$gdb = debug($WRITES);
		is($gdb->ask(point('Z3', $at{written}, 4)), '', 'the processor has no watchpoints for reads alone');
		is($gdb->ask(point('Z2', $at{random_bytes}, 64)), 'E1c', '64 bytes are too many');
		like($gdb->err, qr/^vole: the watchpoint of 64 bytes at 0x[0-9a-f]{8} needs more than 4 debug registers/m, '... which is said');
		$gdb->send('k');
		$gdb->finish;
	}

	$gdb = debug($WRITES);
	is($gdb->ask(point('Z4', $at{written} + 1, 1)), 'OK', 'a watchpoint of a byte, for both');
	like($gdb->ask('c'), qr/^T05thread:1;awatch:/, "access $_ is met") for 1 .. 6;
	is($gdb->ask('c'), 'W07', '... and they are all');
	$gdb->finish;

	skip 'debug registers do not see what devices write', 1 if !$soft;
	$gdb = debug($DMA);
	is($gdb->ask(point('Z2', $at{random_bytes}, 64)), 'OK', 'a watchpoint where a device writes');
	like($gdb->ask('c'), qr/^T05thread:1;watch:/, '... is met');
	isnt($gdb->ask('m' . hex_of($at{random_bytes}) . ',40'), '00' x 64, '... after the write');
	is($gdb->ask('c'), 'W07', 'and the machine goes on to its end');
	$gdb->finish;

	# Pages that are neighbours, but not in memory: 0x400000 is at 0x200000, and 0x401000 at 0x300000. Stores go to what
	# is behind the first of them in memory, to the second, and to both.
	my $high = build() . '/guest/higher-half.elf';
	my %high = elf_symbols(slurp($high));
	$gdb = Gdb->new([$high]);
	$gdb->ask(point('Z0', $high{main}));
	is($gdb->ask('c'), 'T05thread:1;', 'a kernel that pages');
	$gdb->ask(point('z0', $high{main}));
	is($gdb->ask(sprintf 'M%x,%x:%s', $_->[0], length($_->[1]) / 2, $_->[1]), 'OK', '... gets a page table, and code')
		for [$high{directory} + 4, '03001800'], [0x180000, '0300200003003000'], [$high{main}, 'c7050010200001000000' . '66c705001040000200' . 'c705fe0f400003000000'];
	is($gdb->ask(point('Z2', 0x400ffe, 4)), 'OK', 'a watchpoint over both pages');
	is($gdb->ask('c'), 'T05thread:1;watch:400ffe;', '... is met');
	is($gdb->eip, $high{main} + 19, '... by the store to the second one, and no other');
	is($gdb->ask('c'), 'T05thread:1;watch:400ffe;', '... and again');
	is($gdb->eip, $high{main} + 29, '... by the one to both');
	is($gdb->ask(point('z2', 0x400ffe, 4)), 'OK', '... and goes');
	$gdb->ask(sprintf 'P8=%s', unpack 'H*', pack 'V', $high{main});
	is($gdb->ask('s'), 'T05thread:1;', '... from all of memory') for 1 .. 3;
	$gdb->send('k');
	$gdb->finish;
}

done_testing();
