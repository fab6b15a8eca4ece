/* "tables": what the tables of endpoints look like. */
#include "job/job_put.h"

#include "base/json_scan.h"
#include "job/job_read.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

/* What a column is declared to be, its pointer in `*pointer`. */
static void read_wish(struct job_reader *r, struct str value, char **pointer,
                      struct column_wish *wish)
{
    struct json_walk walk;
    struct str key, member;

    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &key, &member)) {
        char *text = job_text_string(&r->text, "columns", member);

        if (!text) {
            continue;
        }
        if (json_raw_equal(key, STR("at")) && !*pointer) {
            *pointer = text;
            continue;
        }
        if (json_raw_equal(key, STR("type")) && !column_type_parse(str_view(text), &wish->type)) {
            job_text_fault(&r->text, member, "E-CFG2", "\"type\": want one of %s",
                           COLUMN_TYPE_WORDS);
        } else if (json_raw_equal(key, STR("on_error")) &&
                   !column_error_parse(str_view(text), &wish->on_error)) {
            job_text_fault(&r->text, member, "E-CFG2", "\"on_error\": want one of %s",
                           COLUMN_ERROR_WORDS);
        } else if (!json_raw_equal(key, STR("type")) && !json_raw_equal(key, STR("on_error"))) {
            job_text_fault(&r->text, key, "E-CFG1",
                           "a column has \"at\", \"type\" and \"on_error\", each once");
        }
        free(text);
    }
}

/* "/name", for a column that says not where it is. */
static char *pointer_to(struct job_reader *r, struct str name)
{
    struct buf plain = { 0 }, text = { 0 };
    char *pointer = NULL;
    bool ok =
        json_unescape(&plain, name, NULL) == RESULT_OK && buf_append_char(&text, '/') == RESULT_OK;

    for (size_t i = 0; ok && i < plain.len; i++) {
        struct str as = plain.data[i] == '~'   ? STR("~0")
                        : plain.data[i] == '/' ? STR("~1")
                                               : (struct str){ &plain.data[i], 1 };

        ok = buf_append_str(&text, as) == RESULT_OK;
    }
    pointer = ok ? str_dup(buf_view(&text)) : NULL;
    r->text.no_memory |= !pointer;
    buf_release(&plain);
    buf_release(&text);
    return pointer;
}

static void add_wish(struct job_reader *r, struct job_table *table, struct column_wish wish)
{
    struct column_wish *wishes =
        reallocarray(table->wishes, table->column_count + 1, sizeof *wishes);

    if (!wishes) {
        r->text.no_memory = true;
        return;
    }
    table->wishes = wishes;
    wishes[table->column_count] = wish;
}

/* `{"price": "/price/amount"}` as "price=/price/amount"; `{"at": "/price/amount", "type": "double"}` says more. */
static void read_column(struct job_reader *r, struct job_table *table, struct str name,
                        struct str value)
{
    bool is_object = json_type_of(value) == JSON_OBJECT;
    char *pointer = is_object ? NULL : job_text_string(&r->text, "columns", value);
    struct column_wish wish = { COLUMN_ANY, COLUMN_ERROR_NULL };
    struct json_pointer parsed;
    struct buf text = { 0 };
    struct err err;

    if (is_object) {
        read_wish(r, value, &pointer, &wish);
        pointer = pointer ? pointer : pointer_to(r, name);
    }
    if (!pointer) {
        return;
    }
    if (json_pointer_parse(&parsed, str_view(pointer), &err) != RESULT_OK) {
        job_text_fault_of(&r->text, value, &err);
    } else if (json_unescape(&text, name, NULL) != RESULT_OK ||
               buf_printf(&text, "=%s", pointer) != RESULT_OK) {
        r->text.no_memory = true;
    } else if (memchr(text.data, '\0', text.len) ||
               memchr(text.data, '=', text.len - strlen(pointer) - 1)) {
        job_text_fault(&r->text, name, "E-CFG2",
                       "\"columns\": a name may hold no \"=\" and no NUL");
    } else if (table->column_count == JOB_NAMES_MAX) {
        job_text_fault(&r->text, name, "E-CFG2", "\"columns\": more than %d", JOB_NAMES_MAX);
    } else {
        add_wish(r, table, wish);
        job_append_text(r, &table->columns, &table->column_count, str_dup(buf_view(&text)));
    }
    buf_release(&text);
    free(pointer);
}

static void read_columns(struct job_reader *r, void *target, struct str value)
{
    struct job_table *table = target;
    struct json_walk walk;
    struct str name, member;

    if (json_type_of(value) == JSON_ARRAY) {
        job_read_texts(r, "columns", &table->columns, &table->column_count, value);
        return;
    }
    if (json_type_of(value) != JSON_OBJECT) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"columns\": want an array of names, or an object of names and JSON "
                       "Pointers, or of {\"at\": POINTER, \"type\": \"double\"}");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &name, &member)) {
        read_column(r, table, name, member);
    }
}

/* Columns are all names, or all names with pointers: so they are read. */
static bool write_column(cJSON *to, const char *name, const char *pointer,
                         const struct column_wish *wish)
{
    cJSON *object;

    if (!wish || wish->type == COLUMN_ANY) {
        return cJSON_AddStringToObject(to, name, pointer);
    }
    object = cJSON_AddObjectToObject(to, name);
    return object && cJSON_AddStringToObject(object, "at", pointer) &&
           cJSON_AddStringToObject(object, "type", column_type_name(wish->type)) &&
           cJSON_AddStringToObject(object, "on_error", column_error_name(wish->on_error));
}

