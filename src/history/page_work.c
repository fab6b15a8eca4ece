/* Sections that tell of the work: endpoints with their pages, what failed, tables. */
#include "history/page_facts.h"

#include "base/json_scan.h"
#include "base/units.h"
#include "engine/report_endpoints.h"

#include <stdlib.h>
#include <string.h>

#define CLASSES_MAX 64
#define CLASSES_SHOWN 24
#define EXAMPLES 3
#define EXAMPLE_MAX 300
#define EXAMPLE_KEPT (EXAMPLE_MAX + UTF8_MAX) /* so that page_text sees that there is more */
#define UTF8_MAX 4
#define COLUMNS_SHOWN 60
#define WORDS_MAX 1024
#define SOURCES_SHOWN 3

/* --- endpoints --------------------------------------------------------------------------------------------------- */

/* What the report says of that endpoint; STR_NONE: nothing. */
static struct str report_of(const struct page_facts *f, const char *endpoint)
{
    struct str list, item, name;
    struct json_walk walk;

    if (json_find(buf_view(&f->report), STR("/endpoints"), &list)) {
        json_walk_begin(&walk, list);
        while (json_walk_next(&walk, NULL, &item)) {
            if (json_find(item, STR("/name"), &name) &&
                json_raw_equal(json_string_raw(name), str_view(endpoint))) {
                return item;
            }
        }
    }
    return STR_NONE;
}

static void put_number(struct page_out *p, struct str object, struct str pointer)
{
    struct str value;
    uint64_t count;

    page_put(p, "<td class=\"n\">");
    if (json_find(object, pointer, &value) && str_to_u64(str_trim(value), &count)) {
        page_whole(p, count);
    }
    page_put(p, "</td>");
}

/* As the job has it, without what was typed into it. */
static void put_source(struct page_out *p, const struct page_facts *f,
                       const struct job_source *source)
{
    struct buf shown = { 0 };

    if (job_hide_typed(&f->job, source->text, source->kind != JOB_SOURCE_LIST, &shown) ==
        RESULT_OK) {
        page_text(p, buf_view(&shown), EXAMPLE_MAX);
    } else {
        p->no_memory = true;
    }
    buf_release(&shown);
}

static void put_asked(struct page_out *p, const struct page_facts *f,
                      const struct job_endpoint *endpoint)
{
    page_put(p, "<td><code>");
    for (size_t i = 0; i < endpoint->source_count && i < SOURCES_SHOWN; i++) {
        page_put(p, "%s", i ? "<br>" : "");
        page_text(p, str_view(endpoint->method ? endpoint->method : "GET"), 16);
        page_put(p, " ");
        put_source(p, f, &endpoint->sources[i]);
    }
    page_put(p, "</code>");
    if (endpoint->source_count > SOURCES_SHOWN) {
        page_put(p, "<br><small>and %zu more</small>", endpoint->source_count - SOURCES_SHOWN);
    }
}

static void put_pages(struct page_out *p, const struct page_facts *f, uint32_t endpoint)
{
    struct page_account pages;
    char words[WORDS_MAX];

    if (f->job.endpoints[endpoint].pages.kind == JOB_PAGES_NONE ||
        ledger_read_account(f->reader->ledger, endpoint, &pages, NULL) != RESULT_OK || !pages.got) {
        return;
    }
    page_put(p, "<br><small>");
    page_whole(p, pages.got);
    page_put(p, " of ");
    page_whole(p, pages.expected > pages.got ? pages.expected : pages.got);
    page_put(p, " pages");
    report_ends_words(&pages, words, sizeof words);
    if (words[0]) {
        page_put(p, "; ");
        page_text(p, str_view(words), WORDS_MAX);
    }
    page_put(p, "</small>");
    report_pages_words(&pages, words, sizeof words);
    if (words[0]) {
        page_put(p, "<br><small class=\"warning\">");
        page_text(p, str_view(words), WORDS_MAX);
        page_put(p, "</small>");
    }
}

