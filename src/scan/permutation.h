/*
 * A pseudo-random order of 0 to count-1 in constant memory: a small Feistel
 * network over a grid that is just large enough, which skips numbers outside
 * the range by cycle walking (Black and Rogaway, "Ciphers with Arbitrary Finite
 * Domains"). It is not for secrecy: it spreads probes over hosts and ports.
 */
#ifndef SCAN_PERMUTATION_H
#define SCAN_PERMUTATION_H

#include <stdint.h>

#define PERMUTATION_ROUNDS 4

struct permutation {
	uint64_t count;                    /* size of the domain, 1 to 2^56 */
	uint64_t left, right;              /* sides of the grid */
	uint64_t keys[PERMUTATION_ROUNDS]; /* derived from the seed */
};

/* The same count and seed give the same order, on every machine. */
void permutation_init(struct permutation *p, uint64_t count, uint64_t seed);

/* The number at position i of the order. */
uint64_t permutation_at(const struct permutation *p, uint64_t i);

/* The position of n in the order: the inverse of permutation_at(). */
uint64_t permutation_position(const struct permutation *p, uint64_t n);

#endif
