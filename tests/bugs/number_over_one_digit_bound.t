# A digit above a bound of one digit was taken: --shard 5/4 passed.
use Sockt;

is run('portscan', '--dry-run', '--shard', "$_/4", '127.0.0.1', '80')->{status},
    2, "part $_ of 4 is refused"
    for 5, 9;

done_testing;
