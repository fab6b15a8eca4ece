#include "normalise/filled.h"

#include <stdlib.h>

bool filled_init(struct filled *f, size_t columns)
{
    *f = (struct filled){ .max = 0 };
    if (columns < FILLED_COLUMNS_MIN) {
        return true;
    }
    f->max = columns / FILLED_PART;
    f->bits = calloc(columns / 64 + 1, sizeof *f->bits);
    f->columns = calloc(f->max, sizeof *f->columns);
    return f->bits && f->columns;
}

void filled_release(struct filled *f)
{
    free(f->bits);
    free(f->columns);
    *f = (struct filled){ .max = 0 };
}

size_t filled_list(struct filled *f, size_t columns)
{
    size_t count = 0;

    for (size_t word = 0; word <= columns / 64; word++) {
        uint64_t bits = f->bits[word];

        for (; bits; bits &= bits - 1) {
            f->columns[count++] = (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
        }
        f->bits[word] = 0;
    }
    return count;
}
