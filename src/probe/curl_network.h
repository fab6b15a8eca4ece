/**
 * What a curl command says of how the server is reached: kept as options of ours.
 *
 * Errors  E-CURL1, RESULT_NOMEM.
 */
#ifndef SCRAPETOP_PROBE_CURL_NETWORK_H
#define SCRAPETOP_PROBE_CURL_NETWORK_H

#include "probe/curl_command.h"
#include "probe/curl_options.h"

/** One of CURL_NETWORK, CURL_SOCKS, CURL_TLS13, CURL_FLAG and CURL_INSECURE. */
MUST_CHECK enum result curl_network_apply(struct curl_command *command,
                                          const struct curl_known *known, struct str value,
                                          struct err *err);

#endif
