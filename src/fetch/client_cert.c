#include "fetch/client_cert.h"

#include "base/buf.h"
#include "base/os.h"
#include "base/read_all.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DER_SEQUENCE 0x30

bool client_cert_is_p12(const char *path)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    unsigned char first = 0;
    bool is_p12 = fd >= 0 && read(fd, &first, 1) == 1 && first == DER_SEQUENCE;

    if (fd >= 0) {
        close(fd);
    }
    return is_p12;
}

/* What is read of both files. */
struct pair {
    X509 *cert;
    EVP_PKEY *key;
};

struct asked {
    const char *pass; /* NULL: none */
    bool is_asked;
};

static int give_pass(char *room, int size, int is_writing, void *context)
{
    struct asked *asked = context;
    size_t len = asked->pass ? strlen(asked->pass) : 0;

    (void)is_writing;
    asked->is_asked = true;
    if (!asked->pass || len > (size_t)size) {
        return -1;
    }
    memcpy(room, asked->pass, len);
    return (int)len;
}

static enum result no_key(const char *path, const struct asked *asked, struct err *err)
{
    if (asked->is_asked) {
        return err_set(err, RESULT_INVALID, "E-TLS4",
                       asked->pass
                           ? "key %s: the pass phrase is wrong"
                           : "key %s wants a pass phrase: give --pass '${NAME}' or --pass @FILE",
                       path);
    }
    return err_set(err, RESULT_INVALID, "E-TLS4", "%s holds no private key that can be read", path);
}

static enum result read_pem_key(struct str text, const char *path, const char *pass,
                                struct pair *pair, struct err *err)
{
    struct asked asked = { pass, false };
    BIO *bio = BIO_new_mem_buf(text.len ? text.data : "", (int)text.len);

    if (!bio) {
        return err_nomem(err, "reading a key");
    }
    pair->key = PEM_read_bio_PrivateKey(bio, NULL, give_pass, &asked);
    BIO_free(bio);
    return pair->key ? RESULT_OK : no_key(path, &asked, err);
}

static enum result read_pem_cert(struct str text, const char *path, struct pair *pair,
                                 struct err *err)
{
    BIO *bio = BIO_new_mem_buf(text.len ? text.data : "", (int)text.len); /* NULL is no buffer */

    if (!bio) {
        return err_nomem(err, "reading a certificate");
    }
    pair->cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return pair->cert
               ? RESULT_OK
               : err_set(err, RESULT_INVALID, "E-TLS4",
                         "%s holds no certificate that can be read; want PEM or PKCS #12", path);
}

static enum result read_p12(struct str text, const char *path, const char *pass, struct pair *pair,
                            struct err *err)
{
    const unsigned char *at = (const unsigned char *)text.data;
    PKCS12 *p12 = d2i_PKCS12(NULL, &at, (long)text.len);
    enum result result = RESULT_OK;

    if (!p12) {
        return err_set(err, RESULT_INVALID, "E-TLS4", "%s is neither PEM nor PKCS #12", path);
    }
    if (!PKCS12_verify_mac(p12, pass, -1) && (pass || !PKCS12_verify_mac(p12, "", 0))) {
        result = err_set(err, RESULT_INVALID, "E-TLS4",
                         pass ? "%s: the pass phrase is wrong"
                              : "%s wants a pass phrase: give --pass '${NAME}' or --pass @FILE",
                         path);
    } else if (!PKCS12_parse(p12, pass ? pass : "", &pair->key, &pair->cert, NULL) || !pair->cert) {
        result = err_set(err, RESULT_INVALID, "E-TLS4",
                         "%s holds no certificate that can be read (an old cipher?)", path);
    }
    PKCS12_free(p12);
    return result;
}

/* "2020-01-02" */
static void spell_day(const ASN1_TIME *time, char text[32])
{
    struct tm tm;

    snprintf(text, 32, "a time that cannot be read");
    if (ASN1_TIME_to_tm(time, &tm)) {
        strftime(text, 32, "%Y-%m-%d", &tm);
    }
}

