#include "demo/world.h"

#include <stdio.h>
#include <string.h>

void world_authority(const struct world *world, const struct ask *ask,
                     char text[WORLD_AUTHORITY_MAX])
{
    static const char good[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";
    struct str host = ask_header(ask, STR("Host"));
    bool is_good = host.len > 0 && host.len < WORLD_AUTHORITY_MAX;

    for (size_t i = 0; is_good && i < host.len; i++) {
        is_good = memchr(good, host.data[i], sizeof good - 1) != NULL;
    }
    if (is_good) {
        snprintf(text, WORLD_AUTHORITY_MAX, "%.*s", STR_ARG(host));
    } else {
        snprintf(text, WORLD_AUTHORITY_MAX, "127.0.0.1:%u", (unsigned)world->port);
    }
}
