/*
 * What the workers have counted and skipped, and the report that is made of it.
 *
 * Each worker keeps the first few skips of each reason. As its chunks ascend, the first few of all are
 * among them, whatever the number of workers. A place in a file of lines is counted from its
 * chunk's beginning; only when all chunks are known can the line be named.
 */
#include "table/table_build_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *table_skip_name(enum table_skip reason)
{
    static const char *const names[TABLE_NAMED_COUNT] = {
        [TABLE_SKIP_INVALID] = "invalid JSON",
        [TABLE_SKIP_OTHER] = "body is not JSON",
        [TABLE_SKIP_NO_MATCH] = "nothing at the records pointer",
        [TABLE_SKIP_DAMAGED] = "damaged in raw/ (see 'scrapetop verify')",
        [TABLE_BAD_CELLS] = "values of another type than declared",
        [TABLE_NULL_CELLS] = "no value where one is expected",
        [TABLE_ODD_CELLS] = "more or fewer cells than the header",
    };

    return names[reason];
}

void table_tally_skip(struct table_worker *w, enum table_skip reason,
                      const struct document *document, const char *words)
{
    uint64_t n = w->skip_count[reason]++;
    struct skip_place *place = n < TABLE_SKIP_NAMED ? &w->skips[reason][n] : NULL;

    w->skipped = true;
    if (!place) { /* a worker's chunks ascend, so its first ones are the first */
        return;
    }
    *place = (struct skip_place){ .chunk = w->chunk.number,
                                  .index = w->index,
                                  .line = document->line,
                                  .path = document->path,
                                  .continued = document->continued };
    if (document->kind == DOCUMENT_DAMAGED) {
        snprintf(place->text, sizeof place->text, "%s: the record at byte %llu %s", document->path,
                 (unsigned long long)document->offset, words);
    } else if (document->key.data) {
        snprintf(place->text, sizeof place->text, "%.*s: %s",
                 (int)(document->key.len < 120 ? document->key.len : 120), document->key.data,
                 words);
    } else if (document->line) {
        snprintf(place->text, sizeof place->text, "%s", words); /* path:line comes in front */
    } else {
        snprintf(place->text, sizeof place->text, "%s: %s", document->path, words);
    }
}

static int by_place(const void *left, const void *right)
{
    const struct skip_place *a = left, *b = right;

    if (a->chunk != b->chunk) {
        return a->chunk < b->chunk ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

/* "path:line: words": the line is known once the chunks before have counted theirs. */
static void name_place(const struct table_build *b, const struct skip_place *place,
                       char text[TABLE_SKIP_TEXT])
{
    uint64_t line = place->line;
    bool continued = place->continued;

    if (!line) {
        memcpy(text, place->text, TABLE_SKIP_TEXT);
        return;
    }
    for (uint64_t i = place->chunk; continued && i-- > 0;) {
        line += b->notes[i].lines.count;
        continued = b->notes[i].lines.continued;
    }
    snprintf(text, TABLE_SKIP_TEXT, "%.100s:%llu: %.270s", place->path, (unsigned long long)line,
             place->text);
}

static void report_skips(struct table_build *b, enum table_skip reason)
{
    struct skip_place all[TABLE_WORKERS_MAX * TABLE_SKIP_NAMED];
    struct table_skips *skips = &b->report.skipped[reason];
    size_t count = 0;

    *skips = (struct table_skips){ 0 };
    for (unsigned i = 0; i < b->worker_count; i++) {
        const struct table_worker *w = &b->workers[i];

        for (uint64_t n = 0; n < w->skip_count[reason] && n < TABLE_SKIP_NAMED; n++) {
            all[count++] = w->skips[reason][n];
        }
        skips->count += w->skip_count[reason];
    }
    qsort(all, count, sizeof all[0], by_place);
    for (size_t i = 0; i < count && i < TABLE_SKIP_NAMED; i++) {
        name_place(b, &all[i], skips->first[skips->named++]);
    }
}

void table_tally_collect(struct table_build *b)
{
    struct table_report *r = &b->report;

    for (int reason = 0; reason < TABLE_NAMED_COUNT; reason++) {
        report_skips(b, (enum table_skip)reason);
    }
    r->records = r->rows = r->duplicate_keys = r->lone_surrogates = r->empty = r->nulls =
        r->bytes_in = 0;
    r->not_unique = r->not_present = r->later = 0;
    memset(r->read_as, 0, sizeof r->read_as);
    for (unsigned i = 0; i < b->worker_count; i++) {
        struct table_worker *w = &b->workers[i];

        r->records += w->records;
        r->rows += w->counts.rows - w->not_unique - w->not_present;
        r->not_unique += w->not_unique;
        r->not_present += w->not_present;
        r->later += w->later;
        r->duplicate_keys += w->counts.duplicate_keys;
        r->nulls += w->counts.nulls;
        r->lone_surrogates += w->lone_surrogates;
        r->empty += w->empty;
        r->bytes_in += w->bytes;
        r->cpu_us += w->cpu_us;
        w->records = w->lone_surrogates = w->empty = w->bytes = w->cpu_us = 0;
        w->not_unique = w->not_present = w->later = 0;
        for (size_t n = 0; n < BODY_WAS_COUNT; n++) {
            r->read_as[n] += w->read_as[n];
            w->read_as[n] = 0;
        }
        w->counts = (struct flatten_counts){ 0 };
        memset(w->skip_count, 0, sizeof w->skip_count);
    }
    atomic_store(&b->records_total, r->records); /* known from now on: the report is the pool's */
}
