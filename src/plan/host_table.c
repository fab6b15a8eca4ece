/*
 * The table of hosts: found by origin, forgotten when idle. What is known of one is in host.c.
 */
#include "plan/host.h"
#include "plan/unresponsive.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SLOTS 64

void host_table_init(struct host_table *table, unsigned cap_per_host, struct rate rate_per_host)
{
    *table = (struct host_table){
        .cap_per_host = cap_per_host,
        .rate_per_host = rate_per_host,
        .work_left = UINT64_MAX,
        .forget_at = HOST_TABLE_IDLE_MAX,
    };
}

static void release(struct host *host)
{
    free(host->others);
    free(host->lanes);
    free(host->own_label);
}

void host_table_release(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        release(table->hosts[i]);
        free(table->hosts[i]);
    }
    free(table->hosts);
    free(table->slots);
    free(table->twins);
    *table = (struct host_table){ 0 };
}

/* FNV-1a, 32 bits (draft-eastlake-fnv): short keys from a trusted parser; a flood of colliding names
 * costs a linear probe over at most the live hosts. */
static uint32_t hash(const char *text)
{
    uint32_t h = UINT32_C(2166136261);

    for (; *text; text++) {
        h = (h ^ (unsigned char)*text) * UINT32_C(16777619);
    }
    return h;
}

static void slot_put(struct host_table *table, uint32_t index)
{
    uint32_t at = hash(table->hosts[index]->origin) & (table->slot_count - 1);

    while (table->slots[at]) {
        at = (at + 1) & (table->slot_count - 1);
    }
    table->slots[at] = index + 1;
}

/* All entries anew, into `slot_count` slots: on growth, and after entries were reused. */
static enum result rehash(struct host_table *table, uint32_t slot_count)
{
    uint32_t *slots = calloc(slot_count, sizeof *slots);

    if (!slots) {
        return RESULT_NOMEM;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (uint32_t i = 0; i < table->count; i++) {
        if (table->hosts[i]->origin[0] && table->hosts[i]->twin <= 1) {
            slot_put(table, i);
        }
    }
    return RESULT_OK;
}

static bool is_forgettable(const struct host_table *table, const struct host *host)
{
    uint64_t now_us = table->now_us;

    if (!host->origin[0] || host->refs || host->twin || host->hold_is_user ||
        host->down_until_us > now_us || bucket_is_of_now(&host->bucket, now_us)) {
        return false;
    }
    for (uint16_t i = 0; i < host->other_count; i++) {
        if (bucket_is_of_now(&host->others[i], now_us)) {
            return false;
        }
    }
    return true;
}

/* Empties the entries that nothing refers to, for reuse. Their place in the hash goes with the
 * rehash. Those that must be remembered stay idle: the next look comes when there are twice as many,
 * so that looking costs little for each host however many are held. */
static enum result forget_idle(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (is_forgettable(table, table->hosts[i])) {
            unresponsive_forgotten(table, table->hosts[i]);
            release(table->hosts[i]);
            *table->hosts[i] = (struct host){ .next_free = table->first_free };
            table->first_free = i + 1;
            table->idle--;
        }
    }
    table->forget_at =
        2 * table->idle > HOST_TABLE_IDLE_MAX ? 2 * table->idle : HOST_TABLE_IDLE_MAX;
    return rehash(table, table->slot_count);
}

static enum result take_entry(struct host_table *table, uint32_t *index)
{
    if (table->first_free) {
        *index = table->first_free - 1;
        table->first_free = table->hosts[*index]->next_free;
        return RESULT_OK;
    }
    if (table->count == table->allocated) {
        uint32_t allocated = table->allocated ? table->allocated * 2 : 16;
        struct host **hosts = realloc(table->hosts, allocated * sizeof *hosts);

        if (!hosts) {
            return RESULT_NOMEM;
        }
        table->hosts = hosts;
        table->allocated = allocated;
    }
    table->hosts[table->count] = calloc(1, sizeof(struct host));
    if (!table->hosts[table->count]) {
        return RESULT_NOMEM;
    }
    *index = table->count++;
    return RESULT_OK;
}

enum result host_find(struct host_table *table, const struct url *url, uint32_t *index,
                      struct err *err)
{
    char origin[URL_ORIGIN_MAX];
    struct host *host;
    uint32_t at;

    url_origin_key(url, origin);
    if (table->slot_count) {
        at = hash(origin) & (table->slot_count - 1);
        for (; table->slots[at]; at = (at + 1) & (table->slot_count - 1)) {
            if (strcmp(table->hosts[table->slots[at] - 1]->origin, origin) == 0) {
                *index = table->slots[at] - 1;
                return RESULT_OK;
            }
        }
    }
    if (table->idle >= table->forget_at && forget_idle(table) != RESULT_OK) {
        return err_nomem(err, "rebuilding the host table");
    }
    if ((table->count + 1) * 2 > table->slot_count &&
        rehash(table, table->slot_count ? table->slot_count * 2 : FIRST_SLOTS) != RESULT_OK) {
        return err_nomem(err, "growing the host table");
    }
    if (take_entry(table, index) != RESULT_OK) {
        return err_nomem(err, "adding a host");
    }
    host = table->hosts[*index];
    memcpy(host->origin, origin, sizeof origin);
    pacer_init(&host->pacer, table->rate_per_host);
    host->label = str_view(strstr(host->origin, "://") + 3);
    if (url->port == (url->is_https ? 443 : 80)) {
        host->label.len -= url->is_https ? strlen(":443") : strlen(":80");
    }
    table->idle++;
    slot_put(table, *index);
    return RESULT_OK;
}

struct host *host_add_twin(struct host_table *table, uint32_t of)
{
    struct host *host;
    uint32_t index;

    if (take_entry(table, &index) != RESULT_OK) {
        return NULL;
    }
    host = table->hosts[index];
    memcpy(host->origin, table->hosts[of]->origin, sizeof host->origin);
    host->label = table->hosts[of]->label;
    host->index = index;
    host->first = table->hosts[of];
    table->hosts[of]->index = of;
    table->idle++;
    return host;
}

struct host *host_at(const struct host_table *table, uint32_t index)
{
    return table->hosts[index];
}

void host_ref(struct host_table *table, uint32_t index)
{
    if (table->hosts[index]->refs++ == 0) {
        table->idle--;
    }
}

void host_unref(struct host_table *table, uint32_t index)
{
    if (--table->hosts[index]->refs == 0) {
        table->idle++;
    }
}

void host_table_ease(struct host_table *table, uint64_t now_us)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct host *host = table->hosts[i];

        if (host->origin[0] && !host->window) {
            host->window = host->in_flight ? host->in_flight : 1;
            host->window_us = now_us;
        }
    }
}

void host_table_forget_learned(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct host *host = table->hosts[i];

        for (uint16_t n = 0; n <= host->other_count; n++) {
            host_bucket_at(host, n)->learned = (struct learned_limit){ 0 };
        }
    }
}

void host_forget_told(struct host *host)
{
    for (uint16_t n = 0; n <= host->other_count; n++) {
        host_bucket_at(host, n)->learned = (struct learned_limit){ 0 };
        host_bucket_at(host, n)->allowance = (struct allowance){ 0 };
    }
}
