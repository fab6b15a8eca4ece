/**
 * Cursor: an opaque place in a listing, made to be hard on careless clients.
 *
 * It holds a slash, a plus and equal signs, so it must be percent-encoded to come back whole, and it
 * proves itself: who changes or guesses one is refused.
 */
#ifndef SCRAPETOP_DEMO_CURSOR_H
#define SCRAPETOP_DEMO_CURSOR_H

#include "base/str.h"

#include <stdint.h>

#define CURSOR_MAX 48

void cursor_format(uint64_t seed, uint64_t position, char text[CURSOR_MAX]);

/** The position that `text` stands for: 0 for an empty one. False when it is none of ours, or beyond
 *  `last`. */
bool cursor_read(uint64_t seed, struct str text, uint64_t last, uint64_t *position);

#endif
