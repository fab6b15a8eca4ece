#include "normalise/columns.h"

#include "base/buf.h"
#include "base/os.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct node {
    uint32_t parent;
    uint32_t name_at, name_len; /* in `names` */
    uint32_t column;            /* once settled; COLUMNS_NONE when no value stands here */
    bool marked;
    uint32_t order; /* where it was first seen: within ... */
    uint64_t chunk; /* ... this chunk */
};

/* The hash is compared first: of thousands of nodes each lies in a line of memory of its own, and its name in
 * another. */
struct slot {
    uint32_t node; /* and 1; 0 is free */
    uint32_t hash;
};

#define FACTS_LINE 64

static_assert(sizeof(struct type_facts) % FACTS_LINE == 0,
              "so that they lie in lines of their own");

struct columns {
    struct node *nodes;
    uint32_t count, cap;
    uint32_t marked;
    struct slot *slots; /* open addressing by (parent, name) */
    uint32_t slot_count;
    uint64_t
        basis; /* of the hash: nobody knows it, so nobody can choose names that all fall into one slot */
    struct buf names;
    bool want_facts;
    struct facts_wish wish;
    struct type_facts *facts; /* by node, when wanted */
    struct firsts firsts;     /* likewise */
    struct record_place here;
    bool are_texts;
    uint32_t *nodes_of; /* by column, once settled */
    struct str *labels; /* by column, once settled: views into label_bytes */
    struct buf label_bytes;
    uint32_t renamed;
};

static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return h ^ h >> 32;
}

/* Eight bytes at once; the last ones may be looked at twice. */
static uint32_t hash_name(const struct columns *c, uint32_t parent, struct str name)
{
    uint64_t h = mix(mix(c->basis, parent), name.len), word = 0;
    size_t at = 0;

    for (; at + sizeof word <= name.len; at += sizeof word) {
        memcpy(&word, name.data + at, sizeof word);
        h = mix(h, word);
    }
    if (at < name.len && name.len >= sizeof word) {
        memcpy(&word, name.data + name.len - sizeof word, sizeof word);
        h = mix(h, word);
    } else if (at < name.len) {
        word = 0;
        memcpy(&word, name.data, name.len);
        h = mix(h, word);
    }
    /* Names often differ in their last letters alone, which the upper bits have: once more, so that all bits have all. */
    return (uint32_t)((h * UINT64_C(0x9E3779B97F4A7C15)) >> 32);
}

struct str columns_node_name(const struct columns *c, uint32_t node)
{
    return (struct str){ c->names.data + c->nodes[node].name_at, c->nodes[node].name_len };
}

/* The slot that holds the node, or the free one where it belongs. */
static struct slot *find_slot(const struct columns *c, uint32_t parent, struct str name,
                              uint32_t hash)
{
    uint32_t mask = c->slot_count - 1, at = hash & mask;

    while (c->slots[at].node) {
        uint32_t node = c->slots[at].node - 1;

        if (c->slots[at].hash == hash && c->nodes[node].parent == parent &&
            str_equal(columns_node_name(c, node), name)) {
            break;
        }
        at = (at + 1) & mask;
    }
    return &c->slots[at];
}

/* The node is the one whose parent and name those are. */
static void take_slot(struct columns *c, uint32_t node)
{
    const struct str name = columns_node_name(c, node);
    uint32_t parent = c->nodes[node].parent, hash = hash_name(c, parent, name);

    *find_slot(c, parent, name, hash) = (struct slot){ node + 1, hash };
}

/* Room for so many nodes, of which `known` have some. */
static bool grow_facts(struct columns *c, uint32_t known, uint32_t cap)
{
    struct type_facts *facts = aligned_alloc(FACTS_LINE, cap * sizeof *facts);

    if (!facts) {
        return false;
    }
    if (known) {
        memcpy(facts, c->facts, known * sizeof *facts);
    }
    memset(facts + known, 0, (cap - known) * sizeof *facts);
    free(c->facts);
    c->facts = facts;
    return firsts_reserve(&c->firsts, known, cap);
}

/* Room for one node more; the table stays under half full. */
static bool grow(struct columns *c)
{
    uint32_t cap = c->cap ? c->cap * 2 : 64;
    struct slot *slots, *old = c->slots;
    struct node *nodes;

    if (c->count < c->cap) {
        return true;
    }
    nodes = realloc(c->nodes, cap * sizeof *nodes);
    if (!nodes) {
        return false;
    }
    c->nodes = nodes;
    if (c->want_facts && !grow_facts(c, c->count, cap)) {
        return false;
    }
    slots = calloc((size_t)cap * 2, sizeof *slots);
    if (!slots) {
        return false;
    }
    c->cap = cap;
    c->slots = slots;
    c->slot_count = cap * 2;
    free(old);
    for (uint32_t i = COLUMNS_ROOTS; i < c->count; i++) {
        take_slot(c, i);
    }
    return true;
}

