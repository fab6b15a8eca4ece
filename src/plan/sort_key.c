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
