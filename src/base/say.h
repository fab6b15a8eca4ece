/**
 * Lines for people, on stderr or stdout.
 *
 * The one way by which this program's own sentences get to a stream: whatever a path, a URL, a name or a
 * server's word brings into one, no control character comes out (base/utf8.h), and a line is one line.
 *
 * Errors   a stream that takes nothing keeps that for itself: ferror. Without memory a line is cut.
 * Threads  no state of its own.
 */
#ifndef SCRAPETOP_BASE_SAY_H
#define SCRAPETOP_BASE_SAY_H

#include "base/buf.h"

#include <stdio.h>

/** A line: formatted, made display-safe, ended. */
void say(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** The same without its end. */
void say_part(FILE *to, const char *format, ...) __attribute__((format(printf, 2, 3)));

/** Every line of `text` as one of ours: "scrapetop: ...". */
void say_lines(FILE *to, struct str text);

/** JSON that is well-formed, with what would act on a terminal as escapes, which mean the same. */
void say_json(FILE *to, struct str json);

/** A word that a shell takes for `word`, and a terminal shows as it is: bare, in quotes, or as $'\x1b'. */
MUST_CHECK enum result say_shell_word(struct buf *out, struct str word);

#endif
