#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# --trace: what protoc makes of the file, by the fields that Perfetto has for it. Slices are balanced and nest, time
# does not go back, each flow begins once and ends, and there are as many requests as the log of the same run has.
use strict;
use warnings;
use lib 'tests/lib';
use Installed 'present';
use Abi 'slurp';
use Test::More;
use Vole;

plan skip_all => 'protoc is not here' unless present('protoc');
each_engine();

my $disk = write_file('disk.img', 'first sector' . "\0" x (2048 * 512 - 12));
my $trace = scratch() . '/trace';
my $log = scratch() . '/log';

# The packets of a trace, each as { field => [values] }, messages inside of it as such, from protoc's text.
sub packets {
	my $got = run(['sh', '-c', 'protoc --decode=Trace -I tests tests/perfetto.proto <"$1"', 'sh', $trace]);
	is($got->{status}, 0, 'protoc reads it') or diag(shown($got));
	my (@packets, @open);
	for (split /\n/, $got->{out}) {
		if (/^\s*(\w+) \{$/) {
			my $message = {};
			push @{$open[-1]{$1}}, $message if @open;
			push @packets, $message unless @open;
			push @open, $message;
		} elsif (/^\s*\}$/) {
			pop @open;
		} elsif (/^\s*(\w+): "?(.*?)"?$/) {
			push @{$open[-1]{$1}}, $2;
		}
	}
	is(join(' ', $got->{out} =~ /^\s*(\d+)[ :]/mg), '', 'each field is one that Perfetto knows');
	return @packets;
}

# Looks at a trace as a whole. Gives its events, each with the name of its track.
sub events {
	my ($name, @packets) = @_;
	my (%tracks, %stack, %begun, %ended, @wrong, @events);
	my $last = 0;
	for (@packets) {
		if ($_->{track_descriptor}) {
			my $track = $_->{track_descriptor}[0];
			$tracks{$track->{uuid}[0]} = $track->{name} ? $track->{name}[0] : 'process';
			push @wrong, 'a track without a parent' unless $track->{process} || $tracks{$track->{parent_uuid}[0]};
			next;
		}
		my ($event, $ns) = ($_->{track_event}[0], $_->{timestamp}[0]);
		my $track = $event->{track_uuid}[0];
		push @wrong, "time goes back at $ns" if $ns < $last;
		push @wrong, "an event of no track at $ns" unless $tracks{$track};
		$last = $ns;
		push @{$stack{$track}}, $ns if $event->{type}[0] eq 'TYPE_SLICE_BEGIN';
		pop @{$stack{$track}} // push @wrong, "a slice ends that did not begin at $ns" if $event->{type}[0] eq 'TYPE_SLICE_END';
		$begun{$_}++ for @{$event->{flow_ids} // []};
		for (@{$event->{terminating_flow_ids} // []}) {
			push @wrong, "flow $_ ends twice, or did not begin" if $ended{$_}++ || !$begun{$_};
		}
		push @events, { ns => $ns, type => $event->{type}[0], name => $event->{name} ? $event->{name}[0] : '', track => $tracks{$track} };
	}
	push @wrong, map { "slices of track $tracks{$_} do not end" } grep { @{$stack{$_}} } keys %stack;
	push @wrong, map { "flow $_ does not end" } grep { !$ended{$_} } keys %begun;
	is(join(', ', @wrong), '', "$name: balanced, in order, and all flows end");
	cmp_ok(scalar keys %begun, '>', 0, "$name: there are flows");
	return @events;
}

sub logged {
	my ($pattern) = @_;
	return scalar grep { $_ =~ $pattern } split /\n/, slurp($log);
}

for my $case (['demo'], ['journal', 20], ['rng-draw'], ['reset-in-flight'], ['console-smp']) {
	my ($kernel, @words) = @$case;
	unlink $trace, $log;
	my $got = run([vole_run(), qw(--timeout 60 -c 2 -d), $disk, '--trace', $trace, '--log', "virtio,file=$log", guest($kernel), '--', @words]);
	unlike($got->{status}, qr/124|125|126|127|limit/, "$kernel: runs") or diag(shown($got));
	unlike($got->{err}, qr/--trace/, "$kernel: nothing is lost");
	my @events = events($kernel, packets());
	my @begun = grep { $_->{type} eq 'TYPE_SLICE_BEGIN' } @events;
	is(scalar(grep { $_->{track} =~ /requests/ } @begun), logged(qr/: chain \d+: /), "$kernel: as many requests as the log has chains");
	is(scalar(grep { $_->{name} =~ /^kick/ } @events), logged(qr/: kick: /), "$kernel: ... kicks");
	is(scalar(grep { $_->{name} =~ /^interrupt/ } @events), logged(qr/: interrupt, /), "$kernel: ... interrupts");
	is(scalar(grep { $_->{name} eq 'host' } @begun), logged(qr/: the host works$/), "$kernel: ... host calls");
	cmp_ok(scalar(grep { $_->{name} eq 'guest' } @begun), '>', 1, "$kernel: the guest's time is there");
}

# By the virtual clock, a CPU that halts leaves its turn, and time does not go back there.
if (engine() eq 'soft') {
	unlink $trace;
	run([vole_run(), qw(--clock virtual --boot flat --debug-port 1 --trace), $trace, build() . '/guest/flat-hello.bin']);
	my @times = map { $_->{timestamp}[0] } grep { $_->{track_event} } packets();
	cmp_ok(scalar @times, '>', 10, 'flat-hello: its exits are in the trace');
	is(join(' ', grep { $times[$_] < $times[$_ - 1] } 1 .. $#times), '', '... and time does not go back') or diag("@times");
}

my $got = run([vole_run(), '--trace', scratch() . '/none/x', guest('hello')]);
is($got->{status}, 125, 'no such folder: refused');
like($got->{err}, qr{^vole: --trace .*/none/x: No such file or directory$}m, '... by name');
$got = run([vole_run(), '--trace', '', guest('hello')]);
like($got->{err}, qr{^vole: --trace: no file is named$}m, 'no name: refused');

done_testing();
