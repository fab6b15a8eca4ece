#include "plan/spoken_wait.h"

#include "base/clock.h"
#include "base/duration.h"

#include <string.h>

#define DURATION_WORDS_MAX 8 /* "1 hour 2 minutes 3.5 seconds" */

static const char *const phrases[] = {
    "again in",     "again after",     "retry in",     "retry after", "retrying in",
    "available in", "resets in",       "resets after", "reset in",    "reset after",
    "wait",         "back in",         "break for",    "limited for", "locked for",
    "blocked for",  "remaining time:",
};

/* What may stand between the phrase and the duration. */
static const char *const fillers[] = { "for",   "another",       "at",  "least",
                                       "about", "approximately", "the", "next" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static char lower(char c)
{
    return (char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_word_char(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* `words` stands at the beginning, and ends there with a word. */
static bool begins_with(struct str text, const char *words)
{
    size_t len = strlen(words);

    for (size_t i = 0; i < len; i++) {
        if (i >= text.len || lower(text.data[i]) != words[i]) {
            return false;
        }
    }
    return len == text.len || !is_word_char(text.data[len]);
}

static struct str from(struct str text, size_t at)
{
    return (struct str){ text.data + at, text.len - at };
}

static struct str without_blanks(struct str text)
{
    while (text.len && is_blank(text.data[0])) {
        text = from(text, 1);
    }
    return text;
}

static struct str without_fillers(struct str text)
{
    text = without_blanks(text);
    for (size_t i = 0; i < COUNT(fillers); i++) {
        if (begins_with(text, fillers[i])) {
            text = without_blanks(from(text, strlen(fillers[i])));
            i = (size_t)-1; /* the next one may be any of them */
        }
    }
    return text;
}

/* The end of the word that begins at `at`. */
static size_t word_end(struct str text, size_t at)
{
    while (at < text.len && (is_word_char(text.data[at]) || text.data[at] == '.')) {
        at++;
    }
    return at;
}

/* "30 seconds" without the full stop after it. */
static struct str without_stops(struct str text)
{
    while (text.len && !is_word_char(text.data[text.len - 1])) {
        text.len--;
    }
    return text;
}

static bool ends_in_letter(struct str text)
{
    char last = text.len ? lower(text.data[text.len - 1]) : '0';

    return last >= 'a' && last <= 'z';
}

/* The longest duration, in whole words, that the text begins with. */
static bool read_duration(struct str text, uint64_t *wait_us, struct str *said)
{
    size_t begin = 0, end;
    bool is_read = false;

    for (unsigned n = 0; n < DURATION_WORDS_MAX && (end = word_end(text, begin)) > begin; n++) {
        struct str words;
        uint64_t us;

        words = without_stops((struct str){ text.data, end });
        if (ends_in_letter(words) && duration_parse(words, US_PER_S, &us)) {
            is_read = true;
            *wait_us = us;
            *said = words;
        }
        for (begin = end; begin < text.len && is_blank(text.data[begin]); begin++) {
        }
    }
    return is_read;
}

bool spoken_wait_read(struct str text, uint64_t *wait_us, struct str *said)
{
    bool is_found = false;

    for (size_t at = 0; at < text.len; at++) {
        for (size_t i = 0; i < COUNT(phrases); i++) {
            struct str words;
            uint64_t us;

            if (lower(text.data[at]) == phrases[i][0] && begins_with(from(text, at), phrases[i]) &&
                !(at && is_word_char(text.data[at - 1])) &&
                read_duration(without_fillers(from(text, at + strlen(phrases[i]))), &us, &words) &&
                (!is_found || us > *wait_us)) {
                is_found = true;
                *wait_us = us;
                *said = words;
            }
        }
    }
    return is_found;
}
