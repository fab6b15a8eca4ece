/* The comments of what `probe` prints. */
#include "probe/probe_job.h"

#include "base/clock.h"
#include "base/json_scan.h"
#include "base/units.h"
#include "base/utf8.h"
#include "job/secret.h"
#include "plan/quota.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define COLUMNS_SHOWN 60
#define FRAME_SHOWN 16
#define NAME_COLUMNS 28
#define TEXT_COLUMNS 100

struct str probe_url(const struct probe_found *found)
{
    return str_view(found->job->endpoints[0].sources[0].text);
}

/* A text from outside, as it may be shown. */
struct shown {
    char text[4 * TEXT_COLUMNS + 1];
};

static const char *show(struct shown *shown, struct str text, size_t columns)
{
    utf8_display(shown->text, sizeof shown->text, text, columns);
    return shown->text;
}

static enum result tell_request(const struct probe_found *found, struct buf *out)
{
    char size[UNITS_TEXT_MAX], time[UNITS_TEXT_MAX];
    struct shown url;
    struct buf redacted = { 0 };
    enum result result = url_redact(probe_url(found), &redacted);

    units_format_bytes(found->body.len, size);
    units_format_time(found->response->timing.total_us, time);
    if (result == RESULT_OK) {
        result = buf_printf(
            out, "// %s %s\n//   answered %d with %s in %s\n", found->job->endpoints[0].method,
            show(&url, buf_view(&redacted), TEXT_COLUMNS), found->response->status, size, time);
    }
    buf_release(&redacted);
    return result;
}

/* --- records ------------------------------------------------------------------------------------------ */

static const char *kind_of(const struct probe_shape *shape, size_t i)
{
    const struct type_facts *facts = &shape->each[i].facts;
    struct str name = columns_name(shape->columns, (uint32_t)i);

    if (!shape->each[i].present) {
        return "null";
    }
    if (facts->seen[KIND_JSON] == shape->each[i].present) {
        return "array";
    }
    return type_name(types_decide(facts, name, false, false).type);
}

/* "id                int64      20 of 20   likely the id" */
static enum result tell_column(const struct probe_shape *shape, size_t i, struct buf *out)
{
    const struct probe_column *column = &shape->each[i];
    struct shown name;
    const char *text =
        show(&name, columns_name(shape->columns, (uint32_t)i), TEXT_COLUMNS - NAME_COLUMNS);
    size_t width = utf8_columns(str_view(text));
    char nulls[40] = "";

    if (column->null) {
        snprintf(nulls, sizeof nulls, ", %" PRIu64 " null", column->null);
    }
    return buf_printf(out, "//     %s%*s %-10s %" PRIu64 " of %" PRIu64 "%s%s\n", text,
                      (int)(width < NAME_COLUMNS ? NAME_COLUMNS - width : 0), "", kind_of(shape, i),
                      column->present, shape->count, nulls,
                      i == shape->id ? "   likely the id: no two are the same" : "");
}

static enum result tell_records(const struct probe_shape *shape, struct buf *out)
{
    struct shown where;
    enum result result =
        shape->records[0]
            ? buf_printf(out, "//\n//   records: %s, %" PRIu64 " in this answer\n",
                         show(&where, str_view(shape->records), TEXT_COLUMNS), shape->count)
            : buf_printf(out, "//\n//   records: the answer itself, %" PRIu64 "\n", shape->count);

    for (size_t i = 0; i < shape->column_count && i < COLUMNS_SHOWN && result == RESULT_OK; i++) {
        result = tell_column(shape, i, out);
    }
    if (result == RESULT_OK && shape->column_count > COLUMNS_SHOWN) {
        result =
            buf_printf(out, "//     and %zu more column%s\n", shape->column_count - COLUMNS_SHOWN,
                       units_plural(shape->column_count - COLUMNS_SHOWN));
    }
    return result;
}

/* --- what stands around them ---------------------------------------------------------------------------- */

