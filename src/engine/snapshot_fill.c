#include "engine/snapshot_fill.h"

#include "engine/core.h"
#include "engine/cpu.h"
#include "engine/descriptors.h"
#include "engine/detail.h"
#include "engine/discover.h"
#include "engine/endpoint_stats.h"
#include "engine/engine.h"
#include "engine/engine_state.h"
#include "engine/events.h"
#include "engine/failed_recent.h"
#include "engine/feed.h"
#include "engine/ladder.h"
#include "engine/latency_bars.h"
#include "engine/limit.h"
#include "engine/login.h"
#include "engine/metrics.h"
#include "engine/pace_sweep.h"
#include "engine/poll.h"
#include "engine/report_endpoints.h"
#include "engine/report_on.h"
#include "engine/report_rules.h"
#include "engine/sample.h"
#include "engine/snapshot.h"
#include "engine/snapshot_lists.h"
#include "engine/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COPY(field, text) snprintf(field, sizeof(field), "%s", text)
#define COPY_STR(field, s) snprintf(field, sizeof(field), "%.*s", STR_ARG(s))

#define NETWORK_DOWN_FAILURES 3

/* --- state ---------------------------------------------------------------------------------------- */

static bool is_writing_table(const struct snapshot *s)
{
    enum normalise_state state = s->normalise.state;

    return state == NORMALISE_COLUMNS || state == NORMALISE_ROWS || state == NORMALISE_CANCELLING;
}

static void count_unreached(void *context, const struct request *request)
{
    size_t *count = context;

    *count += failure_is_unanswered(request->last.failure) && !request->last.reached;
}

/* Nobody is reached: none of the hosts that have work left, one of which was reached before, unless none
 * ever was; and not one request waits for anything else. A refused port is no sign of it: somebody was
 * there to refuse. Nor are names alone that never resolved: they are wrong, most often. */
static bool is_network_down(const struct engine *e, const struct snapshot *s)
{
    bool was_reached = false, is_lost = false, is_address = false;
    size_t unreached = 0;
    uint64_t failures = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];

        if (!host->origin[0]) {
            continue;
        }
        if (host->refs && !host_origin(host)->unreached_in_row) {
            return false;
        }
        failures += host->unreached_in_row;
        was_reached |= host->was_reached;
        is_lost |= host->was_reached && host->unreached_in_row;
        is_address |= host->unreached_in_row && host->silence != OUTCOME_DNS;
    }
    frontier_each_wait(e->frontier, count_unreached, &unreached);
    return failures >= NETWORK_DOWN_FAILURES && (is_lost || (!was_reached && is_address)) &&
           unreached && unreached == s->waiting;
}

static enum run_state ended_state(const struct engine *e, const struct snapshot *s)
{
    return is_writing_table(s)             ? RUN_NORMALISING
           : e->storage.state != RESULT_OK ? RUN_FAILED
           : s->ok + s->failed < s->total  ? RUN_STOPPED
           : feed_is_cut(e->feed)          ? RUN_STOPPED
           : s->failed > s->ok             ? RUN_FAILED
           : snapshot_pages_are_missing(s) ? RUN_INCOMPLETE
                                           : RUN_DONE;
}

static enum run_state idle_state(const struct engine *e)
{
    return e->limits.now == LIMIT_HOLD          ? RUN_HELD
           : e->limits.now == LIMIT_AUTH        ? RUN_AUTH
           : e->limits.now == LIMIT_ROUND       ? RUN_RESTING
           : e->limits.now == LIMIT_ALL_WAITING ? RUN_ALL_WAITING
                                                : RUN_RUNNING;
}

static enum run_state state_of(const struct engine *e, const struct snapshot *s)
{
    switch (e->phase) {
    case ENGINE_NEW:
        return RUN_STARTING;
    case ENGINE_DRAINING:
        return e->storage.state == RESULT_FULL ? RUN_DISK_FULL : RUN_DRAINING;
    case ENGINE_TABLE:
    case ENGINE_DONE:
    case ENGINE_CLOSING:
        return ended_state(e, s);
    default:
        break;
    }
    if (e->storage.state == RESULT_FULL) {
        return RUN_DISK_FULL;
    }
    if (e->pace.is_paused || e->pace.cap == 0) {
        return RUN_PAUSED;
    }
    if (is_network_down(e, s)) {
        return RUN_NETWORK_DOWN;
    }
    if (s->in_flight == login_in_flight(e) && s->storing == 0) {
        return idle_state(e);
    }
    return s->sweep_steps ? RUN_SWEEP : RUN_RUNNING;
}

