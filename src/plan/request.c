#include "plan/request.h"

#include <stdlib.h>
#include <string.h>

/* Copies `text` and a terminator to `*at`, which moves past it. */
static struct str place_text(char **at, struct str text)
{
    struct str copy = { *at, text.len };

    if (!text.data) {
        return STR_NONE;
    }
    memcpy(*at, text.data, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

struct request *request_make(uint64_t id, uint32_t endpoint, const struct request_texts *texts)
{
    struct request *request =
        malloc(sizeof *request + texts->key.len + texts->url.len + texts->body.len +
               texts->vars.len + texts->sort_key.len + texts->etag.len + 6);
    char *at;

    if (!request) {
        return NULL;
    }
    memset(request, 0, sizeof *request);
    request->id = id;
    request->endpoint = endpoint;
    at = request->text;
    request->key = place_text(&at, texts->key);
    request->url = place_text(&at, texts->url);
    request->body = place_text(&at, texts->body);
    request->vars = place_text(&at, texts->vars);
    request->sort_key = place_text(&at, texts->sort_key);
    request->etag = place_text(&at, texts->etag);
    return request;
}

struct request *request_new(uint64_t id, uint32_t endpoint, struct str key, struct str url)
{
    return request_make(id, endpoint, &(struct request_texts){ .key = key, .url = url });
}

void request_free(struct request *request)
{
    if (request) {
        free(request->redirect_url);
        exchange_release(&request->exchange);
        free(request);
    }
}

void request_start_over(struct request *request)
{
    const struct exchange *x = &request->exchange;

    free(request->redirect_url);
    request->redirect_url = NULL;
    request->hops = 0;
    request->fetches_result = false;
    request->foreign = x->url && x->is_foreign;
    request->from_public = x->url && x->from_public;
    request->drop_body = x->url && x->with_get;
}

enum result request_resume(struct request *request, const struct exchange *exchange)
{
    enum result result = exchange_copy(&request->exchange, exchange);

    request_start_over(request);
    return result;
}

bool request_is_retry(const struct request *request)
{
    return request->attempt > 0 && request->hops == 0;
}

struct str request_url(const struct request *request)
{
    return request->redirect_url   ? str_view(request->redirect_url)
           : request->exchange.url ? str_view(request->exchange.url)
                                   : request->url;
}