struct frame {
    struct buf *out;
    char path[PAGES_GUESS_POINTER_MAX];
    const char *records;
    size_t count;
    enum result result;
};

static void tell_member(struct frame *f, struct str value)
{
    struct shown path, text;
    struct json_walk walk;
    size_t elements = 0;

    if (f->count++ == FRAME_SHOWN || f->result != RESULT_OK) {
        f->result = f->result == RESULT_OK ? buf_printf(f->out, "//     and more\n") : f->result;
        return;
    }
    if (json_type_of(value) == JSON_ARRAY) {
        json_walk_begin(&walk, value);
        while (json_walk_next(&walk, NULL, NULL)) {
            elements++;
        }
        f->result = buf_printf(f->out, "//     %s [%zu]\n",
                               show(&path, str_view(f->path), NAME_COLUMNS * 2), elements);
        return;
    }
    f->result =
        buf_printf(f->out, "//     %s %s\n", show(&path, str_view(f->path), NAME_COLUMNS * 2),
                   show(&text, value, TEXT_COLUMNS - NAME_COLUMNS * 2));
}

/* The members of objects that are no records. */
static void walk_frame(struct frame *f, struct str object, size_t len, unsigned depth)
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, object);
    while (f->count <= FRAME_SHOWN && json_walk_next(&walk, &key, &value)) {
        if (len + key.len + 2 > sizeof f->path) {
            continue;
        }
        f->path[len] = '/';
        memcpy(f->path + len + 1, key.data, key.len);
        f->path[len + 1 + key.len] = '\0';
        if (strcmp(f->path, f->records) == 0) {
            continue;
        }
        if (json_type_of(value) == JSON_OBJECT && depth < PAGES_GUESS_DEPTH) {
            walk_frame(f, value, len + 1 + key.len, depth + 1);
        } else {
            tell_member(f, value);
        }
    }
}

/* Only where the records are a part of the answer. */
static enum result tell_frame(const struct probe_found *found, struct buf *out)
{
    struct frame frame = { .out = out, .records = found->shape.records };
    size_t heading = out->len;

    if (!found->shape.records[0] || strchr(found->shape.records, '*')) {
        return RESULT_OK;
    }
    frame.result = buf_printf(out, "//\n//   beside them:\n");
    if (frame.result == RESULT_OK) {
        walk_frame(&frame, str_trim(found->body), 0, 0);
    }
    if (!frame.count) {
        out->len = heading;
    }
    return frame.result;
}

/* --- pages and limits ------------------------------------------------------------------------------------ */

static enum result tell_total(const struct probe_found *found, struct buf *out)
{
    uint64_t total = found->guess.total, size = found->shape.count, pages;

    if (total == PAGE_TOTAL_UNKNOWN || !size) {
        return buf_append_str(out, STR("\n"));
    }
    pages = total / size + (total % size != 0);
    return buf_printf(out, "; %" PRIu64 " record%s in all, so about %" PRIu64 " page%s\n", total,
                      units_plural(total), pages, units_plural(pages));
}

/* The guess was tried, or this page is all that is known. */
static const char *tried_words(const struct probe_found *found)
{
    bool is_guess = found->guess.pages.kind != JOB_PAGES_NONE;

    switch (found->tried) {
    case PROBE_OTHERS_CAME:
        return "; page 2 was asked for so, and has other records";
    case PROBE_SAME_CAME:
        return is_guess ? "; asked for so, and by other names, page 2 did not come: see the API's "
                          "manual for the parameter"
                        : "";
    case PROBE_NOT_TRIED:
        break;
    }
    return "";
}

static enum result tell_pages(const struct probe_found *found, struct buf *out)
{
    const struct job_pages *pages = &found->guess.pages;
    struct shown a, b;
    const char *param = show(&a, str_view(pages->param), NAME_COLUMNS);
    const char *next = show(&b, str_view(pages->next), NAME_COLUMNS);
    char words[PAGES_GUESS_WORDS_MAX];
    enum result result;

