#include "job/job_order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NONE JOB_LINK_NONE

struct order {
    const struct job_links *links;
    bool *reaches;   /* count * count: the first waits for the second, at any distance */
    size_t *parents; /* NONE for a seed */
};

static bool *reach(const struct order *o, size_t from, size_t to)
{
    return &o->reaches[from * o->links->count + to];
}

/* Who waits for whom, at any distance. */
static void find_reaches(struct order *o)
{
    const struct job_links *l = o->links;

    for (size_t e = 0; e < l->count; e++) {
        for (size_t i = l->first_use[e]; i < l->first_use[e + 1]; i++) {
            if (l->uses[i].endpoint != NONE) {
                *reach(o, e, l->uses[i].endpoint) = true;
            }
        }
    }
    for (size_t by = 0; by < l->count; by++) {
        for (size_t e = 0; e < l->count; e++) {
            for (size_t to = 0; *reach(o, e, by) && to < l->count; to++) {
                *reach(o, e, to) |= *reach(o, by, to);
            }
        }
    }
}

/* False when endpoints wait for one another, which is told once for each such group. */
static bool check_cycles(struct order *o)
{
    const struct job_links *l = o->links;
    const struct job *job = l->r->job;
    bool good = true;

    for (size_t e = 0; e < l->count; e++) {
        char names[256];
        size_t len = 0;
        bool told = false;

        if (!*reach(o, e, e)) {
            continue;
        }
        good = false;
        for (size_t to = 0; to < l->count; to++) {
            if (*reach(o, e, to) && *reach(o, to, e)) {
                told |= to < e;
                if (len < sizeof names) {
                    len += (size_t)snprintf(names + len, sizeof names - len, "%s%.64s",
                                            len ? ", " : "", job->endpoints[to].name);
                }
            }
        }
        if (!told) {
            job_text_fault(&l->r->text, l->r->places[e].url, "E-CFG6",
                           "endpoints wait for one another, so that none can begin: %s", names);
        }
    }
    return good;
}

/* The one among those that an endpoint names which comes after all others of them. */
static void find_parent(struct order *o, size_t e)
{
    const struct job_links *l = o->links;
    size_t parent = NONE;

    for (size_t i = l->first_use[e]; i < l->first_use[e + 1]; i++) {
        size_t named = l->uses[i].endpoint;

        if (named == NONE || named == parent) {
            continue;
        }
        if (parent == NONE || *reach(o, named, parent)) {
            parent = named;
        } else if (!*reach(o, parent, named)) {
            job_text_fault(
                &l->r->text, l->uses[i].at, "E-CFG9",
                "{%.64s}: \"%s\" and \"%s\" do not follow one another, so that there is no "
                "record that belongs to both",
                l->uses[i].name, l->r->job->endpoints[named].name,
                l->r->job->endpoints[parent].name);
            break;
        }
    }
    o->parents[e] = parent;
}

static bool uses_var(const struct order *o, size_t e, size_t var)
{
    const struct job_links *l = o->links;

    for (size_t i = l->first_use[e]; i < l->first_use[e + 1]; i++) {
        if (l->uses[i].var == var) {
            return true;
        }
    }
    return false;
}

/* Variables vary the first endpoint of a line; those after it inherit their values. */
static void check_vars(struct order *o, size_t e)
{
    const struct job_links *l = o->links;
    size_t seed = e;

    while (o->parents[seed] != NONE) {
        seed = o->parents[seed];
    }
    for (size_t i = l->first_use[e]; seed != e && i < l->first_use[e + 1]; i++) {
        if (l->uses[i].var != NONE && !uses_var(o, seed, l->uses[i].var)) {
            job_text_fault(&l->r->text, l->uses[i].at, "E-CFG9",
                           "{%.64s} has no value here: \"%s\" is asked once for each record of "
                           "\"%s\", and \"%s\" does not use it",
                           l->uses[i].name, l->r->job->endpoints[e].name,
                           l->r->job->endpoints[o->parents[e]].name,
                           l->r->job->endpoints[seed].name);
        }
    }
}

/* "where" chooses among the records of another endpoint, which there must be. */
static void check_where(struct order *o, size_t e)
{
    const struct job_links *l = o->links;

    if (l->r->job->endpoints[e].where_at && o->parents[e] == NONE) {
        job_text_fault(&l->r->text, l->r->places[e].at, "E-CFG4",
                       "\"where\" is of no use: the endpoint asks for no records of another one");
    }
}

/* Tables of an endpoint with "since", and of what hangs on it, are over all rounds: the last of
 * each key counts. */
static void settle_since(struct order *o, size_t e)
{
    struct job_reader *r = o->links->r;
    struct job_endpoint *endpoint = &r->job->endpoints[e];
    size_t root = e;

    while (o->parents[root] != NONE) {
        root = o->parents[root];
    }
    if (endpoint->since.at && root != e) {
        job_text_fault(
            &r->text, r->places[e].since, "E-CFG8",
            "\"since\" is for endpoints that are asked by themselves, not for each record "
            "of another one: list those in \"vars\"");
    } else if (r->job->endpoints[root].since.at && !endpoint->table.unique_count) {
        const char *name = endpoint->name ? endpoint->name : "NAME";

        job_text_fault(&r->text, r->places[e].at, "E-CFG4",
                       "with \"since\" records come again in later rounds: say which are the same, "
                       "\"tables\": {\"%.64s\": {\"unique\": [\"id\"]}}",
                       name);
    } else if (r->job->endpoints[root].since.at) {
        endpoint->table.keep = ROW_KEEP_LAST;
    }
}

/* Parents first; else in the order of the file. */
static void sort(struct order *o)
{
    const struct job_links *l = o->links;
    struct job *job = l->r->job;
    struct job_endpoint *sorted = calloc(l->count, sizeof *sorted);
    size_t *new_index = calloc(l->count, sizeof *new_index);
    size_t done = 0;

    if (!sorted || !new_index) {
        l->r->text.no_memory = true;
        goto done;
    }
    for (size_t e = 0; e < l->count; e++) {
        new_index[e] = NONE;
    }
    while (done < l->count) {
        for (size_t e = 0; e < l->count; e++) {
            size_t parent = o->parents[e];

            if (new_index[e] != NONE || (parent != NONE && new_index[parent] == NONE)) {
                continue;
            }
            check_where(o, e);
            settle_since(o, e);
            sorted[done] = job->endpoints[e];
            sorted[done].has_parent = parent != NONE;
            sorted[done].parent = parent != NONE ? (uint32_t)new_index[parent] : 0;
            new_index[e] = done++;
            break;
        }
    }
    memcpy(job->endpoints, sorted, l->count * sizeof *sorted);
done:
    free(sorted);
    free(new_index);
}

void job_order_endpoints(struct job_links *links)
{
    struct order o = {
        .links = links,
        .reaches = calloc(links->count * links->count, sizeof *o.reaches),
        .parents = calloc(links->count, sizeof *o.parents),
    };

    if (!o.reaches || !o.parents) {
        links->r->text.no_memory = true;
        goto done;
    }
    find_reaches(&o);
    if (!check_cycles(&o)) {
        goto done;
    }
    for (size_t e = 0; e < links->count; e++) {
        find_parent(&o, e);
    }
    for (size_t e = 0; e < links->count; e++) {
        check_vars(&o, e);
    }
    if (!links->r->text.faults->count) {
        sort(&o);
    }
done:
    free(o.reaches);
    free(o.parents);
}
