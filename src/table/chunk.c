#include "table/chunk.h"

#include "base/grow.h"
#include "base/json_scan.h"
#include "base/units.h"
#include "base/utf8.h"
#include "normalise/cells_file.h"
#include "normalise/flatten.h"
#include "read/csv_json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes between a chunk's records that are read along rather than asked for record by record. */
#define GAPS_MAX ((uint64_t)256 << 10)
#define BUFFER_KEPT ((size_t)8 << 20) /* more goes back to the system after the chunk */

void chunk_release(struct chunk *chunk)
{
    free(chunk->pieces);
    buf_release(&chunk->vars);
    *chunk = (struct chunk){ 0 };
}

/* The piece's variables are copied; where to is told once all are there. */
static bool add_piece(struct chunk *chunk, const struct record_piece *piece)
{
    struct record_piece *pieces =
        grow_by_one(chunk->pieces, chunk->count, &chunk->cap, sizeof *pieces);

    if (!pieces) {
        return false;
    }
    chunk->pieces = pieces;
    if (buf_append_str(&chunk->vars, piece->vars) != RESULT_OK) {
        return false;
    }
    chunk->pieces[chunk->count++] = *piece;
    chunk->bytes += piece->length - piece->gap_length;
    return true;
}

/* They are cells as they are: some bytes behind the last may be read. */
static bool place_vars(struct chunk *chunk)
{
    size_t at = 0;

    if (!chunk->vars.len) {
        return true;
    }
    if (buf_reserve(&chunk->vars, ROW_CELL_AFTER) != RESULT_OK) {
        return false;
    }
    memset(chunk->vars.data + chunk->vars.len, 0, ROW_CELL_AFTER);
    for (size_t i = 0; i < chunk->count; i++) {
        struct str *vars = &chunk->pieces[i].vars;

        vars->data = chunk->vars.data + at;
        at += vars->len;
    }
    return true;
}

enum result chunk_gather(struct chunk *chunk, struct record_source *source, uint64_t bytes,
                         struct err *err)
{
    bool more = true;

    chunk->count = 0;
    chunk->bytes = 0;
    buf_reset(&chunk->vars);
    while (more && chunk->bytes + chunk->vars.len < bytes && chunk->count < CHUNK_PIECES_MAX) {
        struct record_piece piece;
        enum result result = source->next(source, &piece, &more, err);

        if (result != RESULT_OK) {
            return result;
        }
        if (more && !add_piece(chunk, &piece)) {
            return err_nomem(err, "gathering records");
        }
    }
    return place_vars(chunk) ? RESULT_OK : err_nomem(err, "gathering records");
}

void chunk_reader_init(struct chunk_reader *reader, uint64_t piece_max)
{
    *reader = (struct chunk_reader){ .fd = -1, .piece_max = piece_max };
}

static void close_file(struct chunk_reader *reader)
{
    if (reader->fd >= 0) {
        close(reader->fd);
    }
    reader->fd = -1;
    reader->path = NULL;
}

void chunk_reader_release(struct chunk_reader *reader)
{
    close_file(reader);
    packed_window_release(&reader->window);
    buf_release(&reader->bytes);
    buf_release(&reader->json);
    csv_row_release(&reader->cells);
}

/* The descriptor to read a piece from; paths are the source's, so the pointer tells them apart. */
static enum result open_piece(struct chunk_reader *reader, const struct record_piece *piece,
                              int *fd, struct err *err)
{
    *fd = piece->fd;
    if (piece->fd >= 0) {
        return RESULT_OK;
    }
    if (reader->path != piece->path) {
        close_file(reader);
        reader->fd = open(piece->path, O_RDONLY | O_CLOEXEC);
        if (reader->fd < 0) {
            return err_set_errno(err, errno, "E-IN2", "cannot read %s", piece->path);
        }
        reader->path = piece->path;
    }
    *fd = reader->fd;
    return RESULT_OK;
}

