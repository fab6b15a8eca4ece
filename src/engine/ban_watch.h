/**
 * Ban watch: a host that answered well, and refuses everything with 403 from then on (plan/ban.h), is held and
 * named.
 *
 * What went well before is asked once more, to see whether that is over: only this tells a ban from a row of URLs
 * that are not for us, and no further URL is spent on it. Its answer is thrown away. Where nothing can be asked
 * twice, the next URL is what is asked.
 *
 * When the host answers again, what it had refused in the row is asked again.
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
