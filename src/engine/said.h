/**
 * Said: what a server said with an answer that is a failure, as it may be kept and shown.
 *
 * The head of its body and its headers, without the job's secrets, bounded; and one line of that for
 * people: of JSON or text its beginning, of HTML its title.
 *
 * Errors   RESULT_NOMEM only.
 * Threads  pure; any.
 */
#ifndef SCRAPETOP_ENGINE_SAID_H
#define SCRAPETOP_ENGINE_SAID_H

#include "base/buf.h"
#include "fetch/response.h"
#include "job/secret.h"

#define SAID_BODY_MAX 4096    /* bytes of a body that are kept */
#define SAID_HEADERS_MAX 2048 /* of its headers; whole lines */
#define SAID_LINE_MAX 200

/** Appends what is kept of the answer: headers as "name: value\n" lines, and the head of the body. What a
 *  secret may be the beginning of, at the cut, is left out. */
MUST_CHECK enum result said_keep(const struct secrets *secrets, const struct response *response,
                                 struct buf *headers, struct buf *body);

/** One line of the answer's body, without secrets; empty when no answer came. */
void said_line_of(const struct secrets *secrets, const struct response *response,
                  char line[SAID_LINE_MAX]);

/** One line of a kept body: blanks and line breaks are one blank each. Bytes from outside. Empty when
 *  there is nothing to tell. */
void said_line(struct str body, char line[SAID_LINE_MAX]);

#endif
