/**
 * JSON laid out for reading, line by line, of a text that may end anywhere.
 *
 * It checks nothing and keeps nothing: what is no JSON comes out as its own lines. For the eye only;
 * to read a body, use base/json_scan.
 *
 * Bounds   a line is cut at PRETTY_LINE_MAX bytes, indentation at PRETTY_DEPTH_SHOWN steps.
 * Threads  any.
 */
#ifndef SCRAPETOP_UI_PRETTY_H
#define SCRAPETOP_UI_PRETTY_H

#include "base/str.h"

#define PRETTY_LINE_MAX 512
#define PRETTY_DEPTH_SHOWN 20

/** Calls `visit` for each line, without its line feed. */
void pretty_lines(struct str text, void (*visit)(void *context, struct str line), void *context);

#endif
