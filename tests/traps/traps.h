/**
 * Traps: routes of the embedded API that only tests need. Listings that lie, a bomb, bodies that are no JSON.
 *
 *     /traps/KIND?page=N         same last self back elsewhere scheme forever empty
 *                                total-{text,words,negative,small,huge,changes} cursor-{crlf,number}
 *     /bomb  /endless            1 GiB in 1 MB of gzip, a body without an end
 *     /html  /empty              200, but no JSON
 *     /badjson?kind=             the same: cut comma nan utf8 bom two text
 */
#ifndef SCRAPETOP_TESTS_TRAPS_H
#define SCRAPETOP_TESTS_TRAPS_H

#include "demo/routes.h"

#define TRAP_ROUTES 6
extern const struct route trap_routes[TRAP_ROUTES];

shape_fn shape_trap, shape_bomb, shape_endless, shape_html, shape_empty, shape_badjson;

#endif
