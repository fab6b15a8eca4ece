/*
 * The embedded API, asked over sockets as a client would, by plain requests that are written here
 * byte for byte. No test waits for time to pass.
 */
#include "demo/demo.h"

#include "base/buf.h"
#include "base/clock.h"

#include <cjson/cJSON.h>

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct answer {
    unsigned status; /* 0: none came */
    bool is_reset;
    struct buf bytes; /* all that came */
    struct str head, body;
};

static struct demo *start(const struct demo_options *options)
{
    struct demo *demo;
    struct err err = { 0 };

    if (demo_start(&demo, options, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return demo;
}

static struct demo *start_calm(uint64_t seed)
{
    return start(&(struct demo_options){ .seed = seed });
}

static int dial(const struct demo *demo)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(demo_port(demo)),
        .sin_addr = { htonl(INADDR_LOOPBACK) },
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* A server that hangs up early may end the sending; what it said is then still to be read. */
static void say(int fd, struct str bytes)
{
    while (bytes.len) {
        ssize_t sent = send(fd, bytes.data, bytes.len, MSG_NOSIGNAL);

        if (sent < 0) {
            return;
        }
        bytes.data += sent;
        bytes.len -= (size_t)sent;
    }
}

static void read_answer(int fd, struct answer *a)
{
    const char *end;
    ssize_t got;

    *a = (struct answer){ 0 };
    do {
        assert_int_equal(buf_reserve(&a->bytes, 65536), RESULT_OK);
        got = recv(fd, a->bytes.data + a->bytes.len, 65536, 0);
        a->bytes.len += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    a->is_reset = got < 0 && errno == ECONNRESET;
    close(fd);
    assert_non_null(buf_cstr(&a->bytes));
    end = strstr(a->bytes.data, "\r\n\r\n");
    if (end) {
        size_t head_len = (size_t)(end - a->bytes.data) + 2;

        a->head = (struct str){ a->bytes.data, head_len };
        a->body = (struct str){ end + 4, a->bytes.len - head_len - 2 };
        a->status = (unsigned)atoi(a->bytes.data + strlen("HTTP/1.1 "));
    }
}

static struct answer ask_raw(const struct demo *demo, struct str request)
{
    struct answer a;
    int fd = dial(demo);

    say(fd, request);
    read_answer(fd, &a);
    return a;
}

/* `headers` are whole lines with CR LF, or "". */
static struct answer ask_with(const struct demo *demo, const char *method, const char *target,
                              const char *headers, const char *body)
{
    struct buf request = { 0 };
    struct answer a;

    assert_int_equal(buf_printf(&request,
                                "%s %s HTTP/1.1\r\nHost: demo.test:80\r\nConnection: close\r\n"
                                "Content-Length: %zu\r\n%s\r\n%s",
                                method, target, strlen(body), headers, body),
                     RESULT_OK);
    a = ask_raw(demo, buf_view(&request));
    buf_release(&request);
    return a;
}

static struct answer get(const struct demo *demo, const char *target)
{
    return ask_with(demo, "GET", target, "", "");
}

static void drop(struct answer *a)
{
    buf_release(&a->bytes);
}

/* The value of a header, in a buffer that the next call reuses; NULL when there is none. */
static const char *header_of(const struct answer *a, const char *name)
{
    static char value[2048];
    struct str rest = a->head;

    while (rest.len) {
        struct str line = str_cut(&rest, '\n');
        struct str key = str_cut(&line, ':');

        if (str_equal_nocase(key, str_view(name))) {
            line = str_trim(line);
            snprintf(value, sizeof value, "%.*s", STR_ARG(line));
            return value;
        }
    }
    return NULL;
}

static cJSON *json_of(const struct answer *a)
{
    const char *end;
    cJSON *json = cJSON_ParseWithOpts(a->body.data, &end, 1);

    if (!json) {
        fail_msg("no JSON: %.*s", (int)a->bytes.len, a->bytes.data);
    }
    return json;
}

static void expect_status(const struct demo *demo, const char *target, unsigned status)
{
    struct answer a = get(demo, target);
    cJSON *json;

    if (a.status != status) {
        fail_msg("%s: status %u, want %u", target, a.status, status);
    }
    if (status >= 400) { /* every error explains itself */
        json = json_of(&a);
        assert_int_equal(
            cJSON_GetObjectItem(cJSON_GetObjectItem(json, "error"), "status")->valueint, status);
        cJSON_Delete(json);
    }
    drop(&a);
}

/* --- life ------------------------------------------------------------------------------------ */

static void start__refuses__options_without_sense(void **state)
{
    const struct demo_options bad[] = {
        { .fail = 1.5 },           { .hang = -0.1 },
        { .truncate = 0.0 / 0.0 }, { .fail = 0.5, .hang = 0.4, .truncate = 0.2 },
        { .max_concurrent = 5 },   { .limit = { 0, 1000000 } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct demo *demo;
        struct err err = { 0 };

        assert_int_equal(demo_start(&demo, &bad[i], &err), RESULT_INVALID);
        assert_null(demo);
        assert_true(strlen(err.text) > 0);
    }
}

static void start__says_busy__when_the_port_is_taken(void **state)
{
    struct demo *first = start_calm(1), *second;
    struct demo_options options = { .port = demo_port(first) };
    struct err err = { 0 };

    (void)state;
    assert_int_equal(demo_start(&second, &options, &err), RESULT_BUSY);
    assert_null(second);
    assert_string_equal(err.code, "E-DEMO3");
    demo_stop(first);
}

static void start__says_where__when_the_log_cannot_be_opened(void **state)
{
    struct demo_options options = { .log_path = "/nonexistent/log" };
    struct demo *demo;
    struct err err = { 0 };

    (void)state;
    assert_int_equal(demo_start(&demo, &options, &err), RESULT_NOT_FOUND);
    assert_non_null(strstr(err.text, "/nonexistent/log"));
}

static void stop__returns__while_requests_wait(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .latency_us = UINT64_C(3600000000) });
    int fds[50];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 50; i++) {
        fds[i] = dial(demo);
        say(fds[i], STR("GET /posts/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    }
    demo_stop(demo);
    for (size_t i = 0; i < 50; i++) {
        read_answer(fds[i], &a);
        assert_int_equal(a.status, 0);
        drop(&a);
    }
    demo_stop(NULL);
}

/* --- shapes ---------------------------------------------------------------------------------- */

static const char *const json_targets[] = {
    "/",
    "/posts/1",
    "/posts/10000000",
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
                   "assert len(n) == 222, len(n)'");
}

static void bodies__are_json__for_jq(void **state)
{
    (void)state;
    pipe_bodies_to("jq -e . >/dev/null");
}

static void unknown_things__are_404__with_a_json_body(void **state)
{
    static const char *const missing[] = {
        "/nope",          "/posts/0",
        "/posts/-1",      "/posts/10000001",
        "/posts/1x",      "/posts/",
        "/posts/1/2",     "/posts/99999999999999999999999",
        "/status/99",     "/redirect/0",
        "/redirect/101",  "/msapi/auctions/items?auctionid=0",
        "//posts/1",      "/msapi/auctions/items?auctionid=10000001",
        "/POSTS/1",       "/msapi/auctions/items?auctionid=1e3",
        "/posts/%31",     "/msapi/auctions/items?auctionid=",
        "/../etc/passwd", "/msapi/auctions/items?auctionid=%00",
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
    assert_non_null(
        strstr(a.body.data, "\"caf\xEF\xBF\xBD\\\"\\\\\"")); /* U+FFFD for the bad byte */
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

/* --- listings -------------------------------------------------------------------------------- */

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
            out += sprintf(out, "%%%02X", (unsigned)(unsigned char)*cursor);
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

static void log_in(const struct demo *demo, char header[256])
{
    struct answer a = ask_with(demo, "POST", "/api/auth/login", "",
                               "{\"email\":\"demo@example.com\",\"password\":\"demo\"}");
    cJSON *json = json_of(&a);

    assert_int_equal(a.status, 200);
    assert_true(cJSON_IsNumber(cJSON_GetObjectItem(json, "expires_in")));
    snprintf(header, 256, "Authorization: Bearer %s\r\n",
             cJSON_GetObjectItem(json, "access_token")->valuestring);
    cJSON_Delete(json);
    drop(&a);
}

static void expect_products(const struct demo *demo, const char *target, const char *token,
                            int count, int total_pages)
{
    struct answer a = ask_with(demo, "GET", target, token, "");
    cJSON *json = json_of(&a), *pagination = cJSON_GetObjectItem(json, "pagination");

    assert_int_equal(a.status, 200);
    assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "products")), count);
    assert_int_equal(cJSON_GetObjectItem(pagination, "total")->valueint, 100000);
    assert_int_equal(cJSON_GetObjectItem(pagination, "total_pages")->valueint, total_pages);
    cJSON_Delete(json);
    drop(&a);
}

static void catalog__opens__with_the_token_only(void **state)
{
    struct demo *demo = start_calm(1);
    char token[256];
    struct answer a;
    cJSON *json;

    (void)state;
    expect_status(demo, "/api/products", 401);
    expect_status(demo, "/api/products/1/reviews", 401);
    a = ask_with(demo, "GET", "/api/products", "Authorization: Bearer demo-0-0\r\n", "");
    assert_int_equal(a.status, 401);
    assert_non_null(strstr(header_of(&a, "WWW-Authenticate"), "invalid_token"));
    drop(&a);
    log_in(demo, token);
    expect_products(demo, "/api/products", token, 20, 5000);
    expect_products(demo, "/api/products?page=1000&per_page=100", token, 100, 1000);
    expect_products(demo, "/api/products?page=1429&per_page=70", token, 40, 1429);
    expect_products(demo, "/api/products?page=1001&per_page=100", token, 0, 1000);
    a = ask_with(demo, "GET", "/api/products?per_page=101", token, "");
    assert_int_equal(a.status, 400);
    drop(&a);
    a = ask_with(demo, "GET", "/api/products/100001/reviews", token, "");
    assert_int_equal(a.status, 404);
    drop(&a);
    a = ask_with(demo, "GET", "/api/products/17/reviews", token, "");
    json = json_of(&a);
    assert_true(cJSON_IsArray(cJSON_GetObjectItem(json, "items")));
    cJSON_Delete(json);
    drop(&a);
    demo_stop(demo);
}

static void login__fails__for_a_wrong_password_or_no_json(void **state)
{
    static const struct {
        const char *body;
        unsigned status;
    } tries[] = {
        { "{\"email\":\"demo@example.com\",\"password\":\"wrong\"}", 401 },
        { "{\"email\":\"demo@example.com\"}", 400 },
        { "{\"email\":1,\"password\":2}", 400 },
        { "email=demo&password=demo", 400 },
        { "", 400 },
    };
    struct demo *demo = start_calm(1);
    struct buf deep = { 0 };
    struct answer a;

    (void)state;
    for (size_t i = 0; i < sizeof tries / sizeof *tries; i++) {
        a = ask_with(demo, "POST", "/api/auth/login", "", tries[i].body);
        assert_int_equal(a.status, tries[i].status);
        drop(&a);
    }
    for (int i = 0; i < 60000; i++) {
        assert_int_equal(buf_append_char(&deep, '['), RESULT_OK);
    }
    a = ask_with(demo, "POST", "/api/auth/login", "", buf_cstr(&deep));
    assert_int_equal(a.status, 400);
    drop(&a);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_append_char(&deep, '['), RESULT_OK);
    }
    a = ask_with(demo, "POST", "/api/auth/login", "", buf_cstr(&deep));
    assert_int_equal(a.status, 413);
    drop(&a);
    buf_release(&deep);
    demo_stop(demo);
}

