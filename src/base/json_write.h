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
 * A long document may be written piece by piece: the buf may be emptied between two values.
 *
 * Ownership  the buf stays the caller's.
 * Errors     `result` holds the first, and stays RESULT_OK when all went well.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_BASE_JSON_WRITE_H
#define SCRAPETOP_BASE_JSON_WRITE_H

#include "base/buf.h"

struct json_writer {
    struct buf *out;
    enum result result;
    bool ascii;     /* may be set by the caller, at any time */
    bool comma;     /* private: a value stands before the next one */
    unsigned blank; /* private: that begins a line, with so many blanks less one; 0: it does not */
};

struct json_writer json_write_begin(struct buf *out);

void json_write_object(struct json_writer *j, const char *key);
void json_write_object_end(struct json_writer *j);
void json_write_array(struct json_writer *j, const char *key);
void json_write_array_end(struct json_writer *j);

void json_write_text(struct json_writer *j, const char *key, struct str text);
void json_write_textf(struct json_writer *j, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4))); /* up to 255 bytes; the rest is cut */
void json_write_uint(struct json_writer *j, const char *key, uint64_t number);
void json_write_int(struct json_writer *j, const char *key, int64_t number);

/** `scaled` / 10^digits with that many digits after the point; at most 9. */
void json_write_fixed(struct json_writer *j, const char *key, int64_t scaled, unsigned digits);

/** The same as a string: "12.50". */
void json_write_fixed_text(struct json_writer *j, const char *key, int64_t scaled, unsigned digits);

void json_write_bool(struct json_writer *j, const char *key, bool value);
void json_write_null(struct json_writer *j, const char *key);

/** The number, or null when it is not known. */
void json_write_known(struct json_writer *j, const char *key, uint64_t number, bool is_known);

/** The bytes in base64, as a string. */
void json_write_base64(struct json_writer *j, const char *key, struct str bytes);

/** The key of the next value, which is then given none: for keys that are no C strings. */
void json_write_key(struct json_writer *j, struct str key);

/** What is JSON already. */
void json_write_raw(struct json_writer *j, const char *key, struct str json);

/** The next value begins a line, with so many blanks before it. */
void json_write_line(struct json_writer *j, unsigned blanks);

/** RFC 3339 in UTC, as clock_format_utc has it; null for `absent`. */
void json_write_moment(struct json_writer *j, const char *key, int64_t wall_us, int64_t absent);

/** RFC 3339 in UTC, in whole seconds: "2026-03-01T19:05:00Z". */
void json_write_time(struct json_writer *j, const char *key, int64_t unix_s);

#endif
