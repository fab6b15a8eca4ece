#include "fleet/tls.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define SAID_MAX 120

struct fleet_tls {
    const struct fleet_place *place;
    char host[FLEET_HOST_MAX]; /* the same, as OpenSSL takes it: not const */
    SSL_CTX *context;
    SSL *ssl; /* of the connection that is open, or NULL */
    int fd;
    bool lacks_certificate; /* of its own, which the server asked for */
    bool has_read;          /* something, on this connection */
};

/* --- what went wrong ----------------------------------------------------------------------------------- */

static enum result deny(struct err *err, const char *what, const char *why)
{
    return err_set(err, RESULT_DENIED, "E-FLEET1", "%s: %.*s", what, SAID_MAX, why);
}

static const char *last_reason(void)
{
    const char *text = ERR_reason_error_string(ERR_peek_last_error());

    return text ? text : "no reason is given";
}

static enum result refuse_certificate(const struct fleet_tls *t, long verdict, struct err *err)
{
    const char *why = X509_verify_cert_error_string(verdict);

    if (verdict == X509_V_ERR_HOSTNAME_MISMATCH || verdict == X509_V_ERR_IP_ADDRESS_MISMATCH) {
        return err_set(err, RESULT_DENIED, "E-FLEET1",
                       "the certificate of the Redis is not that of %.120s (%.60s)", t->place->host,
                       why);
    }
    return deny(err,
                "the certificate of the Redis is not trusted, ?cacert=FILE names another authority",
                why);
}

#define WANTS_CERTIFICATE "the Redis wants a certificate of its clients, ?cert=FILE&key=FILE"

/* What the greeting, or a reading later on, ended with for good. */
static enum result fail(const struct fleet_tls *t, struct err *err)
{
    static const struct {
        int reason;
        const char *what;
    } known[] = {
        { SSL_R_WRONG_VERSION_NUMBER, "what answers there speaks no TLS, want redis://" },
        { SSL_R_HTTP_REQUEST, "what answers there speaks no TLS, want redis://" },
        { SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED, WANTS_CERTIFICATE },
        { SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE,
          "the Redis wants another TLS, or a certificate of its clients (?cert=FILE&key=FILE)" },
        { SSL_R_TLSV1_ALERT_UNKNOWN_CA,
          "the Redis does not trust the certificate of this client (?cert=FILE&key=FILE)" },
    };
    long verdict = SSL_get_verify_result(t->ssl);
    int reason = ERR_GET_REASON(ERR_peek_last_error());

    if (verdict != X509_V_OK) {
        return refuse_certificate(t, verdict, err);
    }
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (reason == known[i].reason) {
            return deny(err, known[i].what, last_reason());
        }
    }
    return err_set(err, RESULT_BUSY, "E-FLEET5", "TLS: %.*s", SAID_MAX, last_reason());
}

/* After `done` of an SSL_ function: RESULT_OK, and it is to be called once more, when the socket is ready. */
static enum result wait_for(struct fleet_tls *t, int done, uint64_t due_ns, const char *late,
                            struct err *err)
{
    int why = SSL_get_error(t->ssl, done);
    struct pollfd fd = { .fd = t->fd, .events = why == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN };
    uint64_t now_ns = uv_hrtime();

    if (why == SSL_ERROR_SSL) {
        return fail(t, err);
    }
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE) {
        /* by TLS 1.3 the alert may be lost with what was sent meanwhile */
        return t->lacks_certificate && !t->has_read
                   ? err_set(err, RESULT_DENIED, "E-FLEET1", WANTS_CERTIFICATE)
                   : err_set(err, RESULT_BUSY, "E-FLEET5", "Server closed the connection");
    }
    if (now_ns < due_ns) {
        (void)!poll(&fd, 1,
                    (int)((due_ns - now_ns) / 1000000) +
                        1); /* an interrupted one is seen next time */
        return RESULT_OK;
    }
    return err_set(err, RESULT_BUSY, "E-FLEET5", "%s", late);
}

/* --- what is the same for all connections ---------------------------------------------------------------- */

static int no_password(char *text, int size, int writes, void *context)
{
    (void)text;
    (void)size;
    (void)writes;
    (void)context;
    return -1; /* else OpenSSL asks at the terminal */
}

/* Asked only when it has none. */
static int note_lack(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct fleet_tls *t = SSL_get_app_data(ssl);

    (void)certificate;
    (void)key;
    t->lacks_certificate = true;
    return 0;
}

