/* Endpoints and their tables, as a job file has them. */
#include "job/job_write.h"

#include "base/json_scan.h"
#include "job/template.h"

#include <stdlib.h>
#include <string.h>

static bool has_text(const cJSON *array, const char *text)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array)
    {
        if (strcmp(item->valuestring, text) == 0) {
            return true;
        }
    }
    return false;
}

/* Typed headers by name (null where the value is not to be kept), files by path. */
bool job_write_headers(cJSON *to, const struct job_header *headers, size_t count, cJSON *files)
{
    cJSON *typed = cJSON_AddObjectToObject(to, "headers");
    bool ok = typed;

    for (size_t i = 0; i < count && ok; i++) {
        const struct job_header *header = &headers[i];

        if (!header->given) {
            ok = cJSON_AddNullToObject(typed, header->name);
        } else if (!header->from_file) {
            ok = cJSON_AddStringToObject(typed, header->name, header->given);
        } else if (!has_text(files, header->given)) {
            ok = cjson_add_text(files, header->given);
        }
    }
    return ok;
}

/* Without it; the caller's to free. NULL when out of memory. */
static char *without_typed(const struct job *job, const char *text, bool is_url)
{
    struct buf out = { 0 };
    char *copy = job_hide_typed(job, text, is_url, &out) == RESULT_OK
                     ? str_dup(out.data ? buf_view(&out) : STR(""))
                     : NULL;

    buf_release(&out);
    return copy;
}

static bool add_url(const struct job *job, cJSON *object, const char *url)
{
    char *hidden = without_typed(job, url, true);
    bool ok = hidden && cJSON_AddStringToObject(object, "url", hidden);

    free(hidden);
    return ok;
}

static bool write_sources(const struct job *job, cJSON *object, const struct job_endpoint *endpoint)
{
    cJSON *sources;

    if (endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE) {
        return add_url(job, object, endpoint->sources[0].text);
    }
    sources = cJSON_AddArrayToObject(object, "sources");
    for (size_t i = 0; sources && i < endpoint->source_count; i++) {
        const struct job_source *source = &endpoint->sources[i];
        cJSON *item = cjson_add_element(sources);

        if (!item ||
            (source->kind == JOB_SOURCE_LIST ? !cJSON_AddStringToObject(item, "list", source->text)
                                             : !add_url(job, item, source->text))) {
            return false;
        }
    }
    return sources;
}

/* The keys that are the style's own, in the order of the rows. */
static bool write_style(cJSON *object, const struct job_pages *pages)
{
    const struct job_page_style *style = &job_page_styles[pages->kind];
    bool ok = cjson_add_optional(object, "kind", style->word);

    for (enum job_pages_kind kind = JOB_PAGES_NONE + 1; ok && kind < JOB_PAGES_KINDS; kind++) {
        const char *key = job_page_styles[kind].key;

        if (key && (key == style->key || (style->needs && strcmp(key, style->needs) == 0))) {
            ok = cjson_add_optional(object, key, job_pages_text(pages, key));
        }
    }
    return ok;
}

static bool write_pages(cJSON *to, const struct job_pages *pages)
{
    cJSON *object;

    if (pages->kind == JOB_PAGES_NONE) {
        return true;
    }
    object = cJSON_AddObjectToObject(to, "pages");
    if (!object || !write_style(object, pages)) {
        return false;
    }
    return (!pages->has_first || cjson_add_number(object, "first", pages->first)) &&
           cjson_add_given(object, "size", pages->size) &&
           cjson_add_optional(object, "size_param", pages->size_param) &&
           cjson_add_optional(object, "total", pages->total) &&
           cjson_add_optional(object, "total_pages", pages->total_pages) &&
           cjson_add_optional(object, "has_more", pages->has_more) &&
           cjson_add_optional(object, "is_last", pages->is_last) &&
           cjson_add_optional(object, "until", pages->until) &&
           cjson_add_optional(object, "older_than", pages->older_than) &&
           cjson_add_given(object, "max", pages->max);
}

/* As "json" what a job file gave as JSON; a command line's body keeps its every byte as "body". */
static bool write_body(const struct job *job, cJSON *object, const struct job_endpoint *endpoint)
{
    bool is_template =
        endpoint->source_count == 1 && endpoint->sources[0].kind == JOB_SOURCE_TEMPLATE;

    char *hidden = endpoint->body ? without_typed(job, endpoint->body, false) : NULL;
    bool ok = !endpoint->body || hidden;

    if (hidden && is_template && template_body_context(str_view(endpoint->body)) == TEMPLATE_JSON &&
        (strcmp(hidden, endpoint->body) == 0 ||
         json_check(str_view(hidden), JSON_DEPTH_MAX, NULL))) {
        ok = cJSON_AddRawToObject(object, "json", hidden);
    } else if (hidden) {
        ok = cJSON_AddStringToObject(object, "body", hidden);
    }
    free(hidden);
    return ok;
}

