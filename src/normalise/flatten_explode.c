/*
 * What a struct flatten_shape asks for beyond the walk: values by pointers, and a row for each
 * element of an array. A record comes here once its own cells are in place, in both passes. Its text is known
 * to be valid by then, but for the array to explode: that is verified on the way along its elements.
 */
#include "normalise/flatten_walk.h"

/* Finds the node of the array to explode; it need not be a column. */
static enum result find_explode_node(struct flatten *f, struct err *err)
{
    const struct json_pointer *pointer = f->shape->explode;
    enum result result = RESULT_OK;
    uint32_t node = COLUMNS_ROOT;

    for (unsigned i = 0; result == RESULT_OK && i < pointer->count; i++) {
        struct str name = { pointer->bytes + pointer->steps[i].at, pointer->steps[i].len };

        if (f->pass == FLATTEN_LEARN) {
            result = columns_add(f->columns, node, name, &node, err);
        } else {
            node = columns_find(f->columns, node, name);
        }
    }
    f->explode_node = node;
    return result == RESULT_OK && !flatten_know_nodes(f) ? err_nomem(err, "collecting columns")
                                                         : result;
}

enum result flatten_set_shape(struct flatten *f, const struct flatten_shape *shape, struct err *err)
{
    f->shape = shape;
    f->depth_max = shape->depth_max;
    f->facts = shape->facts && f->pass == FLATTEN_LEARN;
    return shape->explode ? find_explode_node(f, err) : RESULT_OK;
}

void flatten_set_meta(struct flatten *f, const struct flatten_meta *meta, size_t count)
{
    f->meta = meta;
    f->meta_count = count;
}

/* The picks of the record, or those that lead into an element of its array. */
static enum result put_picks(struct flatten *f, struct str value, bool element)
{
    enum result result = RESULT_OK;

    for (size_t i = 0; result == RESULT_OK && i < f->shape->pick_count; i++) {
        const struct flatten_pick *pick = &f->shape->picks[i];
        struct str found;

        if (pick->in_element == element && json_pointer_find(value, &pick->pointer, &found)) {
            result = flatten_put_whole(f, COLUMNS_PICK, pick->name, found);
        }
    }
    return result;
}

/* So that an element without a picked value does not show that of the one before it. */
static void forget_picks(struct flatten *f)
{
    for (size_t i = 0; f->table && i < f->shape->pick_count; i++) {
        const struct flatten_pick *pick = &f->shape->picks[i];
        uint32_t node =
            pick->in_element ? columns_find(f->columns, COLUMNS_PICK, pick->name) : COLUMNS_NONE;

        if (node != COLUMNS_NONE) {
            flatten_empty_cell(f, node);
        }
    }
}

/* One element's row; the record's own cells stay in place. */
static enum result explode_element(struct flatten *f, const char **p, const char *end)
{
    size_t mark = f->visit_count;
    const char *first = *p;
    enum result result = f->shape->picks_only ? flatten_pass_over(f, p, end, f->exploded_depth)
                                              : flatten_element(f, p, end, f->exploded_depth);

    if (result == RESULT_OK) {
        result = put_picks(f, (struct str){ first, (size_t)(*p - first) }, true);
    }
    result = result == RESULT_OK ? flatten_emit(f) : result;
    flatten_forget_visits(f, mark);
    flatten_empty_cell(f, f->explode_node); /* of an element that is no object */
    forget_picks(f);
    return result;
}

/* One row for each element, or for the record alone when there are none. */
static enum result explode(struct flatten *f)
{
    const char *p = f->exploded.data, *end = p + f->exploded.len;
    bool judged = f->judged, any, more;
    enum result result = RESULT_OK;

    f->counts->exploded++;
    f->judged = f->exploded_judged;
    flatten_step_into(&p, end, ']', &more);
    for (any = more; more && result == RESULT_OK;) {
        result = explode_element(f, &p, end);
        result = result == RESULT_OK ? flatten_step_behind(f, &p, end, ']', &more) : result;
    }
    f->judged = judged;
    if (result == RESULT_OK &&
        p != end) { /* who looked for the end only was misled by what is no JSON */
        result = flatten_bad_text(f);
    }
    return result == RESULT_OK && !any ? flatten_emit(f) : result;
}

/* With picks alone the record is not gone through, so its array is looked up. */
static void find_exploded(struct flatten *f, struct str value)
{
    struct str found;

    if (f->shape->explode && json_pointer_find(value, f->shape->explode, &found) &&
        json_type_of(found) == JSON_ARRAY) {
        f->exploded = found;
        f->exploded_judged = true;
    }
}

enum result flatten_rows(struct flatten *f, struct str value)
{
    enum result result = put_picks(f, value, false);

    if (f->shape->picks_only) {
        find_exploded(f, value);
    }
    if (result != RESULT_OK) {
        return result;
    }
    return f->exploded.data ? explode(f) : flatten_emit(f);
}
