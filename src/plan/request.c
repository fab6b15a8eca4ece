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

size_t request_texts_bytes(const struct request_texts *t)
{
    return t->key.len + t->url.len + t->body.len + t->vars.len + t->sort_key.len + t->etag.len + 6;
}

struct request_texts request_texts_copy(const struct request_texts *texts, char *bytes)
{
    struct request_texts copy;

    copy.key = place_text(&bytes, texts->key);
    copy.url = place_text(&bytes, texts->url);
    copy.body = place_text(&bytes, texts->body);
    copy.vars = place_text(&bytes, texts->vars);
    copy.sort_key = place_text(&bytes, texts->sort_key);
    copy.etag = place_text(&bytes, texts->etag);
    return copy;
}

struct request *request_make(uint64_t id, uint32_t endpoint, const struct request_texts *texts)
{
    struct request *request = malloc(sizeof *request + request_texts_bytes(texts));
    struct request_texts copy;

    if (!request) {
        return NULL;
    }
    memset(request, 0, sizeof *request);
    request->id = id;
    request->endpoint = endpoint;
    copy = request_texts_copy(texts, request->text);
    request->key = copy.key;
    request->url = copy.url;
    request->body = copy.body;
    request->vars = copy.vars;
    request->sort_key = copy.sort_key;
    request->etag = copy.etag;
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
