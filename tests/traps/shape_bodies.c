/* Bodies that are not what they say: no JSON, or without an end. */
#include "traps.h"

#include "demo/reply.h"

static void put_text(struct reply *reply, const char *text, size_t len)
{
    enum result result = buf_append(&reply->body, text, len);

    if (reply->result == RESULT_OK) {
        reply->result = result;
    }
}

void shape_endless(struct world *world, const struct ask *ask, struct reply *reply)
{
    (void)world;
    (void)ask;
    reply->is_endless = true;
}

void shape_html(struct world *world, const struct ask *ask, struct reply *reply)
{
    static const char page[] = "<!DOCTYPE html>\n<html><title>Sign in</title><body><h1>Please sign "
                               "in</h1></body></html>\n";

    (void)world;
    (void)ask;
    reply->type = "text/html; charset=utf-8";
    put_text(reply, page, sizeof page - 1);
}

void shape_empty(struct world *world, const struct ask *ask, struct reply *reply)
{
    (void)world;
    (void)ask;
    put_text(reply, "", 0);
}

/* Each says application/json and is none. */
void shape_badjson(struct world *world, const struct ask *ask, struct reply *reply)
{
    static const struct {
        struct str kind, body;
    } bad[] = {
        { STR_INIT("cut"), STR_INIT("{\"id\":1,\"title\":\"cut in the mid") },
        { STR_INIT("comma"), STR_INIT("{\"id\":1,}") },
        { STR_INIT("nan"), STR_INIT("{\"value\":NaN}") },
        { STR_INIT("utf8"), STR_INIT("{\"name\":\"caf\xE9\"}") },
        { STR_INIT("bom"), STR_INIT("\xEF\xBB\xBF{\"id\":1}") },
        { STR_INIT("two"), STR_INIT("{\"id\":1}\n{\"id\":2}\n") },
        { STR_INIT("text"), STR_INIT("Service temporarily overloaded\n") },
    };
    char kind[16] = "cut";
    size_t len = 3;

    (void)world;
    if (ask_param(ask, "kind", kind, sizeof kind, &len) != ASK_MALFORMED) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            if (str_equal((struct str){ kind, len ? len : 3 }, bad[i].kind)) {
                put_text(reply, bad[i].body.data, bad[i].body.len);
                return;
            }
        }
    }
    reply_error(reply, 400, "kind is one of cut, comma, nan, utf8, bom, two, text");
}
