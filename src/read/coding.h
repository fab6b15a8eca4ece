/**
 * Content codings (RFC 9110 section 8.4): a body is unpacked in steps, each of which makes no more than there is
 * room for.
 *
 * libcurl's own decoder is not used. It unpacks all that one read has brought before the program can say that it
 * wants no more, and keeps that for as long as the transfer waits: up to a thousand times the read.
 *
 *   gzip, x-gzip   of any number of members; what comes after the last one and begins none is passed over. A body that
 *                  begins as a text does is none, whatever its header says (a proxy that has unpacked it): it is copied
 *   deflate        with zlib's head, or without
 *   zstd           of any number of frames, with a window of at most 8 MiB (RFC 9659)
 *   br             with a window of at most 16 MiB, which is all that the format has
 *
 * and CODINGS_MAX of them, one on top of another.
 *
 * Ownership  coding_open makes it, coding_close frees it. Input is borrowed for one step.
 * Errors     enum coding_result. Nothing may follow one, save coding_close.
 * Threads    any, one at a time.
 */
#ifndef SCRAPETOP_READ_CODING_H
#define SCRAPETOP_READ_CODING_H

#include "base/str.h"

#define CODINGS_MAX 3
#define CODING_NAME_MAX 16

enum coding_result {
    CODING_OK,
    CODING_UNKNOWN, /* none of the above */
    CODING_TOO_MANY,
    CODING_BROKEN,    /* the bytes are not in this coding, or damaged */
    CODING_WIDE,      /* its window is over the limit */
    CODING_NO_MEMORY, /* ours */
};

enum coding_kind { CODING_GZIP, CODING_DEFLATE, CODING_ZSTD, CODING_BR };

/** What the Content-Encoding fields of one answer name, in the order in which they were applied. Zeroed: none. */
struct coding_list {
    enum coding_kind kinds[CODINGS_MAX];
    size_t count;
    enum coding_result fault;      /* CODING_OK, _UNKNOWN or _TOO_MANY; told by coding_open */
    char unknown[CODING_NAME_MAX]; /* the first unknown name, cut; harmless characters only */
};

/** Adds the names of one field's value. */
void coding_list_add(struct coding_list *list, struct str value);

struct coding;

/** `*coding` for a list that has some. */
enum coding_result coding_open(struct coding **coding, const struct coding_list *list);
void coding_close(struct coding *coding); /* NULL is ignored */

/** Takes from the front of `*in` and writes at most `room` bytes. When less was made, `*in` is used up. */
enum coding_result coding_step(struct coding *coding, struct str *in, char *out, size_t room,
                               size_t *made);

/** There may be more without further input. */
bool coding_has_more(const struct coding *coding);

/** What came so far is complete, or nothing came. */
bool coding_is_whole(const struct coding *coding);

/** Bytes that it holds on the heap. */
size_t coding_memory(const struct coding *coding);

/** "gzip": the outermost one's, for people. */
const char *coding_name(const struct coding *coding);

#endif
