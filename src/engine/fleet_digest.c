/* What tells two plans apart, so that no worker joins a fleet at another one. */
#include "engine/fleet_link_state.h"

#include "base/digest.h"

#include <stdio.h>

/* requests of a plan that are looked at, all of them; else as many ... */
#define DIGESTED_WHOLE 20000
#define DIGESTED_PARTS 4096 /* ... evenly spread */

static enum result digest_text(struct buf *text, uint8_t digest[DIGEST_BYTES])
{
    enum result result = buf_append(text, (const char *)digest, DIGEST_BYTES);

    digest_of(text->data, text->len, digest);
    buf_reset(text);
    return result;
}

static enum result digest_endpoint(const struct job_endpoint *endpoint, struct buf *text)
{
    enum result result = buf_printf(text, "%s %s %d %u %s", endpoint->name, endpoint->method,
                                    (int)endpoint->pages.kind, endpoint->parent,
                                    endpoint->body ? endpoint->body : "");

    for (size_t i = 0; endpoint->has_parent && i < endpoint->source_count && result == RESULT_OK;
         i++) {
        result = buf_printf(text, " %s", endpoint->sources[i].text);
    }
    return result;
}

enum result fleet_digest_plan(struct engine *e, char out[FLEET_DIGEST_MAX], struct err *err)
{
    uint64_t total = frontier_seeds(e->frontier);
    uint64_t looks = total <= DIGESTED_WHOLE ? total : DIGESTED_PARTS;
    uint8_t digest[DIGEST_BYTES] = { 0 };
    struct buf text = { 0 };
    enum result result = buf_printf(&text, "%llu", (unsigned long long)total);

    for (size_t i = 0; i < e->job->endpoint_count && result == RESULT_OK; i++) {
        result = digest_endpoint(&e->job->endpoints[i], &text);
        result = result == RESULT_OK ? digest_text(&text, digest) : result;
    }
    for (uint64_t i = 0; i < looks && result == RESULT_OK; i++) {
        uint64_t id = looks == total ? i + 1 : 1 + i * ((total - 1) / (looks - 1));
        struct request *request;

        result = frontier_make(e->frontier, id, &request, err);
        if (result != RESULT_OK) {
            buf_release(&text);
            return result;
        }
        result = buf_printf(&text, "%u %.*s %.*s", request->endpoint, STR_ARG(request->url),
                            STR_ARG(request->body));
        frontier_forget(e->frontier, request);
        result = result == RESULT_OK ? digest_text(&text, digest) : result;
    }
    buf_release(&text);
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "comparing plans");
}
