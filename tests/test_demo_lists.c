/* The embedded API's listings, which must add up however they are paged, its traps, and its logins. */
#include "demo/tokens.h"
#include "demo_client.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT 47 /* of items, on pages of ten: the last one is not full */

/* Encodes what a cursor of ours holds beside letters and digits. */
static void encode(const char *cursor, char *out)
{
    for (; *cursor; cursor++) {
        if (strchr("/+=", *cursor)) {
            out += snprintf(out, sizeof "%2F", "%%%02X", (unsigned)(unsigned char)*cursor);
        } else {
            *out++ = *cursor;
        }
    }
    *out = '\0';
}

/* All items of a listing carry their number: checks that these go on from `*number`. */
static int count_items(const cJSON *items, int *number)
{
    const cJSON *item;
    int count = 0;

    assert_true(cJSON_IsArray(items));
    cJSON_ArrayForEach(item, items)
    {
        assert_int_equal(cJSON_GetObjectItem(item, "number")->valueint, ++*number);
        count++;
    }
    return count;
}

static void offsets__add_up__with_the_total(void **state)
{
    struct demo *demo = start_calm(5);
    int number = 0;

    (void)state;
    for (int offset = 0; offset < 60; offset += 10) {
        char target[128];
        struct answer a;
        cJSON *json;

        snprintf(target, sizeof target, "/list/offset?offset=%d&size=10&count=%d", offset, COUNT);
        a = get(demo, target);
        json = json_of(&a);
        assert_int_equal(cJSON_GetObjectItem(json, "total")->valueint, COUNT);
        count_items(cJSON_GetObjectItem(json, "items"), &number);
        cJSON_Delete(json);
        drop(&a);
    }
    assert_int_equal(number, COUNT);
    demo_stop(demo);
}

static void next_urls__add_up__when_followed(void **state)
{
    struct demo *demo = start_calm(5);
    char target[256] = "/list/next?size=10&count=47";
    int number = 0, pages = 0;

    (void)state;
    while (target[0]) {
        struct answer a = get(demo, target);
        cJSON *json = json_of(&a);
        const cJSON *next = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "paging"), "next");

        count_items(cJSON_GetObjectItem(json, "data"), &number);
        target[0] = '\0';
        if (cJSON_IsString(next)) {
            assert_true(str_starts(str_view(next->valuestring), STR("http://demo.test:80/list/")));
            snprintf(target, sizeof target, "%s",
                     next->valuestring + strlen("http://demo.test:80"));
        }
        cJSON_Delete(json);
        drop(&a);
        pages++;
    }
    assert_int_equal(pages, 5);
    assert_int_equal(number, COUNT);
    demo_stop(demo);
}

static void has_more__is_true__until_the_last_page(void **state)
{
    struct demo *demo = start_calm(5);
    int number = 0, page = 0;
    bool has_more = true;

    (void)state;
    while (has_more) {
        char target[128];
        struct answer a;
        cJSON *json;

        snprintf(target, sizeof target, "/list/more?page=%d&size=10&count=%d", ++page, COUNT);
        a = get(demo, target);
        json = json_of(&a);
        count_items(cJSON_GetObjectItem(json, "items"), &number);
        has_more = cJSON_IsTrue(cJSON_GetObjectItem(json, "has_more"));
        cJSON_Delete(json);
        drop(&a);
    }
    assert_int_equal(page, 5);
    assert_int_equal(number, COUNT);
    demo_stop(demo);
}

static void until_empty__ends__with_an_empty_page(void **state)
{
    struct demo *demo = start_calm(5);
    int number = 0, page = 0, items;

    (void)state;
    do {
        char target[128];
        struct answer a;
        cJSON *json;

        snprintf(target, sizeof target, "/list/until-empty?page=%d&size=10&count=%d", ++page,
                 COUNT);
        a = get(demo, target);
        json = json_of(&a);
        items = count_items(json, &number);
        cJSON_Delete(json);
        drop(&a);
    } while (items);
    assert_int_equal(page, 6);
    assert_int_equal(number, COUNT);
    demo_stop(demo);
}

