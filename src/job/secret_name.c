/* Secrets told by the name before them. */
#include "job/secret.h"

#include "base/json_scan.h"
#include "base/one_of.h"
#include "base/url_make.h"

#include <string.h>

#define WORDS_MAX 12
#define NAME_MAX_BYTES 96 /* no longer name is looked at */

/* --- a name in words ---------------------------------------------------------------------------------- */

/* "X-Api-Key", "api_key" and "apiKey" are api, key. */
struct words {
    char text[NAME_MAX_BYTES];
    struct str list[WORDS_MAX];
    size_t count;
};

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_alnum(char c)
{
    return is_upper(c) || is_lower(c) || (c >= '0' && c <= '9');
}

static bool begins_word(struct str name, size_t i)
{
    char c = name.data[i], before = i ? name.data[i - 1] : '-';
    bool next_is_lower = i + 1 < name.len && is_lower(name.data[i + 1]);

    return !is_alnum(before) || (is_upper(c) && (is_lower(before) || next_is_lower));
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "X-Hub-Signature-256", "token_v2" and "password2" are versions of what they are called. */
static void drop_versions(struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        struct str *word = &w->list[i];

        while (word->len && is_digit(word->data[word->len - 1])) {
            word->len--;
        }
    }
    while (w->count > 1) {
        struct str last = w->list[w->count - 1];

        if (last.len && !str_equal(last, STR("v")) && !str_equal(last, STR("sha"))) {
            return;
        }
        w->count--;
    }
}

static void split_words(struct str name, struct words *w)
{
    w->count = 0;
    if (name.len > sizeof w->text) {
        return;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        w->text[i] = is_upper(c) ? (char)(c | 0x20) : c;
        if (!is_alnum(c)) {
            continue;
        }
        if (begins_word(name, i)) {
            if (w->count == WORDS_MAX) {
                return;
            }
            w->list[w->count++] = (struct str){ w->text + i, 0 };
        }
        w->list[w->count - 1].len++;
    }
}

static void split(struct str name, struct words *w)
{
    split_words(name, w);
    drop_versions(w);
}

static bool ends_with(struct str word, struct str end)
{
    return word.len >= end.len && memcmp(word.data + word.len - end.len, end.data, end.len) == 0;
}

/* --- what names mean ---------------------------------------------------------------------------------- */

/* Wherever it stands in the name. */
static bool word_is_secret(struct str word)
{
    static const struct str words[] = {
        STR_INIT("secret"),     STR_INIT("password"),      STR_INIT("passwd"),
        STR_INIT("passphrase"), STR_INIT("passcode"),      STR_INIT("pwd"),
        STR_INIT("jwt"),        STR_INIT("authorization"), STR_INIT("authentication"),
        STR_INIT("credential"), STR_INIT("credentials"),   STR_INIT("csrf"),
        STR_INIT("xsrf"),       STR_INIT("apikey"),        STR_INIT("sessionid"),
    };
    static const struct str ends[] = {
        STR_INIT("secret"),     STR_INIT("password"),  STR_INIT("passwd"), STR_INIT("apikey"),
        STR_INIT("passphrase"), STR_INIT("sessionid"), STR_INIT("sessid"),
    };

    if (ONE_OF(word, words)) {
        return true;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        if (ends_with(word, ends[i])) {
            return true;
        }
    }
    return false;
}

/* As the last word. */
static bool last_is_secret(struct str word)
{
    static const struct str words[] = {
        STR_INIT("pass"),   STR_INIT("sig"),       STR_INIT("sign"), STR_INIT("signature"),
        STR_INIT("hmac"),   STR_INIT("otp"),       STR_INIT("totp"), STR_INIT("pin"),
        STR_INIT("bearer"), STR_INIT("assertion"), STR_INIT("cred"), STR_INIT("creds"),
        STR_INIT("auth"),
    };

    return ONE_OF(word, words) || ends_with(word, STR("signature"));
}

/* "auth_token" is a secret, "auth_type" is none. */
static bool tells_of_auth(const struct words *w)
{
    static const struct str harmless[] = {
        STR_INIT("type"),    STR_INIT("method"), STR_INIT("scheme"),   STR_INIT("url"),
        STR_INIT("mode"),    STR_INIT("email"),  STR_INIT("user"),     STR_INIT("username"),
        STR_INIT("version"), STR_INIT("id"),     STR_INIT("provider"), STR_INIT("endpoint"),
        STR_INIT("level"),   STR_INIT("realm"),
    };

    for (size_t i = 0; i + 1 < w->count; i++) {
        if (str_equal(w->list[i], STR("auth"))) {
            return !ONE_OF(w->list[w->count - 1], harmless);
        }
    }
    return false;
}