static void fill_progress(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    const struct earlier_rounds *earlier = &e->recovery.earlier; /* the last round is shown */
    uint64_t wake_us =
        e->poll.is_asleep ? poll_wake_us(e, f->now_us) : frontier_wake_us(e->frontier, f->now_us);
    uint64_t settled, busy;

    s->total_known = !feed_is_open(e->feed);
    s->total = frontier_total(e->frontier) + poll_left(e) - earlier->done;
    if (e->job->poll.every_us) {
        s->rounds = e->poll.rounds.kept.begun;
        s->rounds_wanted = e->job->poll.count;
        s->rounds_skipped = e->poll.rounds.kept.skipped;
    }
    s->unchanged = e->metrics.unchanged + e->metrics.unchanged_before - earlier->unchanged;
    s->ok = e->metrics.ok + e->metrics.ok_before - earlier->done;
    s->failed = e->metrics.failed + e->metrics.failed_before;
    s->retried = e->metrics.retried;
    s->in_flight = fetch_in_flight(e->fetch);
    s->waiting = frontier_waiting(e->frontier);
    s->storing = committer_pending(e->committer) + e->judging.count;
    settled = s->ok + s->failed;
    busy = settled + s->in_flight - login_in_flight(e) + s->waiting + s->storing;
    s->queued = s->total > busy ? s->total - busy : 0;
    s->next_due_in_us = wake_us == TIME_NEVER ? UINT64_MAX
                        : wake_us > f->now_us ? wake_us - f->now_us
                                              : 0;
    s->draining = e->phase == ENGINE_DRAINING || e->pace.is_paused ? s->in_flight
                  : s->in_flight > e->pace.cap                     ? s->in_flight - e->pace.cap
                                                                   : 0;
}

/* Requests are asked, and some have settled lately; what is held, paused or parked moves nothing. */
static bool is_moving(const struct engine *e, const struct snapshot *s)
{
    size_t lately_s = METRICS_RATE_WINDOW_S + (size_t)(2 * s->p95_us / US_PER_S);

    return (s->state == RUN_RUNNING || s->state == RUN_SWEEP) &&
           metrics_rate(&e->metrics, lately_s) > 0;
}

/* A rate that bounds all that is left: set by the user, or learned of the only host. 0: none. */
static double bounding_rate(const struct snapshot_limit *l)
{
    bool bounds = (l->kind == LIMIT_RATE && l->by == LIMIT_BY_USER) ||
                  (l->kind == LIMIT_LEARNED && l->is_only_host);

    return bounds && l->rate.per_us ? l->rate.requests * 1e6 / (double)l->rate.per_us : 0;
}

/* When the last of those that wait, as far as they are shown, may be asked: before that it is not over. */
static uint64_t last_due_us(const struct snapshot *s)
{
    uint64_t last_us = 0;

    for (size_t i = 0; i < s->wait_count; i++) {
        if (s->waits[i].due_in_us != UINT64_MAX && s->waits[i].due_in_us > last_us) {
            last_us = s->waits[i].due_in_us;
        }
    }
    return last_us;
}

/* What the slowest of several hosts takes for what is known to be left there, at the rate that its refusals taught. The
 * only one is told by the rates of the run itself: what it has been taught just now may hold for seconds. */
static uint64_t slowest_host_us(const struct engine *e)
{
    unsigned at_work = 0;
    double most_s = 0;

    for (uint32_t i = 0; i < e->hosts.count; i++) {
        const struct host *host = e->hosts.hosts[i];
        double rate = host->origin[0] ? bucket_learned_rate(&host->bucket) : 0;

        at_work += host->origin[0] && host->refs;
        if (rate > 0 && host->other_count == 0 && !host->is_stopped && host->refs / rate > most_s) {
            most_s = host->refs / rate;
        }
    }
    return at_work > 1 ? (uint64_t)(most_s * 1e6) : 0;
}

/* A range: the best and the worst of the rates over ten seconds, a minute and the whole session; under a
 * rate that and what comes of it now. Where there are several hosts, no sooner than the slowest of
 * them. Nothing until five requests have ended, nor while nothing moves. */
static void fill_eta(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    uint64_t left = s->total - s->ok - s->failed;
    uint64_t due_us = last_due_us(s), slowest_us = slowest_host_us(e);
    double bound = bounding_rate(&s->limit), best = 0, worst = 0;
    double rates[] = { metrics_rate(&e->metrics, METRICS_RATE_WINDOW_S),
                       metrics_rate(&e->metrics, 60), s->requests_per_s_average };

    if (e->metrics.ok + e->metrics.failed < 5 || e->phase != ENGINE_RUNNING || !left ||
        e->metrics.ring_count < 2 || !is_moving(e, s)) {
        return;
    }
    due_us = due_us > slowest_us ? due_us : slowest_us;
    if (bound > 0 && (!s->limit.host[0] || s->limit.is_only_host)) {
        rates[0] = bound;
        rates[1] = rates[2] = s->requests_per_s < bound ? s->requests_per_s : bound;
    }
    for (size_t i = 0; i < sizeof rates / sizeof rates[0]; i++) {
        if (rates[i] > 0) {
            best = rates[i] > best ? rates[i] : best;
            worst = worst == 0 || rates[i] < worst ? rates[i] : worst;
        }
    }
    if (best > 0) {
        s->eta_known = true;
        s->eta_low_us = (uint64_t)((double)left / best * 1e6);
        s->eta_high_us = (uint64_t)((double)left / worst * 1e6);
        s->eta_low_us = s->eta_low_us > due_us ? s->eta_low_us : due_us;
        s->eta_high_us = s->eta_high_us > due_us ? s->eta_high_us : due_us;
    }
}

