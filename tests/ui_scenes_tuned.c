#include "tests/ui_scenes_parts.h"

#include "base/clock.h"

#include <stdio.h>
#include <string.h>

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

void ui_scene_tune(struct snapshot *s)
{
    fill_rules(s);
    fill_on(s);
    fill_endpoints(s);
    fill_detail(s);
}

static void add_worker(struct snapshot *s, struct snapshot_worker worker, const char *name)
{
    struct snapshot_worker *w = &s->workers[s->worker_count++];

    *w = worker;
    snprintf(w->name, sizeof w->name, "%s", name);
    snprintf(w->host, sizeof w->host, "build%zu.example.org", s->worker_count);
    snprintf(w->run, sizeof w->run, "/srv/w%zu.run", s->worker_count);
    s->in_flight += w->in_flight;
}

void ui_scene_share(struct snapshot *s)
{
    s->is_fleet = true;
    s->in_flight = 0;
    s->limit =
        (struct snapshot_limit){ .kind = LIMIT_FLEET, .reason = "all of its cap is in flight" };
    add_worker(s,
               (struct snapshot_worker){ .pid = 4121,
                                         .in_flight = 12,
                                         .requests_per_s = 19.5,
                                         .ok = 20111,
                                         .found = 41,
                                         .heard_ago_us = 120000 },
               "build1-0a1b2c3d");
    add_worker(s,
               (struct snapshot_worker){ .pid = 877,
                                         .in_flight = 12,
                                         .requests_per_s = 18.7,
                                         .ok = 19800,
                                         .failed = 12,
                                         .heard_ago_us = 480000 },
               "build2-99aa0c17");
    add_worker(
        s,
        (struct snapshot_worker){
            .state = WORKER_GONE, .pid = 31, .ok = 512, .found = 3, .heard_ago_us = 95000000 },
        "build3-\033[2J-gone");
    add_worker(
        s,
        (struct snapshot_worker){
            .state = WORKER_ENDED, .pid = 9071, .ok = 20769, .heard_ago_us = UINT64_C(7200000000) },
        "build4-55f0e1d2");
}
