/*
 * The same items by each way of paging that APIs have. All take size= (records a page) and count=
 * (records in all), so that a listing is as long as who practises wants it; what tells the next page
 * keeps both.
 */
#include "demo/world.h"

#include "demo/cursor.h"
#include "demo/items.h"
#include "base/json_write.h"
#include "demo/links.h"

#include <cjson/cJSON.h>

#include <string.h>

#define SIZE_USUAL 20
#define SIZE_MAX_OF_PAGE 1000
#define COUNT_USUAL 250
#define ISSUES_USUAL 30
#define ISSUES_MAX 100
#define COUNT_MAX 10000000

/* Items first .. end - 1 (from 1) are this page. */
struct page {
    uint64_t number, size, count, first, end;
};

static void set_first(struct page *page, uint64_t before)
{
    page->first = (before < page->count ? before : page->count) + 1;
    page->end =
        page->first + page->size <= page->count ? page->first + page->size : page->count + 1;
}

static bool has_next(const struct page *page)
{
    return page->end <= page->count;
}

/* False, and the 400 said, when a parameter is out of range. */
static bool read_size(const struct ask *ask, struct page *page, struct reply *reply)
{
    *page = (struct page){ .number = 1, .size = SIZE_USUAL, .count = COUNT_USUAL };
    if (ask_param_number(ask, "size", 1, SIZE_MAX_OF_PAGE, &page->size) &&
        ask_param_number(ask, "count", 0, COUNT_MAX, &page->count)) {
        return true;
    }
    reply_error(reply, 400, "size is within 1 and %d, count at most %d", SIZE_MAX_OF_PAGE,
                COUNT_MAX);
    return false;
}

static bool read_page(const struct ask *ask, struct page *page, struct reply *reply)
{
    if (!read_size(ask, page, reply)) {
        return false;
    }
    if (!ask_param_number(ask, "page", 1, COUNT_MAX + 1, &page->number)) {
        reply_error(reply, 400, "page starts at 1");
        return false;
    }
    set_first(page, (page->number - 1) * page->size);
    return true;
}

void shape_list_offset(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    uint64_t offset = 0;
    struct page page;

    if (!read_size(ask, &page, reply)) {
        return;
    }
    if (!ask_param_number(ask, "offset", 0, UINT64_MAX, &offset)) {
        reply_error(reply, 400, "offset is a number");
        return;
    }
    set_first(&page, offset);
    json_write_object(&j, NULL);
    items_write(&j, "items", world->seed, page.first, page.end);
    json_write_uint(&j, "offset", offset);
    json_write_uint(&j, "total", page.count);
    json_write_object_end(&j);
    reply->result = j.result;
}

