/**
 * The last line of the screen, and what a click on it means.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_BAR_H
#define SCRAPETOP_UI_BAR_H

#include "ui/draw.h"
#include "ui/view.h"

void bar_draw(const struct view *v, const struct snapshot *s, uint64_t now_us, struct pane pane);

/** The key that stands in that column of the line as screen_arrange has placed it (view.bar), or NULL. */
const struct key_binding *bar_at(const struct view *v, const struct snapshot *s, uint64_t now_us,
                                 int column);

#endif
