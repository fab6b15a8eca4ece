/* What a transfer says of itself, for all that judge it. */
#include "fetch/transfer_outcome.h"

bool transfer_status_is_good(int status)
{
    return status >= 200 && status <= 299;
}

int transfer_status(const struct transfer *t)
{
    long status = 0;

    curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

const struct fetch_endpoint *transfer_endpoint(const struct transfer *t)
{
    return &t->config->options->endpoints[t->response->request->endpoint];
}

uint64_t transfer_info_us(const struct transfer *t, CURLINFO info)
{
    curl_off_t us = 0;

    curl_easy_getinfo(t->easy, info, &us);
    return us > 0 ? (uint64_t)us : 0;
}
