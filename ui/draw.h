/**
 * A picture of cells, and the few ways to put something on it.
 *
 * Panels draw into a pane (a rectangle of a canvas) by row and column of their own; whatever would
 * fall outside is cut. Every text passes the one sanitiser (base/utf8.h) on its way, so that bytes
 * from outside may be handed in as they are. What a cell looks like is said by role; ui/theme.h
 * knows the colours, and no meaning may rest on them alone.
 *
 * A canvas is plain data: a test compares it with a text file, ui/terminal.h shows it.
 *
 * Ownership  canvas_init/canvas_release; panes and texts are borrowed.
 * Errors     canvas_resize: RESULT_NOMEM, the canvas is then what it was.
 */
#ifndef SCRAPETOP_UI_DRAW_H
#define SCRAPETOP_UI_DRAW_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

#define CANVAS_ROWS_MAX 512 /* beyond these a terminal is drawn only in its corner */
#define CANVAS_COLUMNS_MAX 1024

/** What a cell means. The letter is how a test writes it down. */
enum role {
    ROLE_TEXT,     /* . */
    ROLE_DIM,      /* d  labels, units, what can be overlooked */
    ROLE_STRONG,   /* s  the figures one looks for */
    ROLE_TITLE,    /* t  rule and name of a panel */
    ROLE_FOCUS,    /* f  the same, of the panel that has the keys */
    ROLE_GOOD,     /* g */
    ROLE_NOTICE,   /* n  the user's own acts */
    ROLE_WARN,     /* w */
    ROLE_BAD,      /* b */
    ROLE_BAR,      /* r  filled part of bars and graphs */
    ROLE_TRACK,    /* k  empty part of bars */
    ROLE_STATE,    /* S  state word while all is well */
    ROLE_ALERT,    /* A  state word, or line, that wants to be seen */
    ROLE_KEY,      /* K  a key in the key bar */
    ROLE_SELECTED, /* >  the row that has the cursor */
    ROLE_HEADING,  /* h  names of columns */
    ROLE_COUNT
};

#define CELL_GLYPH_MAX 20 /* a character and UTF8_COMBINING_MAX marks */

struct cell {
    char glyph[CELL_GLYPH_MAX]; /* UTF-8, then zeros */
    uint8_t length;             /* bytes of glyph; 0: the right half of a wide character */
    uint8_t role;               /* enum role */
};

struct canvas {
    int rows, columns;
    struct cell *cells;            /* row by row */
    bool unicode;                  /* block elements and lines may be used */
    int cursor_row, cursor_column; /* where it rests, for who reads by it */
    bool cursor_shown;             /* while something is typed */
};

struct rect {
    int row, column, rows, columns;
};

struct pane {
    struct canvas *canvas;
    struct rect rect;
};

void canvas_init(struct canvas *c, bool unicode);
void canvas_release(struct canvas *c);

/** Blank, of the given size, clamped to [0, CANVAS_..._MAX]. */
MUST_CHECK enum result canvas_resize(struct canvas *c, int rows, int columns);
void canvas_clear(struct canvas *c);

const struct cell *canvas_cell(const struct canvas *c, int row, int column);

/** The picture as lines of text, blanks at their ends cut. */
MUST_CHECK enum result canvas_text(const struct canvas *c, struct buf *out);

/** The picture's roles, a letter a cell, blanks at the ends cut. */
MUST_CHECK enum result canvas_roles(const struct canvas *c, struct buf *out);

struct pane pane_of(struct canvas *c, struct rect rect);

/** The part of `p` from (row, column), at most so large; never leaves `p`. */
struct pane pane_part(struct pane p, int row, int column, int rows, int columns);

/** Writes at most `width` cells, cut with `~`; returns the column after what was written. */
int draw_text(struct pane p, int row, int column, int width, enum role role, struct str text);
int draw_format(struct pane p, int row, int column, int width, enum role role, const char *format,
                ...) __attribute__((format(printf, 6, 7)));

/** As draw_text, but what is too long loses its middle: the last place where `keep` stands in it stays
 *  to be seen, or the end when it stands nowhere. For texts that differ there, as URLs do. */
int draw_elided(struct pane p, int row, int column, int width, enum role role, struct str text,
                struct str keep);

/** Ends at the last of `width` cells from `column`. */
void draw_right(struct pane p, int row, int column, int width, enum role role, const char *format,
                ...) __attribute__((format(printf, 6, 7)));

/** Gives `width` cells another role and leaves their text. */
void draw_role(struct pane p, int row, int column, int width, enum role role);

/** A full-width rule (a heavy one for ROLE_FOCUS) with `title` at its left and `note` at its right, which may be empty. */
void draw_rule(struct pane p, int row, enum role role, const char *title, const char *note);

/** A bar of `width` cells, filled to `part` (clamped to [0, 1]). Blocks with eighths, or `#` and `-`. */
void draw_bar(struct pane p, int row, int column, int width, enum role role, double part);

/** One cell of a graph, filled from its foot to `part`: eighths of a block, or ` .:-=+*#`. */
void draw_level(struct pane p, int row, int column, enum role role, double part);

/** One of our own glyphs: `unicode` where blocks may be used, else `ascii`. Both one cell wide. */
void draw_glyph(struct pane p, int row, int column, enum role role, const char *unicode,
                char ascii);

bool draw_cells_equal(const struct cell *a, const struct cell *b);

#endif
