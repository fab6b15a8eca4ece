/**
 * A body as JSON in UTF-8, when it was sent as something close to that.
 *
 * Servers send JSON after a byte order mark, in UTF-16 or in the Latin letters that their charset names,
 * as JSON Lines or a JSON text sequence, and nearly as JSON: with NaN for a number, a tab within a text or a
 * comma too many. Each is read for what it means: the letters as UTF-8; the lines as one array; the rest as
 * base/json_loose.h says. Nothing is guessed: letters are decoded as a mark or the content type says (or as
 * UTF-16 by its NULs), and what comes out must pass json_check, each line for itself.
 *
 * ISO-8859-1 and US-ASCII are read as Windows-1252, as browsers do (WHATWG Encoding, section 4.2): what
 * is more in that stands for control characters, which no JSON has.
 *
 * Ownership  the caller's buf.
 * Errors     RESULT_INVALID when it is none of these, RESULT_NOMEM or RESULT_LIMIT of the buf.
 * Units      bytes.
 * Threads    no state.
 * Sources    RFC 8259 section 8.1, RFC 7464, RFC 2781, jsonlines.org, WHATWG Encoding.
 */
#ifndef SCRAPETOP_BASE_BODY_TEXT_H
#define SCRAPETOP_BASE_BODY_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json_scan.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* What was other than JSON in UTF-8, a bit for each. */
enum body_was {
    BODY_WAS_MARKED = 1,    /* a byte order mark stood before it */
    BODY_WAS_UTF16 = 2,     /* or ... */
    BODY_WAS_LATIN = 4,     /* ... in other letters, as its charset names them */
    BODY_WAS_LINES = 8,     /* JSON Lines, or ... */
    BODY_WAS_SEQUENCE = 16, /* ... a JSON text sequence */
    BODY_WAS_NAN = 32,      /* with NaN, Infinity or undefined */
    /* What read/body_read.h makes of a body besides. */
    BODY_WAS_CSV = 64,       /* a table of cells, or ... */
    BODY_WAS_XML = 128,      /* ... XML */
    BODY_WAS_PACKED = 256,   /* a gzip, Zstandard or ZIP file */
    BODY_WAS_STRIPPED = 512, /* JSON within something that a rule takes away */
    BODY_WAS_RAGGED = 1024,  /* CSV with rows of other lengths than the header */
    BODY_WAS_LOOSE = 2048,   /* nearly JSON: base/json_loose.h */
};
#define BODY_WAS_COUNT 12
/* All of its values are texts, whatever they say: types are to be found in them. */
#define BODY_WAS_TEXTS (BODY_WAS_CSV | BODY_WAS_XML)

/** "is JSON Lines, taken for one array" ...: what is said of a body with that bit. */
const char *body_was_words(unsigned bit);

/** "bom", "utf16" ...: its name in reports. */
const char *body_was_name(unsigned bit);

/** Charsets that bodies are read in, for messages. */
#define BODY_CHARSET_WORDS                                                                         \
    "utf-8, utf-16, iso-8859-1, windows-1252, or another one that browsers read, such as "         \
    "windows-1251, shift_jis or gb18030"

/** A charset that bodies are read in. */
bool body_charset_is_known(struct str charset);

/** The content type names a charset. */
bool body_charset_is_named(struct str content_type);

/** The charset that it names, when that is none that is known here; STR_NONE. */
struct str body_charset_unknown(struct str content_type);

/** What each byte stands for in a charset of single bytes; false when it is none that is known. */
bool body_charset_map(struct str charset, int map[256]);

/** `*text` becomes the body in UTF-8 without a mark: a view of it, or what was made in `out`, which is empty. `charset`
 *  counts more than the content type and the mark; STR_NONE: they say. What claims to be UTF-8 is not checked. */
MUST_CHECK enum result body_text_letters(struct str body, struct str content_type,
                                         struct str charset, struct buf *out, struct str *text,
                                         unsigned *was);

/** The first line that is no JSON, of what is JSON Lines by its type or by the line before; false: it is none of these. */
bool body_text_bad_line(struct str text, struct str content_type, uint64_t *line,
                        struct json_error *error);

/** Appends to `out`, which is empty, the JSON that `body` says, which json_check has refused as it is.
 *  `content_type` may be empty. `*was` says what it was. */
MUST_CHECK enum result body_text_read(struct str body, struct str content_type, struct buf *out,
                                      unsigned *was);

#endif
