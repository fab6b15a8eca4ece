/**
 * Proxy watch: a proxy that nothing can be asked through is no failure of what was to be asked.
 *
 * One that is not there, refuses us, or has a name that is not known is so for every request: the run stops with
 * E-PRX2 at the first that says so, and what it was is pending. One that has carried answers before may come back:
 * it is tried again like a host, until a request has used up its tries. A host that a proxy alone does not reach,
 * or does not want to, fails for itself.
 *
 * Of a pool of proxies (plan/proxy_pool.h) it is the pair of host and proxy that is held, or the proxy alone, and what
 * was asked through it is asked through another, as if it had not been.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_PROXY_WATCH_H
#define SCRAPETOP_ENGINE_PROXY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

struct engine;
struct response;

/** An answer, or what became of it, comes in: the run may stop for it. */
void proxy_note(struct engine *engine, struct response *response);

/** Of a pool (plan/proxy_pool.h), the proxy that a host is asked through now. */
uint32_t proxy_of(struct engine *engine, uint32_t host);

/** Its URL without credentials; NULL without a pool. */
const char *proxy_shown(struct engine *engine, uint32_t host);

/** Nothing can be asked through its proxy: it is to be asked by a later session, and was no try. */
bool proxy_is_over(const struct engine *engine, const struct response *response);

/** It came through one of a pool that its host has left since. */
bool proxy_has_left(struct engine *engine, const struct response *response);

/** The proxy would say the same again. */
bool proxy_is_hopeless(const struct response *response);

/** Says in the log which proxies there are. */
void proxy_tell(struct engine *engine);

#endif
