/**
 * What an expression becomes: a program whose jumps are relative, so that a piece of it can be moved, copied
 * and put after a new step without a look inside. For pattern.c, which makes it, and pattern_run.c, which runs it.
 *
 *   a|b   split +1, +3;  a;  jump +2;  b
 *   a*    split +1, +3;  a;  jump -2
 *   a?    split +1, +2;  a
 *   a+    a;  split -1, +1
 *
 * It is run with all the places at once where it may be.
 */
#ifndef SCRAPETOP_BASE_PATTERN_PROGRAM_H
#define SCRAPETOP_BASE_PATTERN_PROGRAM_H

#include "base/pattern.h"
#include "base/pattern_set.h"

#define PATTERN_SETS_MAX 32

enum pattern_op { OP_BYTE, OP_ANY, OP_SET, OP_SPLIT, OP_JUMP, OP_BEGIN, OP_END, OP_MATCH };

struct step {
    uint8_t op;
    uint8_t value;     /* OP_BYTE: which; OP_SET: the set's number */
    int16_t to, or_to; /* OP_JUMP, OP_SPLIT: relative */
};

struct pattern {
    uint16_t count, set_count;
    bool folds; /* upper case is lower case */
    struct step steps[PATTERN_STEPS_MAX];
    struct pattern_set sets[PATTERN_SETS_MAX];
};

#endif
