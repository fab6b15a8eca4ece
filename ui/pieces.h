/**
 * A line made of pieces, each with a rank. When they do not fit, those of the highest rank are left out, so that what
 * matters most is there at any width.
 *
 * Ownership  plain data, made anew for each frame.
 * Units      columns.
 * Errors     none: a piece too many takes the place of the last.
 * Threads    none of its own.
 */
#ifndef SCRAPETOP_UI_PIECES_H
#define SCRAPETOP_UI_PIECES_H

#include "ui/draw.h"

#include <stdbool.h>
#include <stddef.h>

#define PIECES_MAX 20
#define PIECE_TEXT_MAX 200
#define PIECE_GAP 2

struct pieces {
    struct piece {
        char label[12], text[PIECE_TEXT_MAX];
        enum role role;
        int rank;  /* 0: stays */
        int width; /* at least so wide, so that neighbours do not dance */
        bool at_right;
    } pieces[PIECES_MAX];
    size_t count;
};

/** Adds one, and returns it, to be changed further. */
struct piece *pieces_add(struct pieces *line, int rank, int width, enum role role,
                         const char *label, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/** What all of them take, with the gaps between. */
int pieces_columns(const struct pieces *line);

/** Leaves out what does not fit, and draws the rest. */
void pieces_draw(struct pieces *line, struct pane pane, int row);

#endif
