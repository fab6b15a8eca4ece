#include "session/price.h"

#include "base/clock.h"
#include "base/json_write.h"
#include "base/say.h"
#include "base/units.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <time.h>

#define UNKNOWN (-1.0)
#define US 1e6
#define WORDS_MAX 160
#define SOON_S 3600.0 /* an end so near is said with its seconds */
#define DAY_S 86400.0

static double per_s(struct rate rate)
{
    return rate.per_us ? rate.requests * US / (double)rate.per_us : 0;
}

static unsigned cap_over_hosts(const struct job_pace *pace, uint64_t hosts)
{
    double all = (double)pace->cap_per_host * (double)hosts;

    return pace->cap_per_host && all < pace->cap ? (unsigned)fmax(all, 1) : pace->cap;
}

/* Little's law, or the speed that another cap gave. One that a controller turns is no bound. */
static double by_cap(const struct price *p, const struct job *job, const struct past_pace *past,
                     double sent)
{
    if (job->pace.is_auto || !past || !past->is_known) {
        return UNKNOWN;
    }
    if ((past->limit == LIMIT_CAP || past->limit == LIMIT_HOST_CAP) && past->cap &&
        past->sent_per_s > 0) {
        return sent / (past->sent_per_s * p->cap / past->cap);
    }
    return past->answer_s > 0 ? sent * past->answer_s / p->cap : UNKNOWN;
}

static double by_rate(const struct job *job, const struct price_plan *plan, double sent)
{
    double all = per_s(job->pace.rate), host = per_s(job->pace.rate_per_host);
    double part = plan->requests ? (double)plan->busiest_host / (double)plan->requests : 1;
    double longest = all > 0 ? sent / all : UNKNOWN;

    return host > 0 ? fmax(longest, sent * part / host) : longest;
}

/* A cap or a rate of the user may be another one now; anything else is as it was, for all that is known. */
static double as_seen(const struct job *job, const struct past_pace *past, double sent)
{
    if (!past || !past->is_known || past->sent_per_s <= 0) {
        return UNKNOWN;
    }
    switch (past->limit) {
    case LIMIT_CAP:
    case LIMIT_HOST_CAP:
        return job->pace.is_auto ? sent / past->sent_per_s : UNKNOWN;
    case LIMIT_RATE:
    case LIMIT_NONE:
        return UNKNOWN;
    default:
        return sent / past->sent_per_s;
    }
}

static void find_bound(struct price *p)
{
    p->total_s = UNKNOWN;
    p->bound = PRICE_UNKNOWN;
    if (p->cap_s >= 0) {
        p->total_s = p->cap_s;
        p->bound = PRICE_CAP;
    }
    if (p->rate_s > p->total_s) {
        p->total_s = p->rate_s;
        p->bound = PRICE_RATE;
    }
    if (p->seen_s > p->total_s) {
        p->total_s = p->seen_s;
        p->bound = PRICE_SEEN;
    }
    if (!p->left) {
        p->bound = PRICE_UNKNOWN; /* what takes no time is limited by nothing */
    }
}

/* The last answer takes its own time, after the last request was sent. */
static void add_last_answer(struct price *p)
{
    if (p->left && p->total_s >= 0 && p->bound != PRICE_CAP) {
        p->total_s += p->answer_s;
    }
    p->total_s = p->left && p->total_s >= 0 ? fmax(p->total_s, p->answer_s) : p->total_s;
}

static double session_end(const struct price *p, const struct job *job, double sent)
{
    double longest =
        job->limits.max_duration_us ? (double)job->limits.max_duration_us / US : INFINITY;
    double most = (double)job->limits.max_requests;

    if (most > 0 && most < sent && p->total_s >= 0) {
        longest = fmin(longest, p->total_s * most / sent);
    }
    return longest < INFINITY && (p->total_s < 0 || longest < p->total_s) ? longest : UNKNOWN;
}

void price_make(const struct job *job, const struct price_plan *plan, const struct past_pace *past,
                struct price *p)
{
    const struct ledger_summary *held = past ? &past->summary : NULL;
    double sent;

