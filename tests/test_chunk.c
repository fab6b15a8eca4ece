/* table/chunk: what a worker takes on at a time, and the documents that are in it. */
#include "table/chunk.h"

#include "base/buf.h"
#include "base/crc32c.h"
#include "normalise/cells_file.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define PIECE_MAX 1000

/* --- gathering ---------------------------------------------------------------------------------------- */

struct listed {
    struct record_source source; /* first: it is handed to chunk_gather */
    const uint64_t *lengths;     /* up to a 0 */
    uint64_t gap;
    bool fails;
    bool has_vars;
    char vars[16]; /* as a run's source has them: the next call writes over them */
};

static enum result listed_next(struct record_source *source, struct record_piece *piece, bool *more,
                               struct err *err)
{
    struct listed *l = (struct listed *)source;

    if (l->fails) {
        return err_set(err, RESULT_IO, "E-IN2", "cannot read it");
    }
    *more = *l->lengths > 0;
    if (*more) {
        *piece = (struct record_piece){ .length = *l->lengths++, .gap_length = l->gap };
        if (l->has_vars) {
            snprintf(l->vars, sizeof l->vars, "{\"n\":%" PRIu64 "}", piece->length);
            piece->vars = str_view(l->vars);
        }
    }
    return RESULT_OK;
}

static void assert_gathered(struct chunk *chunk, struct listed *l, uint64_t bytes, size_t count,
                            uint64_t sum)
{
    struct err err;

    assert_int_equal(chunk_gather(chunk, &l->source, bytes, &err), RESULT_OK);
    assert_int_equal(chunk->count, count);
    assert_int_equal(chunk->bytes, sum);
}

static void gather__ends__with_the_piece_that_fills_it(void **state)
{
    static const uint64_t lengths[] = { 40, 50, 60, 500, 10, 0 };
    struct listed l = { .source.next = listed_next, .lengths = lengths };
    struct chunk chunk = { 0 };

    (void)state;
    assert_gathered(&chunk, &l, 100, 3, 150);
    assert_gathered(&chunk, &l, 100, 1, 500);
    assert_gathered(&chunk, &l, 100, 1, 10);
    assert_gathered(&chunk, &l, 100, 0, 0);
    chunk_release(&chunk);
}

static void gather__counts__what_is_read_of_a_piece(void **state)
{
    static const uint64_t lengths[] = { 500, 500, 500, 0 };
    struct listed l = { .source.next = listed_next, .lengths = lengths, .gap = 460 };
    struct chunk chunk = { 0 };

    (void)state;
    assert_gathered(&chunk, &l, 80, 2, 80);
    chunk_release(&chunk);
}

static void gather__ends__at_as_many_pieces_as_it_may_have(void **state)
{
    static uint64_t lengths[CHUNK_PIECES_MAX + 3];
    struct listed l = { .source.next = listed_next, .lengths = lengths };
    struct chunk chunk = { 0 };

    (void)state;
    for (size_t i = 0; i < CHUNK_PIECES_MAX + 2; i++) {
        lengths[i] = 1;
    }
    assert_gathered(&chunk, &l, CHUNK_BYTES, CHUNK_PIECES_MAX, CHUNK_PIECES_MAX);
    assert_gathered(&chunk, &l, CHUNK_BYTES, 2, 2);
    chunk_release(&chunk);
}

/* Their bytes count for what a chunk holds, too: a list with long rows and small answers. */
static void gather__keeps__variables_that_the_source_forgets(void **state)
{
    static const uint64_t lengths[] = { 7, 8, 9, 7, 0 };
    struct listed l = { .source.next = listed_next, .lengths = lengths, .has_vars = true };
    struct chunk chunk = { 0 };

    (void)state;
    assert_gathered(&chunk, &l, 40, 3, 24);
    memset(l.vars, 'x', sizeof l.vars);
    assert_memory_equal(chunk.pieces[0].vars.data, "{\"n\":7}", 7);
    assert_memory_equal(chunk.pieces[1].vars.data, "{\"n\":8}", 7);
    assert_memory_equal(chunk.pieces[2].vars.data, "{\"n\":9}", 7);
    assert_gathered(&chunk, &l, 40, 1, 7);
    assert_int_equal(chunk.vars.len, 7);
    chunk_release(&chunk);
}

static void gather__tells__why_the_source_fails(void **state)
{
    struct listed l = { .source.next = listed_next, .fails = true };
    struct chunk chunk = { 0 };
    struct err err;

    (void)state;
    assert_int_equal(chunk_gather(&chunk, &l.source, CHUNK_BYTES, &err), RESULT_IO);
    assert_string_equal(err.text, "cannot read it");
    chunk_release(&chunk);
}

