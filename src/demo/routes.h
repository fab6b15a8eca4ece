/**
 * Routes: which shape answers which path. One table, from which the index at "/" is written, too.
 *
 * Errors  none of its own: an unknown path is a 404, a wrong method a 405, as replies.
 * Threads the server's thread only.
 */
#ifndef SCRAPETOP_DEMO_ROUTES_H
#define SCRAPETOP_DEMO_ROUTES_H

#include "demo/world.h"

struct route {
    struct str method; /* GET stands for HEAD, too */
    struct str path;   /* "*" stands for one segment that is not empty */
    shape_fn *shape;
    struct str query, what; /* for the index */
};

/** Fills `reply`, and `ask->in_path` on the way. HEAD is answered as GET. */
void routes_answer(struct world *world, struct ask *ask, struct reply *reply);

#endif
