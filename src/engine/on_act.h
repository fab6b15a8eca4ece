/**
 * What a rule by event does when it fires: the commands that a user has, in the rule's name.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_ON_ACT_H
#define SCRAPETOP_ENGINE_ON_ACT_H

#include "engine/on_list.h"

struct engine;

/** Tells that the rule has fired, with `value` in words, and does what it says. */
void on_act(struct engine *engine, const struct on_watched *w, const char *value);

#endif
