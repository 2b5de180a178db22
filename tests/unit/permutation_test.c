/* A permutation covers every number exactly once, in mixed order. */
#include "lib/tap.h"
#include "scan/permutation.h"

/* Every number once, and every place found again. */
static void
covers(uint64_t count, uint64_t seed)
{
	unsigned char *seen = calloc((size_t)count, 1);
	struct permutation p;
	uint64_t i, n, bad = 0, same = 0;

	permutation_init(&p, count, seed);
	for (i = 0; i < count; i++) {
		n = permutation_at(&p, i);
		if (n >= count || seen[n]++ || permutation_position(&p, n) != i)
			bad++;
		same += n == i;
	}
	is_int((long long)bad, 0, "a permutation and its inverse");
	ok(count < 100 || same < count / 10, "%llu of %llu stay in place",
	    (unsigned long long)same, (unsigned long long)count);
	free(seen);
}

static void
test_exact(void)
{
	static const uint64_t want[] = {220, 826, 520, 162, 380, 756, 60, 593};
	struct permutation p;
	uint64_t i;

	permutation_init(&p, 1000, 1);
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		is_int((long long)permutation_at(&p, i), (long long)want[i],
		    "the order of a seed never changes");
}

int
main(void)
{
	static const uint64_t counts[] = {1, 2, 3, 4, 5, 7, 16, 17, 100, 255,
	    256, 257, 1000, 65535, 65536, 100003};
	size_t i, count = sizeof(counts) / sizeof(counts[0]);
	struct permutation p;

	for (i = 0; i < in_short(count, count - 3); i++) {
		covers(counts[i], 1);
		covers(counts[i], UINT64_MAX);
	}
	test_exact();
	permutation_init(&p, UINT64_C(1) << 40, 7);
	for (i = 0; i < 1000; i++)
		if (permutation_position(&p, permutation_at(&p, i)) != i)
			break;
	is_int((long long)i, 1000, "a domain of 2^40 takes no memory");
	return done_testing();
}
