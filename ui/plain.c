#include "ui/plain.h"

#include "base/clock.h"
#include "base/units.h"
#include "base/utf8.h"
#include "ui/format.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct plain {
    struct plain_options options;
    uint64_t next_line_us;
    uint64_t last_serial;      /* of the events that were told */
    uint64_t failures_told_us; /* as if each that was told took its time: how far that has come */
    uint64_t untold;           /* failures */
    bool lost_failures;        /* there may be more of them than that */
    uint64_t lost;             /* events that came and went between two looks, not told yet */
};

enum result plain_new(struct plain **plain, const struct plain_options *options, struct err *err)
{
    struct plain *p = calloc(1, sizeof *p);

    if (!p) {
        return err_nomem(err, "preparing progress lines");
    }
    p->options = *options;
    *plain = p;
    return RESULT_OK;
}

void plain_free(struct plain *p)
{
    free(p);
}

/* The descriptor is somebody else's too, so it cannot be made non-blocking: ask first, and write no
 * more than a ready pipe takes at once (PIPE_BUF is above PLAIN_LINE_MAX). */
static bool write_line(const struct plain *p, const char *line)
{
    struct pollfd ready = { .fd = p->options.fd, .events = POLLOUT };
    char out[PLAIN_LINE_MAX + 1];
    size_t length;

    if (p->options.stream) {
        return fprintf(p->options.stream, "%s\n", line) >= 0;
    }
    if (poll(&ready, 1, 0) != 1 || !(ready.revents & POLLOUT)) {
        return false;
    }
    length = (size_t)snprintf(out, sizeof out, "%.*s\n", PLAIN_LINE_MAX - 1, line);
    return write(p->options.fd, out, length) == (ssize_t)length;
}

static const char *level_word(enum event_level level)
{
    switch (level) {
    case EVENT_INFO:
    case EVENT_NOTICE:
        return "";
    case EVENT_WARNING:
        return "warning: ";
    case EVENT_ERROR:
        return "error: ";
    }
    return "";
}

/* Says how many failures were passed over. */
static bool tell_untold(struct plain *p, int64_t wall_us)
{
    char clock[FORMAT_MAX], line[PLAIN_LINE_MAX];

    if (p->untold) {
        format_clock(wall_us, clock);
        snprintf(line, sizeof line, "%s error: %s%llu more failed; status --failed lists each",
                 clock, p->lost_failures ? "at least " : "", (unsigned long long)p->untold);
        if (!write_line(p, line)) {
            return false;
        }
        p->untold = 0;
        p->lost_failures = false;
    }
    return true;
}

/* A bucket of PLAIN_FAILURES lines that is filled with time. */
static bool may_tell_failure(struct plain *p, uint64_t now_us)
{
    const uint64_t window_us = PLAIN_FAILURES * PLAIN_FAILURE_EACH_US;

    if (p->failures_told_us < now_us) {
        p->failures_told_us = now_us;
    }
    if (p->failures_told_us + PLAIN_FAILURE_EACH_US > now_us + window_us) {
        p->untold++;
        return false;
    }
    p->failures_told_us += PLAIN_FAILURE_EACH_US;
    return true;
}

static bool tell_event(const struct plain *p, const struct snapshot_event *event)
{
    char clock[FORMAT_MAX], safe[PLAIN_LINE_MAX - 64], line[PLAIN_LINE_MAX], times[16] = "";

    if (event->level < p->options.least) {
        return true;
    }
    format_clock(event->wall_us, clock);
    utf8_display(safe, sizeof safe, str_view(event->text), sizeof safe);
    if (event->repeats > 1) {
        snprintf(times, sizeof times, "x%u ", event->repeats);
    }
    snprintf(line, sizeof line, "%s %s%s%s", clock, level_word(event->level), times, safe);
    return write_line(p, line);
}

/* What the snapshot no longer has cannot be told, but that it was there can. */
static void note_lost(struct plain *p, const struct snapshot *s)
{
    uint64_t oldest = s->events[s->event_count - 1].serial;

    if (p->last_serial && oldest > p->last_serial + 1) {
        p->lost += oldest - p->last_serial - 1;
        p->last_serial = oldest - 1;
        p->lost_failures = true;
    }
}

static bool tell_lost(struct plain *p, int64_t wall_us)
{
    char clock[FORMAT_MAX], line[PLAIN_LINE_MAX];

    if (p->lost) {
        format_clock(wall_us, clock);
        snprintf(line, sizeof line, "%s (%llu earlier event%s not shown; events.jsonl has all)",
                 clock, (unsigned long long)p->lost, units_plural(p->lost));
        if (!write_line(p, line)) {
            return false;
        }
        p->lost = 0;
    }
    return true;
}

/* What is to be known before that event; false: the reader has stopped. */
static bool tell_passed_over(struct plain *p, const struct snapshot_event *event)
{
    return event->level < p->options.least ||
           (tell_lost(p, event->wall_us) && (!event->is_failure || tell_untold(p, event->wall_us)));
}

