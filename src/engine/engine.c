#include "engine/engine.h"

#include "engine/engine_state.h"
#include "plan/retry.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define TICK_MS 100
#define SAMPLE_US (10 * US_PER_S) /* between the samples in events.jsonl */

uint64_t engine_now_us(const struct engine *e)
{
    return clock_now_us(&e->options.clock);
}

uint64_t engine_random(struct engine *e)
{
    uint64_t z = e->random_state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

enum result engine_redact_url(struct engine *e, struct str url, struct buf *out)
{
    buf_reset(&e->redacted);
    return secrets_redact(&e->job->secrets, url, &e->redacted) == RESULT_OK
               ? url_redact(buf_view(&e->redacted), out)
               : RESULT_NOMEM;
}

void engine_request_text(struct engine *e, const struct request *request,
                         char text[SNAPSHOT_REQUEST_TEXT])
{
    struct str url = request_url(request);
    struct url parts;

    if (url_split(url, &parts, NULL) == RESULT_OK) {
        url = parts.target.len ? parts.target : STR("/");
    }
    buf_reset(&e->shown);
    if (engine_redact_url(e, url, &e->shown) == RESULT_OK) {
        url = buf_view(&e->shown);
    } else {
        url = request->key;
    }
    snprintf(text, SNAPSHOT_REQUEST_TEXT, "%s %.*s",
             request->drop_body ? "GET" : e->job->endpoints[request->endpoint].method,
             STR_ARG(url));
}

/* --- start and end of a run -------------------------------------------------------------------- */

static bool is_active(const struct engine *e)
{
    return e->phase == ENGINE_RUNNING || e->phase == ENGINE_DRAINING;
}

/* Nothing of ours is under way any more. */
static bool is_quiet(const struct engine *e)
{
    return fetch_in_flight(e->fetch) == 0 && e->checking == 0 &&
           (committer_pending(e->committer) == 0 || e->storage != RESULT_OK);
}

static void end_fetching(struct engine *e)
{
    if (!e->ended_us) {
        e->ended_us = engine_now_us(e);
        e->ended_cpu_s = cpu_process_s(&e->cpu);
    }
}

static void become_done(struct engine *e)
{
    end_fetching(e);
    e->phase = ENGINE_DONE;
    uv_timer_stop(&e->wake);
    events_add(&e->events, EVENT_INFO, "end", "", "%s: %llu ok, %llu failed",
               e->stopped_by[0] ? "stopped" : "all settled",
               (unsigned long long)(e->metrics.ok + e->metrics.ok_before),
               (unsigned long long)(e->metrics.failed + e->metrics.failed_before));
    e->options.on_done(e->options.context);
}

static void all_settled(struct engine *e)
{
    struct err err;

    end_fetching(e);
    if (!e->options.csv) {
        become_done(e);
        return;
    }
    e->phase = ENGINE_TABLE;
    if (table_start(e, e->options.csv, &err) != RESULT_OK) {
        events_add(&e->events, EVENT_ERROR, "table", "", "%s", err.text);
        snprintf(e->stopped_by, sizeof e->stopped_by, "%s", err.text);
        e->table_failed = true;
        become_done(e);
    }
}

void engine_table_ended(struct engine *e)
{
    if (e->phase == ENGINE_TABLE) {
        become_done(e);
    }
}

static void stop_because(struct engine *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void stop_because(struct engine *e, const char *format, ...)
{
    va_list args;

    if (!e->stopped_by[0]) {
        va_start(args, format);
        vsnprintf(e->stopped_by, sizeof e->stopped_by, format, args);
        va_end(args);
    }
    e->phase = ENGINE_DRAINING;
}

static void drain(struct engine *e)
{
    if (e->phase == ENGINE_RUNNING) {
        stop_because(e, "stopped by request");
        events_add(&e->events, EVENT_NOTICE, "drain", "", "draining: %zu in flight finish",
                   fetch_in_flight(e->fetch));
    }
}

static void abort_run(struct engine *e, enum exit_code code)
{
    if (is_active(e)) {
        stop_because(e, "aborted");
        e->ended_by = code;
        work_cancel(&e->work);
        fetch_cancel_all(e->fetch);
        committer_flush(e->committer);
    } else if (e->phase == ENGINE_TABLE) {
        e->ended_by = code;
        table_cancel(e);
    }
}

/* --- the pump ------------------------------------------------------------------------------------ */

static unsigned effective_cap(struct engine *e, uint64_t now_us)
{
    if (e->cap_clamp && now_us >= e->clamp_until_us) {
        e->cap_clamp = e->cap_clamp * 2 < e->cap ? e->cap_clamp * 2 : 0;
        e->clamp_until_us = now_us + 10 * US_PER_S;
    }
    return e->cap_clamp && e->cap_clamp < e->cap ? e->cap_clamp : e->cap;
}

/* What forbids a start whatever the plan has to offer; LIMIT_NONE when nothing does. */
static enum run_limit standing_limit(struct engine *e, uint64_t now_us)
{
    unsigned cap = effective_cap(e, now_us);

    if (e->phase == ENGINE_DRAINING) {
        return LIMIT_DRAINING;
    }
    if (e->storage != RESULT_OK || committer_is_full(e->committer)) {
        return LIMIT_DISK;
    }
    if (e->paused || e->cap == 0) {
        return LIMIT_PAUSED;
    }
    if (now_us < e->memory_until_us) {
        return LIMIT_DESCRIPTORS;
    }
    if (fetch_in_flight(e->fetch) >= cap) {
        return cap < e->cap ? LIMIT_DESCRIPTORS : LIMIT_CAP;
    }
    if (pacer_wait_us(&e->pacer, now_us) > 0) {
        return LIMIT_RATE;
    }
    return LIMIT_NONE;
}

static void start_one(struct engine *e, struct request *request, uint64_t now_us)
{
    struct host *host = host_at(&e->hosts, request->host);
    bool tried = request->attempt > 0 && request->hops == 0;
    struct err err;

    if (request->hops == 0) {
        request->attempt++;
    }
    request->since_us = now_us;
    e->early_requests += host->hold_is_named && now_us < host->hold_until_us;
    if (fetch_start(e->fetch, request) == RESULT_OK) {
        pacer_start(&e->pacer, now_us);
        e->metrics.retried += tried;
        if (fetch_in_flight(e->fetch) > e->metrics.max_in_flight) {
            e->metrics.max_in_flight = (unsigned)fetch_in_flight(e->fetch);
        }
        return;
    }
    if (request->hops == 0) {
        request->attempt--;
    }
    host_ended(&e->hosts, host, false, now_us);
    e->memory_until_us = now_us + US_PER_S;
    events_add(&e->events, EVENT_WARNING, "shortage", "", "out of memory starting a request");
    if (frontier_put_back(e->frontier, request, &err) != RESULT_OK) {
        frontier_forget(e->frontier, request);
    }
}

/* The last cap of a drain downwards is forgotten once it holds. */
static void note_cap_reached(struct engine *e)
{
    if (fetch_in_flight(e->fetch) <= e->cap) {
        e->cap_before = e->cap;
    }
}

static enum frontier_answer start_what_may(struct engine *e, uint64_t now_us)
{
    enum frontier_answer answer = FRONTIER_REQUEST;
    struct request *request;
    struct err err;

    for (;;) {
        e->limit = standing_limit(e, now_us);
        if (e->limit != LIMIT_NONE) {
            return answer;
        }
        answer = frontier_next(e->frontier, now_us, &request, &err);
        if (answer != FRONTIER_REQUEST) {
            break;
        }
        start_one(e, request, now_us);
    }
    switch (answer) {
    case FRONTIER_HELD:
        e->limit = LIMIT_HOLD;
        break;
    case FRONTIER_HOST_FULL:
        e->limit = LIMIT_HOST_CAP;
        break;
    case FRONTIER_WAITING:
        e->limit = LIMIT_ALL_WAITING;
        break;
    case FRONTIER_ERROR:
        events_add(&e->events, EVENT_ERROR, "error", "", "%s", err.text);
        snprintf(e->trouble, sizeof e->trouble, "%s", err.text);
        e->ended_by = EXIT_INTERNAL;
        stop_because(e, "%s", err.text);
        e->limit = LIMIT_DRAINING;
        break;
    default:
        e->limit = LIMIT_QUEUE_EMPTY;
        break;
    }
    return answer;
}

static void on_wake(uv_timer_t *timer)
{
    engine_pump(timer->data);
}

static void arm_wake(struct engine *e, uint64_t now_us)
{
    uint64_t wake_us = TIME_NEVER;
    uint64_t pace_us = pacer_wait_us(&e->pacer, now_us);

    if (e->limit == LIMIT_RATE) {
        wake_us = now_us + pace_us;
    } else if (e->limit == LIMIT_DESCRIPTORS) {
        wake_us = e->memory_until_us > now_us ? e->memory_until_us : e->clamp_until_us;
    } else if (e->limit != LIMIT_CAP && e->limit != LIMIT_PAUSED && e->limit != LIMIT_DRAINING) {
        wake_us = frontier_wake_us(e->frontier, now_us);
    }
    if (wake_us == TIME_NEVER) {
        uv_timer_stop(&e->wake);
        return;
    }
    /* Rounded up: a millisecond late is fine, a microsecond early would break a server's word. */
    uv_timer_start(&e->wake, on_wake,
                   wake_us > now_us ? (wake_us - now_us + US_PER_MS - 1) / US_PER_MS : 1, 0);
}

/* Nobody is there to decide, and a server asks for more patience than --max-wait. */
static void give_up_waiting(struct engine *e, uint64_t now_us)
{
    uint64_t wake_us = frontier_wake_us(e->frontier, now_us);
    uint64_t patience_us = e->job->retry.max_wait_us;
    char length[UNITS_TEXT_MAX];

    if (patience_us < e->job->retry.backoff_cap_us) {
        patience_us = e->job->retry.backoff_cap_us;
    }
    if (patience_us < HOST_HOLD_GROWTH_MAX_US) {
        patience_us = HOST_HOLD_GROWTH_MAX_US;
    }
    if (e->options.attended || wake_us == TIME_NEVER || wake_us - now_us <= patience_us) {
        return;
    }
    units_format_time(wake_us - now_us, length);
    events_add(&e->events, EVENT_WARNING, "wait", "",
               "the server asks to wait %s, longer than --max-wait; resume later", length);
    stop_because(e, "the server asks to wait %s", length);
}

static void see_whether_over(struct engine *e, enum frontier_answer answer, uint64_t now_us)
{
    if (!is_active(e)) {
        return;
    }
    if (fetch_in_flight(e->fetch) == 0 && e->checking == 0) {
        committer_flush(e->committer);
    }
    if (!is_quiet(e)) {
        return;
    }
    if (e->phase == ENGINE_RUNNING && (answer == FRONTIER_HELD || answer == FRONTIER_WAITING)) {
        give_up_waiting(e, now_us);
    }
    if (e->phase == ENGINE_RUNNING && answer == FRONTIER_EMPTY) {
        all_settled(e);
    } else if (e->phase == ENGINE_DRAINING) {
        become_done(e);
    }
}

void engine_pump(struct engine *e)
{
    enum frontier_answer answer;
    uint64_t now_us;

    if (e->pumping || !is_active(e)) {
        return;
    }
    e->pumping = true;
    now_us = engine_now_us(e);
    answer = start_what_may(e, now_us);
    note_cap_reached(e);
    e->pumping = false;
    fetch_kick(e->fetch);
    if (is_active(e)) {
        arm_wake(e, now_us);
        see_whether_over(e, answer, now_us);
    }
}

/* --- ticks ---------------------------------------------------------------------------------------- */

static void note_sample(struct engine *e)
{
    char fields[256];

    snprintf(fields, sizeof fields,
             ",\"ok\":%llu,\"failed\":%llu,\"waiting\":%zu,\"in_flight\":%zu,\"cap\":%u,"
             "\"req_per_s\":%.1f,\"p95_ms\":%llu,\"throttled\":%llu",
             (unsigned long long)(e->metrics.ok + e->metrics.ok_before),
             (unsigned long long)(e->metrics.failed + e->metrics.failed_before),
             frontier_waiting(e->frontier), fetch_in_flight(e->fetch), e->cap,
             metrics_rate(&e->metrics, METRICS_RATE_WINDOW_S),
             (unsigned long long)(hist_percentile_us(&e->metrics.latency, 95) / US_PER_MS),
             (unsigned long long)e->metrics.mix.throttled);
    events_note(&e->events, "sample", fields);
}

static void on_tick(uv_timer_t *timer)
{
    struct engine *e = timer->data;
    uint64_t now_us = engine_now_us(e);

    hist_record(&e->cpu.lag, now_us > e->tick_due_us ? now_us - e->tick_due_us : 0);
    e->tick_due_us = now_us + TICK_MS * US_PER_MS;
    metrics_tick(&e->metrics, now_us, e->cap, (unsigned)fetch_in_flight(e->fetch));
    if (now_us >= e->cpu_due_us) {
        cpu_sample(&e->cpu, now_us);
        e->cpu_due_us = now_us + CPU_SAMPLE_US;
    }
    if (now_us >= e->sample_due_us && is_active(e)) {
        note_sample(e);
        e->sample_due_us = now_us + SAMPLE_US;
    }
    engine_pump(e);
}

/* --- commands -------------------------------------------------------------------------------------- */

static void set_cap(struct engine *e, int64_t wanted, char reply[CONTROL_REPLY_MAX])
{
    unsigned before = e->cap, cap;
    size_t in_flight = fetch_in_flight(e->fetch);
    char fields[64];

    cap = wanted < 0 ? 0 : wanted > JOB_CAP_MAX ? JOB_CAP_MAX : (unsigned)wanted;
    if (cap == before) {
        snprintf(reply, CONTROL_REPLY_MAX, "cap is %u", cap);
        return;
    }
    e->cap = cap;
    e->cap_before = cap < in_flight ? before : cap;
    if (cap > e->metrics.cap_max) {
        e->metrics.cap_max = cap;
    }
    snprintf(fields, sizeof fields, ",\"from\":%u,\"cap\":%u", before, cap);
    events_add(&e->events, EVENT_NOTICE, "cap", fields, "cap %u -> %u by you", before, cap);
    if (!cap) {
        snprintf(reply, CONTROL_REPLY_MAX, "paused: a cap of 0 starts nothing");
    } /* any other cap is seen in the header, and what is being drained with it */
    metrics_tick(&e->metrics, engine_now_us(e), cap, (unsigned)in_flight);
}

/* Steps never pass below 1: pausing is another key. */
static void step_cap(struct engine *e, int64_t wanted, char reply[CONTROL_REPLY_MAX])
{
    set_cap(e, wanted < 1 ? 1 : wanted, reply);
}

static void set_rate(struct engine *e, const char *text, char reply[CONTROL_REPLY_MAX])
{
    struct rate rate;
    struct err err;
    char shown[UNITS_TEXT_MAX];

    if (units_parse_rate(str_view(text), &rate, &err) != RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
        return;
    }
    pacer_set_rate(&e->pacer, rate);
    units_format_rate(rate, shown);
    events_add(&e->events, EVENT_NOTICE, "rate", "", "rate %s by you", shown);
    snprintf(reply, CONTROL_REPLY_MAX, "rate %s", shown);
}

static void toggle_pause(struct engine *e, char reply[CONTROL_REPLY_MAX])
{
    e->paused = !e->paused;
    events_add(&e->events, EVENT_NOTICE, e->paused ? "pause" : "resume", "", "%s by you",
               e->paused ? "paused" : "resumed");
    snprintf(reply, CONTROL_REPLY_MAX, e->paused ? "paused: %zu in flight finish" : "resumed",
             fetch_in_flight(e->fetch));
}

static void toggle_table(struct engine *e, char reply[CONTROL_REPLY_MAX])
{
    struct err err;

    if (table_is_running(e)) {
        table_cancel(e);
        snprintf(reply, CONTROL_REPLY_MAX, "normalise: cancelling");
    } else if (table_start(e, e->options.table_path, &err) == RESULT_OK) {
        snprintf(reply, CONTROL_REPLY_MAX, "normalise: writing %s", e->options.table_path);
    } else {
        snprintf(reply, CONTROL_REPLY_MAX, "%s", err.text);
    }
}

uint32_t engine_verbs(void)
{
    return 1U << CONTROL_CAP_SET | 1U << CONTROL_CAP_ADD | 1U << CONTROL_CAP_DOUBLE |
           1U << CONTROL_CAP_HALVE | 1U << CONTROL_RATE_SET | 1U << CONTROL_PAUSE |
           1U << CONTROL_NORMALISE | 1U << CONTROL_MARK | 1U << CONTROL_DRAIN | 1U << CONTROL_ABORT;
}

void engine_control(struct engine *e, const struct control *control, char reply[CONTROL_REPLY_MAX])
{
    int64_t cap = e->cap;

    reply[0] = '\0';
    switch (control->verb) {
    case CONTROL_CAP_SET:
        set_cap(e, control->number, reply);
        break;
    case CONTROL_CAP_ADD:
        step_cap(e, cap + control->number, reply);
        break;
    case CONTROL_CAP_DOUBLE:
        step_cap(e, cap * 2, reply);
        break;
    case CONTROL_CAP_HALVE:
        step_cap(e, cap / 2, reply);
        break;
    case CONTROL_RATE_SET:
        set_rate(e, control->text, reply);
        break;
    case CONTROL_PAUSE:
        toggle_pause(e, reply);
        break;
    case CONTROL_NORMALISE:
        toggle_table(e, reply);
        break;
    case CONTROL_MARK:
        events_add(&e->events, EVENT_NOTICE, "mark", "", "note: %s", control->text);
        break;
    case CONTROL_DRAIN:
        drain(e);
        snprintf(reply, CONTROL_REPLY_MAX, "draining %zu", fetch_in_flight(e->fetch));
        break;
    case CONTROL_ABORT:
        abort_run(e, control->number ? (enum exit_code)control->number : EXIT_INTERRUPTED);
        break;
    default:
        snprintf(reply, CONTROL_REPLY_MAX, "not possible in this run");
        break;
    }
    engine_pump(e);
}

void engine_continued(struct engine *e, uint64_t slept_us)
{
    char length[UNITS_TEXT_MAX];

    e->slept_from_us = engine_now_us(e);
    e->tick_due_us = e->slept_from_us;
    units_format_time(slept_us, length);
    events_add(&e->events, EVENT_INFO, "continued", "", "continued after %s stopped", length);
    engine_pump(e);
}

void engine_set_attended(struct engine *e, bool attended)
{
    e->options.attended = attended;
    engine_pump(e);
}

bool engine_is_done(const struct engine *e)
{
    return e->phase == ENGINE_DONE;
}

/* --- the store's trouble ------------------------------------------------------------------------- */

static void on_trouble(void *context, enum result result, const struct err *err)
{
    struct engine *e = context;

    if (result == RESULT_OK) {
        e->storage = RESULT_OK;
        e->trouble[0] = '\0';
        events_add(&e->events, EVENT_NOTICE, "disk", "", "space returned: going on");
        engine_pump(e);
        return;
    }
    snprintf(e->trouble, sizeof e->trouble, "%s", err->text);
    events_add(&e->events, EVENT_ERROR, "disk", "", "%s", err->text);
    e->storage = result;
    if (result != RESULT_FULL && is_active(e)) {
        stop_because(e, "%s", err->text);
        fetch_cancel_all(e->fetch);
    }
    engine_pump(e);
}

static void on_event_line(void *context, struct str line)
{
    struct engine *e = context;

    if (e->committer) {
        committer_event(e->committer, line);
    }
}

/* --- making and unmaking ------------------------------------------------------------------------- */

struct restore {
    struct engine *engine;
    struct err *err;
    enum result result;
    uint64_t now_us;
    int64_t wall_us;
};

static void restore_row(void *context, const struct ledger_row *row)
{
    struct restore *r = context;
    struct engine *e = r->engine;
    uint64_t due_us = 0;

    if (r->result != RESULT_OK) {
        return;
    }
    if (row->state == SETTLE_WAITING) {
        int64_t left_us = row->not_before_wall_us - r->wall_us;

        /* Those that are over start with fresh jitter, so that they do not come as a herd. */
        due_us = left_us > 0 ? r->now_us + (uint64_t)left_us
                             : r->now_us + retry_backoff_us(&e->job->retry, row->attempt,
                                                            engine_random(e), NULL);
    }
    r->result = frontier_restore(e->frontier, row->id, due_us, r->now_us, row->attempt, row->reason,
                                 row->set_by, r->err);
}

static enum result restore_rows(struct engine *e, struct err *err)
{
    struct restore r = { e, err, RESULT_OK, engine_now_us(e), clock_wall_us(&e->options.clock) };
    enum result result = committer_each_row(e->committer, restore_row, &r, err);

    return result == RESULT_OK ? r.result : result;
}

static enum result build_fetch(struct engine *e, struct err *err)
{
    const struct job *job = e->job;
    struct fetch_options o = {
        .loop = e->options.loop,
        .clock = e->options.clock,
        .header_count = job->header_count,
        .ca_file = job->network.ca_file,
        .insecure = job->network.insecure,
        .http2 = job->network.http2,
        .connect_timeout_us = job->network.connect_timeout_us,
        .stall_timeout_us = job->network.stall_timeout_us,
        .total_timeout_us = job->network.total_timeout_us,
        .body_max_bytes = job->network.body_max_bytes,
        .on_response = judge_response,
        .context = e,
    };

    e->endpoints = calloc(job->endpoint_count + 1, sizeof *e->endpoints);
    e->headers = calloc(job->header_count + 1, sizeof *e->headers);
    if (!e->endpoints || !e->headers) {
        return err_nomem(err, "preparing requests");
    }
    for (size_t i = 0; i < job->endpoint_count; i++) {
        e->endpoints[i] =
            (struct fetch_endpoint){ job->endpoints[i].method, job->endpoints[i].body };
    }
    for (size_t i = 0; i < job->header_count; i++) {
        e->headers[i] = job->headers[i].sent;
    }
    o.endpoints = e->endpoints;
    o.headers = e->headers;
    return fetch_new(&e->fetch, &o, err);
}

static enum result open_store(struct engine *e, struct recovery *recovery, struct err *err)
{
    struct committer_options o = {
        .loop = e->options.loop,
        .dir = e->options.dir,
        .clock = e->options.clock,
        .on_committed = judge_committed,
        .on_trouble = on_trouble,
        .context = e,
    };

    return committer_open(&e->committer, &o, recovery, err);
}

static void tell_start(struct engine *e, const struct recovery *r)
{
    char discarded[UNITS_TEXT_MAX];

    if (!r->resumed) {
        events_add(&e->events, EVENT_INFO, "start", "", "start: %llu requests",
                   (unsigned long long)frontier_total(e->frontier));
        return;
    }
    units_format_bytes(r->discarded_bytes, discarded);
    events_add(&e->events, EVENT_INFO, "start", "",
               "resumed: %llu of %llu done, %llu failed, %llu waiting%s%s%s",
               (unsigned long long)r->done, (unsigned long long)frontier_total(e->frontier),
               (unsigned long long)r->failed, (unsigned long long)r->waiting,
               r->unclean ? "; the last session was cut off, " : "", r->unclean ? discarded : "",
               r->unclean ? " of uncommitted tail discarded" : "");
}

static void free_parts(struct engine *e)
{
    judge_release(e);
    frontier_free(e->frontier);
    host_table_release(&e->hosts);
    table_release(e);
    events_release(&e->events);
    buf_release(&e->shown);
    buf_release(&e->redacted);
    free(e->endpoints);
    free(e->headers);
    free(e);
}

static void on_part_closed(void *context)
{
    struct engine *e = context;
    void (*closed)(void *context) = e->closed;

    context = e->options.context;
    if (--e->closing) {
        return;
    }
    free_parts(e);
    closed(context);
}

static void on_timer_closed(uv_handle_t *handle)
{
    on_part_closed(handle->data);
}

/* Descriptors are cheap, a soft limit of 1024 is a default of the login shell. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit); /* without it we learn from EMFILE */
    }
}

