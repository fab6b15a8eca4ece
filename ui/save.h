/**
 * What a user takes away from the screen: the picture with its figures and rows as files, a request as
 * a curl command line for the clipboard.
 *
 * Ownership  nothing is kept.
 * Errors     save_picture: RESULT_IO, RESULT_NOMEM with a sentence.
 * Threads    none of its own; a picture is a few kilobytes, written at a key press.
 */
#ifndef SCRAPETOP_UI_SAVE_H
#define SCRAPETOP_UI_SAVE_H

#include "base/buf.h"
#include "engine/snapshot.h"
#include "ui/draw.h"

#define SAVE_PATH_MAX 256

/** Writes run_dir/screen-<UTC>.txt and .json; `path` gets the part before the ending. */
MUST_CHECK enum result save_picture(const struct canvas *canvas, const struct snapshot *s,
                                    char path[SAVE_PATH_MAX], struct err *err);

/** Writes run_dir/<name>-<UTC><ending>, which `path` gets. */
MUST_CHECK enum result save_bytes(const struct snapshot *s, const char *name, const char *ending,
                                  struct str bytes, char path[SAVE_PATH_MAX], struct err *err);

/** The figures of a snapshot as one JSON object. */
MUST_CHECK enum result save_figures(const struct snapshot *s, struct buf *out);

/** The sequence that puts the request into the terminal's clipboard (OSC 52). */
MUST_CHECK enum result save_curl(const struct snapshot_detail *d, struct buf *out);

#endif