static bool write_columns(const struct job_writer *w, cJSON *to, const struct job_key *key,
                          const void *target)
{
    const struct job_table *table = target;
    cJSON *object;

    (void)w;
    if (!table->column_count || !strchr(table->columns[0], '=')) {
        return cjson_add_texts(to, key->name, table->columns, table->column_count);
    }
    object = cJSON_AddObjectToObject(to, key->name);
    for (size_t i = 0; object && i < table->column_count; i++) {
        struct str pointer = str_view(table->columns[i]);
        char *name = str_dup(str_cut(&pointer, '='));
        bool ok = name && write_column(object, name, pointer.data ? pointer.data : "",
                                       table->wishes ? &table->wishes[i] : NULL);

        free(name);
        if (!ok) {
            return false;
        }
    }
    return object;
}

static void read_keep(struct job_reader *r, void *target, struct str value)
{
    struct job_table *table = target;
    char *text = job_text_string(&r->text, "keep", value);

    if (text && !row_keep_parse(str_view(text), &table->keep)) {
        job_text_fault(&r->text, value, "E-CFG2", "\"keep\": \"%.32s\" is none of %s", text,
                       ROW_KEEP_WORDS);
    }
    free(text);
}

static bool write_keep(const struct job_writer *w, cJSON *to, const struct job_key *key,
                       const void *target)
{
    enum row_keep keep = ((const struct job_table *)target)->keep;

    (void)w;
    return keep == ROW_KEEP_FIRST || cjson_add_optional(to, key->name, row_keep_name(keep));
}

#define TABLE(field) offsetof(struct job_table, field)

/* clang-format off */
static const struct job_key table_keys[] = {
    { "unique", JOB_KEY_TEXTS, TABLE(unique), .count = TABLE(unique_count),
      .help = "Columns that tell rows apart; of equal ones one is kept" },
    { "keep", JOB_KEY_OTHER, .read = read_keep, .write = write_keep,
      .help = "Which of the rows that \"unique\" finds equal: the first in the plan's order, or the last, whose "
              "answer came last; within one answer the last of them",
      .schema = JOB_JSON("enum": "@keeps") },
    { "columns", JOB_KEY_OTHER, .read = read_columns, .write = write_columns,
      .help = "These columns only, in this order: an array of names, also of those of \"with\", and of "
              "\"name=/pointer\" into a record; or an object of names and pointers",
      .schema = JOB_JSON("anyOf": [
          {"type": "array", "items": {"type": "string"}},
          {"type": "object", "additionalProperties": {"anyOf": [
              {"type": "string", "pattern": "^/"},
              {"description": "at: a pointer (/NAME); type: what the values must be; on_error: what becomes of one that is not: null (the cell is empty), text (so is the column), drop (the row), fail (the table)",
               "type": "object", "additionalProperties": false, "properties": {
                   "at": {"type": "string", "pattern": "^/"},
                   "type": {"enum": "@column_types"},
                   "on_error": {"enum": "@column_errors"}}}]}}]) },
    { "explode", JOB_KEY_POINTER, TABLE(explode),
      .help = "JSON Pointer to an array that gives a row for each element" },
    { "where_present", JOB_KEY_TEXT, TABLE(where_present),
      .help = "Column; rows without a value in it are dropped" },
    { "types", JOB_KEY_BOOL, TABLE(types), .help = "Numbers and times in one form" },
    { "assume_utc", JOB_KEY_BOOL, TABLE(assume_utc),
      .help = "Times without an offset are UTC; else a column of them is of local times, in no zone" },
    { "meta", JOB_KEY_BOOL, TABLE(meta), .help = "Columns that say where a record came from" },
    { "expect", JOB_KEY_OBJECT, TABLE(expect), .inner = &job_expect_keys, .read = job_read_expect },
};
/* clang-format on */

const struct job_keys job_table_keys =
    JOB_KEYS("table", table_keys, .help = "What the table of an endpoint is to look like.");

static void check_keep(struct job_reader *r, const struct job_table *table, struct str value)
{
    if (table->keep != ROW_KEEP_FIRST && !table->unique_count) {
        job_text_fault(&r->text, value, "E-CFG2",
                       "\"keep\" wants \"unique\": by which columns are rows alike?");
    }
}

static void read_table(struct job_reader *r, struct str name, struct str value)
{
    struct job_hint hint = job_hint_for(name);
    char text[JOB_HINT_MAX];

    for (size_t i = 0; i < r->job->endpoint_count; i++) {
        struct job_endpoint *endpoint = &r->job->endpoints[i];

        if (endpoint->name && json_raw_equal(name, str_view(endpoint->name))) {
            job_read_object(r, &job_table_keys, &endpoint->table, value);
            check_keep(r, &endpoint->table, value);
            return;
        }
        if (endpoint->name) {
            job_hint_offer(&hint, str_view(endpoint->name));
        }
    }
    job_hint_print(&hint, text);
    job_text_fault(&r->text, name, "E-CFG5", "\"tables\": no endpoint is named \"%.*s\"%s",
                   (int)(name.len < 64 ? name.len : 64), name.data, text);
}

void job_read_tables(struct job_reader *r, struct str value)
{
    struct json_walk walk;
    struct str name, member;

    if (json_type_of(value) != JSON_OBJECT) {
        job_text_fault(&r->text, value, "E-CFG2", "\"tables\": want an object");
        return;
    }
    json_walk_begin(&walk, value);
    while (json_walk_next(&walk, &name, &member)) {
        read_table(r, name, member);
    }
}
