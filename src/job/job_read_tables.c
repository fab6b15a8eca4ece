/* "tables": what each endpoint's table is made of. */
#include "job/job_read.h"

#include "base/json_scan.h"

#include <stdlib.h>
#include <string.h>

static void read_unique(struct job_reader *r, void *target, struct str value)
{
    struct job_table *table = target;

    job_read_texts(r, "unique", &table->unique, &table->unique_count, value);
}

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

#define TABLE(field) offsetof(struct job_table, field)

static const struct job_key table_keys[] = {
    { "unique", JOB_KEY_CALL, 0, 0, 0, read_unique },
    { "columns", JOB_KEY_CALL, 0, 0, 0, read_columns },
    { "explode", JOB_KEY_POINTER, TABLE(explode), 0, 0, NULL },
    { "where_present", JOB_KEY_TEXT, TABLE(where_present), 0, 0, NULL },
    { "types", JOB_KEY_BOOL, TABLE(types), 0, 0, NULL },
    { "meta", JOB_KEY_BOOL, TABLE(meta), 0, 0, NULL },
};

const struct job_keys job_table_keys = JOB_KEYS("table", table_keys);

static void read_table(struct job_reader *r, struct str name, struct str value)
{
    struct job_hint hint = job_hint_for(name);
    char text[JOB_HINT_MAX];

    for (size_t i = 0; i < r->job->endpoint_count; i++) {
        struct job_endpoint *endpoint = &r->job->endpoints[i];

        if (endpoint->name && json_raw_equal(name, str_view(endpoint->name))) {
            job_read_object(r, &job_table_keys, &endpoint->table, value);
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
