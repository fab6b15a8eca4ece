/**
 * Strict JSON over bytes: is it valid, and where is what; no tree, nothing copied or rounded.
 *
 * json_check is the judge: RFC 8259 and RFC 3629 to the letter, in one pass, with the exact byte of
 * the first fault. All other functions look into text that it has passed, and hand out views of it:
 * a number is the digits as the server wrote them, a string keeps its escapes until json_unescape
 * is asked. On text that it has not passed they give nonsense, but never leave it.
 *
 * Decisions where RFC 8259 leaves room (JSONTestSuite's i_ files):
 *   numbers of any size and exponent are valid: they stay text;
 *   escapes of lone surrogates (\ud800) are valid, and json_unescape makes U+FFFD of them;
 *   a byte order mark is refused, json_without_bom is there for who wants to be lenient;
 *   UTF-16 and whatever else is not strict UTF-8 is refused;
 *   nesting is bounded by `depth_max`.
 * Of members with the same name the last one counts, as in Python and ECMAScript.
 *
 * Ownership  views live as long as the text; nothing is allocated but by json_unescape's buf.
 * Units      bytes, counted from 0.
 * Threads    no state, any thread.
 * Sources    RFC 8259, RFC 3629, RFC 6901.
 */
#ifndef SCRAPETOP_BASE_JSON_SCAN_H
#define SCRAPETOP_BASE_JSON_SCAN_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JSON_DEPTH_MAX 1024 /* most that `depth_max` may ask for, and a good default */

enum json_fault {
    JSON_FAULT_NONE,
    JSON_FAULT_EMPTY,      /* nothing, or only white space */
    JSON_FAULT_NOT_JSON,   /* the first byte cannot begin JSON: "<html>" */
    JSON_FAULT_ENDS_EARLY, /* a cut body */
    JSON_FAULT_EXTRA,      /* something stands after the value */
    JSON_FAULT_SYNTAX,     /* anything else that the grammar does not allow */
    JSON_FAULT_CONTROL,    /* a raw control character in a string */
    JSON_FAULT_UTF8,
    JSON_FAULT_DEPTH,
};

#define JSON_ERROR_MAX 160

struct json_error {
    enum json_fault fault;
    size_t at;                 /* byte of the first fault */
    char text[JSON_ERROR_MAX]; /* "JSON ends at byte 16 inside array"; display-safe */
};

/** True when `text` is one JSON value, with white space around it at most. `error` may be NULL. */
MUST_CHECK bool json_check(struct str text, unsigned depth_max, struct json_error *error);

/** The same, byte by byte and several times slower: what json_check asks once it knows that there is a
 *  fault. Tests hold the quick way against it. */
MUST_CHECK bool json_check_closely(struct str text, unsigned depth_max, struct json_error *error);

/** `text` after a UTF-8 byte order mark, if there is one. */
struct str json_without_bom(struct str text);

enum json_type {
    JSON_NONE, /* no value: empty text */
    JSON_NULL,
    JSON_BOOL,
    JSON_NUMBER,
    JSON_STRING,
    JSON_ARRAY,
    JSON_OBJECT,
};

/** Told by the first byte; leading white space is allowed. */
enum json_type json_type_of(struct str value);

/** A string value's inside, still escaped: `"a\n"` without its quotes. STR_NONE for other types. */
struct str json_string_raw(struct str value);

/** Appends what the inside of a string means, as UTF-8. `lone_surrogates`, if not NULL, is raised
 *  by the number of U+FFFD put in. RESULT_NOMEM or RESULT_LIMIT come from `out`. */
MUST_CHECK enum result json_unescape(struct buf *out, struct str raw, uint64_t *lone_surrogates);

/** The inside of a string (escaped) means exactly `plain`. */
bool json_raw_equal(struct str raw, struct str plain);

/** The members of an object or the elements of an array, in the order of the text. */
struct json_walk {
    const char *at, *end;
    bool object;
};

/** Any other type has nothing to walk over. */
void json_walk_begin(struct json_walk *walk, struct str container);

/** False at the end. `key` is the member's name, still escaped, STR_NONE in an array. Both may be
 *  NULL. */
bool json_walk_next(struct json_walk *walk, struct str *key, struct str *value);

#define JSON_POINTER_STEPS_MAX 16
#define JSON_POINTER_BYTES_MAX 512

/** RFC 6901, with one addition: a step that is just `*` stands for every member or element. (A
 *  member whose name is `*` cannot be asked for alone.) "" is the whole text. */
struct json_pointer {
    unsigned count;
    struct json_pointer_step {
        uint16_t at, len; /* in `bytes`, ~0 and ~1 resolved */
        bool every;
    } steps[JSON_POINTER_STEPS_MAX];
    char bytes[JSON_POINTER_BYTES_MAX];
};

/** RESULT_INVALID (E-PTR1) when it does not begin with `/`, has a bad `~`, or is too long. */
MUST_CHECK enum result json_pointer_parse(struct json_pointer *pointer, struct str text,
                                          struct err *err);

/** `pointer` goes through `head`: `rest` gets its further steps. False when it leads elsewhere. */
bool json_pointer_rest(const struct json_pointer *pointer, const struct json_pointer *head,
                       struct json_pointer *rest);

/** The first value that the pointer leads to. */
bool json_pointer_find(struct str text, const struct json_pointer *pointer, struct str *value);

/** The same for a pointer as text: for one look-up in one body. False for a bad pointer, too. */
bool json_find(struct str text, struct str pointer, struct str *value);

struct json_match {
    struct str value;
    struct str key; /* name, still escaped, of the last member that a `*` stood for, else NONE */
    /* by step: of the member that this `*` stood for, NONE for an element */
    const struct str *keys;
};

/** Told of each match in the order of the text; answers false to stop. */
typedef bool json_match_fn(void *context, const struct json_match *match);

/** Returns how often `visit` was called. */
uint64_t json_pointer_each(struct str text, const struct json_pointer *pointer,
                           json_match_fn *visit, void *context);

#endif
