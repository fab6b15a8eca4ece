#include "table/merged_source.h"

#include "plan/sort_key.h"

#include <stdlib.h>
#include <string.h>

/* The piece that an inner source is at; its place is copied, as the source forgets it with the next. */
struct head {
    struct record_source *source;
    size_t order; /* among the sources as given */
    struct record_piece piece;
    struct sort_key place;
};

struct merged_source {
    struct record_source base; /* first: we are handed this */
    bool by_place;
    bool is_begun; /* every source has been asked for its first piece */
    bool is_taken; /* the first head's piece was given out */
    struct sort_key last;
    uint64_t *doubled;
    size_t head_count; /* heads that are a heap; those after are at their end */
    size_t count;
    struct head heads[];
};

static bool comes_before(const struct merged_source *m, const struct head *a, const struct head *b)
{
    int order =
        m->by_place ? sort_key_compare(sort_key_view(&a->place), sort_key_view(&b->place)) : 0;

    return order < 0 || (order == 0 && a->order < b->order);
}

static void swap(struct head *a, struct head *b)
{
    struct head kept = *a;

    *a = *b;
    *b = kept;
}

/* The head at `at` finds its place below. */
static void sift(struct merged_source *m, size_t at)
{
    for (;;) {
        size_t first = at;

        for (size_t below = 2 * at + 1; below <= 2 * at + 2 && below < m->head_count; below++) {
            first = comes_before(m, &m->heads[below], &m->heads[first]) ? below : first;
        }
        if (first == at) {
            return;
        }
        swap(&m->heads[at], &m->heads[first]);
        at = first;
    }
}

static enum result advance(struct head *head, bool *more, struct err *err)
{
    enum result result = head->source->next(head->source, &head->piece, more, err);

    head->place.len = 0;
    if (result == RESULT_OK && *more) {
        struct str place = head->piece.place;

        head->place.len = place.len < SORT_KEY_MAX ? place.len : SORT_KEY_MAX;
        memcpy(head->place.bytes, place.len ? place.data : "", head->place.len);
        head->piece.place = STR_NONE;
    }
    return result;
}

static void count_all(struct merged_source *m)
{
    m->base.records = m->base.bytes = 0;
    for (size_t i = 0; i < m->count; i++) {
        m->base.records += m->heads[i].source->records;
        m->base.bytes += m->heads[i].source->bytes;
    }
}

static enum result begin(struct merged_source *m, struct err *err)
{
    m->head_count = m->count;
    for (size_t i = 0; i < m->head_count;) {
        bool more = false;
        enum result result = advance(&m->heads[i], &more, err);

        if (result != RESULT_OK) {
            return result;
        }
        if (more) {
            i++;
        } else {
            swap(&m->heads[i], &m->heads[--m->head_count]);
        }
    }
    for (size_t i = m->head_count / 2; i-- > 0;) {
        sift(m, i);
    }
    m->is_begun = true;
    count_all(m);
    return RESULT_OK;
}

/* Moves the first source past the piece that was given out. */
static enum result step(struct merged_source *m, struct err *err)
{
    bool more = false;
    enum result result = advance(&m->heads[0], &more, err);

    if (result == RESULT_OK && !more) {
        swap(&m->heads[0], &m->heads[--m->head_count]);
    }
    if (result == RESULT_OK) {
        sift(m, 0);
        m->is_taken = false;
    }
    return result;
}

static enum result next(struct record_source *source, struct record_piece *piece, bool *more,
                        struct err *err)
{
    struct merged_source *m = (struct merged_source *)(void *)source;
    enum result result = RESULT_OK;

    if (!m->is_begun) {
        result = begin(m, err);
    } else if (m->is_taken) {
        result = step(m, err);
    }
    if (result != RESULT_OK) {
        return result;
    }
    *more = m->head_count > 0;
    if (*more) {
        struct head *first = &m->heads[0];

        *m->doubled += m->by_place && m->last.len &&
                       sort_key_compare(sort_key_view(&m->last), sort_key_view(&first->place)) == 0;
        m->last = first->place;
        *piece = first->piece;
        m->is_taken = true;
    }
    return RESULT_OK;
}

static enum result rewind_all(struct record_source *source, struct err *err)
{
    struct merged_source *m = (struct merged_source *)(void *)source;
    enum result result = RESULT_OK;

    m->is_begun = m->is_taken = false;
    *m->doubled = 0;
    m->last.len = 0;
    for (size_t i = 0; i < m->count && result == RESULT_OK; i++) {
        result = m->heads[i].source->rewind(m->heads[i].source, err);
    }
    return result;
}

static void close_all(struct record_source *source)
{
    struct merged_source *m = (struct merged_source *)(void *)source;

    for (size_t i = 0; i < m->count; i++) {
        m->heads[i].source->close(m->heads[i].source);
    }
    free(m);
}

enum result merged_source_new(struct record_source **source, struct record_source *const *inner,
                              size_t count, bool by_place, uint64_t *doubled, struct err *err)
{
    struct merged_source *m = calloc(1, sizeof *m + count * sizeof m->heads[0]);

    if (!m) {
        for (size_t i = 0; i < count; i++) {
            inner[i]->close(inner[i]);
        }
        return err_nomem(err, "merging runs");
    }
    m->base = (struct record_source){ .next = next, .rewind = rewind_all, .close = close_all };
    m->by_place = by_place;
    m->count = count;
    m->doubled = doubled;
    *doubled = 0;
    for (size_t i = 0; i < count; i++) {
        m->heads[i] = (struct head){ .source = inner[i], .order = i };
    }
    *source = &m->base;
    return RESULT_OK;
}
