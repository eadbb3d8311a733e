# SPDX-License-Identifier: BSD-2-Clause
#
# Functions of the scripts that run vole: they run it, or run it on a terminal and talk to it.
package Vole;

use strict;
use warnings;
use Exporter 'import';
use Fcntl qw(O_RDWR O_NOCTTY);
use File::Temp 'tempdir';
use IO::Select;
use POSIX ();
use Test::More;
use Time::HiRes 'time';

our @EXPORT_OK = qw(refused);
our @EXPORT = qw(build guest vole vole_run engine each_engine scratch write_file unread_pipe kvm_absent run shown brief terminal);

# The build folder, and the program. Sanitizers make it several times slower; time limits are
# only there to end what hangs.
sub build { return $ENV{O} || 'build' }
sub vole { return build() . '/vole' }

# A guest that the build has made, such as "demo", an ELF kernel, or "flat-hello.bin".
sub guest { return build() . "/guest/$_[0]" . ($_[0] =~ /\./ ? '' : '.elf') }

my $LIMIT = 240;

my $scratch;
sub scratch { return $scratch //= tempdir('vole-test-XXXXXX', TMPDIR => 1, CLEANUP => 1) }

# The engine that executes the guests of this script; each_engine() chooses it. And the beginning of a command
# line of `vole run` with it.
my $engine = 'auto';
sub engine { return $engine }
sub vole_run { return (vole(), 'run', '--engine', $engine) }

# A file in the scratch folder with this content; its path.
sub write_file {
	my ($name, $content) = @_;
	my $path = scratch() . "/$name";
	open my $file, '>:raw', $path or die "$path: $!\n";
	print $file $content;
	close $file or die "$path: $!\n";
	return $path;
}

# The path of a new pipe that nobody reads, although both ends are open here; filled or not.
my @pipes;
sub unread_pipe {
	my ($is_full) = @_;
	my $path = scratch() . '/pipe' . @pipes;
	POSIX::mkfifo($path, 0600) or die "$path: $!\n";
	sysopen my $pipe, $path, POSIX::O_RDWR() | POSIX::O_NONBLOCK() or die "$path: $!\n";
	push @pipes, $pipe;
	if ($is_full) {
		1 while syswrite $pipe, "\0" x 4096;
	}
	return $path;
}
# Why no kernel can be run here, and what to do instead; or undef if one can.
sub kvm_absent {
	sysopen my $kvm, '/dev/kvm', O_RDWR or return "/dev/kvm: $! (without it: make check-lane)";
	return undef;
}

# The engines that this host has, or those that VOLE_ENGINES names.
sub engines {
	return split ' ', $ENV{VOLE_ENGINES} if $ENV{VOLE_ENGINES};
	return ((kvm_absent() ? () : 'kvm'), 'soft');
}

# Has the rest of the script run once for each engine of this host, in a process of its own. Their test points,
# named after the engine, become this process's, which ends here.
sub each_engine {
	my ($points, $failed) = (0, 0);
	for my $name (engines()) {
		my $pid = open(my $child, '-|') // die "fork: $!\n";
		if ($pid == 0) {
			$engine = $name;
			# Test::More has kept what standard output was.
			Test::More->builder->output(\*STDOUT);
			return;
		}
		my ($own, $planned) = (0, undef);
		while (my $line = <$child>) {
			$planned = $1, next if $line =~ /^1\.\.(\d+)/;
			if ($line =~ /^(ok|not ok) \d+(.*)/s) {
				my ($outcome, $rest) = ($1, $2);
				$own++;
				$points++;
				$line = "$outcome $points - $name:" . ($rest =~ s/^ -//r);
			}
			print $line;
		}
		close $child;
		$failed ||= $?;
		$points++;
		print defined $planned && $planned == $own && $planned > 0 ? 'ok' : 'not ok', " $points - $name: ran to its end\n";
	}
	print "1..$points\n";
	# exit() would have Test::More look for points of this process.
	$| = 1;
	print '';
	File::Temp::cleanup();
	POSIX::_exit($failed ? 1 : 0);
}

# The status of a process that ended, from $?, as a shell gives it: 128 and the signal, or the status.
sub status_of {
	my ($wait) = @_;
	return $wait & 127 ? 128 + ($wait & 127) : $wait >> 8;
}

# Run a command: run(\@command, stdin => text | \*HANDLE, until => pattern, limit => seconds). stdin is empty
# where left out. With until, the command is sent SIGTERM when its standard output matches. Gives
# { status, out, err }; status is 'time limit' if it had to be killed. In the lane that is not held against it
# once: QEMU forgets the shadow of STI at times, so that a guest sleeps behind its interrupt (spec/engines.md, 6).
sub run {
	my ($command, %how) = @_;
	my $result = run_once($command, %how);
	return $result if !$ENV{VOLE_LANE} || !is_late($result) || ref $how{stdin};
	diag("time limit, so once more: @$command");
	return run_once($command, %how);
}

# Whether a run had to be killed, or was ended by a --timeout that only keeps it from waiting for ever: tests of
# --timeout itself do not wait for so long.
sub is_late {
	my ($result) = @_;
	return $result->{status} eq 'time limit' || $result->{status} eq 124 && $result->{err} =~ /^vole: time-out after (\d+) seconds$/m && $1 >= 20;
}

sub run_once {
	my ($command, %how) = @_;
	my $stdin = $how{stdin} // '';
	my ($in_read, $in_write, $out_read, $out_write, $err_read, $err_write);
	pipe $in_read, $in_write or die "pipe: $!\n";
	pipe $out_read, $out_write or die "pipe: $!\n";
	pipe $err_read, $err_write or die "pipe: $!\n";

	my $pid = fork // die "fork: $!\n";
	if ($pid == 0) {
		POSIX::dup2(ref $stdin ? fileno $stdin : fileno $in_read, 0);
		POSIX::dup2(fileno $out_write, 1);
		POSIX::dup2(fileno $err_write, 2);
		exec { $command->[0] } @$command or POSIX::_exit(255);
	}
	close $_ for $in_read, $out_write, $err_write;

	local $SIG{PIPE} = 'IGNORE';
	my %text = (out => '', err => '');
	my %name = ($out_read => 'out', $err_read => 'err');
	my $readers = IO::Select->new($out_read, $err_read);
	my $writers = IO::Select->new;
	if (!ref $stdin && length $stdin) {
		$in_write->blocking(0);
		$writers->add($in_write);
	} else {
		close $in_write;
	}
	my $deadline = time + ($how{limit} // $LIMIT);
	my $killed;
	while ($readers->count) {
		my $left = $deadline - time;
		my ($readable, $writable) = IO::Select->select($readers, $writers, undef, $left > 0 ? $left : 0);
		if (!defined $readable) {
			last if $killed;
			kill 'KILL', $pid;
			$killed = 1;
			$deadline = time + 5;    # whoever still holds the pipes
			next;
		}
		for (@$writable) {
			my $len = syswrite $_, $stdin;
			substr $stdin, 0, $len, '' if defined $len;
			next if defined $len && length $stdin;
			$writers->remove($_);
			close $_;
		}
		for (@$readable) {
			next if sysread $_, $text{$name{$_}}, 65536, length $text{$name{$_}};
			$readers->remove($_);
			close $_;
		}
		if ($how{until} && $text{out} =~ $how{until}) {
			kill 'TERM', $pid;
			delete $how{until};
		}
	}
	waitpid $pid, 0;
	return { status => $killed ? 'time limit' : status_of($?), %text };
}

# For diag(), where a test failed.
sub shown {
	my ($result) = @_;
	return map { "$_: " . brief($result->{$_}) . "\n" } qw(status out err);
}

sub brief {
	my ($text) = @_;
	return length $text > 1000 ? substr($text, 0, 1000) . '... (' . length($text) . ' bytes)' : $text;
}

# A command line that vole refuses with 125, in lines of its own, of which one matches the pattern.
sub refused {
	my ($name, $pattern, @words) = @_;
	my $result = run([vole(), @words]);
	my $ok = $result->{status} eq 125 && $result->{out} eq '' && $result->{err} =~ $pattern && $result->{err} =~ /\A(?:vole: .*\n)+\z/;
	ok($ok, "$name: refused") or diag("expected $pattern\n", shown($result));
	return;
}

# A process on a terminal of its own. Methods: new(@command), pid(), send(text), expect(pattern),
# finish(), text() not yet expected, settings(), before(), resize(rows, columns).
package Vole::Terminal;

# <asm-generic/ioctls.h>, for which core Perl has no names.
use constant { TIOCGPTN => 0x80045430, TIOCSPTLCK => 0x40045431, TIOCSCTTY => 0x540e, TIOCSWINSZ => 0x5414 };

sub new {
	my ($class, @command) = @_;
	my $number = pack 'i', 0;
	sysopen my $master, '/dev/ptmx', Fcntl::O_RDWR | Fcntl::O_NOCTTY or die "/dev/ptmx: $!\n";
	ioctl $master, TIOCSPTLCK, $number or die "TIOCSPTLCK: $!\n";
	ioctl $master, TIOCGPTN, $number or die "TIOCGPTN: $!\n";
	my $path = '/dev/pts/' . unpack 'i', $number;
	sysopen my $slave, $path, Fcntl::O_RDWR | Fcntl::O_NOCTTY or die "$path: $!\n";

	my $self = bless { master => $master, slave => $slave, path => $path, text => '' }, $class;
	# A new terminal has no size, and then a guest takes it for nobody.
	$self->resize(30, 100);
	$self->{before} = $self->settings;
	# A shell, and nohup(1), has what it starts in the background ignore these, and vole would go on doing that.
	local @SIG{qw(INT QUIT HUP)} = ('DEFAULT') x 3;
	$self->{pid} = fork // die "fork: $!\n";
	if ($self->{pid} == 0) {
		POSIX::setsid();
		ioctl $slave, TIOCSCTTY, 0 or POSIX::_exit(254);
		POSIX::dup2(fileno $slave, $_) for 0 .. 2;
		exec { $command[0] } @command or POSIX::_exit(255);
	}
	# The slave stays open here, so that its settings can be read after the end.
	return $self;
}

sub pid { return $_[0]{pid} }
sub path { return $_[0]{path} }
sub before { return $_[0]{before} }    # settings(), when it was new
sub text { return $_[0]{text} }

sub send {
	my ($self, $text) = @_;
	syswrite $self->{master}, $text;
	return;
}

# Set rows and columns.
sub resize {
	my ($self, $rows, $columns) = @_;
	ioctl $self->{master}, TIOCSWINSZ, pack 'S4', $rows, $columns, 0, 0 or die "TIOCSWINSZ: $!\n";
	return;
}

# Take what came to text; false if nothing did until the deadline.
sub _take {
	my ($self, $deadline) = @_;
	my $left = $deadline - Time::HiRes::time();
	return unless IO::Select->new($self->{master})->can_read($left > 0 ? $left : 0);
	return sysread $self->{master}, $self->{text}, 65536, length $self->{text};
}

# Wait until what was shown since the last expect() matches, and take it away up to there. What the
# pattern's parentheses caught, or 1; nothing if there was no match.
sub expect {
	my ($self, $pattern) = @_;
	my $deadline = Time::HiRes::time() + $LIMIT;
	while ($self->{text} !~ $pattern) {
		return unless $self->_take($deadline);
	}
	$self->{text} =~ $pattern;
	my $caught = $1 // 1;
	substr $self->{text}, 0, $+[0], '';
	return $caught;
}

# Wait for the process's end, and give its status as run() does.
sub finish {
	my ($self) = @_;
	my $deadline = Time::HiRes::time() + $LIMIT;
	while (Time::HiRes::time() < $deadline) {
		# Output must be taken, or the process waits for us.
		$self->_take(Time::HiRes::time() + 0.02);
		if (waitpid($self->{pid}, POSIX::WNOHANG()) == $self->{pid}) {
			my $status = $?;
			1 while $self->_take(Time::HiRes::time());
			return Vole::status_of($status);
		}
	}
	kill 'KILL', $self->{pid};
	waitpid $self->{pid}, 0;
	return 'time limit';
}

# The terminal's settings, as one string.
sub settings {
	my ($self) = @_;
	my $termios = POSIX::Termios->new;
	$termios->getattr(fileno $self->{slave});
	return join ' ', map { sprintf '%x', $_ } $termios->getiflag, $termios->getoflag, $termios->getcflag,
		$termios->getlflag, map { $termios->getcc($_) } 0 .. POSIX::NCCS() - 1;
}

package Vole;

sub terminal { return Vole::Terminal->new(@_) }

1;
