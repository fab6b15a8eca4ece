#include "plan/seeds.h"

#include "base/buf.h"
#include "job/expansion.h"
#include "job/glob.h"
#include "job/list.h"
#include "plan/pages/pages.h"

#include <assert.h>
#include <stdlib.h>

struct position {
    uint64_t offset; /* in the list's bytes */
    uint64_t index;  /* of the entry that stands there */
};

struct source {
    uint32_t endpoint;
    struct glob *glob; /* or */
    struct list *list; /* or */
    struct expansion *expansion;
    uint64_t first_id, count;
    struct position positions[SEEDS_READER_COUNT]; /* how far each has come in the list */
};

struct seeds {
    const struct job *job;
    struct source *sources;
    size_t source_count;
    uint64_t total;
    struct vars *vars; /* the variables of a job file */
    /* The texts of the seed read last. */
    struct buf url, key, encoded;
    struct expansion_texts texts;
    struct pages_first first;
};

/* --- opening ------------------------------------------------------------------------------- */

static enum result open_template(struct seeds *seeds, struct source *s, struct err *err)
{
    enum result result = RESULT_OK;

    if (seeds->job->endpoints[s->endpoint].has_parent) {
        return RESULT_OK; /* records of another endpoint are what it is asked for */
    }
    if (!seeds->vars) {
        result = vars_new(&seeds->vars, seeds->job, NULL, err);
    }
    if (result == RESULT_OK) {
        result = expansion_new(&s->expansion, seeds->job, s->endpoint, seeds->vars, err);
    }
    if (result == RESULT_OK) {
        s->count = expansion_count(s->expansion);
    }
    return result;
}

