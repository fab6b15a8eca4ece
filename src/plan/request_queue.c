#include "plan/request_queue.h"

void request_queue_append(struct request_queue *queue, struct request *request)
{
    request->next = NULL;
    if (queue->last) {
        queue->last->next = request;
    } else {
        queue->first = request;
    }
    queue->last = request;
}

void request_queue_prepend(struct request_queue *queue, struct request *request)
{
    request->next = queue->first;
    queue->first = request;
    if (!queue->last) {
        queue->last = request;
    }
}

struct request *request_queue_pop(struct request_queue *queue)
{
    struct request *request = queue->first;

    if (request) {
        queue->first = request->next;
        if (!queue->first) {
            queue->last = NULL;
        }
        request->next = NULL;
    }
    return request;
}

struct request *request_queue_take(struct request_queue *queue, uint64_t id)
{
    struct request *before = NULL, *request = queue->first;

    while (request && request->id != id) {
        before = request;
        request = request->next;
    }
    if (!request || !before) {
        return request ? request_queue_pop(queue) : NULL;
    }
    before->next = request->next;
    if (queue->last == request) {
        queue->last = before;
    }
    request->next = NULL;
    return request;
}
