#include "plan/sort_key.h"

#include <string.h>

static void append(struct sort_key *key, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        key->bytes[key->len++] = (uint8_t)(number >> (8 * i));
    }
}

void sort_key_of_seed(uint32_t round, uint64_t id, struct sort_key *key)
{
    key->len = 0;
    append(key, round, 4);
    append(key, id, 8);
}

void sort_key_of(const struct request *request, struct sort_key *key)
{
    if (!request->sort_key.len || request->sort_key.len > sizeof key->bytes) {
        sort_key_of_seed(0, request->id, key);
        return;
    }
    memcpy(key->bytes, request->sort_key.data, request->sort_key.len);
    key->len = request->sort_key.len;
}

/* The key of its listing: its own without the page. */
static void place_of_listing(const struct request *request, struct sort_key *key)
{
    sort_key_of(request, key);
    if (request->page.ordinal && key->len >= 4) {
        key->len -= 4;
    }
}

void sort_key_of_page(const struct request *request, uint32_t ordinal, struct sort_key *key)
{
    place_of_listing(request, key);
    if (ordinal && key->len + 4 <= sizeof key->bytes) {
        append(key, ordinal, 4);
    }
}

bool sort_key_of_record(const struct request *request, uint32_t record, struct sort_key *key)
{
    place_of_listing(request, key);
    if (key->len + 12 > sizeof key->bytes) { /* a page of its own must still find room */
        return false;
    }
    append(key, request->page.ordinal, 4);
    append(key, record, 4);
    return true;
}

void sort_key_of_page_part(const struct request *request, uint32_t ordinal, struct sort_key *key)
{
    sort_key_of(request, key);
    if (request->page.basis == PAGE_PART && key->len >= 4) {
        key->len -= 4;
    }
    if (key->len + 4 <= sizeof key->bytes) {
        append(key, ordinal, 4);
    }
}

static uint32_t number_at(const struct sort_key *key, size_t at)
{
    uint32_t number = 0;

    for (size_t i = 0; i < 4; i++) {
        number = number << 8 | key->bytes[at + i];
    }
    return number;
}

bool sort_key_of_part(const struct request *request, unsigned half, unsigned depth_max,
                      struct sort_key *key)
{
    uint32_t begin = 0, depth = 0;

    place_of_listing(request, key);
    if (key->len == SORT_KEY_SEED_BYTES + 8) {
        begin = number_at(key, SORT_KEY_SEED_BYTES);
        depth = number_at(key, SORT_KEY_SEED_BYTES + 4);
        key->len = SORT_KEY_SEED_BYTES;
    }
    if (key->len != SORT_KEY_SEED_BYTES || depth >= depth_max || depth >= 31) {
        return false;
    }
    append(key, half ? begin + (UINT32_C(1) << (31 - depth)) : begin, 4);
    append(key, depth + 1, 4);
    return true;
}

int sort_key_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct str sort_key_view(const struct sort_key *key)
{
    return (struct str){ (const char *)key->bytes, key->len };
}
