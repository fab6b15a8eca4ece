/**
 * Writes JSON into a buf: commas, quotes and escapes are seen to, the first failure sticks.
 *
 * Every function adds one value: a member of the open object when `key` is given, else an element
 * of the open array (or the root). Nothing checks that ends match beginnings; tests parse what
 * comes out. Numbers that are no integers are written from scaled integers, so that neither the
 * locale nor rounding can touch them.
 *
 * Text that is not valid UTF-8 gets U+FFFD in place of each bad byte, so that what comes out always
 * is. With `ascii` set, everything beyond 0x7E is written as \uXXXX (pairs beyond the BMP), as
 * Python's json.dumps does by default.
 *
 * Ownership  the buf stays the caller's.
 * Errors     `result` holds the first, and stays RESULT_OK when all went well.
 */
#ifndef SCRAPETOP_DEMO_JSON_WRITE_H
#define SCRAPETOP_DEMO_JSON_WRITE_H

#include "base/buf.h"

struct json {
    struct buf *out;
    enum result result;
    bool ascii; /* may be set by the caller, at any time */
    bool comma; /* private: a value stands before the next one */
};

struct json json_start(struct buf *out);

void json_object(struct json *j, const char *key);
void json_object_end(struct json *j);
void json_array(struct json *j, const char *key);
void json_array_end(struct json *j);

void json_text(struct json *j, const char *key, struct str text);
void json_textf(struct json *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* up to 255 bytes; the rest is cut */
void json_uint(struct json *j, const char *key, uint64_t number);

/** `scaled` / 10^digits with that many digits after the point; at most 9. */
void json_fixed(struct json *j, const char *key, int64_t scaled, unsigned digits);

/** The same as a string: "12.50". */
void json_fixed_text(struct json *j, const char *key, int64_t scaled, unsigned digits);

void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

/** RFC 3339 in UTC, in whole seconds: "2026-03-01T19:05:00Z". */
void json_time(struct json *j, const char *key, int64_t unix_s);

#endif
