/**
 * Panels: each a constant that says what room it wants and draws a snapshot into it.
 *
 * A panel keeps nothing and changes nothing; what the user has scrolled or selected comes in as a
 * `struct list`. The table of them is in ui/panels.h. A new one is a file, its name in enum panel_id, a row there, and
 * its file in CMakeLists.txt.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_PANEL_H
#define SCRAPETOP_UI_PANEL_H

#include "engine/snapshot.h"

#include "ui/draw.h"
#include "ui/layout.h"
#include "ui/list.h"

enum panel_id {
    PANEL_FLIGHTS,
    PANEL_WAITS,
    PANEL_NORMALISE,
    PANEL_RATE,
    PANEL_CORES,
    PANEL_LOG,
    PANEL_HOSTS,
    PANEL_FAILED,
    PANEL_DETAIL,
    PANEL_ENDPOINTS,
    PANEL_LADDER,
    PANEL_ANSWERS,
    PANEL_EACH_FAILED,
    PANEL_WORKERS,
    PANEL_COUNT
};

#define PANEL_TITLE_MAX 160
#define PANEL_CELL_MAX 256

/** What a panel is drawn from. */
struct panel_scene {
    const struct snapshot *snapshot;
    const struct list *list; /* NULL when the panel has none */
    bool focused, zoomed;
};

/** A column of a table: it is there when the pane has at least `from` columns. */
struct panel_column {
    const char *heading;
    int width; /* 0: all that is left; the last column only */
    int from;
    bool right;
};

/** What stands in one column of one row. */
struct panel_cell {
    char text[PANEL_CELL_MAX];
    enum role role;
    bool elided;     /* too long, it loses its middle */
    struct str keep; /* and this is still to be seen (draw_elided) */
};

/** A table of rows with one line of headings, scrolled and selected by a list. */
struct panel_table {
    const struct panel_column *columns;
    size_t column_count;
    /* Writes what stands in a column of a row; texts from outside as they are. */
    void (*cell)(const struct snapshot *s, size_t row, size_t column, struct panel_cell *cell);
    bool (*is_idle)(const struct snapshot *s, size_t column); /* left out; may be NULL */
    const char *nothing;                                      /* shown when there is no row */
    const char *order; /* the source's own, in words; may be NULL */
};

struct export_row;

struct panel {
    const char *name;
    struct layout_need need; /* rows_wanted is the least of what rows_wanted() may say */
    int (*rows_wanted)(const struct snapshot *s);
    bool (*exists)(const struct snapshot *s); /* NULL: always */
    const struct list_source *source;         /* NULL: not a list */
    const struct panel_table *table;          /* drawn by the panel's own draw when NULL */
    /* `rows` are those of the panel: one of a single line has to say all in its title. */
    void (*title)(const struct snapshot *s, int rows, char title[PANEL_TITLE_MAX],
                  char note[PANEL_TITLE_MAX]);
    void (*draw)(const struct panel_scene *scene, struct pane pane);
    uint64_t (*request_id)(const struct snapshot *s,
                           size_t row); /* 0: none; NULL: rows are no requests */
    const char *(*host)(const struct snapshot *s, size_t row); /* NULL: rows name no host */
    struct {
        const char *name; /* "in-flight", "failed": a word for a file's name */
        void (*row)(struct export_row *out, const struct snapshot *s, size_t row);
    } export; /* as data (ui/export.h); NULL: nothing to give */
};

/** A request, in which `key` (or "") is what varies. */
void panel_cell_request(struct panel_cell *cell, const char *request, const char *key);

/** For panel.rows_wanted of a table that grows: headings, and a line for each of `count` up to `most`. */
int panel_rows(size_t count, size_t most);

/** For panel.exists of what a replay has nothing of, nor the sums of a fleet. */
bool panel_is_live(const struct snapshot *s);

/** Rows of a list that a pane of `rows` lines can show. */
size_t panel_list_rows(const struct panel *panel, int rows);

/** Title line with `digit` (0: none leads to it), then the panel's table or its own drawing. */
void panel_draw_one(const struct panel *panel, unsigned digit, const struct panel_scene *scene,
                    struct pane pane);

/** The lines above the panels, in one of three forms. `frozen` (or NULL) replaces the state word. */
void header_draw(const struct snapshot *s, enum layout_header kind, const char *frozen,
                 struct pane pane);

/** For a screen too small for any panel: requests in flight, and the last events below. */
void header_draw_remains(const struct snapshot *s, struct pane pane);

/** One bar a core over `rows` lines, as small as they must be; at least their levels. */
void cores_draw_grid(const struct snapshot *s, struct pane pane, int row, int rows);

/** Requests a second, oldest at the left, one cell a step: `rows` lines high. */
void rate_draw_graph(const struct snapshot *s, struct pane pane, int rows);

extern const struct panel panel_flights, panel_waits, panel_normalise, panel_rate, panel_cores,
    panel_log, panel_hosts, panel_failed, panel_detail, panel_endpoints, panel_ladder,
    panel_answers, panel_each_failed, panel_workers;

#endif
