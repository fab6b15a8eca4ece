/**
 * Packed text: a file in independent frames of zstd, of which any part is read without the rest.
 *
 * The format is zstd's seekable one: frames of PACKED_FRAME_BYTES of text each (the last has fewer), then a table of their
 * sizes in a frame that other readers skip. `zstd -dc` reads such a file from end to end.
 *
 *   frame ... frame . 5E 2A 4D 18 . size (4) . {packed size (4), text's size (4)} ... . frames (4) . 00 . B1 EA 92 8F
 *
 * Ownership  packed_text_close; a window is its user's, to be zeroed first and released last.
 * Errors     RESULT_NOMEM; RESULT_CORRUPT: not such a file, or a frame is damaged; RESULT_IO and errno.
 * Threads    an open text is shared by any number of threads, each with a window of its own.
 * Source     zstd_seekable_compression_format.md of zstd's contrib; RFC 8878.
 */
#ifndef SCRAPETOP_READ_PACKED_TEXT_H
#define SCRAPETOP_READ_PACKED_TEXT_H

#include "base/err.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PACKED_FRAME_BYTES ((size_t)2 << 20)

struct packed_text;

/** Takes the descriptor, also when it fails. */
MUST_CHECK enum result packed_text_open(struct packed_text **text, int fd);
void packed_text_close(struct packed_text *text);

/** Bytes of the text. */
uint64_t packed_text_bytes(const struct packed_text *text);

/* The frame that was unpacked last. */
struct packed_window {
    const struct packed_text *of;
    size_t frame;
    size_t len;
    char *bytes;
};

/** Bytes of the text from `offset` on, into `to`; `*got` is less than `len` at the text's end only. */
MUST_CHECK enum result packed_text_read(const struct packed_text *text,
                                        struct packed_window *window, uint64_t offset, void *to,
                                        size_t len, size_t *got);
void packed_window_release(struct packed_window *window);

/** Packs the first `bytes` of `from` into the empty file `to`, and compares what was written with what was read. Nothing
 *  is synced. RESULT_CANCELLED once `*stop` (or NULL) is true. */
MUST_CHECK enum result packed_text_write(int from, uint64_t bytes, int to, const atomic_bool *stop);

#endif
