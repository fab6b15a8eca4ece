#include "plan/request.h"

#include <stdlib.h>
#include <string.h>

const char *outcome_name(enum outcome outcome)
{
    static const char *const names[] = {
        [OUTCOME_OK] = "ok",
        [OUTCOME_STATUS] = "status",
        [OUTCOME_REDIRECT] = "redirect",
        [OUTCOME_DNS] = "dns",
        [OUTCOME_CONNECT] = "connect",
        [OUTCOME_TLS] = "tls",
        [OUTCOME_TIMEOUT] = "timeout",
        [OUTCOME_SHORT_BODY] = "short body",
        [OUTCOME_BAD_JSON] = "bad json",
        [OUTCOME_TOO_BIG] = "too big",
        [OUTCOME_ENCODING] = "encoding",
        [OUTCOME_PROTOCOL] = "protocol",
        [OUTCOME_REFUSED] = "refused",
        [OUTCOME_LOCAL] = "local",
        [OUTCOME_CANCELLED] = "cancelled",
    };

    return names[outcome];
}

struct request *request_new(uint64_t id, uint32_t endpoint, struct str key, struct str url)
{
    struct request *request = malloc(sizeof *request + key.len + url.len + 2);

    if (!request) {
        return NULL;
    }
    memset(request, 0, sizeof *request);
    request->id = id;
    request->endpoint = endpoint;
    memcpy(request->text, key.data, key.len);
    request->text[key.len] = '\0';
    request->key = (struct str){ request->text, key.len };
    memcpy(request->text + key.len + 1, url.data, url.len);
    request->text[key.len + 1 + url.len] = '\0';
    request->url = (struct str){ request->text + key.len + 1, url.len };
    return request;
}

void request_free(struct request *request)
{
    if (request) {
        free(request->redirect_url);
        free(request);
    }
}

struct str request_url(const struct request *request)
{
    return request->redirect_url ? str_view(request->redirect_url) : request->url;
}