static enum result read_files(struct fleet_tls *t, struct err *err)
{
    const struct fleet_place *p = t->place;
    const char *key = p->key_file[0] ? p->key_file : p->cert_file;

    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb(t->context, no_password);
    if (p->ca_file[0] ? SSL_CTX_load_verify_locations(t->context, p->ca_file, NULL) != 1
                      : SSL_CTX_set_default_verify_paths(t->context) != 1) {
        return deny(err, "?cacert= has no certificates", last_reason());
    }
    if (p->cert_file[0] && SSL_CTX_use_certificate_chain_file(t->context, p->cert_file) != 1) {
        return deny(err, "?cert= has no certificate", last_reason());
    }
    if (key[0] && (SSL_CTX_use_PrivateKey_file(t->context, key, SSL_FILETYPE_PEM) != 1 ||
                   SSL_CTX_check_private_key(t->context) != 1)) {
        return deny(err, "?key= has no key of ?cert= that is not encrypted", last_reason());
    }
    return RESULT_OK;
}

enum result fleet_tls_new(struct fleet_tls **tls, const struct fleet_place *place, struct err *err)
{
    struct fleet_tls *t = calloc(1, sizeof *t);
    enum result result;

    *tls = NULL;
    if (!t) {
        return err_nomem(err, "preparing TLS");
    }
    t->place = place;
    memcpy(t->host, place->host, sizeof t->host);
    t->context = SSL_CTX_new(TLS_client_method());
    if (!t->context || SSL_CTX_set_min_proto_version(t->context, TLS1_2_VERSION) != 1) {
        fleet_tls_free(t);
        return err_nomem(err, "preparing TLS");
    }
    SSL_CTX_set_verify(t->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_client_cert_cb(t->context, note_lack);
    SSL_CTX_set_mode(t->context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    result = read_files(t, err);
    if (result != RESULT_OK) {
        fleet_tls_free(t);
        return result;
    }
    *tls = t;
    return RESULT_OK;
}

void fleet_tls_free(struct fleet_tls *t)
{
    if (t) {
        fleet_tls_close(t);
        SSL_CTX_free(t->context);
        free(t);
    }
}

/* --- one connection ---------------------------------------------------------------------------------------- */

void fleet_tls_close(struct fleet_tls *t)
{
    if (t) {
        SSL_free(t->ssl);
        t->ssl = NULL;
    }
}

static bool is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

/* Whom the certificate must be of. */
static bool name_peer(SSL *ssl, char *host)
{
    if (is_address(host)) {
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
    }
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

enum result fleet_tls_open(struct fleet_tls *t, int fd, uint64_t due_ns, struct err *err)
{
    int flags = fcntl(fd, F_GETFL), done = 0;
    enum result result = RESULT_OK;

    fleet_tls_close(t);
    ERR_clear_error();
    t->fd = fd;
    t->lacks_certificate = t->has_read = false;
    t->ssl = SSL_new(t->context);
    if (!t->ssl || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ||
        SSL_set_app_data(t->ssl, t) != 1 || SSL_set_fd(t->ssl, fd) != 1 ||
        !name_peer(t->ssl, t->host)) {
        fleet_tls_close(t);
        return err_nomem(err, "beginning TLS");
    }
    while (result == RESULT_OK && done != 1) {
        ERR_clear_error();
        done = SSL_connect(t->ssl);
        if (done != 1) {
            result = wait_for(t, done, due_ns,
                              "no word of TLS from there; a Redis without it says none, and wants "
                              "redis://",
                              err);
        }
    }
    return result;
}

enum result fleet_tls_write(struct fleet_tls *t, const char *bytes, size_t len, uint64_t due_ns,
                            struct err *err)
{
    enum result result = RESULT_OK;

    while (len && result == RESULT_OK) {
        int done;

        ERR_clear_error();
        done = SSL_write(t->ssl, bytes, len < INT_MAX ? (int)len : INT_MAX);
        if (done > 0) {
            bytes += done;
            len -= (size_t)done;
        } else {
            result = wait_for(t, done, due_ns, "it takes too long to take a command", err);
        }
    }
    return result;
}

enum result fleet_tls_read(struct fleet_tls *t, char *bytes, size_t size, size_t *len,
                           uint64_t due_ns, struct err *err)
{
    enum result result = RESULT_OK;
    int done = 0;

    while (result == RESULT_OK && done <= 0) {
        ERR_clear_error();
        done = SSL_read(t->ssl, bytes, size < INT_MAX ? (int)size : INT_MAX);
        if (done <= 0) {
            result = wait_for(t, done, due_ns, "it takes too long to answer", err);
        }
    }
    t->has_read |= done > 0;
    *len = done > 0 ? (size_t)done : 0;
    return result;
}
