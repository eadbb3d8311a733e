# SPDX-License-Identifier: BSD-2-Clause
#
# Functions that the scripts share that look at an installation.
package Installed;

use strict;
use warnings;
use Exporter 'import';
use Vole;

our @EXPORT = qw(install_vole present);

# `make install` of what was made before, nothing is made anew, with these variables, "NAME=value"; as run() tells.
sub install_vole {
	my @old = map { ('-o', build() . "/$_") } qw(vole guest/libguest.a);
	# Whatever make this runs below had for options.
	delete local @ENV{qw(MAKEFLAGS MAKELEVEL)};
	return run(['make', '-s', @old, 'O=' . build(), @_, 'install']);
}

# Whether there is such a program.
sub present {
	return run(['sh', '-c', 'command -v "$0"', @_])->{status} eq 0;
}

1;