    pages_guess_describe(pages, param, next, words);
    if (!words[0]) {
        return found->guess.is_lost
                   ? buf_printf(out,
                                "//\n//   pages: there are more, but nothing says how to ask "
                                "for them; see the API's manual, and \"pages\" in scrapetop(1)\n")
                   : buf_printf(out, "//\n//   pages: no sign of further ones\n");
    }
    result = buf_printf(out, "//\n//   pages: %s%s", words, tried_words(found));
    return result == RESULT_OK ? tell_total(found, out) : result;
}

/* "59 requests left of 60 for the next 30 s", "50 requests every 1.0s". */
static enum result tell_left(const struct quota *quota, struct buf *out)
{
    uint64_t wait_us = quota->has_left ? quota_wait_us(quota) : quota->window_us;
    enum result result = RESULT_OK;
    char time[UNITS_TEXT_MAX];

    units_format_time(wait_us, time);
    if (!quota->has_left) {
        return wait_us ? buf_printf(out, " %" PRIu64 " request%s every %s", quota->limit,
                                    units_plural(quota->limit), time)
                       : buf_printf(out, " a limit of %" PRIu64, quota->limit);
    }
    result = buf_printf(out, " %" PRIu64 " request%s left", quota->left, units_plural(quota->left));
    if (result == RESULT_OK && quota->limit) {
        result = buf_printf(out, " of %" PRIu64, quota->limit);
    }
    if (result == RESULT_OK && wait_us) {
        result = buf_printf(out, " for the next %s", time);
    }
    if (result == RESULT_OK && quota->refill_per_s > 0) {
        result = buf_printf(out, ", %.3g come back each second", quota->refill_per_s);
    }
    return result;
}

static enum result tell_quota(const struct quota *quota, struct buf *out)
{
    enum result result = buf_printf(out, "//     that is:");
    struct shown name;

    if (result == RESULT_OK && (quota->has_left || quota->limit)) {
        result = tell_left(quota, out);
    }
    if (result == RESULT_OK && quota->concurrent) {
        result = buf_printf(out, "%s %" PRIu64 " at once",
                            quota->has_left || quota->limit ? "," : "", quota->concurrent);
    }
    if (result == RESULT_OK && quota->resource.len) {
        /* Uncut, so that a secret in it is found. */
        result = buf_printf(out, " (%s)", show(&name, quota->resource, TEXT_COLUMNS));
    }
    return result == RESULT_OK ? buf_append_str(out, STR("\n")) : result;
}

static enum result tell_limits(const struct probe_found *found, struct buf *out)
{
    struct quota_field fields[QUOTA_POLICIES_MAX];
    struct str name, value;
    struct quota quota = { .has_left = false };
    enum result result = RESULT_OK;
    size_t count = 0, at = 0;

    while (count < QUOTA_POLICIES_MAX && result == RESULT_OK &&
           response_header_next(found->response, &at, &name, &value)) {
        struct shown a, b;

        if (quota_is_field(name)) {
            fields[count++] = (struct quota_field){ name, value };
            result =
                buf_printf(out, "%s//     %s: %s\n",
                           count == 1 ? "//\n//   limits that the answer tells of:\n" : "",
                           show(&a, name, NAME_COLUMNS * 2), show(&b, value, TEXT_COLUMNS / 2));
        }
    }
    if (!count) {
        return buf_printf(out, "//\n//   limits: the answer tells of none\n");
    }
    quota_read(fields, count, found->response->fetched_at_us, &quota);
    if (result != RESULT_OK || !(quota.has_left || quota.limit || quota.concurrent)) {
        return result;
    }
    return tell_quota(&quota, out);
}

enum result probe_tell(const struct probe_found *found, struct buf *out)
{
    enum result result = tell_request(found, out);

    if (result == RESULT_OK) {
        result = tell_records(&found->shape, out);
    }
    if (result == RESULT_OK) {
        result = tell_frame(found, out);
    }
    if (result == RESULT_OK) {
        result = tell_pages(found, out);
    }
    return result == RESULT_OK ? tell_limits(found, out) : result;
}
