#include "table/parquet/parquet_extent.h"

#include "base/little.h"
#include "base/str.h"
#include "table/parquet/parquet_page.h"
#include "table/parquet/parquet_plain.h"

#include <string.h>

static void copy_bound(char to[PARQUET_BOUND_MAX], uint32_t *to_len, struct str from)
{
    memcpy(to, from.data, from.len);
    *to_len = (uint32_t)from.len;
}

static void add_texts(struct parquet_extent *x, const struct parquet_bounds *bounds,
                      const char *texts)
{
    struct parquet_bounds *into = &x->bounds;
    struct str low = { texts, bounds->low_len };
    struct str high = { texts + bounds->low_len, bounds->high_len };

    into->unbounded |= bounds->unbounded;
    if (into->unbounded) {
        return;
    }
    if (!into->any || str_compare(low, (struct str){ x->low, into->low_len }) < 0) {
        copy_bound(x->low, &into->low_len, low);
    }
    if (!into->any || str_compare(high, (struct str){ x->high, into->high_len }) > 0) {
        copy_bound(x->high, &into->high_len, high);
    }
}

void parquet_extent_add(struct parquet_extent *x, enum type type,
                        const struct parquet_bounds *bounds, const char *texts)
{
    struct parquet_bounds *into = &x->bounds;

    if (!bounds->any) {
        return;
    }
    if (type == TYPE_TEXT) {
        add_texts(x, bounds, texts);
    } else if (type == TYPE_DOUBLE) {
        if (!into->any || bounds->low.fraction < into->low.fraction) {
            into->low = bounds->low;
        }
        if (!into->any || bounds->high.fraction > into->high.fraction) {
            into->high = bounds->high;
        }
    } else {
        if (!into->any || bounds->low.whole < into->low.whole) {
            into->low = bounds->low;
        }
        if (!into->any || bounds->high.whole > into->high.whole) {
            into->high = bounds->high;
        }
    }
    into->any = true;
}

void parquet_extent_put(const struct parquet_extent *x, enum type type, struct thrift *t)
{
    const struct parquet_bounds *bounds = &x->bounds;
    char low[8], high[8];
    struct str texts[2] = { { high, sizeof high }, { low, sizeof low } };

    if (!bounds->any || bounds->unbounded) {
        return;
    }
    if (type == TYPE_TEXT) {
        texts[0] = (struct str){ x->high, bounds->high_len };
        texts[1] = (struct str){ x->low, bounds->low_len };
    } else if (type == TYPE_BOOLEAN) {
        low[0] = (char)bounds->low.whole;
        high[0] = (char)bounds->high.whole;
        texts[0].len = texts[1].len = 1;
    } else if (type == TYPE_DOUBLE) {
        /* Zeros of both signs are one value to readers. */
        little_put_u64(
            low, parquet_double_bits(bounds->low.fraction == 0 ? -0.0 : bounds->low.fraction));
        little_put_u64(
            high, parquet_double_bits(bounds->high.fraction == 0 ? 0.0 : bounds->high.fraction));
    } else {
        /* Of INT32 the first half. */
        little_put_u64(low, (uint64_t)bounds->low.whole);
        little_put_u64(high, (uint64_t)bounds->high.whole);
        texts[0].len = texts[1].len = parquet_plain_is_narrow(type) ? 4 : 8;
    }
    thrift_binary(t, 5, texts[0]); /* max_value */
    thrift_binary(t, 6, texts[1]); /* min_value */
    thrift_bool(t, 7, true);       /* is_max_value_exact */
    thrift_bool(t, 8, true);       /* is_min_value_exact */
}