static void cursors__add_up__when_they_come_back_whole(void **state)
{
    struct demo *demo = start_calm(5);
    char cursor[128] = "";
    int number = 0;

    (void)state;
    do {
        char target[256];
        struct answer a;
        cJSON *json;

        snprintf(target, sizeof target, "/list/cursor?after=%s&size=10&count=%d", cursor, COUNT);
        a = get(demo, target);
        json = json_of(&a);
        count_items(cJSON_GetObjectItem(json, "items"), &number);
        encode(cJSON_GetObjectItem(cJSON_GetObjectItem(json, "meta"), "next")->valuestring, cursor);
        cJSON_Delete(json);
        drop(&a);
    } while (cursor[0]);
    assert_int_equal(number, COUNT);
    expect_status(demo, "/list/cursor?after=c%2F10%2B000000000000%3D%3D", 400);
    demo_stop(demo);
}

static struct answer ask_graphql(const struct demo *demo, const char *body)
{
    return ask_with(demo, "POST", "/graphql", "Content-Type: application/json\r\n", body);
}

static void graphql__adds_up__when_the_end_cursor_comes_back(void **state)
{
    struct demo *demo = start_calm(5);
    char after[128] = "null";
    bool has_next = true;
    int number = 0;

    (void)state;
    while (has_next) {
        char body[512];
        struct answer a;
        cJSON *json, *items, *info;

        snprintf(body, sizeof body,
                 "{\"query\":\"query($first:Int){items{nodes{id}}}\",\"variables\":{\"first\":10,"
                 "\"count\":%d,\"after\":%s}}",
                 COUNT, after);
        a = ask_graphql(demo, body);
        assert_int_equal(a.status, 200);
        json = json_of(&a);
        items = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "data"), "items");
        info = cJSON_GetObjectItem(items, "pageInfo");
        count_items(cJSON_GetObjectItem(items, "nodes"), &number);
        has_next = cJSON_IsTrue(cJSON_GetObjectItem(info, "hasNextPage"));
        snprintf(after, sizeof after, "\"%s\"",
                 cJSON_GetObjectItem(info, "endCursor")->valuestring);
        cJSON_Delete(json);
        drop(&a);
    }
    assert_int_equal(number, COUNT);
    demo_stop(demo);
}

static void issues__are_the_same__by_link_and_by_graphql(void **state)
{
    struct demo *demo = start_calm(5);
    struct answer rest = get(demo, "/repos/curl/curl/issues?per_page=100&page=2");
    struct answer graph = ask_graphql(
        demo, "{\"query\":\"{ repository { issues } }\",\"variables\":{\"first\":200}}");
    cJSON *list = json_of(&rest), *json = json_of(&graph);
    const cJSON *data = cJSON_GetObjectItem(json, "data");
    const cJSON *issues = cJSON_GetObjectItem(cJSON_GetObjectItem(data, "repository"), "issues");
    const cJSON *nodes = cJSON_GetObjectItem(issues, "nodes");

    (void)state;
    assert_string_equal(header_of(&rest, "Link"),
                        "<http://demo.test:80/repos/curl/curl/issues?page=1&per_page=100>; "
                        "rel=\"first\", "
                        "<http://demo.test:80/repos/curl/curl/issues?page=1&per_page=100>; "
                        "rel=\"prev\", "
                        "<http://demo.test:80/repos/curl/curl/issues?page=3&per_page=100>; "
                        "rel=\"next\", "
                        "<http://demo.test:80/repos/curl/curl/issues?page=3&per_page=100>; "
                        "rel=\"last\"");
    assert_int_equal(cJSON_GetArraySize(list), 100);
    assert_int_equal(cJSON_GetArraySize(nodes), 200);
    for (int i = 0; i < 100; i++) {
        const cJSON *a = cJSON_GetArrayItem(list, i), *b = cJSON_GetArrayItem(nodes, 100 + i);

        assert_int_equal(cJSON_GetObjectItem(a, "number")->valueint, 101 + i);
        assert_int_equal(cJSON_GetObjectItem(b, "number")->valueint, 101 + i);
        assert_true(
            cJSON_Compare(cJSON_GetObjectItem(a, "user"), cJSON_GetObjectItem(b, "author"), true));
    }
    cJSON_Delete(list);
    cJSON_Delete(json);
    drop(&rest);
    drop(&graph);
    demo_stop(demo);
}

