/* What `auto` makes of the replies of APIs as they are met. */
#include "plan/pages/page_guess.h"

#include "pages_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

/* A first reply, and the URLs that it must name (up to a NULL). */
struct sample {
    const char *what, *url, *header, *header_value, *body;
    const char *urls[4];
};

static const struct sample samples[] = {
    { "jsonplaceholder",
      LIST "?_start=0&_limit=2",
      "x-total-count",
      "5",
      "[{},{}]",
      { LIST "?_start=2&_limit=2", LIST "?_start=4&_limit=2" } },
    { "json-server",
      LIST "?_page=1&_limit=2",
      "link",
      "<" LIST "?_page=1&_limit=2>; rel=\"first\", <" LIST "?_page=2&_limit=2>; rel=\"next\", "
      "<" LIST "?_page=3&_limit=2>; rel=\"last\"",
      "[{},{}]",
      { LIST "?_page=2&_limit=2", LIST "?_page=3&_limit=2" } },
    { "GitHub, a cursor",
      LIST "?per_page=2",
      "link",
      "<" LIST "?after=Y3Vy%3D&per_page=2>; rel=\"next\"",
      "[{},{}]",
      { LIST "?after=Y3Vy%3D&per_page=2" } },
    { "Django REST",
      LIST,
      NULL,
      NULL,
      "{\"count\":9,\"next\":\"" LIST "?page=2\",\"previous\":null,\"results\":[{},{}]}",
      { LIST "?page=2" } },
    { "PokeAPI",
      LIST "?limit=2",
      NULL,
      NULL,
      "{\"count\":9,\"next\":\"" LIST "?offset=2&limit=2\",\"previous\":null,\"results\":[{},{}]}",
      { LIST "?offset=2&limit=2" } },
    { "Laravel",
      LIST,
      NULL,
      NULL,
      "{\"data\":[{},{}],\"links\":{\"first\":\"" LIST "?page=1\",\"next\":\"" LIST
      "?page=2\"},\"meta\":{\"current_page\":1,\"from\":1,\"last_page\":2,\"per_page\":2,\"total\":"
      "3}}",
      { LIST "?page=2" } },
    { "Laravel without links",
      LIST,
      NULL,
      NULL,
      "{\"data\":[{},{}],\"current_page\":1,\"from\":1,\"last_page\":3,\"per_page\":2,\"total\":5}",
      { LIST "?page=2", LIST "?page=3" } },
    { "HAL",
      LIST,
      NULL,
      NULL,
      "{\"_embedded\":{\"items\":[{}]},\"_links\":{\"self\":{\"href\":\"/list\"},"
      "\"next\":{\"href\":\"/list?page=1\"}}}",
      { LIST "?page=1" } },
    { "JSON:API",
      LIST,
      NULL,
      NULL,
      "{\"data\":[{}],\"links\":{\"next\":\"https:\\/\\/api.example.org\\/"
      "list?page%5Bnumber%5D=2\"}}",
      { LIST "?page%5Bnumber%5D=2" } },
    { "OData",
      LIST,
      NULL,
      NULL,
      "{\"value\":[{}],\"@odata.nextLink\":\"list?$skiptoken=7\"}",
      { LIST "?$skiptoken=7" } },
    { "Google",
      LIST "?maxResults=2",
      NULL,
      NULL,
      "{\"items\":[{},{}],\"nextPageToken\":\"CAUQ/+=\"}",
      { LIST "?maxResults=2&pageToken=CAUQ%2F%2B%3D" } },
    { "Google, snake",
      LIST,
      NULL,
      NULL,
      "{\"items\":[{}],\"next_page_token\":\"x\"}",
      { LIST "?page_token=x" } },
    { "Slack",
      LIST,
      NULL,
      NULL,
      "{\"ok\":true,\"members\":[{}],\"response_metadata\":{\"next_cursor\":\"dXNlcjpV=\"}}",
      { LIST "?cursor=dXNlcjpV%3D" } },
    { "Facebook",
      LIST,
      NULL,
      NULL,
      "{\"data\":[{}],\"paging\":{\"cursors\":{\"before\":\"A\",\"after\":\"B\"}}}",
      { LIST "?after=B" } },
    { "AWS", LIST, NULL, NULL, "{\"Things\":[{}],\"NextToken\":\"t\"}", { LIST "?NextToken=t" } },
    { "events of the demo",
      LIST "?limit=1",
      NULL,
      NULL,
      "{\"events\":[{\"id\":9223372036854775807}],\"next\":\"c/1+0a==\",\"has_more\":true}",
      { LIST "?limit=1&after=c%2F1%2B0a%3D%3D" } },
    { "a cursor by number",
      LIST "?cursor=0",
      NULL,
      NULL,
      "{\"next\":18446744073709551617,\"rows\":[1]}",
      { LIST "?cursor=18446744073709551617" } },
    { "catalog of the demo",
      LIST "?page=1&per_page=2",
      NULL,
      NULL,
      "{\"products\":[{\"id\":1},{\"id\":2}],\"pagination\":{\"page\":1,\"per_page\":2,\"total\":6,"
      "\"total_pages\":3}}",
      { LIST "?page=2&per_page=2", LIST "?page=3&per_page=2" } },
    { "Spring",
      LIST,
      NULL,
      NULL,
      "{\"content\":[{},{}],\"totalPages\":3,\"totalElements\":5,\"last\":false,\"size\":2,"
      "\"number\":0}",
      { LIST "?page=1", LIST "?page=2" } },
    { "dummyjson",
      LIST,
      NULL,
      NULL,
      "{\"products\":[{},{}],\"total\":5,\"skip\":0,\"limit\":2}",
      { LIST "?skip=2", LIST "?skip=4" } },
    { "Jira",
      LIST,
      NULL,
      NULL,
      "{\"startAt\":0,\"maxResults\":2,\"total\":3,\"issues\":[{},{}]}",
      { LIST "?startAt=2" } },
    { "Algolia",
      LIST "?page=0",
      NULL,
      NULL,
      "{\"hits\":[{}],\"nbHits\":2,\"page\":0,\"nbPages\":2,\"hitsPerPage\":1}",
      { LIST "?page=1" } },
    { "next page by number",
      LIST,
      NULL,
      NULL,
      "{\"items\":[{}],\"meta\":{\"next_page\":2}}",
      { LIST "?page=2" } },
    { "has_more and a page",
      LIST "?p=1",
      NULL,
      NULL,
      "{\"items\":[{}],\"has_more\":true}",
      { LIST "?p=2" } },
    { "asked by page, nothing told", LIST "?page=1", NULL, NULL, "[{},{}]", { LIST "?page=2" } },
    { "ArcGIS",
      LIST "?f=json",
      NULL,
      NULL,
      "{\"features\":[{},{}],\"exceededTransferLimit\":true}",
      { LIST "?f=json&resultOffset=2" } },
    { "ArcGIS, asked by offset",
      LIST "?resultOffset=4&resultRecordCount=2",
      NULL,
      NULL,
      "{\"features\":[{},{}],\"exceededTransferLimit\":true}",
      { LIST "?resultOffset=6&resultRecordCount=2" } },
    { "HubSpot",
      LIST "?limit=2",
      NULL,
      NULL,
      "{\"results\":[{},{}],\"paging\":{\"next\":{\"after\":\"NTI1\"}}}",
      { LIST "?limit=2&after=NTI1" } },
    { "HubSpot, with a link",
      LIST "?limit=2",
      NULL,
      NULL,
      "{\"results\":[{},{}],\"paging\":{\"next\":{\"after\":\"NTI1\",\"link\":\"" LIST
      "?after=NTI1\"}}}",
      { LIST "?after=NTI1" } },
    { "OGC API Features",
      LIST "?limit=2",
      NULL,
      NULL,
      "{\"type\":\"FeatureCollection\",\"numberMatched\":3,\"numberReturned\":2,\"features\":[{},{}"
      "],"
      "\"links\":[{\"rel\":\"self\",\"href\":\"/list\"},{\"rel\":\"next\",\"href\":\"/"
      "list?offset=2\"}]}",
      { LIST "?offset=2" } },
    { "FHIR",
      LIST,
      NULL,
      NULL,
      "{\"resourceType\":\"Bundle\",\"total\":9,\"link\":[{\"relation\":\"self\",\"url\":\"" LIST
      "\"},{\"relation\":\"next\",\"url\":\"" LIST "?_getpages=x\"}],\"entry\":[{}]}",
      { LIST "?_getpages=x" } },
    { "Reddit",
      LIST,
      NULL,
      NULL,
      "{\"kind\":\"Listing\",\"data\":{\"after\":\"t3_x\",\"before\":null,\"children\":[{}]}}",
      { LIST "?after=t3_x" } },
    { "MediaWiki",
      LIST "?action=query&list=allpages",
      NULL,
      NULL,
      "{\"batchcomplete\":\"\",\"continue\":{\"apcontinue\":\"B c\",\"continue\":\"-||\"},"
      "\"query\":{\"allpages\":[{}]}}",
      { LIST "?action=query&list=allpages&apcontinue=B%20c&continue=-%7C%7C" } },
    { "offset and limit told, a full page",
      LIST,
      NULL,
      NULL,
      "{\"offset\":0,\"limit\":2,\"items\":[{},{}]}",
      { LIST "?offset=2" } },
    { "page and size told, a full page",
      LIST,
      NULL,
      NULL,
      "{\"page\":1,\"per_page\":2,\"items\":[{},{}]}",
      { LIST "?page=2" } },
    { "offset and limit told, a page that is not full",
      LIST,
      NULL,
      NULL,
      "{\"offset\":0,\"limit\":2,\"total\":1,\"items\":[{}]}",
      { NULL } },
    { "Airtable",
      LIST,
      NULL,
      NULL,
      "{\"records\":[{}],\"offset\":\"itr1/rec2\"}",
      { LIST "?offset=itr1%2Frec2" } },
    { "Salesforce",
      LIST,
      NULL,
      NULL,
      "{\"totalSize\":3,\"done\":false,\"nextRecordsUrl\":\"/list/01g-2000\",\"records\":[{}]}",
      { LIST "/01g-2000" } },
    { "Solr",
      LIST "?cursorMark=*",
      NULL,
      NULL,
      "{\"response\":{\"numFound\":3,\"start\":0,\"docs\":[{}]},\"nextCursorMark\":\"AoE=\"}",
      { LIST "?cursorMark=AoE%3D" } },
    { "Zendesk",
      LIST,
      NULL,
      NULL,
      "{\"tickets\":[{}],\"end_of_stream\":false,\"after_cursor\":\"MTU=\"}",
      { LIST "?cursor=MTU%3D" } },
    { "Pipedrive",
      LIST "?start=0",
      NULL,
      NULL,
      "{\"data\":[{},{}],\"additional_data\":{\"pagination\":{\"start\":0,\"limit\":2,"
      "\"more_items_in_collection\":true,\"next_start\":2}}}",
      { LIST "?start=2" } },
    { "WordPress", LIST "?page=1", "x-wp-total", "3", "[{},{}]", { LIST "?page=2" } },
    { "is there a next page: yes",
      LIST "?page=1",
      NULL,
      NULL,
      "{\"items\":[{}],\"next_page\":true}",
      { LIST "?page=2" } },
    { "is it the last page: no",
      LIST "?page=1",
      NULL,
      NULL,
      "{\"items\":[{}],\"isLast\":false}",
      { LIST "?page=2" } },
    { "links without a next one",
      LIST,
      NULL,
      NULL,
      "{\"items\":[{}],\"links\":[{\"rel\":\"self\",\"href\":\"/list\"}]}",
      { NULL } },
    { "all of it", LIST, NULL, NULL, "{\"count\":2,\"next\":null,\"results\":[{},{}]}", { NULL } },
    { "all of it, by page",
      LIST,
      NULL,
      NULL,
      "{\"items\":[{}],\"page\":1,\"total_pages\":1}",
      { NULL } },
    { "an end by an empty text",
      LIST,
      NULL,
      NULL,
      "{\"items\":[{}],\"response_metadata\":{\"next_cursor\":\"\"}}",
      { NULL } },
};

