#include "tests/ui_scenes.h"

#include "base/clock.h"
#include "tests/ui_scenes_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOTAL 90000
#define WALL_START_US (INT64_C(1795183200) * 1000000) /* 2026-11-20T14:00:00Z */

const char *ui_scene_name(enum ui_scene scene)
{
    static const char *const names[SCENE_COUNT] = {
        [SCENE_STARTING] = "starting",
        [SCENE_RUNNING] = "running",
        [SCENE_PAUSED] = "paused",
        [SCENE_DRAINING] = "draining",
        [SCENE_LOWERED] = "lowered",
        [SCENE_ALL_WAITING] = "all-waiting",
        [SCENE_RESTING] = "resting",
        [SCENE_HELD] = "held",
        [SCENE_DISK_FULL] = "disk-full",
        [SCENE_NORMALISING] = "normalising",
        [SCENE_AUTH] = "auth",
        [SCENE_SWEEP] = "sweep",
        [SCENE_NETWORK_DOWN] = "network-down",
        [SCENE_TABLE] = "table",
        [SCENE_STOPPED] = "stopped",
        [SCENE_DONE] = "done",
        [SCENE_FAILED] = "failed",
        [SCENE_TUNED] = "tuned",
        [SCENE_FLEET] = "fleet",
        [SCENE_HOSTILE] = "hostile",
        [SCENE_HUGE] = "huge",
    };

    return names[scene];
}

/* Noise that is the same on every machine: xorshift of the argument. */
static uint32_t noise(uint64_t n)
{
    n = n * UINT64_C(0x9E3779B97F4A7C15) + 1;
    n ^= n >> 29;
    n *= UINT64_C(0xBF58476D1CE4E5B9);
    n ^= n >> 32;
    return (uint32_t)n;
}

static void fill_pace(struct snapshot *s, unsigned cap, uint64_t at_us)
{
    static const uint64_t counts[SNAPSHOT_LATENCY_BARS] = { 0,    120, 2400, 18000, 31000, 8200,
                                                            1900, 240, 33,   0,     0,     0 };
    uint64_t now_s = s->now_us / US_PER_S;

    s->cap = s->cap_before = cap;
    s->cap_max = 128;
    snprintf(s->rate_limit, sizeof s->rate_limit, "off");
    s->requests_per_s = cap / 0.628;
    s->requests_per_s_average = 31.1;
    s->bytes_per_s = s->requests_per_s * 18200;
    s->bytes = at_us / 1000 * 700;
    s->p50_us = 560000, s->p90_us = 900000, s->p95_us = 1100000, s->p99_us = 1900000;
    for (size_t i = 0; i < SNAPSHOT_LATENCY_BARS; i++) {
        s->latency_low_us[i] = i ? UINT64_C(25000) << i : 0;
        s->latency_count[i] = counts[i];
    }
    s->mix = (struct snapshot_status_mix){
        .ok = 61192, .client_error = 12, .throttled = 744, .server_error = 62, .network = 20
    };
    s->second_count = SNAPSHOT_SECONDS;
    for (size_t i = 0; i < SNAPSHOT_SECONDS; i++) {
        uint64_t second = now_s - i;
        bool before = i > 40;
        double done = (before ? 20 : cap) / 0.628 * (0.85 + noise(second) % 100 / 333.0);

        s->seconds[i] = (struct snapshot_second){
            .done = (uint32_t)done,
            .throttled = noise(second * 7) % 9 == 0 ? (uint32_t)(done / 12) : 0,
            .bytes = (uint64_t)(done * 18200),
            .cap = before ? 20 : cap,
            .in_flight = before ? 20 : cap,
            .p95_ms = 1100,
            .cap_changed = i == 40,
            .marked = i == 12,
        };
    }
}

static void fill_machine(struct snapshot *s)
{
    static const float busy[] = { 41, 12, 9, 2, 11, 1, 10, 3 };

    s->core_count = sizeof busy / sizeof busy[0];
    for (size_t i = 0; i < s->core_count; i++) {
        s->cores[i].busy_percent = busy[i];
    }
    s->loop_cpu_percent = 41;
    s->cpu_s = 55.2;
    s->io_ratio = 0.972;
    s->loop_lag_p99_us = 900;
    s->rss_bytes = 41300000;
    s->descriptors = 61;
    s->descriptors_max = 1024;
    s->disk_free_bytes = UINT64_C(212000000000);
    s->reuse_ratio = 0.991;
}

