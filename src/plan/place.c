#include "plan/place.h"

#include <string.h>

static void append(struct place *place, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i-- > 0;) {
        place->bytes[place->len++] = (uint8_t)(number >> (8 * i));
    }
}

void place_of_seed(uint32_t round, uint64_t id, struct place *place)
{
    place->len = 0;
    append(place, round, 4);
    append(place, id, 8);
}

void place_of(const struct request *request, struct place *place)
{
    if (!request->place.len || request->place.len > sizeof place->bytes) {
        place_of_seed(0, request->id, place);
        return;
    }
    memcpy(place->bytes, request->place.data, request->place.len);
    place->len = request->place.len;
}

/* The place of its listing: its own without the page. */
static void place_of_listing(const struct request *request, struct place *place)
{
    place_of(request, place);
    if (request->page.ordinal && place->len >= 4) {
        place->len -= 4;
    }
}

void place_of_page(const struct request *request, uint32_t ordinal, struct place *place)
{
    place_of_listing(request, place);
    if (ordinal && place->len + 4 <= sizeof place->bytes) {
        append(place, ordinal, 4);
    }
}

bool place_of_record(const struct request *request, uint32_t record, struct place *place)
{
    place_of_listing(request, place);
    if (place->len + 12 > sizeof place->bytes) { /* a page of its own must still find room */
        return false;
    }
    append(place, request->page.ordinal, 4);
    append(place, record, 4);
    return true;
}

int place_compare(struct str a, struct str b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter ? memcmp(a.data, b.data, shorter) : 0;

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

struct str place_view(const struct place *place)
{
    return (struct str){ (const char *)place->bytes, place->len };
}