static void check_sample(const struct sample *s)
{
    struct fixture f = { 0 };

    fixture_begin(&f, automatic, s->url);
    f.endpoint.records = NULL;
    f.headers[0] = s->header;
    f.headers[1] = s->header_value;
    fixture_read(&f, s->body);
    for (size_t i = 0; i < f.out.count || s->urls[i]; i++) {
        if (!s->urls[i] || strcmp(fixture_url(&f, i), s->urls[i]) != 0) {
            fail_msg("%s: page %zu is \"%s\", not \"%s\"; %s", s->what, i + 2, fixture_url(&f, i),
                     s->urls[i] ? s->urls[i] : "", f.out.notes ? f.out.notes->text : "");
        }
    }
    if (f.out.notes) {
        fail_msg("%s: %s", s->what, f.out.notes->text);
    }
    fixture_end(&f);
}

static void auto__finds_out__how_common_apis_page(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
        check_sample(&samples[i]);
    }
}

static void auto__carries_its_decision(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, automatic, LIST); /* Link, whose last page has none but a total */
    f->headers[0] = "link";
    f->headers[1] = "<" LIST "?c=2>; rel=next";
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_FOUND(f, LIST "?c=2");
    assert_int_equal(fixture_found(f, 0)->page.kind, JOB_PAGES_LINK);
    fixture_follow(f, 0);
    f->headers[0] = "x-total-count";
    f->headers[1] = "90";
    fixture_read(f, fixture_items(2, 2, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);

    fixture_begin(f, automatic, LIST); /* a cursor, missing on the last page */
    fixture_read(f, fixture_items(0, 2, "\"nextPageToken\":\"a\",\"total\":99"));
    CHECK_FOUND(f, LIST "?pageToken=a");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"nextPageToken\":\"/b\",\"total\":99"));
    CHECK_FOUND(f, LIST "?pageToken=%2Fb"); /* a cursor still, though it looks like a path */
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(4, 2, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);

    fixture_begin(f, automatic, LIST); /* numbers, to the last */
    fixture_read(f, fixture_items(0, 2, "\"page\":1,\"total\":5"));
    CHECK_FOUND(f, LIST "?page=2", LIST "?page=3");
    fixture_follow(f, 1);
    fixture_read(f, fixture_items(4, 1, "\"page\":3,\"total\":5"));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);

    fixture_begin(f, automatic, LIST "?page=1"); /* numbers, until a page is empty */
    fixture_read(f, fixture_items(0, 2, ""));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, ""));
    CHECK_FOUND(f, LIST "?page=3");
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(4, 0, ""));
    CHECK_FOUND(f, LIST "?page=4"); /* after full pages an empty one may be a mistake */
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(4, 0, ""));
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);
    assert_int_equal(f->out.page.end, PAGE_END_EMPTY);
}

