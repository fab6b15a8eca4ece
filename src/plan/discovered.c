#include "plan/discovered.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *page_note_name(enum page_note_kind kind)
{
    switch (kind) {
    case PAGE_NOTE_TOTAL_CHANGED:
        return "total changed";
    case PAGE_NOTE_SAME_PAGE:
        return "same page";
    case PAGE_NOTE_BACK:
        return "back";
    case PAGE_NOTE_LIMIT:
        return "limit";
    case PAGE_NOTE_BAD_TOTAL:
        return "bad total";
    case PAGE_NOTE_BAD_NEXT:
        return "bad next";
    case PAGE_NOTE_NO_MATCH:
        return "no match";
    case PAGE_NOTE_ENDLESS:
        return "endless";
    case PAGE_NOTE_NO_VALUE:
        return "no value";
    case PAGE_NOTE_FEWER:
        return "fewer";
    case PAGE_NOTE_GAP:
        return "gap";
    case PAGE_NOTE_SHORT:
        return "short page";
    }
    return "unknown"; /* of a later version's ledger */
}

bool page_note_is_loss(enum page_note_kind kind)
{
    switch (kind) {
    case PAGE_NOTE_SAME_PAGE:
    case PAGE_NOTE_BACK:
    case PAGE_NOTE_LIMIT:
    case PAGE_NOTE_BAD_NEXT:
    case PAGE_NOTE_ENDLESS:
    case PAGE_NOTE_FEWER:
    case PAGE_NOTE_GAP:
        return true;
    default:
        return false;
    }
}

struct discovered *discovered_new(uint32_t endpoint, const struct request_texts *texts,
                                  const struct page_at *page)
{
    struct discovered *found = malloc(sizeof *found + request_texts_bytes(texts));

    if (!found) {
        return NULL;
    }
    *found = (struct discovered){ .endpoint = endpoint, .page = *page };
    found->texts = request_texts_copy(texts, found->bytes);
    return found;
}

void discovered_free(struct discovered *found)
{
    free(found);
}

void discoveries_add(struct discoveries *discoveries, struct discovered *found)
{
    found->next = NULL;
    if (discoveries->last) {
        discoveries->last->next = found;
    } else {
        discoveries->first = found;
    }
    discoveries->last = found;
    discoveries->count++;
}

enum result discoveries_note(struct discoveries *discoveries, enum page_note_kind kind,
                             const char *format, ...)
{
    struct page_note *note = calloc(1, sizeof *note);
    va_list arguments;

    if (!note) {
        return RESULT_NOMEM;
    }
    note->kind = kind;
    va_start(arguments, format);
    vsnprintf(note->text, sizeof note->text, format, arguments);
    va_end(arguments);
    note->next = discoveries->notes;
    discoveries->notes = note;
    return RESULT_OK;
}

void discoveries_release(struct discoveries *discoveries)
{
    struct discovered *found;
    struct page_note *note;

    while ((found = discoveries->first)) {
        discoveries->first = found->next;
        discovered_free(found);
    }
    while ((note = discoveries->notes)) {
        discoveries->notes = note->next;
        free(note);
    }
    *discoveries = (struct discoveries){ 0 };
}
