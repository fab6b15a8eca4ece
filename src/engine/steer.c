/*
 * Steer: what a user does by hand to single requests and hosts.
 */
#include "engine/engine_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED_IDS_MAX                                                                             \
    (1U << 20) /* 8 MB; beyond these a failed request is asked again by a new run */

void steer_note_failed(struct engine *e, uint64_t id)
{
    if (e->failed_id_count == e->failed_id_allocated) {
        size_t allocated = e->failed_id_allocated ? e->failed_id_allocated * 2 : 64;
        uint64_t *ids =
            allocated <= FAILED_IDS_MAX ? realloc(e->failed_ids, allocated * sizeof *ids) : NULL;

        if (!ids) {
            return; /* it stays failed, as the count says */
        }
        e->failed_ids = ids;
        e->failed_id_allocated = allocated;
    }
    e->failed_ids[e->failed_id_count++] = id;
}

void steer_release(struct engine *e)
{
    free(e->failed_ids);
}

static struct request *take(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = engine_is_active(e) ? frontier_take(e->frontier, id) : NULL;

    if (!request) {
        snprintf(reply, CONTROL_REPLY_MAX, "it does not wait (any more)");
    }
    return request;
}

void steer_retry(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = take(e, id, reply);
    char text[SNAPSHOT_REQUEST_TEXT];

    if (request) {
        engine_request_text(e, request, text);
        events_add(&e->events, EVENT_NOTICE, "retry", "", "%s asked again by you", text);
        frontier_urge(e->frontier, request);
        snprintf(reply, CONTROL_REPLY_MAX, "asked again as soon as there is a slot");
    }
}

void steer_drop(struct engine *e, uint64_t id, char reply[CONTROL_REPLY_MAX])
{
    struct request *request = take(e, id, reply);

    if (request) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s",
                 judge_drop(e, request, "dropped by you") == RESULT_OK ? "dropped"
                                                                       : "out of memory");
    }
}

static struct host *find_host(const struct engine *e, struct str label)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && str_equal(host->label, label)) {
            return host;
        }
    }
    return NULL;
}

static void hold(struct engine *e, struct host *host, bool held)
{
    host_hold_user(host, held, engine_now_us(e));
    events_add(&e->events, EVENT_NOTICE, held ? "hold" : "release", "", "%.*s %s by you",
               STR_ARG(host->label), held ? "held" : "released");
}

void steer_hold(struct engine *e, const char *label, char reply[CONTROL_REPLY_MAX])
{
    struct host *host = find_host(e, str_view(label));

    if (!host) {
        snprintf(reply, CONTROL_REPLY_MAX, "no such host is asked now");
        return;
    }
    hold(e, host, !host->hold_is_user);
    snprintf(reply, CONTROL_REPLY_MAX, "%.*s %s", STR_ARG(host->label),
             host->hold_is_user ? "held until H releases it" : "released");
}

void steer_release_all(struct engine *e)
{
    for (uint32_t i = 0; i < e->hosts.count; i++) {
        struct host *host = host_at(&e->hosts, i);

        if (host->origin[0] && host->hold_is_user) {
            hold(e, host, false);
        }
    }
}

static int compare_ids(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

/* In the ledger they stay failed until they have ended anew, which overwrites them: whatever happens
 * before that loses nothing. */
void steer_retry_failed(struct engine *e, char reply[CONTROL_REPLY_MAX])
{
    uint64_t again = 0, failed = e->metrics.failed + e->metrics.failed_before;

    if (!e->failed_id_count) {
        snprintf(reply, CONTROL_REPLY_MAX, "nothing has failed");
        return;
    }
    if (!engine_revive(e)) {
        snprintf(reply, CONTROL_REPLY_MAX, "not any more: the run ends; resume it first");
        return;
    }
    qsort(e->failed_ids, e->failed_id_count, sizeof *e->failed_ids, compare_ids);
    for (size_t i = 0; i < e->failed_id_count; i++) {
        if (frontier_again(e->frontier, e->failed_ids[i]) == RESULT_OK) {
            accounts_revived(&e->accounts, frontier_endpoint(e->frontier, e->failed_ids[i]));
            again++;
        }
    }
    e->failed_id_count = 0;
    e->failure_count = 0;
    e->metrics.failed = 0;
    e->metrics.failed_before = failed > again ? failed - again : 0;
    events_add(&e->events, EVENT_NOTICE, "retry", "", "%llu failed requests asked again by you",
               (unsigned long long)again);
    snprintf(reply, CONTROL_REPLY_MAX, "%llu failed requests are asked again",
             (unsigned long long)again);
}
