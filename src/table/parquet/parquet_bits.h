/**
 * Numbers of few bits, one after the other from the lowest bit on, as all of Parquet's packed ones lie.
 *
 * Fast, as it asks nothing: each number is stored with all that is still held, and what of it was no whole byte is
 * held for the next. So there must be room for PARQUET_BITS_BEHIND bytes more than there will be.
 *
 * Threads  no state.
 */
#ifndef SCRAPETOP_TABLE_PARQUET_BITS_H
#define SCRAPETOP_TABLE_PARQUET_BITS_H

#include "base/little.h"

#include <stdint.h>

#define PARQUET_BITS_MAX 56 /* of a number; up to 7 more are held */
#define PARQUET_BITS_BEHIND 8

struct parquet_bits {
    char *at;
    uint64_t bits; /* that are held, and ... */
    unsigned held; /* ... how many: none once there are as many as whole bytes have */
};

static inline void parquet_bits_put(struct parquet_bits *b, uint64_t number, unsigned width)
{
    b->bits |= number << b->held;
    b->held += width;
    little_put_u64(b->at, b->bits);
    b->at += b->held / 8;
    b->bits >>= b->held & ~7U;
    b->held &= 7;
}

#endif
