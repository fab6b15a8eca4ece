/**
 * The head of an answer, as its lines come: which is a status line, which a field, which belongs to nobody.
 *
 * libcurl hands over every line of every head of an answer (1xx heads come before the last one) and those
 * of its trailer, alike. Read strictly here, so that what two readers of HTTP would take for two different
 * answers is none (RFC 9112 section 2.2, RFC 9110 section 6.5.1).
 *
 * Pure; any thread.
 */
#ifndef SCRAPETOP_FETCH_HEAD_H
#define SCRAPETOP_FETCH_HEAD_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum head_line {
    HEAD_STATUS,  /* begins a head: what earlier ones said is over */
    HEAD_FIELD,   /* "Name: value" of the head under way */
    HEAD_FOLD,    /* more of the field before: stands for a blank and its own text */
    HEAD_IGNORED, /* the head's end, a line folded onto nothing, or of a trailer: says nothing */
    HEAD_BAD,     /* no HTTP */
};

enum head_part { HEAD_BEFORE, HEAD_IN, HEAD_AFTER };

/** Zeroed: nothing has come. */
struct head {
    enum head_part part;
    int status;     /* of the head under way; 0: none yet */
    bool has_field; /* a field of it has come */
};

/** One line more, with its line break. */
enum head_line head_take(struct head *head, struct str line);

/** What a Content-Length says: one number, or the same one several times in a list. */
bool head_length(struct str value, uint64_t *length);

/** A Content-Range (RFC 9110 section 14.4) of bytes that are not all there are. Other units are an API's own: with
 *  "items" or "resources" a page of a listing is told, whose body is whole. */
bool head_range_is_part(struct str value);

#endif