static void tell_events(struct plain *p, const struct snapshot *s)
{
    if (!s->event_count) {
        return;
    }
    note_lost(p, s);
    for (size_t i = s->event_count; i-- > 0;) {
        if (s->events[i].serial > p->last_serial) {
            if (s->events[i].is_failure && !may_tell_failure(p, s->now_us)) {
                p->last_serial = s->events[i].serial;
                continue;
            }
            if (!tell_passed_over(p, &s->events[i]) || !tell_event(p, &s->events[i])) {
                return; /* the reader has stopped: the next call goes on from here */
            }
            p->last_serial = s->events[i].serial;
        }
    }
}

void plain_progress(const struct snapshot *s, char line[PLAIN_LINE_MAX])
{
    char done[64], rate[FORMAT_MAX], eta[FORMAT_MAX], percent[FORMAT_MAX];
    char state[32] = "", limit[PLAIN_LINE_MAX / 2], words[LIMIT_TEXT_MAX];
    uint64_t settled = s->ok + s->failed;

    if (s->total_known) {
        format_percent(settled, s->total, percent);
        snprintf(done, sizeof done, "%llu/%llu %s", (unsigned long long)settled,
                 (unsigned long long)s->total, percent);
    } else {
        snprintf(done, sizeof done, "%llu done", (unsigned long long)settled);
    }
    if (s->state != RUN_RUNNING) {
        snprintf(state, sizeof state, "%s ", run_state_word(s->state));
    }
    snprintf(line, PLAIN_LINE_MAX, "%s%s ok %llu failed %llu waiting %llu", state, done,
             (unsigned long long)s->ok, (unsigned long long)s->failed,
             (unsigned long long)s->waiting);
    if (s->rounds) {
        snprintf(line + strlen(line), PLAIN_LINE_MAX - strlen(line), " unchanged %llu round %llu",
                 (unsigned long long)s->unchanged, (unsigned long long)s->rounds);
    }
    if (run_state_has_ended(s->state) && !s->trouble[0]) {
        return; /* there is no pace any more, and nothing that could be expected */
    }
    format_rate(s->requests_per_s, rate);
    format_eta(s->eta_known, s->eta_low_us, s->eta_high_us, eta);
    limit_words(&s->limit, NULL, words);
    utf8_display(limit, sizeof limit,
                 str_view(s->trouble[0] ? s->trouble
                          : words[0]    ? words
                                        : "nothing"),
                 sizeof limit);
    snprintf(line + strlen(line), PLAIN_LINE_MAX - strlen(line), " %s req/s cap %u ETA %s %s %s",
             rate, s->cap, eta, s->trouble[0] ? "trouble:" : "limited by", limit);
}

static void tell_progress(struct plain *p, const struct snapshot *s)
{
    char clock[FORMAT_MAX], progress[PLAIN_LINE_MAX], line[PLAIN_LINE_MAX + FORMAT_MAX];

    format_clock(s->wall_us, clock);
    plain_progress(s, progress);
    snprintf(line, sizeof line, "%s %s", clock, progress);
    if (!write_line(p, line)) {
        return; /* replaced by the next one */
    }
}

/* A run of three days shall not fill a log: 5 s in its first ten minutes, a minute in its first two hours, then ten. */
static uint64_t interval_us(const struct plain *p, const struct snapshot *s)
{
    uint64_t minutes = s->started_ago_us / (60 * US_PER_S);

    return p->options.interval_us ? p->options.interval_us
           : minutes < 10         ? 5 * US_PER_S
           : minutes < 120        ? 60 * US_PER_S
                                  : 600 * US_PER_S;
}

void plain_update(struct plain *p, const struct snapshot *s)
{
    tell_events(p, s);
    if (p->options.interval_us == PLAIN_NEVER) {
        return;
    }
    if (p->next_line_us == 0) {
        p->next_line_us = s->now_us + interval_us(p, s); /* none before there is progress */
    }
    if (s->now_us >= p->next_line_us) {
        (void)(tell_lost(p, s->wall_us) && tell_untold(p, s->wall_us));
        tell_progress(p, s);
        p->next_line_us = s->now_us + interval_us(p, s);
    }
}

void plain_say(struct plain *p, struct str lines)
{
    char line[PLAIN_LINE_MAX];

    while (lines.len) {
        struct str cut = str_cut(&lines, '\n');

        utf8_display(line, sizeof line, cut, sizeof line);
        if (!write_line(p, line)) {
            return;
        }
    }
}

void plain_finish(struct plain *p, const struct snapshot *s)
{
    tell_events(p, s);
    (void)(tell_lost(p, s->wall_us) && tell_untold(p, s->wall_us));
    if (p->options.interval_us != PLAIN_NEVER) {
        tell_progress(p, s);
    }
}
