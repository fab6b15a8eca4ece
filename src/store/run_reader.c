#include "store/run_reader.h"

#include <unistd.h>

#define PAGE 512

enum result run_reader_open(struct run_reader *reader, const char *path, struct err *err)
{
    enum result result;

    *reader = (struct run_reader){ .raw_fd = -1 };
    result = run_dir_open_readonly(&reader->dir, path, err);
    if (result != RESULT_OK) {
        return result;
    }
    result = ledger_open_readonly(&reader->ledger, &reader->dir, err);
    if (result == RESULT_OK) {
        result = segment_dir_open(&reader->dir, false, &reader->raw_fd, err);
    }
    segment_reader_init(&reader->segments, reader->raw_fd);
    if (result != RESULT_OK) {
        run_reader_close(reader);
    }
    return result;
}

void run_reader_close(struct run_reader *reader)
{
    segment_reader_release(&reader->segments);
    if (reader->raw_fd >= 0) {
        close(reader->raw_fd);
        reader->raw_fd = -1;
    }
    ledger_close(reader->ledger);
    reader->ledger = NULL;
    run_dir_close(&reader->dir);
}

bool run_reader_is_ending(const struct run_holder *holder, const struct ledger_summary *summary)
{
    return holder->held && summary->last_start_us >= holder->since_us &&
           summary->last_end_us >= summary->last_start_us;
}

enum result run_reader_each(struct run_reader *reader, enum ledger_index index,
                            enum result (*visit)(void *context, const struct record *record,
                                                 struct err *err),
                            void *context, struct err *err)
{
    struct record page[PAGE];
    enum result result;
    uint64_t after_id = 0;
    size_t count;

    do {
        result = ledger_read_index(reader->ledger, index, after_id, page, PAGE, &count, err);
        for (size_t i = 0; i < count && result == RESULT_OK; i++) {
            result = visit(context, &page[i], err);
            after_id = page[i].id;
        }
    } while (result == RESULT_OK && count == PAGE);
    return result;
}
