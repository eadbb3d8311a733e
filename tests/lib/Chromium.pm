# SPDX-License-Identifier: BSD-2-Clause
#
# A browser without a window, which a test drives by the DevTools protocol over two pipes: one start for all that is
# looked at.
package Chromium;

use strict;
use warnings;
use IO::Select;
use JSON::PP;
use POSIX ();

# start(FOLDER): a browser whose own files are in FOLDER, with one empty page; undef if it does not answer.
sub start {
	my ($class, $folder) = @_;
	pipe my $take, my $ask or die "pipe: $!\n";
	pipe my $answer, my $give or die "pipe: $!\n";
	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		setpgrp;
		# It reads from 3 and writes to 4, which may be in use here.
		POSIX::dup2(fileno $take, 20);
		POSIX::dup2(fileno $give, 21);
		POSIX::dup2(20, 3);
		POSIX::dup2(21, 4);
		open STDOUT, '>', '/dev/null';
		open STDERR, '>', '/dev/null';
		$ENV{HOME} = $folder;
		exec qw(chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-dev-shm-usage --remote-debugging-pipe),
			"--user-data-dir=$folder/chromium", 'about:blank' or POSIX::_exit(255);
	}
	close $_ for $take, $give;
	$ask->autoflush(1);
	my $self = bless { pid => $pid, ask => $ask, answer => $answer, text => '', id => 0 }, $class;
	my $page = $self->call('Target.createTarget', { url => 'about:blank' });
	return undef unless $page;
	$self->{session} = $self->call('Target.attachToTarget', { targetId => $page->{targetId}, flatten => JSON::PP::true })->{sessionId};
	return $self;
}

# The next message, undef if there is none for 30 seconds.
sub message {
	my ($self) = @_;
	my $select = IO::Select->new($self->{answer});
	my $end;
	while (($end = index $self->{text}, "\0") < 0) {
		$select->can_read(30) && sysread $self->{answer}, $self->{text}, 65536, length $self->{text} or return undef;
	}
	my $message = substr $self->{text}, 0, $end;
	substr $self->{text}, 0, $end + 1, '';
	return decode_json($message);
}

# What a method of the protocol returns, undef if it fails.
sub call {
	my ($self, $method, $params) = @_;
	my $id = ++$self->{id};
	local $SIG{PIPE} = 'IGNORE';
	print {$self->{ask}} encode_json({ id => $id, method => $method, params => $params // {},
		$self->{session} ? (sessionId => $self->{session}) : () }), "\0";
	while (my $message = $self->message) {
		return $message->{result} if ($message->{id} // 0) == $id;
	}
	return undef;
}

# Opens a page, and waits until it is there.
sub open_page {
	my ($self, $url) = @_;
	$self->call('Page.navigate', { url => 'about:blank' });
	$self->call('Page.navigate', { url => $url });
	for (1 .. 100) {
		return if ($self->value('location.href + document.readyState') // '') =~ /^file:.*complete$/;
		select undef, undef, undef, 0.05;
	}
	return;
}

# The value of a JavaScript expression on the page; a message of the mistake, if it is one.
sub value {
	my ($self, $expression) = @_;
	my $got = $self->call('Runtime.evaluate', { expression => $expression, returnByValue => JSON::PP::true });
	return $got->{exceptionDetails} ? "mistake: $got->{exceptionDetails}{exception}{description}" : $got->{result}{value};
}

# Presses a key: "ArrowRight", "f".
sub key {
	my ($self, $key) = @_;
	$self->call('Input.dispatchKeyEvent', { type => $_, key => $key, length $key == 1 ? (text => $key) : () }) for qw(keyDown keyUp);
	return;
}

# Clicks on a place of the page.
sub click {
	my ($self, $x, $y) = @_;
	$self->call('Input.dispatchMouseEvent', { type => $_, x => $x, y => $y, button => 'left', buttons => 1, clickCount => 1 }) for qw(mousePressed mouseReleased);
	return;
}

# A picture of the page, PNG, in a file.
sub picture {
	my ($self, $path) = @_;
	require MIME::Base64;
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file MIME::Base64::decode_base64($self->call('Page.captureScreenshot')->{data});
	close $file or die "$path: $!\n";
	return;
}

sub DESTROY { local ($?, $@, $!); $_[0]->stop }

sub stop {
	my ($self) = @_;
	my $pid = delete $self->{pid} // return;
	kill 'KILL', -$pid;
	waitpid $pid, 0;
	return;
}

1;
