/*
 * Every answer of raw_replies.txt, between two right ones, on an easy handle and a connection that have been
 * used before: it ends as the file says, and the next one is not disturbed.
 */
#include "fetch/fetch.h"

#include "server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1024
#define REPEAT_MAX 100000
#define PATIENCE_US (60 * US_PER_S)

static const char right[] =
    "HTTP/1.1 200 OK\r\nX-A: before\r\nContent-Length: 14\r\n\r\n{\"right\":true}";

struct reply {
    char outcomes[64]; /* words with bars between them */
    int status;
    enum server_then then;
    char name[LINE_MAX_BYTES];
    struct buf bytes;
};

static void put(struct buf *to, char c)
{
    assert_int_equal(buf_append_char(to, c), RESULT_OK);
}

static char escaped(const char **at)
{
    char hex[3] = { 0 };

    switch (*(*at)++) {
    case 'r':
        return '\r';
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case '0':
        return '\0';
    case 'x':
        memcpy(hex, *at, 2);
        *at += 2;
        return (char)strtoul(hex, NULL, 16);
    default:
        return (*at)[-1];
    }
}

/* From after a quote, or a "N*", to `end`; moves past. */
static void read_text(const char **at, const char *end, struct buf *to)
{
    while (strncmp(*at, end, strlen(end)) != 0) {
        assert_int_not_equal(**at, '\0');
        if (strncmp(*at, "<<", 2) == 0) {
            struct buf once = { 0 };
            char *times_end;
            unsigned long times = strtoul(*at + 2, &times_end, 10);

            assert_int_equal(*times_end, '*');
            assert_in_range(times, 1, REPEAT_MAX);
            *at = times_end + 1;
            read_text(at, ">>", &once);
            while (times--) {
                assert_int_equal(buf_append_str(to, buf_view(&once)), RESULT_OK);
            }
            buf_release(&once);
        } else if (**at == '\\') {
            (*at)++;
            put(to, escaped(at));
        } else {
            put(to, *(*at)++);
        }
    }
    *at += strlen(end);
}

static enum server_then then_of(const char *word)
{
    static const struct {
        const char *word;
        enum server_then then;
    } words[] = { { "keep", SERVER_KEEP },
                  { "close", SERVER_CLOSE },
                  { "reset", SERVER_RESET },
                  { "hang", SERVER_HANG } };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0) {
            return words[i].then;
        }
    }
    fail_msg("%s: what should the server do then?", word);
    return SERVER_CLOSE;
}

/* The next of the file; false at its end. `line` is the one that follows what was read. */
static bool next_reply(FILE *file, char line[LINE_MAX_BYTES], struct reply *reply)
{
    char then[16];

    while (line[0] == '#' || line[0] == '\n') {
        if (!fgets(line, LINE_MAX_BYTES, file)) {
            return false;
        }
    }
    buf_reset(&reply->bytes);
    assert_int_equal(
        sscanf(line, "%63s %d %15s %1023[^\n]", reply->outcomes, &reply->status, then, reply->name),
        4);
    reply->then = then_of(then);
    while (fgets(line, LINE_MAX_BYTES, file) && line[0] == '"') {
        for (const char *at = line; *at == '"'; at += *at == ' ') {
            at++;
            read_text(&at, "\"", &reply->bytes);
        }
    }
    if (feof(file)) {
        snprintf(line, LINE_MAX_BYTES, "\n");
    }
    return true;
}

/* --- one loop with one fetch on it -------------------------------------------------------------- */

struct net {
    uv_loop_t loop;
    struct fetch *fetch;
    struct response *response;
};

static void on_response(void *context, struct response *response)
{
    struct net *n = context;

    n->response = response;
    uv_stop(&n->loop);
}

static void on_closed(void *context)
{
    (void)context;
}

static void ask(struct net *n, const char *url)
{
    struct request *request = request_new(1, 0, STR("key"), str_view(url));

    assert_non_null(request);
    n->response = NULL;
    assert_int_equal(fetch_start(n->fetch, request, NULL), RESULT_OK);
    fetch_kick(n->fetch);
    while (!n->response) {
        uv_run(&n->loop, UV_RUN_DEFAULT);
    }
}

