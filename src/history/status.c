#include "history/status.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/say.h"
#include "base/units.h"
#include "base/utf8.h"
#include "control/ctl.h"
#include "control/health.h"
#include "engine/limit_told.h"
#include "engine/report_endpoints.h"
#include "history/json_print.h"
#include "history/stored_job.h"
#include "store/event_log.h"
#include "store/run_reader.h"
#include "ui/plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REASONS_SHOWN 10
#define TEXT_COLUMNS 60

struct status {
    struct ledger_summary summary;
    struct run_holder holder;
    struct limit_told limited; /* LIMIT_NONE: at rest, or not told yet */
};

static void show(struct str bytes, size_t columns)
{
    char shown[4 * TEXT_COLUMNS + 4];

    utf8_display(shown, sizeof shown, bytes, columns);
    fputs(shown, stdout);
}

static void print_reason(void *context, const struct ledger_reason *reason)
{
    (void)context;
    printf("  %8" PRIu64 "  ", reason->count);
    show(reason->reason, TEXT_COLUMNS);
    for (size_t i = 0; i < reason->key_count; i++) {
        printf("%s", i ? ", " : "   keys: ");
        show(reason->keys[i], TEXT_COLUMNS / 2);
    }
    printf("%s\n", reason->count > reason->key_count ? ", ..." : "");
}

static void print_state(const struct status *status)
{
    char since[CLOCK_TEXT_SIZE];

    if (status->holder.held) {
        clock_format_utc(status->holder.since_us, since);
        printf("running   pid %ld since %s\n", (long)status->holder.pid, since);
        return;
    }
    clock_format_utc(status->summary.last_end_us, since);
    if (status->summary.last_end_us) {
        printf("at rest   since %s%s\n", since,
               status->summary.last_clean ? "" : ", stopped before all was done");
    } else {
        printf(
            "at rest   the last process did not end by itself; the next run goes on from here\n");
    }
}

/* Only a process that runs is limited; what it wrote last is as fresh as its lines are. */
static void read_limit(const struct run_dir *dir, struct status *status)
{
    struct buf tail = { 0 };

    if (event_log_tail(dir, LIMIT_TOLD_TAIL, &tail) == RESULT_OK) {
        (void)limit_told_find(buf_view(&tail), &status->limited);
    }
    buf_release(&tail);
}

static void print_limit(const struct limit_told *limited)
{
    if (limited->has_cap) {
        printf("cap       %u, %u in flight\n", limited->cap, limited->in_flight);
    }
    if (limited->limit != LIMIT_NONE) {
        printf("limited   ");
        show(str_view(limited->words), TEXT_COLUMNS);
        printf(", as of %s\n", limited->at);
    }
}

static void print_limit_json(const struct limit_told *limited)
{
    if (limited->has_cap) {
        printf(" \"cap\":%u,\"in_flight\":%u,\n", limited->cap, limited->in_flight);
    } else {
        printf(" \"cap\":null,\"in_flight\":null,\n");
    }
    printf(" \"limited_by\":");
    if (limited->limit == LIMIT_NONE) {
        printf("null,\n");
        return;
    }
    printf("{\"limit\":\"%s\",\"words\":", run_limit_word(limited->limit));
    json_print_text(stdout, str_view(limited->words));
    printf(",\"at\":");
    json_print_text(stdout, str_view(limited->at));
    printf("},\n");
}

static void print_waiting(const struct ledger_summary *summary)
{
    int64_t left_us;
    char countdown[UNITS_TEXT_MAX];
    struct clock clock = clock_system();

    printf("waiting   %" PRIu64, summary->waiting);
    if (summary->next_deadline_us != INT64_MAX) {
        left_us = summary->next_deadline_us - clock_wall_us(&clock);
        units_format_countdown(left_us > 0 ? (uint64_t)left_us : 0, countdown);
        printf(", the first for %s", countdown);
    }
    printf("\n");
}

static void print_text(const struct status *status)
{
    const struct ledger_summary *summary = &status->summary;
    char bodies[UNITS_TEXT_MAX], stored[UNITS_TEXT_MAX];

    print_state(status);
    print_limit(&status->limited);
    printf("done      %" PRIu64, summary->done);
    if (summary->planned) {
        printf(" of %" PRIu64, summary->planned);
    }
    if (summary->unchanged) {
        printf(", %" PRIu64 " of these unchanged", summary->unchanged);
    }
    printf("\nfailed    %" PRIu64 "\n", summary->failed);
    print_waiting(summary);
    printf("attempts  %" PRIu64 "\n", summary->attempts);
    units_format_bytes(summary->body_bytes, bodies);
    units_format_bytes(summary->line_bytes, stored);
    printf("bodies    %s (%s stored in %" PRIu32 " segment%s)\n", bodies, stored, summary->segments,
           units_plural(summary->segments));
    printf("sessions  %" PRIu64 "\n", summary->sessions);
}

