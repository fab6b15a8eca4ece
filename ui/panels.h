/**
 * The table of panels, in the order of their digits, and what is asked of one by its name.
 *
 * Threads  none of its own.
 */
#ifndef SCRAPETOP_UI_PANELS_H
#define SCRAPETOP_UI_PANELS_H

#include "ui/panel.h"

extern const struct panel *const panels[PANEL_COUNT];

bool panel_exists(enum panel_id id, const struct snapshot *s);

/** The request that a row stands for: its id, 0 when it stands for none. */
uint64_t panel_request_id(enum panel_id id, const struct snapshot *s, size_t row);

/** The host that a row names, or NULL. */
const char *panel_host(enum panel_id id, const struct snapshot *s, size_t row);

/** Title line, then the panel's table or its own drawing. */
void panel_draw(enum panel_id id, const struct panel_scene *scene, struct pane pane);

#endif