static void give_back(struct net *n)
{
    request_free(n->response->request);
    n->response->request = NULL;
    fetch_recycle(n->fetch, n->response);
}

static struct server_answer play(void *context, const struct server_asked *asked, unsigned number)
{
    const struct reply *reply = context;

    (void)number;
    if (strncmp(asked->head, "GET /right", 10) == 0) {
        return SERVER_ANSWER(right, SERVER_KEEP);
    }
    return (struct server_answer){ reply->bytes.data ? reply->bytes.data : "", reply->bytes.len, 0,
                                   reply->then };
}

static void assert_right(struct net *n, const struct server *server, const char *when,
                         const struct reply *reply)
{
    ask(n, server_url(server, "/right"));
    if (n->response->outcome != OUTCOME_OK || n->response->body.len != 14 ||
        memcmp(n->response->body.data, "{\"right\":true}", 14) != 0) {
        fail_msg("%s \"%s\": %s (%s)", when, reply->name, outcome_name(n->response->outcome),
                 n->response->reason);
    }
    give_back(n);
}

/* As the file writes it: "short-body". */
static bool is_one_of(const char *words, enum outcome outcome)
{
    struct str rest = str_view(words);
    char word[32];

    snprintf(word, sizeof word, "%s", outcome_name(outcome));
    for (char *blank = strchr(word, ' '); blank; blank = strchr(blank, ' ')) {
        *blank = '-';
    }
    while (rest.data) {
        if (str_equal(str_cut(&rest, '|'), str_view(word))) {
            return true;
        }
    }
    return false;
}

/* How many mistakes there were: all of a file are told, not only the first. */
static int try_reply(struct net *n, struct reply *reply)
{
    struct server *server = server_start(play, reply);
    const char *url = server_url(server, "/reply");
    int wrong;

    if (getenv("RAW_REPLIES_TELL")) {
        print_message("%s\n", reply->name);
    }
    assert_right(n, server, "before", reply);
    ask(n, url);
    wrong =
        !is_one_of(reply->outcomes, n->response->outcome) || n->response->status != reply->status;
    if (wrong) {
        print_error("%s: %s, status %d (%s); want %s, status %d\n", reply->name,
                    outcome_name(n->response->outcome), n->response->status, n->response->reason,
                    reply->outcomes, reply->status);
    }
    give_back(n);
    assert_right(n, server, "behind", reply);
    server_stop(server);
    return wrong;
}

static void reply__ends_as_stated__and_the_next_one_is_right(void **state)
{
    static const struct fetch_endpoint endpoint = { .method = "GET" };
    struct reply reply = { .status = 0 };
    char line[LINE_MAX_BYTES] = "\n";
    FILE *file = fopen("tests/raw_replies.txt", "r");
    int count = 0, wrong = 0;
    struct net n = { .fetch = NULL };
    struct fetch_options options = { .loop = &n.loop,
                                     .clock = clock_system(),
                                     .endpoints = &endpoint,
                                     .endpoint_count = 1,
                                     .connect_timeout_us = PATIENCE_US,
                                     .stall_timeout_us = PATIENCE_US,
                                     .total_timeout_us = PATIENCE_US,
                                     .body_max_bytes = 1U << 20,
                                     .on_response = on_response,
                                     .context = &n };

    (void)state;
    assert_non_null(file);
    assert_int_equal(uv_loop_init(&n.loop), 0);
    assert_int_equal(fetch_new(&n.fetch, &options, NULL), RESULT_OK);
    for (; next_reply(file, line, &reply); count++) {
        wrong += try_reply(&n, &reply);
    }
    fclose(file);
    buf_release(&reply.bytes);
    fetch_close(n.fetch, on_closed);
    while (uv_run(&n.loop, UV_RUN_DEFAULT)) {
    }
    assert_int_equal(uv_loop_close(&n.loop), 0);
    print_message("%d replies\n", count);
    assert_in_range(count, 100, 1000);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply__ends_as_stated__and_the_next_one_is_right),
    };
    int failed;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    curl_global_cleanup();
    return failed;
}
