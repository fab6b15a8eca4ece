/* What the embedded API answers: every endpoint, its errors, and listings that must add up. */
#include "demo_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#define ZLIB_CONST /* its input pointers become const */
#include <zlib.h>

#include <cmocka.h>

static const char *const json_targets[] = {
    "/",
    "/posts/1",
    "/posts/10000000",
    "/posts/7/comments",
    "/posts",
    "/posts?_page=7&_limit=100",
    "/posts?_start=995&_limit=10",
    "/posts?_page=5000",
    "/events",
    "/events?limit=200",
    "/msapi/auctions/items?auctionid=1",
    "/msapi/auctions/items?auctionid=103293",
    "/msapi/auctions/items?auctionid=10000000",
    "/allData.json?tick=0",
    "/allData.json?tick=777",
    "/headers",
    "/status/200",
    "/status/599",
    "/slow?ms=1",
    "/retry-after?key=k",
    "/nope",
    "/api/products",
    "/msapi/auctions/items",
};

#define JSON_TARGETS (sizeof json_targets / sizeof *json_targets)

static void bodies__are_the_same__from_two_servers_of_one_seed(void **state)
{
    struct demo *one = start_calm(7), *two = start_calm(7), *other = start_calm(8);
    unsigned differ = 0;

    (void)state;
    for (size_t i = 0; i < JSON_TARGETS; i++) {
        struct answer a = get(one, json_targets[i]), b = get(two, json_targets[i]);
        struct answer c = get(other, json_targets[i]);

        assert_int_equal(a.status, b.status);
        assert_true(a.body.len > 0);
        assert_int_equal(a.body.len, b.body.len);
        assert_memory_equal(a.body.data, b.body.data, a.body.len);
        differ += !str_equal(a.body, c.body);
        drop(&a);
        drop(&b);
        drop(&c);
    }
    assert_true(differ >= 8); /* the seed matters */
    demo_stop(one);
    demo_stop(two);
    demo_stop(other);
}

/* Feeds all bodies, one a line, to a program that was written by others. */
static void pipe_bodies_to(const char *command)
{
    struct demo *demo = start_calm(11);
    FILE *out = popen(command, "w");
    int status;

    assert_non_null(out);
    for (size_t i = 0; i < JSON_TARGETS + 200; i++) {
        char target[64];
        struct answer a;

        snprintf(target, sizeof target, "/msapi/auctions/items?auctionid=%zu", 5000 + i);
        a = get(demo, i < JSON_TARGETS ? json_targets[i] : target);
        assert_null(memchr(a.body.data, '\n', a.body.len));
        fwrite(a.body.data, 1, a.body.len, out);
        fputc('\n', out);
        drop(&a);
    }
    demo_stop(demo);
    status = pclose(out);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
        skip(); /* the program is not installed */
    }
    assert_int_equal(status, 0);
}

static void bodies__are_json__for_python(void **state)
{
    (void)state;
    pipe_bodies_to("python3 -c 'import json,sys\n"
                   "n = [json.loads(l.decode(\"utf-8\")) for l in sys.stdin.buffer]\n"
                   "assert len(n) == 223, len(n)'");
}

static void bodies__are_json__for_jq(void **state)
{
    (void)state;
    pipe_bodies_to("jq -e . >/dev/null");
}

static void unknown_things__are_404__with_a_json_body(void **state)
{
    static const char *const missing[] = {
        "/nope",
        "/posts/0",
        "/posts/-1",
        "/posts/10000001",
        "/posts/1x",
        "/posts/",
        "/posts/1/2",
        "/posts/99999999999999999999999",
        "/posts/0/comments",
        "/status/99",
        "/redirect/0",
        "/redirect/101",
        "/msapi/auctions/items?auctionid=0",
        "//posts/1",
        "/msapi/auctions/items?auctionid=10000001",
        "/POSTS/1",
        "/msapi/auctions/items?auctionid=1e3",
        "/posts/%31",
        "/msapi/auctions/items?auctionid=",
        "/../etc/passwd",
        "/msapi/auctions/items?auctionid=%00",
    };
    struct demo *demo = start_calm(1);

    (void)state;
    for (size_t i = 0; i < sizeof missing / sizeof *missing; i++) {
        expect_status(demo, missing[i], 404);
    }
    demo_stop(demo);
}