static enum result assemble(struct engine *e, struct recovery *recovery, struct err *err)
{
    struct frontier_options fo = { e->job, &e->hosts, e->options.list_fds };
    enum result result = frontier_new(&e->frontier, &fo, err);

    if (result == RESULT_OK) {
        result = open_store(e, recovery, err);
    }
    if (result == RESULT_OK) {
        result = restore_rows(e, err);
    }
    if (result == RESULT_OK) {
        result = build_fetch(e, err);
    }
    return result;
}

enum result engine_new(struct engine **engine, const struct engine_options *options,
                       struct err *err)
{
    struct engine *e = calloc(1, sizeof *e);
    struct recovery recovery = { 0 };
    enum result result;
    uint64_t now_us;

    *engine = NULL;
    if (!e) {
        return err_nomem(err, "setting up the run");
    }
    e->options = *options;
    e->job = options->job;
    e->random_state = options->seed;
    now_us = engine_now_us(e);
    e->events = (struct events){
        .clock = options->clock, .secrets = &e->job->secrets, .write = on_event_line, .context = e
    };
    host_table_init(&e->hosts, e->job->pace.cap_per_host);
    pacer_init(&e->pacer, e->job->pace.rate);
    metrics_init(&e->metrics, now_us);
    cpu_init(&e->cpu, now_us);
    e->cap = e->cap_before = e->metrics.cap_max = e->job->pace.cap;
    work_init(&e->work, options->loop, work_limit_of_pool(work_pool_threads()));
    uv_timer_init(options->loop, &e->wake);
    uv_timer_init(options->loop, &e->tick);
    e->wake.data = e->tick.data = e;
    raise_descriptor_limit();
    result = assemble(e, &recovery, err);
    *engine = e;
    if (result != RESULT_OK) {
        return result; /* the caller closes what there is */
    }
    e->metrics.ok_before = recovery.done;
    e->metrics.failed_before = recovery.failed;
    tell_start(e, &recovery);
    return RESULT_OK;
}

enum result engine_start(struct engine *e, struct err *err)
{
    enum result result = committer_start(e->committer, err);

    if (result != RESULT_OK) {
        return result;
    }
    e->phase = ENGINE_RUNNING;
    e->tick_due_us = engine_now_us(e) + TICK_MS * US_PER_MS;
    uv_timer_start(&e->tick, on_tick, TICK_MS, TICK_MS);
    committer_set_planned(e->committer, frontier_total(e->frontier));
    engine_pump(e);
    return RESULT_OK;
}

void engine_close(struct engine *e, void (*closed)(void *context))
{
    bool clean = e->phase == ENGINE_DONE && e->storage == RESULT_OK;

    assert(!e->closing);
    e->phase = ENGINE_CLOSING;
    e->closed = closed;
    e->closing = 2 + (e->fetch != NULL) + (e->committer != NULL);
    uv_close((uv_handle_t *)&e->wake, on_timer_closed);
    uv_close((uv_handle_t *)&e->tick, on_timer_closed);
    if (e->fetch) {
        fetch_cancel_all(e->fetch);
        fetch_close(e->fetch, on_part_closed);
    }
    if (e->committer) {
        committer_close(e->committer, clean, on_part_closed);
    }
}