static void graphql__tells_its_errors__with_200(void **state)
{
    static const char *const wrong[] = {
        "{\"query\":\"{ others }\"}",
        "{\"query\":\"{ items }\",\"variables\":{\"first\":0}}",
        "{\"query\":\"{ items }\",\"variables\":{\"first\":\"ten\"}}",
        "{\"query\":\"{ items }\",\"variables\":{\"after\":\"nonsense\"}}",
    };
    struct demo *demo = start_calm(5);
    struct answer a;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        cJSON *json;

        a = ask_graphql(demo, wrong[i]);
        assert_int_equal(a.status, 200);
        json = json_of(&a);
        assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "errors")), 1);
        cJSON_Delete(json);
        drop(&a);
    }
    a = ask_graphql(demo, "{");
    assert_int_equal(a.status, 400);
    drop(&a);
    a = ask_with(demo, "POST", "/graphql", "Content-Type: text/plain\r\n", "{}");
    assert_int_equal(a.status, 415);
    drop(&a);
    demo_stop(demo);
}

/* --- traps ----------------------------------------------------------------------------------- */

static void expect_body(const struct demo *demo, const char *target, const char *part)
{
    struct answer a = get(demo, target);
    cJSON *json = json_of(&a);

    assert_int_equal(a.status, 200);
    if (!strstr(a.body.data, part)) {
        fail_msg("%s has no %s but %.*s", target, part, STR_ARG(a.body));
    }
    cJSON_Delete(json);
    drop(&a);
}

static void traps__lie__as_they_are_named(void **state)
{
    static const struct {
        const char *target, *part;
    } lies[] = {
        { "/traps/self?page=2", "\"next\":\"http://demo.test:80/traps/self?page=2\"" },
        { "/traps/back?page=3", "\"next\":\"http://demo.test:80/traps/back?page=1\"" },
        { "/traps/elsewhere", "\"next\":\"http://elsewhere.invalid/" },
        { "/traps/elsewhere?to=http%3A%2F%2Fh%3A1%2Fx", "\"next\":\"http://h:1/x\"" },
        { "/traps/scheme", "\"next\":\"file:///etc/passwd\"" },
        { "/traps/forever?page=9000", "\"number\":180000," },
        { "/traps/empty?page=9000", "{\"items\":[],\"next\":\"http" },
        { "/traps/total-text", "\"total\":\"60\"" },
        { "/traps/total-words", "\"total\":\"about sixty\"" },
        { "/traps/total-negative", "\"total\":-1}" },
        { "/traps/total-small", "\"total\":15," },
        { "/traps/total-huge", "\"total\":18446744073709551615}" },
        { "/traps/total-changes?page=1", "\"total\":60}" },
        { "/traps/total-changes?page=2", "\"total\":80}" },
        { "/traps/cursor-crlf", "\"cursor\":\"a\\r\\nX-Injected: 1\"" },
        { "/traps/cursor-number", "\"cursor\":9007199254740994}" },
        { "/traps/cursor-number?cursor=9007199254740995", "\"number\":41," },
    };
    struct demo *demo = start_calm(5);

    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        expect_body(demo, lies[i].target, lies[i].part);
    }
    expect_status(demo, "/traps/cursor-number?cursor=9007199254740992", 400);
    expect_status(demo, "/traps/unheard-of", 404);
    demo_stop(demo);
}

static bool bodies_are_equal(const struct demo *demo, const char *one, const char *other)
{
    struct answer a = get(demo, one), b = get(demo, other);
    bool equal = str_equal(a.body, b.body);

    drop(&a);
    drop(&b);
    return equal;
}

