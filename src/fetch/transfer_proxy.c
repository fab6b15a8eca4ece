#include "fetch/transfer_proxy.h"

#include "fetch/private_address.h"
#include "fetch/transfer_outcome.h"

#include <stdio.h>
#include <string.h>

/* --- which one -------------------------------------------------------------------------------------------- */

static long kind_of(enum proxy_kind kind)
{
    static const long kinds[] = {
        [PROXY_HTTP] = CURLPROXY_HTTP,     [PROXY_HTTPS] = CURLPROXY_HTTPS,
        [PROXY_SOCKS4] = CURLPROXY_SOCKS4, [PROXY_SOCKS4A] = CURLPROXY_SOCKS4A,
        [PROXY_SOCKS5] = CURLPROXY_SOCKS5, [PROXY_SOCKS5H] = CURLPROXY_SOCKS5_HOSTNAME,
    };

    return kinds[kind];
}

/* Where a stranger leads us to, nobody can look at the address that libcurl finds for a SOCKS proxy of ours: the proxy
 * looks the name up then, as those do that resolve. */
static const char *url_for_stranger(const struct proxy *proxy, char text[URL_ORIGIN_MAX + 16])
{
    const char *host = strstr(proxy->url, "://") + 3;

    snprintf(text, URL_ORIGIN_MAX + 16, "%s://%s",
             proxy->kind == PROXY_SOCKS5 ? "socks5h" : "socks4a", host);
    return text;
}

/* The host as libcurl reads it, which knows more spellings of an address than one, without the dot that may end a name;
 * NULL without memory. */
static char *host_of(const char *url)
{
    CURLU *handle = curl_url();
    char *host = NULL;

    if (handle && curl_url_set(handle, CURLUPART_URL, url, 0) == CURLUE_OK) {
        (void)curl_url_get(handle, CURLUPART_HOST, &host, 0);
    }
    curl_url_cleanup(handle);
    if (host && host[0] == '[') {
        size_t len = strlen(host);

        memmove(host, host + 1, len - 1);
        host[len - 2] = '\0';
    } else if (host && host[0] && host[strlen(host) - 1] == '.') {
        host[strlen(host) - 1] = '\0';
    }
    return host;
}

static bool ends_with(struct str text, struct str end)
{
    return text.len >= end.len &&
           str_equal_nocase((struct str){ text.data + text.len - end.len, end.len }, end);
}

static bool is_this_machine(const char *host)
{
    struct str name = str_view(host);

    return str_equal_nocase(name, STR("localhost")) || ends_with(name, STR(".localhost"));
}

static bool has_private_address(const char *url)
{
    char *host = host_of(url);
    bool is_private = !host || ip_text_is_private(host) || is_this_machine(host);

    curl_free(host);
    return is_private;
}

bool transfer_proxy_leads_home(const struct transfer *t)
{
    char *host = host_of(request_url(t->response->request).data);
    bool is_ours = host && (ip_text_is_ours(host) || is_this_machine(host));

    curl_free(host);
    return is_ours;
}

enum result transfer_proxy_choose(struct transfer *t, const char *url, bool from_public,
                                  uint32_t which)
{
    char resolving[URL_ORIGIN_MAX + 16];
    const struct proxy *proxy;
    struct url parts;
    const char *text;

    t->proxy = proxy =
        !proxies_are_none(t->config->proxies) && url_split(str_view(url), &parts, NULL) == RESULT_OK
            ? proxies_for(t->config->proxies, &parts, which)
            : NULL;
    t->proxy_index = which;
    t->private_refused = proxy && from_public && has_private_address(url);
    text = !proxy                                             ? ""
           : from_public && !proxy_kind_resolves(proxy->kind) ? url_for_stranger(proxy, resolving)
                                                              : proxy->url;
    if (curl_easy_setopt(t->easy, CURLOPT_PROXY, text) != CURLE_OK) {
        return RESULT_NOMEM;
    }
    if (!proxy) {
        return RESULT_OK;
    }
    return curl_easy_setopt(t->easy, CURLOPT_PROXYTYPE, kind_of(proxy->kind)) == CURLE_OK &&
                   curl_easy_setopt(t->easy, CURLOPT_PROXYUSERNAME, proxy->name) == CURLE_OK &&
                   curl_easy_setopt(t->easy, CURLOPT_PROXYPASSWORD, proxy->password) == CURLE_OK
               ? RESULT_OK
               : RESULT_NOMEM;
}

/* --- whose fault ------------------------------------------------------------------------------------------ */

static bool blame(const struct transfer *t, struct response *r, enum proxy_fault fault,
                  const char *why)
{
    r->proxy_fault = fault;
    r->reached = false;
    r->sent = false;
    snprintf(r->reason, sizeof r->reason, "proxy %.80s: %s", t->proxy->url, why);
    return true;
}

static bool blame_for_answer(const struct transfer *t, struct response *r, long status)
{
    bool passes = status >= 500 || status == 408 || status == 429;
    char why[64];

    if (status == 407 || status == 401) { /* tinyproxy says 401 of a wrong password */
        snprintf(why, sizeof why,
                 t->proxy->name ? "it refuses the credentials (HTTP %ld)"
                                : "it wants credentials (HTTP %ld): give --proxy-user",
                 status);
        return blame(t, r, PROXY_FAULT_AUTH, why);
    }
    snprintf(why, sizeof why, "%s (HTTP %ld)",
             status >= 500 ? "it cannot reach this host"
             : passes      ? "it does not connect to this host now"
                           : "it refuses to connect to this host",
             status);
    return blame(t, r, passes ? PROXY_FAULT_GATEWAY : PROXY_FAULT_DENIED, why);
}

