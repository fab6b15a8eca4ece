#include "demo/reply.h"

#include "base/json_write.h"

#include <stdio.h>
#include <string.h>

void reply_init(struct reply *reply)
{
    *reply = (struct reply){ .status = 200, .type = REPLY_TYPE_JSON };
    buf_init(&reply->headers, REPLY_HEADERS_MAX);
    buf_init(&reply->body, REPLY_BODY_MAX);
}

void reply_release(struct reply *reply)
{
    buf_release(&reply->headers);
    buf_release(&reply->body);
}

static void keep_first(struct reply *reply, enum result result)
{
    if (reply->result == RESULT_OK) {
        reply->result = result;
    }
}

void reply_header(struct reply *reply, const char *name, const char *format, ...)
{
    struct buf *headers = &reply->headers;
    size_t name_size = strlen(name) + 1, value_size;
    enum result result;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    value_size = (size_t)(len < 0 ? 0 : len) + 1;
    result = buf_reserve(headers, name_size + value_size);
    keep_first(reply, len < 0 ? RESULT_INVALID : result);
    if (reply->result != RESULT_OK) {
        return;
    }
    memcpy(headers->data + headers->len, name, name_size);
    va_start(args, format);
    vsnprintf(headers->data + headers->len + name_size, value_size, format, args);
    va_end(args);
    headers->len += name_size + value_size;
}

void reply_error(struct reply *reply, unsigned status, const char *format, ...)
{
    struct json_writer j = json_write_begin(&reply->body);
    char message[256];
    va_list args;

    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    reply->status = status;
    reply->type = REPLY_TYPE_JSON;
    reply->lent = NULL;
    reply->is_endless = false;
    buf_reset(&reply->body);
    json_write_object(&j, NULL);
    json_write_object(&j, "error");
    json_write_uint(&j, "status", status);
    json_write_text(&j, "message", str_view(message));
    json_write_object_end(&j);
    json_write_object_end(&j);
    keep_first(reply, j.result);
}

bool reply_next_header(const struct reply *reply, size_t *at, const char **name, const char **value)
{
    if (*at >= reply->headers.len) {
        return false;
    }
    *name = reply->headers.data + *at;
    *at += strlen(*name) + 1;
    *value = reply->headers.data + *at;
    *at += strlen(*value) + 1;
    return true;
}
