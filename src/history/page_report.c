#include "history/page_report.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "control/ctl.h"
#include "history/page_chart.h"
#include "history/page_facts.h"
#include "history/page_style.h"
#include "history/saved_report.h"
#include "history/stored_job.h"

#include <stdlib.h>

#define JOB_BYTES_MAX (4 << 20)
#define JOB_SHOWN 20000
#define TABLES_BYTES_MAX (8 << 20)
#define DEPTH_MAX 64

/* --- sections of this file ----------------------------------------------------------------------------------- */

static void put_charts(struct page_out *p, const struct page_facts *f)
{
    char since[CLOCK_TEXT_SIZE];

    if (f->story.point_count < PAGE_CHART_LEAST) {
        return;
    }
    page_put(p, "<h2>How it went</h2><div class=\"card\">");
    if (f->story.is_cut) {
        clock_format_utc(f->story.first_us, since);
        page_put(
            p,
            "<p><small>From %.10s %.5s UTC on: events from before are no longer kept.</small></p>",
            since, since + 11);
    }
    page_put(p, "<h3>Requests a second</h3>");
    page_chart_rate(p, &f->story);
    page_put(p, "<h3>Latency that 95 of 100 answers do not pass</h3>");
    page_chart_latency(p, &f->story);
    page_put(p, "<h3>In flight, and the cap</h3>");
    page_chart_flight(p, &f->story);
    page_chart_legend(p, &f->story);
    page_put(p, "</div>");
}

static void put_line(struct page_out *p, const struct story_line *line)
{
    char when[CLOCK_TEXT_SIZE];

    clock_format_utc(line->wall_us, when);
    page_put(p, "<tr><td class=\"n soft\">%.10s %.8s</td><td class=\"%s\">", when, when + 11,
             event_level_word(line->level));
    page_text(p, str_view(line->text), SIZE_MAX);
    page_put(p, "</td></tr>");
}

static void put_events(struct page_out *p, const struct page_facts *f)
{
    const struct run_story *s = &f->story;
    size_t shown = s->line_count < STORY_LINES_MAX ? s->line_count : STORY_LINES_MAX;

    if (!shown) {
        return;
    }
    page_put(p, "<details><summary>The last %zu of %zu events</summary><table>", shown,
             s->line_count);
    for (size_t i = s->line_count - shown; i < s->line_count; i++) {
        put_line(p, &s->lines[i % STORY_LINES_MAX]);
    }
    page_put(p, "</table></details>");
}

static void put_job(struct page_out *p, const struct page_facts *f)
{
    if (f->job_text.len) {
        page_put(p, "<details><summary>The whole job, without secrets</summary><pre>");
        page_text(p, buf_view(&f->job_text), JOB_SHOWN);
        page_put(p, "</pre></details>");
    }
}

static void put_page_begin(struct page_out *p, const struct page_facts *f)
{
    page_put(
        p, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
           "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
           "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
           "style-src 'unsafe-inline'; img-src data:\"><link rel=\"icon\" href=\"data:,\"><title>");
    page_text(p, str_view(f->job.name ? f->job.name : "run"), 80);
    page_put(p, "</title><style>");
    for (size_t i = 0; page_style[i]; i++) {
        p->no_memory = p->no_memory || buf_append_str(p->to, str_view(page_style[i])) != RESULT_OK;
    }
    page_put(p, "</style></head><body><main>");
}

static void put_page_end(struct page_out *p, const struct page_facts *f)
{
    char when[CLOCK_TEXT_SIZE];

    clock_format_utc(f->now_us, when);
    page_put(p, "<footer>Made by scrapetop " SCRAPETOP_VERSION " at %.10s %.8s UTC of ", when,
             when + 11);
    page_text(p, str_view(f->reader->dir.path), 300);
    page_put(p, "</footer></main></body></html>\n");
}

static enum result write_page(struct page_out *p, const struct page_facts *f, struct err *err)
{
    enum result result;

    put_page_begin(p, f);
    page_head(p, f);
    put_charts(p, f);
    page_endpoints(p, f);
    result = page_failures(p, f, err);
    page_tables(p, f);
    page_ladder(p, f);
    page_rules(p, f);
    page_polite(p, f);
    put_events(p, f);
    put_job(p, f);
    put_page_end(p, f);
    return result != RESULT_OK ? result
           : p->no_memory      ? err_nomem(err, "making the page")
                               : RESULT_OK;
}

/* --- what it is made of ------------------------------------------------------------------------------------------ */

/* A job that cannot be read is no reason to tell nothing. */
static void gather_job(struct page_facts *f)
{
    if (stored_job_read_without_secrets(&f->reader->dir, &f->job, NULL) != RESULT_OK) {
        f->job = (struct job){ 0 };
    }
    if (run_dir_read(&f->reader->dir, "job.json", JOB_BYTES_MAX, &f->job_text, NULL) != RESULT_OK) {
        buf_reset(&f->job_text);
    }
}

/* A run takes the report of the session before away as it begins. One that is held, but has its report, is over: it
 * only waits for who hears of its end, which may be us (--on-end). */
static void gather_report(struct page_facts *f)
{
    struct run_holder holder = { .held = false };

    f->is_live = run_dir_holder(&f->reader->dir, &holder, NULL) == RESULT_OK && holder.held;
    if (f->is_live && ctl_report(f->reader->dir.path, &f->report, NULL) == RESULT_OK) {
        return;
    }
    buf_reset(&f->report);
    if (saved_report_read(&f->reader->dir, &f->report)) {
        f->is_live = false;
    }
}

static void gather_tables(struct page_facts *f)
{
    if (run_dir_read(&f->reader->dir, "tables.json", TABLES_BYTES_MAX, &f->tables, NULL) !=
            RESULT_OK ||
        !json_check(buf_view(&f->tables), DEPTH_MAX, NULL)) {
        buf_reset(&f->tables);
    }
}

enum result page_report_write(struct run_reader *reader, struct buf *out, struct err *err)
{
    struct page_facts *f = calloc(1, sizeof *f);
    struct page_out p = { .to = out };
    struct clock clock = clock_system();
    enum result result;

    if (!f) {
        return err_nomem(err, "making the page");
    }
    f->reader = reader;
    f->now_us = clock_wall_us(&clock);
    gather_job(f);
    gather_report(f);
    gather_tables(f);
    result = ledger_summarise(reader->ledger, &f->summary, err);
    if (result == RESULT_OK) {
        result = run_story_read(&f->story, &reader->dir, err);
    }
    if (result == RESULT_OK) {
        result = write_page(&p, f, err);
    }
    run_story_release(&f->story);
    job_release(&f->job);
    buf_release(&f->job_text);
    buf_release(&f->report);
    buf_release(&f->tables);
    free(f);
    return result;
}
