#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Machines are saved and go on from there (spec/snapshot.md): what a clone prints, writes to its disk and executes is
# what the machine that was saved would have. Files and command lines that do not fit are refused by name.
use strict;
use warnings;
use lib 'tests/lib';
use Abi 'slurp';
use Test::More;
use Vole qw(:DEFAULT refused);

each_engine();

my $entropy = write_file('entropy', pack 'C*', map { ($_ * 7919 >> 3) & 255 } 1 .. 65536);
my $content = pack 'V*', map { $_ * 2654435761 & 0xffffffff } 1 .. 64 * 128;
my $ready = build() . '/guest/ready.elf';
my $counter = 0;

sub disk { return write_file('disk' . $counter++ . '.img', $_[0] // "\0" x 4096) }
sub counts { return join ' ', $_[0]{err} =~ /^vole: (CPU \d: .*)$/mg }

# --- a guest that says when ---

my $file = scratch() . '/ready.ckpt';
my $disk = disk();
my $saved = run([vole_run(), '-c', 3, '-d', $disk, '--checkpoint', $file, $ready]);
is($saved->{status}, 0, 'a machine ends with 0 when it is saved') or diag(shown($saved));
is($saved->{out}, "counted to 100\n", 'it does not go on');
like($saved->{err}, qr/^vole: \Q$file\E: the machine is saved; "vole clone \Q$file\E" goes on from here\n\z/m, 'vole says so');
is(unpack('V', slurp($disk)), 100, 'what it wrote is on the disk');
cmp_ok((stat $file)[12] * 512, '<', 4 << 20, 'pages of zeroes take no room');

my $spaced = scratch() . '/a b.ckpt';
like(run([vole_run(), '--checkpoint', "$spaced,at=1ms", build() . '/guest/hlt.elf'])->{err},
	qr/^vole: \Q$spaced\E: the machine is saved; "vole clone '\Q$spaced\E'" goes on/m, '... with the name quoted where a shell needs it');

# Each clone gets a copy of the disk.
sub copy {
	my ($from) = @_;
	my $to = scratch() . '/copy' . $counter++ . '.img';
	system('cp', '-p', $from, $to) == 0 or die "cp failed\n";
	return $to;
}

my (%generations, $good);
for my $number (1 .. 3) {
	my $copy = copy($disk);
	my $clone = run([vole(), 'clone', '-d', $copy, $file]);
	$clone->{out} =~ /\Agoing on, generation (\d+)\ncounted to 200\nall checks hold\n\z/ or diag(shown($clone));
	$generations{$1 // 0} = 1;
	is($clone->{status}, 0, "clone $number: CPUs, timer, disk and console go on");
	is($clone->{err}, '', 'and vole has nothing to say');
	is(unpack('V', slurp($copy)), 200, 'it writes its own disk');
}
is(scalar(grep { $_ } keys %generations), 3, 'each clone has a generation of its own');

# Two at the same time, whose memory is one file's.
my @both = map { copy($disk) } 1, 2;
my $both = run(['bash', '-c', '"$1" clone -d "$2" "$4" >"$2.out" & "$1" clone -d "$3" "$4" >"$3.out"; wait', '-', vole(), @both, $file]);
is($both->{err}, '', 'two clones run at the same time');
like(slurp("$_.out"), qr/counted to 200\nall checks hold\n\z/, 'and each does its own') for @both;

# Two that share a disk, too.
my $shared = copy($disk);
my $sharing = run(['bash', '-c', '"$1" clone -d "$2,private" "$3" >"$2.1" & "$1" clone -d "$2,private" "$3" >"$2.2"; wait', '-',
	vole(), $shared, $file]);
is($sharing->{err}, '', 'two clones share a private disk');
like(slurp("$shared.$_"), qr/counted to 200\nall checks hold\n\z/, 'and each counts on from where it was') for 1, 2;
is(unpack('V', slurp($shared)), 100, 'the file stays as it is');

# What a driver did before it was saved is no mistake of the clone's.
my $fair = build() . '/guest/cases/check-fair.elf';
for my $place (1 .. 7) {
	my $half_way = scratch() . "/fair-$place.ckpt";
	my $plain = disk("\1" x 4096);
	my $from = run([vole_run(), '-d', $plain, '--checkpoint', $half_way, $fair, '--', "saved-$place"]);
	my $clone = run([vole(), 'clone', '--check', 'virtio,fatal', '--log', "virtio,file=$half_way.log", '-d', $plain, $half_way]);
	is("$from->{status}, $clone->{status}: $clone->{err}" =~ s/\d+ rules/N rules/r, "0, 0: vole: virtio: N rules watched, 0 broken\n",
		"a driver that is saved at place $place breaks no rule in the clone");
	like(slurp("$half_way.log"), qr/^\S+ device 2, block, queue 0: ready, split, 8 entries: descriptors at 0x/m, '... whose log has the queue');
}

# A clone of a clone, one that goes on, and one that nobody asked to be saved.
my $again = scratch() . '/again.ckpt';
my $other = copy($disk);
my $early = run([vole(), 'clone', '-d', $other, '--checkpoint', "$again,at=1us", $file]);
is($early->{status}, 0, 'a clone can be saved as well') or diag(shown($early));
like(run([vole(), 'clone', '-d', $other, $again])->{out}, qr/counted to 200\nall checks hold\n\z/, 'and goes on');
my $on = run([vole_run(), '-d', disk(), '--checkpoint', scratch() . '/on.ckpt,continue', $ready]);
is($on->{out}, "counted to 100\ngoing on, generation 0\ncounted to 200\nall checks hold\n", 'with continue, the machine goes on');

# A host's disk that fills up while the machine is saved.
for (['with continue', ',continue', 0, "counted to 100\ngoing on, generation 0\ncounted to 200\nall checks hold\n", 'the machine goes on without it'],
	['without', '', 125, "counted to 100\n", 'there is nothing else to do']) {
	my ($name, $how, $status, $out, $why) = @$_;
	my $lost = scratch() . '/lost.ckpt';
	local $ENV{VOLE_FAULTY_FILE} = $lost;
	local $ENV{VOLE_FAULTS} = 'write:2-2=ENOSPC';
	my $full = run([build() . '/tests/tools/vole-faulty', 'run', '--engine', engine(), '-d', disk(), '--checkpoint', "$lost$how", $ready]);
	is($full->{status}, $status, "a checkpoint that cannot be written, $name: status $status, since $why") or diag(shown($full));
	is($full->{out}, $out, "$name: what the guest prints");
	is(() = $full->{err} =~ /lost\.ckpt: No space left on device; no checkpoint was taken, and the file is empty\n/g, 1, "$name: it is said once")
		or diag(shown($full));
	ok(-z $lost, "$name: and the file is empty");
}
my $never = run([vole_run(), '--checkpoint', scratch() . '/never.ckpt', build() . '/guest/hello.elf']);
like($never->{err}, qr/never\.ckpt: no checkpoint was taken: the guest did not write to port 0xec\n/, 'a guest may never be ready');

# A disk that may not be written.
my $read_only = run([vole(), 'clone', '-d', copy($disk) . ',ro', $file]);
is($read_only->{status}, 1, 'a clone whose disk is read-only goes on, and its guest sees an I/O error') or diag(shown($read_only));

# --- any point of a run ---

# In the middle of whatever a machine does. One that has ended by then is not saved.
my ($cut, $finished) = (0, 0);
for my $ms (1, 3, 10, 30, 100, 300) {
	my $disk = disk();
	my $file = scratch() . "/at$ms.ckpt";
	my $run = run([vole_run(), '-c', 3, '-d', $disk, '--checkpoint', "$file,at=${ms}ms", $ready]);
	my $clone = -s $file ? run([vole(), 'clone', '-d', $disk, $file]) : { out => '', err => '', status => 0 };
	my $whole = $run->{out} . $clone->{out} =~ s/generation \d+/generation N/r;
	$cut++;
	$finished++, next if $run->{status} eq 0 && $clone->{status} eq 0 && unpack('V', slurp($disk)) == 200 &&
		$whole =~ /\Acounted to 100\ngoing on, generation (?:0|N)\ncounted to 200\nall checks hold\n\z/;
	diag("saved after $ms ms:\n", shown($run), shown($clone));
}
is($finished, $cut, 'a machine that is saved at any time is finished by its clone');

# The end of a run, which was saved at this time, or of its clone.
sub go_on {
	my ($how, $time) = @_;
	my $disk = disk($content);
	my $file = scratch() . "/$how.ckpt";
	my @with = ('--rng', "file=$entropy", '-v', '-d', $disk);
	my $run = run([vole_run(), qw(--clock virtual -c 3), @with, '--checkpoint',
		"$file,at=${time}ns" . ($how eq 'continue' ? ',continue' : ''), build() . '/guest/repeat.elf']);
	return { %$run, disk => slurp($disk) } if $how eq 'continue';
	my $clone = run([vole(), 'clone', @with, $file]);
	return { %$clone, out => $run->{out} . $clone->{out}, disk => slurp($disk) };
}

my $points = engine() eq 'soft' ? $ENV{VOLE_CLONE_POINTS} // 12 : 0;
# Nearly the time that the guest takes, in ns: an instruction is one. How many it has depends on who compiled it.
my $length = 0;
if ($points) {
	my $whole = run([vole_run(), qw(--clock virtual -c 3 -v --rng), "file=$entropy", '-d', disk($content), build() . '/guest/repeat.elf']);
	$length = $1 * 0.9 if $whole->{err} =~ /^vole: CPU 0: .* (\d+) instructions$/m;
	cmp_ok($length, '>', 100_000, 'the whole run takes its time') or diag(shown($whole));
}
srand(1);
for my $point (0 .. $points - 1) {
	my $time = int($point * $length / $points + rand($length / $points));
	my ($one, $two) = map { go_on($_, $time) } qw(continue clone);
	my $same = $one->{status} eq 0 && $two->{status} eq 0 && $one->{out} eq $two->{out} && counts($one) eq counts($two) &&
		$one->{disk} eq $two->{disk};
	$good++ if $same;
	diag("saved at $time ns:\n", shown($one), shown($two)) if !$same;
}
is($good // 0, $points, "saved at any of $points times, output, disk and number of instructions are the same");

# --- a serial port ---

# Nothing is printed twice, and nothing is lost.
my ($lines, $tried) = (0, 0);
for my $us (0, 100, 300, 1000, 3000, 10000, 20000) {
	my $file = scratch() . "/serial$us.ckpt";
	my $run = run([vole_run(), qw(--console none --serial stdio --checkpoint), "$file,at=${us}us", build() . '/guest/serial-count.elf']);
	my $clone = -s $file ? run([vole(), 'clone', '--serial', 'stdio', $file]) : { out => '' };
	$tried++;
	$lines++, next if $run->{out} . $clone->{out} eq join '', map { "$_\n" } 1 .. 1000;
	diag("saved after $us us:\n", shown($run), shown($clone));
}
is($lines, $tried, 'a serial port goes on at any byte');

# --- reports ---

# Symbols are saved, too, so a clone's crash is reported as that of the machine.
for my $kernel (qw(null-store unhandled stack-overflow)) {
	my $path = build() . "/guest/$kernel.elf";
	my $crash = run([vole_run(), $path]);
	for my $us (0, 1000) {
		my $file = scratch() . "/$kernel$us.ckpt";
		my $run = run([vole_run(), '--checkpoint', "$file,at=${us}us", $path]);
		# The kernel may have crashed before the machine could be saved.
		if (!-s $file) {
			is($run->{status}, 126, "$kernel crashes before it is saved");
			like($run->{err}, qr/^vole: \Q$file\E: no checkpoint was taken: the machine ended before it could be saved$/m, '... and that is said');
			next;
		}
		my $clone = run([vole(), 'clone', $file]);
		is($clone->{status}, 126, "$kernel: a clone crashes");
		is($clone->{err}, $crash->{err}, '... and the report is that of the machine, with symbols');
	}
}

# --- what is refused ---

my $bytes = slurp($file);
sub spoilt {
	my ($name, $change) = @_;
	my $spoilt = $bytes;
	$change->(\$spoilt);
	return write_file($name, $spoilt);
}

my $d = copy($disk);
refused('no file', qr/no checkpoint is named/, 'clone');
refused('two files', qr/ready\.ckpt: a second checkpoint, after/, 'clone', $file, $file);
refused('a file that is not there', qr/nowhere: No such file/, 'clone', scratch() . '/nowhere');
refused('a kernel', qr/ready\.elf: not a checkpoint of vole/, 'clone', $ready);
is(run([vole(), 'run', $file])->{err}, "vole: $file: a checkpoint, which vole does not run: vole clone goes on from it\n", 'a checkpoint is no kernel');
refused('a file that was never written', qr/never\.ckpt: the file is empty/, 'clone', scratch() . '/never.ckpt');
refused('a file that is cut off', qr/cut: a checkpoint that cannot be used: the file is cut off/, 'clone', '-d', $d,
	spoilt('cut', sub { substr(${$_[0]}, -10) = '' }));
refused('a damaged header', qr/header: .*the header is damaged/, 'clone', '-d', $d, spoilt('header', sub { substr(${$_[0]}, 33, 1) ^= "\1" }));
refused('a damaged state', qr/state: .*the state is damaged/, 'clone', '-d', $d, spoilt('state', sub { substr(${$_[0]}, -100, 1) ^= "\1" }));
refused('another version', qr/version: a checkpoint of format 99, and this vole reads format 3/, 'clone', '-d', $d,
	spoilt('version', sub { substr(${$_[0]}, 16, 4) = pack 'V', 99 }));
my ($own, $foreign) = (engine(), engine() eq 'soft' ? 'kvm' : 'soft');
refused('another engine', qr/--engine $foreign: .*is a checkpoint of --engine $own/, 'clone', '--engine', $foreign, '-d', $d, $file);
refused('no disk', qr/has 1 disk: --disk is to be given for each/, 'clone', $file);
refused('a disk too many', qr/has 1 disk: /, 'clone', '-d', $d, '-d', $disk, $file);
refused('a disk of another size', qr/disk\d+\.img: 9 sectors: the checkpoint's disk has 8/, 'clone', '-d', disk("\0" x 4608), $file);
refused('a disk that was written since', qr/disk\d+\.img: not as it was when the checkpoint was taken/, 'clone', '-d', disk(), $file);
refused('a disk with options', qr/a clone's disk keeps what its driver knows/, 'clone', '-d', "$d,serial=x", $file);
refused('no console', qr/--console none: the checkpoint has a console/, 'clone', '--console', 'none', '-d', $d, $file);
refused('two consoles', qr/has 1 console: /, 'clone', '--console', 'stdio', '--console', 'pty', '-d', $d, $file);
refused('a serial port', qr/--serial: the checkpoint has no serial port/, 'clone', '--serial', 'pty', '-d', $d, $file);
refused('no entropy device', qr/--rng none: the checkpoint has an entropy device/, 'clone', '--rng', 'none', '-d', $d, $file);
refused('another machine', qr/--$_->[0]: a clone has the machine of its checkpoint/, 'clone', "--$_->[0]", $_->[1], '-d', $d, $file)
	for [memory => '1G'], [cpus => 2], [clock => 'virtual'], [virtio => 'packed=on'], [chaos => 1], [boot => 'vole'], ['debug-port' => '0xe9'];
refused('words for the guest', qr/a clone's guest has its command line already/, 'clone', '-d', $d, $file, '--', 'word');
refused('a checkpoint with chaos', qr/--checkpoint x: not with --chaos/, 'run', '--chaos', 1, '--checkpoint', 'x', $ready);
refused('a checkpoint with a private disk', qr/--checkpoint x: not with the private disk $d: /, 'run', '--checkpoint', 'x', '-d', "$d,private", $ready);
refused('a disk that is both', qr/--disk $d: ro and private exclude each other/, 'clone', '-d', "$d,ro,private", $file);
refused('a checkpoint with a debugger', qr/--checkpoint x: not with --gdb/, 'run', '--checkpoint', 'x', '--gdb', '-', $ready);
refused('a name for a console', qr/ready\.ckpt: a clone's consoles keep their names; leave out name=\n/, 'clone', '-d', $disk, '--console', 'stdio,name=a', $file);
refused('a checkpoint without a file', qr/--checkpoint: no file is named/, 'run', '--checkpoint', ',continue', $ready);
refused('a time that is none', qr/--checkpoint x: "at=soon" is neither continue nor at=TIME/, 'run', '--checkpoint', 'x,at=soon', $ready);
refused('a folder', qr{/: (?:Is a directory|not a regular file)}, 'run', '--checkpoint', '/', $ready);

# The file is locked while a clone runs, and its guest waits.
my $idle = scratch() . '/idle.ckpt';
run([vole_run(), '--checkpoint', "$idle,at=1ms", build() . '/guest/hlt.elf']);
my $held = run(['bash', '-c', 'exec 3< <("$1" clone -v --timeout 2 "$2" 2>&1); read -ru3 line; "$1" run --engine "$4" --checkpoint "$2" "$3"', '-',
	vole(), $idle, build() . '/guest/hlt.elf', engine()]);
ok($held->{status} eq 125 && $held->{err} =~ /^vole: \Q$idle\E: in use /m, 'a file that a clone uses is not overwritten') or diag(shown($held));

# Somebody else may cut it off all the same. At the time-out vole looks at the guest's stack, which is a page of the file;
# if KVM has not come upon a lost page before.
my $spin = build() . '/guest/spin.elf';
my $short = scratch() . '/short.ckpt';
run([vole_run(), '--checkpoint', "$short,at=10ms", $spin]);
my $lost = run(['bash', '-c', '"$1" clone -v --timeout 2 "$2" 2>"$2.err" & until grep -q "goes on, RAM" "$2.err"; do sleep 0.02; done; ' .
	'truncate -s 8192 "$2"; wait $!', '-', vole(), $short]);
is($lost->{status}, 125, 'a clone whose file is cut off ends') or diag(shown($lost));
my $kvm_run = qr/KVM_RUN on CPU 0: Bad address: .*; if this is a clone, its checkpoint has become shorter, or cannot be read/;
like(slurp("$short.err"), qr/^vole: (?:memory of this clone is lost: its checkpoint has become shorter, or the host cannot read it; vole ends here|$kvm_run)$/m,
	'... and says why');

done_testing();
