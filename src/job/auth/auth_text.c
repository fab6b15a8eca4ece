#include "job/auth/auth_kind.h"

#include "base/base64.h"
#include "base/os.h"

#include <string.h>

#define PLACEHOLDER "{token}"

enum result auth_append_encoded(struct buf *out, struct str text)
{
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    enum result result = RESULT_OK;

    for (size_t i = 0; i < text.len && result == RESULT_OK; i++) {
        char c = text.data[i];

        result = memchr(unreserved, c, sizeof unreserved - 1)
                     ? buf_append_char(out, c)
                     : buf_printf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
    return result;
}

enum result auth_append_field(struct buf *out, const char *name, struct str value)
{
    enum result result = out->len ? buf_append_char(out, '&') : RESULT_OK;

    if (result == RESULT_OK) {
        result = auth_append_encoded(out, str_view(name));
    }
    if (result == RESULT_OK) {
        result = buf_append_char(out, '=');
    }
    return result == RESULT_OK ? auth_append_encoded(out, value) : result;
}

enum result auth_append_basic(struct buf *out, struct str user, struct str password)
{
    struct buf plain;
    enum result result;

    buf_init(&plain, 2 * AUTH_TOKEN_MAX);
    result = buf_append_str(&plain, user);
    if (result == RESULT_OK) {
        result = buf_append_char(&plain, ':');
    }
    if (result == RESULT_OK) {
        result = buf_append_str(&plain, password);
    }
    if (result == RESULT_OK) {
        result = base64_append(out, buf_view(&plain));
    }
    auth_wipe(&plain);
    return result;
}

void auth_wipe(struct buf *b)
{
    if (b->data) {
        os_wipe(b->data, b->cap);
    }
    buf_release(b);
}

enum result auth_append_sent(struct buf *out, const char *send, struct str token)
{
    const char *at = strstr(send, PLACEHOLDER);
    struct str head = { send, at ? (size_t)(at - send) : strlen(send) };
    struct str tail = str_view(at ? at + sizeof PLACEHOLDER - 1 : "");
    enum result result = buf_append_str(out, head);

    if (result == RESULT_OK && at) {
        result = buf_append_str(out, token);
    }
    return result == RESULT_OK ? buf_append_str(out, tail) : result;
}
