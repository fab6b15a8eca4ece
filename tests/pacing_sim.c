#include "pacing_sim.h"

#include "base/clock.h"
#include "plan/host.h"
#include "plan/retry.h"
#include "plan/tuner.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define T0 (UINT64_C(1000) * US_PER_S)
#define WALL0_US (INT64_C(1795234500) * 1000000)
#define REFUSAL_US (5 * US_PER_MS) /* a 429 is quick */
#define BUCKETS 4000               /* of settling, a second each */
#define SLIDING_MAX 4096           /* starts that a sliding window may hold */

/* --- a random number that is the same everywhere -------------------------------------------------------- */

static uint64_t random_bits(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);

    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static double uniform(uint64_t *state)
{
    return (double)(random_bits(state) >> 11) / 9007199254740992.0;
}

static double normal(uint64_t *state)
{
    double a = uniform(state), b = uniform(state);

    return sqrt(-2 * log(1 - a)) * cos(6.283185307179586 * b);
}

/* --- the server ------------------------------------------------------------------------------------------ */

struct server {
    const struct sim_model *model;
    unsigned active;
    double tokens;
    uint64_t filled_us;
    uint64_t named_until_us;      /* it has told the client not to come before */
    uint64_t let_in[SLIDING_MAX]; /* a ring: when those of a sliding window were */
    uint64_t let_in_count;
};

struct answer {
    int status;
    uint64_t latency_us;
    bool is_told; /* limit, left and reset are */
    bool is_refusal;
    uint64_t limit, left, reset_us, retry_after_s;
    uint64_t at_us; /* when it was counted */
};

static void refill(struct server *s, const struct sim_regime *r, uint64_t now_us)
{
    double burst = r->window_s > 0 ? r->rate * r->window_s : r->burst;

    if (r->window_s > 0) {
        uint64_t window_us = (uint64_t)(r->window_s * 1e6);

        if (now_us / window_us != s->filled_us / window_us) {
            s->tokens = burst;
        }
    } else {
        s->tokens += (double)(now_us - s->filled_us) / 1e6 * r->rate;
    }
    s->tokens = s->tokens > burst ? burst : s->tokens;
    s->filled_us = now_us;
}

/* As many as it lets in within a window were, the first of them less than a window ago. */
static bool is_window_full(const struct server *s, const struct sim_regime *r, uint64_t now_us)
{
    uint64_t most = (uint64_t)(r->rate * r->window_s);

    return s->let_in_count >= most &&
           s->let_in[(s->let_in_count - most) % SLIDING_MAX] + (uint64_t)(r->window_s * 1e6) >
               now_us;
}

static void tell(const struct server *s, const struct sim_regime *r, uint64_t now_us,
                 struct answer *a)
{
    double burst = r->window_s > 0 ? r->rate * r->window_s : r->burst;
    uint64_t window_us = (uint64_t)(r->window_s * 1e6);

    a->at_us = now_us;
    a->is_told = s->model->dialect >= SIM_STRUCTURED && s->model->dialect != SIM_SILENT_503;
    a->limit = (uint64_t)burst;
    a->left = (uint64_t)s->tokens;
    a->reset_us = window_us ? window_us - now_us % window_us
                            : (uint64_t)((burst - s->tokens) / r->rate * 1e6);
}

static bool limits(struct server *s, const struct sim_regime *r, uint64_t now_us, struct answer *a)
{
    bool refused = r->concurrent && s->active >= r->concurrent;

    if (r->slides) {
        refused |= is_window_full(s, r, now_us);
        s->let_in[s->let_in_count % SLIDING_MAX] = now_us;
        s->let_in_count += !refused;
    } else if (r->rate > 0) {
        refill(s, r, now_us);
        refused |= s->tokens < 1;
        s->tokens -= !refused;
        tell(s, r, now_us, a);
    }
    if (!refused) {
        return false;
    }
    a->status = s->model->dialect == SIM_403          ? 403
                : s->model->dialect == SIM_SILENT_503 ? 503
                                                      : 429;
    a->is_refusal = true;
    a->latency_us = REFUSAL_US;
    if (s->model->dialect != SIM_SILENT && s->model->dialect != SIM_SILENT_503 && r->rate > 0) {
        double wait_s = r->window_s > 0 ? (double)a->reset_us / 1e6 : (1 - s->tokens) / r->rate;

        a->retry_after_s = s->model->dialect == SIM_RETRY ? (uint64_t)ceil(wait_s) : 0;
    }
    return true;
}

