#include "table/table_spec.h"

#include <stdlib.h>

uint64_t table_memory(const struct table_spec *spec)
{
    return spec->memory_bytes ? spec->memory_bytes : TABLE_MEMORY_DEFAULT;
}

static bool has_every(const struct json_pointer *pointer)
{
    for (unsigned i = 0; i < pointer->count; i++) {
        if (pointer->steps[i].every) {
            return true;
        }
    }
    return false;
}

static enum result read_explode(struct table_shape *shape, const char *text, struct err *err)
{
    enum result result = json_pointer_parse(&shape->explode, str_view(text), err);

    if (result != RESULT_OK) {
        return result;
    }
    if (!shape->explode.count || has_every(&shape->explode)) {
        return err_set(err, RESULT_INVALID, "E-PTR1",
                       "--explode \"%s\": want one array of the record, without *, as in /items",
                       text);
    }
    shape->flatten.explode = &shape->explode;
    return RESULT_OK;
}

static enum result read_pick(struct flatten_pick *pick, const struct table_pick *from,
                             const struct json_pointer *explode, struct err *err)
{
    enum result result = json_pointer_parse(&pick->pointer, from->pointer, err);
    struct json_pointer whole = pick->pointer;

    pick->name = from->name;
    if (result == RESULT_OK && has_every(&pick->pointer)) {
        result = err_set(err, RESULT_INVALID, "E-PTR1",
                         "--columns %.*s: a pointer to one value has no *", STR_ARG(from->name));
    }
    pick->in_element =
        result == RESULT_OK && explode && json_pointer_rest(&whole, explode, &pick->pointer);
    return result;
}

enum result table_shape_init(struct table_shape *shape, const struct table_spec *spec, bool facts,
                             struct err *err)
{
    enum result result = RESULT_OK;

    *shape = (struct table_shape){
        .flatten = { .depth_max = spec->depth_limited ? spec->depth_max : FLATTEN_DEPTH_ALL,
                     .facts = facts },
        .picks = calloc(spec->pick_count + 1, sizeof *shape->picks),
    };
    if (!shape->picks) {
        return err_nomem(err, "starting a table");
    }
    shape->flatten.picks = shape->picks;
    if (spec->explode) {
        result = read_explode(shape, spec->explode, err);
    }
    for (size_t i = 0; result == RESULT_OK && i < spec->pick_count; i++) {
        if (spec->picks[i].pointer.data) {
            result = read_pick(&shape->picks[shape->flatten.pick_count++], &spec->picks[i],
                               shape->flatten.explode, err);
        }
    }
    /* Names may also stand in the options that look at columns. */
    shape->flatten.picks_only = spec->pick_count && shape->flatten.pick_count == spec->pick_count &&
                                !spec->unique_count && !spec->where_present.data;
    if (result != RESULT_OK) {
        table_shape_release(shape);
    }
    return result;
}

void table_shape_release(struct table_shape *shape)
{
    free(shape->picks);
    shape->picks = NULL;
}