/* The same of a packed file. */
static enum result read_packed(struct chunk_reader *reader, const struct record_piece *piece,
                               uint64_t offset, uint64_t length, struct err *err)
{
    enum result result = buf_reserve(&reader->bytes, length);
    size_t got = 0;

    if (result == RESULT_OK) {
        result = packed_text_read(piece->packed, &reader->window, offset,
                                  reader->bytes.data + reader->bytes.len, length, &got);
        reader->bytes.len += got;
    }
    switch (result) {
    case RESULT_OK:
        return got == length
                   ? RESULT_OK
                   : err_set(err, RESULT_CORRUPT, "E-TAB2", "%s is cut short", piece->path);
    case RESULT_CORRUPT:
        return err_set(err, RESULT_CORRUPT, "E-TAB2", "%s is damaged", piece->path);
    case RESULT_NOMEM:
        return err_nomem(err, "reading records");
    default:
        return err_set_errno(err, errno, "E-IN2", "cannot read %s", piece->path);
    }
}

/* Exactly these bytes of the piece's file, after what is in the buffer. RESULT_IO when the disk fails to
 * read them, RESULT_CORRUPT when the file ends before: what could be read is in the buffer. */
static enum result read_more(struct chunk_reader *reader, const struct record_piece *piece,
                             uint64_t offset, uint64_t length, struct err *err)
{
    enum result result;
    size_t before = reader->bytes.len;
    int fd;

    if (piece->packed) {
        return read_packed(reader, piece, offset, length, err);
    }
    result = open_piece(reader, piece, &fd, err);
    if (result == RESULT_OK && buf_reserve(&reader->bytes, length) != RESULT_OK) {
        result = err_nomem(err, "reading records");
    }
    while (result == RESULT_OK && reader->bytes.len - before < length) {
        size_t done = reader->bytes.len - before;
        ssize_t n = pread(fd, reader->bytes.data + reader->bytes.len, length - done,
                          (off_t)(offset + done));

        if (n < 0 && errno != EINTR) {
            result = err_set_errno(err, errno, "E-IN2", "cannot read %s", piece->path);
        } else if (n == 0) {
            result = err_set(err, RESULT_CORRUPT, "E-TAB2",
                             "%s got shorter while it was being read", piece->path);
        } else if (n > 0) {
            reader->bytes.len += (size_t)n;
        }
    }
    return result;
}

static enum result read_span(struct chunk_reader *reader, const struct record_piece *piece,
                             uint64_t offset, uint64_t length, struct err *err)
{
    buf_reset(&reader->bytes);
    return read_more(reader, piece, offset, length, err);
}

/* The piece alone, without its gap. */
static enum result read_piece(struct chunk_reader *reader, const struct record_piece *piece,
                              struct err *err)
{
    uint64_t after = piece->gap + piece->gap_length;
    enum result result;

    if (!piece->gap_length) {
        return read_span(reader, piece, piece->offset, piece->length, err);
    }
    result = read_span(reader, piece, piece->offset, piece->gap - piece->offset, err);
    return result == RESULT_OK
               ? read_more(reader, piece, after, piece->offset + piece->length - after, err)
               : result;
}

/* Sources make small pieces of what can be cut: a large one is a single thing that must be held whole. */
static enum result check_size(const struct chunk_reader *reader, const struct record_piece *piece,
                              struct err *err)
{
    static const char *const names[] = {
        [RECORD_DOCUMENT] = "document", [RECORD_LINES] = "line",  [RECORD_RAW] = "response",
        [RECORD_CELLS] = "row",         [RECORD_PART] = "record",
    };
    uint64_t length = piece->length - piece->gap_length;
    char size[UNITS_TEXT_MAX], allowed[UNITS_TEXT_MAX];

    if (length > FLATTEN_TEXT_MAX) {
        return err_set(err, RESULT_LIMIT, "E-TAB3", "%s: one %s is over 4 GiB", piece->path,
                       names[piece->form]);
    }
    if (length > reader->piece_max) {
        units_format_bytes(length, size);
        units_format_bytes(reader->piece_max, allowed);
        return err_set(err, RESULT_LIMIT, "E-TAB3",
                       "%s: one %s has %s, more than the %s that may be held (normalise --memory)",
                       piece->path, names[piece->form], size, allowed);
    }
    return RESULT_OK;
}

