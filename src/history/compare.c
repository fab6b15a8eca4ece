#include "history/compare.h"

#include "base/units.h"
#include "base/utf8.h"
#include "history/past_run.h"

#include <inttypes.h>
#include <stdio.h>

#define LABEL_COLUMNS 16
#define VALUE_COLUMNS 22

struct side {
    const char *path;
    struct replay *replay;
    struct sample whole; /* of all its sessions */
    uint64_t ran_us;
    struct snapshot_rung rungs[SNAPSHOT_RUNGS_MAX];
    size_t rung_count;
};

static enum result open_side(struct side *side, const char *path, struct err *err)
{
    enum result result = past_run_open(&side->replay, path, err);

    side->path = path;
    if (result == RESULT_OK) {
        int64_t last_us = replay_last_us(side->replay);

        replay_whole(side->replay, &side->whole, &side->ran_us);
        side->rung_count = replay_rungs(side->replay, last_us, side->rungs);
    }
    return result;
}

static void print_row(const char *label, const char *a, const char *b)
{
    printf("%-*s %*s %*s\n", LABEL_COLUMNS, label, VALUE_COLUMNS, a, VALUE_COLUMNS, b);
}

static void print_count(const char *label, uint64_t a, uint64_t b)
{
    char left[32], right[32];

    snprintf(left, sizeof left, "%" PRIu64, a);
    snprintf(right, sizeof right, "%" PRIu64, b);
    print_row(label, left, right);
}

/* Of a run without answers there is none. */
static void format_ms(uint64_t us, char text[32])
{
    if (us) {
        snprintf(text, 32, us < 10000 ? "%.1f ms" : "%.0f ms", (double)us / 1000);
    } else {
        snprintf(text, 32, "--");
    }
}

static void print_ms(const char *label, uint64_t a_us, uint64_t b_us)
{
    char left[32], right[32];

    format_ms(a_us, left);
    format_ms(b_us, right);
    print_row(label, left, right);
}

static void print_rate(const char *label, const struct side *a, const struct side *b)
{
    const struct side *sides[] = { a, b };
    char texts[2][32];

    for (size_t i = 0; i < 2; i++) {
        double seconds = (double)sides[i]->ran_us / 1e6;
        double settled = (double)(sides[i]->whole.ok + sides[i]->whole.failed);

        snprintf(texts[i], sizeof texts[i], "%.1f/s", seconds > 0 ? settled / seconds : 0);
    }
    print_row(label, texts[0], texts[1]);
}

static void print_names(const struct side *a, const struct side *b)
{
    char left[4 * VALUE_COLUMNS + 4], right[4 * VALUE_COLUMNS + 4];

    utf8_display(left, sizeof left, str_view(a->path), VALUE_COLUMNS);
    utf8_display(right, sizeof right, str_view(b->path), VALUE_COLUMNS);
    print_row("", left, right);
}

static void print_totals(const struct side *a, const struct side *b)
{
    char left[UNITS_TEXT_MAX], right[UNITS_TEXT_MAX];

    print_names(a, b);
    units_format_time(a->ran_us, left);
    units_format_time(b->ran_us, right);
    print_row("time", left, right);
    print_rate("requests", a, b);
    print_count("ok", a->whole.ok, b->whole.ok);
    print_count("failed", a->whole.failed, b->whole.failed);
    print_count("retried", a->whole.retried, b->whole.retried);
    units_format_bytes(a->whole.bytes, left);
    units_format_bytes(b->whole.bytes, right);
    print_row("received", left, right);
    print_ms("latency p50", a->whole.p50_us, b->whole.p50_us);
    print_ms("        p90", a->whole.p90_us, b->whole.p90_us);
    print_ms("        p95", a->whole.p95_us, b->whole.p95_us);
    print_ms("        p99", a->whole.p99_us, b->whole.p99_us);
    print_count("answers 2xx", a->whole.mix.ok, b->whole.mix.ok);
    print_count("        429", a->whole.mix.throttled, b->whole.mix.throttled);
    print_count("        5xx", a->whole.mix.server_error, b->whole.mix.server_error);
    print_count("        4xx", a->whole.mix.client_error, b->whole.mix.client_error);
    print_count("       none", a->whole.mix.network, b->whole.mix.network);
}

static const struct snapshot_rung *rung_at(const struct side *side, unsigned cap)
{
    for (size_t i = 0; i < side->rung_count; i++) {
        if (side->rungs[i].cap == cap) {
            return &side->rungs[i];
        }
    }
    return NULL;
}

static void rung_text(const struct snapshot_rung *rung, char text[48])
{
    if (!rung) {
        snprintf(text, 48, "--");
        return;
    }
    snprintf(text, 48, "%.1f/s %" PRIu64 " ms %.1f%%", rung->requests_per_s, rung->p95_us / 1000,
             100 * rung->throttled_part);
}

/* Both ladders in one, by cap. */
static void print_ladders(const struct side *a, const struct side *b)
{
    size_t i = 0, j = 0;

    if (!a->rung_count && !b->rung_count) {
        return;
    }
    printf("\n");
    print_row("by cap", "rate, p95, 429s", "rate, p95, 429s");
    while (i < a->rung_count || j < b->rung_count) {
        unsigned left = i < a->rung_count ? a->rungs[i].cap : UINT32_MAX;
        unsigned right = j < b->rung_count ? b->rungs[j].cap : UINT32_MAX;
        unsigned cap = left < right ? left : right;
        char label[32], texts[2][48];

        snprintf(label, sizeof label, "cap %u", cap);
        rung_text(rung_at(a, cap), texts[0]);
        rung_text(rung_at(b, cap), texts[1]);
        print_row(label, texts[0], texts[1]);
        i += left == cap;
        j += right == cap;
    }
}

enum result compare_print(const char *path_a, const char *path_b, struct err *err)
{
    struct side a = { .replay = NULL }, b = { .replay = NULL };
    enum result result = open_side(&a, path_a, err);

    if (result == RESULT_OK) {
        result = open_side(&b, path_b, err);
    }
    if (result == RESULT_OK) {
        print_totals(&a, &b);
        print_ladders(&a, &b);
    }
    replay_free(a.replay);
    replay_free(b.replay);
    return result;
}
