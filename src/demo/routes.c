#include "demo/routes.h"

#include "base/json_write.h"

static shape_fn shape_index;

static const struct route routes[] = {
    { STR_INIT("GET"), STR_INIT("/posts/*"), shape_post, STR_INIT(""), STR_INIT("a small object") },
    { STR_INIT("GET"), STR_INIT("/msapi/auctions/items"), shape_auction_items,
      STR_INIT("?auctionid=N"), STR_INIT("an auction with nested items, 1 to 40 KB") },
    { STR_INIT("GET"), STR_INIT("/allData.json"), shape_trains, STR_INIT("[?tick=N]"),
      STR_INIT("all trains by number, changing; ETag") },
    { STR_INIT("POST"), STR_INIT("/api/auth/login"), shape_login, STR_INIT(""),
      STR_INIT("email demo@example.com, password demo: a token") },
    { STR_INIT("GET"), STR_INIT("/api/products"), shape_products, STR_INIT("?page=&per_page="),
      STR_INIT("pages with a total; needs the token") },
    { STR_INIT("GET"), STR_INIT("/api/products/*"), shape_product, STR_INIT(""),
      STR_INIT("one product; needs the token") },
    { STR_INIT("GET"), STR_INIT("/api/products/*/reviews"), shape_reviews, STR_INIT(""),
      STR_INIT("its reviews; needs the token") },
    { STR_INIT("GET"), STR_INIT("/posts"), shape_posts,
      STR_INIT("?_page=&_limit= | ?_start=&_limit="),
      STR_INIT("a listing; Link and X-Total-Count") },
    { STR_INIT("GET"), STR_INIT("/posts/*/comments"), shape_comments, STR_INIT(""),
      STR_INIT("five comments on a post") },
    { STR_INIT("GET"), STR_INIT("/events"), shape_events, STR_INIT("?after=CURSOR&limit="),
      STR_INIT("a listing behind an opaque cursor") },
    { STR_INIT("POST"), STR_INIT("/oauth/token"), shape_oauth_token, STR_INIT(""),
      STR_INIT("client credentials demo-client, demo-secret: a token") },
    { STR_INIT("GET"), STR_INIT("/private/token/posts/*"), shape_post_bearer, STR_INIT(""),
      STR_INIT("a post; needs a token, or demo-token") },
    { STR_INIT("GET"), STR_INIT("/private/basic/posts/*"), shape_post_basic, STR_INIT(""),
      STR_INIT("a post; user demo, password demo") },
    { STR_INIT("GET"), STR_INIT("/private/key/posts/*"), shape_post_key, STR_INIT("[?api_key=]"),
      STR_INIT("a post; needs demo-key, here or as X-Api-Key") },
    { STR_INIT("GET"), STR_INIT("/list/offset"), shape_list_offset,
      STR_INIT("?offset=&size=&count="), STR_INIT("items by offset; total") },
    { STR_INIT("GET"), STR_INIT("/list/next"), shape_list_next, STR_INIT("?page=&size=&count="),
      STR_INIT("items; paging.next is the next page's URL") },
    { STR_INIT("GET"), STR_INIT("/list/more"), shape_list_more, STR_INIT("?page=&size=&count="),
      STR_INIT("items until has_more is false") },
    { STR_INIT("GET"), STR_INIT("/list/until-empty"), shape_list_until_empty,
      STR_INIT("?page=&size=&count="), STR_INIT("items until a page is []") },
    { STR_INIT("GET"), STR_INIT("/list/cursor"), shape_list_cursor,
      STR_INIT("?after=&size=&count="),
      STR_INIT("items; meta.next is the cursor, empty at the end") },
    { STR_INIT("POST"), STR_INIT("/graphql"), shape_graphql, STR_INIT(""),
      STR_INIT("query items or repository, variables first, after, count: nodes and pageInfo") },
    { STR_INIT("GET"), STR_INIT("/repos/*/*/issues"), shape_issues, STR_INIT("?page=&per_page="),
      STR_INIT("issues as GitHub lists them; Link") },
    { STR_INIT("GET"), STR_INIT("/redirect/*"), shape_redirect, STR_INIT(""),
      STR_INIT("that many hops, then /posts/1") },
    { STR_INIT("GET"), STR_INIT("/redirect-to"), shape_redirect_to, STR_INIT("?url=&status="),
      STR_INIT("a redirect to that place") },
    { STR_INIT("GET"), STR_INIT("/headers"), shape_headers, STR_INIT(""),
      STR_INIT("the request's headers") },
    { STR_INIT("GET"), STR_INIT("/status/*"), shape_status, STR_INIT(""),
      STR_INIT("that status, 200 to 599") },
    { STR_INIT("GET"), STR_INIT("/gzip/posts/*"), shape_post_gzip, STR_INIT(""),
      STR_INIT("a post in gzip") },
    { STR_INIT("GET"), STR_INIT("/slow"), shape_slow, STR_INIT("?ms="),
      STR_INIT("answers after that long") },
    { STR_INIT("GET"), STR_INIT("/retry-after"), shape_retry_after,
      STR_INIT("?form=seconds|imf|rfc850|asctime&s=N&key=K"),
      STR_INIT("429 at a key's first ask, then 200") },
    { STR_INIT("GET"), STR_INIT("/"), shape_index, STR_INIT(""), STR_INIT("this list") },
};

