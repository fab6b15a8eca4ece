#include "demo/links.h"

struct writing {
    const struct links *links;
    const struct ask *ask;
    char authority[WORLD_AUTHORITY_MAX];
    struct buf text;
    enum result result;
};

static void add(struct writing *w, uint64_t page, const char *rel)
{
    const struct links *l = w->links;
    enum result result =
        buf_printf(&w->text, "%s<http://%s%.*s?%s=%llu&%s=%llu>; rel=\"%s\"",
                   w->text.len ? ", " : "", w->authority, STR_ARG(w->ask->path), l->page_param,
                   (unsigned long long)page, l->size_param, (unsigned long long)l->size, rel);

    w->result = w->result == RESULT_OK ? result : w->result;
}

void links_tell(const struct world *world, const struct ask *ask, struct reply *reply,
                const struct links *links)
{
    uint64_t last = (links->total + links->size - 1) / links->size;
    struct writing w = { .links = links, .ask = ask, .result = reply->result };

    world_authority(world, ask, w.authority);
    add(&w, 1, "first");
    if (links->page > 1) {
        add(&w, links->page - 1 < last ? links->page - 1 : last, "prev");
    }
    if (links->page < last) {
        add(&w, links->page + 1, "next");
    }
    add(&w, last, "last");
    reply->result = w.result;
    reply_header(reply, "Link", "%.*s", (int)w.text.len, w.text.data ? w.text.data : "");
    buf_release(&w.text);
}
