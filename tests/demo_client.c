#include "demo_client.h"

#include "traps.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct demo *start(const struct demo_options *options)
{
    struct demo_options with_traps = *options;
    struct demo *demo;
    struct err err = { 0 };

    with_traps.more = trap_routes;
    with_traps.more_count = TRAP_ROUTES;
    if (demo_start(&demo, &with_traps, &err) != RESULT_OK) {
        fail_msg("%s: %s", err.code, err.text);
    }
    return demo;
}

struct demo *start_calm(uint64_t seed)
{
    return start(&(struct demo_options){ .seed = seed });
}

int dial(const struct demo *demo)
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
void say(int fd, struct str bytes)
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

void read_answer(int fd, struct answer *a)
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

struct answer ask_raw(const struct demo *demo, struct str request)
{
    struct answer a;
    int fd = dial(demo);

    say(fd, request);
    read_answer(fd, &a);
    return a;
}

/* `headers` are whole lines with CR LF, or "". */
struct answer ask_with(const struct demo *demo, const char *method, const char *target,
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

struct answer get(const struct demo *demo, const char *target)
{
    return ask_with(demo, "GET", target, "", "");
}

void drop(struct answer *a)
{
    buf_release(&a->bytes);
}

/* The value of a header, in a buffer that the next call reuses; NULL when there is none. */
const char *header_of(const struct answer *a, const char *name)
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

cJSON *json_of(const struct answer *a)
{
    const char *end;
    cJSON *json = cJSON_ParseWithOpts(a->body.data, &end, 1);

    if (!json) {
        fail_msg("no JSON: %.*s", (int)a->bytes.len, a->bytes.data);
    }
    return json;
}

void expect_status(const struct demo *demo, const char *target, unsigned status)
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
