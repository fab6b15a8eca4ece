/**
 * An answer, as rules and defaults look at it: status, headers, and the head of its body.
 *
 * Borrowed views and nothing else: made of a response in flight, or of one that was stored and is read
 * again. What is not known (the headers of a stored answer) can be told from what is not there.
 *
 * Threads  read-only, so any.
 */
#ifndef SCRAPETOP_PLAN_ANSWER_H
#define SCRAPETOP_PLAN_ANSWER_H

#include "base/buf.h"
#include "job/answer_rule.h"

#define ANSWER_HEAD_BYTES 65536 /* of a value or body that a pattern looks at */

struct answer_view {
    int status;
    struct str content_type; /* as the header has it; STR_NONE */
    struct str body;
    bool is_json; /* the body is JSON to its end (json_check) */
    bool is_cut;  /* there is only the head of the body: no JSON can be told of it */
    /* The n-th value of a header, by its name in lower case. NULL: the headers are not known. */
    struct str (*header)(const void *context, struct str name, unsigned n);
    const void *context;
    int64_t wall_us; /* when it came: what a date in it counts from, unless it has one itself */
};

/** What the body is. By its bytes; where these could be anything, by what the answer says. */
enum answer_body answer_body_of(const struct answer_view *answer);

/** Appends the text at `place`: the first value of a header, what a string means, the digits of a number.
 *  False when there is none, it is empty or null, no plain text, or longer than the buffer's ceiling. */
bool answer_text_at(const struct answer_view *answer, const struct answer_place *place,
                    struct buf *out);

/** How long the text at `place` asks to wait: a number of `unit_us`, "30s", a date, a moment since 1970
 *  (plan/retry_after.h). Also its words, cut, for whom they are to be shown. False when it says nothing. */
bool answer_wait_at(const struct answer_view *answer, const struct answer_place *place,
                    uint64_t unit_us, uint64_t *wait_us, char *said, size_t said_size);

#endif
