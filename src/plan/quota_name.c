#include "plan/quota_name.h"

#include "base/clock.h"
#include "base/duration.h"

#include <string.h>

#define NAME_MAX_LEN 80
#define MINUTE (60 * US_PER_S)
#define HOUR (3600 * US_PER_S)
#define DAY (86400 * US_PER_S)
#define WEEK (7 * DAY)
#define MONTH (31 * DAY)

/* --- names that are not made of the words below ----------------------------------------------------------- */

struct special {
    struct str name;
    enum quota_part part;
    const char *key;
    uint64_t window_us, refill_us;
};

static const struct special specials[] = {
    { STR_INIT("ratelimit"), QUOTA_STRUCTURED, "", 0, 0 }, /* IETF drafts, from 07 on */
    { STR_INIT("ratelimit-policy"), QUOTA_STRUCTURED, "", 0, 0 },
    { STR_INIT("x-shopify-shop-api-call-limit"), QUOTA_SHARE, "shopify", 0, 20 * US_PER_S },
    { STR_INIT("http-x-shopify-shop-api-call-limit"), QUOTA_SHARE, "shopify", 0, 20 * US_PER_S },
    { STR_INIT("sforce-limit-info"), QUOTA_SHARE, "salesforce", DAY, 0 },
    { STR_INIT("x-amzn-ratelimit-limit"), QUOTA_RATE, "amazon", 0, 0 }, /* Selling Partner API */
    { STR_INIT("x-concurrency-limit"), QUOTA_CONCURRENT, "", 0, 0 },    /* Crossref */
    { STR_INIT("x-ms-ratelimit-remaining-resource"), QUOTA_EACH_LEFT, "azure", 0, 0 },
    { STR_INIT("x-limit-per-second"), QUOTA_LIMIT, "etsy-s", US_PER_S, 0 },
    { STR_INIT("x-remaining-this-second"), QUOTA_LEFT, "etsy-s", US_PER_S, 0 },
    { STR_INIT("x-limit-per-day"), QUOTA_LIMIT, "etsy-d", DAY, 0 },
    { STR_INIT("x-remaining-today"), QUOTA_LEFT, "etsy-d", DAY, 0 },
    { STR_INIT("x-daylimit-remaining"), QUOTA_LEFT, "xero-d", DAY, 0 },
    { STR_INIT("x-minlimit-remaining"), QUOTA_LEFT, "xero-m", MINUTE, 0 },
    { STR_INIT("x-appminlimit-remaining"), QUOTA_LEFT, "xero-app", MINUTE, 0 },
    { STR_INIT("x-daily-requests-left"), QUOTA_LEFT, "pipedrive", DAY, 0 },
    { STR_INIT("x-burstlimit-limit"), QUOTA_LIMIT, "burst", 0, 0 }, /* DocuSign, DigiKey */
    { STR_INIT("x-burstlimit-remaining"), QUOTA_LEFT, "burst", 0, 0 },
    { STR_INIT("x-user-limit-24hour-limit"), QUOTA_LIMIT, "x-user", DAY, 0 }, /* X (Twitter) */
    { STR_INIT("x-user-limit-24hour-remaining"), QUOTA_LEFT, "x-user", DAY, 0 },
    { STR_INIT("x-user-limit-24hour-reset"), QUOTA_RESET, "x-user", DAY, 0 },
    { STR_INIT("x-app-limit-24hour-limit"), QUOTA_LIMIT, "x-app", DAY, 0 },
    { STR_INIT("x-app-limit-24hour-remaining"), QUOTA_LEFT, "x-app", DAY, 0 },
    { STR_INIT("x-app-limit-24hour-reset"), QUOTA_RESET, "x-app", DAY, 0 },
};

/* --- the words of the others ---------------------------------------------------------------------------------- */

enum role {
    ROLE_PART,
    ROLE_SPAN,    /* the window, by its name */
    ROLE_UNIT,    /* of the number */
    ROLE_DELTA,   /* the reset is a time from now */
    ROLE_NOTHING, /* says nothing */
    ROLE_FOREIGN, /* counts something else than requests */
    ROLE_SILENT,  /* the whole header tells nothing for us */
};

struct word {
    struct str text;
    enum role role;
    enum quota_part part;
    uint64_t us;
};

#define PART(word, which)                                                                          \
    {                                                                                              \
        STR_INIT(word), ROLE_PART, which, 0                                                        \
    }
#define SPAN(word, us)                                                                             \
    {                                                                                              \
        STR_INIT(word), ROLE_SPAN, QUOTA_NOTHING, us                                               \
    }
#define UNIT(word, us)                                                                             \
    {                                                                                              \
        STR_INIT(word), ROLE_UNIT, QUOTA_NOTHING, us                                               \
    }
#define WORD(word, role)                                                                           \
    {                                                                                              \
        STR_INIT(word), role, QUOTA_NOTHING, 0                                                     \
    }

