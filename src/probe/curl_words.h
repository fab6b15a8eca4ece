/**
 * Words of a shell command, one after the other, for curl_command.
 *
 * Errors  E-CURL1, naming the byte (from 1).
 */
#ifndef SCRAPETOP_PROBE_CURL_WORDS_H
#define SCRAPETOP_PROBE_CURL_WORDS_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

struct curl_words {
    struct str text;
    size_t at;
};

/** The next word, its quotes resolved, in place of what `word` held; `*more` is false at the end. */
MUST_CHECK enum result curl_words_next(struct curl_words *words, struct buf *word, bool *more,
                                       struct err *err);

#endif
