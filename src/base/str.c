#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define DISTANCE_MAX_LEN 32

struct str str_view(const char *text)
{
    return text ? (struct str){ text, strlen(text) } : STR_NONE;
}

bool str_equal(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int str_compare(struct str a, struct str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.data, b.data, len) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

bool str_same_nocase(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool str_starts(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_lower(struct str s, char *room, size_t size)
{
    size_t len = s.len < size ? s.len : size;

    for (size_t i = 0; i < len; i++) {
        char c = s.data[i];

        room[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
    }
    return (struct str){ room, len };
}

struct str str_trim(struct str s)
{
    while (s.len && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len && is_blank(s.data[s.len - 1])) {
        s.len--;
    }
    return s;
}

struct str str_cut(struct str *rest, char separator)
{
    struct str head = *rest;
    const char *at = rest->len ? memchr(rest->data, separator, rest->len) : NULL;

    if (!at) {
        *rest = STR_NONE;
        return head;
    }
    head.len = (size_t)(at - head.data);
    rest->data = at + 1;
    rest->len -= head.len + 1;
    return head;
}

bool str_to_u64(struct str s, uint64_t *number)
{
    uint64_t value = 0;

    if (!s.len) {
        return false;
    }
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned char)s.data[i] - (unsigned)'0';

        if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return false;
        }
    }
    *number = value;
    return true;
}

char *str_dup(struct str s)
{
    char *copy = malloc(s.len + 1);

    if (copy) {
        if (s.len) {
            memcpy(copy, s.data, s.len);
        }
        copy[s.len] = '\0';
    }
    return copy;
}

/* Optimal string alignment: Levenshtein's table with the swap of neighbours added (Damerau 1964). */
unsigned str_distance(struct str a, struct str b)
{
    unsigned rows[3][DISTANCE_MAX_LEN + 1];
    unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;

    if (a.len > DISTANCE_MAX_LEN || b.len > DISTANCE_MAX_LEN) {
        return DISTANCE_MAX_LEN;
    }
    for (size_t j = 0; j <= b.len; j++) {
        above[j] = (unsigned)j;
        before[j] = 0;
    }
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = (unsigned)i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.data[i - 1] == b.data[j - 1];
            unsigned best = above[j - 1] + !same;

            if (above[j] + 1 < best) {
                best = above[j] + 1;
            }
            if (row[j - 1] + 1 < best) {
                best = row[j - 1] + 1;
            }
            if (i > 1 && j > 1 && a.data[i - 1] == b.data[j - 2] &&
                a.data[i - 2] == b.data[j - 1] && before[j - 2] + 1 < best) {
                best = before[j - 2] + 1;
            }
            row[j] = best;
        }
        spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b.len];
}