    *p = (struct price){ .requests = plan->requests,
                         .is_least = plan->names_more,
                         .disk_bytes = UNKNOWN };
    if (held) {
        p->requests = held->planned > p->requests ? held->planned : p->requests;
        p->done = held->done;
        p->failed = held->failed;
    }
    if (plan->is_asked_again && held && p->done + p->failed >= p->requests && !held->waiting) {
        p->requests = plan->requests;
        p->done = p->failed = 0;
        p->is_most = plan->is_most;
    }
    p->left = p->requests - (p->done + p->failed < p->requests ? p->done + p->failed : p->requests);
    p->cap = cap_over_hosts(&job->pace, plan->hosts);
    sent = (double)p->left * (past && past->is_known ? past->sent_per_end : 1);
    if (past && past->is_known) {
        p->answer_s = past->answer_s;
        p->seen_per_s = past->sent_per_s;
        p->seen = past->limit;
    }
    p->cap_s = by_cap(p, job, past, sent);
    p->rate_s = by_rate(job, plan, sent);
    p->seen_s = as_seen(job, past, sent);
    find_bound(p);
    add_last_answer(p);
    p->session_s = session_end(p, job, sent);
    if (held && held->done) {
        p->disk_bytes = (double)held->line_bytes / (double)held->done * (double)p->left;
    }
}

/* --- sentences --------------------------------------------------------------------------------------- */

static const char *duration(double seconds, char text[UNITS_TEXT_MAX])
{
    units_format_time((uint64_t)llround(fmin(seconds, 1e9) * US), text);
    return text;
}

/* "19:45:10" soon, "03:40" within a day, "2026-12-03 03:40" later; of the zone of the reader. */
static void end_at(int64_t now_us, double seconds, char text[WORDS_MAX])
{
    time_t at = (time_t)((double)now_us / US + fmin(seconds, 1e9));
    struct tm local;
    size_t len = 0;

    if (localtime_r(&at, &local)) {
        len = seconds < SOON_S  ? strftime(text, WORDS_MAX, "%H:%M:%S", &local)
              : seconds < DAY_S ? strftime(text, WORDS_MAX, "%H:%M", &local)
                                : strftime(text, WORDS_MAX, "%Y-%m-%d %H:%M", &local);
    }
    text[len] = '\0';
}

static void bound_words(const struct price *p, char text[WORDS_MAX])
{
    switch (p->bound) {
    case PRICE_CAP:
        snprintf(text, WORDS_MAX, "CAP %u", p->cap);
        break;
    case PRICE_RATE:
        snprintf(text, WORDS_MAX, "%s", run_limit_word(LIMIT_RATE));
        break;
    case PRICE_SEEN:
        snprintf(text, WORDS_MAX, "%s (%.3g requests a second in the last session)",
                 run_limit_word(p->seen), p->seen_per_s);
        break;
    case PRICE_UNKNOWN:
        text[0] = '\0';
        break;
    }
}

static void say_time(const struct price *p, int64_t now_us)
{
    char lasts[UNITS_TEXT_MAX], at[WORDS_MAX], words[WORDS_MAX];

    if (p->bound == PRICE_UNKNOWN) {
        return;
    }
    bound_words(p, words);
    end_at(now_us, p->total_s, at);
    say(stderr, "scrapetop: %s %s, would end at %s, limited by %s",
        p->is_least || p->answer_s <= 0 ? "at least" : "about", duration(p->total_s, lasts), at,
        words);
}

/* What else would take long: so is seen whether another cap or rate would help. */
static void say_parts(const struct price *p)
{
    char by_cap[UNITS_TEXT_MAX], by_rate[UNITS_TEXT_MAX], answer[UNITS_TEXT_MAX];

    if (p->bound != PRICE_CAP && p->cap_s >= 0) {
        say(stderr, "scrapetop: by the cap of %u alone %s, at %s an answer", p->cap,
            duration(p->cap_s, by_cap), duration(p->answer_s, answer));
    }
    if (p->bound != PRICE_RATE && p->rate_s >= 0) {
        say(stderr, "scrapetop: by the rate alone %s", duration(p->rate_s, by_rate));
    }
}

static void say_unknown(const struct price *p)
{
    char each[UNITS_TEXT_MAX];

    say(stderr,
        "scrapetop: how long an answer takes is not known: with a cap of %u it is %s for each 100 "
        "ms of it",
        p->cap, duration((double)p->left * 0.1 / p->cap, each));
    say(stderr, "scrapetop: run with --max-requests %u first, then --dry-run knows it",
        p->left > 50 ? 50U : (unsigned)p->left);
}

