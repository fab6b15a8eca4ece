/**
 * What a body is said to be, and how it is to be read: names and options only. read/body_read.h reads.
 *
 * Ownership  texts are the caller's.
 * Threads    no state.
 */
#ifndef SCRAPETOP_BASE_BODY_FORMAT_H
#define SCRAPETOP_BASE_BODY_FORMAT_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum body_format {
    BODY_AUTO,   /* by its bytes and its content type */
    BODY_JSON,   /* one JSON text */
    BODY_NDJSON, /* JSON Lines, or a JSON text sequence */
    BODY_CSV,
    BODY_TSV,
    BODY_XML,
    BODY_TEXT, /* kept as it is, as are these: */
    BODY_HTML,
    BODY_BYTES, /* not even unpacked */
    BODY_FORMAT_COUNT,
};

#define BODY_FORMAT_WORDS "auto json ndjson csv tsv xml text html bytes"
#define BODY_STRIP_JSONP "jsonp"

struct body_reading {
    enum body_format as;
    char *strip;    /* what stands before the JSON, or BODY_STRIP_JSONP; NULL: nothing */
    char *charset;  /* NULL: as the body and its content type say */
    char delimiter; /* of cells; 0: sniff */
    bool no_header; /* CSV: the first row is a record */
    bool is_strict; /* what is nearly JSON (base/json_loose.h) is none */
};

/** "csv" ... */
const char *body_format_name(enum body_format format);

/** False when no format is called so. */
bool body_format_parse(struct str text, enum body_format *format);

/** Kept as it is: no table is made of it. */
bool body_format_is_kept(enum body_format format);

/** A delimiter as people write it: one character, "tab" or "\t"; 0 when it is none. */
char body_delimiter_parse(struct str text);

/** The format that a file's name speaks of ("x.csv", "x.xml.gz"); BODY_AUTO when none. */
enum body_format body_format_of_name(struct str name);

/** The format that a content type names: CSV, TSV or XML; else BODY_AUTO. `*no_header`: it says so (RFC 4180). */
enum body_format body_format_of_type(struct str content_type, bool *no_header);

#endif