void shape_list_next(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char authority[WORLD_AUTHORITY_MAX];
    struct page page;

    if (!read_page(ask, &page, reply)) {
        return;
    }
    world_authority(world, ask, authority);
    json_write_object(&j, NULL);
    items_write(&j, "data", world->seed, page.first, page.end);
    json_write_object(&j, "paging");
    if (has_next(&page)) {
        json_write_textf(&j, "next", "http://%s/list/next?page=%llu&size=%llu&count=%llu",
                         authority, (unsigned long long)page.number + 1,
                         (unsigned long long)page.size, (unsigned long long)page.count);
    } else {
        json_write_null(&j, "next");
    }
    json_write_object_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

void shape_list_more(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    struct page page;

    if (!read_page(ask, &page, reply)) {
        return;
    }
    json_write_object(&j, NULL);
    items_write(&j, "items", world->seed, page.first, page.end);
    json_write_bool(&j, "has_more", has_next(&page));
    json_write_object_end(&j);
    reply->result = j.result;
}

/* Nothing tells the end but a page without records. */
void shape_list_until_empty(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    struct page page;

    if (read_page(ask, &page, reply)) {
        items_write(&j, NULL, world->seed, page.first, page.end);
        reply->result = j.result;
    }
}

void shape_list_cursor(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char cursor[CURSOR_MAX] = "";
    uint64_t before;
    struct page page;
    size_t len = 0;

    if (!read_size(ask, &page, reply)) {
        return;
    }
    if (ask_param(ask, "after", cursor, sizeof cursor, &len) == ASK_MALFORMED ||
        !cursor_read(world->seed, (struct str){ cursor, len }, page.count, &before)) {
        reply_error(reply, 400, "after: no cursor of ours; send it back byte for byte, encoded");
        return;
    }
    set_first(&page, before);
    json_write_object(&j, NULL);
    items_write(&j, "items", world->seed, page.first, page.end);
    json_write_object(&j, "meta");
    if (has_next(&page)) {
        cursor_format(world->seed, page.end - 1, cursor);
        json_write_text(&j, "next", str_view(cursor));
    } else {
        json_write_text(&j, "next", STR(""));
    }
    json_write_object_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

void shape_issues(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    struct page page = { .number = 1, .size = ISSUES_USUAL, .count = COUNT_USUAL };

    if (!ask_param_number(ask, "per_page", 1, ISSUES_MAX, &page.size) ||
        !ask_param_number(ask, "page", 1, COUNT_MAX, &page.number)) {
        reply_error(reply, 422, "page starts at 1, per_page is within 1 and %d", ISSUES_MAX);
        return;
    }
    set_first(&page, (page.number - 1) * page.size);
    links_tell(world, ask, reply,
               &(struct links){ "page", "per_page", page.number, page.size, page.count });
    items_write_issues(&j, NULL, world->seed, page.first, page.end, "user");
    if (reply->result == RESULT_OK) {
        reply->result = j.result;
    }
}

/* GraphQL tells its errors with 200, in place of the data. */
static void refuse_query(struct reply *reply, const char *message)
{
    struct json_writer j = json_write_begin(&reply->body);

    json_write_object(&j, NULL);
    json_write_array(&j, "errors");
    json_write_object(&j, NULL);
    json_write_text(&j, "message", str_view(message));
    json_write_object_end(&j);
    json_write_array_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

/* The variables first, count and after; false when one is none. */
static bool read_variables(const struct world *world, const cJSON *variables, struct page *page)
{
    const cJSON *first = cJSON_GetObjectItemCaseSensitive(variables, "first");
    const cJSON *count = cJSON_GetObjectItemCaseSensitive(variables, "count");
    const cJSON *after = cJSON_GetObjectItemCaseSensitive(variables, "after");
    uint64_t before = 0;

    *page = (struct page){ .size = SIZE_USUAL, .count = COUNT_USUAL };
    if (first) {
        if (!cJSON_IsNumber(first) || !(first->valuedouble >= 1) ||
            !(first->valuedouble <= SIZE_MAX_OF_PAGE)) {
            return false;
        }
        page->size = (uint64_t)first->valuedouble;
    }
    if (count) {
        if (!cJSON_IsNumber(count) || !(count->valuedouble >= 0) ||
            !(count->valuedouble <= COUNT_MAX)) {
            return false;
        }
        page->count = (uint64_t)count->valuedouble;
    }
    if (after && !cJSON_IsNull(after) &&
        (!cJSON_IsString(after) ||
         !cursor_read(world->seed, str_view(after->valuestring), page->count, &before))) {
        return false;
    }
    set_first(page, before);
    return true;
}

/* {"data": {"items": {…}}}, or {"data": {"repository": {"issues": {…}}}}. */
static void write_connection(const struct world *world, const struct page *page, bool are_issues,
                             struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);
    char cursor[CURSOR_MAX];

    cursor_format(world->seed, page->end - 1, cursor);
    json_write_object(&j, NULL);
    json_write_object(&j, "data");
    if (are_issues) {
        json_write_object(&j, "repository");
        json_write_object(&j, "issues");
        items_write_issues(&j, "nodes", world->seed, page->first, page->end, "author");
    } else {
        json_write_object(&j, "items");
        items_write(&j, "nodes", world->seed, page->first, page->end);
    }
    json_write_object(&j, "pageInfo");
    json_write_bool(&j, "hasNextPage", has_next(page));
    json_write_text(&j, "endCursor", str_view(cursor));
    json_write_object_end(&j);
    json_write_uint(&j, "totalCount", page->count);
    json_write_object_end(&j);
    if (are_issues) {
        json_write_object_end(&j);
    }
    json_write_object_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

/* The query is not parsed: it names the items or a repository, the variables say the rest. */
void shape_graphql(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct str type = ask_header(ask, STR("Content-Type"));
    const char *query;
    struct page page;
    cJSON *body;

    if (!str_equal_nocase(str_trim(str_cut(&type, ';')), STR("application/json"))) {
        reply_error(reply, 415, "want Content-Type: application/json");
        return;
    }
    body = cJSON_ParseWithLength(ask->body.data ? ask->body.data : "", ask->body.len);
    query = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(body, "query"));
    if (!query) {
        reply_error(reply, 400, "want {\"query\": \"...\", \"variables\": {...}}");
    } else if (!strstr(query, "items") && !strstr(query, "repository")) {
        refuse_query(reply, "the query must name items or a repository");
    } else if (!read_variables(world, cJSON_GetObjectItemCaseSensitive(body, "variables"), &page)) {
        refuse_query(reply,
                     "variables: first from 1 to 1000, count, and a cursor of ours as after");
    } else {
        write_connection(world, &page, strstr(query, "repository") != NULL, reply);
    }
    cJSON_Delete(body);
}
