/* Sections that tell of the whole: how it ended, what caps gave, which rules fired, how polite it was. */
#include "history/page_facts.h"
#include "history/saved_report.h"

#include "base/clock.h"
#include "base/exit_code.h"
#include "base/json_scan.h"
#include "base/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 400
#define DATE_LENGTH 10 /* of "2026-11-30T17:04:12Z" */

/* --- how it ended ---------------------------------------------------------------------------------------------- */

struct ending {
    const char *class, *words;
};

static struct ending ending_of_code(int code)
{
    switch (code) {
    case EXIT_WELL:
        return (struct ending){ "ok", "done" };
    case EXIT_INCOMPLETE:
        return (struct ending){ "warn", "finished, with losses" };
    case EXIT_LIMIT:
        return (struct ending){ "warn", "stopped at a limit" };
    case EXIT_AUTH:
        return (struct ending){ "bad", "stopped: authentication failed" };
    case EXIT_DRAINED:
        return (struct ending){ "warn", "stopped, can go on" };
    case EXIT_STORAGE:
        return (struct ending){ "bad", "stopped: storage failed" };
    case EXIT_INTERRUPTED:
    case EXIT_TERMINATED:
        return (struct ending){ "warn", "aborted, can go on" };
    default:
        return (struct ending){ "bad", "failed" };
    }
}

static struct ending ending_of(const struct page_facts *f)
{
    double code;

    if (f->is_live) {
        return (struct ending){ "live", "under way" };
    }
    if (page_figure(f, STR("/exit"), &code) && code <= UINT8_MAX) {
        return ending_of_code((int)code);
    }
    if (f->summary.last_clean) {
        return f->summary.failed ? (struct ending){ "warn", "finished, with failures" }
                                 : (struct ending){ "ok", "done" };
    }
    return (struct ending){ "warn", f->summary.last_end_us ? "stopped, can go on"
                                                           : "ended without a word, can go on" };
}

static uint64_t total_of(const struct page_facts *f)
{
    const struct ledger_summary *s = &f->summary;
    uint64_t known = s->done + s->failed + s->waiting;
    double total;

    if (page_figure(f, STR("/requests"), &total) && total >= (double)known && total < 1e18) {
        return (uint64_t)total;
    }
    return s->planned > known ? s->planned : known;
}

static void put_when(struct page_out *p, const struct page_facts *f)
{
    const struct ledger_summary *s = &f->summary;
    int64_t end_us = f->is_live ? f->now_us : s->last_end_us ? s->last_end_us : f->story.last_us;
    char from[CLOCK_TEXT_SIZE], to[CLOCK_TEXT_SIZE], ran[UNITS_TEXT_MAX];
    bool is_one_day;

    if (!s->first_start_us || end_us < s->first_start_us) {
        return;
    }
    clock_format_utc(s->first_start_us, from);
    clock_format_utc(end_us, to);
    is_one_day = strncmp(from, to, DATE_LENGTH) == 0;
    page_put(p, "<p class=\"soft\">%.10s %.5s to %.*s%s%.5s UTC", from, from + DATE_LENGTH + 1,
             is_one_day ? 0 : DATE_LENGTH, to, is_one_day ? "" : " ", to + DATE_LENGTH + 1);
    if (f->story.ran_s > 0 && !f->story.is_cut) {
        units_format_time((uint64_t)(f->story.ran_s * US_PER_S), ran);
        page_put(p, ", of which it ran %s", ran);
    }
    if (s->sessions > 1) {
        page_put(p, " in %llu sessions", (unsigned long long)s->sessions);
    }
    page_put(p, "</p>");
}

static void put_sentence(struct page_out *p, const struct page_facts *f)
{
    const struct ledger_summary *s = &f->summary;
    uint64_t total = total_of(f);
    struct str why = page_word(f, STR("/stopped_by")), verdict = page_word(f, STR("/verdict"));

    page_put(p, "<p class=\"lead\">");
    page_whole(p, s->done);
    page_put(p, " of ");
    page_whole(p, total);
    page_put(p, " request%s went well", units_plural(total));
    if (s->failed) {
        page_put(p, ", ");
        page_whole(p, s->failed);
        page_put(p, " failed");
    }
    page_put(p, ".");
    if (why.len && !f->is_live) {
        page_put(p, " It ended early: ");
        page_json_text(p, why, TEXT_MAX);
        page_put(p, ".");
    }
    page_put(p, "</p>");
    if (verdict.len > 2) {
        page_put(p, "<p class=\"soft\">");
        page_json_text(p, verdict, TEXT_MAX);
        page_put(p, "</p>");
    }
}

static void put_fact(struct page_out *p, const char *words, const char *value)
{
    page_put(p, "<div><b>%s</b><span>%s</span></div>", value, words);
}

static void put_count(struct page_out *p, const char *words, uint64_t count)
{
    char text[UNITS_TEXT_MAX];

    units_format_whole(count, text);
    put_fact(p, words, text);
}