static void auto__reads_graphql(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, automatic, LIST);
    f->endpoint.records = NULL;
    fixture_set_body(f, "{\"query\":\"query($after: String) { x }\",\"variables\":{}}");
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[{}],\"pageInfo\":{\"endCursor\":\"Y==\","
                    "\"hasNextPage\":true},\"totalCount\":9}}}");
    CHECK_FOUND(f, LIST);
    assert_string_equal(
        fixture_found(f, 0)->texts.body.data,
        "{\"query\":\"query($after: String) { x }\",\"variables\":{\"after\":\"Y==\"}}");
    fixture_follow(f, 0);
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[{}],\"pageInfo\":{\"endCursor\":\"Z==\","
                    "\"hasNextPage\":false},\"totalCount\":9}}}");
    CHECK_NOTHING(f);
    CHECK_NO_NOTE(f);

    fixture_begin(f, automatic, LIST);
    f->endpoint.records = NULL;
    fixture_set_body(f, "{\"query\":\"q\",\"variables\":{\"cursor\":null,\"n\":1}}");
    fixture_read(f, "{\"data\":{\"items\":{\"nodes\":[{}],\"pageInfo\":{\"endCursor\":\"Y==\","
                    "\"hasNextPage\":true}}}}");
    assert_string_equal(fixture_found(f, 0)->texts.body.data,
                        "{\"query\":\"q\",\"variables\":{\"cursor\":\"Y==\",\"n\":1}}");
}