void page_endpoints(struct page_out *p, const struct page_facts *f)
{
    if (!f->job.endpoint_count) {
        return;
    }
    page_put(
        p, "<h2>What was asked</h2><div class=\"card\"><table><tr><th>endpoint</th><th>request</th>"
           "<th class=\"n\">ok</th><th class=\"n\">failed</th><th class=\"n\">rows</th></tr>");
    for (uint32_t i = 0; i < f->job.endpoint_count; i++) {
        struct str report = report_of(f, f->job.endpoints[i].name);

        page_put(p, "<tr><td>");
        page_text(p, str_view(f->job.endpoints[i].name), 64);
        page_put(p, "</td>");
        put_asked(p, f, &f->job.endpoints[i]);
        put_pages(p, f, i);
        page_put(p, "</td>");
        put_number(p, report, STR("/ok"));
        put_number(p, report, STR("/failed"));
        put_number(p, report, STR("/rows"));
        page_put(p, "</tr>");
    }
    page_put(p, "</table></div>");
}

/* --- what failed ------------------------------------------------------------------------------------------------- */

struct example {
    char url[EXAMPLE_KEPT + 1], reason[EXAMPLE_KEPT + 1];
};

struct failed_class {
    struct failure failure;
    uint64_t count;
    size_t example_count;
    struct example examples[EXAMPLES];
};

struct failed_classes {
    struct failed_class list[CLASSES_MAX];
    size_t count;
    uint64_t others; /* of further classes */
};

static void copy(char *to, struct str from)
{
    size_t len = from.len < EXAMPLE_KEPT ? from.len : EXAMPLE_KEPT;

    if (len) {
        memcpy(to, from.data, len);
    }
    to[len] = '\0';
}

static enum result count_failed(void *context, const struct failed_row *row, struct err *err)
{
    struct failed_classes *classes = context;
    struct failed_class *class = NULL;

    (void)err;
    for (size_t i = 0; i < classes->count && !class; i++) {
        if (failure_compare(classes->list[i].failure, row->last.failure) == 0) {
            class = &classes->list[i];
        }
    }
    if (!class && classes->count == CLASSES_MAX) {
        classes->others++;
        return RESULT_OK;
    }
    if (!class) {
        class = &classes->list[classes->count++];
        *class = (struct failed_class){ .failure = row->last.failure };
    }
    class->count++;
    if (class->example_count < EXAMPLES) {
        struct example *example = &class->examples[class->example_count++];

        copy(example->url, row->url.len ? row->url : row->key);
        copy(example->reason, row->reason);
    }
    return RESULT_OK;
}

static int by_count(const void *a, const void *b)
{
    uint64_t first = ((const struct failed_class *)a)->count;
    uint64_t second = ((const struct failed_class *)b)->count;

    return first < second ? 1 : first > second ? -1 : 0;
}

static void put_class(struct page_out *p, const struct failed_class *class)
{
    char words[FAILURE_TEXT_MAX];

    failure_format(class->failure, words);
    page_put(p, "<tr><td>");
    page_text(p, str_view(words), sizeof words);
    page_put(p, "</td><td class=\"n\">");
    page_whole(p, class->count);
    page_put(p, "</td><td>");
    for (size_t i = 0; i < class->example_count; i++) {
        page_put(p, "%s<code>", i ? "<br>" : "");
        page_text(p, str_view(class->examples[i].url), EXAMPLE_MAX);
        page_put(p, "</code>");
        if (strcmp(class->examples[i].reason, words) != 0 &&
            (!i || strcmp(class->examples[i].reason, class->examples[i - 1].reason) != 0)) {
            page_put(p, "<br><small>");
            page_text(p, str_view(class->examples[i].reason), EXAMPLE_MAX);
            page_put(p, "</small>");
        }
    }
    page_put(p, "</td></tr>");
}

