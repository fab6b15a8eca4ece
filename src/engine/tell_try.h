/**
 * What is written down of a try that failed: for events.jsonl, and of one that was the last for the screen.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_ENGINE_TELL_TRY_H
#define SCRAPETOP_ENGINE_TELL_TRY_H

struct engine;
struct response;

/** It was the last one. */
void tell_failed(struct engine *engine, const struct response *response);

/** It is asked again: when, and who says so. */
void tell_retry(struct engine *engine, const struct response *response);

#endif
