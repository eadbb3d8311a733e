#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Linux drives all devices, as tests/linux/init.c says: its TAP is repeated here, and what it cannot
# see itself, what the host received and what is in the images, is added. For a KVM with hardware
# semantics; both word sizes, by both of Linux's ways in.
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

my $BULK = 1 << 20;    # bytes each way through the console
my $DISK = 1 << 20;    # bytes that are written on each disk
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
		$seen->{bulk} = substr($text, $+[0], $BULK) eq $pattern;
		substr $console->{text}, 0, $+[0] + $BULK, '';
	} elsif (take($console, "hvc: send $BULK bytes\n")) {
		$console->{reply} .= $pattern;
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
		if (/^(not )?ok \d+ - (.*)/) {
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

# The kernel tests all devices, with these words on its command line besides.
sub drives {
	my ($kernel, @words) = @_;
	my ($bits) = $kernel =~ /(\d+)$/;
	my $linux = build() . '/linux';
	my ($first, $second, $third) = (image('a.img', 2 * $DISK), image('b.img', $DISK), image('c.img', 512));
	my $socket = scratch() . "/$kernel.socket";
	my $partner = partner($socket);
	my $start = time;
	my $result = run([vole(), qw(run -m 128M --timeout 200), '--initrd', "$linux/initrd-$bits.gz",
		'--serial', 'stdio', '--console', "unix:$socket", '-d', "$first,serial=first", '-d', $second, '-d', "$third,ro",
		"$linux/$kernel", '--', qw(console=ttyS0 quiet panic=-1 end=reboot hvc=echo), 'need=vda,vdb,vdc,hvc,rng',
		"hvc_bytes=$BULK", "disk_bytes=$DISK", @words], limit => 240);
	diag(sprintf '%s: %.1f s', $kernel, time - $start);

	repeat($kernel, $result->{out});
	is($result->{status}, 0, "$kernel: restarts, status 0");
	is($result->{err}, '', "$kernel: vole has nothing to say");
	my ($lines, $bulk) = (<$partner> // '') =~ /(\d+) (\d*)/;
	is($lines, 2, "$kernel: hvc: the host received the lines");
	ok($bulk, "$kernel: hvc: the host received $BULK bytes as they were sent");
	ok(written($_), "$kernel: $_ holds what was written") for $first, $second;
	ok(empty($third), "$kernel: $third is as it was");
	wait;
	return;
}

drives($_) for 'bzImage-32', 'bzImage-64';
# The other way in; one device takes most of the time, and it stays the same.
drives($_, 'rng_bytes=65536') for 'vmlinux-32', 'vmlinux-64';
done_testing();