/* --- reading ------------------------------------------------------------------------------------------- */

/* A file without a name, pieces of it, and what is told of them as a text. */
struct world {
    int fd;
    struct buf text; /* of the file */
    struct record_piece pieces[8];
    struct chunk chunk;
    struct chunk_reader reader;
    struct chunk_lines lines;
    struct buf told;
    struct err err;
};

static enum result tell(void *context, const struct document *d)
{
    static const char *const kinds[] = {
        [DOCUMENT_JSON] = "json",   [DOCUMENT_PART] = "part",   [DOCUMENT_REST] = "rest",
        [DOCUMENT_OTHER] = "other", [DOCUMENT_EMPTY] = "empty", [DOCUMENT_DAMAGED] = "damaged",
    };
    struct world *w = context;
    enum result result = buf_printf(&w->told, "%s", kinds[d->kind]);

    if (d->line) {
        assert_int_equal(buf_printf(&w->told, " %s%" PRIu64, d->continued ? "+" : "", d->line),
                         RESULT_OK);
    }
    if (d->kind == DOCUMENT_PART) {
        assert_int_equal(buf_printf(&w->told, " of step %u%s", d->step, d->named ? ", named" : ""),
                         RESULT_OK);
    }
    if (d->key.data) {
        assert_int_equal(buf_printf(&w->told, " key %.*s", STR_ARG(d->key)), RESULT_OK);
    }
    if (d->damage) {
        assert_int_equal(buf_printf(&w->told, " at %" PRIu64 ": %s", d->offset, d->damage),
                         RESULT_OK);
    }
    if (d->fault) {
        assert_int_equal(buf_printf(&w->told, " (%s)", d->fault), RESULT_OK);
    }
    assert_int_equal(
        buf_printf(&w->told, "%s<%.*s>\n", d->is_texts ? " texts" : "", STR_ARG(d->text)),
        RESULT_OK);
    return result;
}

static int make(void **state)
{
    static struct world w;

    w = (struct world){ .fd = memfd_create("input", MFD_CLOEXEC) };
    w.chunk.pieces = w.pieces;
    chunk_reader_init(&w.reader, PIECE_MAX);
    *state = &w;
    return w.fd < 0;
}

static int unmake(void **state)
{
    struct world *w = *state;

    chunk_reader_release(&w->reader);
    buf_release(&w->text);
    buf_release(&w->told);
    close(w->fd);
    return 0;
}

/* A piece at the end of the file, which gets this text. */
static struct record_piece *add(struct world *w, enum record_form form, struct str text)
{
    struct record_piece *piece = &w->pieces[w->chunk.count++];

    *piece = (struct record_piece){
        .form = form, .fd = w->fd, .path = "x", .offset = w->text.len, .length = text.len
    };
    assert_int_equal(buf_append_str(&w->text, text), RESULT_OK);
    assert_int_equal(write(w->fd, text.data, text.len), text.len);
    w->chunk.bytes += text.len;
    return piece;
}

static void assert_told(struct world *w, const char *want)
{
    enum result result;

    buf_reset(&w->told);
    result = chunk_read(&w->reader, &w->chunk, tell, w, &w->lines, &w->err);
    if (result != RESULT_OK) {
        fail_msg("%s: %s", w->err.code, w->err.text);
    }
    assert_string_equal(buf_cstr(&w->told) ? buf_cstr(&w->told) : "", want);
}

static void lines__are_counted__and_blank_ones_passed_over(void **state)
{
    struct world *w = *state;

    add(w, RECORD_LINES, STR("\xEF\xBB\xBF{\"a\":1}\n\n  \r\n\x1E[2]\n{\"a\":3}"));
    assert_told(w, "json 1<{\"a\":1}>\njson 4<[2]>\njson 5<{\"a\":3}>\n");
    assert_string_equal(w->lines.path, "x");
    assert_int_equal(w->lines.count, 5);
    assert_false(w->lines.continued);
}

/* A chunk that begins within a file counts from its own first line. */
static void lines__go_on__in_the_next_piece_of_a_file(void **state)
{
    struct world *w = *state;

    add(w, RECORD_LINES, STR("1\n2\n"));
    add(w, RECORD_LINES, STR("3\n"));
    assert_told(w, "json 1<1>\njson 2<2>\njson 3<3>\n");
    w->chunk.pieces = w->pieces + 1;
    w->chunk.count = 1;
    assert_told(w, "json +1<3>\n");
    assert_true(w->lines.continued);
}