static void put_facts(struct page_out *p, const struct page_facts *f)
{
    const struct ledger_summary *s = &f->summary;
    uint64_t total = total_of(f), ended = s->done + s->failed;
    char text[UNITS_TEXT_MAX], low[UNITS_TEXT_MAX], high[UNITS_TEXT_MAX];
    double figure, more;

    page_put(p, "<div class=\"facts\">");
    put_count(p, "went well", s->done);
    put_count(p, "failed", s->failed);
    put_count(p, "left", total > ended ? total - ended : 0);
    if (page_figure(f, STR("/rows"), &figure) && figure > 0) {
        put_count(p, "rows in tables", (uint64_t)figure);
    }
    if (page_figure(f, STR("/req_per_s"), &figure) && figure > 0) {
        snprintf(text, sizeof text, figure < 10 ? "%.2g" : "%.0f", figure);
        put_fact(p, "requests a second", text);
    }
    if (page_figure(f, STR("/latency_ms/p50"), &figure) &&
        page_figure(f, STR("/latency_ms/p95"), &more) && more > 0) {
        units_format_time((uint64_t)(figure * US_PER_MS), low);
        units_format_time((uint64_t)(more * US_PER_MS), high);
        put_fact(p, "latency of half", low);
        put_fact(p, "of 95 in 100", high);
    }
    units_format_bytes(s->body_bytes, text);
    put_fact(p, "of bodies", text);
    page_put(p, "</div>");
}

void page_head(struct page_out *p, const struct page_facts *f)
{
    struct ending ending = ending_of(f);

    page_put(p, "<header><h1>");
    page_text(p, str_view(f->job.name ? f->job.name : "run"), 80);
    page_put(p, "</h1><span class=\"pill %s\">%s</span>", ending.class, ending.words);
    put_sentence(p, f);
    put_when(p, f);
    put_facts(p, f);
    page_put(p, "</header>");
}

/* --- what caps gave ------------------------------------------------------------------------------------------------ */

static double figure_in(struct str object, struct str pointer)
{
    double figure;

    return saved_report_number(object, pointer, &figure) ? figure : 0;
}

static void put_rung(struct page_out *p, struct str rung, double best)
{
    double rate = figure_in(rung, STR("/req_per_s"));
    char spent[UNITS_TEXT_MAX], p95[UNITS_TEXT_MAX];

    units_format_time((uint64_t)(figure_in(rung, STR("/time_s")) * US_PER_S), spent);
    units_format_time((uint64_t)(figure_in(rung, STR("/p95_ms")) * US_PER_MS), p95);
    page_put(p,
             "<tr><td class=\"n\">%.0f</td><td class=\"n\">%.1f</td><td style=\"width:45%%\">"
             "<span class=\"bar\" style=\"width:%.0f%%\"></span></td><td class=\"n\">%s</td>"
             "<td class=\"n\">%.1f %%</td><td class=\"n\">%s</td></tr>",
             figure_in(rung, STR("/cap")), rate, best > 0 ? fmin(100, 100 * rate / best) : 0, p95,
             100 * figure_in(rung, STR("/throttled")), spent);
}

