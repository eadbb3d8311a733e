#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The commands that README.md and spec/ show, typed as they stand there, do what is shown below them.
use strict;
use warnings;
use lib 'tests/lib';
use Cwd 'abs_path';
use Test::More;
use Abi;
use Vole;

sub includes {
	return join '', map { "#include <$_>\n" } @_;
}

# Type it in a folder that looks like this one to it: build/ is the build folder, and include/ is there.
my $folder = scratch() . '/tree';
mkdir $folder or die "$folder: $!\n";
symlink abs_path(build()), "$folder/build" or die "build: $!\n";
symlink abs_path('include'), "$folder/include" or die "include: $!\n";
sub typed {
	my ($command) = @_;
	return run(['sh', '-c', "cd $folder && $command"]);
}

# What differs from host to host and from run to run: addresses, sizes, frequencies, interrupts.
sub shape {
	my ($text) = @_;
	$text =~ s/\b[0-9a-f]{2}(?: [0-9a-f]{2}){15}\b/BYTES/g;
	$text =~ s/\b(?:0x)?[0-9a-f]{8}\b/ADDRESS/g;
	$text =~ s/ *\b\d+ (?=KiB|kHz)/ NUMBER /g;
	$text =~ s/^(  (?:console|rng|disk \d+) +)\d+$/$1NUMBER/mg;
	$text =~ s/ +$//mg;
	return $text;
}

