#include "plan/frontier_state.h"

#include "base/url.h"

void frontier_note_discovered(struct frontier *f, uint32_t endpoint, uint64_t count)
{
    if (endpoint < f->endpoint_count) {
        f->found[endpoint] += count;
        f->discovered_count += count;
    }
}

size_t frontier_offered(const struct frontier *f)
{
    return f->offered_count;
}

/* Gives it its host. */
static enum result settle_in(struct frontier *f, struct request *request, struct err *err)
{
    struct url url;
    enum result result = url_split(request->url, &url, err);

    if (result == RESULT_OK && request->endpoint >= f->endpoint_count) {
        return err_set(err, RESULT_CORRUPT, "E-LEDG3",
                       "the ledger has a request of an endpoint that the job has not");
    }
    return result == RESULT_OK ? frontier_assign(f, request, &url, err) : result;
}

enum result frontier_offer(struct frontier *f, struct request *request, struct err *err)
{
    enum result result = settle_in(f, request, err);

    if (result != RESULT_OK) {
        return result;
    }
    request_queue_append(&f->offered, request);
    f->offered_count++;
    return RESULT_OK;
}

enum result frontier_offer_waiting(struct frontier *f, struct request *request,
                                   uint64_t waits_until_us, uint64_t now_us, struct err *err)
{
    enum result result = settle_in(f, request, err);

    if (result != RESULT_OK) {
        return result;
    }
    if (frontier_restore_wait(f, request, waits_until_us, now_us) != RESULT_OK) {
        host_unref(f->hosts, request->host);
        return err_nomem(err, "reading the ledger");
    }
    return RESULT_OK;
}

struct request *frontier_take_offered(struct frontier *f)
{
    struct request *request = request_queue_pop(&f->offered);

    f->offered_count -= request != NULL;
    return request;
}
