/**
 * Snapshots made up for tests and for looking at the dashboard without an engine.
 *
 * Every figure follows from the scene, the cap and the time handed in, so a screen drawn from them
 * can be compared with a file.
 */
#ifndef SCRAPETOP_TESTS_UI_SCENES_H
#define SCRAPETOP_TESTS_UI_SCENES_H

#include "engine/snapshot.h"

#include <stddef.h>

enum ui_scene {
    SCENE_STARTING,
    SCENE_RUNNING,
    SCENE_PAUSED,
    SCENE_DRAINING,
    SCENE_LOWERED, /* the cap was lowered and is not reached yet */
    SCENE_ALL_WAITING,
    SCENE_RESTING, /* between two rounds of polls */
    SCENE_HELD,
    SCENE_DISK_FULL,
    SCENE_NORMALISING,
    SCENE_AUTH,
    SCENE_SWEEP,
    SCENE_NETWORK_DOWN,
    SCENE_TABLE, /* all is fetched, the table is being written */
    SCENE_STOPPED,
    SCENE_DONE,
    SCENE_FAILED,
    SCENE_TUNED,   /* running, with a ladder, endpoints, and one request looked at */
    SCENE_FLEET,   /* the sums of four workers */
    SCENE_HOSTILE, /* every text is an attack on the terminal */
    SCENE_HUGE,    /* every figure at its largest */
    SCENE_COUNT
};

const char *ui_scene_name(enum ui_scene scene);

/** `at_us` is the time since the start of the run. */
void ui_scene_fill(struct snapshot *s, enum ui_scene scene, unsigned cap, uint64_t at_us);

/** SCENE_HOSTILE, its texts taken from the n-th of the ui_scene_attacks() attacks on. */
size_t ui_scene_attacks(void);
void ui_scene_fill_attack(struct snapshot *s, size_t n, uint64_t at_us);

#endif
