/**
 * Parts of made-up snapshots that scenes are put together from.
 */
#ifndef SCRAPETOP_TESTS_UI_SCENES_PARTS_H
#define SCRAPETOP_TESTS_UI_SCENES_PARTS_H

#include "engine/snapshot.h"

#include <stddef.h>

/** Rules, endpoints, and one request looked at. */
void ui_scene_tune(struct snapshot *s);

/** Every text becomes an attack, from the n-th of them on. */
void ui_scene_hurt(struct snapshot *s, size_t n);

/** Every figure becomes as large as it can be, or no number at all. */
void ui_scene_enlarge(struct snapshot *s);

/** Many workers instead of one run. */
void ui_scene_share(struct snapshot *s);

#endif
