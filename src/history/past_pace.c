#include "history/past_pace.h"

#include "history/saved_report.h"

#include <stdio.h>
#include <string.h>

#define POINTER_MAX 64

/* In these nothing was to be sent, or nothing could be: they say nothing of how fast it goes. */
static bool is_idle(enum run_limit limit)
{
    switch (limit) {
    case LIMIT_PAUSED:
    case LIMIT_DRAINING:
    case LIMIT_ROUND:
    case LIMIT_INPUT:
    case LIMIT_FLEET:
        return true;
    default:
        return false;
    }
}

static double figure(struct str report, const char *pointer)
{
    double number = 0;

    return saved_report_number(report, str_view(pointer), &number) ? number : 0;
}

static double limited_s(struct str report, enum run_limit limit)
{
    char pointer[POINTER_MAX];

    snprintf(pointer, sizeof pointer, "/limited_s/%s", run_limit_word(limit));
    return figure(report, pointer);
}

/* The time in which it could send, and what kept it back then. */
static double moving_s(struct str report, enum run_limit *limit)
{
    double moving = figure(report, "/wall_s"), longest = 0;

    *limit = LIMIT_NONE;
    for (enum run_limit each = LIMIT_NONE + 1; each < LIMIT_COUNT; each++) {
        double seconds = limited_s(report, each);

        if (is_idle(each)) {
            moving -= seconds;
        } else if (seconds > longest) {
            longest = seconds;
            *limit = each;
        }
    }
    return moving;
}

void past_pace_of_report(struct str report, struct past_pace *past)
{
    double sent = figure(report, "/session/attempts");
    double ended = figure(report, "/session/ok") + figure(report, "/session/failed");
    double moving = moving_s(report, &past->limit);

    past->is_known = sent > 0 && ended > 0 && moving > 0;
    if (past->is_known) {
        past->sent_per_s = sent / moving;
        past->sent_per_end = sent / ended;
        past->answer_s = figure(report, "/latency_ms/mean") / 1000;
        past->cap = (unsigned)figure(report, "/cap");
    }
}

enum result past_pace_read(const char *path, struct past_pace *past, struct err *err)
{
    struct run_reader reader;
    struct buf report = { 0 };
    enum result result = run_reader_open(&reader, path, err);

    memset(past, 0, sizeof *past);
    if (result != RESULT_OK) {
        return result;
    }
    result = ledger_summarise(reader.ledger, &past->summary, err);
    if (result == RESULT_OK && saved_report_read(&reader.dir, &report)) {
        past_pace_of_report(buf_view(&report), past);
    }
    buf_release(&report);
    run_reader_close(&reader);
    return result;
}