static void traps__give_the_same_page__forever(void **state)
{
    struct demo *demo = start_calm(5);

    (void)state;
    assert_true(bodies_are_equal(demo, "/traps/same?page=1", "/traps/same?page=77"));
    assert_false(bodies_are_equal(demo, "/traps/last?page=2", "/traps/last?page=3"));
    assert_true(bodies_are_equal(demo, "/traps/last?page=3", "/traps/last?page=77"));
    demo_stop(demo);
}

/* --- logins ---------------------------------------------------------------------------------- */

static unsigned status_with(const struct demo *demo, const char *target, const char *headers)
{
    struct answer a = ask_with(demo, "GET", target, headers, "");
    unsigned status = a.status;

    assert_true(status != 401 || header_of(&a, "WWW-Authenticate"));
    drop(&a);
    return status;
}

static void private_posts__are_shown__to_whom_they_are_for(void **state)
{
    static const struct {
        const char *target, *headers;
        unsigned status;
    } cases[] = {
        { "/private/token/posts/1", "", 401 },
        { "/private/token/posts/1", "Authorization: Bearer demo-token\r\n", 200 },
        { "/private/token/posts/1", "Authorization: Bearer demo-tokeN\r\n", 401 },
        { "/private/token/posts/1", "Authorization: Basic demo-token\r\n", 401 },
        { "/private/basic/posts/1", "Authorization: Basic ZGVtbzpkZW1v\r\n", 200 },
        { "/private/basic/posts/1", "Authorization: Basic ZGVtbzpvbWVk\r\n", 401 },
        { "/private/basic/posts/1", "Authorization: Basic !!\r\n", 401 },
        { "/private/basic/posts/1", "", 401 },
        { "/private/key/posts/1", "X-Api-Key: demo-key\r\n", 200 },
        { "/private/key/posts/1", "X-Api-Key: demo\r\n", 401 },
        { "/private/key/posts/1?api_key=demo-key", "", 200 },
        { "/private/key/posts/1?api_key=demo-key%00", "", 401 },
        { "/private/key/posts/0?api_key=demo-key", "", 404 },
    };
    struct demo *demo = start_calm(1);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(status_with(demo, cases[i].target, cases[i].headers), cases[i].status);
    }
    demo_stop(demo);
}

static struct answer ask_token(const struct demo *demo, const char *headers, const char *body)
{
    char all[256];

    snprintf(all, sizeof all, "%sContent-Type: application/x-www-form-urlencoded\r\n", headers);
    return ask_with(demo, "POST", "/oauth/token", all, body);
}

static void oauth__gives_a_token__that_opens(void **state)
{
    static const char basic[] =
        "Authorization: Basic ZGVtby1jbGllbnQ6ZGVtby1zZWNyZXQ=\r\n"; /* demo-client:demo-secret */
    struct demo *demo = start_calm(1);
    struct answer a = ask_token(demo, basic, "grant_type=client_credentials&scope=read");
    cJSON *json = json_of(&a);
    char header[128];

    (void)state;
    assert_int_equal(a.status, 200);
    assert_string_equal(cJSON_GetObjectItem(json, "token_type")->valuestring, "Bearer");
    assert_string_equal(cJSON_GetObjectItem(json, "scope")->valuestring, "read");
    assert_int_equal(cJSON_GetObjectItem(json, "expires_in")->valueint, 3600);
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n",
             cJSON_GetObjectItem(json, "access_token")->valuestring);
    cJSON_Delete(json);
    drop(&a);
    assert_int_equal(status_with(demo, "/private/token/posts/1", header), 200);
    assert_int_equal(status_with(demo, "/api/products/1", header), 200);
    a = ask_token(demo, "",
                  "grant_type=client_credentials&client_id=demo-client&client_secret=demo-secret");
    assert_int_equal(a.status, 200);
    drop(&a);
    demo_stop(demo);
}

