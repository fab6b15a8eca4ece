/**
 * The whole picture: a snapshot as the user views it, drawn to a canvas. No terminal, no clock.
 *
 * Two steps, so that drawing changes nothing: screen_arrange lays out and brings lists and
 * selections up to date, screen_draw draws what was arranged.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_SCREEN_H
#define SCRAPETOP_UI_SCREEN_H

#include "ui/draw.h"
#include "ui/view.h"

/** `now_us` is the present even when `s` is frozen. */
void screen_arrange(struct layout *layout, struct view *v, const struct snapshot *s, int rows,
                    int columns);
void screen_draw(const struct layout *layout, const struct view *v, const struct snapshot *s,
                 uint64_t now_us, struct canvas *canvas);

#endif