static void fill_flights(struct snapshot *s, unsigned cap, uint64_t at_us)
{
    static const enum flight_state states[] = { FLIGHT_WAIT, FLIGHT_WAIT, FLIGHT_RECEIVE,
                                                FLIGHT_WAIT, FLIGHT_TLS,  FLIGHT_DNS };
    static const char *const hosts[] = { "api.example.org", "api.example.org", "img.example.org",
                                         "cdn.example.org" };

    s->in_flight = cap;
    s->flight_count = cap < SNAPSHOT_FLIGHTS_MAX ? cap : SNAPSHOT_FLIGHTS_MAX;
    for (size_t i = 0; i < s->flight_count; i++) {
        struct snapshot_flight *f = &s->flights[i];
        uint64_t age = (s->flight_count - i) * 2100000 / s->flight_count;

        f->id = at_us / 600000 + i;
        f->age_us = age;
        f->state = i == 0 ? FLIGHT_RECEIVE : states[noise(f->id) % 6];
        f->attempt = noise(f->id) % 11 == 0 ? 2 : 1;
        f->attempts_max = 5;
        if (f->state == FLIGHT_RECEIVE) {
            f->body_bytes = 18200;
            f->first_byte_us = 540000;
            f->status = 200;
        }
        snprintf(f->host, sizeof f->host, "%s", hosts[noise(f->id * 3) % 4]);
        snprintf(f->request, sizeof f->request, "GET /products?page=%llu&per_page=50",
                 (unsigned long long)(61204 + f->id));
        snprintf(f->key, sizeof f->key, "%llu", (unsigned long long)(61204 + f->id));
    }
}

#define BACKOFF(us, most_us)                                                                       \
    {                                                                                              \
        .by = DUE_BACKOFF, .wait_us = (us), .ceiling_us = (most_us)                                \
    }
#define QUOTA                                                                                      \
    {                                                                                              \
        .by = DUE_QUOTA, .status = 429, .said = "r=0; t=41"                                        \
    }