static bool blame_for_socks(const struct transfer *t, struct response *r, const char *text)
{
    long code = CURLPX_OK;

    curl_easy_getinfo(t->easy, CURLINFO_PROXY_ERROR, &code);
    switch (code) {
    case CURLPX_RESOLVE_HOST: /* by us: of whom is asked */
        return false;
    case CURLPX_USER_REJECTED:
    case CURLPX_NO_AUTH:
    case CURLPX_IDENTD:
    case CURLPX_IDENTD_DIFFER:
        return blame(t, r, PROXY_FAULT_AUTH,
                     t->proxy->name ? "it refuses the credentials"
                                    : "it wants credentials: give --proxy-user");
    case CURLPX_REPLY_NOT_ALLOWED:
        return blame(t, r, PROXY_FAULT_DENIED, "it refuses to connect to this host");
    case CURLPX_REQUEST_FAILED: /* SOCKS 4 has one word for both */
        return blame(t, r, PROXY_FAULT_GATEWAY, "it refuses to connect to this host, or cannot");
    case CURLPX_REPLY_CONNECTION_REFUSED:
        return blame(t, r, PROXY_FAULT_GATEWAY, "it cannot reach this host: connection refused");
    case CURLPX_REPLY_HOST_UNREACHABLE:
    case CURLPX_REPLY_NETWORK_UNREACHABLE:
    case CURLPX_REPLY_TTL_EXPIRED:
    case CURLPX_REPLY_GENERAL_SERVER_FAILURE:
        return blame(t, r, PROXY_FAULT_GATEWAY, "it cannot reach this host");
    case CURLPX_BAD_VERSION:
    case CURLPX_UNKNOWN_FAIL:
        return blame(t, r, PROXY_FAULT_DEAD, "it does not speak SOCKS");
    default:
        break;
    }
    return blame(t, r, PROXY_FAULT_DEAD, text);
}

static bool is_of_tls(CURLcode code)
{
    return code == CURLE_SSL_CONNECT_ERROR || code == CURLE_PEER_FAILED_VERIFICATION ||
           code == CURLE_SSL_CACERT_BADFILE || code == CURLE_SSL_CERTPROBLEM;
}

/* It was to carry bytes between us and who is asked, and has not begun to. */
static bool was_to_carry(const struct transfer *t)
{
    return transfer_info_us(t, CURLINFO_PRETRANSFER_TIME_T) == 0;
}

/* "connection refused", where the system says so. */
static bool blame_for_silence(const struct transfer *t, struct response *r, long errnum,
                              const char *text)
{
    char why[128];

    snprintf(why, sizeof why, "%s", errnum ? strerror((int)errnum) : text);
    if (errnum && why[0] >= 'A' && why[0] <= 'Z') {
        why[0] = (char)(why[0] - 'A' + 'a');
    }
    return blame(t, r, PROXY_FAULT_DEAD, why);
}

/* The connection is the proxy's, and nothing has come of it. */
static bool blame_for_end(const struct transfer *t, CURLcode code, struct response *r,
                          const char *text, long errnum)
{
    bool is_connected = transfer_info_us(t, CURLINFO_CONNECT_TIME_T) > 0;
    long verified = 0;

    if (!was_to_carry(t)) {
        return false;
    }
    curl_easy_getinfo(t->easy, CURLINFO_PROXY_SSL_VERIFYRESULT, &verified);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return blame_for_silence(t, r, errnum, text);
    case CURLE_OPERATION_TIMEDOUT:
        return is_connected
                   ? blame(t, r, PROXY_FAULT_GATEWAY, "it has not reached this host in time")
                   : blame(t, r, PROXY_FAULT_DEAD, "it does not answer");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
        return blame(t, r, PROXY_FAULT_DEAD, "it closed the connection without an answer");
    default:
        break;
    }
    return is_of_tls(code) && t->proxy->kind == PROXY_HTTPS && (verified != 0 || !is_connected) &&
           blame(t, r, PROXY_FAULT_TLS, text);
}

bool transfer_proxy_failed(const struct transfer *t, CURLcode code, struct response *r)
{
    const char *text = t->error[0] ? t->error : curl_easy_strerror(code);
    long connect_code = 0, errnum = 0;

    if (!t->proxy || code == CURLE_OK) {
        return false;
    }
    if (code == CURLE_COULDNT_RESOLVE_PROXY) {
        return blame(t, r, PROXY_FAULT_NAME, "its name is not known");
    }
    if (code == CURLE_PROXY) {
        return blame_for_socks(t, r, text);
    }
    curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &connect_code);
    if (connect_code >= 300) {
        return blame_for_answer(t, r, connect_code);
    }
    curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &errnum);
    return connect_code == 0 && blame_for_end(t, code, r, text, errnum);
}

/* What tinyproxy says itself of a wrong password, in clear text, looks like the word of who is asked but for its name. */
static bool is_of_tinyproxy(const struct transfer *t)
{
    struct curl_header *server = NULL;

    return curl_easy_header(t->easy, "Server", 0, CURLH_HEADER, -1, &server) == CURLHE_OK &&
           str_starts(str_view(server->value), STR("tinyproxy"));
}

bool transfer_proxy_refused(const struct transfer *t, struct response *r)
{
    return t->proxy &&
           (r->status == 407 || (r->status == 401 && t->proxy->name && is_of_tinyproxy(t))) &&
           blame_for_answer(t, r, r->status);
}