/* Records of a run lie close together: then one read fetches them all. False when they do not. */
static bool one_span(const struct chunk *chunk, uint64_t *offset, uint64_t *length)
{
    uint64_t low = UINT64_MAX, high = 0;

    for (size_t i = 0; i < chunk->count; i++) {
        const struct record_piece *piece = &chunk->pieces[i];

        if (piece->path != chunk->pieces[0].path || piece->fd != chunk->pieces[0].fd ||
            piece->gap_length) {
            return false;
        }
        low = piece->offset < low ? piece->offset : low;
        high = piece->offset + piece->length > high ? piece->offset + piece->length : high;
    }
    *offset = low;
    *length = high - low;
    return high - low <= chunk->bytes + GAPS_MAX;
}

/* A record of a run that is not there as it was written. */
static enum result tell_damage(const struct record_piece *piece, const char *how,
                               chunk_document_fn *fn, void *context)
{
    struct document document = {
        .kind = DOCUMENT_DAMAGED, .path = piece->path, .offset = piece->offset, .damage = how
    };

    return fn(context, &document);
}

static enum result tell_raw(struct str text, const struct record_piece *piece,
                            chunk_document_fn *fn, void *context)
{
    static const enum document_kind kinds[] = {
        [RAW_BODY_NONE] = DOCUMENT_EMPTY,
        [RAW_BODY_JSON] = DOCUMENT_JSON,
        [RAW_BODY_OTHER] = DOCUMENT_OTHER,
    };
    struct document document = { .path = piece->path };
    struct raw_line raw;

    if (!raw_line_split(text, &raw)) {
        return tell_damage(piece, "is not a record", fn, context);
    }
    if (piece->is_sealed && !raw_line_is_whole(text, &raw, piece->crc32c)) {
        return tell_damage(piece, "does not match its CRC", fn, context);
    }
    if (piece->vars.len) {
        raw.vars = piece->vars;
    }
    document.kind = kinds[raw.kind];
    document.text = raw.body;
    document.key = raw.key;
    document.raw = &raw;
    document.is_texts = raw.is_texts;
    return fn(context, &document);
}

static struct str without_mark(struct str line)
{
    size_t mark = line.len && line.data[0] == JSON_SEQUENCE_MARK;

    return (struct str){ line.data + mark, line.len - mark };
}

static enum result tell_lines(struct str text, const struct record_piece *piece,
                              chunk_document_fn *fn, void *context, struct chunk_lines *lines)
{
    enum result result = RESULT_OK;

    while (result == RESULT_OK && text.len) {
        struct str line = without_mark(str_cut(&text, '\n'));
        struct document document = { .kind = DOCUMENT_JSON,
                                     .text = line,
                                     .path = piece->path,
                                     .line = ++lines->count,
                                     .continued = lines->continued };

        if (str_trim(line).len) {
            result = fn(context, &document);
        }
    }
    return result;
}

/* The row as JSON, unless it is not UTF-8. */
static enum result row_json(struct chunk_reader *reader, const struct cells_file *cells,
                            struct str line, struct document *document, struct err *err)
{
    struct csv_odd odd = { 0 };
    enum result result = RESULT_OK;

    buf_reset(&reader->json);
    document->text = line;
    if (utf8_valid_prefix(line) == line.len) {
        result = csv_append_row(&cells->names, &reader->cells, &reader->json, &odd);
        result = result == RESULT_OK ? buf_reserve(&reader->json, ROW_CELL_AFTER) : result;
        document->text = buf_view(&reader->json);
    } else {
        document->fault =
            "it is not UTF-8: say which letters it has, as with --charset windows-1252";
    }
    return result == RESULT_OK ? RESULT_OK : err_nomem(err, "reading records");
}