static void put_classes(struct page_out *p, struct failed_classes *classes)
{
    uint64_t others = classes->others;

    qsort(classes->list, classes->count, sizeof classes->list[0], by_count);
    page_put(p, "<h2>What failed</h2><div class=\"card\"><table><tr><th>why</th>"
                "<th class=\"n\">requests</th><th>such as</th></tr>");
    for (size_t i = 0; i < classes->count; i++) {
        if (i < CLASSES_SHOWN) {
            put_class(p, &classes->list[i]);
        } else {
            others += classes->list[i].count;
        }
    }
    page_put(p, "</table>");
    if (others) {
        page_put(p, "<p><small>");
        page_whole(p, others);
        page_put(p, " more for other reasons</small></p>");
    }
    page_put(p, "</div>");
}

enum result page_failures(struct page_out *p, const struct page_facts *f, struct err *err)
{
    struct failed_classes *classes = calloc(1, sizeof *classes);
    struct ledger_failed_query query = { .visit = count_failed, .context = classes };
    enum result result = classes ? ledger_each_failed(f->reader->ledger, &query, err)
                                 : err_nomem(err, "making the page");

    if (result == RESULT_OK && classes->count) {
        put_classes(p, classes);
    }
    free(classes);
    return result;
}

/* --- tables ------------------------------------------------------------------------------------------------------ */

static void put_columns(struct page_out *p, struct str columns)
{
    struct json_walk walk;
    struct str name, type;
    struct buf plain = { 0 };
    size_t count = 0;

    json_walk_begin(&walk, columns);
    while (json_walk_next(&walk, &name, &type)) {
        if (count++ >= COLUMNS_SHOWN) {
            continue;
        }
        buf_reset(&plain);
        page_put(p, "<span><code>");
        if (json_unescape(&plain, name, NULL) == RESULT_OK) {
            page_text(p, buf_view(&plain), 80);
        }
        page_put(p, "</code><small>");
        page_json_text(p, type, 40);
        page_put(p, "</small></span>");
    }
    if (count > COLUMNS_SHOWN) {
        page_put(p, "<small>and %zu more</small>", count - COLUMNS_SHOWN);
    }
    buf_release(&plain);
}

static void put_table(struct page_out *p, struct str name, struct str table)
{
    struct buf plain = { 0 };
    struct str columns;

    page_put(p, "<tr><td>");
    if (json_unescape(&plain, name, NULL) == RESULT_OK) {
        page_text(p, buf_view(&plain), 80);
    }
    page_put(p, "</td>");
    put_number(p, table, STR("/rows"));
    page_put(p, "<td class=\"cols\">");
    if (json_find(table, STR("/columns"), &columns)) {
        put_columns(p, columns);
    }
    page_put(p, "</td></tr>");
    buf_release(&plain);
}

/* What was told of columns, the latest ones. */
static void put_drifts(struct page_out *p, const struct run_story *s)
{
    size_t shown = s->drift_count < STORY_DRIFTS_MAX ? s->drift_count : STORY_DRIFTS_MAX;

    for (size_t i = s->drift_count - shown; i < s->drift_count; i++) {
        const struct story_line *line = &s->drifts[i % STORY_DRIFTS_MAX];

        page_put(p, "<p><small class=\"%s\">", line->level >= EVENT_WARNING ? "warning" : "soft");
        page_text(p, str_view(line->text), SIZE_MAX);
        page_put(p, "</small></p>");
    }
}

void page_tables(struct page_out *p, const struct page_facts *f)
{
    struct json_walk walk;
    struct str name, table;

    if (json_type_of(buf_view(&f->tables)) != JSON_OBJECT) {
        return;
    }
    page_put(p,
             "<h2>Tables</h2><div class=\"card\"><table><tr><th>table</th><th class=\"n\">rows</th>"
             "<th>columns</th></tr>");
    json_walk_begin(&walk, buf_view(&f->tables));
    while (json_walk_next(&walk, &name, &table)) {
        put_table(p, name, table);
    }
    page_put(p, "</table>");
    put_drifts(p, &f->story);
    page_put(p, "</div>");
}