static void auto__pages_through_posts(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, automatic, LIST);
    fixture_set_body(f, "{\"page\":1,\"limit\":2}");
    fixture_read(f, fixture_items(0, 2, "\"total\":3"));
    CHECK_FOUND(f, LIST);
    assert_string_equal(fixture_found(f, 0)->texts.body.data, "{\"page\":2,\"limit\":2}");
}

static void auto__tells__when_it_is_lost(void **state)
{
    static const char *const lost[] = { "\"total\":100",
                                        "\"has_more\":true",
                                        "\"next\":null,\"hasNextPage\":true",
                                        "\"total\":100,\"limit\":20",
                                        "\"numberMatched\":9,\"numberReturned\":2",
                                        "\"isLast\":false",
                                        "\"IsTruncated\":true",
                                        "\"LastEvaluatedKey\":{\"id\":\"x\"}" };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof lost / sizeof lost[0]; i++) {
        fixture_begin(f, automatic, LIST);
        fixture_read(f, fixture_items(0, 2, lost[i]));
        CHECK_NOTHING(f);
        if (!fixture_note(f, PAGE_NOTE_BAD_NEXT)) {
            fail_msg("%s", lost[i]);
        }
        assert_non_null(strstr(fixture_note(f, PAGE_NOTE_BAD_NEXT), "give \"pages\""));
    }
    fixture_begin(f, automatic, LIST);
    fixture_read(f, fixture_items(0, 2, ""));
    CHECK_NOTHING(f);
    assert_non_null(fixture_note(f, PAGE_NOTE_NO_MATCH));
}

