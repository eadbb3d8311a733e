#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Lines of vole's beside what the guest prints, where both go to the same place: each begins on a fresh line and is
# whole, and nothing of the guest's is lost. And logs of exits in files.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use POSIX ();
use Test::More;
use Vole;

each_engine();

my $disk = write_file('disk.img', 'first sector' . "\0" x (8 * 512 - 12));
my $both = scratch() . '/both';
my @hello = (qw(--boot flat --debug-port 1), guest('flat-hello.bin'));
my @demo = (qw(--timeout 60 -d), $disk, '--rng', 'file=' . write_file('random', 'r' x 4096), guest('demo'));

# Runs vole with standard output and standard error in one file, or one pipe whose reader is slow.
sub together {
	my ($way, @words) = @_;
	my $where = $way eq 'file' ? '>"$0" 2>&1' : '2>&1 | (sleep 0.2; while dd bs=300 count=1 status=none >>"$0"; [ $(wc -c <"$0") -gt ${last:-0} ]; do last=$(wc -c <"$0"); done)';
	unlink $both;
	return run(['sh', '-c', "\"\$@\" $where", $both, vole_run(), @words]);
}

# What the guest printed, of a text with vole's lines, without the newlines; lines that are not whole, or do not begin
# a line, are told of.
sub guest_text {
	my ($name, $text, $line) = @_;
	my @wrong = grep { /vole:/ && $_ !~ $line } split /\n/, $text;
	is(join("\n", @wrong), '', "$name: each line of vole's is whole and a line of its own");
	return join '', map { s/[\r\n]//gr } grep { $_ !~ /^vole:/ } split /\n/, $text;
}

my $exit = qr/^vole: CPU \d exit \d+: .* rip 0x[0-9a-f]{8}\r?$/;
my $step = qr/^vole: \d+\.\d{9} .*\S\r?$/;
for my $way (qw(file pipe)) {
	together($way, qw(--log exits), @hello);
	my $text = slurp($both);
	is(guest_text("$way, --log exits", $text, $exit), 'Hello KVM!', "$way, --log exits: the guest's bytes are all there, in their order");
	my @lines = split /\n/, $text;
	is($lines[1], 'H', '... each after the line of its exit');
}
{
	# The demo prints parts of lines through a queue.
	my $alone = run([vole_run(), @demo])->{out} =~ s/[\r\n]|\d//gr;
	together('file', qw(--log virtio), @demo);
	my $text = guest_text('--log virtio', slurp($both), $step) =~ s/\d//gr;
	is($text, $alone, '--log virtio: what the guest prints is there as without it');
	my $got = together('pipe', qw(--log virtio --check virtio), @demo);
	$text = guest_text('--log virtio, slowly', slurp($both), qr/$step|^vole: virtio: \d+ rules/) =~ s/\d//gr;
	is($text, $alone, '... and to a pipe that is read slowly');
}
{
	my $terminal = terminal(vole_run(), qw(--log pio), @hello);
	is($terminal->finish, 0, 'on a terminal: the guest ends');
	is(guest_text('on a terminal', $terminal->text, $exit), 'Hello KVM!', 'on a terminal: its bytes are there');
}
{
	# A prompt is a line without an end.
	my $terminal = terminal(vole_run(), guest('demo'));
	$terminal->expect(qr/> \z/);
	$terminal->send("\x01s");
	ok($terminal->expect(qr/\A\r\nvole: .*^vole:   CPU 0.*/ms), '^A s at a prompt: the report begins on a fresh line') or diag($terminal->text);
	$terminal->send("exit\r");
	$terminal->finish;
}

# --- files ---

my ($all, $ports) = map { scratch() . "/$_.log" } qw(all ports);
my $got = run([vole_run(), '--log', "exits,file=$all", '--log', "pio,file=$ports", '--log', 'mmio', @hello]);
is($got->{err}, '', 'logs in files: nothing on standard error, which has another');
my @ports = grep { / port / } split /\n/, slurp($all);
is(join('', map { /value 0x(\w\w) / ? chr hex $1 : () } @ports), "Hello KVM!\n", '--log exits,file=: the ports are there');
like(slurp($all), qr/^CPU 0 exit 12: hlt .*rip 0x0000000[de]\n\z/m, '... and hlt');
is(slurp($ports), join('', map { "$_\n" } @ports), '--log pio,file=: the same lines, the ports alone');
my $seen = run([vole_run(), qw(--log exits), @hello])->{err} =~ s/^vole: //mgr;
is(slurp($all), $seen, 'the lines are those of standard error');

$got = run([vole_run(), '--log', "mmio,file=$all", @demo]);
like(slurp($all), qr/: load address 0xd0000000 size 4 value 0x74726976 rip 0x/, '--log mmio,file=: registers of devices');

for my $bad (
	[['--log', 'pio,file=' . scratch() . '/none/x'], qr{--log pio: .*/none/x: No such file or directory}],
	[['--log', "pio,file=$all", '--log', "mmio,file=$all"], qr{--log mmio: \Q$all\E: in use by this machine already: the file is named twice}],
	[['--log', "virtio,file=$all", '--trace', $all], qr{--trace \Q$all\E: in use by this machine already}],
	[['--log', "virtio,file=$all", '--capture', $all], qr{--capture \Q$all\E: in use by this machine already}],
	[['-d', $disk, '--log', "exits,file=$disk"], qr{--log exits: \Q$disk\E: in use by this machine already}],
	[['--log' => 'pio,file='], qr/--log pio: unknown option "file="/],
	[['--log', "pio,file=$all", '--log', "pio,file=$ports"], qr{--log pio: there can be only one file, \Q$all\E or \Q$ports\E}],
) {
	my ($options, $says) = @$bad;
	$got = run([vole_run(), @$options, guest('hello')]);
	is($got->{status}, 125, "@$options: refused");
	like($got->{err}, qr/^vole: $says/m, '... by name');
	is(() = $got->{err} =~ /^/mg, 1, '... once');
}
is(-s $disk, 8 * 512, 'and the disk is what it was');
SKIP: {
	skip 'there is no /dev/full', 2 unless -c '/dev/full';
	$got = run([vole_run(), '--log', 'exits,file=/dev/full', guest('hello')]);
	is($got->{status}, 0, 'a full disk: the guest goes on');
	like($got->{err}, qr{\Avole: --log exits: /dev/full: No space left on device; the last \d+ bytes are not written(?:, and \d+ lines? (?:is|are) lost)?\n\z}, '... and it is said');
}

done_testing();