/* Longer ones first, where one begins another. */
static const struct word words[] = {
    PART("burst-capacity", QUOTA_LIMIT), /* Spring Cloud Gateway */
    PART("replenish-rate", QUOTA_REFILL),
    PART("fill-rate", QUOTA_REFILL),
    PART("fillrate", QUOTA_REFILL), /* Atlassian */
    PART("refill-rate", QUOTA_REFILL),
    PART("restore-rate", QUOTA_REFILL),
    PART("limit", QUOTA_LIMIT),
    PART("max", QUOTA_LIMIT),
    PART("total", QUOTA_LIMIT),
    PART("quota", QUOTA_LIMIT),
    PART("capacity", QUOTA_LIMIT),
    PART("remaining", QUOTA_LEFT),
    PART("remain", QUOTA_LEFT),
    PART("left", QUOTA_LEFT),
    PART("available", QUOTA_LEFT),
    PART("used", QUOTA_USED),
    PART("usage", QUOTA_USED),
    PART("count", QUOTA_USED),
    PART("state", QUOTA_USED),
    PART("observed", QUOTA_USED), /* GitLab */
    PART("consumed", QUOTA_USED),
    PART("resettime", QUOTA_RESET),
    PART("resets", QUOTA_RESET),
    PART("reset", QUOTA_RESET),
    PART("interval", QUOTA_WINDOW),
    PART("window", QUOTA_WINDOW),
    PART("period", QUOTA_WINDOW),
    PART("concurrent", QUOTA_CONCURRENT),
    PART("concurrency", QUOTA_CONCURRENT),
    PART("resource", QUOTA_RESOURCE), /* GitHub */
    PART("bucket", QUOTA_RESOURCE),   /* Discord */
    PART("name", QUOTA_RESOURCE),     /* Datadog, GitLab */
    PART("policy", QUOTA_POLICY),
    SPAN("secondly", US_PER_S),
    SPAN("second", US_PER_S),
    SPAN("sec", US_PER_S),
    SPAN("minutely", MINUTE),
    SPAN("minute", MINUTE),
    SPAN("min", MINUTE),
    SPAN("hourly", HOUR),
    SPAN("hour", HOUR),
    SPAN("daily", DAY),
    SPAN("day", DAY),
    SPAN("weekly", WEEK),
    SPAN("week", WEEK),
    SPAN("monthly", MONTH),
    SPAN("month", MONTH),
    UNIT("milliseconds", US_PER_MS),
    UNIT("millis", US_PER_MS),
    UNIT("ms", US_PER_MS),
    UNIT("seconds", US_PER_S),
    UNIT("secs", US_PER_S),
    WORD("after", ROLE_DELTA),
    WORD("in", ROLE_DELTA),
    WORD("requests", ROLE_NOTHING),
    WORD("request", ROLE_NOTHING),
    WORD("calls", ROLE_NOTHING),
    WORD("api", ROLE_NOTHING),
    WORD("time", ROLE_NOTHING),
    WORD("at", ROLE_NOTHING),
    WORD("per", ROLE_NOTHING),
    WORD("epoch", ROLE_NOTHING),
    WORD("timestamp", ROLE_NOTHING),
    WORD("tokens", ROLE_FOREIGN),
    WORD("points", ROLE_FOREIGN),
    WORD("credits", ROLE_FOREIGN),
    WORD("cost", ROLE_FOREIGN),
    WORD("complexity", ROLE_FOREIGN),
    WORD("bytes", ROLE_FOREIGN),
    WORD("weight", ROLE_FOREIGN),
    WORD("requested", ROLE_SILENT),
    WORD("nearlimit", ROLE_SILENT),
    WORD("scope", ROLE_SILENT),
    WORD("global", ROLE_SILENT),
    WORD("type", ROLE_SILENT),
    WORD("rules", ROLE_SILENT),
    WORD("status", ROLE_SILENT),
    WORD("utilization", ROLE_SILENT),
    WORD("problem", ROLE_SILENT),
    WORD("retry", ROLE_SILENT), /* plan/retry_after.h */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The row of the longest word at the head of `*rest`, which moves past it and its "-"; NULL when the first
 * word is not in the table: then it moves past that. */
static const struct word *take_word(struct str *rest, struct str *text)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct str word = words[i].text;

        if (str_starts(*rest, word) && (rest->len == word.len || rest->data[word.len] == '-')) {
            *text = word;
            rest->data += word.len + (rest->len > word.len);
            rest->len -= word.len + (rest->len > word.len);
            return &words[i];
        }
    }
    *text = str_cut(rest, '-');
    return NULL;
}

/* Names that are longer than a key are told apart by its beginning. */
static void add_key(struct quota_name *out, struct str text)
{
    size_t len = strlen(out->key), room = sizeof out->key - 1 - len;
    size_t taken = text.len < room ? text.len : room;

    if (taken) {
        memcpy(out->key + len, text.data, taken);
    }
    len += taken;
    if (len < sizeof out->key - 1) {
        out->key[len++] = '-';
    }
    out->key[len] = '\0';
}

/* "30", "5h": a window, by its length. */
static bool is_span(struct str text, uint64_t *us)
{
    return text.len && is_digit(text.data[0]) && duration_parse(text, US_PER_S, us) && *us;
}

