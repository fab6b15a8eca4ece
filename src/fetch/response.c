#include "fetch/response.h"

#include <stdlib.h>
#include <string.h>

struct str response_header_nth(const struct response *response, struct str name, unsigned n)
{
    const char *at = response->headers.data;
    const char *end = at + response->headers.len;

    while (at && at < end) {
        struct str found = str_view(at);
        struct str value = str_view(at + found.len + 1);

        if (str_equal(found, name) && n-- == 0) {
            return value;
        }
        at = value.data + value.len + 1;
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
    *response = (struct response){ 0 };
    response->body = body;
    response->headers = headers;
    buf_reset(&response->headers);
    if (body.cap > RESPONSE_KEEP_BYTES) {
        buf_release(&response->body);
    } else {
        buf_reset(&response->body);
    }
}

void response_free(struct response *response)
{
    if (response) {
        request_free(response->request);
        free(response->redirect_url);
        buf_release(&response->body);
        buf_release(&response->headers);
        free(response);
    }
}