struct columns *columns_new(void)
{
    struct columns *c = calloc(1, sizeof *c);

    if (!c) {
        return NULL;
    }
    (void)os_random(&c->basis, sizeof c->basis);
    buf_init(&c->names, COLUMNS_NAMES_MAX);
    if (!grow(c) || buf_reserve(&c->names, 64) != RESULT_OK) {
        columns_free(c);
        return NULL;
    }
    c->count = COLUMNS_ROOTS;
    for (uint32_t i = 0; i < c->count; i++) {
        c->nodes[i] = (struct node){ .parent = COLUMNS_NONE, .column = COLUMNS_NONE };
    }
    return c;
}

void columns_free(struct columns *c)
{
    if (c) {
        free(c->facts);
        firsts_release(&c->firsts);
        free(c->nodes_of);
        free(c->nodes);
        free(c->slots);
        free(c->labels);
        buf_release(&c->names);
        buf_release(&c->label_bytes);
        free(c);
    }
}

uint32_t columns_find(const struct columns *c, uint32_t parent, struct str name)
{
    uint32_t slot = find_slot(c, parent, name, hash_name(c, parent, name))->node;

    return slot ? slot - 1 : COLUMNS_NONE;
}

uint32_t columns_likely(const struct columns *c, uint32_t parent, struct str name)
{
    uint32_t hash = hash_name(c, parent, name), mask = c->slot_count - 1, at = hash & mask;

    while (c->slots[at].node && c->slots[at].hash != hash) {
        at = (at + 1) & mask;
    }
    return c->slots[at].node ? c->slots[at].node - 1 : COLUMNS_NONE;
}

static enum result too_many(struct err *err)
{
    return err_set(err, RESULT_LIMIT, "E-COL1", "over %d columns", COLUMNS_MAX);
}

enum result columns_add(struct columns *c, uint32_t parent, struct str name, uint32_t *node,
                        struct err *err)
{
    enum result result;

    *node = columns_find(c, parent, name);
    if (*node != COLUMNS_NONE) {
        return RESULT_OK;
    }
    if (c->count == COLUMNS_NODES_MAX) {
        return too_many(err);
    }
    if (!grow(c)) {
        return err_nomem(err, "collecting columns");
    }
    *node = c->count;
    c->nodes[*node] = (struct node){ .parent = parent,
                                     .name_at = (uint32_t)c->names.len,
                                     .name_len = (uint32_t)name.len,
                                     .column = COLUMNS_NONE };
    result = buf_append_str(&c->names, name);
    if (result != RESULT_OK) {
        return result == RESULT_LIMIT ? too_many(err) : err_nomem(err, "collecting columns");
    }
    c->count++;
    take_slot(c, *node);
    return RESULT_OK;
}

enum result columns_want_facts(struct columns *c, const struct facts_wish *wish, struct err *err)
{
    c->wish = *wish;
    c->want_facts = wish->types;
    return !c->want_facts || c->facts || grow_facts(c, 0, c->cap)
               ? RESULT_OK
               : err_nomem(err, "collecting columns");
}

void columns_enter_record(struct columns *c, uint64_t chunk, uint64_t record)
{
    c->here = (struct record_place){ chunk, record };
}

void columns_take_texts(struct columns *c, bool are_texts)
{
    c->are_texts = are_texts;
}

void columns_note(struct columns *c, uint32_t node, enum cell_kind kind, struct str text,
                  struct row_value *value)
{
    struct type_facts *facts = &c->facts[node];

    value->kind = types_note(facts, kind, text, c->wish.coerce || c->are_texts, &value->value);
    if (facts->seen[value->kind] == 1) {
        firsts_note(&c->firsts, node, value->kind, &c->here, kind, text);
    }
}

bool columns_first(const struct columns *c, uint32_t node, uint32_t kinds,
                   struct record_place *place, char text[FIRSTS_TEXT_MAX + 8])
{
    return firsts_find(&c->firsts, node, kinds, place, text);
}

const struct type_facts *columns_facts(const struct columns *c, uint32_t node)
{
    return c->facts ? &c->facts[node] : NULL;
}

static bool earlier(uint64_t chunk, uint32_t order, const struct node *than)
{
    return chunk < than->chunk || (chunk == than->chunk && order < than->order);
}

