#include "plan/extract_links.h"

#include "base/json_scan.h"
#include "base/url.h"
#include "plan/sort_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOST "https://api.example.org"
#define TEXT(literal) ((char[]){ literal })

/* shops, and of each shop's products the reviews, of each review its comments. */
struct world {
    struct job job;
    struct job_endpoint endpoints[4];
    struct job_source sources[4];
    struct extract_links *links;
    struct discoveries out;
};

static void begin(struct world *w, size_t endpoints)
{
    static char names[4][12] = { "shops", "products", "reviews", "comments" };
    static char records[] = "/items";

    *w = (struct world){ .job = { .endpoints = w->endpoints, .endpoint_count = endpoints } };
    for (size_t i = 0; i < endpoints; i++) {
        w->endpoints[i].name = names[i];
        w->endpoints[i].records = records;
        w->endpoints[i].sources = &w->sources[i];
        w->endpoints[i].source_count = 1;
        w->endpoints[i].has_parent = i > 0;
        w->endpoints[i].parent = i > 0 ? (uint32_t)i - 1 : 0;
        w->sources[i].kind = JOB_SOURCE_TEMPLATE;
    }
}

static void prepare(struct world *w)
{
    struct err err = { .text = "" };

    if (extract_links_new(&w->links, &w->job, &err) != RESULT_OK) {
        fail_msg("%s", err.text);
    }
}

static void end(struct world *w)
{
    discoveries_release(&w->out);
    extract_links_free(w->links);
}

/* What `body`, the answer to a request of that endpoint and with those vars, leads to. */
static void reap_by(struct world *w, uint32_t endpoint, const char *vars, const char *body)
{
    struct request_texts texts = { .key = STR("k"),
                                   .url = STR(HOST "/seed"),
                                   .vars = str_view(vars) };
    struct request *request = request_make(7, endpoint, &texts);
    char *copy = str_dup(str_view(body)); /* of its very size, for the sanitizers */
    struct str text = { copy, strlen(body) };

    assert_non_null(request);
    assert_true(json_check(text, JSON_DEPTH_MAX, NULL));
    discoveries_release(&w->out);
    assert_int_equal(extract_links_read(w->links, request, text, &w->out), RESULT_OK);
    request_free(request);
    free(copy);
}

static void reap(struct world *w, const char *body)
{
    reap_by(w, 0, NULL, body);
}

static const struct discovered *found_at(const struct world *w, size_t n)
{
    const struct discovered *found = w->out.first;

    while (found && n--) {
        found = found->next;
    }
    assert_non_null(found);
    return found;
}

static void check_urls(const struct world *w, const char *const *urls)
{
    size_t n = 0;

    for (; urls[n]; n++) {
        assert_string_equal(found_at(w, n)->texts.url.data, urls[n]);
    }
    assert_int_equal(w->out.count, n);
}
#define CHECK_URLS(w, ...) check_urls((w), (const char *const[]){ __VA_ARGS__, NULL })

static void check_note(const struct world *w, const char *text)
{
    if (!w->out.notes || w->out.notes->next) {
        fail_msg("not one note; wanted: %s", text);
    }
    assert_int_equal(w->out.notes->kind, PAGE_NOTE_NO_VALUE);
    assert_string_equal(w->out.notes->text, text);
}

static void details__are_asked_for__once_a_record(void **state)
{
    struct world w;
    struct sort_key before, place;
    struct request seed = { .id = 7 };

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}/products?lang={shops.locale.lang}");
    prepare(&w);
    assert_true(extract_links_wants(w.links, 0));
    assert_false(extract_links_wants(w.links, 1));
    reap(&w, "{\"items\":[{\"id\":1,\"locale\":{\"lang\":\"en\"}},"
             "{\"locale\":{\"x\":0,\"lang\":\"fr\"},\"id\":2}]}");
    CHECK_URLS(&w, HOST "/shops/1/products?lang=en", HOST "/shops/2/products?lang=fr");
    assert_string_equal(found_at(&w, 1)->texts.key.data, "2,fr");
    assert_string_equal(found_at(&w, 1)->texts.vars.data,
                        "{\"shops.id\":2,\"shops.locale.lang\":\"fr\"}");
    assert_int_equal(found_at(&w, 1)->endpoint, 1);
    assert_null(found_at(&w, 1)->texts.body.data);
    assert_int_equal(found_at(&w, 1)->page.ordinal, 0);
    assert_true(sort_key_of_record(&seed, 0, &before));
    assert_true(sort_key_of_record(&seed, 1, &place));
    assert_int_equal(sort_key_compare(found_at(&w, 0)->texts.sort_key, sort_key_view(&before)), 0);
    assert_int_equal(sort_key_compare(found_at(&w, 1)->texts.sort_key, sort_key_view(&place)), 0);
    assert_null(w.out.notes);
    end(&w);
}

