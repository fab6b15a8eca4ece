/**
 * Proxies: which one a URL is asked through, and what it is to be blamed for.
 *
 * The job's own is for all URLs, one of the environment for those of a scheme (job/job_network.h); a host that is in the
 * list of those without one is asked directly. The list is matched here as libcurl does it (lib/noproxy.c), and not
 * there, because 7.88 does not tell whether it has used a proxy.
 *
 * Whom a proxy of a kind that resolves names connects to, nobody here knows: private addresses are then refused only
 * where the URL has one.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_PROXY_H
#define SCRAPETOP_FETCH_PROXY_H

#include "base/err.h"
#include "base/url.h"
#include "job/job_network.h"
#include "job/proxy_url.h"

#include <stdbool.h>

struct proxy {
    const char *url;       /* for libcurl and for people: without credentials */
    const char *source;    /* "--proxy", or the environment's variable */
    char *name, *password; /* NULL: none */
    enum proxy_kind kind;
    /* another has its address with other credentials, which libcurl does not tell apart */
    bool is_twin;
};

struct proxies {
    struct proxy http, https; /* by the scheme of the request; `url` NULL: none */
    const char *none_for;     /* NULL: nobody */
    struct proxy *pool;       /* of those, the caller says which */
    size_t pool_count;
};

/** Borrows the job's texts. RESULT_NOMEM. */
MUST_CHECK enum result proxies_init(struct proxies *proxies, const struct job_proxy *job,
                                    struct err *err);
void proxies_release(struct proxies *proxies);

/** None is ever asked through. */
bool proxies_are_none(const struct proxies *proxies);

/** NULL: it is asked directly. `which` of a pool, from 0. */
const struct proxy *proxies_for(const struct proxies *proxies, const struct url *url, size_t which);

/** The host is in such a list: names with all that is below them, addresses, blocks of them, or "*". */
bool proxy_is_not_for(const char *list, struct str host, bool is_ipv6);

#endif