static struct answer serve(struct server *s, const struct sim_regime *r, uint64_t *random,
                           uint64_t now_us)
{
    struct answer a = { .status = 200 };
    double ms = r->latency_ms, n;

    if (limits(s, r, now_us, &a)) {
        return a;
    }
    n = ++s->active;
    if (r->knee > 0 && n > r->knee) {
        ms *= n / r->knee;
    }
    if (r->collapse > 0 && n > r->collapse) {
        ms *= n / r->collapse * n / r->collapse;
    }
    ms *= exp(s->model->noise * normal(random) - s->model->noise * s->model->noise / 2);
    if (uniform(random) < s->model->burst_part) {
        ms *= 10;
    }
    if (uniform(random) < s->model->fail) {
        a.status = 503;
        ms = 5;
    }
    if (r->delays) { /* until its token would have been there */
        ms += (r->burst - 1 - s->tokens) / r->rate * 1000;
    }
    a.latency_us = (uint64_t)(ms * 1000) + 1;
    return a;
}

/* --- what travels ------------------------------------------------------------------------------------------ */

struct flight {
    uint64_t ends_us, started_us;
    unsigned crowd, host_crowd;
    struct answer answer;
    uint64_t host_start;
};

struct client {
    enum sim_client kind;
    const struct sim_model *model;
    struct server server;
    struct host_table table;
    struct host *host;
    struct tuner tuner;
    uint16_t lane;
    unsigned cap;
    bool kept_back;
    double limit;         /* AIMD */
    uint64_t limit_at_us; /* AIMD: one decrease a round trip */
    double delay_s;       /* AutoThrottle */
    uint64_t next_us;     /* AutoThrottle */
    struct flight heap[2 * SIM_CAP_MAX + 1];
    unsigned in_flight;
    uint64_t random;
    double half_us;
    unsigned accepted[BUCKETS];
    uint64_t well[2], refused[2];
    unsigned early;
    uint64_t decisions;
    bool verbose;
};