static void print_reason_json(void *context, const struct ledger_reason *reason)
{
    bool *first = context;

    printf("%s\n  {\"reason\":", *first ? "" : ",");
    *first = false;
    json_print_text(stdout, reason->reason);
    printf(",\"count\":%" PRIu64 ",\"keys\":[", reason->count);
    for (size_t i = 0; i < reason->key_count; i++) {
        printf("%s", i ? "," : "");
        json_print_text(stdout, reason->keys[i]);
    }
    printf("]}");
}

static void print_times_json(const struct status *status)
{
    const struct ledger_summary *summary = &status->summary;

    printf(" \"next_deadline\":");
    json_print_time(stdout, summary->next_deadline_us, INT64_MAX);
    printf(",\n \"sessions\":%" PRIu64 ",\"first_start\":", summary->sessions);
    json_print_time(stdout, summary->first_start_us, 0);
    printf(",\"last_start\":");
    json_print_time(stdout, summary->last_start_us, 0);
    printf(",\"last_end\":");
    json_print_time(stdout, summary->last_end_us, 0);
    printf(",\"clean\":%s,\n", summary->last_clean ? "true" : "false");
}

static void print_planned(const struct ledger_summary *summary)
{
    if (summary->planned) {
        printf("%" PRIu64, summary->planned);
    } else {
        printf("null");
    }
}

/* "requests" and "ok" are the report's words; "planned" and "done" are theirs of old. */
static void print_json(const char *path, const struct status *status)
{
    const struct ledger_summary *summary = &status->summary;

    printf("{\"run\":");
    json_print_text(stdout, str_view(path));
    printf(",\"running\":%s,\"pid\":", status->holder.held ? "true" : "false");
    if (status->holder.held) {
        printf("%ld,\"since\":", (long)status->holder.pid);
        json_print_time(stdout, status->holder.since_us, INT64_MIN);
    } else {
        printf("null,\"since\":null");
    }
    printf(",\n \"requests\":");
    print_planned(summary);
    printf(",\"ok\":%" PRIu64 ",\"planned\":", summary->done);
    print_planned(summary);
    printf(",\"done\":%" PRIu64 ",\"unchanged\":%" PRIu64 ",\"failed\":%" PRIu64
           ",\"waiting\":%" PRIu64 ",\"attempts\":%" PRIu64 ",\n \"body_bytes\":%" PRIu64
           ",\"stored_bytes\":%" PRIu64 ",\"segments\":%" PRIu32 ",\n",
           summary->done, summary->unchanged, summary->failed, summary->waiting, summary->attempts,
           summary->body_bytes, summary->line_bytes, summary->segments);
    print_limit_json(&status->limited);
    print_times_json(status);
}

static void print_endpoint(const struct job_endpoint *endpoint, const struct page_account *pages)
{
    char words[512];

    printf("  %-16s %" PRIu64 " of %" PRIu64 "%s", endpoint->name, pages->got, pages->expected,
           endpoint->pages.kind == JOB_PAGES_NONE ? "" : " pages");
    if (pages->failed) {
        printf(", %" PRIu64 " failed", pages->failed);
    }
    report_pages_words(pages, words, sizeof words);
    if (words[0]) {
        printf(": ");
        show(str_view(words), 4 * TEXT_COLUMNS);
    }
    if (endpoint->pages.kind != JOB_PAGES_NONE && pages->listings) {
        report_ends_words(pages, words, sizeof words);
        printf("; ");
        show(str_view(words), 2 * TEXT_COLUMNS);
    }
    printf("\n");
}

static void print_ends_json(const struct page_account *pages)
{
    if (!pages->listings) {
        return;
    }
    printf(",\"listings\":%" PRIu64 ",\"ended\":\"%s\",\"ends\":{", pages->listings,
           page_end_name(pages->end));
    for (size_t i = 0; i < pages->end_count; i++) {
        printf("%s\"%s\":%" PRIu64, i ? "," : "", page_end_name(pages->ends[i].end),
               pages->ends[i].listings);
    }
    printf("},\"records\":%" PRIu64 ",\"records_told\":", pages->records);
    if (pages->listings_told == pages->listings) {
        printf("%" PRIu64, pages->records_told);
    } else {
        printf("null");
    }
    printf(",\"records_missing\":%" PRIu64, pages->records_missing);
}

