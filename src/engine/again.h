/**
 * Again: an answer that says "not ready" is asked for once more, where it was asked or where it says.
 *
 * That costs no try, and is durable: where to ask, how often it was asked and how long it was waited for stand in the
 * ledger with the deadline. A result at another URL is requested at once, as a redirect is followed; after a crash in
 * between, the status URL is asked again and names it again.
 *
 * No credential is sent to another origin, nor one in a URL: the rules are those of redirects (redirect.c).
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_AGAIN_H
#define SCRAPETOP_ENGINE_AGAIN_H

struct engine;
struct opinion;
struct response;

/** Not ready: asks again, or goes for the result. Takes the response. */
void again_take(struct engine *engine, struct response *response, const struct opinion *opinion);

#endif