static enum result source_open(struct seeds *seeds, struct source *s, const struct job_source *from,
                               int list_fd, struct err *err)
{
    struct list_report report;
    enum result result;

    if (from->kind == JOB_SOURCE_TEMPLATE) {
        return open_template(seeds, s, err);
    }
    if (from->kind == JOB_SOURCE_PATTERN) {
        result = glob_new(&s->glob, str_view(from->text), seeds->job->globoff, err);
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
            result = source_open(s, source, &endpoint->sources[i], is_list ? list_fds[lists++] : -1,
                                 err);
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

const struct expansion *seeds_expansion(const struct seeds *s, uint32_t endpoint)
{
    for (size_t i = 0; i < s->source_count; i++) {
        if (s->sources[i].endpoint == endpoint) {
            return s->sources[i].expansion;
        }
    }
    return NULL;
}

void seeds_free(struct seeds *s)
{
    if (!s) {
        return;
    }
    for (size_t i = 0; i < s->source_count; i++) {
        glob_free(s->sources[i].glob);
        list_free(s->sources[i].list);
        expansion_free(s->sources[i].expansion);
    }
    free(s->sources);
    vars_free(s->vars);
    expansion_texts_release(&s->texts);
    pages_first_release(&s->first);
    buf_release(&s->url);
    buf_release(&s->key);
    buf_release(&s->encoded);
    free(s);
}

uint64_t seeds_total(const struct seeds *s)
{
    return s->total;
}

void seeds_extend(struct seeds *s, uint64_t count)
{
    assert(s->source_count && s->sources[s->source_count - 1].list);
    s->sources[s->source_count - 1].count += count;
    s->total += count;
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
        const struct source *source = &s->sources[i];
        uint64_t before = source->first_id - 1;

        if (source->endpoint == endpoint) {
            planned += job_shard_size(&s->job->shard, before + source->count) -
                       job_shard_size(&s->job->shard, before);
        }
    }
    return planned;
}

uint64_t seeds_within(const struct seeds *s, uint32_t endpoint, uint64_t first, uint64_t last)
{
    uint64_t count = 0;

    for (size_t i = 0; i < s->source_count; i++) {
        const struct source *source = &s->sources[i];
        uint64_t from = source->first_id > first ? source->first_id : first;
        uint64_t end = source->first_id + source->count;

        end = end < last + 1 ? end : last + 1;
        count += source->endpoint == endpoint && end > from ? end - from : 0;
    }
    return count;
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

static enum result read_template(struct seeds *s, const struct source *source, uint64_t index,
                                 struct request_texts *texts, struct err *err)
{
    enum result result = expansion_read(source->expansion, index, &s->texts, err);

    texts->key = buf_view(&s->texts.key);
    texts->url = buf_view(&s->texts.url);
    texts->body = s->texts.body.len ? buf_view(&s->texts.body) : STR_NONE;
    texts->vars = s->texts.vars.len ? buf_view(&s->texts.vars) : STR_NONE;
    return result;
}

/* The texts as the source has them: views into our own or the list's buffer. */
static enum result read_texts(struct seeds *s, struct source *source, struct position *position,
                              uint64_t id, struct request_texts *texts, struct err *err)
{
    struct list_entry entry;
    enum result result;

    *texts = (struct request_texts){ .key = STR_NONE };
    if (source->expansion) {
        return read_template(s, source, id - source->first_id, texts, err);
    }

    buf_reset(&s->key);
    if (source->glob) {
        result = glob_expand(source->glob, id - source->first_id, &s->url, &s->key);
        if (result != RESULT_OK) {
            return err_set(err, result, "E-GLOB2", "cannot expand request %llu",
                           (unsigned long long)id);
        }
        texts->key = buf_view(&s->key);
        texts->url = buf_view(&s->url);
        return RESULT_OK;
    }
    result = list_read_at(source->list, position, id - source->first_id, &entry, err);
    if (result != RESULT_OK) {
        return result;
    }
    texts->url = entry.url;
    texts->key = entry.name;
    if (!texts->key.len) {
        result = glob_url_key(entry.url, &s->key);
        texts->key = buf_view(&s->key);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "naming a request");
}

/* The first page of a listing. */
static enum result turn_to_first_page(struct seeds *s, const struct job_endpoint *endpoint,
                                      struct request_texts *texts, struct err *err)
{
    struct str body = str_view(endpoint->body);
    enum result result;

    if (endpoint->pages.kind == JOB_PAGES_NONE) {
        return RESULT_OK;
    }
    if (!texts->body.data && body.data) {
        texts->body = body;
    }
    if (!texts->vars.data && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE) {
        texts->key = STR_NONE; /* the page alone tells it apart */
    }
    pages_first_release(&s->first);
    result = pages_first(endpoint, texts, &s->first, err);
    texts->key = buf_view(&s->first.key);
    texts->url = buf_view(&s->first.url);
    texts->body = s->first.body.len ? buf_view(&s->first.body) : texts->body;
    return result;
}

uint32_t seeds_endpoint(const struct seeds *s, uint64_t id)
{
    return source_of(s, id)->endpoint;
}

void seeds_set_since(struct seeds *s, struct str since)
{
    s->texts.since = since;
}

enum result seeds_read(struct seeds *s, enum seeds_reader reader, uint64_t id, struct seed *seed,
                       struct err *err)
{
    struct source *source = source_of(s, id);
    struct request_texts texts;
    enum result result;

    assert(id > 0 && id <= s->total);
    result = read_texts(s, source, &source->positions[reader], id, &texts, err);
    if (result == RESULT_OK) {
        result = turn_to_first_page(s, &s->job->endpoints[source->endpoint], &texts, err);
    }
    if (result == RESULT_OK) {
        result = url_split(texts.url, &seed->parts, err);
    }
    if (result == RESULT_OK && encode_url(s, texts.url, &seed->parts, &seed->url) != RESULT_OK) {
        result = err_nomem(err, "making a request");
    }
    seed->endpoint = source->endpoint;
    seed->key = texts.key;
    seed->body = texts.body;
    seed->vars = texts.vars;
    return result;
}