/* Those that only say where a listing goes on are none. */
static bool is_token(const struct words *w)
{
    static const struct str harmless[] = {
        STR_INIT("page"),   STR_INIT("next"),         STR_INIT("prev"),     STR_INIT("previous"),
        STR_INIT("cursor"), STR_INIT("continuation"), STR_INIT("continue"), STR_INIT("sync"),
        STR_INIT("start"),  STR_INIT("resume"),       STR_INIT("scroll"),   STR_INIT("skip"),
        STR_INIT("offset"), STR_INIT("change"),       STR_INIT("delta"),    STR_INIT("after"),
    };
    struct str last = w->list[w->count - 1];

    if (!ends_with(last, STR("token")) || ends_with(last, STR("pagetoken"))) {
        return false;
    }
    for (size_t i = 0; i < w->count; i++) {
        if (ONE_OF(w->list[i], harmless)) {
            return false;
        }
    }
    return true;
}

/* "key" alone, or after what makes it one for a lock. */
static bool is_key(const struct words *w)
{
    static const struct str makers[] = {
        STR_INIT("api"),     STR_INIT("access"),       STR_INIT("secret"),  STR_INIT("private"),
        STR_INIT("auth"),    STR_INIT("app"),          STR_INIT("client"),  STR_INIT("application"),
        STR_INIT("service"), STR_INIT("subscription"), STR_INIT("account"), STR_INIT("consumer"),
        STR_INIT("license"), STR_INIT("licence"),      STR_INIT("master"),  STR_INIT("signing"),
        STR_INIT("shared"),  STR_INIT("functions"),    STR_INIT("user"),    STR_INIT("developer"),
        STR_INIT("server"),  STR_INIT("project"),      STR_INIT("session"), STR_INIT("encryption"),
    };

    return str_equal(w->list[w->count - 1], STR("key")) &&
           (w->count == 1 || ONE_OF(w->list[w->count - 2], makers));
}

static bool names_secret(const struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (word_is_secret(w->list[i])) {
            return true;
        }
    }
    return w->count &&
           (last_is_secret(w->list[w->count - 1]) || tells_of_auth(w) || is_token(w) || is_key(w));
}

/* A session's id, unlike a session at a conference. */
static bool names_session(const struct words *w)
{
    return w->count > 1 && str_equal(w->list[w->count - 2], STR("session")) &&
           str_equal(w->list[w->count - 1], STR("id"));
}

bool secret_name_is(struct str name)
{
    struct words w;

    split(name, &w);
    return names_secret(&w) || names_session(&w);
}

bool url_param_is_secret(struct str name)
{
    char plain[NAME_MAX_BYTES];

    return name.len <= sizeof plain && secret_name_is(url_decode(name, plain));
}

bool secret_name_may_be(struct str name)
{
    static const struct str words[] = { STR_INIT("appid"), STR_INIT("sid"), STR_INIT("code"),
                                        STR_INIT("access"), STR_INIT("login") };
    struct words w;

    split(name, &w);
    return w.count && ONE_OF(w.list[w.count - 1], words);
}

/* A header has fewer uses than a parameter: any key is one for a lock but these. */
static bool header_key_is_secret(const struct words *w)
{
    static const struct str harmless[] = {
        STR_INIT("idempotency"), STR_INIT("cache"),   STR_INIT("surrogate"), STR_INIT("sort"),
        STR_INIT("partition"),   STR_INIT("routing"), STR_INIT("request"),   STR_INIT("trace"),
        STR_INIT("correlation"), STR_INIT("dedup"),   STR_INIT("message"),   STR_INIT("websocket"),
        STR_INIT("object"),
    };

    return str_equal(w->list[w->count - 1], STR("key")) &&
           (w->count == 1 || !ONE_OF(w->list[w->count - 2], harmless));
}

/* Who is asked, as the proxy that ended TLS tells it: Client-Cert and Client-Cert-Chain (RFC 9440),
 * X-Forwarded-Client-Cert, X-ARR-ClientCert, X-Amzn-Mtls-Clientcert. */
static bool names_certificate(const struct words *w)
{
    for (size_t i = 0; i < w->count; i++) {
        if (ends_with(w->list[i], STR("clientcert")) || str_equal(w->list[i], STR("cert")) ||
            str_equal(w->list[i], STR("certificate"))) {
            return true;
        }
    }
    return false;
}

/* Sec-Token-Binding and Sec-Provided-Token-Binding-ID (RFC 8473). */
static bool names_binding(const struct words *w)
{
    for (size_t i = 0; i + 1 < w->count; i++) {
        if (str_equal(w->list[i], STR("token")) && str_equal(w->list[i + 1], STR("binding"))) {
            return true;
        }
    }
    return false;
}

bool header_is_secret(struct str name)
{
    static const struct str more[] = { STR_INIT("cookie"),  STR_INIT("cookies"),
                                       STR_INIT("cookie2"), STR_INIT("session"),
                                       STR_INIT("canary"),  STR_INIT("ticket"),
                                       STR_INIT("saml"),    STR_INIT("principal") };
    struct words w;

    split(name, &w);
    if (!w.count) {
        return false;
    }
    if (str_equal_nocase(name, STR("DPoP"))) { /* RFC 9449 */
        return true;
    }
    for (size_t i = 0; i < w.count; i++) {
        if (ONE_OF(w.list[i], more)) {
            return true;
        }
    }
    if (names_certificate(&w) || names_binding(&w)) {
        return true;
    }
    return names_secret(&w) || header_key_is_secret(&w);
}
