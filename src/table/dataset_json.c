#include "table/dataset_json.h"

#include "base/json_scan.h"
#include "base/json_write.h"
#include "base/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VERSION 1

static const char *const text_keys[DATASET_TEXTS] = { "job", "level", "run" };

static enum result is_bad(const struct dataset *d, struct err *err)
{
    return err_set(err, RESULT_INVALID, "E-ARG1",
                   "%s/" DATASET_FILE " is not what scrapetop wrote: give -o another directory, or "
                   "remove this one",
                   d->path);
}

/* The member as text, or as a number: false when it is none. */
static bool text_of(struct str object, const char *key, struct buf *out)
{
    struct str value;

    buf_reset(out);
    return json_find(object, str_view(key), &value) && json_type_of(value) == JSON_STRING &&
           json_unescape(out, json_string_raw(value), NULL) == RESULT_OK;
}

static bool number_of(struct str object, const char *key, uint64_t *number)
{
    struct str value;

    return json_find(object, str_view(key), &value) && str_to_u64(value, number);
}

static bool whole_of(struct str object, const char *key, int64_t *number)
{
    struct str value;

    return json_find(object, str_view(key), &value) && types_int64(value, number);
}

static enum result read_identity(const struct dataset *d, struct str json, struct err *err)
{
    struct buf text = { 0 };
    bool same = true, good = true;

    for (size_t i = 0; i < DATASET_TEXTS && good; i++) {
        char pointer[16];

        snprintf(pointer, sizeof pointer, "/%s", text_keys[i]);
        good = text_of(json, pointer, &text);
        same &= good && str_equal(buf_view(&text), str_view(d->texts[i]));
    }
    buf_release(&text);
    if (!good) {
        return is_bad(d, err);
    }
    return same ? RESULT_OK
                : err_set(err, RESULT_INVALID, "E-ARG1",
                          "%s is the dataset of another job or run, or of runs that were given "
                          "otherwise (one alone, or several): give -o another directory",
                          d->path);
}

static bool type_of(struct str name, enum type *type)
{
    for (int i = TYPE_TEXT; i < TYPE_COUNT; i++) {
        if (str_equal(name, str_view(type_name((enum type)i)))) {
            *type = (enum type)i;
            return true;
        }
    }
    return false;
}

/* {"type":"int64","kinds":3,"low":0,"high":9,"unit_us":0} */
static enum result read_column(struct dataset_table *t, struct str name, struct str value,
                               struct err *err)
{
    struct type_facts facts = { .low = 0 };
    struct dataset_type type = { .unit_us = 0 };
    struct buf word = { 0 };
    uint64_t kinds = 0;
    bool good = text_of(value, "/type", &word) && type_of(buf_view(&word), &type.type) &&
                number_of(value, "/kinds", &kinds) && kinds < UINT64_C(1) << KIND_COUNT &&
                whole_of(value, "/low", &facts.low) && whole_of(value, "/high", &facts.high) &&
                whole_of(value, "/unit_us", &type.unit_us);

    buf_release(&word);
    for (int i = 0; i < KIND_COUNT; i++) {
        facts.seen[i] = kinds >> i & 1;
    }
    return good ? dataset_add_column(t, name, &facts, type, err) : is_bad(t->in, err);
}

static enum result read_part(struct dataset_table *t, struct str path, struct str value,
                             struct err *err)
{
    struct dataset_part part = { .rows = 0 };
    uint64_t generation = 0;
    bool good =
        number_of(value, "/records", &part.records) && number_of(value, "/bytes", &part.bytes) &&
        number_of(value, "/digest", &part.digest) && number_of(value, "/rows", &part.rows) &&
        number_of(value, "/generation", &generation) && generation <= UINT32_MAX;

    part.generation = (unsigned)generation;
    /* Parts are removed by these names: none may lead out of the dataset. */
    good &= path.len > sizeof "endpoint=" && memcmp(path.data, "endpoint=", 9) == 0 &&
            !memmem(path.data, path.len, "..", 2) && !memchr(path.data, 0, path.len);
    return good ? dataset_add_part(t, path, &part, false, err) : is_bad(t->in, err);
}

typedef enum result member_fn(struct dataset_table *t, struct str name, struct str value,
                              struct err *err);

static enum result each_member(struct dataset_table *t, struct str object, member_fn *fn,
                               struct err *err)
{
    enum result result = RESULT_OK;
    struct buf name = { 0 };
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, object);
    while (result == RESULT_OK && json_walk_next(&walk, &key, &value)) {
        buf_reset(&name);
        result = json_unescape(&name, key, NULL) == RESULT_OK ? fn(t, buf_view(&name), value, err)
                                                              : err_nomem(err, "opening a dataset");
    }
    buf_release(&name);
    return result;
}

static enum result read_table(struct dataset *d, struct str name, struct str value, struct err *err)
{
    struct dataset_table *t;
    struct str columns, parts;
    struct buf how = { 0 };
    uint64_t generation = 0;
    enum result result;

    if (!text_of(value, "/how", &how) || !number_of(value, "/generation", &generation) ||
        generation == 0 || generation > UINT32_MAX ||
        !json_find(value, STR("/columns"), &columns) || !json_find(value, STR("/parts"), &parts)) {
        buf_release(&how);
        return is_bad(d, err);
    }
    result = dataset_add_table(d, name, buf_view(&how), &t, err);
    buf_release(&how);
    result = result == RESULT_OK ? each_member(t, columns, read_column, err) : result;
    result = result == RESULT_OK ? each_member(t, parts, read_part, err) : result;
    if (result == RESULT_OK) {
        t->generation = (unsigned)generation;
    }
    return result;
}