static void document__is_told_whole__or_as_its_parts_and_the_rest(void **state)
{
    struct world *w = *state;
    struct record_piece *piece;

    add(w, RECORD_DOCUMENT, STR("\xEF\xBB\xBF{\"items\":[{\"a\":1},{\"a\":2}],\"n\":2}"));
    assert_told(w, "json<{\"items\":[{\"a\":1},{\"a\":2}],\"n\":2}>\n");
    piece = &w->pieces[0];
    w->pieces[1] = *piece;
    *piece = (struct record_piece){ .form = RECORD_PART,
                                    .fd = w->fd,
                                    .path = "x",
                                    .offset = 13,
                                    .length = 15,
                                    .step = 1,
                                    .named = true };
    w->pieces[1].gap = 13;
    w->pieces[1].gap_length = 15;
    w->chunk.count = 2;
    assert_told(w, "part of step 1, named<{\"a\":1},{\"a\":2}>\nrest<{\"items\":[],\"n\":2}>\n");
}

static void document__is_passed_on__with_what_is_wrong_with_it(void **state)
{
    struct world *w = *state;

    add(w, RECORD_DOCUMENT, STR(""))->fault = "holds no file";
    assert_told(w, "json (holds no file)<>\n");
}

/* The line of a run's segment, with its CRC. */
static struct record_piece *add_raw(struct world *w, const char *body)
{
    static const char head[] = "{\"id\":7,\"key\":\"a\\/b\",\"status\":200";
    char line[256];
    uint32_t crc = crc32c(crc32c(0, head, strlen(head)), body, strlen(body));
    struct record_piece *piece;

    snprintf(line, sizeof line, "%s,\"crc32c\":\"%08x\"%s\n", head, (unsigned)crc, body);
    piece = add(w, RECORD_RAW, str_view(line));
    piece->is_sealed = true;
    piece->crc32c = crc;
    return piece;
}

static void raw_line__is_what_its_body_is(void **state)
{
    struct world *w = *state;

    add_raw(w, ",\"body\":{\"a\":1}}");
    add_raw(w, ",\"text\":\"<html>\"}");
    add_raw(w, ",\"base64\":\"AAE=\"}");
    add_raw(w, "}");
    add_raw(w, ",\"as\":\"csv\",\"body\":[{\"a\":\"1\"}]}");
    assert_told(w, "json key a\\/b<{\"a\":1}>\nother key a\\/b<>\nother key a\\/b<>\n"
                   "empty key a\\/b<>\njson key a\\/b texts<[{\"a\":\"1\"}]>\n");
}

/* One that is not as it was written costs that record and no other. */
static void raw_line__is_told_of__when_it_is_damaged(void **state)
{
    struct world *w = *state;
    size_t at, length;
    char want[256];

    add_raw(w, ",\"body\":1}");
    length = w->pieces[0].length;
    at = length;
    add_raw(w, ",\"body\":2}")->crc32c ^= 1;
    add(w, RECORD_RAW, STR("nothing\n"))->is_sealed = true;
    add_raw(w, ",\"body\":4}");
    snprintf(want, sizeof want,
             "json key a\\/b<1>\ndamaged at %zu: does not match its CRC<>\n"
             "damaged at %zu: is not a record<>\njson key a\\/b<4>\n",
             at, at + length);
    assert_told(w, want);

    assert_int_equal(ftruncate(w->fd, (off_t)w->text.len - 1), 0);
    snprintf(want, sizeof want,
             "json key a\\/b<1>\ndamaged at %zu: does not match its CRC<>\n"
             "damaged at %zu: is not a record<>\ndamaged at %zu: is cut short<>\n",
             at, at + length, at + length + 8);
    assert_told(w, want);
}

static void row__is_an_object_of_texts__under_its_header(void **state)
{
    struct world *w = *state;
    struct cells_file cells = { .delimiter = ',' };
    struct body_reading how = { .as = BODY_CSV, .delimiter = ',' };
    static const char text[] = "id,name\n1,\"a\nb\"\n2\n3,c,d\n4,\"open\n";
    struct record_piece *piece;

    piece = add(w, RECORD_CELLS, str_view(text));
    assert_int_equal(cells_file_read_header(&cells, w->fd, "x", 0, strlen(text), &how, &w->err),
                     RESULT_OK);
    piece->cells = &cells;
    piece->line = cells.line;
    piece->offset = cells.begin;
    piece->length = strlen(text) - cells.begin;
    assert_told(
        w, "json 2 texts<{\"id\":\"1\",\"name\":\"a\\nb\"}>\n"
           "json 4 texts<{\"id\":\"2\"}>\n"
           "json 5 texts<{\"id\":\"3\",\"name\":\"c\",\"_more\":[\"d\"]}>\n"
           "json 6 (a quoted cell begins in this row that nothing closes) texts<4,\"open\n>\n");
    cells_file_release(&cells);
}

