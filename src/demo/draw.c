#include "demo/draw.h"

static uint64_t mix(uint64_t z)
{
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

uint64_t draw_next(struct draw *d)
{
    d->state += UINT64_C(0x9E3779B97F4A7C15);
    return mix(d->state);
}

struct draw draw_start(uint64_t seed, enum draw_purpose purpose, uint64_t which)
{
    struct draw d = { mix(seed + UINT64_C(0x9E3779B97F4A7C15)) ^ mix((uint64_t)purpose << 56) };

    d.state = mix(d.state + mix(which));
    return d;
}

uint64_t draw_below(struct draw *d, uint64_t count)
{
    return count ? draw_next(d) % count : 0; /* the bias at these counts is beyond notice */
}

bool draw_percent(struct draw *d, unsigned percent)
{
    return draw_below(d, 100) < percent;
}

double draw_unit(struct draw *d)
{
    return (double)(draw_next(d) >> 11) * 0x1p-53;
}

uint64_t draw_hash(uint64_t seed, enum draw_purpose purpose, struct str text)
{
    uint64_t hash = mix(seed ^ (uint64_t)purpose << 56);

    for (size_t i = 0; i < text.len; i++) { /* FNV-1a, from a basis nobody knows */
        hash = (hash ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3);
    }
    return mix(hash);
}
