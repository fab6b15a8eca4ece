#include "fetch/transfer_network.h"

#include "fetch/client_cert.h"

#include <locale.h>
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
    return SET(CURLOPT_PATH_AS_IS, network->path_as_is ? 1L : 0L) &&
           set_versions(t, &network->tls) && SET(CURLOPT_PINNEDPUBLICKEY, network->tls.pin) &&
           set_route(t, &network->route);
}

/* A second request on a connection of HTTP/2 in clear text ends it in 7.88, and not from 8.1 on (measured: "Error in
 * the HTTP2 framing layer"). */
static bool breaks_at_second(const struct transfer *t, const char *url)
{
    return t->http == JOB_HTTP_2_AT_ONCE && str_starts(str_view(url), STR("http:")) &&
           curl_version_info(CURLVERSION_NOW)->version_num < 0x080100;
}

static bool show_cert(struct transfer *t, const struct job_tls *tls, bool shows)
{
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

/* libcurl tells connections apart by the certificate's file, and not by all else of it (CVE-2026-8932): whoever is
 * not told who we are has a connection of its own, which nobody else gets. */
bool transfer_network_keep_apart(struct transfer *t, const char *url, bool is_stranger)
{
    const struct job_network *network = t->config->options->network;
    bool has_cert = network && network->tls.cert;
    bool is_twin = t->proxy && t->proxy->is_twin;
    bool is_alone = (has_cert && is_stranger) || is_twin || breaks_at_second(t, url);

    return SET(CURLOPT_FORBID_REUSE, is_alone ? 1L : 0L) &&
           (!is_alone || (SET(CURLOPT_FRESH_CONNECT, 1L) && SET(CURLOPT_PIPEWAIT, 0L))) &&
           (!has_cert || show_cert(t, &network->tls, !is_stranger));
}

static bool is_ascii(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.data[i] >= 0x80) {
            return false;
        }
    }
    return true;
}

/* libcurl writes names as DNS has them by the charset of the locale, which knows none of them in a cron job. */
const char *transfer_network_url(struct transfer *t, const char *url)
{
    locale_t utf8, before;
    struct url parts;
    char *written = NULL;
    CURLU *handle;

    if (!url || is_ascii(str_view(url)) || url_split(str_view(url), &parts, NULL) != RESULT_OK ||
        is_ascii(parts.host)) {
        return url;
    }
    handle = curl_url();
    utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    before = utf8 ? uselocale(utf8) : (locale_t)0;
    if (handle && curl_url_set(handle, CURLUPART_URL, url, CURLU_URLENCODE) == CURLUE_OK) {
        (void)curl_url_get(handle, CURLUPART_URL, &written, CURLU_PUNYCODE);
    }
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    curl_url_cleanup(handle);
    if (written) {
        buf_reset(&t->idn);
        url = buf_append_str(&t->idn, str_view(written)) == RESULT_OK ? buf_cstr(&t->idn) : NULL;
    }
    curl_free(written);
    return url;
}
