/* Secrets told by what they look like, whatever name comes before them, if any. */
#include "job/secret.h"

#include <string.h>

#define BODY_MIN_BYTES 16 /* after what a form begins with */
#define JWT_MIN_BYTES 24
#define BOT_DIGITS_MIN 6
#define SCHEME_VALUE_MIN_BYTES 8
#define RANDOM_MIN_BYTES 16

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_token_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

static size_t token_len(struct str text)
{
    size_t len = 0;

    while (len < text.len && is_token_byte(text.data[len])) {
        len++;
    }
    return len;
}

/* What issuers put in front of their tokens, so that they are found where they should not be. */
static size_t prefix_len(struct str text)
{
    static const struct str prefixes[] = {
        STR_INIT("ghp_"),     STR_INIT("gho_"),      STR_INIT("ghu_"),        STR_INIT("ghs_"),
        STR_INIT("ghr_"),     STR_INIT("glpat-"),    STR_INIT("xoxb-"),       STR_INIT("xoxp-"),
        STR_INIT("xoxa-"),    STR_INIT("xoxs-"),     STR_INIT("xapp-"),       STR_INIT("sk-"),
        STR_INIT("sk_live_"), STR_INIT("sk_test_"),  STR_INIT("rk_live_"),    STR_INIT("whsec_"),
        STR_INIT("AIza"),     STR_INIT("ya29."),     STR_INIT("SG."),         STR_INIT("hf_"),
        STR_INIT("npm_"),     STR_INIT("pypi-"),     STR_INIT("shpat_"),      STR_INIT("shpss_"),
        STR_INIT("shpca_"),   STR_INIT("figd_"),     STR_INIT("lin_api_"),    STR_INIT("dop_v1_"),
        STR_INIT("hvs."),     STR_INIT("dckr_pat_"), STR_INIT("github_pat_"),
    };

    for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++) {
        if (str_starts(text, prefixes[i])) {
            return prefixes[i].len;
        }
    }
    return 0;
}

/* Three parts of base64url, the first of which begins with `{"`. */
static bool is_jwt(struct str token)
{
    size_t dots = 0;

    for (size_t i = 0; i < token.len; i++) {
        dots += token.data[i] == '.';
    }
    return token.len >= JWT_MIN_BYTES && dots == 2 && str_starts(token, STR("eyJ"));
}

/* "bot123456:AAF…", as it stands in the paths of a bot API. */
static size_t bot_len(struct str text)
{
    struct str rest = text;
    size_t digits = 0, len;

    if (!str_starts(text, STR("bot"))) {
        return 0;
    }
    rest = (struct str){ text.data + 3, text.len - 3 };
    while (digits < rest.len && is_digit(rest.data[digits])) {
        digits++;
    }
    if (digits < BOT_DIGITS_MIN || digits == rest.len || rest.data[digits] != ':') {
        return 0;
    }
    rest = (struct str){ rest.data + digits + 1, rest.len - digits - 1 };
    len = token_len(rest);
    return len >= BODY_MIN_BYTES ? 3 + digits + 1 + len : 0;
}

/* `text` begins with a word of `word` bytes. Most words are too short to be looked at. */
static size_t form_len(struct str text, size_t word)
{
    if (word > BODY_MIN_BYTES) {
        size_t prefix = prefix_len(text);

        if ((prefix && word >= prefix + BODY_MIN_BYTES) ||
            is_jwt((struct str){ text.data, word })) {
            return word;
        }
    }
    return bot_len(text);
}

struct str secret_form_next(struct str *rest)
{
    size_t word;

    for (size_t i = 0; i < rest->len; i += word + 1) { /* no word begins right after a word */
        struct str tail = { rest->data + i, rest->len - i };
        size_t len;

        word = token_len(tail);
        len = word ? form_len(tail, word) : 0;
        if (len) {
            *rest = (struct str){ tail.data + len, tail.len - len };
            return (struct str){ tail.data, len };
        }
    }
    *rest = STR_NONE;
    return STR_NONE;
}

bool secret_form_is(struct str value)
{
    static const struct str schemes[] = { STR_INIT("Bearer"), STR_INIT("Basic"), STR_INIT("Token"),
                                          STR_INIT("ApiKey"), STR_INIT("JWT"),   STR_INIT("Key") };
    struct str rest = value, scheme = str_cut(&rest, ' ');

    rest = str_trim(rest);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (str_equal_nocase(scheme, schemes[i]) && rest.len >= SCHEME_VALUE_MIN_BYTES &&
            !memchr(rest.data, ' ', rest.len)) {
            return true;
        }
    }
    rest = value;
    return secret_form_next(&rest).len > 0;
}

bool secret_looks_random(struct str value)
{
    size_t digits = 0, letters = 0;

    for (size_t i = 0; i < value.len; i++) {
        digits += is_digit(value.data[i]);
        letters += is_letter(value.data[i]);
    }
    return value.len >= RANDOM_MIN_BYTES && digits && letters && token_len(value) == value.len;
}