static void ids__keep_every_byte(void **state)
{
    static const char *const ids[][2] = {
        { "9007199254740993", "9007199254740993" },
        { "18446744073709551617", "18446744073709551617" },
        { "1.10", "1.10" },
        { "-3", "-3" },
        { "true", "true" },
        { "\"a/b c\"", "a%2Fb%20c" },
        { "\"a?b&c=d#e%\"", "a%3Fb%26c%3Dd%23e%25" },
        { "\"\\u00e9\\/\"", "%C3%A9%2F" },
        { "\"x\\r\\ny\"", "x%0D%0Ay" },
    };
    struct world w;
    char body[100], url[100];

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    prepare(&w);
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        snprintf(body, sizeof body, "{\"items\":[{\"id\":%s}]}", ids[i][0]);
        snprintf(url, sizeof url, HOST "/shops/%s", ids[i][1]);
        reap(&w, body);
        CHECK_URLS(&w, url);
        snprintf(body, sizeof body, "{\"shops.id\":%s}", ids[i][0]);
        assert_string_equal(found_at(&w, 0)->texts.vars.data, body);
    }
    end(&w);
}

static void records__without_the_value__are_told(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    prepare(&w);
    reap(&w,
         "{\"items\":[{\"id\":1},{\"id\":null},{},5,null,{\"id\":[2]},{\"id\":{}},{\"id\":3}]}");
    CHECK_URLS(&w, HOST "/shops/1", HOST "/shops/3");
    check_note(&w, "6 of 8 not asked for, products: record 2: {shops.id} has no value here");
    reap(&w, "{\"items\":[{\"id\":\"..\"}]}");
    assert_int_equal(w.out.count, 0);
    assert_non_null(w.out.notes);
    reap(&w, "{}");
    assert_int_equal(w.out.count, 0);
    assert_null(w.out.notes);
    end(&w);
}

static void levels__hand_on_what_those_below_need(void **state)
{
    struct world w;
    char *with[] = { TEXT("shops.name"), TEXT("city") };

    (void)state;
    begin(&w, 4);
    w.sources[0].text = TEXT(HOST "/{city}/shops");
    w.sources[1].text = TEXT(HOST "/{city}/shops/{shops.id}/products");
    w.sources[2].text = TEXT(HOST "/products/{products.id}/reviews");
    w.sources[3].text = TEXT(HOST "/shops/{shops.id}/{products.sku}/{reviews.id}");
    w.endpoints[3].with = with;
    w.endpoints[3].with_count = 2;
    prepare(&w);
    reap_by(&w, 0, "{\"city\":\"Québec\"}", "{\"items\":[{\"name\":\"A \\\"B\\\"\",\"id\":5}]}");
    CHECK_URLS(&w, HOST "/Qu%C3%A9bec/shops/5/products");
    assert_string_equal(found_at(&w, 0)->texts.key.data, "Québec,5");
    reap_by(&w, 1, found_at(&w, 0)->texts.vars.data, "{\"items\":[{\"sku\":\"s/1\",\"id\":6}]}");
    CHECK_URLS(&w, HOST "/products/6/reviews");
    reap_by(&w, 2, found_at(&w, 0)->texts.vars.data, "{\"items\":[{\"id\":7},{\"id\":8}]}");
    CHECK_URLS(&w, HOST "/shops/5/s%2F1/7", HOST "/shops/5/s%2F1/8");
    assert_string_equal(found_at(&w, 0)->texts.vars.data,
                        "{\"shops.id\":5,\"products.sku\":\"s/1\",\"reviews.id\":7,"
                        "\"shops.name\":\"A \\\"B\\\"\",\"city\":\"Québec\"}");
    end(&w);
}