static void print_endpoint_json(const struct job_endpoint *endpoint,
                                const struct page_account *pages, bool first)
{
    printf("%s\n  {\"name\":", first ? "" : ",");
    json_print_text(stdout, str_view(endpoint->name));
    printf(",\"expected\":%" PRIu64 ",\"got\":%" PRIu64 ",\"failed\":%" PRIu64
           ",\"paged\":%s,\"cut\":%s,\"missing\":[",
           pages->expected, pages->got, pages->failed,
           endpoint->pages.kind == JOB_PAGES_NONE ? "false" : "true",
           pages->is_cut ? "true" : "false");
    for (size_t i = 0; i < pages->missing_count; i++) {
        printf("%s", i ? "," : "");
        json_print_text(stdout, str_view(pages->missing[i]));
    }
    printf("]");
    print_ends_json(pages);
    printf(",\"notes\":[");
    for (size_t i = 0; i < pages->note_count; i++) {
        printf("%s{\"kind\":", i ? "," : "");
        json_print_text(stdout, str_view(page_note_name(pages->notes[i].kind)));
        printf(",\"count\":%" PRIu64 ",\"text\":", pages->notes[i].count);
        json_print_text(stdout, str_view(pages->notes[i].text));
        printf("}");
    }
    printf("]}");
}

/* Of a job that has several, or whose one has pages: else the sums say it all. */
static enum result print_endpoints(struct run_reader *reader, bool json, struct err *err)
{
    struct job job;
    enum result result = RESULT_OK;
    bool wanted;

    if (stored_job_read_without_secrets(&reader->dir, &job, NULL) != RESULT_OK) {
        return RESULT_OK; /* who cannot read the job can still look at the sums */
    }
    wanted = job.endpoint_count > 1 || job.endpoints[0].pages.kind != JOB_PAGES_NONE;
    printf("%s", !wanted ? "" : json ? " \"endpoints\":[" : "endpoints\n");
    for (uint32_t i = 0; wanted && i < job.endpoint_count && result == RESULT_OK; i++) {
        struct page_account pages;

        result = ledger_read_account(reader->ledger, i, &pages, err);
        if (result == RESULT_OK && json) {
            print_endpoint_json(&job.endpoints[i], &pages, i == 0);
        } else if (result == RESULT_OK) {
            print_endpoint(&job.endpoints[i], &pages);
        }
    }
    printf("%s", wanted && json ? "],\n" : "");
    job_release(&job);
    return result;
}

/* What a live run says of itself. NULL when it says nothing: it is at rest, or has no socket. */
static struct snapshot *ask_run(struct run_reader *reader, struct buf *json)
{
    struct snapshot *s = malloc(sizeof *s);

    if (s && ctl_snapshot(reader->dir.path, json, s, NULL) != RESULT_OK) {
        free(s);
        s = NULL;
    }
    return s;
}

static void print_live(struct run_reader *reader, bool json)
{
    struct buf text = { 0 };
    struct snapshot *s = ask_run(reader, &text);
    char line[PLAIN_LINE_MAX];

    if (s && json) {
        printf(" \"live\":");
        say_json(stdout, buf_view(&text));
        printf(",\n");
    } else if (s) {
        plain_progress(s, line);
        say(stdout, "live      %s", line);
    }
    buf_release(&text);
    free(s);
}

int status_check(struct run_reader *reader)
{
    char why[HEALTH_TEXT_MAX];
    struct buf text = { 0 };
    struct snapshot *s;
    struct run_holder holder;
    int code = EXIT_WELL;

    if (run_dir_holder(&reader->dir, &holder, NULL) != RESULT_OK || !holder.held) {
        say(stderr, "scrapetop: the run is not live");
        return EXIT_NOT_LIVE;
    }
    s = ask_run(reader, &text);
    if (!s) {
        say(stderr, "scrapetop: the run is live, but does not answer at its control socket");
        code = EXIT_INTERNAL;
    } else if (!health_is_well(s, why)) {
        say(stderr, "scrapetop: the run is not well: %s", why);
        code = EXIT_INTERNAL;
    }
    buf_release(&text);
    free(s);
    return code;
}

enum result status_print(struct run_reader *reader, bool json, struct err *err)
{
    struct status status = { .limited = { .limit = LIMIT_NONE } };
    bool first = true;
    enum result result = ledger_summarise(reader->ledger, &status.summary, err);

    if (result == RESULT_OK) {
        result = run_dir_holder(&reader->dir, &status.holder, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    if (status.holder.held) {
        read_limit(&reader->dir, &status);
    }
    if (!json) {
        print_text(&status);
        if (status.holder.held) {
            print_live(reader, false);
        }
        result = print_endpoints(reader, false, err);
        if (result != RESULT_OK) {
            return result;
        }
        printf("%s", status.summary.failed ? "failed because\n" : "");
        return ledger_each_reason(reader->ledger, REASONS_SHOWN, print_reason, NULL, err);
    }
    print_json(reader->dir.path, &status);
    if (status.holder.held) {
        print_live(reader, true);
    }
    result = print_endpoints(reader, true, err);
    if (result != RESULT_OK) {
        return result;
    }
    printf(" \"reasons\":[");
    result = ledger_each_reason(reader->ledger, REASONS_SHOWN, print_reason_json, &first, err);
    printf("]}\n");
    return result;
}
