#include "base/json_look.h"

#include <assert.h>

struct look {
    const struct json_pointer *pointers;
    size_t count;
    struct str *values;
};

static struct str step_of(const struct look *look, size_t i, unsigned step)
{
    const struct json_pointer *pointer = &look->pointers[i];

    return (struct str){ pointer->bytes + pointer->steps[step].at, pointer->steps[step].len };
}

#define EACH(i, mask)                                                                              \
    for (size_t i = 0; i < look->count; i++)                                                       \
        if ((mask) >> i & 1)

static void look_from(const struct look *look, struct str value, unsigned step, uint64_t mask);

/* A name that comes again takes back all that its forerunner gave. */
static void look_into(const struct look *look, struct str value, unsigned step, uint64_t mask)
{
    EACH(i, mask)
    {
        look->values[i] = STR_NONE;
    }
    look_from(look, value, step, mask);
}

static void look_in_object(const struct look *look, struct str object, unsigned step, uint64_t mask)
{
    struct json_walk walk;
    struct str key, value;

    json_walk_begin(&walk, object);
    while (json_walk_next(&walk, &key, &value)) {
        uint64_t named = 0;

        EACH(i, mask)
        {
            named |= (uint64_t)json_raw_equal(key, step_of(look, i, step)) << i;
        }
        if (named) {
            look_into(look, value, step + 1, named);
        }
    }
}

/* RFC 6901 section 4: digits without a leading zero. */
static bool is_index(struct str step, uint64_t *index)
{
    return str_to_u64(step, index) && (step.len == 1 || step.data[0] != '0');
}

static void look_in_array(const struct look *look, struct str array, unsigned step, uint64_t mask)
{
    struct json_walk walk;
    struct str value, last = STR_NONE;
    uint64_t wanted[JSON_LOOKS_MAX], of_last = 0, at = 0;

    EACH(i, mask)
    {
        if (str_equal(step_of(look, i, step), STR("-"))) {
            of_last |= UINT64_C(1) << i;
        } else if (!is_index(step_of(look, i, step), &wanted[i])) {
            wanted[i] = UINT64_MAX; /* no array is as long */
        }
    }
    json_walk_begin(&walk, array);
    for (mask &= ~of_last; (mask || of_last) && json_walk_next(&walk, NULL, &value); at++) {
        uint64_t here = 0;

        last = value;
        EACH(i, mask)
        {
            here |= (uint64_t)(wanted[i] == at) << i;
        }
        if (here) {
            look_from(look, value, step + 1, here);
            mask &= ~here;
        }
    }
    if (last.data && of_last) {
        look_from(look, last, step + 1, of_last);
    }
}

/* Recursion is bounded by JSON_POINTER_STEPS_MAX. */
static void look_from(const struct look *look, struct str value, unsigned step, uint64_t mask)
{
    EACH(i, mask)
    {
        if (look->pointers[i].count == step) {
            look->values[i] = value;
            mask &= ~(UINT64_C(1) << i);
        }
    }
    if (mask && json_type_of(value) == JSON_OBJECT) {
        look_in_object(look, value, step, mask);
    } else if (mask && json_type_of(value) == JSON_ARRAY) {
        look_in_array(look, value, step, mask);
    }
}

void json_look(struct str text, const struct json_pointer *pointers, size_t count,
               struct str *values)
{
    struct look look = { pointers, count, values };

    assert(count <= JSON_LOOKS_MAX);
    if (count) {
        look_into(&look, str_trim(text), 0, UINT64_MAX >> (64 - count));
    }
}
