#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Linux drives all devices, as tests/linux/init.c says: its TAP is repeated here, and what it cannot
# see itself, what the host received and what is in the images, is added. For a KVM with hardware
# semantics; both word sizes, by both of Linux's ways in. At the end with --chaos (spec/chaos.md); where SEEDS says
# how many seeds, only that.
use strict;
use warnings;
use lib 'tests/lib';
use IO::Socket::UNIX;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use Vole;

my $absent = kvm_absent();
plan skip_all => $absent if $absent;

our $BULK = 1 << 20;    # bytes each way through the console
our $DISK = 1 << 20;    # bytes that are written on each disk
my $LINE = "hvc: send this line back\n";

# What goes through the console: lines of 63 digits.
my $pattern = join '', map { chr(ord('0') + $_ % 10) x 63 . "\n" } 0 .. $BULK / 64 - 1;

# --- the other end of the console ---

sub take {
	my ($console, $prefix) = @_;
	return unless $console->{text} =~ /\A\Q$prefix\E/;
	substr $console->{text}, 0, length $prefix, '';
	return 1;
}

# Answer what the guest asks at the beginning of the text, if all of it is there; false if not.
sub answer {
	my ($console) = @_;
	my ($text, $seen) = @$console{qw(text seen)};
	if (take($console, $LINE)) {
		$console->{reply} .= $LINE;
		$seen->{lines}++;
	} elsif ($text =~ /\Ahvc: $BULK bytes follow\n/) {
		return unless length $text >= $+[0] + $BULK;
		$seen->{bulk} = substr($text, $+[0], $BULK) eq substr $pattern, 0, $BULK;
		substr $console->{text}, 0, $+[0] + $BULK, '';
	} elsif (take($console, "hvc: send $BULK bytes\n")) {
		$console->{reply} .= substr $pattern, 0, $BULK;
	} elsif ($text =~ /\Ahvc: leaves\n[0-9\n]*(?=hvc:)/) {
		# What was on its way then may arrive or not.
		substr $console->{text}, 0, $+[0], '';
	} else {
		return;
	}
	return 1;
}

# A process that does so until vole ends. What was seen comes from the returned handle: the number
# of lines, and whether the bulk was right.
sub partner {
	my ($path) = @_;
	pipe my $read, my $write or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	return $read if $pid;

	my ($socket, $deadline) = (undef, time + 60);
	sleep 0.02 until ($socket = IO::Socket::UNIX->new(Peer => $path)) || time > $deadline;
	$socket or POSIX::_exit(1);
	my $console = { text => '', reply => '', seen => { lines => 0, bulk => 0 } };
	my ($readers, $writers) = (IO::Select->new($socket), IO::Select->new($socket));
	$socket->blocking(0);
	while (1) {
		my ($readable, $writable) = IO::Select->select($readers, length $console->{reply} ? $writers : undef);
		if (@$readable) {
			last unless sysread $socket, $console->{text}, 1 << 20, length $console->{text};
			1 while answer($console);
		}
		if (@$writable) {
			my $len = syswrite $socket, $console->{reply};
			substr $console->{reply}, 0, $len, '' if $len;
		}
	}
	print $write "$console->{seen}{lines} $console->{seen}{bulk}\n";
	close $write;
	POSIX::_exit(0);
}

# --- disks ---

sub image {
	my ($name, $bytes) = @_;
	my $path = write_file($name, '');
	truncate $path, $bytes or die "$path: $!\n";
	return $path;
}

# Is it as init.c leaves it?
sub written {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	read $file, my ($content), $DISK;
	my @words = unpack 'V*', $content;
	my $wrong = grep { $words[$_] != (($_ * 4 + 3) * 2654435761 & 0xffffffff) } 0 .. $#words;
	return @words == $DISK / 4 && !$wrong;
}

sub empty {
	my ($path) = @_;
	open my $file, '<:raw', $path or die "$path: $!\n";
	return !grep { /[^\0]/ } <$file>;
}

# --- Linux ---

# Its TAP becomes this script's.
sub repeat {
	my ($name, $text) = @_;
	my ($points, $plan) = (0, undef);
	for (split /\r*\n/, $text) {
		if (/^ok \d+ - rng # SKIP/) {
			$points++;
		} elsif (/^(not )?ok \d+ - (.*)/) {
			ok(!$1, "$name: $2");
			$points++;
		} elsif (/^1\.\.(\d+)$/) {
			$plan = $1;
		} else {
			diag("$name: $_");
		}
	}
	ok($points && defined $plan && $plan == $points, "$name: ran to its end");
	return;
}

# Features by number.
my %bit = (indirect => 28, 'event-idx' => 29, packed => 34);

