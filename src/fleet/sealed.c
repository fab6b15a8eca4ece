#include "fleet/sealed.h"

#include "base/base64.h"
#include "base/os.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#define NONCE_BYTES 12
#define TAG_BYTES 16
#define SALT "scrapetop fleet"
#define INFO "login 1"
#define INFO_MAX 128

static bool hmac(struct str key, struct str text, uint8_t out[SEALED_KEY_BYTES])
{
    unsigned len = SEALED_KEY_BYTES;

    return HMAC(EVP_sha256(), key.data, (int)key.len, (const unsigned char *)text.data, text.len,
                out, &len) != NULL;
}

/* RFC 5869: as many bytes as the hash has, so that T(1) is all of it. */
enum result sealed_hkdf(struct str secret, struct str salt, struct str info,
                        uint8_t key[SEALED_KEY_BYTES])
{
    uint8_t random_key[SEALED_KEY_BYTES], text[INFO_MAX + 1];
    bool is_made;

    if (info.len > INFO_MAX || salt.len > INT_MAX) {
        return RESULT_INVALID;
    }
    memcpy(text, info.data, info.len);
    text[info.len] = 1;
    is_made = hmac(salt, secret, random_key) &&
              hmac((struct str){ (const char *)random_key, sizeof random_key },
                   (struct str){ (const char *)text, info.len + 1 }, key);
    os_wipe(random_key, sizeof random_key);
    return is_made ? RESULT_OK : RESULT_DENIED;
}

/* The cipher with its key and nonce, once it has heard of the job; NULL: it is not allowed. */
static EVP_CIPHER_CTX *begin(struct str secret, struct str job, const uint8_t nonce[NONCE_BYTES],
                             int seals)
{
    uint8_t key[SEALED_KEY_BYTES];
    EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
    int len;
    bool is_ready =
        c && sealed_hkdf(secret, STR(SALT), STR(INFO), key) == RESULT_OK &&
        EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, key, nonce, seals) == 1 &&
        EVP_CipherUpdate(c, NULL, &len, (const unsigned char *)job.data, (int)job.len) == 1;

    os_wipe(key, sizeof key);
    if (!is_ready) {
        EVP_CIPHER_CTX_free(c);
        return NULL;
    }
    return c;
}

/* nonce, sealed bytes, tag, into `bytes`, which has room for them. */
static enum result seal(struct str secret, struct str job, struct str clear, uint8_t *bytes)
{
    uint8_t *at = bytes + NONCE_BYTES;
    EVP_CIPHER_CTX *c;
    int len = 0, rest = 0;
    bool is_sealed;

    if (!os_random(bytes, NONCE_BYTES)) {
        return RESULT_DENIED;
    }
    c = begin(secret, job, bytes, 1);
    is_sealed =
        c &&
        EVP_CipherUpdate(c, at, &len, (const unsigned char *)clear.data, (int)clear.len) == 1 &&
        EVP_CipherFinal_ex(c, at + len, &rest) == 1 && (size_t)(len + rest) == clear.len &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, at + clear.len) == 1;
    EVP_CIPHER_CTX_free(c);
    return is_sealed ? RESULT_OK : RESULT_DENIED;
}

enum result sealed_make(struct str secret, struct str job, struct str clear, struct buf *out)
{
    size_t size = NONCE_BYTES + clear.len + TAG_BYTES;
    uint8_t *bytes = clear.len < INT_MAX / 2 ? malloc(size) : NULL;
    enum result result = bytes ? seal(secret, job, clear, bytes) : RESULT_NOMEM;

    if (result == RESULT_OK) {
        result = base64_append(out, (struct str){ (const char *)bytes, size });
    }
    free(bytes);
    return result;
}

static enum result open_bytes(struct str secret, struct str job, struct str bytes, struct buf *out)
{
    size_t size = bytes.len - NONCE_BYTES - TAG_BYTES;
    const uint8_t *at = (const uint8_t *)bytes.data;
    uint8_t tag[TAG_BYTES], *clear = malloc(size + 1);
    EVP_CIPHER_CTX *c = clear ? begin(secret, job, at, 0) : NULL;
    int len = 0, rest = 0;
    enum result result = !clear ? RESULT_NOMEM : c ? RESULT_CORRUPT : RESULT_DENIED;

    memcpy(tag, at + NONCE_BYTES + size, TAG_BYTES);
    if (c && EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1 &&
        EVP_CipherUpdate(c, clear, &len, at + NONCE_BYTES, (int)size) == 1 &&
        EVP_CipherFinal_ex(c, clear + len, &rest) == 1) {
        result = buf_append(out, (const char *)clear, size);
    }
    EVP_CIPHER_CTX_free(c);
    if (clear) {
        os_wipe(clear, size);
    }
    free(clear);
    return result;
}

enum result sealed_open(struct str secret, struct str job, struct str text, struct buf *out)
{
    struct buf bytes = { 0 };
    enum result result = base64_decode(&bytes, text);

    if (result == RESULT_OK && (bytes.len < NONCE_BYTES + TAG_BYTES || bytes.len > INT_MAX / 2)) {
        result = RESULT_CORRUPT;
    }
    if (result == RESULT_OK) {
        result = open_bytes(secret, job, buf_view(&bytes), out);
    } else if (result != RESULT_NOMEM) {
        result = RESULT_CORRUPT;
    }
    buf_release(&bytes);
    return result;
}