static enum result tell_cells(struct chunk_reader *reader, struct str text,
                              const struct record_piece *piece, chunk_document_fn *fn,
                              void *context, struct err *err)
{
    struct csv_reader rows = { text.data, text.data + text.len, piece->cells->delimiter,
                               piece->line };
    enum result result = RESULT_OK;
    bool more = true;

    while (result == RESULT_OK && more) {
        struct document document = { .kind = DOCUMENT_JSON,
                                     .path = piece->path,
                                     .is_texts = true,
                                     .cells_wanted = piece->cells->names.count };
        const char *begin = rows.at;

        result = csv_next(&rows, &reader->cells, &more);
        if (result == RESULT_NOMEM) {
            return err_nomem(err, "reading records");
        }
        document.line = reader->cells.line;
        document.cells = reader->cells.count;
        if (result != RESULT_OK) { /* a quote that nothing closes, or too many cells: no row */
            document.text = (struct str){ begin, (size_t)(rows.end - begin) };
            document.fault = result == RESULT_LIMIT
                                 ? "the row has more than 65,536 cells"
                                 : "a quoted cell begins in this row that nothing closes";
            return fn(context, &document);
        }
        if (more) {
            result = row_json(reader, piece->cells,
                              (struct str){ begin, (size_t)(rows.at - begin) }, &document, err);
            result = result == RESULT_OK ? fn(context, &document) : result;
        }
    }
    return result;
}

static enum result tell_piece(struct chunk_reader *reader, struct str text,
                              const struct record_piece *piece, chunk_document_fn *fn,
                              void *context, struct chunk_lines *lines, struct err *err)
{
    struct document document = { .kind = DOCUMENT_JSON, .path = piece->path };

    if (piece->form == RECORD_CELLS) {
        return tell_cells(reader, text, piece, fn, context, err);
    }

    if (piece->path != lines->path) {
        *lines =
            (struct chunk_lines){ .path = piece->path, .continued = piece->offset > piece->begin };
    }
    if (piece->form == RECORD_RAW) {
        return tell_raw(text, piece, fn, context);
    }
    if (piece->offset == piece->begin) {
        text = json_without_bom(text);
    }
    if (piece->form == RECORD_LINES) {
        return tell_lines(text, piece, fn, context, lines);
    }
    document.text = text;
    document.as = piece->as;
    document.fault = piece->fault;
    if (piece->form == RECORD_PART) {
        document.kind = DOCUMENT_PART;
        document.step = piece->step;
        document.named = piece->named;
    } else if (piece->gap_length) {
        document.kind = DOCUMENT_REST;
    }
    return fn(context, &document);
}

/* Of a run one record that cannot be read costs the table that record and no other. */
static bool is_damage(const struct record_piece *piece, enum result result)
{
    return piece->is_sealed && (result == RESULT_CORRUPT || result == RESULT_IO);
}

/* All pieces with one read, if they lie so; `*together` says whether. */
static enum result read_together(struct chunk_reader *reader, const struct chunk *chunk,
                                 uint64_t *low, bool *together, struct err *err)
{
    enum result result = RESULT_OK;
    uint64_t length;

    *together = chunk->count > 1 && one_span(chunk, low, &length);
    if (*together) {
        result = read_span(reader, &chunk->pieces[0], *low, length, err);
    }
    if (is_damage(&chunk->pieces[0], result)) { /* of which of them? */
        *together = false;
        return RESULT_OK;
    }
    return result;
}

enum result chunk_read(struct chunk_reader *reader, const struct chunk *chunk,
                       chunk_document_fn *fn, void *context, struct chunk_lines *lines,
                       struct err *err)
{
    enum result result = RESULT_OK;
    uint64_t low = 0;
    bool together = false;

    *lines = (struct chunk_lines){ .path = NULL };
    for (size_t i = 0; result == RESULT_OK && i < chunk->count; i++) {
        result = check_size(reader, &chunk->pieces[i], err);
    }
    if (result == RESULT_OK && chunk->count) {
        result = read_together(reader, chunk, &low, &together, err);
    }
    for (size_t i = 0; result == RESULT_OK && i < chunk->count; i++) {
        const struct record_piece *piece = &chunk->pieces[i];
        struct str text;

        if (!together) {
            result = read_piece(reader, piece, err);
            low = piece->offset;
        }
        if (result == RESULT_OK) {
            text = piece->length ? (struct str){ reader->bytes.data + (piece->offset - low),
                                                 piece->length - piece->gap_length }
                                 : STR("");
            result = tell_piece(reader, text, piece, fn, context, lines, err);
        } else if (is_damage(piece, result)) {
            result = tell_damage(piece, result == RESULT_IO ? "cannot be read" : "is cut short", fn,
                                 context);
        }
    }
    if (reader->bytes.cap > BUFFER_KEPT) {
        buf_release(&reader->bytes);
    }
    return result;
}