static void bad_parameters__are_400__with_a_json_body(void **state)
{
    static const char *const bad[] = {
        "/posts?_page=0",
        "/posts?_page=x",
        "/posts?_limit=101",
        "/posts?_limit=%",
        "/posts?_limit=%zz",
        "/posts?_start=-1",
        "/events?after=nonsense",
        "/events?after=c%2F50%2B000000000000%3D%3D",
        "/events?limit=0",
        "/allData.json?tick=1.5",
        "/redirect-to",
        "/redirect-to?url=",
        "/redirect-to?url=http%3A%2F%2Fx%2F%0D%0AX-Evil:1",
        "/redirect-to?url=/posts/1&status=304",
        "/badjson?kind=good",
        "/slow?ms=600001",
        "/retry-after?form=ever",
        "/retry-after?s=86401",
    };
    struct demo *demo = start_calm(1);

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        expect_status(demo, bad[i], 400);
    }
    demo_stop(demo);
}

static void wrong_method__is_405__and_names_the_right_one(void **state)
{
    struct demo *demo = start_calm(1);
    struct answer a = ask_with(demo, "DELETE", "/posts/1", "", "");

    (void)state;
    assert_int_equal(a.status, 405);
    assert_string_equal(header_of(&a, "Allow"), "GET, HEAD");
    drop(&a);
    a = get(demo, "/api/auth/login");
    assert_int_equal(a.status, 405);
    assert_string_equal(header_of(&a, "Allow"), "POST");
    drop(&a);
    a = ask_with(demo, "HEAD", "/posts/1", "", "");
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.len, 0);
    drop(&a);
    demo_stop(demo);
}

static void absolute_target__is_understood__as_proxies_send_it(void **state)
{
    struct demo *demo = start_calm(1);

    (void)state;
    expect_status(demo, "http://demo.test/posts/1", 200);
    expect_status(demo, "http://demo.test/nope", 404);
    demo_stop(demo);
}

static void redirects__lead_hop_by_hop__to_a_post(void **state)
{
    struct demo *demo = start_calm(1);
    char target[256] = "/redirect/3";
    struct answer a = get(demo, target);
    unsigned hops = 0;

    (void)state;
    while (a.status == 302) {
        snprintf(target, sizeof target, "%s", header_of(&a, "Location"));
        drop(&a);
        a = get(demo, target);
        hops++;
    }
    assert_int_equal(hops, 3);
    assert_int_equal(a.status, 200);
    assert_string_equal(target, "/posts/1");
    drop(&a);
    a = get(demo, "/redirect-to?url=http%3A%2F%2Fother.test%2F%3Fa%3D1&status=307");
    assert_int_equal(a.status, 307);
    assert_string_equal(header_of(&a, "Location"), "http://other.test/?a=1");
    drop(&a);
    demo_stop(demo);
}

static void headers__come_back__as_they_were_sent(void **state)
{
    struct demo *demo = start_calm(1);
    struct answer a = ask_with(demo, "GET", "/headers",
                               "Authorization: Bearer s3cret\r\nX-Raw: caf\xE9\"\\\r\n", "");
    cJSON *json = json_of(&a);

    (void)state;
    assert_non_null(
        strstr(a.body.data, "{\"name\":\"Authorization\",\"value\":\"Bearer s3cret\"}"));
    assert_non_null(strstr(a.body.data, "\"caf\\ufffd\\\"\\\\\"")); /* U+FFFD for the bad byte */
    cJSON_Delete(json);
    drop(&a);
    demo_stop(demo);
}

