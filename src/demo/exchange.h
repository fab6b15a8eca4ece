/**
 * Exchange: one request and its answer, in the terms of libmicrohttpd.
 *
 * The four functions below are its callbacks, and the timer's. Everything happens on the server's
 * thread; an exchange that waits is a suspended connection and an entry in the server's timers.
 *
 * Ownership  made when the request line is read, freed when MHD says that the request is completed.
 */
#ifndef SCRAPETOP_DEMO_EXCHANGE_H
#define SCRAPETOP_DEMO_EXCHANGE_H

#include "demo/server.h"

#include <microhttpd.h>

struct exchange;

/** MHD_OPTION_URI_LOG_CALLBACK; `context` is the server. */
void *exchange_on_target(void *context, const char *target, struct MHD_Connection *connection);

/** MHD_AccessHandlerCallback; `context` is the server. */
enum MHD_Result exchange_on_request(void *context, struct MHD_Connection *connection,
                                    const char *path, const char *method, const char *version,
                                    const char *data, size_t *data_size, void **exchange);

/** MHD_OPTION_NOTIFY_COMPLETED; `context` is the server. */
void exchange_on_completed(void *context, struct MHD_Connection *connection, void **exchange,
                           enum MHD_RequestTerminationCode how);

/** Its moment has come: resumes the connection, or waits on. */
void exchange_on_timer(struct exchange *exchange);

/** Resumes the connection whatever it waits for: MHD wants none suspended when it stops. */
void exchange_abandon(struct exchange *exchange);

#endif
