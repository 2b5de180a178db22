# Every example of this page is run: see tests/lib/Examples.pm.
use Examples;

check_page('man/sockt-errors.7');