static time_t parse_date(const char *text, const char *format)
{
    struct tm t = { 0 };
    const char *end = text ? strptime(text, format, &t) : NULL;

    if (!end || *end) {
        fail_msg("\"%s\" is not \"%s\"", text ? text : "(none)", format);
    }
    return timegm(&t);
}

static void retry_after__takes_each_form__once_for_each_key(void **state)
{
    static const struct {
        const char *target, *format;
    } forms[] = {
        { "/retry-after?form=imf&s=50&key=a", "%a, %d %b %Y %H:%M:%S GMT" },
        { "/retry-after?form=rfc850&s=50&key=b", "%A, %d-%b-%y %H:%M:%S GMT" },
        { "/retry-after?form=asctime&s=50&key=c", "%a %b %e %H:%M:%S %Y" },
    };
    struct demo *demo = start_calm(1);
    struct answer a = get(demo, "/retry-after?form=seconds&s=3&key=d");

    (void)state;
    assert_int_equal(a.status, 429);
    assert_string_equal(header_of(&a, "Retry-After"), "3");
    drop(&a);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        time_t date_s, retry_s;

        a = get(demo, forms[i].target);
        assert_int_equal(a.status, 429);
        date_s = parse_date(header_of(&a, "Date"), "%a, %d %b %Y %H:%M:%S GMT");
        retry_s = parse_date(header_of(&a, "Retry-After"), forms[i].format);
        assert_true(retry_s - date_s >= 50); /* rounded up, never early */
        assert_true(retry_s - date_s <= 52);
        drop(&a);
        expect_status(demo, forms[i].target, 200);
        expect_status(demo, forms[i].target, 200);
    }
    demo_stop(demo);
}

static void odd_bodies__are_what_they_claim(void **state)
{
    struct demo *demo = start_calm(1);
    struct answer a = get(demo, "/html");

    (void)state;
    assert_int_equal(a.status, 200);
    assert_string_equal(header_of(&a, "Content-Type"), "text/html; charset=utf-8");
    drop(&a);
    a = get(demo, "/empty");
    assert_int_equal(a.status, 200);
    assert_int_equal(a.body.len, 0);
    drop(&a);
    a = get(demo, "/status/204");
    assert_int_equal(a.status, 204);
    assert_int_equal(a.body.len, 0);
    drop(&a);
    a = get(demo, "/badjson?kind=cut");
    assert_null(cJSON_Parse(a.body.data));
    drop(&a);
    a = get(demo, "/bomb");
    assert_string_equal(header_of(&a, "Content-Encoding"), "gzip");
    assert_in_range(a.body.len, 1000000, 1200000);
    drop(&a);
    demo_stop(demo);
}

static void gzip__unpacks__to_the_plain_body(void **state)
{
    struct demo *demo = start_calm(1);
    struct answer plain = get(demo, "/posts/3"), packed = get(demo, "/gzip/posts/3");
    unsigned char out[4096];
    z_stream z = { 0 };

    (void)state;
    assert_string_equal(header_of(&packed, "Content-Encoding"), "gzip");
    assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
    z.next_in = (const Bytef *)packed.body.data;
    z.avail_in = (uInt)packed.body.len;
    z.next_out = out;
    z.avail_out = sizeof out;
    assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
    assert_int_equal(z.total_out, plain.body.len);
    assert_memory_equal(out, plain.body.data, plain.body.len);
    inflateEnd(&z);
    drop(&plain);
    drop(&packed);
    demo_stop(demo);
}

static void endless__goes_on__until_the_client_leaves(void **state)
{
    struct demo *demo = start_calm(1);
    int fd = dial(demo);
    char block[65536];
    size_t got = 0;

    (void)state;
    say(fd, STR("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n"));
    while (got < 8U << 20) {
        ssize_t n = recv(fd, block, sizeof block, 0);

        assert_true(n > 0);
        got += (size_t)n;
    }
    close(fd);
    expect_status(demo, "/posts/1", 200);
    demo_stop(demo);
}

