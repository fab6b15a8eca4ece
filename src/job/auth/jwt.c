#include "job/auth/jwt.h"

#include "base/base64.h"
#include "base/json_write.h"
#include "job/auth/auth_kind.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>

#include <string.h>

#define COORDINATE_BYTES 32 /* of P-256 */
#define SIGNATURE_MAX 1024  /* of RSA with 8192 bits */

enum algorithm { NO_ALGORITHM, RS256, ES256 };

/* Other curves have 256 bits as well: secp256k1, brainpoolP256r1. */
static bool is_p256(const EVP_PKEY *key)
{
    char name[32];
    size_t len;

    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           EVP_PKEY_get_group_name(key, name, sizeof name, &len) == 1 &&
           strcmp(name, SN_X9_62_prime256v1) == 0;
}

static enum algorithm algorithm_of(const EVP_PKEY *key)
{
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && EVP_PKEY_get_bits(key) >= 2048 ? RS256
           : is_p256(key)                                                              ? ES256
                          : NO_ALGORITHM;
}

/* Nobody is there to type a pass phrase. */
static int no_phrase(char *text, int size, int writing, void *context)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static enum result open_key(struct str pem, EVP_PKEY **key, struct err *err)
{
    BIO *bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;

    *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_phrase, NULL) : NULL;
    BIO_free(bio);
    if (!*key) {
        return err_set(err, RESULT_INVALID, "E-KEY1",
                       "want a private key in PEM (-----BEGIN PRIVATE KEY-----), without a pass "
                       "phrase");
    }
    if (algorithm_of(*key) == NO_ALGORITHM) {
        EVP_PKEY_free(*key);
        return err_set(err, RESULT_INVALID, "E-KEY1",
                       "want a key of RSA with 2048 bits or more (RS256), or of the curve P-256 "
                       "(ES256)");
    }
    return RESULT_OK;
}

enum result jwt_check_key(struct str pem, struct err *err)
{
    EVP_PKEY *key;
    enum result result = open_key(pem, &key, err);

    if (result == RESULT_OK) {
        EVP_PKEY_free(key);
    }
    return result;
}

/* base64url without padding, RFC 7515 section 2. */
static enum result append_url64(struct buf *out, struct str bytes)
{
    size_t begin = out->len;
    enum result result = base64_append(out, bytes);

    while (result == RESULT_OK && out->len > begin && out->data[out->len - 1] == '=') {
        out->len--;
    }
    for (size_t i = begin; result == RESULT_OK && i < out->len; i++) {
        out->data[i] = out->data[i] == '+' ? '-' : out->data[i] == '/' ? '_' : out->data[i];
    }
    return result;
}

static void write_claim(struct json_writer *j, const char *name, const char *text)
{
    if (text) {
        json_write_text(j, name, str_view(text));
    }
}

static enum result append_payload(const struct jwt_claims *claims, enum algorithm algorithm,
                                  struct buf *out)
{
    struct buf head = { 0 }, body = { 0 };
    struct json_writer h = json_write_begin(&head), b = json_write_begin(&body);
    enum result result;

    json_write_object(&h, NULL);
    write_claim(&h, "alg", algorithm == RS256 ? "RS256" : "ES256");
    write_claim(&h, "typ", "JWT");
    write_claim(&h, "kid", claims->key_id);
    json_write_object_end(&h);
    json_write_object(&b, NULL);
    write_claim(&b, "iss", claims->issuer);
    write_claim(&b, "sub", claims->subject);
    write_claim(&b, "aud", claims->audience);
    write_claim(&b, "scope", claims->scope);
    json_write_int(&b, "iat", claims->issued_s);
    json_write_int(&b, "exp", claims->issued_s + JWT_LIFE_S);
    json_write_object_end(&b);
    result = h.result == RESULT_OK ? b.result : h.result;
    result = result == RESULT_OK ? append_url64(out, buf_view(&head)) : result;
    result = result == RESULT_OK ? buf_append_char(out, '.') : result;
    result = result == RESULT_OK ? append_url64(out, buf_view(&body)) : result;
    buf_release(&head);
    buf_release(&body);
    return result;
}

/* ECDSA's two numbers side by side, RFC 7518 section 3.4; OpenSSL wraps them in DER. */
static bool unwrap(const unsigned char *der, size_t len, unsigned char raw[2 * COORDINATE_BYTES])
{
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool good = pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, COORDINATE_BYTES) > 0 &&
                BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + COORDINATE_BYTES, COORDINATE_BYTES) > 0;

    ECDSA_SIG_free(pair);
    return good;
}

static enum result append_signature(EVP_PKEY *key, struct buf *out)
{
    unsigned char raw[SIGNATURE_MAX], pair[2 * COORDINATE_BYTES];
    struct str text = buf_view(out);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = sizeof raw;
    bool good = context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
                EVP_DigestSign(context, raw, &len, (const unsigned char *)text.data, text.len) == 1;
    struct str bytes = { (const char *)raw, len };

    EVP_MD_CTX_free(context);
    if (good && algorithm_of(key) == ES256) {
        good = unwrap(raw, len, pair);
        bytes = (struct str){ (const char *)pair, sizeof pair };
    }
    if (!good || buf_append_char(out, '.') != RESULT_OK) {
        return RESULT_NOMEM;
    }
    return append_url64(out, bytes);
}

enum result jwt_make(const struct jwt_claims *claims, struct str pem, struct buf *out,
                     struct err *err)
{
    EVP_PKEY *key;
    enum result result = open_key(pem, &key, err);

    if (result != RESULT_OK) {
        return result;
    }
    result = append_payload(claims, algorithm_of(key), out);
    if (result == RESULT_OK) {
        result = append_signature(key, out);
    }
    EVP_PKEY_free(key);
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "signing a token");
}
