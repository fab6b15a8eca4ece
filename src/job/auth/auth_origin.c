#include "job/auth/auth_kind.h"

#include "base/url.h"

#include <string.h>

/* What says it: "base", else the first URL or pattern; NULL when neither does. */
static const char *text_of(const struct job *job)
{
    const struct job_endpoint *first = job->endpoint_count ? &job->endpoints[0] : NULL;

    if (job->base) {
        return job->base;
    }
    return first && first->source_count && first->sources[0].kind != JOB_SOURCE_LIST
               ? first->sources[0].text
               : NULL;
}

bool auth_origin_of(const struct job *job, struct url *url)
{
    const char *text = text_of(job);
    const char *authority = text ? strstr(text, "://") : NULL;
    struct str head = { text, 0 };

    if (!authority) {
        return false;
    }
    head.len = (size_t)(authority - text) + 3 + strcspn(authority + 3, "/?#");
    return !memchr(head.data, '{', head.len) && url_split(head, url, NULL) == RESULT_OK;
}