static void headers__have_their_values(void **state)
{
    struct world w;
    struct job_header header = { .name = TEXT("X-Shop"), .sent = TEXT("X-Shop: {shops.name}") };

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    w.endpoints[1].headers = &header;
    w.endpoints[1].header_count = 1;
    prepare(&w);
    reap(&w, "{\"items\":[{\"id\":1,\"name\":\"A\"}]}");
    assert_string_equal(found_at(&w, 0)->texts.vars.data, "{\"shops.id\":1,\"shops.name\":\"A\"}");
    end(&w);
}

static void with__may_be_missing(void **state)
{
    struct world w;
    char *with[] = { TEXT("shops.name"), TEXT("shops.tags") };

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    w.endpoints[1].with = with;
    w.endpoints[1].with_count = 2;
    prepare(&w);
    reap(&w, "{\"items\":[{\"id\":1,\"tags\":[1, 2]},{\"id\":2,\"name\":null}]}");
    CHECK_URLS(&w, HOST "/shops/1", HOST "/shops/2");
    assert_string_equal(found_at(&w, 0)->texts.vars.data, "{\"shops.id\":1,\"shops.tags\":[1, 2]}");
    assert_string_equal(found_at(&w, 1)->texts.vars.data, "{\"shops.id\":2,\"shops.name\":null}");
    assert_null(w.out.notes);
    end(&w);
}

static void records__by_name__have_their_name(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 2);
    w.endpoints[0].records = TEXT("/*");
    w.sources[0].text = TEXT(HOST "/allData.json");
    w.sources[1].text = TEXT(HOST "/train/{shops._key}/{shops.from}");
    prepare(&w);
    reap(&w, "{\"72 \\u0028a)\":{\"from\":\"TRTO\"},\"1\":{\"from\":\"MTRL\"}}");
    CHECK_URLS(&w, HOST "/train/72%20%28a%29/TRTO", HOST "/train/1/MTRL");
    end(&w);
}

static void details__may_be_bodies_and_pages(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/graphql");
    w.endpoints[1].body = TEXT("{\"query\":\"{ x }\",\"variables\":{\"id\":\"{shops.id}\"}}");
    w.endpoints[1].pages = (struct job_pages){ .kind = JOB_PAGES_NUMBER,
                                               .param = TEXT("/variables/page"),
                                               .total = TEXT("/total") };
    prepare(&w);
    reap(&w, "{\"items\":[{\"id\":12345678901234567890},{\"id\":\"b\"}]}");
    CHECK_URLS(&w, HOST "/graphql", HOST "/graphql");
    assert_string_equal(
        found_at(&w, 0)->texts.body.data,
        "{\"query\":\"{ x }\",\"variables\":{\"id\":12345678901234567890,\"page\":1}}");
    assert_string_equal(found_at(&w, 1)->texts.body.data,
                        "{\"query\":\"{ x }\",\"variables\":{\"id\":\"b\",\"page\":1}}");
    assert_string_equal(found_at(&w, 1)->texts.key.data, "b,page=1");
    end(&w);
}

static void values__do_not_lead_to_another_host(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT("{shops.url}");
    prepare(&w);
    reap(&w, "{\"items\":[{\"url\":\"" HOST "/a?b=c&d\"},{\"url\":\"https://evil.test/\"},"
             "{\"url\":\"http://api.example.org/\"},{\"url\":\"file:///etc/passwd\"},"
             "{\"url\":\"/relative\"}]}");
    CHECK_URLS(&w, HOST "/a?b=c&d");
    check_note(&w, "4 of 5 not asked for, products: record 2: its URL is on another host: "
                   "https://evil.test");
    end(&w);

    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT("https://details.example.org{+shops.path}");
    prepare(&w);
    reap(&w, "{\"items\":[{\"path\":\".evil.test/\"},{\"path\":\"@evil.test/\"}]}");
    assert_int_equal(w.out.count, 0);
    end(&w);
}

static void values__too_long__are_told(void **state)
{
    struct world w;
    size_t size = 100000;
    char *body = malloc(size);
    size_t len = (size_t)snprintf(body, size, "{\"items\":[{\"id\":\"");

    (void)state;
    memset(body + len, 'x', 70000);
    snprintf(body + len + 70000, size - len - 70000, "\"},{\"id\":1}]}");
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    prepare(&w);
    reap(&w, body);
    CHECK_URLS(&w, HOST "/shops/1");
    assert_non_null(w.out.notes);
    free(body);
    end(&w);
}