static void token__is_refused__when_its_time_is_over(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .token_us = 1 });
    char token[256];
    struct answer a;

    (void)state;
    log_in(demo, token);
    a = ask_with(demo, "GET", "/api/products", token, "");
    assert_int_equal(a.status, 401);
    drop(&a);
    demo_stop(demo);
}

static void trains__are_304__until_something_moves(void **state)
{
    struct demo *demo = start_calm(3);
    char etag[128], condition[160];
    struct answer a = get(demo, "/allData.json");

    (void)state;
    snprintf(etag, sizeof etag, "%s", header_of(&a, "ETag"));
    drop(&a);
    snprintf(condition, sizeof condition, "If-None-Match: \"other\", W/%s\r\n", etag);
    a = ask_with(demo, "GET", "/allData.json", condition, "");
    assert_int_equal(a.status, 304);
    assert_int_equal(a.body.len, 0);
    assert_string_equal(header_of(&a, "ETag"), etag);
    drop(&a);
    a = ask_with(demo, "GET", "/allData.json", condition, "");
    assert_int_equal(a.status, 200);
    assert_string_not_equal(header_of(&a, "ETag"), etag);
    drop(&a);
    demo_stop(demo);
}

/* --- weather --------------------------------------------------------------------------------- */

static void limit__answers_429__and_says_when_to_come_back(void **state)
{
    /* Four an hour: nothing is refilled while this runs. */
    struct demo *demo =
        start(&(struct demo_options){ .limit = { 4, UINT64_C(3600000000) }, .limit_burst = 3 });
    struct answer a;

    (void)state;
    for (int left = 2; left >= 0; left--) {
        a = get(demo, "/posts/1");
        assert_int_equal(a.status, 200);
        assert_string_equal(header_of(&a, "X-RateLimit-Limit"), "3");
        assert_int_equal(atoi(header_of(&a, "X-RateLimit-Remaining")), left);
        assert_null(header_of(&a, "Retry-After"));
        drop(&a);
    }
    a = get(demo, "/posts/1");
    assert_int_equal(a.status, 429);
    assert_in_range(atoi(header_of(&a, "Retry-After")), 1, 900);
    assert_string_equal(header_of(&a, "X-RateLimit-Remaining"), "0");
    assert_true(atoll(header_of(&a, "X-RateLimit-Reset")) > 1700000000);
    cJSON_Delete(json_of(&a));
    drop(&a);
    demo_stop(demo);
}

