/**
 * Pattern: POSIX extended regular expressions, as far as a yes or no goes.
 *
 * The texts that are searched come from servers, so time and memory are bounded whatever they hold: all
 * ways through the expression are followed at once (Thompson 1968), so that one byte costs at most
 * PATTERN_STEPS_MAX steps, and nothing is allocated. regexec of libc keeps a state for every set of ways
 * that it has met, kilobytes each, and a hostile text can make it meet one with every byte.
 *
 * Taken    . [abc] [^a-z] [[:alpha:]] a* a+ a? a{2,5} a|b (a) ^ $ and \ before punctuation; beside those of
 *          POSIX \d \w \s \D \W \S, also within brackets, where \ quotes as it does outside; and (?i) at the
 *          beginning, which makes upper and lower case alike. ^ and $ are the ends of the whole text.
 * Refused  back-references, named collations: no bound can be given for the former.
 * Units    bytes: a character beyond ASCII is as many as it has in UTF-8, and . is one of them.
 * Errors   E-PAT1 says what is wrong and where.
 * Threads  read-only once made, so any.
 */
#ifndef SCRAPETOP_BASE_PATTERN_H
#define SCRAPETOP_BASE_PATTERN_H

#include "base/err.h"
#include "base/str.h"

#define PATTERN_BYTES_MAX 512  /* of the expression */
#define PATTERN_STEPS_MAX 1024 /* that it is made of; counted repetitions are written out */

struct pattern;

MUST_CHECK enum result pattern_new(struct pattern **made, struct str text, struct err *err);
void pattern_free(struct pattern *pattern); /* NULL is ignored */

/** Some part of the text is what the expression says. */
bool pattern_matches(const struct pattern *pattern, struct str text);

#endif