static enum result read_json(struct dataset *d, struct str json, struct err *err)
{
    struct str tables, key, value;
    struct buf name = { 0 };
    struct json_walk walk;
    uint64_t version;
    enum result result;

    if (!json_check(json, JSON_DEPTH_MAX, NULL) ||
        !number_of(json, "/scrapetop_dataset", &version) || version != VERSION ||
        !json_find(json, STR("/tables"), &tables)) {
        return is_bad(d, err);
    }
    result = read_identity(d, json, err);
    json_walk_begin(&walk, tables);
    while (result == RESULT_OK && json_walk_next(&walk, &key, &value)) {
        buf_reset(&name);
        result = json_unescape(&name, key, NULL) == RESULT_OK
                     ? read_table(d, buf_view(&name), value, err)
                     : err_nomem(err, "opening a dataset");
    }
    buf_release(&name);
    return result;
}

enum result dataset_read(struct dataset *d, bool *found, struct err *err)
{
    struct buf json = { .max = DATASET_FILE_MAX };
    enum result result;
    int fd = openat(d->fd, DATASET_FILE, O_RDONLY | O_CLOEXEC);

    *found = fd >= 0;
    if (fd < 0) {
        return errno == ENOENT
                   ? RESULT_OK
                   : err_set_errno(err, errno, "E-OUT1", "cannot read %s/" DATASET_FILE, d->path);
    }
    result = read_all(fd, &json) == RESULT_OK
                 ? RESULT_OK
                 : err_set_errno(err, errno, "E-OUT1", "cannot read %s/" DATASET_FILE, d->path);
    close(fd);
    result = result == RESULT_OK ? read_json(d, buf_view(&json), err) : result;
    buf_release(&json);
    return result;
}

bool dataset_says(const struct dataset *d, struct str json)
{
    struct buf now = { .max = DATASET_FILE_MAX };
    int fd = openat(d->fd, DATASET_FILE, O_RDONLY | O_CLOEXEC);
    bool same = fd >= 0 && read_all(fd, &now) == RESULT_OK && str_equal(buf_view(&now), json);

    if (fd >= 0) {
        close(fd);
    }
    buf_release(&now);
    return same;
}

/* --- writing -------------------------------------------------------------------------------------- */

static void write_columns(const struct dataset_table *t, struct json_writer *j)
{
    json_write_object(j, "columns");
    for (uint32_t i = 0; i < known_types_count(t->known); i++) {
        const struct type_facts *facts = known_types_facts(t->known, i);
        uint64_t kinds = 0;

        for (int kind = 0; kind < KIND_COUNT; kind++) {
            kinds |= (uint64_t)(facts->seen[kind] > 0) << kind;
        }
        json_write_line(j, 4);
        json_write_key(j, known_types_name(t->known, i));
        json_write_object(j, NULL);
        json_write_text(j, "type", str_view(type_name(t->types[i].type)));
        json_write_uint(j, "kinds", kinds);
        json_write_int(j, "low", facts->low);
        json_write_int(j, "high", facts->high);
        json_write_int(j, "unit_us", t->types[i].unit_us);
        json_write_object_end(j);
    }
    json_write_object_end(j);
}

static void write_parts(const struct dataset_table *t, struct json_writer *j)
{
    uint32_t count = columns_node_count(t->paths) - COLUMNS_ROOTS;

    json_write_object(j, "parts");
    for (uint32_t i = 0; i < count; i++) {
        const struct dataset_entry *entry = &t->parts[i];

        if (!entry->is_there) {
            continue;
        }
        json_write_line(j, 4);
        json_write_key(j, columns_node_name(t->paths, i + COLUMNS_ROOTS));
        json_write_object(j, NULL);
        json_write_uint(j, "rows", entry->part.rows);
        json_write_uint(j, "records", entry->part.records);
        json_write_uint(j, "bytes", entry->part.bytes);
        json_write_uint(j, "digest", entry->part.digest);
        json_write_uint(j, "generation", entry->part.generation);
        json_write_object_end(j);
    }
    json_write_object_end(j);
}

enum result dataset_write(const struct dataset *d, struct buf *out)
{
    struct json_writer j = json_write_begin(out);

    json_write_object(&j, NULL);
    json_write_uint(&j, "scrapetop_dataset", VERSION);
    for (size_t i = 0; i < DATASET_TEXTS; i++) {
        json_write_text(&j, text_keys[i], str_view(d->texts[i]));
    }
    json_write_object(&j, "tables");
    for (size_t i = 0; i < d->count; i++) {
        const struct dataset_table *t = d->tables[i];

        json_write_line(&j, 2);
        json_write_key(&j, str_view(t->name));
        json_write_object(&j, NULL);
        json_write_text(&j, "how", str_view(t->how));
        json_write_uint(&j, "generation", t->generation);
        write_columns(t, &j);
        write_parts(t, &j);
        json_write_object_end(&j);
    }
    json_write_object_end(&j);
    json_write_object_end(&j);
    return j.result == RESULT_OK ? buf_append_char(out, '\n') : j.result;
}
