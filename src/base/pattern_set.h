/**
 * Sets of bytes, and the classes that expressions name: [:alpha:] and its kind as the C locale has them, whatever the
 * program's is. A byte beyond ASCII is in none of the classes.
 */
#ifndef SCRAPETOP_BASE_PATTERN_SET_H
#define SCRAPETOP_BASE_PATTERN_SET_H

#include <stdbool.h>
#include <stdint.h>

struct pattern_set {
    uint8_t bits[32];
};

void pattern_set_add(struct pattern_set *set, unsigned c);
void pattern_set_invert(struct pattern_set *set);

/** All bytes of a class, or `without`: all others. */
void pattern_set_add_class(struct pattern_set *set, const char *name, bool without);

static inline bool pattern_set_has(const struct pattern_set *set, unsigned c)
{
    return set->bits[c / 8] >> c % 8 & 1;
}

bool pattern_class_is_known(const char *name);

/** What \d and its kind stand for; NULL: nothing. */
const char *pattern_class_of_escape(char c);

/** A letter, a digit or "_". */
bool pattern_is_word(char c);

/** With `folds`, upper case as lower case. */
static inline char pattern_fold(char c, bool folds)
{
    return (char)(folds && c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

#endif