static enum result check_pair(const struct pair *pair, const struct job_tls *tls, struct err *err)
{
    char day[32];

    if (!pair->key) {
        return err_set(err, RESULT_INVALID, "E-TLS4", "%s holds no private key: give --key",
                       tls->cert);
    }
    if (!X509_check_private_key(pair->cert, pair->key)) {
        return err_set(err, RESULT_INVALID, "E-TLS4",
                       "the certificate %s and the key %s are not of one another", tls->cert,
                       tls->key ? tls->key : "in it");
    }
    if (X509_cmp_current_time(X509_get0_notAfter(pair->cert)) < 0) {
        spell_day(X509_get0_notAfter(pair->cert), day);
        return err_set(err, RESULT_INVALID, "E-TLS4", "the certificate %s has expired, on %s",
                       tls->cert, day);
    }
    if (X509_cmp_current_time(X509_get0_notBefore(pair->cert)) > 0) {
        spell_day(X509_get0_notBefore(pair->cert), day);
        return err_set(err, RESULT_INVALID, "E-TLS4", "the certificate %s is not valid before %s",
                       tls->cert, day);
    }
    return RESULT_OK;
}

/* A certificate may be everybody's; what holds a key may not. */
static enum result read_cert_file(const char *path, bool holds_key, struct buf *text,
                                  struct err *err)
{
    enum result result;
    int fd;

    if (holds_key) {
        return secret_read_file(path, text, err);
    }
    fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0) {
        return err_set_errno(err, errno, "E-TLS4", "certificate %s", path);
    }
    result = read_all(fd, text);
    if (result == RESULT_IO) {
        err_set_errno(err, errno, "E-TLS4", "certificate %s", path);
    }
    close(fd);
    return result == RESULT_LIMIT
               ? err_set(err, result, "E-TLS4", "certificate %s is over %d bytes", path,
                         SECRET_FILE_MAX)
           : result == RESULT_NOMEM ? err_nomem(err, "reading a certificate")
                                    : result;
}

static void wipe(struct buf *b)
{
    if (b->data) {
        os_wipe(b->data, b->cap);
    }
    buf_release(b);
}

static enum result read_pair(const struct job_tls *tls, struct pair *pair, struct err *err)
{
    bool is_p12 = client_cert_is_p12(tls->cert);
    const char *pass = tls->pass.sent;
    struct buf cert, key;
    enum result result;

    buf_init(&cert, SECRET_FILE_MAX);
    buf_init(&key, SECRET_FILE_MAX);
    result = read_cert_file(tls->cert, is_p12 || !tls->key, &cert, err);
    if (result == RESULT_OK) {
        result = is_p12 ? read_p12(buf_view(&cert), tls->cert, pass, pair, err)
                        : read_pem_cert(buf_view(&cert), tls->cert, pair, err);
    }
    if (result == RESULT_OK && tls->key) {
        result = secret_read_file(tls->key, &key, err);
        EVP_PKEY_free(pair->key);
        pair->key = NULL;
        if (result == RESULT_OK) {
            result = read_pem_key(buf_view(&key), tls->key, pass, pair, err);
        }
    } else if (result == RESULT_OK && !is_p12) {
        result = read_pem_key(buf_view(&cert), tls->cert, pass, pair, err);
    }
    wipe(&cert);
    wipe(&key);
    return result;
}

enum result client_cert_check(const struct job_tls *tls, struct err *err)
{
    struct pair pair = { NULL, NULL };
    enum result result;

    if (!tls->cert) {
        return RESULT_OK;
    }
    result = read_pair(tls, &pair, err);
    if (result == RESULT_OK) {
        result = check_pair(&pair, tls, err);
    }
    X509_free(pair.cert);
    EVP_PKEY_free(pair.key);
    ERR_clear_error();
    return result;
}