bool job_write_answers(cJSON *object, const struct answer_rules *rules)
{
    cJSON *array = rules->count ? cJSON_AddArrayToObject(object, "answers") : NULL;

    for (size_t i = 0; array && i < rules->count; i++) {
        if (!cJSON_AddItemToArray(array, cJSON_CreateRaw(rules->list[i].json))) {
            return false;
        }
    }
    return !rules->count || array;
}

/* What differs from the default. */
static bool write_reading(cJSON *object, const struct body_reading *reading)
{
    char delimiter[2] = { reading->delimiter, '\0' };

    return (reading->as == BODY_AUTO ||
            cJSON_AddStringToObject(object, "as", body_format_name(reading->as))) &&
           cjson_add_optional(object, "strip", reading->strip) &&
           cjson_add_optional(object, "charset", reading->charset) &&
           cjson_add_optional(object, "delimiter", reading->delimiter ? delimiter : NULL) &&
           (!reading->no_header || cJSON_AddFalseToObject(object, "header")) &&
           (!reading->is_strict || cJSON_AddFalseToObject(object, "lenient"));
}

static bool write_where(cJSON *to, const struct job_endpoint *endpoint)
{
    cJSON *object = endpoint->where_at ? cJSON_AddObjectToObject(to, "where") : NULL;

    return !endpoint->where_at ||
           (object && cJSON_AddStringToObject(object, "at", endpoint->where_at) &&
            (!endpoint->where_is || cJSON_AddRawToObject(object, "is", endpoint->where_is)));
}

static bool write_endpoint(const struct job *job, cJSON *object,
                           const struct job_endpoint *endpoint)
{
    return object && cjson_add_optional(object, "name", endpoint->name) &&
           write_sources(job, object, endpoint) &&
           cjson_add_optional(object, "method", endpoint->method) &&
           (!endpoint->header_count ||
            job_write_headers(object, endpoint->headers, endpoint->header_count, NULL)) &&
           write_body(job, object, endpoint) &&
           cjson_add_optional(object, "records", endpoint->records) &&
           (endpoint->shape == RECORD_SHAPE_OBJECTS ||
            cJSON_AddStringToObject(object, "shape", record_shape_name(endpoint->shape))) &&
           write_reading(object, &endpoint->reading) && write_pages(object, &endpoint->pages) &&
           job_write_answers(object, &endpoint->answers) &&
           cjson_add_texts(object, "with", endpoint->with, endpoint->with_count) &&
           write_where(object, endpoint);
}

bool job_write_endpoints(cJSON *root, const struct job *job)
{
    cJSON *array = cJSON_AddArrayToObject(root, "endpoints");

    for (size_t i = 0; array && i < job->endpoint_count; i++) {
        if (!write_endpoint(job, cjson_add_element(array), &job->endpoints[i])) {
            return false;
        }
    }
    return array;
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

static bool write_columns(cJSON *to, const struct job_table *table)
{
    cJSON *object;

    if (!table->column_count || !strchr(table->columns[0], '=')) {
        return cjson_add_texts(to, "columns", table->columns, table->column_count);
    }
    object = cJSON_AddObjectToObject(to, "columns");
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

static bool write_table(cJSON *to, const struct job_endpoint *endpoint)
{
    const struct job_table *table = &endpoint->table;
    cJSON *object;

    if (!table->explode && !table->where_present && !table->unique_count && !table->column_count &&
        !table->types && !table->meta) {
        return true;
    }
    object = cJSON_AddObjectToObject(to, endpoint->name);
    return object && cjson_add_texts(object, "unique", table->unique, table->unique_count) &&
           write_columns(object, table) && cjson_add_optional(object, "explode", table->explode) &&
           cjson_add_optional(object, "where_present", table->where_present) &&
           (!table->types || cJSON_AddTrueToObject(object, "types")) &&
           (!table->meta || cJSON_AddTrueToObject(object, "meta"));
}

bool job_write_tables(cJSON *root, const struct job *job)
{
    cJSON *tables = cJSON_CreateObject();
    bool ok = tables;

    for (size_t i = 0; ok && i < job->endpoint_count; i++) {
        ok = write_table(tables, &job->endpoints[i]);
    }
    if (ok && tables->child) {
        return cJSON_AddItemToObject(root, "tables", tables);
    }
    cJSON_Delete(tables);
    return ok;
}
