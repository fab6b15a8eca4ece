/**
 * Kept write: a file with secrets in it (store/kept_file.h) is written by the pool, as the loop must not wait for a
 * disk.
 *
 * What is under way when the engine closes is written before that ends: it counts as a check of a body does.
 *
 * Ownership  takes the text, and overwrites it.
 * Threads    loop thread, but for the write itself.
 */
#ifndef SCRAPETOP_ENGINE_KEPT_WRITE_H
#define SCRAPETOP_ENGINE_KEPT_WRITE_H

#include "base/buf.h"
#include "base/err.h"
#include "store/kept_file.h"

struct engine;

/** `done` comes on the loop, once. The file stays open until then. Out of memory it is written at once. */
void kept_write(struct engine *engine, const struct kept_file *file, struct buf *text,
                void (*done)(struct engine *engine, enum result result, const struct err *err));

#endif