# The kernel, on so many CPUs, tests all devices, with these features besides the usual ones or with those of a seed of
# --chaos, and ends the machine, by reboot or off, with these words on its command line.
sub drives {
	my ($file, $cpus, $features, $end, @words) = @_;
	my ($seed) = $features =~ /^chaos=(\d+)$/;
	my $kernel = defined $seed ? "$file, --chaos $seed" : $file;
	# The driver of Linux 6.1.192 waits for ever after short lengths (spec/chaos.md).
	my @options = defined $seed ? ('--chaos', $seed, '--rng', 'none') : ('--virtio', $features);
	my @devices = (qw(vda vdb vdc hvc), defined $seed ? () : 'rng');
	my ($bits) = $file =~ /(\d+)$/;
	my $linux = build() . '/linux';
	my ($first, $second, $third) = (image('a.img', 2 * $DISK), image('b.img', $DISK), image('c.img', 512));
	my $socket = scratch() . "/$file.socket";
	my $partner = partner($socket);
	my $start = time;
	my $result = run([vole(), qw(run -m 128M --timeout 200 --check virtio --cpus), $cpus, @options, '--initrd', "$linux/initrd-$bits.gz",
		'--serial', 'stdio', '--console', "unix:$socket", '-d', "$first,serial=first", '-d', $second, '-d', "$third,ro",
		"$linux/$file", '--', qw(console=ttyS0 quiet panic=-1 hvc=echo), 'need=' . join(',', @devices),
		"cpus=$cpus", "end=$end", "hvc_bytes=$BULK", "disk_bytes=$DISK", @words], limit => 240);
	diag(sprintf '%s, %d CPUs: %.1f s', $kernel, $cpus, time - $start);

	repeat($kernel, $result->{out});
	is($result->{status}, 0, "$kernel: end by $end, status 0");
	# Linux powers off by halting, which is said; of its drivers there is nothing to say, and the referee finds nothing.
	my $halted = $end eq 'off' ? qr/vole: .* halted with interrupts off.*: the machine ends\n/ : '';
	# Without EVENT_IDX it writes used_event nevertheless, which is a hint.
	my $hint = $features =~ /packed|^event-idx=on/ ? '' : qr/(?:vole: device \d, .*, hint event-idx\), .*\n)*/;
	like($result->{err}, qr/\A$hint${halted}vole: virtio: \d+ rules watched, 0 broken(?:, \d hints?)?\n\z/, "$kernel: its drivers make no mistake, and break no rule");
	my ($lines, $bulk) = (<$partner> // '') =~ /(\d+) (\d*)/;
	is($lines, 2, "$kernel: hvc: the host received the lines");
	ok($bulk, "$kernel: hvc: the host received $BULK bytes as they were sent");
	ok(written($_), "$kernel: $_ holds what was written") for $first, $second;
	ok(empty($third), "$kernel: $third is as it was");
	my @agreed = $result->{out} =~ /^# features virtio\d ([01]+)/mg;
	is(scalar @agreed, scalar @devices, "$kernel: so many devices");
	# This Linux knows nothing of IN_ORDER, and --chaos has the seed choose.
	for my $feature (grep { defined $bit{$_->[0]} } map { [/(.*)=(.*)/] } split /,/, $features) {
		my ($name, $is) = @$feature;
		is(scalar(grep { substr($_, $bit{$name}, 1) == ($is eq 'on') } @agreed), 5, "$kernel: $name is $is with all five");
	}
	if ($cpus > 1) {
		# The columns are the CPUs'; what came before init had them moved went to the first.
		my @last = $result->{out} =~ /^# irq +\d+: +(?:\d+ +){@{[$cpus - 1]}}(\d+) +IO-APIC .* virtio\d/mg;
		is(scalar(grep { $_ > 0 } @last), 5, "$kernel: the last CPU got interrupts of all five devices");
	}
	wait;
	return;
}

# All that a kernel has to know is in memory when it starts, and a bzImage unpacks itself alone: the first exit comes
# from the kernel's own half of virtual memory, where it looks for adapters (spec/boot-protocols.md).
sub first_exit {
	my ($kernel) = @_;
	my $result = run([vole(), qw(run -m 128M --serial none --log exits --max-exits 1), build() . "/linux/$kernel"]);
	like($result->{err}, qr/^vole: CPU 0 exit 1: load address 0x000c0000 .* rip 0x(?:ffffffff8|c)[0-9a-f]{7}$/m,
		"$kernel: no exit until the kernel looks for adapters") or diag(shown($result));
	return;
}

# With --chaos: the four kernels take turns, and move less.
sub survives {
	my ($seeds) = @_;
	my @kernels = qw(vmlinux-64 vmlinux-32 bzImage-64 bzImage-32);
	local ($BULK, $DISK) = (1 << 16, 1 << 17);
	for my $seed (1 .. $seeds) {
		drives($kernels[$seed % 4], 1, "chaos=$seed", 'reboot');
	}
	return;
}

if (defined $ENV{SEEDS}) {
	survives($ENV{SEEDS});
	done_testing();
	exit;
}
first_exit($_) for qw(bzImage-32 bzImage-64 vmlinux-32 vmlinux-64);
# One of them draws a megabyte of random bytes, which the driver asks for 64 at a time; for the others, which
# differ in their way in, a part will do.
drives('bzImage-64', 2, 'packed=off', 'reboot');
drives('bzImage-32', 1, 'packed=on,in-order=on', 'reboot', 'rng_bytes=65536');
drives('vmlinux-32', 1, 'packed=on,event-idx=off,indirect=off', 'off', 'rng_bytes=65536');
drives('vmlinux-64', 3, 'packed=on', 'off', 'rng_bytes=65536');
survives(2);
done_testing();
