#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What a process inherits: vole runs the same whatever signals its parent has blocked or ignored, and whatever
# standard descriptors it has closed.
use strict;
use warnings;
use lib 'tests/lib';
use Test::More;
use Vole;

each_engine();

# A command under a parent that has done this, in Perl, before.
sub under {
	my ($perl, @command) = @_;
	return ['perl', '-MPOSIX', '-e', "$perl; exec { \$ARGV[0] } \@ARGV", @command];
}

my %parents = (
	'all signals blocked' => 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(grep { $_ != 32 && $_ != 33 } 1 .. 64))',
	'signals ignored that vole uses' => '$SIG{$_} = "IGNORE" for qw(USR1 USR2 ALRM WINCH CONT CHLD PIPE)',
	'blocked and ignored' => '$SIG{$_} = "IGNORE" for qw(USR1 USR2 ALRM WINCH CONT CHLD PIPE);
		sigprocmask(SIG_BLOCK, POSIX::SigSet->new(grep { $_ != 32 && $_ != 33 } 1 .. 64))',
);
my $kernels = build() . '/guest';

for my $name (sort keys %parents) {
	my $perl = $parents{$name};
	is(run(under($perl, vole_run(), "$kernels/hello.elf"))->{status}, 0, "$name: hello");
	is(run(under($perl, vole_run(), '-c', 3, "$kernels/smp.elf"))->{status}, 0, "$name: three CPUs");
	is(run(under($perl, vole_run(), "$kernels/timer.elf"))->{status}, 0, "$name: interrupts");
	is(run(under($perl, vole_run(), '--timeout', 1, "$kernels/spin.elf"))->{status}, 124, "$name: a time-out");
	is(run(under($perl, vole_run(), "$kernels/echo.elf"), stdin => 'q')->{out}, run([vole_run(), "$kernels/echo.elf"], stdin => 'q')->{out},
		"$name: input");
	is(run(under($perl, vole_run(), "$kernels/spin.elf"), until => qr/busy/)->{status}, 128 + 15, "$name: SIGTERM");
}
if (engine() eq 'kvm') {
	is(run(under($parents{'blocked and ignored'}, vole(), 'doctor'))->{status}, 0, 'blocked and ignored: doctor');
}

# A run under limits of the host runs, or ends with one line that says which limit that is; what else it does.
sub refusal_of {
	my ($said, $ran, $limit) = @_;
	return () if $ran->{status} eq 0;
	return () if $ran->{status} =~ /^12[57]$/ && $ran->{err} =~ /\Avole: [^\n]*: the limit $said[^\n]*\n\z/;
	return "$limit: $ran->{status} $ran->{err}";
}

my $disk = write_file('disk', "\0" x 4096);
my @machine = (vole_run(), '-d', $disk, "$kernels/hello.elf");
is(run(['sh', '-c', 'ulimit -S -n 8; exec "$0" "$@"', @machine])->{status}, 0, 'a low limit of open files that may be raised');
# With fewer than 4, the dynamic linker of most builds says the same in its own words.
my $least = run(['sh', '-c', 'ulimit -n 0; exec "$0" --version', vole()])->{status} eq 0 ? 0 : 4;
my @strange = map {
	refusal_of(qr/is $_;.*ulimit -n 256/, run(['sh', '-c', "ulimit -n $_; exec \"\$0\" \"\$@\"", @machine, '--console', 'file:' . scratch() . '/out']), $_)
} $least .. 40;
is("@strange", '', "a limit of $least to 40 open files is named where it is too low");

# The same from a terminal, which is put back into its state.
@strange = ();
for my $limit (6 .. 40) {
	my $terminal = terminal('sh', '-c', "ulimit -n $limit; exec \"\$0\" \"\$@\"", @machine);
	my $status = $terminal->finish;
	push @strange, "$limit: $status " . $terminal->text if $terminal->settings ne $terminal->before
		|| ($status ne 0 && $terminal->text !~ /\Avole: [^\n]*: the limit is $limit;[^\n]*\n\z/);
}
is("@strange", '', 'a limit of 6 to 40 open files, from a terminal');

