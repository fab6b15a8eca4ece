/**
 * One line of a raw segment: a stored body and where it came from, as strict JSON.
 *
 *   {"id":17,"key":"103293","url":"...","status":200,"fetched_at":"2026-11-21T04:15:00.123Z",
 *    "attempt":1,"elapsed_ms":213,"content_type":"application/json","vars":{...},
 *    "crc32c":"8 hex digits","body":{...}}
 *
 * (without the breaks). "vars", the values that the request was made of, is there when there are any; before
 * "crc32c" there is "sent", in base64, when the body says JSON, but not as it was sent (base/body_text.h), and
 * before that "as" ("csv", "xml") when all of its values are strings for that.
 * The last member is "body", a JSON body byte for byte, save that line breaks,
 * which in valid JSON stand only between tokens, are spaces; or "text" or "base64" for what is not
 * valid JSON. `crc32c` is over the line as it lies there, without its line feed and without the
 * member itself (from the comma before "crc32c" to the quote after the digits): so damage to the
 * key or the status is seen as well as damage to the body, and any program can check it.
 *
 * This is about bytes in memory; store/segment.h moves them.
 *
 * Ownership  struct line owns its buffers and keeps them from line to line; a view borrows.
 * Errors     RESULT_NOMEM, RESULT_LIMIT (RECORD_LINE_MAX), RESULT_CORRUPT when reading.
 */
#ifndef SCRAPETOP_STORE_LINE_H
#define SCRAPETOP_STORE_LINE_H

#include "store/settlement.h"

/** The line of one settlement, in three pieces, so that a large body is not copied. */
struct line {
    struct buf head;    /* up to the colon of the last member */
    struct buf foreign; /* "text" or "base64", when that was needed */
    struct str value;   /* the last member's, in `foreign` or in the response's body */
    uint32_t crc32c;
    uint32_t length; /* of head, value and LINE_TAIL */
};

#define LINE_TAIL STR("}\n")

void line_init(struct line *line);
void line_release(struct line *line);

/** Makes the line of `settlement`, whose body_kind is not SETTLE_BODY_NONE. Turns line breaks of a
 *  JSON body into spaces where it lies. Valid until the next call, and while the body lives. */
MUST_CHECK enum result line_make(struct line *line, struct settlement *settlement);

enum line_body { LINE_BODY, LINE_TEXT, LINE_BASE64 };

/** A line read back. The texts are as they stand in the file: escaped, without their quotes. */
struct line_view {
    uint64_t id;
    struct str key, url, fetched_at, content_type;
    struct str vars; /* a JSON object; or STR_NONE */
    struct str as;   /* "csv", "xml": what the body was made of; or STR_NONE */
    struct str sent; /* base64; or STR_NONE: the body is as it was sent */
    uint32_t status, attempt;
    uint64_t elapsed_ms;
    uint32_t crc32c; /* as the line says */
    enum line_body body_kind;
    struct str body;                 /* of "text" and "base64" without the quotes */
    struct str checked, checked_too; /* what the CRC is over */
};

/** `text` is one whole line with its line feed. Strict: what line_make did not write is
 *  RESULT_CORRUPT. Does not look into a JSON body, nor at the CRC. */
MUST_CHECK enum result line_parse(struct str text, struct line_view *view);

/** Only the head of a line, for looking for a key: `head` may end anywhere. RESULT_LIMIT when it does
 *  not get that far: read more of the line. The view has `id` and `key` and nothing else. */
MUST_CHECK enum result line_parse_key(struct str head, struct line_view *view);

/** The same up to the time: `url`, `status` and `fetched_at` besides. */
MUST_CHECK enum result line_parse_time(struct str head, struct line_view *view);

/** What the line's CRC should be. */
uint32_t line_crc32c(const struct line_view *view);

/** Appends the body as it was received (line breaks in JSON apart). */
MUST_CHECK enum result line_append_body(const struct line_view *view, struct buf *to);

#endif
