#include "base/duration.h"

#include "base/clock.h"

#define MINUTE_US (60 * US_PER_S)
#define HOUR_US (3600 * US_PER_S)
#define DAY_US (86400 * US_PER_S)
#define MILLION UINT64_C(1000000)

/* A number of digits, exact to a millionth; what is finer is rounded up. */
struct amount {
    uint64_t whole, millionths; /* the latter up to MILLION itself */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool at_digit(struct str text)
{
    return text.len && is_digit(text.data[0]);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void skip(struct str *text, size_t count)
{
    text->data += count;
    text->len -= count;
}

static void skip_blanks(struct str *text)
{
    while (text->len && (text->data[0] == ' ' || text->data[0] == '\t')) {
        skip(text, 1);
    }
}

static bool take_char(struct str *text, char c)
{
    if (!text->len || text->data[0] != c) {
        return false;
    }
    skip(text, 1);
    return true;
}

static void take_fraction(struct str *text, struct amount *amount)
{
    uint64_t place = MILLION / 10;
    bool is_cut = false;

    for (; at_digit(*text); skip(text, 1), place /= 10) {
        is_cut |= !place && text->data[0] != '0';
        amount->millionths += place * (uint64_t)(text->data[0] - '0');
    }
    amount->millionths += is_cut;
}

/* "12", "12.5", "12.", ".5". */
static bool take_amount(struct str *text, struct amount *amount)
{
    bool has_digits = at_digit(*text);

    *amount = (struct amount){ 0 };
    for (; at_digit(*text); skip(text, 1)) {
        amount->whole = amount->whole > UINT64_MAX / 16
                            ? UINT64_MAX / 8
                            : amount->whole * 10 + (uint64_t)(text->data[0] - '0');
    }
    if (text->len && text->data[0] == '.' &&
        (has_digits || (text->len > 1 && is_digit(text->data[1])))) {
        skip(text, 1);
        take_fraction(text, amount);
        has_digits = true;
    }
    return has_digits;
}

static uint64_t add(uint64_t a, uint64_t b)
{
    return a < DURATION_MAX_US && b < DURATION_MAX_US - a ? a + b : DURATION_MAX_US;
}

/* No unit is longer than a year, so that a millionth of it times a million fits. */
static uint64_t us_of(struct amount amount, uint64_t unit_us)
{
    uint64_t part = amount.millionths ? (amount.millionths * unit_us + MILLION - 1) / MILLION : 0;

    return add(amount.whole > DURATION_MAX_US / unit_us ? DURATION_MAX_US : amount.whole * unit_us,
               part);
}

static const struct unit {
    struct str name;
    uint64_t us, per; /* so many microseconds are `per` of it */
} units[] = {
    { STR_INIT("ns"), 1, 1000 },
    { STR_INIT("us"), 1, 1 },
    { STR_INIT("\xC2\xB5s"), 1, 1 }, /* the micro sign, and the Greek letter */
    { STR_INIT("\xCE\xBCs"), 1, 1 },
    { STR_INIT("ms"), US_PER_MS, 1 },
    { STR_INIT("msec"), US_PER_MS, 1 },
    { STR_INIT("msecs"), US_PER_MS, 1 },
    { STR_INIT("millis"), US_PER_MS, 1 },
    { STR_INIT("millisecond"), US_PER_MS, 1 },
    { STR_INIT("milliseconds"), US_PER_MS, 1 },
    { STR_INIT("s"), US_PER_S, 1 },
    { STR_INIT("sec"), US_PER_S, 1 },
    { STR_INIT("secs"), US_PER_S, 1 },
    { STR_INIT("second"), US_PER_S, 1 },
    { STR_INIT("seconds"), US_PER_S, 1 },
    { STR_INIT("m"), MINUTE_US, 1 },
    { STR_INIT("min"), MINUTE_US, 1 },
    { STR_INIT("mins"), MINUTE_US, 1 },
    { STR_INIT("minute"), MINUTE_US, 1 },
    { STR_INIT("minutes"), MINUTE_US, 1 },
    { STR_INIT("h"), HOUR_US, 1 },
    { STR_INIT("hr"), HOUR_US, 1 },
    { STR_INIT("hrs"), HOUR_US, 1 },
    { STR_INIT("hour"), HOUR_US, 1 },
    { STR_INIT("hours"), HOUR_US, 1 },
    { STR_INIT("d"), DAY_US, 1 },
    { STR_INIT("day"), DAY_US, 1 },
    { STR_INIT("days"), DAY_US, 1 },
    { STR_INIT("w"), 7 * DAY_US, 1 },
    { STR_INIT("week"), 7 * DAY_US, 1 },
    { STR_INIT("weeks"), 7 * DAY_US, 1 },
};

/* The word at the head of `text`; NULL when it is no unit. */
static const struct unit *take_unit(struct str *text)
{
    struct str word = { text->data, 0 };

    while (word.len < text->len &&
           ((lower(text->data[word.len]) >= 'a' && lower(text->data[word.len]) <= 'z') ||
            (unsigned char)text->data[word.len] >= 0x80)) {
        word.len++;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (str_equal_nocase(word, units[i].name)) {
            skip(text, word.len);
            return &units[i];
        }
    }
    return NULL;
}

/* What may stand between "1 minute" and "30 seconds"; false when nothing follows it. */
static bool skip_joint(struct str *text)
{
    bool is_more;

    skip_blanks(text);
    is_more = take_char(text, ',');
    skip_blanks(text);
    if (text->len > 4 && str_equal_nocase((struct str){ text->data, 4 }, STR("and "))) {
        skip(text, 4);
        skip_blanks(text);
    }
    return text->len || !is_more;
}

/* "1m30s", "500ms", "2 hours 5 minutes": units from the longest to the shortest, each once. */
static bool parse_parts(struct str text, uint64_t *us)
{
    const struct unit *last = NULL;
    struct amount amount;

    *us = 0;
    do {
        const struct unit *unit;
        uint64_t part;

        if (!take_amount(&text, &amount)) {
            return false;
        }
        skip_blanks(&text);
        unit = take_unit(&text);
        if (!unit ||
            (last && (unit->us > last->us || (unit->us == last->us && unit->per <= last->per)))) {
            return false;
        }
        part = us_of(amount, unit->us);
        *us = add(*us, unit->per > 1 ? part / unit->per + (part % unit->per > 0) : part);
        last = unit;
        if (!skip_joint(&text)) {
            return false;
        }
    } while (text.len);
    return true;
}

/* "PT1M30S", "P1DT12H", "P2W". */
static bool parse_iso(struct str text, uint64_t *us)
{
    static const struct {
        char letter;
        bool is_time;
        uint64_t us;
    } parts[] = {
        { 'Y', false, 366 * DAY_US }, { 'M', false, 31 * DAY_US }, { 'W', false, 7 * DAY_US },
        { 'D', false, DAY_US },       { 'H', true, HOUR_US },      { 'M', true, MINUTE_US },
        { 'S', true, US_PER_S },
    };
    const size_t count = sizeof parts / sizeof parts[0];
    size_t next = 0;
    bool is_time = false;

    *us = 0;
    if (text.len < 3 || !(take_char(&text, 'P') || take_char(&text, 'p'))) {
        return false;
    }
    while (text.len) {
        struct amount amount;

        if (!is_time && (take_char(&text, 'T') || take_char(&text, 't'))) {
            is_time = true;
        }
        if (!take_amount(&text, &amount) || !text.len) {
            return false;
        }
        while (next < count && (parts[next].is_time != is_time ||
                                lower(text.data[0]) != lower(parts[next].letter))) {
            next++;
        }
        if (next == count) {
            return false;
        }
        skip(&text, 1);
        *us = add(*us, us_of(amount, parts[next++].us));
    }
    return true;
}

/* "00:01:30", "1.02:03:04.5" (with days): .NET's TimeSpan. Of two parts nobody knows which. */
static bool parse_clock(struct str text, uint64_t *us)
{
    struct amount days, hours, minutes, seconds;
    struct str rest = text;

    *us = 0;
    for (size_t i = 0; i < text.len && text.data[i] != ':'; i++) {
        if (text.data[i] == '.') {
            struct str head = str_cut(&rest, '.');

            if (!take_amount(&head, &days) || head.len || days.millionths) {
                return false;
            }
            *us = us_of(days, DAY_US);
            break;
        }
    }
    if (!take_amount(&rest, &hours) || hours.millionths || !take_char(&rest, ':') ||
        !take_amount(&rest, &minutes) || minutes.millionths || !take_char(&rest, ':') ||
        !take_amount(&rest, &seconds) || rest.len || minutes.whole > 59 || seconds.whole > 60) {
        return false;
    }
    *us = add(*us, us_of(hours, HOUR_US));
    *us = add(*us, us_of(minutes, MINUTE_US));
    *us = add(*us, us_of(seconds, US_PER_S));
    return true;
}

static bool parse_number(struct str text, uint64_t unit_us, uint64_t *us)
{
    struct amount amount;

    if (!take_amount(&text, &amount) || text.len) {
        return false;
    }
    *us = us_of(amount, unit_us);
    return true;
}

bool duration_parse(struct str text, uint64_t unit_us, uint64_t *us)
{
    uint64_t rest;

    text = str_trim(text);
    if (!parse_number(text, unit_us, us) && !parse_parts(text, us) && !parse_iso(text, us) &&
        !parse_clock(text, us)) {
        return false;
    }
    rest = *us % US_PER_MS;
    *us = rest ? add(*us, US_PER_MS - rest) : *us;
    return true;
}