/* What became of one ask, as a letter. */
static char outcome_of(const struct demo *demo, const char *target)
{
    struct answer a = get(demo, target);
    const char *announced = header_of(&a, "Content-Length");
    char letter = '?';

    if (a.status == 0) {
        letter = a.is_reset ? 'R' : '0';
    } else if (a.status == 200) {
        letter = (size_t)atoi(announced) == a.body.len ? '.' : 'T';
    } else if (a.status == 503) {
        letter = header_of(&a, "Retry-After") ? 'W' : '3';
    } else if (a.status == 500) {
        letter = '5';
    }
    drop(&a);
    return letter;
}

/* Three asks of each of `count` posts. */
static void record_outcomes(const struct demo *demo, int count, char *letters)
{
    for (int i = 0; i < count; i++) {
        char target[32];

        snprintf(target, sizeof target, "/posts/%d", i + 1);
        for (int ask = 0; ask < 3; ask++) {
            *letters++ = outcome_of(demo, target);
        }
    }
    *letters = '\0';
}

static void mishaps__repeat__with_the_seed(void **state)
{
    struct demo_options options = { .seed = 21, .fail = 0.3, .truncate = 0.2 };
    struct demo *one = start(&options), *two = start(&options), *other;
    char a[301], b[301], c[301];

    (void)state;
    options.seed = 22;
    other = start(&options);
    record_outcomes(one, 100, a);
    record_outcomes(two, 100, b);
    record_outcomes(other, 100, c);
    assert_string_equal(a, b);
    assert_string_not_equal(a, c);
    for (const char *kind = ".53WRT"; *kind; kind++) { /* every kind is met */
        if (!strchr(a, *kind)) {
            fail_msg("no '%c' in %s", *kind, a);
        }
    }
    assert_null(strpbrk(a, "?0"));
    demo_stop(one);
    demo_stop(two);
    demo_stop(other);
}

