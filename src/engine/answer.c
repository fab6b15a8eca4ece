#include "engine/answer.h"

#include "plan/request.h"

struct answer answer_of(const struct response *response, uint64_t now_us, bool is_asleep)
{
    const struct request *request = response->request;

    return (struct answer){
        .endpoint = request->endpoint,
        .host = request->host,
        .started_us = request->since_us,
        .ended_us = now_us,
        .latency_us = response->status ? response->timing.total_us : 0,
        .status = response->status,
        .outcome = response->outcome,
        .throttled = response->status == 429,
        .is_asleep = is_asleep,
        .is_reused = response->reused,
        .sends = response->sends,
        .challenges = response->challenges,
        .refusals = response->refusals,
        .wire_bytes = response->wire_bytes,
        .crowd = request->crowd,
        .response = response,
    };
}
