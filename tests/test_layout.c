/* ui/layout: every size from 1x1 to 300x100, with needs like those of the real panels. */

#include "ui/layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct layout_need needs[] = {
    { .column = { 0, 0, 0 },
      .order = 1,
      .need = 0,
      .rows_min = 3,
      .rows_wanted = 8,
      .essential = true,
      .elastic = true },
    { .column = { 0, 0, 0 },
      .order = 2,
      .need = 1,
      .rows_min = 4,
      .rows_wanted = 6,
      .essential = true,
      .elastic = true },
    { .column = { 0, 0, 2 },
      .order = 3,
      .need = 2,
      .rows_min = 1,
      .rows_wanted = 3,
      .essential = true },
    { .column = { 0, 1, 1 },
      .order = 4,
      .need = 4,
      .rows_min = 6,
      .rows_wanted = 15,
      .elastic = true },
    { .column = { 0, 0, 1 },
      .order = 6,
      .need = 3,
      .rows_min = 2,
      .rows_wanted = 7,
      .essential = true },
    { .column = { -1, 1, 2 }, .order = 5, .need = 7, .rows_min = 4, .rows_wanted = 7 },
};

#define COUNT (sizeof needs / sizeof needs[0])

static unsigned char taken[128][320];

static void take(const struct layout *l, struct rect r)
{
    if (r.rows <= 0) {
        return;
    }
    assert_true(r.columns > 0);
    assert_in_range(r.row, 0, l->rows - r.rows);
    assert_in_range(r.column, 0, l->columns - r.columns);
    for (int row = r.row; row < r.row + r.rows; row++) {
        for (int column = r.column; column < r.column + r.columns; column++) {
            assert_int_equal(taken[row][column]++, 0);
        }
    }
}

static void check(int rows, int columns, int zoom)
{
    struct layout l;

    layout_compute(&l, rows, columns, needs, COUNT, zoom);
    memset(taken, 0, sizeof taken);
    take(&l, l.header);
    take(&l, l.keys);
    for (size_t i = 0; i < COUNT; i++) {
        take(&l, l.panels[i]);
        if (l.panels[i].rows && zoom < 0) {
            assert_true(l.panels[i].rows >= needs[i].rows_min);
        }
    }
    for (size_t i = 0; i < LAYOUT_COLUMNS_MAX - 1; i++) {
        if (l.separators[i] >= 0) {
            take(&l, (struct rect){ l.body.row, l.separators[i], l.body.rows, 1 });
        }
    }
}

static void layout__stays_within_the_screen_and_apart__at_every_size(void **state)
{
    (void)state;
    for (int rows = 1; rows <= 100; rows++) {
        for (int columns = 1; columns <= 300; columns++) {
            check(rows, columns, -1);
            check(rows, columns, 3);
        }
    }
}

static void layout__survives__when_there_is_no_screen(void **state)
{
    struct layout l;

    (void)state;
    layout_compute(&l, 0, 0, needs, COUNT, -1);
    assert_int_equal(l.header.rows, 0);
    layout_compute(&l, -3, -7, needs, COUNT, 0);
    assert_int_equal(l.panels[0].rows, 0);
    layout_compute(&l, 24, 0, needs, COUNT, -1);
    assert_int_equal(l.panels[0].rows, 0);
}

static void layout__is_that_of_the_sketch__at_80x24(void **state)
{
    struct layout l;

    (void)state;
    layout_compute(&l, 24, 80, needs, COUNT, -1);
    assert_int_equal(l.header_kind, LAYOUT_HEADER_FULL);
    assert_int_equal(l.header.rows, 6);
    assert_int_equal(l.panels[0].row, 6);
    assert_int_equal(l.panels[0].rows, 8);
    assert_int_equal(l.panels[1].rows, 6);
    assert_int_equal(l.panels[2].rows, 1);
    assert_int_equal(l.panels[4].rows, 2);
    assert_int_equal(l.panels[3].rows, 0);
    assert_int_equal(l.keys.row, 23);
}

static void layout__has_one_two_or_three_columns__by_width(void **state)
{
    struct layout l;

    (void)state;
    layout_compute(&l, 40, 99, needs, COUNT, -1);
    assert_int_equal(l.separators[0], -1);
    layout_compute(&l, 40, 100, needs, COUNT, -1);
    assert_true(l.separators[0] > 0);
    assert_int_equal(l.separators[1], -1);
    assert_true(l.panels[3].rows > 0);
    layout_compute(&l, 60, 160, needs, COUNT, -1);
    assert_true(l.separators[1] > l.separators[0]);
}

static void layout__leaves_no_hole__where_an_elastic_panel_is(void **state)
{
    (void)state;
    for (int rows = 24; rows <= 100; rows++) {
        struct layout l;
        int used = 0;

        layout_compute(&l, rows, 80, needs, COUNT, -1);
        for (size_t i = 0; i < COUNT; i++) {
            used += l.panels[i].rows;
        }
        assert_int_equal(used, l.body.rows);
    }
}

static void layout__gives_all_to_one_panel__when_zoomed(void **state)
{
    struct layout l;

    (void)state;
    layout_compute(&l, 10, 40, needs, COUNT, 1);
    assert_int_equal(l.header.rows, 1);
    assert_int_equal(l.panels[1].rows, 8);
    assert_int_equal(l.panels[0].rows, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layout__stays_within_the_screen_and_apart__at_every_size),
        cmocka_unit_test(layout__survives__when_there_is_no_screen),
        cmocka_unit_test(layout__is_that_of_the_sketch__at_80x24),
        cmocka_unit_test(layout__has_one_two_or_three_columns__by_width),
        cmocka_unit_test(layout__leaves_no_hole__where_an_elastic_panel_is),
        cmocka_unit_test(layout__gives_all_to_one_panel__when_zoomed),
    };

    return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
