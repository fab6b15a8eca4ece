#include "engine/report_endpoints.h"

#include "base/units.h"
#include "engine/discover.h"
#include "engine/engine_state.h"
#include "engine/report.h"
#include "engine/report_rules.h"
#include "engine/table.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

void report_add_endpoints(const struct engine *e, struct report *r)
{
    size_t count = e->endpoint_stats.count;

    r->endpoints = calloc(count, sizeof *r->endpoints);
    r->endpoint_count = r->endpoints ? count : 0;
    for (uint32_t i = 0; i < r->endpoint_count; i++) {
        struct report_endpoint *out = &r->endpoints[i];
        const struct endpoint_stat *account = &e->endpoint_stats.list[i];
        const struct page_account *pages = discover_account(e, i);

        snprintf(out->name, sizeof out->name, "%s", e->job->endpoints[i].name);
        out->requests = frontier_planned(e->frontier, i) - account->earlier;
        out->ok = account->done;
        out->failed = account->failed;
        out->rows = table_rows_of(e, i);
        out->is_kept = body_format_is_kept(e->job->endpoints[i].reading.as);
        out->is_paged = pages && e->job->endpoints[i].pages.kind != JOB_PAGES_NONE;
        if (pages) {
            out->pages = *pages;
        }
        out->has_since = since_count_of(e, i) != NULL;
        if (out->has_since) {
            out->since = *since_count_of(e, i);
        }
    }
    for (uint32_t i = 0; i < e->job->endpoint_count; i++) {
        const struct page_account *pages = discover_account(e, i);

        r->pages_are_missing |= pages && page_account_is_loss(pages);
    }
}

void report_release(struct report *r)
{
    free(r->endpoints);
    r->endpoints = NULL;
    r->endpoint_count = 0;
    report_release_rules(r);
}

void report_pages_words(const struct page_account *pages, char *text, size_t size)
{
    uint64_t missing = page_account_missing(pages);
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < pages->missing_count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", i ? ", " : "missing ",
                               pages->missing[i]);
    }
    if (missing > pages->missing_count && at < size) {
        at += (size_t)snprintf(text + at, size - at,
                               pages->missing_count ? " and %llu more" : "%llu missing",
                               (unsigned long long)(missing - pages->missing_count));
    }
    for (size_t i = 0; i < pages->note_count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s%s", at ? "; " : "", pages->notes[i].text);
        if (pages->notes[i].count > 1 && at < size) {
            at += (size_t)snprintf(text + at, size - at, " (and %llu like it)",
                                   (unsigned long long)(pages->notes[i].count - 1));
        }
    }
}

void report_ends_words(const struct page_account *pages, char *text, size_t size)
{
    size_t at;

    text[0] = '\0';
    if (!pages->listings) {
        return;
    }
    at = (size_t)snprintf(text, size, "%llu", (unsigned long long)pages->records);
    if (pages->listings_told == pages->listings && at < size) {
        at += (size_t)snprintf(text + at, size - at, " of %llu",
                               (unsigned long long)pages->records_told);
    }
    if (at < size) {
        at += (size_t)snprintf(text + at, size - at, " record%s, ", units_plural(pages->records));
    }
    if (pages->listings > 1 && at < size) {
        at += (size_t)snprintf(text + at, size - at,
                               "%llu listings: ", (unsigned long long)pages->listings);
    }
    for (size_t i = 0; i < pages->end_count && at < size; i++) {
        at += (size_t)snprintf(text + at, size - at, "%s", i ? ", " : "");
        if (pages->listings > 1 && at < size) {
            at += (size_t)snprintf(text + at, size - at, "%llu ",
                                   (unsigned long long)pages->ends[i].listings);
        }
        if (at < size) {
            at += (size_t)snprintf(text + at, size - at, "%s", page_end_words(pages->ends[i].end));
        }
    }
}

enum result report_pages(const struct report *r, struct buf *out)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; i < r->endpoint_count && result == RESULT_OK; i++) {
        const struct report_endpoint *endpoint = &r->endpoints[i];
        char words[512], ends[256];