enum result columns_mark(struct columns *c, uint32_t node, uint64_t chunk, uint32_t order,
                         struct err *err)
{
    struct node *n = &c->nodes[node];

    if (n->marked && !earlier(chunk, order, n)) {
        return RESULT_OK;
    }
    if (!n->marked && c->marked == COLUMNS_MAX) {
        return too_many(err);
    }
    c->marked += !n->marked;
    n->marked = true;
    n->chunk = chunk;
    n->order = order;
    return RESULT_OK;
}

/* The last node that went into the table hides nobody who came before, so its slot is simply freed;
 * growing keeps that order. */
void columns_take_back(struct columns *c, uint32_t count, const uint32_t *unmark,
                       size_t unmark_count)
{
    for (size_t i = 0; i < unmark_count; i++) {
        c->nodes[unmark[i]].marked = false;
        c->marked--;
    }
    while (c->count > count) {
        uint32_t node = c->count - 1;

        find_slot(c, c->nodes[node].parent, columns_node_name(c, node),
                  hash_name(c, c->nodes[node].parent, columns_node_name(c, node)))
            ->node = 0;
        c->names.len = c->nodes[node].name_at;
        if (c->facts) {
            c->facts[node] = (struct type_facts){ 0 };
            firsts_forget(&c->firsts, node);
        }
        c->count--;
    }
}

bool columns_marked(const struct columns *c, uint32_t node)
{
    return c->nodes[node].marked;
}

uint32_t columns_parent(const struct columns *c, uint32_t node)
{
    return c->nodes[node].parent;
}

uint32_t columns_node_count(const struct columns *c)
{
    return c->count;
}

enum result columns_seed(struct columns *c, const struct columns *from, struct err *err)
{
    enum result result = RESULT_OK;

    for (uint32_t i = COLUMNS_ROOTS; result == RESULT_OK && i < from->count; i++) {
        uint32_t node;

        result = columns_add(c, from->nodes[i].parent, columns_node_name(from, i), &node, err);
        assert(result != RESULT_OK || node == i);
    }
    return result;
}

enum result columns_merge(struct columns *into, const struct columns *from, struct err *err)
{
    uint32_t *there = calloc(from->count, sizeof *there);
    enum result result = RESULT_OK;

    if (!there) {
        return err_nomem(err, "merging columns");
    }
    for (uint32_t i = 0; i < COLUMNS_ROOTS; i++) {
        there[i] = i;
    }
    /* A parent stands before its children, so it has its place already. */
    for (uint32_t i = COLUMNS_ROOTS; result == RESULT_OK && i < from->count; i++) {
        const struct node *n = &from->nodes[i];

        result = columns_add(into, there[n->parent], columns_node_name(from, i), &there[i], err);
        if (result == RESULT_OK && n->marked) {
            result = columns_mark(into, there[i], n->chunk, n->order, err);
        }
        if (result == RESULT_OK && from->facts) {
            types_merge(&into->facts[there[i]], &from->facts[i]);
            firsts_merge(&into->firsts, there[i], &from->firsts, i);
        }
    }
    free(there);
    return result;
}

static int by_first_seen(const void *left, const void *right)
{
    const struct node *a = *(struct node *const *)left, *b = *(struct node *const *)right;

    if ((a->parent == COLUMNS_PICK) != (b->parent == COLUMNS_PICK)) {
        return a->parent == COLUMNS_PICK ? 1 : -1;
    }
    return earlier(a->chunk, a->order, b) ? -1 : earlier(b->chunk, b->order, a) ? 1 : 0;
}

/* The path's keys, joined; recursion as deep as the JSON was. */
static enum result append_path(const struct columns *c, uint32_t node, struct str separator,
                               struct buf *out)
{
    uint32_t parent = c->nodes[node].parent;
    enum result result = RESULT_OK;

    if (parent >= COLUMNS_ROOTS) {
        result = append_path(c, parent, separator, out);
        result = result == RESULT_OK ? buf_append_str(out, separator) : result;
    }
    return result == RESULT_OK ? buf_append_str(out, columns_node_name(c, node)) : result;
}

/* `taken` holds the names given so far, below its root; a node's `order` is the suffix that the next
 * column of that name should try, so that many of them do not search long. */
static enum result append_label(struct columns *c, struct columns *taken, uint32_t node,
                                struct str separator, struct buf *label, struct err *err)
{
    uint32_t base, mine;
    enum result result;
    size_t base_len;

