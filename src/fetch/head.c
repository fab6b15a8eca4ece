#include "fetch/head.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "HTTP/1.1 200 OK" or "HTTP/2 200 ": its number, or 0. libcurl reads "http/1.1 500" as a 200. */
static int status_of(struct str line)
{
    int status = 0;
    struct str version = str_cut(&line, ' ');

    if (!str_starts(version, STR("HTTP/")) || !line.data) {
        return 0;
    }
    while (line.len && line.data[0] == ' ') {
        line.data++;
        line.len--;
    }
    for (size_t i = 0; i < 3; i++) {
        if (i >= line.len || !is_digit(line.data[i])) {
            return 0;
        }
        status = status * 10 + (line.data[i] - '0');
    }
    return line.len > 3 && is_digit(line.data[3]) ? 0 : status;
}

static bool is_informational(int status)
{
    return status >= 100 && status <= 199;
}

enum head_line head_take(struct head *head, struct str line)
{
    bool is_blank = line.len && (line.data[0] == ' ' || line.data[0] == '\t');

    if (head->part == HEAD_BEFORE || (head->part == HEAD_AFTER && is_informational(head->status))) {
        head->status = status_of(line);
        head->part = HEAD_IN;
        head->has_field = false;
        return head->status ? HEAD_STATUS : HEAD_BAD;
    }
    if (head->part == HEAD_AFTER) {
        return HEAD_IGNORED;
    }
    if (!line.len || line.data[0] == '\r' || line.data[0] == '\n') {
        head->part = HEAD_AFTER;
        return HEAD_IGNORED;
    }
    if (is_blank) {
        return head->has_field ? HEAD_FOLD : HEAD_IGNORED;
    }
    head->has_field = true;
    return HEAD_FIELD;
}

bool head_length(struct str value, uint64_t *length)
{
    for (bool first = true; value.data; first = false) {
        uint64_t said;

        if (!str_to_u64(str_trim(str_cut(&value, ',')), &said) || (!first && said != *length)) {
            return false;
        }
        *length = said;
    }
    return true;
}

bool head_range_is_part(struct str value)
{
    struct str total = value, range, unit;
    uint64_t first, last, all;

    range = str_trim(str_cut(&total, '/'));
    unit = str_cut(&range, ' ');
    if (!str_equal_nocase(unit, STR("bytes")) || !total.data) {
        return false;
    }
    value = str_trim(range);
    return !str_to_u64(str_cut(&value, '-'), &first) || !str_to_u64(value, &last) ||
           !str_to_u64(str_trim(total), &all) || first != 0 || last + 1 != all;
}