void page_ladder(struct page_out *p, const struct page_facts *f)
{
    struct str ladder, rung;
    struct json_walk walk;
    double best = 0;

    if (!json_find(buf_view(&f->report), STR("/ladder"), &ladder)) {
        return;
    }
    json_walk_begin(&walk, ladder);
    while (json_walk_next(&walk, NULL, &rung)) {
        best = fmax(best, figure_in(rung, STR("/req_per_s")));
    }
    if (best <= 0) {
        return;
    }
    page_put(p,
             "<h2>What each cap gave</h2><div class=\"card\"><table><tr><th class=\"n\">cap</th>"
             "<th class=\"n\">req/s</th><th></th><th class=\"n\">p95</th><th class=\"n\">429</th>"
             "<th class=\"n\">time</th></tr>");
    json_walk_begin(&walk, ladder);
    while (json_walk_next(&walk, NULL, &rung)) {
        put_rung(p, rung, best);
    }
    page_put(p, "</table></div>");
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

/* Rows of one list of the report: what, the rule, how often. */
static unsigned put_rules(struct page_out *p, const struct page_facts *f, struct str list_at,
                          struct str name_at, struct str count_at, const char *prefix)
{
    struct str list, item, name, rule;
    struct json_walk walk;
    unsigned rows = 0;

    if (!json_find(buf_view(&f->report), list_at, &list)) {
        return 0;
    }
    json_walk_begin(&walk, list);
    while (json_walk_next(&walk, NULL, &item)) {
        if (!json_find(item, name_at, &name) || !json_find(item, STR("/rule"), &rule)) {
            continue;
        }
        page_put(p, "%s<tr><td>%s", rows++ ? "" : "", prefix);
        page_json_text(p, name, 80);
        page_put(p, "</td><td><code>");
        if (json_type_of(rule) == JSON_STRING) {
            page_json_text(p, rule, TEXT_MAX);
        }
        page_put(p, "</code></td><td class=\"n\">%.0f</td></tr>", figure_in(item, count_at));
    }
    return rows;
}

void page_rules(struct page_out *p, const struct page_facts *f)
{
    struct buf rows = { 0 };
    struct page_out own = { .to = &rows };
    unsigned count = put_rules(&own, f, STR("/on"), STR("/number"), STR("/fired"), "on-rule ");

    count += put_rules(&own, f, STR("/rules"), STR("/name"), STR("/count"), "");
    if (count) {
        page_put(p,
                 "<h2>Rules</h2><div class=\"card\"><table><tr><th>which</th><th>what it says</th>"
                 "<th class=\"n\">times</th></tr>");
        p->no_memory =
            p->no_memory || own.no_memory || buf_append_str(p->to, buf_view(&rows)) != RESULT_OK;
        page_put(p, "</table></div>");
    }
    buf_release(&rows);
}

/* --- how polite it was ---------------------------------------------------------------------------------------------- */

static void begin_item(struct page_out *p, const char *words)
{
    page_put(p, "<div><dt>%s</dt><i></i><dd>", words);
}

static void put_item(struct page_out *p, const char *words, const char *value)
{
    begin_item(p, words);
    page_put(p, "%s</dd></div>", value);
}

static void put_item_figure(struct page_out *p, const struct page_facts *f, const char *words,
                            struct str pointer, const char *unit)
{
    char text[UNITS_TEXT_MAX + 16], number[UNITS_TEXT_MAX];
    double figure;

    if (page_figure(f, pointer, &figure) && figure >= 0 && figure < 1e18) {
        units_format_whole((uint64_t)figure, number);
        snprintf(text, sizeof text, "%s%s", number, unit);
        put_item(p, words, text);
    }
}

static void put_item_time(struct page_out *p, const struct page_facts *f, const char *words,
                          struct str pointer)
{
    char text[UNITS_TEXT_MAX];
    double figure;

    if (page_figure(f, pointer, &figure) && figure >= 0) {
        units_format_time((uint64_t)(figure * US_PER_S), text);
        put_item(p, words, text);
    }
}

/* Of the job's headers, else our own. */
static void put_agent(struct page_out *p, const struct page_facts *f)
{
    struct str headers, name, value, agent = STR_NONE;
    struct json_walk walk;

    if (json_find(buf_view(&f->job_text), STR("/headers"), &headers)) {
        json_walk_begin(&walk, headers);
        while (json_walk_next(&walk, &name, &value)) {
            agent = str_equal_nocase(name, STR("user-agent")) ? value : agent;
        }
    }
    begin_item(p, "user agent");
    if (json_type_of(agent) == JSON_STRING) {
        page_json_text(p, agent, 120);
    } else {
        page_put(p, "scrapetop/" SCRAPETOP_VERSION);
    }
    page_put(p, "</dd></div>");
}

static void put_refusals(struct page_out *p, const struct page_facts *f)
{
    static const struct {
        struct str pointer;
        const char *words;
    } rows[] = {
        { STR_INIT("/status/429"), "answers 429, too many requests" },
        { STR_INIT("/status/503"), "answers 503, not now" },
        { STR_INIT("/status/403"), "answers 403, refused" },
    };
    double figure;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (i == 0 && !page_figure(f, rows[i].pointer, &figure)) {
            put_item(p, rows[i].words, "0");
        } else {
            put_item_figure(p, f, rows[i].words, rows[i].pointer, "");
        }
    }
}

void page_polite(struct page_out *p, const struct page_facts *f)
{
    char rate[UNITS_TEXT_MAX];

    page_put(p, "<h2>How polite it was</h2><div class=\"card receipt\"><dl>");
    put_agent(p, f);
    if (f->report.len) {
        put_item_figure(p, f, "most requests begun within a second",
                        STR("/politeness/peak_req_per_s"), "");
        put_item_figure(p, f, "most in flight at once", STR("/politeness/max_in_flight"), "");
        put_item_figure(p, f, "largest cap", STR("/cap_max"), "");
    }
    if (f->job.name) {
        units_format_rate(f->job.pace.rate, rate);
        put_item(p, "rate asked for", rate);
    }
    if (f->report.len) {
        put_refusals(p, f);
        put_item_figure(p, f, "holds of hosts that asked for it", STR("/politeness/holds"), "");
        put_item_time(p, f, "waited because a server said how long", STR("/politeness/held_s"));
        put_item_time(p, f, "waited because a server only refused",
                      STR("/politeness/backed_off_s"));
        put_item_figure(p, f, "requests before a time that a server had named",
                        STR("/politeness/requests_before_a_deadline"), "");
        put_item_figure(p, f, "sent on kept connections", STR("/reused_connections"), "");
    }
    page_put(p, "</dl><p><small>%s</small></p></div>",
             f->report.len ? "Answers are of all sessions, the rest of the last one."
             : f->is_live  ? "The run does not answer at a control socket: what it reports is not "
                             "known before its end."
                           : "The last session left no report: it is of an older version, or was "
                             "killed.");
}
