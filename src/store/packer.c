#include "store/packer.h"

#include "store/segment_pack.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct packer {
    int raw_fd;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t news; /* something was given, or done, or all is to end */
    atomic_bool stop;
    struct segment_extent *extents; /* given and not taken yet; NULL: nothing */
    size_t count;
    bool busy;
};

/* Until there is something to do; false when all is to end. */
static bool take(struct packer *p, struct segment_extent **extents, size_t *count)
{
    pthread_mutex_lock(&p->lock);
    p->busy = false;
    pthread_cond_broadcast(&p->news);
    while (!p->extents && !atomic_load(&p->stop)) {
        pthread_cond_wait(&p->news, &p->lock);
    }
    *extents = p->extents;
    *count = p->count;
    p->extents = NULL;
    p->busy = *extents != NULL;
    pthread_mutex_unlock(&p->lock);
    return !atomic_load(&p->stop);
}

static void *run(void *context)
{
    struct packer *p = context;
    struct segment_pack_report report;
    struct segment_extent *extents;
    struct err err;
    size_t count;

    while (take(p, &extents, &count)) {
        (void)!segment_pack_all(p->raw_fd, extents, count, &p->stop, &report, &err);
        free(extents);
    }
    free(extents);
    return NULL;
}

enum result packer_start(struct packer **packer, int raw_fd, struct err *err)
{
    struct packer *p = calloc(1, sizeof *p);

    *packer = NULL;
    if (!p) {
        return err_nomem(err, "packing segments");
    }
    p->raw_fd = raw_fd;
    atomic_init(&p->stop, false);
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->news, NULL);
    if (pthread_create(&p->thread, NULL, run, p)) {
        pthread_cond_destroy(&p->news);
        pthread_mutex_destroy(&p->lock);
        free(p);
        return err_set(err, RESULT_IO, "E-RES1", "cannot make a thread to pack segments");
    }
    *packer = p;
    return RESULT_OK;
}

void packer_give(struct packer *p, const struct segment_extent *extents, size_t count)
{
    struct segment_extent *copy = calloc(count + 1, sizeof *copy);

    if (!copy) {
        return;
    }
    if (count) {
        memcpy(copy, extents, count * sizeof *copy);
    }
    pthread_mutex_lock(&p->lock);
    free(p->extents);
    p->extents = copy;
    p->count = count;
    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
}

void packer_wait(struct packer *p)
{
    pthread_mutex_lock(&p->lock);
    while (p->extents || p->busy) {
        pthread_cond_wait(&p->news, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
}

void packer_stop(struct packer *p)
{
    if (!p) {
        return;
    }
    pthread_mutex_lock(&p->lock);
    atomic_store(&p->stop, true);
    pthread_cond_broadcast(&p->news);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    free(p->extents);
    pthread_cond_destroy(&p->news);
    pthread_mutex_destroy(&p->lock);
    free(p);
}
