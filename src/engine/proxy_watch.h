/**
 * Proxy watch: when a proxy does not work, the requests have not failed.
 *
 * A proxy that is absent, refuses us, or has an unknown name stops the run with E-PRX2 at the first such request,
 * which stays pending. One that has carried answers before may come back: it is tried again like a host, until a
 * request has used up its tries. When the proxy works but cannot reach a host, or will not, that host's requests
 * fail.
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

/** Its proxy does not work: the request is left to a later session and has used no try. */
bool proxy_is_over(const struct engine *engine, const struct response *response);

/** It came through one of a pool that its host has left since. */
bool proxy_has_left(struct engine *engine, const struct response *response);

/** A retry through this proxy would fail in the same way. */
bool proxy_is_hopeless(const struct response *response);

/** Says in the log which proxies there are. */
void proxy_tell(struct engine *engine);

#endif
