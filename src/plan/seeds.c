#include "plan/seeds.h"

#include "base/buf.h"
#include "job/glob.h"
#include "job/list.h"

#include <assert.h>
#include <stdlib.h>

struct position {
    uint64_t offset; /* in the list's bytes */
    uint64_t index;  /* of the entry that stands there */
};

struct source {
    uint32_t endpoint;
    struct glob *glob; /* or */
    struct list *list;
    uint64_t first_id, count;
    struct position positions[SEEDS_READER_COUNT]; /* how far each has come in the list */
};

struct seeds {
    const struct job *job;
    struct source *sources;
    size_t source_count;
    uint64_t total;
    struct buf url, key, encoded; /* scratch */
};

/* --- opening ------------------------------------------------------------------------------- */

static enum result source_open(struct source *s, const struct job *job,
                               const struct job_source *from, int list_fd, struct err *err)
{
    struct list_report report;
    enum result result;

    if (from->kind == JOB_SOURCE_PATTERN) {
        result = glob_new(&s->glob, str_view(from->text), job->globoff, err);
        if (result == RESULT_OK) {
            s->count = glob_count(s->glob);
        }
        return result;
    }
    result = list_open_fd(&s->list, list_fd, from->text, err);
    if (result == RESULT_OK) {
        result = list_check(s->list, &report, err);
        s->count = report.urls;
        if (result == RESULT_INVALID && report.bad && err) {
            *err = report.errors[0];
        }
    }
    return result;
}

static enum result open_sources(struct seeds *s, const int *list_fds, struct err *err)
{
    size_t lists = 0;

    for (uint32_t e = 0; e < s->job->endpoint_count; e++) {
        const struct job_endpoint *endpoint = &s->job->endpoints[e];

        for (size_t i = 0; i < endpoint->source_count; i++) {
            struct source *source = &s->sources[s->source_count++];
            bool is_list = endpoint->sources[i].kind == JOB_SOURCE_LIST;
            enum result result;

            source->endpoint = e;
            source->first_id = s->total + 1;
            result = source_open(source, s->job, &endpoint->sources[i],
                                 is_list ? list_fds[lists++] : -1, err);
            if (result != RESULT_OK) {
                return result;
            }
            if (__builtin_add_overflow(s->total, source->count, &s->total) ||
                s->total > INT64_MAX) {
                return err_set(err, RESULT_LIMIT, "E-GLOB3", "more than 2^63 requests");
            }
        }
    }
    return RESULT_OK;
}

enum result seeds_new(struct seeds **seeds, const struct job *job, const int *list_fds,
                      struct err *err)
{
    struct seeds *s = calloc(1, sizeof *s);
    size_t sources = 0;
    enum result result;

    if (!s) {
        return err_nomem(err, "preparing the plan");
    }
    s->job = job;
    for (size_t e = 0; e < job->endpoint_count; e++) {
        sources += job->endpoints[e].source_count;
    }
    s->sources = calloc(sources + 1, sizeof *s->sources);
    result = s->sources ? open_sources(s, list_fds, err) : err_nomem(err, "preparing the plan");
    if (result != RESULT_OK) {
        seeds_free(s);
        return result;
    }
    *seeds = s;
    return RESULT_OK;
}

void seeds_free(struct seeds *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->source_count; i++) {
        glob_free(s->sources[i].glob);
        list_free(s->sources[i].list);
    }
    free(s->sources);
    buf_release(&s->url);
    buf_release(&s->key);
    buf_release(&s->encoded);
    free(s);
}

uint64_t seeds_total(const struct seeds *s)
{
    return s->total;
}

/* --- reading ------------------------------------------------------------------------------- */

/* Reads the list's entry at `index`, from `position` on. */
static enum result list_read_at(struct list *list, struct position *position, uint64_t index,
                                struct list_entry *entry, struct err *err)
{
    if (index < position->index) {
        *position = (struct position){ 0, 0 };
    }
    for (;;) {
        uint64_t offset = position->offset;
        enum result result = list_next(list, &offset, entry, err);

        if (result != RESULT_OK) {
            return result == RESULT_NOT_FOUND
                       ? err_set(err, RESULT_CORRUPT, "E-IN2", "the list has become shorter")
                       : result;
        }
        if (position->index == index) {
            return RESULT_OK; /* stays before it: asked for again, it is at hand */
        }
        position->offset = offset;
        position->index++;
    }
}

static struct source *source_of(const struct seeds *s, uint64_t id)
{
    size_t low = 0, high = s->source_count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (s->sources[middle].first_id <= id) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &s->sources[low];
}

uint64_t seeds_planned(const struct seeds *s, uint32_t endpoint)
{
    uint64_t planned = 0;

    for (size_t i = 0; i < s->source_count; i++) {
        planned += s->sources[i].endpoint == endpoint ? s->sources[i].count : 0;
    }
    return planned;
}

/* Bytes beyond ASCII in path and query go out percent-encoded, as RFC 3987 section 3.1 maps them. */
static enum result encode_url(struct seeds *s, struct str text, const struct url *url,
                              struct str *encoded)
{
    size_t head = (size_t)(url->target.data - text.data);
    enum result result = RESULT_OK;
    bool plain = true;

    for (size_t i = 0; i < url->target.len; i++) {
        plain &= (unsigned char)url->target.data[i] < 0x80;
    }
    if (plain) {
        *encoded = (struct str){ text.data, head + url->target.len };
        return RESULT_OK;
    }
    buf_reset(&s->encoded);
    result = buf_append(&s->encoded, text.data, head);
    for (size_t i = 0; result == RESULT_OK && i < url->target.len; i++) {
        unsigned char c = (unsigned char)url->target.data[i];

        result =
            c < 0x80 ? buf_append_char(&s->encoded, (char)c) : buf_printf(&s->encoded, "%%%02X", c);
    }
    *encoded = buf_view(&s->encoded);
    return result;
}

/* Key and URL as the source has them: views into scratch or the list's buffer. */
static enum result read_texts(struct seeds *s, struct source *source, struct position *position,
                              uint64_t id, struct str *key, struct str *url, struct err *err)
{
    struct list_entry entry;
    enum result result;

    buf_reset(&s->key);
    if (source->glob) {
        result = glob_expand(source->glob, id - source->first_id, &s->url, &s->key);
        if (result != RESULT_OK) {
            return err_set(err, result, "E-GLOB2", "cannot expand request %llu",
                           (unsigned long long)id);
        }
        *key = buf_view(&s->key);
        *url = buf_view(&s->url);
        return RESULT_OK;
    }
    result = list_read_at(source->list, position, id - source->first_id, &entry, err);
    if (result != RESULT_OK) {
        return result;
    }
    *url = entry.url;
    *key = entry.name;
    if (!key->len) {
        result = glob_url_key(entry.url, &s->key);
        *key = buf_view(&s->key);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "naming a request");
}

enum result seeds_read(struct seeds *s, enum seeds_reader reader, uint64_t id, struct seed *seed,
                       struct err *err)
{
    struct source *source = source_of(s, id);
    struct str text;
    enum result result;

    assert(id > 0 && id <= s->total);
    seed->endpoint = source->endpoint;
    result = read_texts(s, source, &source->positions[reader], id, &seed->key, &text, err);
    if (result == RESULT_OK) {
        result = url_split(text, &seed->parts, err);
    }
    if (result == RESULT_OK && encode_url(s, text, &seed->parts, &seed->url) != RESULT_OK) {
        result = err_nomem(err, "making a request");
    }
    return result;
}