static void row__is_told_of__when_it_is_not_utf_8(void **state)
{
    struct world *w = *state;
    struct cells_file cells = { .delimiter = ',' };
    struct body_reading how = { .as = BODY_CSV, .delimiter = ',' };
    struct record_piece *piece = add(w, RECORD_CELLS, STR("name\nM\xFCller\nMeier\n"));

    assert_int_equal(cells_file_read_header(&cells, w->fd, "x", 0, piece->length, &how, &w->err),
                     RESULT_OK);
    piece->cells = &cells;
    piece->line = cells.line;
    piece->length -= cells.begin;
    piece->offset = cells.begin;
    assert_told(w, "json 2 (it is not UTF-8: say which letters it has, as with --charset "
                   "windows-1252) texts<M\xFCller\n>\n"
                   "json 3 texts<{\"name\":\"Meier\"}>\n");
    cells_file_release(&cells);
}

static void piece__is_refused__when_it_is_larger_than_may_be_held(void **state)
{
    struct world *w = *state;
    static char large[PIECE_MAX + 2];

    memset(large, ' ', sizeof large - 1);
    add(w, RECORD_DOCUMENT, (struct str){ large, PIECE_MAX });
    add(w, RECORD_LINES, (struct str){ large, PIECE_MAX + 1 });
    assert_int_equal(chunk_read(&w->reader, &w->chunk, tell, w, &w->lines, &w->err), RESULT_LIMIT);
    assert_string_equal(w->err.code, "E-TAB3");
    assert_string_equal(w->err.text,
                        "x: one line has 1.00 KB, more than the 1.00 KB that may be held "
                        "(normalise --memory)");
    assert_int_equal(w->told.len, 0); /* nothing was read for that */
}

static void file__is_told_of__when_it_got_shorter(void **state)
{
    struct world *w = *state;

    add(w, RECORD_DOCUMENT, STR("{\"a\":1}"));
    assert_int_equal(ftruncate(w->fd, 3), 0);
    assert_int_equal(chunk_read(&w->reader, &w->chunk, tell, w, &w->lines, &w->err),
                     RESULT_CORRUPT);
    assert_string_equal(w->err.code, "E-TAB2");
    assert_string_equal(w->err.text, "x got shorter while it was being read");
}

static void file__is_opened_by_its_path__and_named_when_it_is_not_there(void **state)
{
    struct world *w = *state;
    char path[64];

    add(w, RECORD_LINES, STR("1\n2\n"));
    snprintf(path, sizeof path, "/proc/self/fd/%d", w->fd);
    w->pieces[0].fd = -1;
    w->pieces[0].path = path;
    assert_told(w, "json 1<1>\njson 2<2>\n");
    w->pieces[0].path = "/nowhere/x.jsonl";
    assert_int_equal(chunk_read(&w->reader, &w->chunk, tell, w, &w->lines, &w->err),
                     RESULT_NOT_FOUND);
    assert_string_equal(w->err.text, "cannot read /nowhere/x.jsonl: No such file or directory");
}

#define IN_WORLD(test) cmocka_unit_test_setup_teardown(test, make, unmake)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gather__ends__with_the_piece_that_fills_it),
        cmocka_unit_test(gather__counts__what_is_read_of_a_piece),
        cmocka_unit_test(gather__ends__at_as_many_pieces_as_it_may_have),
        cmocka_unit_test(gather__keeps__variables_that_the_source_forgets),
        cmocka_unit_test(gather__tells__why_the_source_fails),
        IN_WORLD(lines__are_counted__and_blank_ones_passed_over),
        IN_WORLD(lines__go_on__in_the_next_piece_of_a_file),
        IN_WORLD(document__is_told_whole__or_as_its_parts_and_the_rest),
        IN_WORLD(document__is_passed_on__with_what_is_wrong_with_it),
        IN_WORLD(raw_line__is_what_its_body_is),
        IN_WORLD(raw_line__is_told_of__when_it_is_damaged),
        IN_WORLD(row__is_an_object_of_texts__under_its_header),
        IN_WORLD(row__is_told_of__when_it_is_not_utf_8),
        IN_WORLD(piece__is_refused__when_it_is_larger_than_may_be_held),
        IN_WORLD(file__is_told_of__when_it_got_shorter),
        IN_WORLD(file__is_opened_by_its_path__and_named_when_it_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