#define ROUTES (sizeof routes / sizeof *routes)

static void shape_index(struct world *world, const struct ask *ask, struct reply *reply)
{
    struct json_writer j = json_write_begin(&reply->body);

    (void)world;
    (void)ask;
    json_write_object(&j, NULL);
    json_write_array(&j, "endpoints");
    for (size_t i = 0; i < ROUTES; i++) {
        const struct route *r = &routes[i];

        json_write_object(&j, NULL);
        json_write_text(&j, "method", r->method);
        json_write_textf(&j, "path", "%.*s%.*s", STR_ARG(r->path), STR_ARG(r->query));
        json_write_text(&j, "what", r->what);
        json_write_object_end(&j);
    }
    json_write_array_end(&j);
    json_write_object_end(&j);
    reply->result = j.result;
}

/* Whether `path` has the form of `pattern`; what stood for each "*" goes to `found`. */
static bool path_matches(struct str pattern, struct str path, struct str found[ASK_SEGMENTS_MAX])
{
    size_t at = 0, stars = 0;

    for (size_t i = 0; i < pattern.len; i++) {
        size_t begin = at;

        if (pattern.data[i] != '*') {
            if (at >= path.len || path.data[at++] != pattern.data[i]) {
                return false;
            }
            continue;
        }
        while (at < path.len && path.data[at] != '/') {
            at++;
        }
        if (at == begin || stars == ASK_SEGMENTS_MAX) {
            return false;
        }
        found[stars++] = (struct str){ path.data + begin, at - begin };
    }
    return at == path.len;
}

static bool method_matches(const struct route *route, struct str method)
{
    return str_equal(route->method, method) ||
           (str_equal(method, STR("HEAD")) && str_equal(route->method, STR("GET")));
}

/* The route for path and method; else one that has the path alone, in `other`. */
static const struct route *find(const struct route *list, size_t count, struct ask *ask,
                                const struct route **other)
{
    for (size_t i = 0; i < count; i++) {
        if (!path_matches(list[i].path, ask->path, ask->in_path)) {
            continue;
        }
        if (method_matches(&list[i], ask->method)) {
            return &list[i];
        }
        *other = &list[i];
    }
    return NULL;
}

void routes_answer(struct world *world, struct ask *ask, struct reply *reply)
{
    const struct route *other = NULL;
    const struct route *route = find(routes, ROUTES, ask, &other);

    if (!route) {
        route = find(world->more, world->more_count, ask, &other);
    }
    if (route) {
        route->shape(world, ask, reply);
    } else if (other) {
        reply_error(reply, 405, "this endpoint wants %.*s", STR_ARG(other->method));
        reply_header(reply, "Allow", "%.*s%s", STR_ARG(other->method),
                     str_equal(other->method, STR("GET")) ? ", HEAD" : "");
    } else {
        reply_error(reply, 404, "no such endpoint; / lists them");
    }
}