/* "dailylimit", "userremaining": a word that ends with a part. */
static bool split_word(struct str text, struct str *head, enum quota_part *part)
{
    static const struct {
        struct str ending;
        enum quota_part part;
    } endings[] = {
        { STR_INIT("limit"), QUOTA_LIMIT },
        { STR_INIT("remaining"), QUOTA_LEFT },
        { STR_INIT("reset"), QUOTA_RESET },
    };

    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct str ending = endings[i].ending;

        if (text.len > ending.len &&
            memcmp(text.data + text.len - ending.len, ending.data, ending.len) == 0) {
            *head = (struct str){ text.data, text.len - ending.len };
            *part = endings[i].part;
            return true;
        }
    }
    return false;
}

static void read_other(struct quota_name *out, struct str text)
{
    struct str head, rest, word;
    enum quota_part part;
    uint64_t span_us;

    if (is_span(text, &span_us)) {
        out->window_us = span_us;
    } else if (split_word(text, &head, &part)) {
        const struct word *span;

        rest = head;
        span = take_word(&rest, &word);
        out->part = part;
        out->window_us = span && span->role == ROLE_SPAN ? span->us : out->window_us;
        text = head;
    } else if (out->part) {
        out->is_foreign = true; /* after the part stands what is counted */
    }
    add_key(out, text);
}

/* What follows "ratelimit". */
static bool read_words(struct quota_name *out, struct str rest)
{
    bool has_unknown = false;
    struct str text;

    while (rest.len) {
        const struct word *word = take_word(&rest, &text);

        if (!word) {
            has_unknown |= !is_digit(text.len ? text.data[0] : 'x');
            read_other(out, text);
            continue;
        }
        switch (word->role) {
        case ROLE_PART:
            out->part = out->part ? out->part : word->part;
            break;
        case ROLE_SPAN:
            out->window_us = word->us;
            add_key(out, text);
            break;
        case ROLE_UNIT:
            out->unit_us = word->us;
            break;
        case ROLE_DELTA:
            out->is_delta = true;
            break;
        case ROLE_FOREIGN:
            out->is_foreign = true;
            add_key(out, text);
            break;
        case ROLE_SILENT:
            return false;
        case ROLE_NOTHING:
            break;
        }
    }
    if (!out->part && !has_unknown) {
        out->part = QUOTA_LIMIT; /* X-Rate-Limit: 700, X-HubSpot-RateLimit-Daily: 250000 */
    }
    return true;
}

/* X-Rate-Limit-Ip: 60:60:60 and X-Rate-Limit-Ip-State: 1:60:0 tell by their values what they are. */
static bool read_marked(struct str name, struct quota_name *out)
{
    static const struct str markers[] = { STR_INIT("ratelimit"), STR_INIT("rate-limit") };

    for (size_t i = 0; i < 2; i++) {
        struct str marker = markers[i];

        for (size_t at = 0; at + marker.len <= name.len; at++) {
            struct str rest = { name.data + at + marker.len, name.len - at - marker.len };

            if (name.data[at] != marker.data[0] ||
                memcmp(name.data + at, marker.data, marker.len) != 0 ||
                (i && at && name.data[at - 1] != '-')) {
                continue;
            }
            add_key(out, (struct str){ name.data, at });
            add_key(out, i ? STR("-") : STR(""));
            if (rest.len && rest.data[0] == '-') {
                rest.data++;
                rest.len--;
            }
            return read_words(out, rest);
        }
    }
    return false;
}

static bool read_special(struct str name, struct quota_name *out)
{
    static const struct str azure = STR_INIT("x-ms-ratelimit-remaining-");

    for (size_t i = 0; i < sizeof specials / sizeof specials[0]; i++) {
        const struct special *s = &specials[i];

        if (str_equal(name, s->name)) {
            out->part = s->part;
            out->window_us = s->window_us;
            out->refill_us = s->refill_us;
            add_key(out, str_view(s->key));
            return true;
        }
    }
    if (str_starts(name, azure)) { /* -subscription-reads, -tenant-writes, ... */
        out->part = QUOTA_LEFT;
        add_key(out, (struct str){ name.data + azure.len, name.len - azure.len });
        return true;
    }
    return false;
}

/* Every name that is read has "limit", "remain" or "left" in it: the first two letters tell most others apart. */
static bool may_be_read(struct str name)
{
    for (size_t i = 0; i + 4 <= name.len; i++) {
        char first = (char)(name.data[i] | 0x20), second;

        if (first != 'l' && first != 'r') {
            continue;
        }
        second = (char)(name.data[i + 1] | 0x20);
        if (second == 'e' || (first == 'l' && second == 'i')) {
            return true;
        }
    }
    return false;
}

bool quota_name_read(struct str name, struct quota_name *out)
{
    char lower[NAME_MAX_LEN];

    *out = (struct quota_name){ .unit_us = US_PER_S };
    if (name.len < 5 || name.len > NAME_MAX_LEN || !may_be_read(name)) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        lower[i] = c == '_' ? '-' : c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    name.data = lower;
    return read_special(name, out) || read_marked(name, out);
}
