#include "engine/unresponsive_hosts.h"

#include "engine/core.h"
#include "engine/engine_state.h"
#include "engine/report_retries.h"
#include "engine/settle.h"
#include "plan/unresponsive.h"

#define TAKEN_BACK_MAX 64 /* in one tick, and in so long, for a thread that fetches may let wait */
#define TAKING_BACK_US 10000

struct flight {
    uint64_t id;
    const struct host *host;
};

struct look {
    struct engine *engine;
    uint64_t now_us;
    struct flight flights[TAKEN_BACK_MAX]; /* without a connection, at unresponsive hosts */
    unsigned count;
};

static bool has_waited_long(const struct fetch_row *row, uint64_t now_us)
{
    uint64_t may_us = row->phase == FETCH_DNS ? UNRESPONSIVE_NAME_US : UNRESPONSIVE_CONNECT_US;

    return now_us - row->request->since_us >= may_us;
}

static bool look_at(void *context, const struct fetch_row *row)
{
    struct look *look = context;
    struct engine *e = look->engine;
    struct host *host = host_origin(host_at(&e->hosts, row->request->host));

    if (row->phase > FETCH_TLS || row->request->endpoint >= e->job->endpoint_count) {
        return true; /* something was sent, or it is a login */
    }
    if (host->answered_us < row->request->since_us && has_waited_long(row, look->now_us)) {
        unresponsive_note(&e->hosts, host);
    }
    if (host->is_unresponsive) {
        look->flights[look->count++] = (struct flight){ row->request->id, host };
    }
    return look->count < TAKEN_BACK_MAX;
}

static void take_back(struct engine *e, uint64_t id, uint64_t now_us)
{
    struct request *request = fetch_take_unsent(e->fetch, id);

    if (request) {
        host_ended(&e->hosts, host_at(&e->hosts, request->host), request, HOST_END_OURS, now_us);
        e->session.sent--; /* nothing was, so --max-requests does not count it */
        if (request->hops == 0 && --request->attempt > 0) {
            e->metrics.retried--;
            report_uncount_retry(e->retries, request->last.failure);
        }
        settle_put_back(e, request);
    }
}

/* The plan goes on after what stands before a host, waits, or is under way. */
static bool is_any_unmade(const struct engine *e)
{
    return engine_work_left(e) > frontier_parked(e->frontier) + frontier_waiting(e->frontier) +
                                     fetch_in_flight(e->fetch) + e->judging.count +
                                     committer_pending(e->committer);
}

void unresponsive_hosts_look(struct engine *e, uint64_t now_us)
{
    struct look look = { .engine = e, .now_us = now_us };
    uint64_t until_us;

    if (e->phase != ENGINE_RUNNING) {
        return;
    }
    fetch_each_unsent(e->fetch, look_at, &look);
    unresponsive_share(&e->hosts, e->pace.cap, is_any_unmade(e));
    if (e->limits.now != LIMIT_CAP) {
        return; /* there are places for all */
    }
    /* The youngest first: the oldest may be about to get through. */
    until_us = engine_now_us(e) + TAKING_BACK_US;
    while (look.count > 0 && engine_now_us(e) < until_us) {
        const struct flight *flight = &look.flights[--look.count];

        if (unresponsive_is_beyond(&e->hosts, flight->host)) {
            take_back(e, flight->id, now_us);
        }
    }
}
