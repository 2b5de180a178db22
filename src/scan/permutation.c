/* A pseudo-random permutation of 0 to count-1 in constant memory. */
#include "scan/permutation.h"

/* SplitMix64's finalizer: every bit of x affects every bit of the result. */
static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

void
permutation_init(struct permutation *p, uint64_t count, uint64_t seed)
{
	int i;

	p->count = count;
	p->left = 1;
	while (p->left * p->left < count && p->left < UINT64_C(1) << 28)
		p->left <<= 1;
	/* The left side need not be a power of two: a narrower grid has fewer
	 * numbers to skip. */
	p->right = p->left;
	p->left = (count + p->right - 1) / p->right;
	for (i = 0; i < PERMUTATION_ROUNDS; i++)
		p->keys[i] = mix(
		    seed + UINT64_C(0x9e3779b97f4a7c15) * (uint64_t)(i + 1));
}

/*
 * One pass forward. The two halves may differ in size, so each round adds to
 * one half a hash of the other, modulo the size of the former.
 */
static uint64_t
forward(const struct permutation *p, uint64_t n)
{
	uint64_t a = n / p->right, b = n % p->right;
	int i;

	for (i = 0; i < PERMUTATION_ROUNDS; i += 2) {
		a = (a + mix(b ^ p->keys[i]) % p->left) % p->left;
		b = (b + mix(a ^ p->keys[i + 1]) % p->right) % p->right;
	}
	return a * p->right + b;
}

static uint64_t
backward(const struct permutation *p, uint64_t n)
{
	uint64_t a = n / p->right, b = n % p->right;
	int i;

	for (i = PERMUTATION_ROUNDS - 2; i >= 0; i -= 2) {
		b += p->right - mix(a ^ p->keys[i + 1]) % p->right;
		b %= p->right;
		a += p->left - mix(b ^ p->keys[i]) % p->left;
		a %= p->left;
	}
	return a * p->right + b;
}

uint64_t
permutation_at(const struct permutation *p, uint64_t i)
{
	do
		i = forward(p, i);
	while (i >= p->count);
	return i;
}

uint64_t
permutation_position(const struct permutation *p, uint64_t n)
{
	do
		n = backward(p, n);
	while (n >= p->count);
	return n;
}
