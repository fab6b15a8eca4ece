#include "engine/fleet_bucket.h"

#include "engine/engine_state.h"

#include <stdio.h>
#include <string.h>

void fleet_bucket_key(const struct host *host, const struct bucket *bucket,
                      char key[FLEET_BUDGET_KEY_MAX])
{
    snprintf(key, FLEET_BUDGET_KEY_MAX, "%.*s%s%.*s", FLEET_ORIGIN_MAX, host->origin,
             bucket->name[0] ? " " : "", BUCKET_NAME_MAX, bucket->name);
}

static struct bucket *bucket_of_key(struct host *host, const char *key)
{
    size_t len = strlen(host->origin);

    if (!len || strncmp(key, host->origin, len) != 0) {
        return NULL;
    }
    if (!key[len]) {
        return &host->bucket;
    }
    for (uint16_t i = 0; key[len] == ' ' && i < host->other_count; i++) {
        if (strcmp(host->others[i].name, key + len + 1) == 0) {
            return &host->others[i];
        }
    }
    return NULL;
}

struct bucket *fleet_bucket_find(const struct engine *e, const char *key, uint32_t *at)
{
    struct bucket *bucket = NULL;

    if (*at < e->hosts.count) {
        bucket = bucket_of_key(host_at(&e->hosts, *at), key);
    }
    for (uint32_t i = 0; !bucket && i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        bucket = host->twin ? NULL : bucket_of_key(host, key);
        *at = bucket ? i : *at;
    }
    return bucket;
}
