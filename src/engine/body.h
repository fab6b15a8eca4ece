/**
 * A body, read as JSON: as it is, or as what it says (base/body_text.h), with the bytes that were sent beside it.
 *
 * Errors   none: a body that there is no memory to read is none that can be read.
 * Threads  body_read_json anywhere, of one response at a time; body_tell on the loop thread.
 */
#ifndef SCRAPETOP_ENGINE_BODY_H
#define SCRAPETOP_ENGINE_BODY_H

#include "base/json_scan.h"
#include "engine/engine_state.h"

/** True when the response's body is JSON now; else `error` says why it is not. */
MUST_CHECK bool body_read_json(struct response *response, struct json_error *error);

/** Says in the log what the body was, of each kind the first time in a run. */
void body_tell(struct engine *engine, const struct response *response);

#endif