static void posts__add_up__when_link_next_is_followed(void **state)
{
    struct demo *demo = start_calm(5);
    char target[256] = "/posts?_page=1&_limit=90", *next;
    unsigned pages = 0;
    int expected = 1;

    (void)state;
    while (target[0]) {
        struct answer a = get(demo, target);
        cJSON *json = json_of(&a), *post;

        cJSON_ArrayForEach(post, json)
        {
            assert_int_equal(cJSON_GetObjectItem(post, "id")->valueint, expected++);
        }
        cJSON_Delete(json);
        assert_string_equal(header_of(&a, "X-Total-Count"), "1000");
        target[0] = '\0';
        assert_non_null(header_of(&a, "Link"));
        next = strstr(a.bytes.data, ">; rel=\"next\"");
        if (next) {
            *next = '\0';
            next = strrchr(a.bytes.data, '<');
            assert_true(str_starts(str_view(next), STR("<http://demo.test:80/")));
            snprintf(target, sizeof target, "%s", next + strlen("<http://demo.test:80"));
        }
        drop(&a);
        pages++;
    }
    assert_int_equal(pages, 12);
    assert_int_equal(expected, 1001);
    demo_stop(demo);
}

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

static void events__add_up__when_the_cursor_comes_back_whole(void **state)
{
    struct demo *demo = start_calm(5);
    char target[256] = "/events?limit=150";
    uint64_t id = UINT64_C(9007199254740993);
    unsigned events = 0;

    (void)state;
    while (target[0]) {
        struct answer a = get(demo, target);
        cJSON *json = json_of(&a), *event, *next = cJSON_GetObjectItem(json, "next");
        const char *at = a.body.data;
        char text[32], encoded[128];

        cJSON_ArrayForEach(event, cJSON_GetObjectItem(json, "events"))
        {
            snprintf(text, sizeof text, "{\"id\":%llu,", (unsigned long long)id++);
            at = strstr(at, text); /* as bytes: cJSON would round it */
            assert_non_null(at);
            events++;
        }
        assert_int_equal(cJSON_IsTrue(cJSON_GetObjectItem(json, "has_more")), !cJSON_IsNull(next));
        target[0] = '\0';
        if (cJSON_IsString(next)) {
            assert_true(strchr(next->valuestring, '/') && strchr(next->valuestring, '+') &&
                        strchr(next->valuestring, '='));
            encode(next->valuestring, encoded);
            snprintf(target, sizeof target, "/events?limit=150&after=%s", next->valuestring);
            expect_status(demo, target, 400); /* a bare plus is a space */
            snprintf(target, sizeof target, "/events?limit=150&after=%s", encoded);
        }
        cJSON_Delete(json);
        drop(&a);
    }
    assert_int_equal(events, 1000);
    demo_stop(demo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies__are_the_same__from_two_servers_of_one_seed),
        cmocka_unit_test(bodies__are_json__for_python),
        cmocka_unit_test(bodies__are_json__for_jq),
        cmocka_unit_test(unknown_things__are_404__with_a_json_body),
        cmocka_unit_test(bad_parameters__are_400__with_a_json_body),
        cmocka_unit_test(wrong_method__is_405__and_names_the_right_one),
        cmocka_unit_test(absolute_target__is_understood__as_proxies_send_it),
        cmocka_unit_test(redirects__lead_hop_by_hop__to_a_post),
        cmocka_unit_test(headers__come_back__as_they_were_sent),
        cmocka_unit_test(retry_after__takes_each_form__once_for_each_key),
        cmocka_unit_test(odd_bodies__are_what_they_claim),
        cmocka_unit_test(gzip__unpacks__to_the_plain_body),
        cmocka_unit_test(endless__goes_on__until_the_client_leaves),
        cmocka_unit_test(posts__add_up__when_link_next_is_followed),
        cmocka_unit_test(events__add_up__when_the_cursor_comes_back_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
