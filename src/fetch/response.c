#include "fetch/response.h"

#include <stdlib.h>
#include <string.h>

/* What begins there, to the NUL that ends it. */
static struct str take_text(const struct response *response, size_t *at)
{
    const char *from = response->headers.data + *at;
    size_t left = response->headers.len - *at;
    const char *end = memchr(from, '\0', left);
    struct str text = { from, end ? (size_t)(end - from) : left };

    *at += text.len + (end != NULL);
    return text;
}

bool response_header_next(const struct response *response, size_t *at, struct str *name,
                          struct str *value)
{
    if (*at >= response->headers.len) {
        return false;
    }
    *name = take_text(response, at);
    *value = take_text(response, at);
    return true;
}

struct str response_header_nth(const struct response *response, struct str name, unsigned n)
{
    struct str found, value;
    size_t at = 0;

    while (response_header_next(response, &at, &found, &value)) {
        if (str_equal(found, name) && n-- == 0) {
            return value;
        }
    }
    return STR_NONE;
}

struct str response_header(const struct response *response, struct str name)
{
    return response_header_nth(response, name, 0);
}

struct last_try response_last_try(const struct response *r)
{
    return (struct last_try){
        .outcome = r->outcome,
        .status = r->status,
        .failure = failure_of(r->outcome, r->status),
        .reached = r->reached,
        .calm_down = r->calm_down,
        .long_header = r->long_header,
        .bad_crc32c = r->bad_crc32c,
    };
}

struct response *response_new(void)
{
    struct response *response = calloc(1, sizeof *response);

    if (response) {
        buf_init(&response->headers, RESPONSE_HEADERS_MAX);
    }
    return response;
}

void response_reset(struct response *response)
{
    struct buf body = response->body, headers = response->headers;

    free(response->redirect_url);
    buf_release(&response->sent_as);
    *response = (struct response){ 0 };
    response->body = body;
    response->headers = headers;
    buf_reset(&response->headers);
    if (body.cap > RESPONSE_KEEP_BYTES) {
        buf_release(&response->body);
    } else {
        buf_reset(&response->body);
    }
    response->body.max = 0; /* a body that was decoded has one, of its own length (engine/body.c) */
}

void response_free(struct response *response)
{
    if (response) {
        request_free(response->request);
        free(response->redirect_url);
        buf_release(&response->body);
        buf_release(&response->sent_as);
        buf_release(&response->headers);
        free(response);
    }
}