/* When fetching has ended, time stands still for what is told of it. */
static double session_s(const struct filling *f)
{
    const struct engine *e = f->engine;
    uint64_t end_us = e->session.ended_us ? e->session.ended_us : f->now_us;

    return (double)(end_us - e->metrics.started_us) / 1e6;
}

/* What has ended has no speed; what it had on average stands. */
static void fill_speed(struct filling *f)
{
    const struct metrics *m = &f->engine->metrics;
    struct snapshot *s = f->snapshot;
    double wall_s = session_s(f);

    s->requests_per_s_average = wall_s > 0 ? (double)(m->ok + m->failed) / wall_s : 0;
    if (!f->engine->session.ended_us) {
        s->requests_per_s = metrics_rate_now(m, hist_percentile_us(&m->latency, 50));
        s->bytes_per_s = metrics_byte_rate(m, METRICS_RATE_WINDOW_S);
    }
}

static void fill_pace(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    const struct metrics *m = &e->metrics;

    s->cap = e->pace.cap;
    s->cap_before = e->pace.cap_before;
    s->cap_max = e->pace.auto_on ? e->pace.tuner.cap_max : JOB_CAP_MAX;
    s->auto_on = e->pace.auto_on;
    if (pace_is_sweeping(e)) {
        s->sweep_step = (unsigned)e->sweep.now->row_count + 1;
        s->sweep_steps = (unsigned)e->sweep.now->cap_count;
    }
    s->rung_count = ladder_list(&e->pace.ladder, s->rungs);
    units_format_rate(e->pace.pacer.rate, s->rate_limit);
    fill_speed(f);
    s->bytes = m->bytes;
    s->p50_us = hist_percentile_us(&m->latency, 50);
    s->p90_us = hist_percentile_us(&m->latency, 90);
    s->p95_us = hist_percentile_us(&m->latency, 95);
    s->p99_us = hist_percentile_us(&m->latency, 99);
    s->mix = m->mix;
    latency_bars_fill(&m->latency, s->latency_low_us, s->latency_count);
    while (s->second_count < SNAPSHOT_SECONDS && metrics_second(m, s->second_count)) {
        s->seconds[s->second_count] = *metrics_second(m, s->second_count);
        s->second_count++;
    }
}

static void fill_machine(struct filling *f)
{
    struct engine *e = f->engine;
    struct snapshot *s = f->snapshot;
    double wall_s = session_s(f);

    s->core_count = e->cpu.core_count;
    for (size_t i = 0; i < s->core_count; i++) {
        s->cores[i].busy_percent = e->cpu.busy_percent[i];
    }
    s->loop_cpu_percent = e->cpu.thread_percent;
    s->fetch_threads = (unsigned)fetch_threads_of(e->fetch);
    s->fetch_cpu_percent = e->cpu.fetch_percent;
    s->cpu_s = e->session.ended_us ? e->session.cpu_s : cpu_process_s(&e->cpu);
    s->io_ratio = wall_s > 0 && s->cpu_s < wall_s ? 1 - s->cpu_s / wall_s : 0;
    s->loop_lag_p99_us = hist_percentile_us(&e->cpu.lag, 99);
    s->rss_bytes = cpu_rss_bytes();
    s->descriptors = descriptors_in_use();
    s->descriptors_max = descriptors_max();
    s->disk_free_bytes = engine_disk_free_bytes(e);
    s->reuse_ratio =
        e->metrics.attempts ? (double)e->metrics.reused / (double)e->metrics.attempts : 0;
}

void engine_snapshot(struct engine *e, struct snapshot *s)
{
    struct filling f = { e, s, engine_now_us(e) };

    memset(s, 0, sizeof *s);
    COPY(s->name, e->job->name);
    COPY(s->run_dir, e->options.dir->path);
    s->pid = (uint32_t)getpid();
    s->now_us = f.now_us;
    s->wall_us = clock_wall_us(&e->options.clock);
    s->started_ago_us =
        (e->session.ended_us ? e->session.ended_us : f.now_us) - e->metrics.started_us;
    s->storage_trouble = e->storage.state != RESULT_OK;
    engine_trouble_text(e, s->trouble, sizeof s->trouble);
    fill_progress(&f);
    fill_pace(&f);
    fill_machine(&f);
    snapshot_lists_fill(&f);
    report_rules_snapshot(e, s);
    report_on_snapshot(e, s);
    table_snapshot(e, &s->normalise);
    login_snapshot(e, f.now_us, &s->login);
    detail_fill(e, e->detail.id, f.now_us, &s->detail);
    limit_fill(e, f.now_us, &s->limit);
    s->state = state_of(e, s);
    fill_eta(&f);
}

void snapshot_fill_sample(struct engine *e)
{
    struct snapshot *s = malloc(sizeof *s);
    char fields[SAMPLE_FIELDS_MAX];
    struct sample sample;

    if (s) { /* without memory a sample is missing, which a replay bridges */
        engine_snapshot(e, s);
        sample_of(s, &sample);
        sample_write(&sample, fields);
        events_note(&e->events, "sample", fields, NULL);
    }
    free(s);
}
