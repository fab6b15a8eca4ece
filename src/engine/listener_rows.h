/**
 * The engine's listeners (engine/listeners.h), in the order in which they are told. The last has no name.
 */
#ifndef SCRAPETOP_ENGINE_LISTENER_ROWS_H
#define SCRAPETOP_ENGINE_LISTENER_ROWS_H

#include "engine/listeners.h"

extern const struct listener listener_rows[];

#endif
