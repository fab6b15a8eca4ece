#include "tests/ui_scenes.h"

#include "base/clock.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TOTAL 90000
#define WALL_START_US (INT64_C(1795183200) * 1000000) /* 2026-11-20T14:00:00Z */

const char *ui_scene_name(enum ui_scene scene)
{
    static const char *const names[SCENE_COUNT] = {
        "starting", "running",   "paused",      "draining", "lowered", "all-waiting",  "resting",
        "held",     "disk-full", "normalising", "auth",     "sweep",   "network-down", "table",
        "stopped",  "done",      "failed",      "tuned",    "hostile", "huge",
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

static void fill_rules(struct snapshot *s)
{
    static const struct snapshot_rule rules[] = {
        { 412, "products rule 1", "empty", "{\"status\":404,\"do\":\"empty\"}" },
        { 9, "rule 1", "hold", "{\"at\":\"/error/code\",\"is\":\"rate_limited\",\"do\":\"hold\"}" },
        { 31, "not ready", "again", "" },
        { 0, "rule 2", "stop", "{\"status\":402,\"do\":\"stop\"}" },
    };

    s->rule_count = sizeof rules / sizeof rules[0];
    memcpy(s->rules, rules, sizeof rules);
}

static void fill_on(struct snapshot *s)
{
    static const struct snapshot_on ons[] = {
        { 1, 2, true, false, "1.2 %", "429 > 2% for 60s: cap /2" },
        { 2, 0, false, true, "", "idle > 10m: drain" },
    };

    s->on_count = sizeof ons / sizeof ons[0];
    memcpy(s->ons, ons, sizeof ons);
}

static void fill_endpoints(struct snapshot *s)
{
    static const struct snapshot_endpoint endpoints[] = {
        { .name = "products",
          .planned = 83003,
          .done = 58104,
          .failed = 3,
          .waiting = 5,
          .requests_per_s = 33.1,
          .p50_us = 560000,
          .p95_us = 1080000,
          .throttled_part = 0.014,
          .server_error_part = 0.001,
          .rows = 2905150,
          .pages_known = true,
          .pages_expected = 83003,
          .pages_got = 58104,
          .pages_missing = 3,
          .note = "61190 61201 and 1 more" },
        { .name = "meta",
          .planned = 6978,
          .done = 3100,
          .failed = 9,
          .requests_per_s = 5.1,
          .p50_us = 590000,
          .p95_us = 1350000,
          .throttled_part = 0.009,
          .rows = 3089 },
        { .name = "stations", .planned = 1, .done = 1, .p50_us = 48000, .p95_us = 48000 },
    };

    s->endpoint_count = sizeof endpoints / sizeof endpoints[0];
    memcpy(s->endpoints, endpoints, sizeof endpoints);
}

static void fill_detail(struct snapshot *s)
{
    static const char body[] =
        "{\"products\":[{\"id\":3061401,\"name\":\"Desk lamp, \\\"Luna\\\"\",\"price\":{\"amount\":"
        "\"12.50\",\"currency\":\"EUR\"},\"tags\":[]},{\"id\":3061402,\"name\":\"De";
    struct snapshot_detail *d = &s->detail;

    d->id = 900;
    d->place = DETAIL_WAITING;
    d->attempt = 2;
    d->attempts_max = 5;
    d->due_in_us = s->waits[0].due_in_us;
    d->body_bytes = 18200;
    d->body_shown = sizeof body - 1;
    memcpy(d->body, body, sizeof body - 1);
    snprintf(d->method, sizeof d->method, "GET");
    snprintf(d->url, sizeof d->url, "https://api.example.org/products?page=61190&key=***");
    snprintf(d->request, sizeof d->request, "GET /products?page=61190&key=***");
    snprintf(d->key, sizeof d->key, "61190");
    snprintf(d->host, sizeof d->host, "api.example.org");
    snprintf(d->endpoint, sizeof d->endpoint, "products");
    d->due = (struct due){ .by = DUE_RETRY_AFTER, .status = 429, .said = "30" };
    snprintf(d->sent, sizeof d->sent, "X-Api-Key: ${API_KEY}\nAuthorization: ***\n");
    snprintf(d->headers, sizeof d->headers,
             "content-type: application/json\nretry-after: 30\nset-cookie: ***\n");
    d->attempt_count = 2;
    d->attempts[0] = (struct snapshot_attempt){ .attempt = 1,
                                                .status = 503,
                                                .ended_wall_us = s->wall_us - 63000000,
                                                .dns_us = 2100,
                                                .connect_us = 14000,
                                                .tls_us = 31000,
                                                .first_byte_us = 540000,
                                                .total_us = 541000,
                                                .wire_bytes = 312,
                                                .why = "HTTP 503" };
    d->attempts[1] = (struct snapshot_attempt){ .attempt = 2,
                                                .status = 429,
                                                .ended_wall_us = s->wall_us - 27000000,
                                                .first_byte_us = 61000,
                                                .total_us = 62000,
                                                .wire_bytes = 298,
                                                .reused = true,
                                                .why = "HTTP 429" };
}

/* Attacks on a terminal, and texts that are hard to lay out: sequences of both forms whole and cut,
 * strings that never end, controls, direction overrides, broken UTF-8, wide and combining characters. */
static const char *const attacks[] = {
    "\033]0;owned\007\033[2J\033[31mred",
    "\xC2\x9B"
    "2J\x9B"
    "31m C1",
    "\xE2\x80\xAEgnp.exe \xE2\x80\x8B\xEF\xBB\xBF",
    "\xF0\x9F\x92\xA9\xE6\xBC\xA2\xE5\xAD\x97 wide\xCC\x81\xCC\x82\xCC\x83\xCC\x84\xCC\x85",
    "\xFF\xFE\xC3\x28\xED\xA0\x80 broken",
    "\033P$q\033\\\033_apc\033\\\r\n\t\b\x7F",
    "%s%n%x {}[]",
    "\033]52;c;b3duZWQ=\007",
    "\033[H\033[2J\033[3J",
    "\033[?1049l\033[?25l",
    "\033[6n\033[c\033[>c",
    "\033[21t\033[11;0t",
    "\033[1;31;40;5;7m",
    "\033[38;2;255;0;0m",
    "\033[999;999H#",
    "\033[10000b",
    "\033[2L\033[2M",
    "\033[?2004h\033[200~q\033[201~",
    "\033[?1000h\033[?1006h",
    "\033[4h\033[20h",
    "\033[!p",
    "\033[8;1;1t",
    "\033c",
    "\033#8",
    "\033(0lqk\033(B",
    "\0337\0338",
    "\033N\033O",
    "\033%G\033%@",
    "\033=\033>",
    "\033D\033M\033E",
    "\033]2;title\033\\",
    "\033]8;;http://evil/\033\\link\033]8;;\033\\",
    "\033]9;4;1;50\007",
    "\033]4;1;rgb:00/00/00\007",
    "\033]11;?\007",
    "\033]777;notify;a;b\007",
    "\033]1337;File=inline=1:AAAA\007",
    "\033Pq#0;2;0;0;0~~\033\\",
    "\033^pm\033\\\033Xsos\033\\",
    "\033]0;never ended",
    "\033",
    "\033[",
    "\x90q\x9C\x9D"
    "0;t\x9C",
    "\xC2\x90q\xC2\x9C\xC2\x9D"
    "0;t\xC2\x9C",
    "\xC2\x84\xC2\x85\xC2\x8D\xC2\x8E",
    "\x84\x85\x8D\x8E",
    "a\rb\nc\vd\fe",
    "\x01\x02\x03\x04\x05\x06\x07",
    "\x0E\x0F\x10\x11\x12\x13\x14",
    "\x18\x1A\x1C\x1D\x1E\x1F",
    "back\b\b\b\bspace\x7F\x7F",
    "\xE2\x80\xAA\xE2\x80\xAB\xE2\x80\xAC\xE2\x80\xAD",
    "\xE2\x81\xA6\xE2\x81\xA7\xE2\x81\xA8\xE2\x81\xA9",
    "\xE2\x80\xA8\xE2\x80\xA9",
    "\xE2\x80\x8C\xE2\x80\x8D\xE2\x80\x8E\xE2\x80\x8F",
    "\xEF\xBF\xB9\xEF\xBF\xBA\xEF\xBF\xBB",
    "\xF3\xA0\x81\x81\xF3\xA0\x81\xBF tags",
    "\xEE\x80\x80\xF3\xB0\x80\x80 private",
    "\xCC\x81\xCC\x81\xCC\x81 leading marks",
    "\xC0\xAF\xE0\x80\xAF\xF8\x88\x80\x80\x80 overlong",
    "\xF4\x90\x80\x80\xEF\xBF\xBF beyond",
    "\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9 family \xEF\xB8\x8F",
};

#define ATTACK_COUNT (sizeof attacks / sizeof attacks[0])

static const char *attack(size_t *at)
{
    return attacks[(*at)++ % ATTACK_COUNT];
}

#define HURT(field) snprintf(field, sizeof(field), "%s", attack(&n))

static void fill_hostile_lists(struct snapshot *s, size_t n)
{
    for (size_t i = 0; i < s->flight_count; i++) {
        HURT(s->flights[i].host);
        HURT(s->flights[i].request);
        HURT(s->flights[i].key);
    }
    for (size_t i = 0; i < s->wait_count; i++) {
        s->waits[i].due = (struct due){ .by = DUE_RETRY_AFTER };
        HURT(s->waits[i].due.said);
        HURT(s->waits[i].reason);
        HURT(s->waits[i].due.host);
        HURT(s->waits[i].host);
        HURT(s->waits[i].request);
    }
    for (size_t i = 0; i < s->host_count; i++) {
        HURT(s->hosts[i].host);
        s->hosts[i].due = (struct due){ .by = DUE_RETRY_AFTER };
        HURT(s->hosts[i].due.said);
    }
    for (size_t i = 0; i < s->failure_count; i++) {
        HURT(s->failures[i].example);
        HURT(s->failures[i].said);
    }
    for (size_t i = 0; i < s->event_count; i++) {
        HURT(s->events[i].text);
    }
    for (size_t i = 0; i < s->rung_count; i++) {
        HURT(s->rungs[i].note);
    }
    for (size_t i = 0; i < s->rule_count; i++) {
        HURT(s->rules[i].text);
        HURT(s->rules[i].name);
    }
    for (size_t i = 0; i < s->endpoint_count; i++) {
        HURT(s->endpoints[i].name);
        HURT(s->endpoints[i].note);
    }
}

static void fill_hostile_detail(struct snapshot_detail *d, size_t n)
{
    for (size_t i = 0; i < d->attempt_count; i++) {
        HURT(d->attempts[i].why);
    }
    HURT(d->url);
    HURT(d->key);
    HURT(d->method);
    HURT(d->endpoint);
    d->due = (struct due){ .by = DUE_RETRY_AFTER };
    HURT(d->due.said);
    HURT(d->sent);
    HURT(d->headers);
    snprintf(d->body, sizeof d->body, "{%s%s%s", attacks[n % ATTACK_COUNT],
             attacks[(n + 1) % ATTACK_COUNT], attacks[(n + 2) % ATTACK_COUNT]);
    d->body_shown = strlen(d->body);
}

/* Every text of the snapshot, from the n-th attack on. */
static void fill_hostile(struct snapshot *s, size_t n)
{
    HURT(s->name);
    s->limit = (struct snapshot_limit){ .kind = LIMIT_HOLD, .due = { .by = DUE_RETRY_AFTER } };
    HURT(s->limit.host);
    HURT(s->limit.reason);
    HURT(s->limit.due.said);
    HURT(s->rate_limit);
    HURT(s->run_dir);
    HURT(s->normalise.output);
    HURT(s->normalise.message);
    fill_hostile_lists(s, n);
    fill_hostile_detail(&s->detail, n + 1);
    for (size_t i = 0; i < s->on_count; i++) {
        HURT(s->ons[i].rule);
    }
}

size_t ui_scene_attacks(void)
{
    return ATTACK_COUNT;
}

void ui_scene_fill_attack(struct snapshot *s, size_t n, uint64_t at_us)
{
    ui_scene_fill(s, SCENE_HOSTILE, 24, at_us);
    fill_hostile(s, n);
}

static void fill_huge(struct snapshot *s)
{
    s->ok = s->failed = s->total = s->queued = s->waiting = s->retried = UINT64_MAX / 4;
    s->in_flight = UINT64_MAX;
    s->cap = 1;
    s->cap_before = s->cap_max = UINT32_MAX;
    s->draining = UINT64_MAX;
    s->started_ago_us = s->eta_low_us = s->eta_high_us = UINT64_MAX;
    s->requests_per_s = s->bytes_per_s = 1e300;
    s->requests_per_s_average = NAN;
    s->p50_us = s->p95_us = s->p99_us = UINT64_MAX;
    s->io_ratio = -INFINITY;
    s->core_count = SNAPSHOT_CORES_MAX;
    for (size_t i = 0; i < s->core_count; i++) {
        s->cores[i].busy_percent = i % 2 ? NAN : 1e30F;
    }
    for (size_t i = 0; i < SNAPSHOT_SECONDS; i++) {
        s->seconds[i].done = UINT32_MAX;
        s->seconds[i].cap = UINT32_MAX;
        s->seconds[i].cap_changed = true;
    }
    s->rounds = s->rounds_wanted = s->rounds_skipped = s->unchanged = UINT64_MAX;
    memset(s->name, 'n', sizeof s->name - 1);
    for (size_t i = 0; i < s->flight_count; i++) {
        s->flights[i].age_us = s->flights[i].body_bytes = UINT64_MAX;
        memset(s->flights[i].request, 'r', sizeof s->flights[i].request - 1);
    }
    for (size_t i = 0; i < s->wait_count; i++) {
        s->waits[i].due_in_us = UINT64_MAX;
        s->waits[i].attempt = UINT32_MAX;
    }
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
        fill_rules(s);
        fill_on(s);
        fill_endpoints(s);
        fill_detail(s);
        s->login = (struct snapshot_login){ .is_used = true,
                                            .is_called = true,
                                            .has_token = true,
                                            .expiry_known = true,
                                            .expires_in_us = 724 * US_PER_S };
        break;
    case SCENE_HOSTILE:
        fill_ladder(s);
        fill_rules(s);
        fill_on(s);
        fill_endpoints(s);
        fill_detail(s);
        fill_hostile(s, 0);
        break;
    case SCENE_HUGE:
        fill_huge(s);
        break;
    case SCENE_RUNNING:
    case SCENE_COUNT:
        break;
    }
}
