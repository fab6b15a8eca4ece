/**
 * Which HTTP a transfer speaks, and what HTTP/2 says beside its answers.
 *
 * libcurl tells of GOAWAY and REFUSED_STREAM (RFC 9113 sections 6.8, 7 and 8.7) only in what it says when it is verbose, so it
 * is where HTTP/2 is asked for. A stream that was refused was not acted on; libcurl tries it again up to five times. Who
 * goes away for ENHANCE_YOUR_CALM is noted with the connection, since all that it carried ends with it.
 *
 * Threads  loop thread only.
 */
#ifndef SCRAPETOP_FETCH_TRANSFER_HTTP_H
#define SCRAPETOP_FETCH_TRANSFER_HTTP_H

#include "fetch/transfer.h"

#define TRANSFER_CALMED_MAX 8

/** Connections that ended with ENHANCE_YOUR_CALM, by their ports on our side: the last ones. */
struct calmed {
    long ports[TRANSFER_CALMED_MAX];
    size_t count; /* so far */
};

/** Sets the version for this URL; `http` is its host's, JOB_HTTP_AUTO when nothing is known of that. A request waits
 *  for a connection that is being made only where that may carry several. */
MUST_CHECK bool transfer_http_choose(struct transfer *transfer, const char *url,
                                     enum job_http http);

/** What libcurl says of an HTTP/2 connection. */
void transfer_http_hear(struct transfer *transfer, struct str line);

/** Reads off the end what HTTP says of it: whether it was a refusal, whether it was acted on, and which version the
 *  server may speak instead. `text` is libcurl's. */
void transfer_http_end(const struct transfer *transfer, CURLcode code, const char *text,
                       struct response *response);

/** The connection ended where an answer should begin. libcurl 8 tells of it in OpenSSL's words when the server ended TLS
 *  without its farewell. `text` is libcurl's. */
bool transfer_http_is_empty(const struct transfer *transfer, CURLcode code, const char *text);

/** How a server ends that speaks only HTTP/2 and is asked in HTTP/1.1: without a byte, with frames, or by refusing the
 *  protocol within TLS. */
bool transfer_http_is_end_of_2(const struct transfer *transfer, CURLcode code, const char *text);

/** It may be carried together with others by one connection, and cannot be held up alone. */
bool transfer_http_is_stream(const struct transfer *transfer);

/** Its connection may say something unasked: it speaks HTTP/2, which is sure once it has answered. */
bool transfer_http_may_talk(const struct transfer *transfer);

#endif
