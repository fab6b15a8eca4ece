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
#include "history/status_since.h"
#include "history/stored_job.h"
#include "store/event_log.h"
#include "store/run_reader.h"
#include "store/token_note.h"
#include "ui/plain.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define REASONS_SHOWN 10
#define TEXT_COLUMNS 60

struct status {
    struct ledger_summary summary;
    struct run_holder holder;
    bool is_ending;            /* it is held by a process whose session is over */
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

    if (status->is_ending) {
        clock_format_utc(status->summary.last_end_us, since);
        printf("ending    since %s: pid %ld may wait for its --on-end or --ping\n", since,
               (long)status->holder.pid);
        return;
    }
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

static void write_limit(struct json_writer *w, const struct limit_told *limited)
{
    json_write_line(w, 1);
    json_write_known(w, "cap", limited->cap, limited->has_cap);
    json_write_known(w, "in_flight", limited->in_flight, limited->has_cap);
    json_write_line(w, 1);
    if (limited->limit == LIMIT_NONE) {
        json_write_null(w, "limited_by");
        return;
    }
    json_write_object(w, "limited_by");
    json_write_text(w, "limit", str_view(run_limit_word(limited->limit)));
    json_write_text(w, "words", str_view(limited->words));
    json_write_text(w, "at", str_view(limited->at));
    json_write_object_end(w);
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
    const struct earlier_rounds *earlier = &summary->earlier;
    char bodies[UNITS_TEXT_MAX], stored[UNITS_TEXT_MAX];

    print_state(status);
    print_limit(&status->limited);
    printf("done      %" PRIu64, summary->done - earlier->done);
    if (summary->planned) {
        printf(" of %" PRIu64, summary->planned - earlier->done);
    }
    if (summary->unchanged > earlier->unchanged) {
        printf(", %" PRIu64 " of these unchanged", summary->unchanged - earlier->unchanged);
    }
    if (summary->round_from) {
        printf("; in rounds before %" PRIu64, earlier->done);
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

static void write_reason(void *context, const struct ledger_reason *reason)
{
    struct json_writer *w = context;

    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "reason", reason->reason);
    json_write_uint(w, "count", reason->count);
    json_write_array(w, "keys");
    for (size_t i = 0; i < reason->key_count; i++) {
        json_write_text(w, NULL, reason->keys[i]);
    }
    json_write_array_end(w);
    json_write_object_end(w);
}

static void write_times(struct json_writer *w, const struct ledger_summary *summary)
{
    json_write_line(w, 1);
    json_write_moment(w, "next_deadline", summary->next_deadline_us, INT64_MAX);
    json_write_line(w, 1);
    json_write_uint(w, "sessions", summary->sessions);
    json_write_moment(w, "first_start", summary->first_start_us, 0);
    json_write_moment(w, "last_start", summary->last_start_us, 0);
    json_write_moment(w, "last_end", summary->last_end_us, 0);
    json_write_bool(w, "clean", summary->last_clean);
}

/* "requests" and "ok" are the report's words; "planned" and "done" are theirs of old. */
static void write_sums(struct json_writer *w, const char *path, const struct status *status)
{
    const struct ledger_summary *summary = &status->summary;
    const struct earlier_rounds *earlier = &summary->earlier;
    const struct run_holder *holder = &status->holder;
    uint64_t planned = summary->planned ? summary->planned - earlier->done : 0;

    json_write_text(w, "run", str_view(path));
    json_write_bool(w, "running", holder->held && !status->is_ending);
    json_write_bool(w, "ending", status->is_ending);
    json_write_known(w, "pid", (uint64_t)holder->pid, holder->held);
    json_write_moment(w, "since", holder->held ? holder->since_us : INT64_MIN, INT64_MIN);
    json_write_line(w, 1);
    json_write_known(w, "requests", planned, summary->planned);
    json_write_uint(w, "ok", summary->done - earlier->done);
    json_write_known(w, "planned", planned, summary->planned);
    json_write_uint(w, "done", summary->done - earlier->done);
    json_write_uint(w, "unchanged", summary->unchanged - earlier->unchanged);
    json_write_uint(w, "all_rounds_ok", summary->done);
    json_write_uint(w, "failed", summary->failed);
    json_write_uint(w, "waiting", summary->waiting);
    json_write_uint(w, "attempts", summary->attempts);
    json_write_line(w, 1);
    json_write_uint(w, "body_bytes", summary->body_bytes);
    json_write_uint(w, "stored_bytes", summary->line_bytes);
    json_write_uint(w, "segments", summary->segments);
    write_limit(w, &status->limited);
    write_times(w, summary);
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

static void write_ends(struct json_writer *w, const struct page_account *pages)
{
    json_write_uint(w, "listings", pages->listings);
    json_write_text(w, "ended", str_view(page_end_name(pages->end)));
    json_write_object(w, "ends");
    for (size_t i = 0; i < pages->end_count; i++) {
        json_write_uint(w, page_end_name(pages->ends[i].end), pages->ends[i].listings);
    }
    json_write_object_end(w);
    json_write_uint(w, "records", pages->records);
    json_write_known(w, "records_told", pages->records_told,
                     pages->listings_told == pages->listings);
    json_write_uint(w, "records_missing", pages->records_missing);
}

static void write_notes(struct json_writer *w, const struct page_account *pages)
{
    json_write_array(w, "notes");
    for (size_t i = 0; i < pages->note_count; i++) {
        json_write_object(w, NULL);
        json_write_text(w, "kind", str_view(page_note_name(pages->notes[i].kind)));
        json_write_uint(w, "count", pages->notes[i].count);
        json_write_text(w, "text", str_view(pages->notes[i].text));
        json_write_object_end(w);
    }
    json_write_array_end(w);
}

static void write_endpoint(struct json_writer *w, const struct job_endpoint *endpoint,
                           const struct page_account *pages)
{
    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "name", str_view(endpoint->name));
    json_write_uint(w, "expected", pages->expected);
    json_write_uint(w, "got", pages->got);
    json_write_uint(w, "failed", pages->failed);
    json_write_bool(w, "paged", endpoint->pages.kind != JOB_PAGES_NONE);
    json_write_bool(w, "cut", pages->is_cut);
    json_write_array(w, "missing");
    for (size_t i = 0; i < pages->missing_count; i++) {
        json_write_text(w, NULL, str_view(pages->missing[i]));
    }
    json_write_array_end(w);
    if (pages->listings) {
        write_ends(w, pages);
    }
    write_notes(w, pages);
    json_write_object_end(w);
}

/* Of a job that has several, or whose one has pages: else the sums say it all. With `w` as JSON. */
static enum result tell_endpoints(struct run_reader *reader, struct json_writer *w, struct err *err)
{
    struct job job;
    enum result result = RESULT_OK;
    bool wanted;

    if (stored_job_read_without_secrets(&reader->dir, &job, NULL) != RESULT_OK) {
        return RESULT_OK; /* who cannot read the job can still look at the sums */
    }
    wanted = job.endpoint_count > 1 || job.endpoints[0].pages.kind != JOB_PAGES_NONE;
    if (wanted && w) {
        json_write_line(w, 1);
        json_write_array(w, "endpoints");
    } else if (wanted) {
        printf("endpoints\n");
    }
    for (uint32_t i = 0; wanted && i < job.endpoint_count && result == RESULT_OK; i++) {
        struct page_account pages;

        result = ledger_read_account(reader->ledger, i, &pages, err);
        if (result == RESULT_OK && w) {
            write_endpoint(w, &job.endpoints[i], &pages);
        } else if (result == RESULT_OK) {
            print_endpoint(&job.endpoints[i], &pages);
        }
    }
    if (wanted && w) {
        json_write_array_end(w);
    }
    job_release(&job);
    return result;
}

static void print_token(const struct token_note *note, int64_t wall_us)
{
    uint64_t left_us = token_note_left_us(note, wall_us);
    char countdown[UNITS_TEXT_MAX];

    printf("  ");
    show(str_view(note->name), TEXT_COLUMNS);
    printf("   %" PRIu64 " ok, %" PRIu64 " refused", note->ok, note->refused);
    if (note->aside_status) {
        printf(", put aside (HTTP %d)", note->aside_status);
    } else if (left_us) {
        units_format_countdown(left_us, countdown);
        printf(", held for %s", countdown);
    }
    printf("\n");
}

static void write_token(struct json_writer *w, const struct token_note *note, int64_t wall_us)
{
    bool is_held = token_note_left_us(note, wall_us) > 0;

    json_write_line(w, 2);
    json_write_object(w, NULL);
    json_write_text(w, "name", str_view(note->name));
    json_write_uint(w, "ok", note->ok);
    json_write_uint(w, "refused", note->refused);
    json_write_known(w, "aside_status", (uint64_t)note->aside_status, note->aside_status);
    json_write_moment(w, "held_until", is_held ? note->held_until_us : 0, 0);
    json_write_object_end(w);
}

/* Each of several, by its name. With `w` as JSON. */
static enum result tell_tokens(struct run_reader *reader, struct json_writer *w, struct err *err)
{
    struct token_note notes[TOKEN_NOTES_MAX];
    struct clock clock = clock_system();
    int64_t wall_us = clock_wall_us(&clock);
    struct buf text = { 0 };
    enum result result = ledger_read_kept(reader->ledger, LEDGER_KEPT_TOKENS, &text, err);
    size_t count = result == RESULT_OK ? token_notes_read(buf_view(&text), notes) : 0;

    if (count && w) {
        json_write_line(w, 1);
        json_write_array(w, "tokens");
    } else if (count) {
        printf("tokens\n");
    }
    for (size_t i = 0; i < count; i++) {
        if (w) {
            write_token(w, &notes[i], wall_us);
        } else {
            print_token(&notes[i], wall_us);
        }
    }
    if (count && w) {
        json_write_array_end(w);
    }
    buf_release(&text);
    return result == RESULT_NOT_FOUND ? RESULT_OK : result;
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

static void tell_live(struct run_reader *reader, struct json_writer *w)
{
    struct buf text = { 0 };
    struct snapshot *s = ask_run(reader, &text);
    char line[PLAIN_LINE_MAX];

    if (s && w) {
        json_write_line(w, 1);
        json_write_raw(w, "live", buf_view(&text));
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

static enum result print_for_people(struct run_reader *reader, const struct status *status,
                                    struct err *err)
{
    enum result result;

    print_text(status);
    if (status->holder.held && !status->is_ending) {
        tell_live(reader, NULL);
    }
    result = tell_endpoints(reader, NULL, err);
    if (result == RESULT_OK) {
        result = status_since(reader, NULL, err);
    }
    if (result == RESULT_OK) {
        result = tell_tokens(reader, NULL, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    printf("%s", status->summary.failed ? "failed because\n" : "");
    return ledger_each_reason(reader->ledger, REASONS_SHOWN, print_reason, NULL, err);
}

static enum result print_json(struct run_reader *reader, const struct status *status,
                              struct err *err)
{
    struct buf text = { 0 };
    struct json_writer w = json_write_begin(&text);
    enum result result;

    json_write_object(&w, NULL);
    write_sums(&w, reader->dir.path, status);
    if (status->holder.held && !status->is_ending) {
        tell_live(reader, &w);
    }
    result = tell_endpoints(reader, &w, err);
    if (result == RESULT_OK) {
        result = status_since(reader, &w, err);
    }
    if (result == RESULT_OK) {
        result = tell_tokens(reader, &w, err);
    }
    if (result == RESULT_OK) {
        json_write_line(&w, 1);
        json_write_array(&w, "reasons");
        result = ledger_each_reason(reader->ledger, REASONS_SHOWN, write_reason, &w, err);
        json_write_array_end(&w);
        json_write_object_end(&w);
    }
    if (result == RESULT_OK && w.result != RESULT_OK) {
        result = err_nomem(err, "telling the status");
    }
    if (result == RESULT_OK) {
        json_print(stdout, &w);
        printf("\n");
    }
    buf_release(&text);
    return result;
}

enum result status_print(struct run_reader *reader, bool json, struct err *err)
{
    struct status status = { .limited = { .limit = LIMIT_NONE } };
    enum result result = ledger_summarise(reader->ledger, &status.summary, err);

    if (result == RESULT_OK) {
        result = run_dir_holder(&reader->dir, &status.holder, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    status.is_ending = run_reader_is_ending(&status.holder, &status.summary);
    if (status.holder.held && !status.is_ending) {
        read_limit(&reader->dir, &status);
    }
    return json ? print_json(reader, &status, err) : print_for_people(reader, &status, err);
}
