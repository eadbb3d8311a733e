# SPDX-License-Identifier: BSD-2-Clause
#
# perl -MLoaded -c SCRIPT prints the files of Perl's own that the script needs.
package Loaded;

use strict;
use warnings;

# Blocks of this kind run in reverse order, so this one after all that the script has.
CHECK { print "$_\n" for grep { m{^/} } values %INC, @DynaLoader::dl_shared_objects }

1;