static void oauth__says_what_is_wrong__as_rfc_6749_does(void **state)
{
    static const struct {
        const char *body, *code;
        unsigned status;
    } cases[] = {
        { "", "\"unsupported_grant_type\"", 400 },
        { "grant_type=password", "\"unsupported_grant_type\"", 400 },
        { "grant_type=client_credentials", "\"invalid_client\"", 401 },
        { "grant_type=client_credentials&client_id=demo-client&client_secret=x",
          "\"invalid_client\"", 401 },
    };
    struct demo *demo = start_calm(1);
    struct answer a;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        a = ask_token(demo, "", cases[i].body);
        assert_int_equal(a.status, cases[i].status);
        assert_non_null(strstr(a.body.data, cases[i].code));
        drop(&a);
    }
    a = ask_with(demo, "POST", "/oauth/token", "", "grant_type=client_credentials");
    assert_int_equal(a.status, 400);
    drop(&a);
    demo_stop(demo);
}

static void token__is_good__as_often_as_the_option_says(void **state)
{
    const struct demo_options options = { .token_uses = 3 };
    struct demo *demo = start(&options);
    struct answer a = ask_with(demo, "POST", "/api/auth/login", "",
                               "{\"email\":\"demo@example.com\",\"password\":\"demo\"}");
    cJSON *json = json_of(&a);
    char header[128];

    (void)state;
    snprintf(header, sizeof header, "Authorization: Bearer %s\r\n",
             cJSON_GetObjectItem(json, "access_token")->valuestring);
    cJSON_Delete(json);
    drop(&a);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(status_with(demo, "/private/token/posts/1", header), i < 3 ? 200 : 401);
    }
    demo_stop(demo);
}

static void tokens__end__when_their_time_is_over(void **state)
{
    struct tokens tokens = { .seed = 1, .life_us = 10 * US_PER_S };
    char first[TOKEN_TEXT_MAX], later[TOKEN_TEXT_MAX];

    (void)state;
    tokens_issue(&tokens, 1000, first);
    assert_true(tokens_admit(&tokens, str_view(first), 1000 + 10 * US_PER_S - 1));
    assert_false(tokens_admit(&tokens, str_view(first), 1000 + 10 * US_PER_S));
    tokens_issue(&tokens, 2000, later);
    assert_string_not_equal(first, later);
    assert_true(tokens_admit(&tokens, str_view(later), 1000 + 10 * US_PER_S));
    assert_false(tokens_admit(&tokens, STR("demo-2-0000000000000000"), 3000));
    assert_false(tokens_admit(&tokens, STR("demo-1-0000000000000000"), 3000));
    assert_false(tokens_admit(&tokens, STR("demo"), 3000));
    for (int i = 0; i < TOKENS_KEPT; i++) {
        assert_true(tokens_admit(&tokens, str_view(later), 3000));
        tokens_issue(&tokens, 3000, first);
    }
    assert_false(tokens_admit(&tokens, str_view(later), 3000)); /* the oldest goes first */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(offsets__add_up__with_the_total),
        cmocka_unit_test(next_urls__add_up__when_followed),
        cmocka_unit_test(has_more__is_true__until_the_last_page),
        cmocka_unit_test(until_empty__ends__with_an_empty_page),
        cmocka_unit_test(cursors__add_up__when_they_come_back_whole),
        cmocka_unit_test(graphql__adds_up__when_the_end_cursor_comes_back),
        cmocka_unit_test(issues__are_the_same__by_link_and_by_graphql),
        cmocka_unit_test(graphql__tells_its_errors__with_200),
        cmocka_unit_test(traps__lie__as_they_are_named),
        cmocka_unit_test(traps__give_the_same_page__forever),
        cmocka_unit_test(private_posts__are_shown__to_whom_they_are_for),
        cmocka_unit_test(oauth__gives_a_token__that_opens),
        cmocka_unit_test(oauth__says_what_is_wrong__as_rfc_6749_does),
        cmocka_unit_test(token__is_good__as_often_as_the_option_says),
        cmocka_unit_test(tokens__end__when_their_time_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
