/* The Link header (RFC 8288) names the next page; when it names the last one, too, the pages between can be counted. */
#include "plan/pages/page_style.h"

#include "base/url.h"
#include "base/url_make.h"
#include "plan/link.h"

#include <stdio.h>
#include <string.h>

#define LINK_PARAM_MAX 64 /* bytes of the name of a parameter that counts pages */

static bool find_link(const struct page_reply *reply, struct str relation, struct str *target)
{
    for (unsigned n = 0; reply->header; n++) {
        struct str value = reply->header(reply->context, STR("link"), n);

        if (!value.data) {
            break;
        }
        if (link_find(value, relation, target)) {
            return true;
        }
    }
    return false;
}

static bool contains_page(struct str name)
{
    for (size_t i = 0; i + 4 <= name.len; i++) {
        if (str_equal_nocase((struct str){ name.data + i, 4 }, STR("page"))) {
            return true;
        }
    }
    return false;
}

static bool is_offset_name(struct str name)
{
    static const struct str names[] = { STR_INIT("offset"), STR_INIT("start"), STR_INIT("_start"),
                                        STR_INIT("skip") };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_equal_nocase(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* The one parameter in which two URLs differ, and its two numbers. */
static bool differing_number(struct str a, struct str b, struct str *name, uint64_t *of_a,
                             uint64_t *of_b)
{
    struct url_params in_a, in_b;
    struct str a_name, b_name, a_value, b_value;
    size_t differing = 0;
    bool more_a, more_b, numbers = true;

    url_params_begin(&in_a, a);
    url_params_begin(&in_b, b);
    if (!in_a.rest.data || !in_b.rest.data || in_a.rest.data - a.data != in_b.rest.data - b.data ||
        memcmp(a.data, b.data, (size_t)(in_a.rest.data - a.data)) != 0) {
        return false;
    }
    do {
        more_a = url_params_next(&in_a, &a_name, &a_value);
        more_b = url_params_next(&in_b, &b_name, &b_value);
        if (more_a != more_b || (more_a && !str_equal(a_name, b_name))) {
            return false;
        }
        if (more_a && !str_equal(a_value, b_value)) {
            differing++;
            *name = a_name;
            numbers = str_to_u64(a_value, of_a) && str_to_u64(b_value, of_b);
        }
    } while (more_a);
    return differing == 1 && numbers;
}

/* Whether the pages from the next to the last can be counted: their links differ in one number, of which
 * it is known by how much it grows from page to page. `name` keeps that of the parameter. */
static bool plan_by_links(const struct listing *l, struct str next, struct str last,
                          struct page_plan *c, char name[LINK_PARAM_MAX + 1])
{
    struct str param, own, decoded;
    uint64_t of_next, of_last, of_own;

    if (!differing_number(next, last, &param, &of_next, &of_last) || of_last <= of_next) {
        return false;
    }
    if (param.len > LINK_PARAM_MAX) {
        return false;
    }
    decoded = url_decode(param, name);
    name[decoded.len] = '\0';
    if (url_param(l->request->url, decoded, &own) && str_to_u64(own, &of_own) && of_own < of_next) {
        c->step = of_next - of_own;
    } else if (contains_page(decoded)) {
        c->step = 1;
    } else if (is_offset_name(decoded)) {
        c->step = of_next;
    } else {
        return false;
    }
    if (name[0] == '/' || !c->step || c->step > of_next || c->step > PAGES_SIZE_MAX ||
        (of_last - of_next) % c->step) {
        return false;
    }
    c->known = true;
    c->number = of_next - c->step;
    c->size = c->step;
    c->expected = (of_last - of_next) / c->step + l->page.ordinal + 2;
    c->announced = c->expected;
    c->url = next;
    c->param = name;
    return true;
}

static void read(struct listing *l)
{
    struct str next, last;
    struct buf next_url = { 0 }, last_url = { 0 };
    char name[LINK_PARAM_MAX + 1];
    struct page_plan c = { .known = false };
    bool has_last = find_link(l->reply, STR("last"), &last);

    if (!find_link(l->reply, STR("next"), &next)) {
        if (!l->page.expected || l->page.ordinal + 1 == l->page.expected) {
            listing_end(l, PAGE_END_NO_NEXT);
        }
    } else if (listing_resolve(l, next, &next_url)) {
        if (has_last && listing_resolve(l, last, &last_url) &&
            plan_by_links(l, buf_view(&next_url), buf_view(&last_url), &c, name)) {
            if (l->page.expected) {
                listing_keep_plan(l, &c);
            } else {
                listing_begin_plan(l, &c);
            }
        } else if (!l->page.expected || l->page.ordinal + 1 == l->page.expected) {
            listing_add_url(l, next);
        }
    }
    buf_release(&next_url);
    buf_release(&last_url);
}

static unsigned rank(const struct page_guessing *g)
{
    struct str target;

    return find_link(g->in->reply, STR("next"), &target) ? PAGE_RANK_LINK : 0;
}

/* The header says all. */
static bool fill(struct page_guessing *g)
{
    g->out->pages = (struct job_pages){ .kind = g->out->pages.kind };
    g->out->total = PAGE_TOTAL_UNKNOWN;
    return true;
}

static void describe(const char *param, const char *next, char words[PAGES_GUESS_WORDS_MAX])
{
    (void)param;
    (void)next;
    snprintf(words, PAGES_GUESS_WORDS_MAX, "the Link header names the next one");
}

const struct page_style page_style_link = {
    .counts_pages = true,
    .read = read,
    .rank = rank,
    .fill = fill,
    .describe = describe,
};
