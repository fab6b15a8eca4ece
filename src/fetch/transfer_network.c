#include "fetch/transfer_network.h"

#include "fetch/client_cert.h"

#include <string.h>

#define SET(option, value) (curl_easy_setopt(t->easy, option, value) == CURLE_OK)

static bool set_versions(struct transfer *t, const struct job_tls *tls)
{
    bool is_newest = tls->min && strcmp(tls->min, "1.3") == 0;

    return SET(CURLOPT_SSLVERSION,
               (long)(is_newest ? CURL_SSLVERSION_TLSv1_3 : CURL_SSLVERSION_TLSv1_2));
}

static bool set_route(struct transfer *t, const struct job_route *route)
{
    long ip = route->ipv4   ? CURL_IPRESOLVE_V4
              : route->ipv6 ? CURL_IPRESOLVE_V6
                            : CURL_IPRESOLVE_WHATEVER;

    return SET(CURLOPT_RESOLVE, t->config->resolve) &&
           SET(CURLOPT_CONNECT_TO, t->config->connect_to) &&
           SET(CURLOPT_UNIX_SOCKET_PATH, route->unix_socket) &&
           SET(CURLOPT_INTERFACE, route->interface) && SET(CURLOPT_IPRESOLVE, ip);
}

bool transfer_network_set_up(struct transfer *t)
{
    const struct job_network *network = t->config->options->network;

    if (!network) {
        return SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    }
    t->shows_cert = false;
    return set_versions(t, &network->tls) && SET(CURLOPT_PINNEDPUBLICKEY, network->tls.pin) &&
           set_route(t, &network->route);
}

/* libcurl tells connections apart by the certificate's file, and not by all else of it (CVE-2026-8932): whoever is
 * not told who we are has a connection of its own, which nobody else gets. */
bool transfer_network_show_cert(struct transfer *t, bool is_stranger)
{
    const struct job_network *network = t->config->options->network;
    const struct job_tls *tls = network ? &network->tls : NULL;
    bool shows = tls && tls->cert && !is_stranger;

    if (!tls || !tls->cert) {
        return true;
    }
    if (!SET(CURLOPT_FORBID_REUSE, shows ? 0L : 1L) ||
        (!shows && !SET(CURLOPT_FRESH_CONNECT, 1L))) {
        return false;
    }
    if (shows == t->shows_cert) {
        return true;
    }
    t->shows_cert = shows;
    return SET(CURLOPT_SSL_SESSIONID_CACHE, shows ? 1L : 0L) &&
           SET(CURLOPT_SSLCERT, shows ? tls->cert : NULL) &&
           SET(CURLOPT_SSLCERTTYPE, shows && t->config->cert_is_p12 ? "P12" : "PEM") &&
           SET(CURLOPT_SSLKEY, shows ? tls->key : NULL) &&
           SET(CURLOPT_KEYPASSWD, shows ? tls->pass.sent : NULL);
}