# The indented blocks of README, each a line for a command and below it what it prints.
my $readme = slurp('README.md');
my ($demo, $shown) = $readme =~ /^    (build\/vole run --disk .*)\n((?:    .*\n|\n)+)/m;
is(shape(typed($demo)->{out}), shape($shown =~ s/^    //gmr =~ s/\n+\z/\n/r), "README: $demo");
my ($hello, $said) = $readme =~ /^    \$ (build\/vole run .*hello\.elf)\n    (.*\n)/m;
is(typed($hello)->{out}, $said, "README: $hello");

# The other commands there end as they should, those of a kernel that the reader has not written yet left out.
my @commands = map { s/\s+#.*//r } $readme =~ /^    (build\/vole run (?!.* k\.elf).*)$/mg;
is(scalar @commands, 5, 'README: commands');
for (@commands) {
	SKIP: {
		skip "README: $1 is not installed", 1 if m{ (/usr/\S+)} && !-e $1;
		is(typed($_)->{status}, /--max-exits|--timeout/ ? 124 : 0, "README: $_");
	}
}

# spec/views.md: a read of the log of virtio. Its times are of one run; what is on a stack, and how far into a function
# an instruction is, the compiler decides.
sub log_shape { return $_[0] =~ s/^\d+\.\d{9} //gmr =~ s/0x0000[0-9a-f]{4} \(boot stack\+\w+\)|0x001[0-9a-f]{5}(?= \()/ADDRESS/gr =~ s/\+0x[0-9a-f]+\)/)/gr }
my ($log, $grep, $steps) = slurp('spec/views.md') =~ /^    \$ (vole run .* --log virtio,file=.*)\n    \$ (grep .*)\n\n((?:    .*\n)+)/m;
$steps = log_shape($steps =~ s/^    //gmr);
is(() = $steps =~ /^/mg, 7, 'spec/views.md: the steps of a read are shown');
my $seen = typed('build/' . ($log =~ s/^vole run/$& --engine soft/r) . " >told && $grep");
isnt(index(log_shape($seen->{out}), $steps), -1, "spec/views.md: $grep") or diag($steps);

# A newcomer copies the kernel of spec/boot.md into a file and types what its first lines say. The compiler is the
# one of this run.
my ($kernel) = slurp('spec/boot.md') =~ /^```c\n(.*?)^```$/ms;
write_file('tree/hello.c', $kernel);
my $bin = scratch() . '/bin';
mkdir $bin or die "$bin: $!\n";
symlink abs_path(vole()), "$bin/vole" or die "vole: $!\n";
$ENV{PATH} = "$bin:$ENV{PATH}";
my ($compile, $run) = (join "\n", $kernel =~ /^ \*\t(.*)$/mg) =~ /^(cc .*)\n(vole run .*)\z/s;
my $compiled = typed($compile =~ s/^cc/$ENV{CC} || 'cc'/er);
is($compiled->{status}, 0, 'spec/boot.md: the command in the complete kernel compiles it') or diag(shown($compiled));
my $ran = typed($run);
is($ran->{out}, "Hello from a kernel!\n", 'spec/boot.md: ... and the next one runs it');
is($ran->{status}, 0, '... with status 0');

# spec/virtio.md, section 12: each access to a register that disk.c makes, in order, from the reset on.
my $spec = slurp('spec/virtio.md');
my @table = map { [split /\s*\|\s*/] } $spec =~ /^(\| [1-8]? ?\| (?:read|write) \|.*)$/mg;
cmp_ok(scalar @table, '>', 30, 'spec/virtio.md, section 12: there is a table');
my ($offsets, @offsets) = (includes(headers()), map { $_->[3] =~ tr/`//dr } @table);
@offsets = evaluate($offsets, [qw(-Iinclude)], map { "($_)" } @offsets);
my @expected = map { sprintf '%s %s %s', $table[$_][2], $offsets[$_], $table[$_][4] } 0 .. $#table;
write_file('tree/disk.img', "text\n" . "\0" x (1048576 - 5));
my $logged = typed('build/vole run --engine soft --log mmio --disk disk.img build/guest/disk.elf');
my @accesses = $logged->{err} =~ /(load|store) address 0xd0002(\w{3}) size 4 value 0x0*(\w+)/g;
my @made;
while (my ($access, $offset, $value) = splice @accesses, 0, 3) {
	my $is_address = hex $offset == 0x80 || hex $offset == 0x90 || hex $offset == 0xa0;
	push @made, sprintf '%s %d %s', $access eq 'load' ? 'read' : 'write', hex $offset, $is_address ? 'address' : "0x$value";
}
splice @made, 0, 3;    # how it found the device
is_deeply(\@made, \@expected, 'spec/virtio.md, section 12: the accesses that disk.c makes');

# Section 13: the code there lets an interrupt through. The serial port makes one that is easy to get.
my ($code) = $spec =~ /^```c\n(.*?)^```$/ms;
write_file('tree/interrupt.c', <<"END");
#include <vole/machine.h>
#include <vole/ports.h>
#include <vole/start_info.h>

$code
static volatile int came;
static volatile uint32_t *end_of_interrupt;

static void write_port(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

__attribute__((interrupt)) static void handler(void *frame)
{
	(void)frame;
	write_port(VOLE_SERIAL_PORT + 1, 0);
	came++;
	*end_of_interrupt = 0;
}

int main(const struct start_info *info);

int main(const struct start_info *info)
{
	end_of_interrupt = (void *)(info->apic_base + 0xb0);
	interrupt_set_up(info, VOLE_SERIAL_PIN, 0x31, handler);
	for (int i = 1; i <= 3; i++) {
		write_port(VOLE_SERIAL_PORT + 4, 8);    /* OUT2 lets interrupts out */
		write_port(VOLE_SERIAL_PORT + 1, 2);    /* the transmitter is empty */
		while (came != i)
			;
	}
	return 42;
}
END
$compiled = typed($compile =~ s/^cc/$ENV{CC} || 'cc'/er =~ s/hello/interrupt/gr);
is($compiled->{status}, 0, 'spec/virtio.md, section 13: the code compiles') or diag(shown($compiled));
$ran = typed('vole run --timeout 60 --serial file:/dev/null interrupt.elf');
is($ran->{status}, 42, '... and three interrupts arrive') or diag(shown($ran));

done_testing();
