/**
 * Ban watch: a host that answered well, and refuses everything with 403 from then on (plan/ban.h), is held and
 * named.
 *
 * A request that succeeded before is repeated as a probe: only that tells a ban from a row of forbidden URLs, and it
 * costs no new URL. Its answer is thrown away. If no request may be repeated, the next URL is the probe.
 *
 * When the host answers again, the requests that it refused in the row are asked again.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_BAN_WATCH_H
#define SCRAPETOP_ENGINE_BAN_WATCH_H

#include <stdbool.h>

struct engine;
struct response;

/** An answer, whatever it is: perhaps its host refuses everything from now on, or no longer does. */
void ban_note(struct engine *engine, const struct response *response, bool is_put_off);

/** Takes the response, when it was asked for only to see whether its host answers again. */
bool ban_takes(struct engine *engine, struct response *response);

#endif