static void mishaps__end__at_the_third_ask(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .seed = 4, .fail = 0.7, .truncate = 0.3 });
    char letters[61];

    (void)state;
    record_outcomes(demo, 20, letters);
    for (int i = 0; i < 60; i++) {
        if ((letters[i] == '.') != (i % 3 == 2)) {
            fail_msg("ask %d of post %d in %s", i % 3 + 1, i / 3 + 1, letters);
        }
    }
    demo_stop(demo);
}

static void hang__is_silent__and_harms_nobody(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .hang = 1 });
    int first = dial(demo), second = dial(demo);
    struct pollfd wait = { .fd = first, .events = POLLIN };
    struct answer a;

    (void)state;
    /* One after the other: the server must have read the first before the second comes. */
    say(first, STR("GET /posts/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    say(second, STR("GET /posts/1 HTTP/1.1\r\nHost: x\r\n\r\n"));
    do {
        a = get(demo, "/posts/1"); /* the third to arrive is answered */
    } while (a.status != 200);
    drop(&a);
    assert_int_equal(poll(&wait, 1, 0), 0);
    close(first);
    demo_stop(demo); /* while the second hangs */
    close(second);
}

static void latency__is_kept__by_every_answer(void **state)
{
    struct demo *demo = start(&(struct demo_options){ .latency_us = 20000, .jitter_us = 5000 });
    struct clock clock = clock_system();
    uint64_t began_us = clock_now_us(&clock);
    int fds[64];
    struct answer a;

    (void)state;
    for (size_t i = 0; i < 64; i++) {
        fds[i] = dial(demo);
        say(fds[i], STR("GET /posts/9 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"));
    }
    for (size_t i = 0; i < 64; i++) {
        read_answer(fds[i], &a);
        assert_int_equal(a.status, 200);
        drop(&a);
    }
    assert_true(clock_now_us(&clock) - began_us >= 15000); /* no upper bound: machines are slow */
    demo_stop(demo);
}

/* --- the log, and hostile bytes -------------------------------------------------------------- */

static void log__has_one_clean_line__for_each_request(void **state)
{
    char dir[] = "/tmp/test_demo.XXXXXX", path[64], line[512], method[16], url[256], wall[32];
    unsigned long long arrived_us, took_us;
    unsigned status, in_flight;
    struct demo *demo;
    struct answer a;
    FILE *log;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/access.log", dir);
    demo = start(&(struct demo_options){ .log_path = path });
    expect_status(demo, "/posts/1", 200);
    expect_status(demo, "/no\x1b[31m\xFFpe", 404);
    a = ask_with(demo, "POST", "/posts", "", "x");
    drop(&a);
    demo_stop(demo);
    log = fopen(path, "r");
    assert_non_null(log);
    for (int i = 0; i < 3; i++) {
        static const char *const urls[] = { "/posts/1", "/no%1B[31m%FFpe", "/posts" };
        static const unsigned statuses[] = { 200, 404, 405 };

        assert_non_null(fgets(line, sizeof line, log));
        assert_int_equal(sscanf(line, "%llu %31s %u %15s %255s %u %llu\n", &arrived_us, wall,
                                &status, method, url, &in_flight, &took_us),
                         7);
        assert_string_equal(url, urls[i]);
        assert_int_equal(status, statuses[i]);
        assert_string_equal(method, i == 2 ? "POST" : "GET");
        assert_int_equal(in_flight, 1);
        assert_true(arrived_us > 0);
    }
    assert_null(fgets(line, sizeof line, log));
    fclose(log);
    unlink(path);
    rmdir(dir);
}

static void hostile_bytes__hurt_nobody(void **state)
{
    static const struct str attacks[] = {
        STR_INIT("\r\n\r\n\r\n"),
        STR_INIT("\0\0\0\0GET / HTTP/1.1\r\n\r\n"),
        STR_INIT("GET\r\n\r\n"),
        STR_INIT("GET /posts/1\r\n\r\n"),
        STR_INIT("GET /posts/1 HTTP/9.9\r\n\r\n"),
        STR_INIT("GET /a b c d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        STR_INIT("GET /posts?%00=%00&&==&_page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        STR_INIT(
            "GET /nope HTTP/1.1\r\nHost: \"><script>\r\nConnection: close\r\nX:\r\n: y\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999"
                 "\r\n\r\n"),
        STR_INIT("POST /api/auth/login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "FFFFFFFFFFFFFFFF\r\n{}"),
        STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"), /* somebody speaks TLS */
    };
    struct demo *demo = start(&(struct demo_options){ .latency_us = 100 });

    (void)state;
    for (size_t i = 0; i < sizeof attacks / sizeof *attacks; i++) {
        int fd = dial(demo);
        struct answer a;

        say(fd, attacks[i]);
        shutdown(fd, SHUT_WR);
        read_answer(fd, &a);
        assert_true(a.status != 200);
        drop(&a);
    }
    demo_stop(demo);
}

static void long_requests__are_refused__not_swallowed(void **state)
{
    struct demo *demo = start_calm(1);
    struct buf request = { 0 };
    struct answer a;

    (void)state;
    assert_int_equal(buf_append_str(&request, STR("GET /")), RESULT_OK);
    for (int i = 0; i < 100000; i++) {
        assert_int_equal(buf_append_char(&request, 'a'), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&request, STR(" HTTP/1.1\r\nHost: x\r\n\r\n")), RESULT_OK);
    a = ask_raw(demo, buf_view(&request));
    assert_true(a.status == 0 || a.status == 414 || a.status == 431);
    drop(&a);
    buf_reset(&request);
    assert_int_equal(buf_append_str(&request, STR("GET /headers HTTP/1.1\r\nHost: x\r\n"
                                                  "Connection: close\r\n")),
                     RESULT_OK);
    for (int i = 0; i < 150; i++) { /* more than are kept, fewer bytes than are read */
        assert_int_equal(buf_printf(&request, "X-%d: %d\r\n", i, i), RESULT_OK);
    }
    assert_int_equal(buf_append_str(&request, STR("\r\n")), RESULT_OK);
    a = ask_raw(demo, buf_view(&request));
    assert_int_equal(a.status, 200);
    cJSON_Delete(json_of(&a));
    drop(&a);
    buf_release(&request);
    demo_stop(demo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(start__refuses__options_without_sense),
        cmocka_unit_test(start__says_busy__when_the_port_is_taken),
        cmocka_unit_test(start__says_where__when_the_log_cannot_be_opened),
        cmocka_unit_test(stop__returns__while_requests_wait),
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
        cmocka_unit_test(endless__goes_on__until_the_client_leaves),
        cmocka_unit_test(posts__add_up__when_link_next_is_followed),
        cmocka_unit_test(events__add_up__when_the_cursor_comes_back_whole),
        cmocka_unit_test(catalog__opens__with_the_token_only),
        cmocka_unit_test(login__fails__for_a_wrong_password_or_no_json),
        cmocka_unit_test(token__is_refused__when_its_time_is_over),
        cmocka_unit_test(trains__are_304__until_something_moves),
        cmocka_unit_test(limit__answers_429__and_says_when_to_come_back),
        cmocka_unit_test(mishaps__repeat__with_the_seed),
        cmocka_unit_test(mishaps__end__at_the_third_ask),
        cmocka_unit_test(hang__is_silent__and_harms_nobody),
        cmocka_unit_test(latency__is_kept__by_every_answer),
        cmocka_unit_test(log__has_one_clean_line__for_each_request),
        cmocka_unit_test(hostile_bytes__hurt_nobody),
        cmocka_unit_test(long_requests__are_refused__not_swallowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