# Sanitizers need terabytes of address space. The size is in KiB.
if (!$ENV{SAN}) {
	@strange = map {
		refusal_of(qr/of the address space is $_ KiB \(ulimit -v\)/, run(['sh', '-c', "ulimit -v $_; exec \"\$0\" \"\$@\"", @machine]), $_)
	} map { $_ * 1000 } 20 .. 100;
	is("@strange", '', 'a limit of the address space of 20000 to 100000 KiB is named where it is too low');

	# A view needs a buffer and, from its first record on, a thread. Without one the machine runs, and the view says why
	# it has nothing. No line says anything else.
	my %ends = (buffer => 0, thread => 0);
	for my $view (['--capture', scratch() . '/view'], ['--trace', scratch() . '/view'], ['--log', 'virtio,file=' . scratch() . '/view']) {
		@strange = ();
		for my $limit (map { $_ * 2000 } 40 .. 75) {
			my $ran = run(['sh', '-c', "ulimit -v $limit; exec \"\$0\" \"\$@\"", @machine[0 .. 3], @$view, @machine[4 .. $#machine]]);
			last if $ran->{status} eq 0 && $ran->{err} eq '';
			my $named = qr/: the limit of the address space is $limit KiB \(ulimit -v\); vole needs .*, and 48M for each of --capture/;
			$ends{buffer}++ if $ran->{err} =~ /^vole: $view->[0] .*$named.*\n\z/;
			$ends{thread}++ if $ran->{err} =~ /^vole: $view->[0].*: the thread that writes it: .*$named.*; nothing is written$/m;
			push @strange, "$limit: $_" for grep { !/$named/ && !/ \d+ \w+ (?:is|are) lost$/ } split /\n/, $ran->{err};
		}
		is("@strange", '', "$view->[0]: such a limit is named");
	}
	ok($ends{$_}, "... where a view's $_ has no room") for sort keys %ends;

	# And a capture keeps a copy of each queue's rings.
	my $lacks = 0;
	for my $limit (map { $_ * 1000 } 112 .. 130) {
		my $ran = run(['sh', '-c', "ulimit -v $limit; exec \"\$0\" \"\$@\"", @machine[0 .. 3], '--capture', scratch() . '/view', '-d', $disk, "$kernels/demo.elf"]);
		$lacks++ if $ran->{err} =~ /^vole: --capture: \S+: device \d+, queue \d+: [^\n]* is $limit KiB \(ulimit -v\); [^\n]*; its rings, or which chain a used element is of, are not captured$/m;
	}
	ok($lacks, '... and where the rings of a queue have none');
}

# Root has as many threads as it likes, so somebody else runs this, with a /dev/kvm that is everybody's.
SKIP: {
	skip 'only root can be somebody else', 1 if $> != 0;
	chmod 0755, scratch();
	chmod 0666, $disk;
	run(['cp', vole(), "$kernels/hello.elf", scratch()]);
	my @nobody = (qw(unshare --mount sh -c), 'mount -t tmpfs none /dev && mknod -m 666 /dev/kvm c 10 232 && mknod -m 666 /dev/null c 1 3 &&
		mknod -m 666 /dev/urandom c 1 9 && exec setpriv --reuid=65534 --regid=65534 --clear-groups "$@"', 'sh');
	skip 'root of this container may not mount', 1 if run([@nobody, 'true'])->{status} ne 0;
	# LeakSanitizer makes a thread of its own.
	local $ENV{ASAN_OPTIONS} = join ':', grep { length } $ENV{ASAN_OPTIONS} // '', 'detect_leaks=0';
	my @vole = (scratch() . '/vole', qw(run -c 2 --engine), engine(), '-d', $disk, scratch() . '/hello.elf');
	@strange = map {
		refusal_of(qr/of this user's threads and processes is $_ \(ulimit -u/,
			run([@nobody, qw(sh -c), "ulimit -p $_ 2>/dev/null || ulimit -u $_; exec \"\$0\" \"\$@\"", @vole], limit => 30), $_)
	} 0 .. 7;
	is("@strange", '', 'a limit of 0 to 7 threads is named where it is too low');
	# A helper is a process as well.
	my $folder = scratch() . '/everybody';
	mkdir $folder;
	chmod 0777, $folder;
	for (['--gdb', "unix:$folder/gdb"], ['--core', "$folder/core"]) {
		like(run([@nobody, qw(sh -c), 'ulimit -p 0 2>/dev/null || ulimit -u 0; exec "$0" "$@"', @vole[0, 1], @$_, @vole[2 .. $#vole]], limit => 30)->{err},
			qr/^vole: \Q@$_\E: .* of this user's threads and processes is 0 \(ulimit -u/m, "... for $_->[0], too");
	}
}

# Who is deaf by the user's wish stays so.
is(run(under('$SIG{INT} = "IGNORE"; if (!fork) { sleep 1; kill "INT", getppid; exit }', vole_run(), '--timeout', 3, "$kernels/spin.elf"))->{status},
	124, 'SIGINT that was ignored, as in a background job, does not end vole');
my $asked = run(under('$SIG{QUIT} = "IGNORE"; if (!fork) { sleep 1; kill "QUIT", getppid; exit }', vole_run(), '--timeout', 3, "$kernels/spin.elf"));
like($asked->{err}, qr/CPU 0 .*?CPU 0 /s, '... but SIGQUIT, which does not end it, has it report the state before the time-out does');
is($asked->{status}, 124, '... and go on');

# The stack; sanitizers' frames are larger.
SKIP: {
	skip 'sanitizers need more', 4 if $ENV{SAN};
	for (16, 64, 255) {
		my $low = run(['sh', '-c', "ulimit -s $_ && exec \"\$@\"", '-', vole_run(), "$kernels/hello.elf"]);
		is("$low->{status} $low->{err}", "125 vole: the limit of the stack is $_ KiB, and vole needs 256; raise it (ulimit -s 256, in a new shell where that is refused)\n",
			"a stack of $_ KiB is named");
	}
	is(run(['sh', '-c', 'ulimit -s 256 && exec "$@"', '-', vole_run(), '--record', scratch() . '/record', '--check', 'virtio', "$kernels/hello.elf"])->{status}, 0,
		'256 KiB are enough');
}
done_testing();