static void fill_waits(struct snapshot *s, uint64_t at_us)
{
    static const struct {
        uint64_t due_us;
        uint32_t attempt;
        struct failure why;
        struct due due;
        const char *request;
    } waits[] = {
        { 2600000,
          2,
          { FAILURE_STATUS, 429 },
          { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" },
          "GET /products?page=61190" },
        { 10200000,
          3,
          { FAILURE_STATUS, 503 },
          BACKOFF(2700000, 4000000),
          "GET /products?page=61201" },
        { 18400000,
          1,
          { FAILURE_TIMEOUT, 0 },
          BACKOFF(800000, 1000000),
          "GET /products?page=61207" },
        { 40100000, 2, { FAILURE_STATUS, 429 }, QUOTA, "GET /meta/88090" },
        { 40100000, 2, { FAILURE_STATUS, 429 }, QUOTA, "GET /meta/88093" },
        { 40200000, 2, { FAILURE_STATUS, 429 }, QUOTA, "GET /meta/88094" },
        { 40200000, 5, { FAILURE_STATUS, 429 }, QUOTA, "GET /meta/88101" },
    };
    uint64_t passed = at_us % 2000000;

    s->waiting = s->wait_count = sizeof waits / sizeof waits[0];
    for (size_t i = 0; i < s->wait_count; i++) {
        struct snapshot_wait *w = &s->waits[i];

        w->id = 900 + i;
        w->due_in_us = waits[i].due_us - passed;
        w->attempt = waits[i].attempt;
        w->attempts_max = 5;
        w->why = waits[i].why;
        w->due = waits[i].due;
        snprintf(w->reason, sizeof w->reason, w->why.status ? "HTTP %d" : "timed out after 30 s",
                 w->why.status);
        snprintf(w->host, sizeof w->host, "%s", i < 3 ? "api.example.org" : "cdn.example.org");
        snprintf(w->request, sizeof w->request, "%s", waits[i].request);
    }
    s->wait_mix.throttled = 5;
    s->wait_mix.server = 1;
    s->wait_mix.network = 1;
    s->next_due_in_us = s->waits[0].due_in_us;
}

static void fill_hosts(struct snapshot *s)
{
    s->host_count = 3;
    s->hosts[0] = (struct snapshot_host){ .host = "api.example.org",
                                          .cap = 20,
                                          .in_flight = 20,
                                          .queued = 24896,
                                          .requests = 58104,
                                          .throttled = 813,
                                          .requests_per_s = 33.1,
                                          .quota_left = 812,
                                          .quota_limit = 1000,
                                          .quota_reset_in_us = 41000000 };
    s->hosts[1] = (struct snapshot_host){ .host = "img.example.org",
                                          .in_flight = 3,
                                          .requests = 2100,
                                          .requests_per_s = 4.2,
                                          .quota_left = -1,
                                          .quota_limit = -1 };
    s->hosts[2] = (struct snapshot_host){ .host = "cdn.example.org",
                                          .cap = 4,
                                          .in_flight = 1,
                                          .queued = 3869,
                                          .requests = 1000,
                                          .throttled = 90,
                                          .requests_per_s = 0.9,
                                          .hold_in_us = 40100000,
                                          .due = { .by = DUE_HOST_HOLD, .status = 429 },
                                          .quota_left = -1,
                                          .quota_limit = -1 };
}

static void fill_failures(struct snapshot *s)
{
    s->failure_count = 3;
    s->failures[0] = (struct snapshot_failure){ .why = { FAILURE_STATUS, 404 },
                                                .count = 9,
                                                .last_ago_us = 118000000,
                                                .example = "GET /meta/88017" };
    s->failures[1] = (struct snapshot_failure){ .why = { FAILURE_CONNECT, 0 },
                                                .count = 2,
                                                .last_ago_us = 1157000000,
                                                .example = "GET https://img.example.org/88013" };
    s->failures[2] = (struct snapshot_failure){ .why = { FAILURE_STATUS, 422 },
                                                .count = 1,
                                                .last_ago_us = 1898000000,
                                                .example = "GET /products?page=0",
                                                .said = "{\"detail\":\"page counts from 1\"}" };
}

static void fill_events(struct snapshot *s)
{
    static const struct {
        int64_t ago_s;
        enum event_level level;
        const char *text;
    } events[] = {
        { 1, EVENT_INFO, "checkpoint: 61204 done, 7 waiting, 28765 queued" },
        { 8, EVENT_WARNING, "503 /products?page=61201 try 3/5, wait 2.7 s" },
        { 22, EVENT_INFO, "auth token refreshed (1 login, 3 requests re-queued)" },
        { 26, EVENT_WARNING, "429 x3 /products -> host held 30 s (Retry-After)" },
        { 40, EVENT_NOTICE, "cap 20 -> 24 by you" },
        { 118, EVENT_ERROR, "404 /meta/88017 failed for good" },
        { 1157, EVENT_ERROR, "img.example.org: connect timeout, 5/5 tries" },
        { 1969, EVENT_INFO, "start: 90000 requests, resumed 0" },
    };

    s->event_count = sizeof events / sizeof events[0];
    for (size_t i = 0; i < s->event_count; i++) {
        s->events[i].serial = 100 + s->event_count - i;
        s->events[i].wall_us = s->wall_us - events[i].ago_s * (int64_t)US_PER_S;
        s->events[i].level = events[i].level;
        s->events[i].repeats = i == 3 ? 12 : 1;
        snprintf(s->events[i].text, sizeof s->events[i].text, "%s", events[i].text);
    }
}

static void fill_running(struct snapshot *s, unsigned cap, uint64_t at_us)
{
    uint64_t moved = at_us / 1000000 * 38 % 20000;

    s->state = RUN_RUNNING;
    s->limit = (struct snapshot_limit){ .kind = LIMIT_CAP, .by = LIMIT_BY_USER, .cap = cap };
    s->total_known = true;
    s->total = TOTAL;
    s->ok = 61192 + moved;
    s->failed = 12;
    s->retried = 204;
    s->queued = TOTAL - s->ok - s->failed - 7 - cap;
    s->storing = 2;
    s->eta_known = true;
    s->eta_low_us = 12 * 60 * US_PER_S;
    s->eta_high_us = 15 * 60 * US_PER_S;
    fill_pace(s, cap, at_us);
    fill_machine(s);
    fill_flights(s, cap, at_us);
    fill_waits(s, at_us);
    fill_hosts(s);
    fill_failures(s);
    fill_events(s);
    s->normalise = (struct snapshot_normalise){
        .rows = 3000000,
        .columns = 37,
        .elapsed_us = 21400000,
        .new_records = 1192,
        .workers = 8,
        .have_table = true,
        .output = "catalog108.run/catalog108.csv",
    };
}

static void clear_flights(struct snapshot *s)
{
    s->in_flight = 0;
    s->flight_count = 0;
    s->requests_per_s = 0;
    s->bytes_per_s = 0;
}

static void limit(struct snapshot *s, enum run_state state, struct snapshot_limit why)
{
    s->state = state;
    s->limit = why;
}

static void fill_starting(struct snapshot *s, unsigned cap)
{
    char name[sizeof s->name];
    struct snapshot fresh = { .pid = s->pid, .now_us = s->now_us, .wall_us = s->wall_us };

    snprintf(name, sizeof name, "%s", s->name);
    *s = fresh;
    snprintf(s->name, sizeof s->name, "%s", name);
    s->cap = s->cap_before = cap;
    snprintf(s->rate_limit, sizeof s->rate_limit, "off");
    s->next_due_in_us = TIME_NEVER;
    s->state = RUN_STARTING;
}

static void fill_ended(struct snapshot *s, bool well)
{
    clear_flights(s);
    s->waiting = s->wait_count = 0;
    s->queued = 0;
    memset(&s->wait_mix, 0, sizeof s->wait_mix);
    s->next_due_in_us = TIME_NEVER;
    s->failed = well ? 0 : 12;
    s->failure_count = well ? 0 : s->failure_count;
    s->ok = TOTAL - s->failed;
    s->eta_known = false;
    limit(s, RUN_DONE, (struct snapshot_limit){ .kind = LIMIT_QUEUE_EMPTY });
}

static void fill_table(struct snapshot *s)
{
    s->normalise.state = NORMALISE_ROWS;
    s->normalise.records_done = 50200;
    s->normalise.records_total = 122384;
    s->normalise.workers_busy = 7;
}

static void fill_network_down(struct snapshot *s)
{
    clear_flights(s);
    s->eta_known = false;
    for (size_t i = 0; i < s->wait_count; i++) {
        s->waits[i].why = (struct failure){ i < 4 ? FAILURE_DNS : FAILURE_CONNECT, 0 };
        s->waits[i].due = (struct due)BACKOFF(2700000, 4000000);
        snprintf(s->waits[i].reason, sizeof s->waits[i].reason, "%s",
                 i < 4 ? "Could not resolve host: api.example.org" : "network is unreachable");
    }
    memset(&s->wait_mix, 0, sizeof s->wait_mix);
    s->wait_mix.network = (uint32_t)s->wait_count;
    for (size_t i = 0; i < s->host_count; i++) {
        s->hosts[i].in_flight = 0;
        s->hosts[i].hold_in_us = 27000000;
        s->hosts[i].due = (struct due){ .by = DUE_BREAKER };
    }
    limit(s, RUN_NETWORK_DOWN,
          (struct snapshot_limit){ .kind = LIMIT_HOLD,
                                   .in_us = 27000000,
                                   .host = "api.example.org",
                                   .due = { .by = DUE_BREAKER },
                                   .reason = "Could not resolve host: api.example.org",
                                   .have_waiting = true });
}

static void fill_resting(struct snapshot *s)
{
    fill_ended(s, true);
    s->rounds = 41;
    s->rounds_wanted = 120;
    s->rounds_skipped = 2;
    s->unchanged = s->ok / 3;
    s->next_due_in_us = 23 * US_PER_S;
    limit(s, RUN_RESTING,
          (struct snapshot_limit){ .kind = LIMIT_ROUND, .in_us = 23000000, .every_us = 30000000 });
}

static void fill_ladder(struct snapshot *s)
{
    static const struct snapshot_rung rungs[] = {
        { 5, 130000000, 1118, 8.6, 8.6, 550000, 900000, 0, "" },
        { 10, 270000000, 4617, 17.1, 17.1, 552000, 910000, 0, "" },
        { 20, 969000000, 32558, 33.6, 33.6, 556000, 980000, 0.003, "best at 429 < 0.5%" },
        { 24, 600000000, 22920, 38.2, 38.2, 560000, 1100000, 0.012, "+14% rate, 4x the 429s" },
    };

    s->rung_count = sizeof rungs / sizeof rungs[0];
    memcpy(s->rungs, rungs, sizeof rungs);
}

void ui_scene_fill(struct snapshot *s, enum ui_scene scene, unsigned cap, uint64_t at_us)
{
    memset(s, 0, sizeof *s);
    snprintf(s->name, sizeof s->name, "catalog108");
    snprintf(s->run_dir, sizeof s->run_dir, "catalog108.run");
    s->pid = 4121;
    s->now_us = at_us + 1000 * US_PER_S;
    s->wall_us = WALL_START_US + (int64_t)at_us;
    fill_running(s, cap, at_us);
    s->started_ago_us = at_us;

    switch (scene) {
    case SCENE_STARTING:
        fill_starting(s, cap);
        break;
    case SCENE_PAUSED:
        s->attached = 2;
        limit(s, RUN_PAUSED, (struct snapshot_limit){ .kind = LIMIT_PAUSED, .by = LIMIT_BY_USER });
        break;
    case SCENE_DRAINING:
        s->in_flight = s->flight_count = s->draining = 9;
        limit(s, RUN_DRAINING, (struct snapshot_limit){ .kind = LIMIT_DRAINING });
        break;
    case SCENE_LOWERED:
        s->cap = cap / 2;
        s->draining = cap - cap / 2;
        break;
    case SCENE_ALL_WAITING:
        clear_flights(s);
        s->queued = 0;
        s->eta_known = false;
        limit(s, RUN_ALL_WAITING,
              (struct snapshot_limit){ .kind = LIMIT_ALL_WAITING,
                                       .in_us = s->next_due_in_us,
                                       .reason = "HTTP 429",
                                       .have_waiting = true });
        break;
    case SCENE_RESTING:
        fill_resting(s);
        break;
    case SCENE_HELD:
        clear_flights(s);
        limit(s, RUN_HELD,
              (struct snapshot_limit){
                  .kind = LIMIT_HOLD,
                  .in_us = 27000000,
                  .host = "api.example.org",
                  .due = { .by = DUE_RETRY_AFTER, .status = 429, .said = "30" } });
        break;
    case SCENE_DISK_FULL:
        clear_flights(s);
        s->storage_trouble = true;
        snprintf(s->trouble, sizeof s->trouble,
                 "disk full: nothing is started until there is room for 64 MB in catalog108.run");
        limit(s, RUN_DISK_FULL, (struct snapshot_limit){ .kind = LIMIT_DISK, .by = LIMIT_BY_FULL });
        break;
    case SCENE_NORMALISING:
        fill_table(s);
        break;
    case SCENE_AUTH:
        clear_flights(s);
        s->eta_known = false;
        s->login = (struct snapshot_login){ .is_used = true, .is_called = true, .is_asking = true };
        limit(s, RUN_AUTH, (struct snapshot_limit){ .kind = LIMIT_AUTH });
        break;
    case SCENE_SWEEP:
        s->sweep_step = 2;
        s->sweep_steps = 4;
        fill_ladder(s);
        s->state = RUN_SWEEP;
        break;
    case SCENE_NETWORK_DOWN:
        fill_network_down(s);
        break;
    case SCENE_TABLE:
        fill_ended(s, true);
        fill_table(s);
        s->state = RUN_NORMALISING;
        break;
    case SCENE_STOPPED:
        clear_flights(s);
        s->eta_known = false;
        limit(s, RUN_STOPPED, (struct snapshot_limit){ .kind = LIMIT_NONE });
        break;
    case SCENE_DONE:
    case SCENE_FAILED:
        fill_ended(s, scene == SCENE_DONE);
        break;
    case SCENE_TUNED:
        fill_ladder(s);
        ui_scene_tune(s);
        s->login = (struct snapshot_login){ .is_used = true,
                                            .is_called = true,
                                            .has_token = true,
                                            .expiry_known = true,
                                            .expires_in_us = 724 * US_PER_S };
        break;
    case SCENE_FLEET:
        clear_flights(s);
        ui_scene_share(s);
        break;
    case SCENE_HOSTILE:
        fill_ladder(s);
        ui_scene_tune(s);
        ui_scene_hurt(s, 0);
        break;
    case SCENE_HUGE:
        ui_scene_enlarge(s);
        break;
    case SCENE_RUNNING:
    case SCENE_COUNT:
        break;
    }
}
