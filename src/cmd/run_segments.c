#include "cmd/run_segments.h"

#include "table/run_source.h"

#include <stdlib.h>

#define BATCH 4096 /* that run_source reads, too */

static uint64_t mix(uint64_t digest, uint64_t word)
{
    digest = (digest ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return digest ^ digest >> 32;
}

static struct run_segment *segment_of(struct run_segments *s, uint32_t number)
{
    if (number >= s->count) {
        struct run_segment *list = reallocarray(s->list, (size_t)number + 1, sizeof *list);

        if (!list) {
            return NULL;
        }
        for (uint32_t i = s->count; i <= number; i++) {
            list[i] = (struct run_segment){ .run = NULL };
        }
        s->list = list;
        s->count = number + 1;
    }
    return &s->list[number];
}

static enum result note(struct run_segments *s, struct opened_run *run,
                        const struct record_position *from, const struct record *record,
                        struct err *err)
{
    struct run_segment *segment = segment_of(s, record->segment);

    if (!segment) {
        return err_nomem(err, "looking at segments");
    }
    if (!segment->records) {
        segment->run = run;
        segment->number = record->segment;
        segment->from = *from;
    }
    segment->records++;
    segment->bytes += record->length;
    segment->digest = mix(mix(segment->digest, record->offset), record->crc32c);
    return RESULT_OK;
}

enum result run_segments_find(struct run_segments *s, struct opened_run *run, uint32_t endpoint,
                              struct err *err)
{
    struct placed_record *batch = calloc(BATCH, sizeof *batch);
    struct record_position position = { .seed = 0 };
    enum result result = batch ? RESULT_OK : err_nomem(err, "looking at segments");
    size_t count = BATCH;

    *s = (struct run_segments){ .endpoint = endpoint };
    while (result == RESULT_OK && count == BATCH) {
        struct record_position from = position;

        result = opened_run_read_index(run, endpoint, &position, batch, BATCH, &count, err);
        for (size_t i = 0; i < count; i++) {
            result = result == RESULT_OK ? note(s, run, &from, &batch[i].record, err) : result;
            free(batch[i].vars);
        }
    }
    free(batch);
    return result;
}

void run_segments_release(struct run_segments *s)
{
    free(s->list);
    *s = (struct run_segments){ .count = 0 };
}

static bool is_start(const struct record_position *position)
{
    return !position->seed && !position->found && !position->sort_key.len;
}

/* Those of one segment: fewer than `max` are the end. */
static enum result read_segment(void *context, uint32_t endpoint, struct record_position *position,
                                struct placed_record *records, size_t max, size_t *count,
                                struct err *err)
{
    struct run_segment *segment = context;
    struct opened_run *run = segment->run;
    enum result result = RESULT_OK;
    bool more = true;

    if (is_start(position)) {
        *position = segment->from;
        segment->left = segment->records;
    }
    for (*count = 0; more && *count < max && segment->left && result == RESULT_OK;) {
        size_t wanted = max - *count, got = 0, at = *count;

        result = opened_run_read_index(run, endpoint, position, &records[at], wanted, &got, err);
        more = got == wanted;
        for (size_t i = at; i < at + got; i++) {
            if (records[i].record.segment == segment->number && segment->left) {
                segment->left--;
                records[(*count)++] = records[i];
            } else {
                free(records[i].vars);
            }
        }
    }
    return result;
}

enum result run_segments_source(const struct run_segments *s, uint32_t number,
                                struct record_source **source, struct err *err)
{
    struct run_segment *segment = &s->list[number];

    return run_source_new(source, &segment->run->dir, s->endpoint, read_segment, segment, err);
}
