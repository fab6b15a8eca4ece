#include "engine/listener_rows.h"

#include "base/units.h"
#include "engine/answer.h"
#include "engine/cookie_jar.h"
#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/detail.h"
#include "engine/endpoint_stats.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/failures.h"
#include "engine/fleet_budget.h"
#include "engine/fleet_link.h"
#include "engine/ladder.h"
#include "engine/limit.h"
#include "engine/metrics.h"
#include "engine/on_watch.h"
#include "engine/pace.h"
#include "engine/pace_sweep.h"
#include "engine/said.h"
#include "engine/session_totals.h"
#include "engine/snapshot_fill.h"
#include "engine/sweep.h"
#include "engine/token_notes.h"
#include "engine/unresponsive_hosts.h"
#include "plan/host_silence.h"

#define SAMPLE_US (10 * US_PER_S) /* between the samples in events.jsonl */
/* at the beginning one a second: short runs have a story too */
#define SAMPLE_DENSE_US (60 * US_PER_S)

static void hosts_answer(struct engine *e, const struct answer *a)
{
    struct host *host = host_at(&e->hosts, a->host);

    host->requests++;
    host_note_reached(host, a->response->reached);
}

static void metrics_on_answer(struct engine *e, const struct answer *a)
{
    metrics_answer(&e->metrics, a);
}

static void metrics_on_settled(struct engine *e, const struct settled *s)
{
    metrics_settled(&e->metrics, s->is_ok);
    e->metrics.unchanged += s->is_unchanged;
}

/* The second in which fetching ended is the last, unless it goes on. */
static void metrics_on_tick(struct engine *e, uint64_t now_us)
{
    uint64_t ended_us = e->session.ended_us;

    if (ended_us && now_us > ended_us + US_PER_S) {
        now_us = ended_us + US_PER_S;
    }
    metrics_tick(&e->metrics, now_us, e->pace.cap, (unsigned)fetch_in_flight(e->fetch));
}

static void endpoints_answer(struct engine *e, const struct answer *a)
{
    endpoint_stats_answer(&e->endpoint_stats, a);
}

static void endpoints_settled(struct engine *e, const struct settled *s)
{
    endpoint_stats_settled(&e->endpoint_stats, s->request->endpoint, s->is_ok);
}

static void endpoints_tick(struct engine *e, uint64_t now_us)
{
    endpoint_stats_tick(&e->endpoint_stats, now_us);
}

static void ladder_on_answer(struct engine *e, const struct answer *a)
{
    if (!a->is_asleep) {
        ladder_answer(&e->pace.ladder, a);
    }
}

static void ladder_on_tick(struct engine *e, uint64_t now_us)
{
    ladder_tick(&e->pace.ladder, pace_is_under_way(e), now_us);
}

static void sweep_on_answer(struct engine *e, const struct answer *a)
{
    if (e->sweep.now && !a->is_asleep) {
        sweep_answer(e->sweep.now, a);
    }
}

static void failures_settled(struct engine *e, const struct settled *s)
{
    if (!s->is_ok) {
        failures_note(e, s->request, s->said_line);
    }
}

/* Once for each time that it gets short. */
static void memory_tick(struct engine *e, uint64_t now_us)
{
    char limit[UNITS_TEXT_MAX];
    size_t waiting = fetch_waiting(e->fetch);

    (void)now_us;
    if (waiting && !e->ticks.memory_is_short) {
        units_format_bytes(e->job->network.memory_bytes, limit);
        events_add(&e->events, EVENT_WARNING, "memory", "",
                   "bodies in flight come up to %s (--memory): the largest wait for others", limit);
    }
    e->ticks.memory_is_short = waiting > 0;
}

static void sample_cpu(struct engine *e, uint64_t now_us)
{
    double fetch_s[JOB_THREADS_MAX];
    size_t count = fetch_threads_of(e->fetch);

    for (size_t i = 0; i < count; i++) {
        fetch_s[i] = fetch_cpu_s(e->fetch, i);
    }
    cpu_sample(&e->cpu, fetch_s, count, now_us);
}

static void cpu_tick(struct engine *e, uint64_t now_us)
{
    uint64_t late_us = now_us > e->ticks.due_us ? now_us - e->ticks.due_us : 0;
    uint64_t fetch_late_us = fetch_lag_us(e->fetch);

    hist_record(&e->cpu.lag, late_us > fetch_late_us ? late_us : fetch_late_us);
    e->ticks.due_us = now_us + LISTENERS_TICK_MS * US_PER_MS;
    if (now_us >= e->ticks.cpu_due_us) {
        sample_cpu(e, now_us);
        e->ticks.cpu_due_us = now_us + CPU_SAMPLE_US;
    }
}

static void sample_tick(struct engine *e, uint64_t now_us)
{
    if (now_us < e->ticks.sample_due_us || !engine_is_active(e)) {
        return;
    }
    snapshot_fill_sample(e);
    if (now_us >= e->session.totals_due_us) {
        session_totals_note(e);
    }
    e->ticks.sample_due_us =
        now_us + (now_us - e->metrics.started_us < SAMPLE_DENSE_US ? US_PER_S : SAMPLE_US);
}

/* In this order. The breaker is told before (pace_ended): what an attempt says of its host counts for those here. */
const struct listener listener_rows[] = {
    { "unresponsive hosts", .on_tick = unresponsive_hosts_look },
    { "cpu", .on_tick = cpu_tick },
    { "hosts", .on_answer = hosts_answer },
    { "metrics", metrics_on_answer, NULL, metrics_on_settled, metrics_on_tick },
    { "endpoint stats", endpoints_answer, NULL, endpoints_settled, endpoints_tick },
    { "limit", .on_tick = limit_tell },
    { "memory", .on_tick = memory_tick },
    { "cookies", .on_tick = cookie_jar_look },
    { "ladder", .on_answer = ladder_on_answer },
    { "sweep", .on_answer = sweep_on_answer, .on_tick = pace_sweep },
    { "ladder's time", .on_tick = ladder_on_tick }, /* with the cap that the sweep has set */
    { "tuner", .on_answer = pace_tuner_answer },
    { "quota", .on_answer = pace_quota_answer },
    { "detail", .on_judged = detail_note },
    { "failures", .on_settled = failures_settled },
    { "rules by event", on_watch_answer, NULL, on_watch_settled, on_watch_tick },
    { "tokens", .on_tick = token_notes_tick },
    { "fleet", fleet_budget_answer, fleet_link_judged, fleet_link_settled, fleet_link_tick },
    { "samples", .on_tick = sample_tick },
    { .name = NULL },
};
