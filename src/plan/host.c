#include "plan/host.h"

#include "base/clock.h"

#include <limits.h>
#include <stdio.h>
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

void host_table_release(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        free(table->hosts[i]);
    }
    free(table->hosts);
    free(table->slots);
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
        if (table->hosts[i]->origin[0]) {
            slot_put(table, i);
        }
    }
    return RESULT_OK;
}

static bool is_forgettable(const struct host_table *table, const struct host *host)
{
    return host->origin[0] && host->refs == 0 && !host->hold_is_user &&
           host->hold_until_us <= table->now_us &&
           !allowance_is_of_now(&host->allowance, table->now_us) &&
           (host->last_throttle_us == 0 ||
            host->last_throttle_us + HOST_FORGIVE_US < table->now_us);
}

/* Empties the entries that nothing refers to, for reuse. Their place in the hash goes with the
 * rehash. Those that must be remembered stay idle: the next look comes when there are twice as many,
 * so that looking costs little for each host however many are held. */
static enum result forget_idle(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (is_forgettable(table, table->hosts[i])) {
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

static unsigned least(unsigned a, uint64_t b)
{
    return !b || (a && a < b) ? a : b < UINT_MAX ? (unsigned)b : UINT_MAX;
}

unsigned host_cap(const struct host_table *table, const struct host *host)
{
    return least(least(table->cap_per_host, host->allowance.concurrent), host->window);
}

static bool is_retry(const struct request *request)
{
    return request->attempt > 0 && request->hops == 0;
}

/* How long the budget keeps back what would be next; nothing when something new is there. */
static uint64_t budget_wait_us(const struct host *host, uint64_t now_us)
{
    const struct request *next = host->tried.first;

    return next && is_retry(next) && !host->fresh.first
               ? retry_budget_wait_us(&host->budget, now_us)
               : 0;
}

static uint64_t pace_wait_us(const struct host *host, uint64_t now_us)
{
    uint64_t rate_us = pacer_wait_us(&host->pacer, now_us);
    uint64_t budget_us = budget_wait_us(host, now_us);

    return rate_us > budget_us ? rate_us : budget_us;
}

enum host_answer host_may_start(const struct host_table *table, const struct host *host,
                                uint64_t now_us)
{
    unsigned cap = host_cap(table, host);

    if (host->hold_is_user || now_us < host->hold_until_us) {
        return HOST_HELD;
    }
    if (host->awaits_login) {
        return HOST_LOGIN;
    }
    if ((cap && host->in_flight >= cap) || (!host->contacted && host->in_flight == 0 &&
                                            table->first_contacts >= HOST_FIRST_CONTACTS_MAX)) {
        return HOST_FULL;
    }
    if (allowance_wait_us(&host->allowance, table->work_left, now_us)) {
        return HOST_QUOTA;
    }
    return pace_wait_us(host, now_us) ? HOST_PACED : HOST_MAY;
}

uint64_t host_wake_us(const struct host_table *table, const struct host *host, uint64_t now_us)
{
    switch (host_may_start(table, host, now_us)) {
    case HOST_HELD:
        return host_hold_deadline(host);
    case HOST_QUOTA:
        return now_us + allowance_wait_us(&host->allowance, table->work_left, now_us);
    case HOST_PACED:
        return now_us + pace_wait_us(host, now_us);
    default:
        return TIME_NEVER;
    }
}

bool host_wake_is_named(const struct host_table *table, const struct host *host, uint64_t now_us)
{
    switch (host_may_start(table, host, now_us)) {
    case HOST_HELD:
        return host->hold_is_named;
    case HOST_QUOTA:
        return true;
    default:
        return false;
    }
}

void host_started(struct host_table *table, struct host *host, struct request *request)
{
    uint64_t now_us = table->now_us;

    if (!host->contacted && host->in_flight == 0) {
        table->first_contacts++;
    }
    host->in_flight++;
    request->host_start = ++host->starts;
    pacer_start(&host->pacer, now_us);
    allowance_start(&host->allowance, now_us);
    if (is_retry(request)) {
        retry_budget_retry(&host->budget, now_us);
    } else if (request->hops == 0) {
        retry_budget_first(&host->budget, now_us);
    }
}

void host_ended(struct host_table *table, struct host *host, bool success, uint64_t now_us)
{
    host->in_flight--;
    table->now_us = now_us;
    if (!host->contacted && (success || host->in_flight == 0)) {
        table->first_contacts--;
        host->contacted = success;
    }
    if (!success) {
        return;
    }
    host->failures_in_row = host->openings = 0;
    host->has_succeeded = true;
    host->successes++;
    if (host->window && now_us >= host->hold_until_us &&
        ++host->window > 2 * (host->in_flight + 1)) {
        host->window = 0; /* the queue, no longer the window, keeps it back */
    }
    if (host->throttle_level && now_us > host->last_throttle_us + HOST_FORGIVE_US) {
        host->throttle_level = 0;
    }
}

void host_note_reached(struct host *host, bool reached)
{
    host->was_reached |= reached;
    host->unreached_in_row = reached ? 0 : host->unreached_in_row + 1;
}

/* After it the host is let in slowly: from half of what was in flight when the server named a time,
 * from one when it said nothing. A hold that only grows longer keeps its window. */
static void hold_begin(struct host *host, uint64_t until_us, uint64_t now_us, bool named,
                       const struct due *due)
{
    if (now_us >= host->hold_until_us) {
        host->window = named && host->in_flight > 2 ? host->in_flight / 2 : 1;
    }
    host->successes = 0;
    host->hold_until_us = until_us;
    host->hold_is_named = named;
    host->hold_due = *due;
    host->hold_due.wait_us = until_us - now_us;
    snprintf(host->hold_due.host, sizeof host->hold_due.host, "%.*s", STR_ARG(host->label));
}

bool host_hold_named(struct host *host, uint64_t until_us, uint64_t now_us, const struct due *due)
{
    bool news = now_us >= host->hold_until_us;

    host->last_throttle_us = now_us;
    if (until_us > host->hold_until_us) {
        hold_begin(host, until_us, now_us, true, due);
    }
    return news;
}

bool host_hold_growing(struct host *host, uint64_t base_us, uint64_t random, uint64_t now_us,
                       const struct due *due)
{
    uint64_t length = base_us > HOST_HOLD_GROWTH_MIN_US ? base_us : HOST_HOLD_GROWTH_MIN_US;

    if (now_us < host->hold_until_us) {
        return false;
    }
    if (host->throttle_level && now_us > host->last_throttle_us + HOST_FORGIVE_US) {
        host->throttle_level = 0;
    }
    for (unsigned i = 0; i < host->throttle_level && length < HOST_HOLD_GROWTH_MAX_US; i++) {
        length *= 2;
    }
    if (length > HOST_HOLD_GROWTH_MAX_US) {
        length = HOST_HOLD_GROWTH_MAX_US;
    }
    host->throttle_level++;
    host->last_throttle_us = now_us;
    /* The upper half is jittered, so that many clients do not come back together, and the lower is
     * kept, so that the hold is never nothing. */
    hold_begin(host, now_us + length / 2 + random % (length / 2 + 1), now_us, false, due);
    return true;
}

void host_forgive(struct host *host)
{
    if (host->successes >= HOST_FORGIVE_SUCCESSES) {
        host->throttle_level = 0;
    }
}

bool host_note_failure(struct host *host, uint64_t length_us, uint64_t now_us)
{
    unsigned together = host->in_flight + 1;

    if (!host->failures_in_row) {
        host->failing_since_us = now_us;
    }
    if (++host->failures_in_row < HOST_BREAKER_FAILURES || host->failures_in_row < together ||
        now_us < host->hold_until_us) {
        return false;
    }
    hold_begin(host, now_us + length_us, now_us, false, &(struct due){ .by = DUE_BREAKER });
    host->openings++;
    return true;
}

bool host_is_given_up(const struct host *host, uint64_t patience_us, uint64_t now_us)
{
    return host->openings > 1 &&
           (!host->has_succeeded || now_us - host->failing_since_us > patience_us);
}

void host_table_ease(struct host_table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        struct host *host = table->hosts[i];

        if (host->origin[0] && !host->window) {
            host->window = host->in_flight ? host->in_flight : 1;
        }
    }
}

void host_hold_user(struct host *host, bool hold, uint64_t now_us)
{
    if (host->hold_is_user && !hold && now_us >= host->hold_until_us) {
        host->window = 1;
    }
    host->hold_is_user = hold;
}

uint64_t host_hold_deadline(const struct host *host)
{
    return host->hold_is_user ? TIME_NEVER : host->hold_until_us;
}

static void queue_append(struct request_queue *queue, struct request *request)
{
    request->next = NULL;
    if (queue->last) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
}

static void queue_prepend(struct request_queue *queue, struct request *request)
{
    request->next = queue->first;
    queue->first = request;
    if (!queue->last) {
        queue->last = request;
    }
}

static struct request *queue_pop(struct request_queue *queue)
{
    struct request *request = queue->first;

    if (request) {
        queue->first = request->next;
        if (!queue->first) {
            queue->last = NULL;
        }
        request->next = NULL;
    }
    return request;
}

void host_push(struct host *host, struct request *request, enum host_place place)
{
    if (place == HOST_PLACE_NEXT) {
        queue_prepend(&host->tried, request);
    } else {
        queue_append(place == HOST_PLACE_TRIED ? &host->tried : &host->fresh, request);
    }
    host->ready_count++;
}

struct request *host_pop(struct host *host, uint64_t now_us)
{
    const struct request *tried = host->tried.first;
    bool kept_back = tried && is_retry(tried) && host->fresh.first &&
                     retry_budget_wait_us(&host->budget, now_us);
    struct request *request = queue_pop(tried && !kept_back ? &host->tried : &host->fresh);

    host->ready_count -= request != NULL;
    return request;
}

static struct request *queue_take(struct request_queue *queue, uint64_t id)
{
    struct request *before = NULL, *request = queue->first;

    while (request && request->id != id) {
        before = request;
        request = request->next;
    }
    if (!request || !before) {
        return request ? queue_pop(queue) : NULL;
    }
    before->next = request->next;
    if (queue->last == request) {
        queue->last = before;
    }
    request->next = NULL;
    return request;
}

struct request *host_take(struct host *host, uint64_t id)
{
    struct request *request = queue_take(&host->tried, id);

    if (!request) {
        request = queue_take(&host->fresh, id);
    }
    host->ready_count -= request != NULL;
    return request;
}