static void auto__tells__when_a_cursor_is_missing_midway(void **state)
{
    struct fixture *f = *state;

    fixture_begin(f, automatic, LIST);
    fixture_read(f, fixture_items(0, 2, "\"next_cursor\":\"a\",\"has_more\":true"));
    fixture_follow(f, 0);
    fixture_read(f, fixture_items(2, 2, "\"has_more\":true"));
    CHECK_NOTHING(f);
    assert_non_null(fixture_note(f, PAGE_NOTE_BAD_NEXT));
}

static void auto__is_not_led_astray__by_records_and_large_objects(void **state)
{
    static char body[65536];
    struct fixture *f = *state;
    size_t len = 1;

    fixture_begin(f, automatic, LIST);
    fixture_read(f, "{\"items\":[{\"next\":\"/a\",\"total\":9,\"has_more\":true}]}");
    CHECK_NOTHING(f);
    assert_null(fixture_note(f, PAGE_NOTE_BAD_NEXT));
    body[0] = '{';
    for (unsigned i = 0; i < 100; i++) {
        len += (size_t)snprintf(body + len, sizeof body - len, "%s\"%u\":{\"next\":\"/a\"}",
                                i ? "," : "", i);
    }
    snprintf(body + len, sizeof body - len, "}");
    f->endpoint.records = NULL;
    fixture_read(f, body);
    CHECK_NOTHING(f);
}

static void records__are_found(void **state)
{
    static const char *const found[][2] = {
        { "{\"a\":[1],\"b\":[1,2]}", "/b" },
        { "{\"data\":[],\"facets\":[1,2]}", "/data" },
        { "{\"a\":{\"b/c\":{\"~\":[1]}}}", "/a/b~1c/~0" },
        { "{\"data\":{\"x\":{\"nodes\":[]}}}", "/data/x/nodes" },
    };
    char pointer[PAGES_GUESS_POINTER_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof found / sizeof found[0]; i++) {
        assert_true(pages_guess_records(str_view(found[i][0]), pointer));
        assert_string_equal(pointer, found[i][1]);
    }
    assert_false(pages_guess_records(STR("[1]"), pointer));
    assert_false(pages_guess_records(STR("{\"a\":1}"), pointer));
}

static void names__too_long__are_passed_over(void **state)
{
    static char url[4000], body[8000];
    struct fixture *f = *state;
    char name[1000];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    snprintf(url, sizeof url, LIST "?%s=1&page%s=2&%%70age=3", name, name);
    snprintf(body, sizeof body, "{\"%s\":{\"%s\":{\"next\":\"/a\"}},\"next%s\":1,\"items\":[1]}",
             name, name, name);
    fixture_begin(f, automatic, url);
    fixture_read(f, body);
    assert_int_equal(f->out.count, 1);
    assert_non_null(strstr(fixture_url(f, 0), "&%70age=4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAGES_TEST(auto__finds_out__how_common_apis_page),
        PAGES_TEST(auto__carries_its_decision),
        PAGES_TEST(auto__reads_graphql),
        PAGES_TEST(auto__pages_through_posts),
        PAGES_TEST(auto__tells__when_it_is_lost),
        PAGES_TEST(auto__tells__when_a_cursor_is_missing_midway),
        PAGES_TEST(auto__is_not_led_astray__by_records_and_large_objects),
        PAGES_TEST(records__are_found),
        PAGES_TEST(names__too_long__are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
