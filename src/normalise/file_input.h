/**
 * Input files made ready to be read: as they lie there, or, when they came by standard input, were packed or are in
 * other letters than UTF-8, as a copy in the spool, an unnamed temporary file.
 *
 * Ownership  file_inputs_release closes the spool and frees the list.
 * Errors     E-IN2. A packed file, or one in other letters, that cannot be read is no error but an input with a `fault`.
 * Threads    one at a time.
 */
#ifndef SCRAPETOP_NORMALISE_FILE_INPUT_H
#define SCRAPETOP_NORMALISE_FILE_INPUT_H

#include "base/body_format.h"
#include "normalise/cells_file.h"
#include "normalise/record_source.h"

struct file_input {
    char *path; /* of a file within an archive "x.zip: name" */
    /* it lies in the spool: it came by standard input, was packed, or in other letters */
    bool is_spooled;
    uint64_t begin, size;
    enum record_form form;
    bool form_known;
    enum body_format as;     /* RECORD_DOCUMENT: BODY_XML, when that is known */
    struct cells_file cells; /* RECORD_CELLS */
    char *fault;             /* why there is nothing to be read in it; NULL */
};

struct file_inputs {
    struct body_reading how;
    struct file_input *list;
    size_t count, cap;
    int spool; /* an unnamed file for what is not read from where it lies, or -1 */
    uint64_t spooled;
    bool has_stdin; /* "-" is among them, perhaps as the files that were packed in it */
};

/** `how` may be NULL; its texts are borrowed. */
void file_inputs_init(struct file_inputs *inputs, const struct body_reading *how);
void file_inputs_release(struct file_inputs *inputs);

/** Adds a file, or "-": an input, or one for each file that is packed in it. */
MUST_CHECK enum result file_inputs_add(struct file_inputs *inputs, const char *path,
                                       struct err *err);

/** What is in it: what the user says counts most, then the name, then how it begins. `delimiter` of CSV; 0: not known. */
enum body_format file_input_format(const struct file_inputs *inputs, const struct file_input *input,
                                   struct str head, char *delimiter);

#endif