        report_pages_words(&endpoint->pages, words, sizeof words);
        report_ends_words(&endpoint->pages, ends, sizeof ends);
        if (endpoint->is_paged && (words[0] || ends[0])) {
            result = buf_printf(out, "%s: %llu of %llu page%s: %s%s%s\n", endpoint->name,
                                (unsigned long long)endpoint->pages.got,
                                (unsigned long long)endpoint->pages.expected,
                                units_plural(endpoint->pages.expected), words,
                                words[0] && ends[0] ? "; " : "", ends);
        } else if (words[0]) {
            result = buf_printf(out, "%s: %s\n", endpoint->name, words);
        }
    }
    return result;
}

/* Why the listings ended, the worst reason first; and their records. */
static void add_ends(cJSON *object, const struct page_account *pages)
{
    cJSON *ends;

    if (!pages->listings) {
        return; /* a ledger of before version 3 */
    }
    cJSON_AddNumberToObject(object, "listings", (double)pages->listings);
    cJSON_AddStringToObject(object, "ended", page_end_name(pages->end));
    ends = cJSON_AddObjectToObject(object, "ends");
    for (size_t i = 0; i < pages->end_count; i++) {
        cJSON_AddNumberToObject(ends, page_end_name(pages->ends[i].end),
                                (double)pages->ends[i].listings);
    }
    cJSON_AddNumberToObject(object, "records", (double)pages->records);
    if (pages->listings_told == pages->listings) {
        cJSON_AddNumberToObject(object, "records_told", (double)pages->records_told);
    } else {
        cJSON_AddNullToObject(object, "records_told");
    }
    cJSON_AddNumberToObject(object, "records_missing", (double)pages->records_missing);
}

static void add_pages(cJSON *item, const struct page_account *pages)
{
    cJSON *object = cJSON_AddObjectToObject(item, "pages"), *keys;

    cJSON_AddNumberToObject(object, "expected", (double)pages->expected);
    cJSON_AddNumberToObject(object, "got", (double)pages->got);
    cJSON_AddNumberToObject(object, "missing_count", (double)page_account_missing(pages));
    cJSON_AddBoolToObject(object, "cut", pages->is_cut);
    add_ends(object, pages);
    keys = cJSON_AddArrayToObject(object, "missing");
    for (size_t i = 0; i < pages->missing_count; i++) {
        cJSON_AddItemToArray(keys, cJSON_CreateString(pages->missing[i]));
    }
}

static void add_notes(cJSON *item, const struct page_account *pages)
{
    cJSON *notes = cJSON_AddArrayToObject(item, "notes");

    for (size_t i = 0; i < pages->note_count; i++) {
        cJSON *note = cJSON_CreateObject();

        cJSON_AddStringToObject(note, "kind", page_note_name(pages->notes[i].kind));
        cJSON_AddNumberToObject(note, "count", (double)pages->notes[i].count);
        cJSON_AddStringToObject(note, "text", pages->notes[i].text);
        cJSON_AddItemToArray(notes, note);
    }
}

static void add_since(cJSON *item, const struct since_count *since)
{
    cJSON *object = cJSON_AddObjectToObject(item, "since");

    cJSON_AddRawToObject(object, "seen", since->has_latest ? since->latest.json : "null");
    cJSON_AddNumberToObject(object, "without", (double)since->without);
    cJSON_AddNumberToObject(object, "odd", (double)since->odd);
    cJSON_AddNumberToObject(object, "future", (double)since->ahead);
}

void report_endpoints_json(const struct report *r, cJSON *root)
{
    cJSON *list = cJSON_AddArrayToObject(root, "endpoints");

    for (size_t i = 0; i < r->endpoint_count; i++) {
        const struct report_endpoint *endpoint = &r->endpoints[i];
        cJSON *item = cJSON_CreateObject();

        cJSON_AddStringToObject(item, "name", endpoint->name);
        cJSON_AddNumberToObject(item, "requests", (double)endpoint->requests);
        cJSON_AddNumberToObject(item, "ok", (double)endpoint->ok);
        cJSON_AddNumberToObject(item, "failed", (double)endpoint->failed);
        cJSON_AddNumberToObject(item, "rows", (double)endpoint->rows);
        if (endpoint->is_paged) {
            add_pages(item, &endpoint->pages);
        }
        add_notes(item, &endpoint->pages);
        if (endpoint->has_since) {
            add_since(item, &endpoint->since);
        }
        cJSON_AddItemToArray(list, item);
    }
}
