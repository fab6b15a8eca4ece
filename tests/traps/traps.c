#include "traps.h"

#define GET(path, shape, query, what)                                                              \
    {                                                                                              \
        STR_INIT("GET"), STR_INIT(path), shape, STR_INIT(query), STR_INIT(what)                    \
    }

const struct route trap_routes[TRAP_ROUTES] = {
    GET("/traps/*", shape_trap, "?page=", "items in a listing that lies; the 404 names the kinds"),
    GET("/bomb", shape_bomb, "", "1 MB of gzip, 1 GiB inflated"),
    GET("/endless", shape_endless, "", "a body without an end"),
    GET("/html", shape_html, "", "200, but a page"),
    GET("/empty", shape_empty, "", "200, no bytes"),
    GET("/badjson", shape_badjson, "?kind=cut|comma|nan|utf8|bom|two|text", "200, but no JSON"),
};