    buf_reset(label);
    result = append_path(c, node, separator, label);
    base_len = label->len;
    base = columns_find(taken, COLUMNS_ROOT, buf_view(label));
    if (base != COLUMNS_NONE) {
        uint32_t suffix = taken->nodes[base].order < 2 ? 2 : taken->nodes[base].order;

        do {
            label->len = base_len;
            result = result == RESULT_OK ? buf_printf(label, "_%u", suffix++) : result;
        } while (result == RESULT_OK &&
                 columns_find(taken, COLUMNS_ROOT, buf_view(label)) != COLUMNS_NONE);
        taken->nodes[base].order = suffix;
        c->renamed++;
    }
    result = result == RESULT_OK ? columns_add(taken, COLUMNS_ROOT, buf_view(label), &mine, err)
                                 : result;
    return result == RESULT_OK ? buf_append_str(&c->label_bytes, buf_view(label)) : result;
}

static enum result settle(struct columns *c, struct node **order, struct columns *taken,
                          struct str separator, struct err *err)
{
    struct buf label = { .max = COLUMNS_NAMES_MAX };
    enum result result = RESULT_OK;
    size_t count = 0, *ends = calloc(c->marked + 1, sizeof *ends);

    c->labels = calloc(c->marked + 1, sizeof *c->labels);
    c->nodes_of = calloc(c->marked + 1, sizeof *c->nodes_of);
    if (!ends || !c->labels || !c->nodes_of) {
        free(ends);
        return RESULT_NOMEM;
    }
    for (uint32_t i = 0; i < c->count; i++) {
        if (c->nodes[i].marked) {
            order[count++] = &c->nodes[i];
        }
    }
    qsort(order, count, sizeof(struct node *), by_first_seen);
    buf_init(&c->label_bytes, COLUMNS_NAMES_MAX);
    for (size_t i = 0; result == RESULT_OK && i < count; i++) {
        order[i]->column = (uint32_t)i;
        c->nodes_of[i] = (uint32_t)(order[i] - c->nodes);
        result = append_label(c, taken, c->nodes_of[i], separator, &label, err);
        ends[i] = c->label_bytes.len;
    }
    for (size_t i = 0, at = 0; result == RESULT_OK && i < count; at = ends[i++]) {
        /* No bytes at all, when the only name is empty. */
        c->labels[i] =
            (struct str){ at ? c->label_bytes.data + at : c->label_bytes.data, ends[i] - at };
    }
    buf_release(&label);
    free(ends);
    return result;
}

enum result columns_settle(struct columns *c, struct str separator, struct err *err)
{
    struct node **order = calloc(c->marked + 1, sizeof(struct node *));
    struct columns *taken = columns_new();
    enum result result = order && taken ? settle(c, order, taken, separator, err) : RESULT_NOMEM;

    columns_free(taken);
    free(order);
    if (result == RESULT_NOMEM) {
        return err_nomem(err, "naming columns");
    }
    return result == RESULT_LIMIT ? too_many(err) : result;
}

static enum result append_pointer(const struct columns *c, uint32_t node, struct buf *out)
{
    struct str name = columns_node_name(c, node);
    enum result result = RESULT_OK;

    if (node < COLUMNS_ROOTS) {
        return RESULT_OK;
    }
    result = append_pointer(c, c->nodes[node].parent, out);
    result = result == RESULT_OK ? buf_append_char(out, '/') : result;
    for (size_t i = 0; result == RESULT_OK && i < name.len; i++) {
        result = name.data[i] == '~'   ? buf_append(out, "~0", 2)
                 : name.data[i] == '/' ? buf_append(out, "~1", 2)
                                       : buf_append_char(out, name.data[i]);
    }
    return result;
}

enum result columns_append_widest(const struct columns *c, struct buf *pointer, uint32_t *names)
{
    uint32_t *counts = calloc(c->count, sizeof *counts), widest = COLUMNS_ROOT;

    if (!counts) {
        return RESULT_NOMEM;
    }
    for (uint32_t i = COLUMNS_ROOTS; i < c->count; i++) {
        uint32_t parent = c->nodes[i].parent;

        counts[parent]++;
        widest = parent != COLUMNS_PICK && counts[parent] > counts[widest] ? parent : widest;
    }
    *names = counts[widest];
    free(counts);
    return append_pointer(c, widest, pointer);
}

uint32_t columns_count(const struct columns *c)
{
    return c->marked;
}

struct str columns_name(const struct columns *c, uint32_t column)
{
    return c->labels[column];
}

uint32_t columns_of_node(const struct columns *c, uint32_t node)
{
    return c->nodes[node].column;
}

uint32_t columns_node(const struct columns *c, uint32_t column)
{
    return c->nodes_of[column];
}

uint32_t columns_renamed(const struct columns *c)
{
    return c->renamed;
}
