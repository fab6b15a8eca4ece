#include "tests/ui_scenes.h"
#include "tests/ui_scenes_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

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

void ui_scene_hurt(struct snapshot *s, size_t n)
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
    ui_scene_hurt(s, n);
}

void ui_scene_enlarge(struct snapshot *s)
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