static void say_disk(const struct price *p, uint64_t free_bytes)
{
    char needed[UNITS_TEXT_MAX], available[UNITS_TEXT_MAX];

    if (p->disk_bytes < 0) {
        return;
    }
    units_format_bytes((uint64_t)p->disk_bytes, needed);
    units_format_bytes(free_bytes, available);
    if (free_bytes) {
        say(stderr, "scrapetop: about %s of disk for the answers; %s %s free%s", needed, available,
            "are", p->disk_bytes > (double)free_bytes ? ": too little" : "");
    } else {
        say(stderr, "scrapetop: about %s of disk for the answers", needed);
    }
}

static void say_ends(const struct price *p, const struct job *job)
{
    char lasts[UNITS_TEXT_MAX];

    if (p->is_least) {
        say(stderr,
            "scrapetop: further pages and records may name more requests: this is the least");
    }
    if (p->is_most) {
        say(stderr, "scrapetop: --older-than and --where leave some of these out: this is for all");
    }
    if (p->session_s >= 0) {
        say(stderr, "scrapetop: %s ends this session after about %s; the run can go on then",
            !job->limits.max_duration_us ? "--max-requests"
            : !job->limits.max_requests  ? "--max-duration"
                                         : "--max-requests or --max-duration",
            duration(p->session_s, lasts));
    }
    if (job->poll.every_us) {
        say(stderr, "scrapetop: that is one round; the next begins %s after it has begun",
            duration((double)job->poll.every_us / US, lasts));
    }
}

void price_say(const struct price *p, const struct job *job, int64_t now_us, uint64_t free_bytes)
{
    if (p->done || p->failed) {
        say(stderr,
            "scrapetop: %" PRIu64 " of %" PRIu64 " done, %" PRIu64 " failed, %" PRIu64 " left",
            p->done, p->requests, p->failed, p->left);
    }
    if (!p->left) {
        return;
    }
    say_time(p, now_us);
    say_parts(p);
    if (p->answer_s <= 0) {
        say_unknown(p);
    }
    say_disk(p, free_bytes);
    say_ends(p, job);
}

/* --- JSON -------------------------------------------------------------------------------------------- */

static void write_seconds(struct json_writer *w, const char *key, double seconds)
{
    if (seconds < 0) {
        json_write_null(w, key);
    } else {
        json_write_fixed(w, key, llround(fmin(seconds, 1e9) * 1e3), 3);
    }
}

enum result price_write(const struct price *p, int64_t now_us, uint64_t free_bytes, struct buf *out)
{
    struct json_writer w = json_write_begin(out);
    char words[WORDS_MAX];

    json_write_object(&w, NULL);
    json_write_uint(&w, "requests", p->requests);
    json_write_uint(&w, "done", p->done);
    json_write_uint(&w, "failed", p->failed);
    json_write_uint(&w, "left", p->left);
    json_write_bool(&w, "may_be_more", p->is_least);
    json_write_bool(&w, "may_be_fewer", p->is_most);
    write_seconds(&w, "seconds", p->total_s);
    write_seconds(&w, "seconds_by_cap", p->cap_s);
    write_seconds(&w, "seconds_by_rate", p->rate_s);
    write_seconds(&w, "seconds_as_seen", p->seen_s);
    write_seconds(&w, "session_ends_after", p->session_s);
    json_write_moment(&w, "ends_at",
                      p->total_s < 0 ? 0 : now_us + llround(fmin(p->total_s, 1e9) * US), 0);
    bound_words(p, words);
    if (words[0]) {
        json_write_text(&w, "limited_by",
                        str_view(p->bound == PRICE_CAP    ? run_limit_word(LIMIT_CAP)
                                 : p->bound == PRICE_RATE ? run_limit_word(LIMIT_RATE)
                                                          : run_limit_word(p->seen)));
    } else {
        json_write_null(&w, "limited_by");
    }
    write_seconds(&w, "answer_s", p->answer_s > 0 ? p->answer_s : UNKNOWN);
    json_write_known(&w, "disk_bytes", (uint64_t)fmax(p->disk_bytes, 0), p->disk_bytes >= 0);
    json_write_known(&w, "disk_free_bytes", free_bytes, free_bytes > 0);
    json_write_object_end(&w);
    return w.result;
}