static void push(struct client *c, const struct flight *f)
{
    unsigned at = c->in_flight++;

    while (at > 0 && f->ends_us < c->heap[(at - 1) / 2].ends_us) {
        c->heap[at] = c->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    c->heap[at] = *f;
}

static struct flight pop(struct client *c)
{
    struct flight first = c->heap[0], moved = c->heap[--c->in_flight];
    unsigned at = 0;

    for (;;) {
        unsigned child = 2 * at + 1;

        if (child >= c->in_flight) {
            break;
        }
        child += child + 1 < c->in_flight && c->heap[child + 1].ends_us < c->heap[child].ends_us;
        if (moved.ends_us <= c->heap[child].ends_us) {
            break;
        }
        c->heap[at] = c->heap[child];
        at = child;
    }
    c->heap[at] = moved;
    return first;
}

static unsigned half_of(const struct client *c, uint64_t now_us)
{
    return (double)(now_us - T0) >= c->half_us;
}

static void start(struct client *c, uint64_t now_us)
{
    struct flight f = { .started_us = now_us, .crowd = c->in_flight + 1 };
    struct request request = { .lane = c->lane, .attempt = 0 };

    f.answer = serve(&c->server, &c->model->halves[half_of(c, now_us)], &c->random, now_us);
    f.ends_us = now_us + f.answer.latency_us;
    c->early += now_us < c->server.named_until_us;
    c->table.now_us = now_us;
    host_started(&c->table, c->host, &request);
    f.host_start = request.host_start;
    f.host_crowd = request.host_crowd;
    c->next_us = now_us + (uint64_t)(c->delay_s * 1e6);
    push(c, &f);
}

/* What keeps the next one back: TIME_NEVER when only an end will change that, 0 when it may start. */
static uint64_t may_start_us(struct client *c, uint64_t now_us)
{
    if (c->in_flight >= c->cap) {
        return TIME_NEVER;
    }
    if (c->kind == SIM_AUTOTHROTTLE && now_us < c->next_us) {
        return c->next_us;
    }
    if (host_may_start(&c->table, c->host, c->lane, now_us) == HOST_MAY) {
        return 0;
    }
    c->kept_back = true;
    c->host->lanes[c->lane].ready_count = 1; /* somebody waits */
    return host_wake(&c->table, c->host, now_us).at_us;
}

/* --- what the client makes of an answer -------------------------------------------------------------------- */

static struct quota read_quota(const struct client *c, const struct flight *f)
{
    const struct answer *a = &f->answer;
    char texts[4][64];
    struct quota_field fields[4];
    size_t count = 0;
    int64_t wall_us = WALL0_US + (int64_t)(a->at_us - T0);
    uint64_t reset_s = (a->reset_us + US_PER_S - 1) / US_PER_S;
    unsigned long long moment = 0;
    struct quota quota;

#define FIELD(name_text, ...)                                                                      \
    do {                                                                                           \
        snprintf(texts[count], sizeof texts[count], __VA_ARGS__);                                  \
        fields[count] = (struct quota_field){ STR(name_text), str_view(texts[count]) };            \
        count++;                                                                                   \
    } while (0)
    switch (c->model->dialect) {
    case SIM_STRUCTURED:
        FIELD("ratelimit", "\"default\";r=%llu;t=%llu", (unsigned long long)a->left,
              (unsigned long long)reset_s);
        FIELD("ratelimit-policy", "\"default\";q=%llu;w=1", (unsigned long long)a->limit);
        break;
    case SIM_DRAFT:
        FIELD("ratelimit-limit", "%llu", (unsigned long long)a->limit);
        FIELD("ratelimit-remaining", "%llu", (unsigned long long)a->left);
        FIELD("ratelimit-reset", "%llu", (unsigned long long)reset_s);
        break;
    case SIM_EPOCH_S:
    case SIM_403:
        moment = (unsigned long long)wall_us / US_PER_S + reset_s;
        break;
    case SIM_EPOCH_MS:
        moment = ((unsigned long long)wall_us + a->reset_us) / US_PER_MS;
        break;
    case SIM_EPOCH_NS:
        moment = ((unsigned long long)wall_us + a->reset_us) * 1000;
        break;
    default:
        break;
    }
    if (moment) {
        FIELD("x-ratelimit-limit", "%llu", (unsigned long long)a->limit);
        FIELD("x-ratelimit-remaining", "%llu", (unsigned long long)a->left);
        FIELD("x-ratelimit-reset", "%llu", moment);
    }
#undef FIELD
    quota_read(fields, a->is_told ? count : 0,
               c->model->dialect == SIM_EPOCH_S || c->model->dialect == SIM_403
                   ? wall_us / (int64_t)US_PER_S * (int64_t)US_PER_S /* its Date */
                   : wall_us,
               &quota);
    return quota;
}

/* As the engine does: a named deadline first, a spent quota next, else what the bucket has learned. The
 * peers wait for a second or so. */
static void refuse(struct client *c, const struct request *request, const struct flight *f,
                   const struct quota *quota, uint64_t now_us)
{
    struct learned_answer answer = host_answer_of(request, now_us);
    uint64_t wait_us = f->answer.retry_after_s * US_PER_S, random = random_bits(&c->random);
    struct due due = { .by = DUE_RETRY_AFTER, .status = f->answer.status };

    if (!wait_us && quota_is_spent(quota)) {
        wait_us = quota->reset_us;
    }
    if (wait_us && now_us + wait_us > c->server.named_until_us) {
        c->server.named_until_us = now_us + wait_us;
    }
    if (c->kind == SIM_AUTO || c->kind == SIM_FIXED) {
        due.by = wait_us ? DUE_RETRY_AFTER : DUE_HOST_HOLD;
        bucket_refused(&c->host->bucket, &answer, wait_us ? now_us + wait_us : 0, &due, random,
                       now_us);
        return;
    }
    wait_us = wait_us ? wait_us : US_PER_S / 2 + random % (US_PER_S / 2);
    bucket_hold(&c->host->bucket, now_us + wait_us, &due, now_us);
}

static void peer_learns(struct client *c, const struct flight *f, bool refused, uint64_t now_us)
{
    double latency_s = (double)(now_us - f->started_us) / 1e6;

    if (c->kind == SIM_AIMD) {
        if (refused && f->started_us >= c->limit_at_us) {
            c->limit *= 0.9;
            c->limit_at_us = now_us;
        } else if (!refused && (c->in_flight + 1) * 2 >= (unsigned)c->limit) {
            c->limit += 1 / c->limit;
        }
        c->limit = fmin(fmax(c->limit, 1), SIM_CAP_MAX);
        c->cap = (unsigned)c->limit;
    } else if (c->kind == SIM_AUTOTHROTTLE) {
        double wanted = fmax(latency_s / 8, (c->delay_s + latency_s / 8) / 2);

        if (f->answer.status == 200 || wanted > c->delay_s) {
            c->delay_s = fmin(wanted, 60);
        }
    }
}

/* A 503 is a refusal when the host has learned to see it so. */
static bool is_refusal(struct client *c, const struct flight *f, uint64_t now_us)
{
    switch (f->answer.status) {
    case 429:
    case 403:
        return true;
    case 503:
        return bucket_suspects(&c->host->bucket, &c->host->lanes[c->lane].suspicion, true, now_us);
    default:
        return false;
    }
}

static void note_end(struct client *c, const struct flight *f, const struct quota *quota,
                     uint64_t now_us)
{
    struct request request = {
        .lane = c->lane, .attempt = 1, .host_crowd = f->host_crowd, .started_us = f->started_us
    };
    bool refused = is_refusal(c, f, now_us);

    host_ended(&c->table, c->host, &request,
               refused                   ? HOST_END_REFUSED
               : f->answer.status == 503 ? HOST_END_BROKEN
                                         : HOST_END_WELL,
               now_us);
    if (c->kind == SIM_AUTO || c->kind == SIM_FIXED) {
        struct allowance_answer answer = {
            .refused = refused,
            .newer = c->host->bucket.starts - f->host_start,
            .latency_us = now_us - f->started_us,
        };

        allowance_tell(&c->host->bucket.allowance, quota, &answer, now_us);
    }
    if (refused) {
        refuse(c, &request, f, quota, now_us);
    }
}

static void end(struct client *c, uint64_t now_us)
{
    struct flight f = pop(c);
    struct quota quota = read_quota(c, &f);
    struct tuner_sample sample = { TUNER_WELL, f.started_us, now_us - f.started_us, f.crowd };
    unsigned half = half_of(c, now_us);

    c->server.active -= !f.answer.is_refusal;
    note_end(c, &f, &quota, now_us);
    if (f.answer.is_refusal) {
        c->refused[half]++;
    } else if (f.answer.status == 200) {
        uint64_t second = (now_us - T0) / US_PER_S;

        c->well[half]++;
        c->accepted[second < BUCKETS ? second : BUCKETS - 1]++;
        if (c->kind == SIM_AUTO) {
            tuner_note(&c->tuner, &sample);
        }
    }
    peer_learns(c, &f, f.answer.is_refusal, now_us);
}

static void decide(struct client *c, uint64_t now_us)
{
    if (c->kind != SIM_AUTO || !tuner_step(&c->tuner, c->kept_back, now_us)) {
        c->kept_back = false;
        return;
    }
    c->kept_back = false;
    c->decisions++;
    c->cap = c->tuner.cap;
    if (c->verbose) {
        printf("%8.2f  %s\n", (double)(now_us - T0) / 1e6, c->tuner.reason);
    }
}

/* Since when every ten seconds (of which we look back) have held 90 % of the best, to the half's end;
 * a dip of a few seconds, as a probe of the ceiling costs, is none. */
static double settled_s(const struct client *c, unsigned half, double best)
{
    unsigned from = (unsigned)(half * c->half_us / 1e6), to = from + (unsigned)(c->half_us / 1e6);
    unsigned settled = from;

    for (unsigned at = from + 10; at < from + 130 && at <= to; at++) {
        unsigned sum = 0;

        for (unsigned i = at - 10; i < at; i++) {
            sum += c->accepted[i];
        }
        if (sum >= 0.9 * 10 * best) {
            return at - 10 - from;
        }
        settled = at;
    }
    return settled - from;
}

static void set_up(struct client *c)
{
    struct url url;
    uint32_t index;

    host_table_init(&c->table, 0, (struct rate){ 0 });
    if (url_split(STR("http://a/"), &url, NULL) != RESULT_OK ||
        host_find(&c->table, &url, &index, NULL) != RESULT_OK) {
        abort();
    }
    host_ref(&c->table, index);
    c->host = host_at(&c->table, index);
    if (host_lane(c->host, 0, &url, &c->lane) != RESULT_OK) {
        abort();
    }
    tuner_init(&c->tuner, c->cap, SIM_CAP_MAX, T0);
}

struct sim_result sim_run(const struct sim_model *model, enum sim_client kind, unsigned cap,
                          double half_s, const double best[2], bool verbose)
{
    static struct client c;
    struct sim_result r;
    uint64_t now_us = T0, ends_us = T0 + (uint64_t)(2 * half_s * 1e6), total;

    c = (struct client){ .kind = kind,
                         .model = model,
                         .cap = cap,
                         .limit = cap,
                         .random = 7,
                         .half_us = half_s * 1e6,
                         .verbose = verbose };
    c.delay_s = kind == SIM_AUTOTHROTTLE ? 5 : 0;
    c.server = (struct server){ .model = model, .tokens = model->halves[0].burst, .filled_us = T0 };
    if (model->halves[0].window_s > 0) {
        c.server.tokens = model->halves[0].rate * model->halves[0].window_s;
    }
    set_up(&c);
    while (now_us < ends_us) {
        uint64_t wake_us, end_us;

        decide(&c, now_us);
        while (!(wake_us = may_start_us(&c, now_us))) {
            start(&c, now_us);
        }
        end_us = c.in_flight ? c.heap[0].ends_us : TIME_NEVER;
        now_us = end_us <= wake_us ? end_us : wake_us;
        while (c.in_flight && c.heap[0].ends_us <= now_us) {
            end(&c, now_us);
        }
    }
    total = c.well[0] + c.well[1] + c.refused[0] + c.refused[1];
    r = (struct sim_result){ .rate = { (double)c.well[0] / half_s, (double)c.well[1] / half_s },
                             .refused = (double)(c.refused[0] + c.refused[1]) / (double)total,
                             .refused_second =
                                 (double)c.refused[1] / (double)(c.refused[1] + c.well[1] + 1),
                             .early = c.early,
                             .cap_end = c.cap,
                             .decisions = c.decisions };
    for (unsigned half = 0; best && half < 2; half++) {
        r.settled_s[half] = settled_s(&c, half, best[half]);
    }
    host_table_release(&c.table);
    return r;
}
