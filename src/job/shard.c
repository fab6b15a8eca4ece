#include "job/shard.h"

#include "base/units.h"

#include <stdio.h>
#include <string.h>

static uint64_t stride(const struct job_shard *s)
{
    return s->count ? s->count : 1;
}

static uint64_t first(const struct job_shard *s)
{
    return s->count ? s->number : 1;
}

enum result job_shard_parse(struct str text, struct job_shard *shard, struct err *err)
{
    const char *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    size_t head = slash ? (size_t)(slash - text.data) : 0;
    uint64_t number, count;

    if (!slash ||
        units_parse_count((struct str){ slash + 1, text.len - head - 1 }, 1, JOB_SHARDS_MAX, &count,
                          NULL) != RESULT_OK ||
        units_parse_count((struct str){ text.data, head }, 1, count, &number, NULL) != RESULT_OK) {
        return err_set(err, RESULT_INVALID, "E-SHARD1",
                       "\"%.*s\" is no shard; want I/N with I from 1 to N, as 3/8",
                       (int)(text.len < 32 ? text.len : 32), text.data ? text.data : "");
    }
    *shard = (struct job_shard){ (unsigned)number, (unsigned)count };
    return RESULT_OK;
}

void job_shard_format(const struct job_shard *s, char text[JOB_SHARD_TEXT_MAX])
{
    if (s->count) {
        snprintf(text, JOB_SHARD_TEXT_MAX, "%u/%u", s->number, s->count);
    } else {
        snprintf(text, JOB_SHARD_TEXT_MAX, "the whole plan");
    }
}

bool job_shard_is_same(const struct job_shard *a, const struct job_shard *b)
{
    return a->count == b->count && a->number == b->number;
}

bool job_shard_has(const struct job_shard *s, uint64_t id)
{
    return id >= first(s) && (id - first(s)) % stride(s) == 0;
}

uint64_t job_shard_size(const struct job_shard *s, uint64_t total)
{
    return total < first(s) ? 0 : (total - first(s)) / stride(s) + 1;
}

uint64_t job_shard_id(const struct job_shard *s, uint64_t place)
{
    return (place - 1) * stride(s) + first(s);
}

uint64_t job_shard_place(const struct job_shard *s, uint64_t id)
{
    return (id - first(s)) / stride(s) + 1;
}
