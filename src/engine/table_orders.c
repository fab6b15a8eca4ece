#include "engine/table_orders.h"

#include "base/clock.h"
#include "base/os.h"
#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#define PAUSE_MIN_US US_PER_S
#define PAUSE_MAX_US (30 * US_PER_S)
#define DOUBLINGS_MAX 6

void ordered_table_free(struct ordered_table *order)
{
    if (order) {
        free((char *)(uintptr_t)order->output.path);
        free(order);
    }
}

static void append(struct table_orders *orders, struct ordered_table *order)
{
    struct ordered_table **at = &orders->first;

    while (*at) {
        at = &(*at)->next;
    }
    order->next = NULL;
    *at = order;
}

static struct ordered_table *take_out(struct ordered_table **at)
{
    struct ordered_table *order = *at;

    if (order) {
        *at = order->next;
        order->next = NULL;
    }
    return order;
}

static bool is_ordered(struct table_orders *orders, uint32_t endpoint, const char *path,
                       bool is_due)
{
    for (struct ordered_table *o = orders->first; o; o = o->next) {
        if (o->endpoint == endpoint && strcmp(o->output.path, path) == 0) {
            o->is_due |= is_due;
            return true;
        }
    }
    return false;
}

enum result table_orders_add(struct table_orders *orders, uint32_t endpoint,
                             const struct table_output *output, bool is_due, struct err *err)
{
    struct ordered_table *order;

    if (is_ordered(orders, endpoint, output->path, is_due)) {
        return RESULT_OK;
    }
    order = calloc(1, sizeof *order);
    if (order) {
        *order =
            (struct ordered_table){ .endpoint = endpoint, .output = *output, .is_due = is_due };
        order->output.path = str_dup(str_view(output->path));
    }
    if (!order || !order->output.path) {
        free(order);
        return err_nomem(err, "starting a table");
    }
    append(orders, order);
    return RESULT_OK;
}

struct ordered_table *table_orders_take(struct table_orders *orders, uint64_t now_us)
{
    struct ordered_table **at = &orders->first;

    while (*at && (*at)->not_before_us > now_us) {
        at = &(*at)->next;
    }
    return take_out(at);
}

static uint64_t pause_after(unsigned tries)
{
    uint64_t most = PAUSE_MIN_US << (tries < DOUBLINGS_MAX ? tries : DOUBLINGS_MAX), chance = 0;

    (void)os_random(&chance, sizeof chance); /* without chance it is the shortest */
    most = most < PAUSE_MAX_US ? most : PAUSE_MAX_US;
    return most / 2 + chance % (most / 2 + 1);
}

bool table_orders_put_back(struct table_orders *orders, struct ordered_table *order,
                           const struct err *err, uint64_t now_us, uint64_t *pause_us)
{
    bool may_pass = err->result == RESULT_BUSY || err->result == RESULT_FULL;

    if (!order->output.format->may_be_away || !may_pass || orders->wait_no_more ||
        (order->tries && now_us >= order->waits_until_us)) {
        return false;
    }
    if (!order->tries) {
        order->waits_until_us = now_us + TABLE_AWAY_US;
    }
    *pause_us = pause_after(order->tries++);
    order->not_before_us = now_us + *pause_us;
    order->away = *err;
    append(orders, order);
    return true;
}

struct ordered_table *table_orders_take_waiting(struct table_orders *orders)
{
    struct ordered_table **at = &orders->first;

    while (*at && !(*at)->tries) {
        at = &(*at)->next;
    }
    return take_out(at);
}

void table_orders_forget(struct table_orders *orders, bool due_too)
{
    struct ordered_table **at = &orders->first;

    while (*at) {
        if ((*at)->is_due && !due_too) {
            at = &(*at)->next;
        } else {
            ordered_table_free(take_out(at));
        }
    }
}
