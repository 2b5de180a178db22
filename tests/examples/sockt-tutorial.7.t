# Every example of this page is run: see tests/lib/Examples.pm.
use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Examples;

check_page('man/sockt-tutorial.7');