static void levels__too_many__are_told(void **state)
{
    struct world w;
    struct request *request;
    char place[SORT_KEY_MAX] = { 0 };
    struct request_texts texts = { .key = STR("k"),
                                   .url = STR(HOST "/seed"),
                                   .sort_key = { place, SORT_KEY_MAX - 4 } };

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/shops/{shops.id}");
    prepare(&w);
    request = request_make(7, 0, &texts);
    assert_int_equal(extract_links_read(w.links, request, STR("{\"items\":[{\"id\":1}]}"), &w.out),
                     RESULT_OK);
    assert_int_equal(w.out.count, 0);
    check_note(&w, "1 of 1 not asked for, products: record 1: too many levels of details");
    request_free(request);
    end(&w);
}

static void children__of_one_parent__are_all_asked(void **state)
{
    struct world w;

    (void)state;
    begin(&w, 3);
    w.endpoints[2].parent = 0;
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "/p/{shops.id}");
    w.sources[2].text = TEXT(HOST "/r/{shops.no}");
    prepare(&w);
    reap(&w, "{\"items\":[{\"id\":1},{\"id\":2,\"no\":3}]}");
    CHECK_URLS(&w, HOST "/p/1", HOST "/p/2", HOST "/r/3");
    check_note(&w, "1 of 4 not asked for, reviews: record 1: {shops.no} has no value here");
    assert_string_equal(found_at(&w, 0)->texts.vars.data, "{\"shops.id\":1}");
    end(&w);
}

static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Whatever comes, no request leaves the host, and its vars are JSON. */
static void any_body__is_survived(void **state)
{
    static const char seed[] =
        "{\"items\":[{\"id\":1,\"path\":\"/a/b\"},{\"id\":\"x/y\",\"path\":"
        "\"/\\u00e9\"},{\"id\":null}],\"items\":[{\"id\":5,\"path\":\"/\"}]}";
    static const char *const pieces[] = { "null", "0",  "[",         "]",       "{\"id\":",
                                          "}",    "\"", "\\u0000",   ",",       ":",
                                          "@",    "//", "\"path\":", "\xC3\xA9" };
    struct world w;
    uint64_t random = 88172645463325252U;
    char text[1024];
    unsigned valid = 0;

    (void)state;
    begin(&w, 2);
    w.sources[0].text = TEXT(HOST "/shops");
    w.sources[1].text = TEXT(HOST "{+shops.path}?id={shops.id}");
    prepare(&w);
    for (unsigned round = 0; round < 20000; round++) {
        size_t len = sizeof seed - 1;

        memcpy(text, seed, len);
        for (unsigned i = 0; i < 1 + draw(&random) % 3; i++) {
            const char *piece = pieces[draw(&random) % (sizeof pieces / sizeof pieces[0])];
            size_t at = draw(&random) % len, with = strlen(piece), over = draw(&random) % 3;

            over = over > len - at ? len - at : over;
            memmove(text + at + with, text + at + over, len - at - over);
            memcpy(text + at, piece, with);
            len += with - over;
        }
        text[len] = '\0';
        if (!json_check((struct str){ text, len }, JSON_DEPTH_MAX, NULL)) {
            continue;
        }
        valid++;
        reap(&w, text);
        for (const struct discovered *at = w.out.first; at; at = at->next) {
            struct url made;

            assert_int_equal(url_split(at->texts.url, &made, NULL), RESULT_OK);
            assert_true(str_equal(made.host, STR("api.example.org")) && made.port == 443);
            assert_true(json_check(at->texts.vars, JSON_DEPTH_MAX, NULL));
        }
    }
    assert_true(valid > 1000);
    end(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(details__are_asked_for__once_a_record),
        cmocka_unit_test(ids__keep_every_byte),
        cmocka_unit_test(records__without_the_value__are_told),
        cmocka_unit_test(levels__hand_on_what_those_below_need),
        cmocka_unit_test(headers__have_their_values),
        cmocka_unit_test(with__may_be_missing),
        cmocka_unit_test(records__by_name__have_their_name),
        cmocka_unit_test(details__may_be_bodies_and_pages),
        cmocka_unit_test(values__do_not_lead_to_another_host),
        cmocka_unit_test(values__too_long__are_told),
        cmocka_unit_test(levels__too_many__are_told),
        cmocka_unit_test(children__of_one_parent__are_all_asked),
        cmocka_unit_test(any_body__is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
