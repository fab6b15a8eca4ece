#include "table/dataset.h"

#include "table/dataset_json.h"
#include "table/dataset_state.h"
#include "table/output_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the directory -------------------------------------------------------------------------------- */

/* Whatever lies there but hidden files, one of which output_file may have left. */
static bool is_empty(const char *path)
{
    DIR *dir = opendir(path);
    struct dirent *entry;
    bool empty = true;

    while (dir && empty && (entry = readdir(dir))) {
        empty = entry->d_name[0] == '.';
    }
    if (dir) {
        closedir(dir);
    }
    return empty;
}

static enum result enter(struct dataset *d, struct err *err)
{
    struct stat st;

    if (stat(d->path, &st) == 0 && !S_ISDIR(st.st_mode)) {
        return err_set(err, RESULT_INVALID, "E-ARG1",
                       "%s is a file; --partition writes a directory", d->path);
    }
    if (mkdir(d->path, 0777) != 0 && errno != EEXIST) {
        return err_set_errno(err, errno, "E-OUT1", "cannot make the directory %s", d->path);
    }
    d->fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->fd < 0) {
        return err_set_errno(err, errno, "E-OUT1", "cannot open the directory %s", d->path);
    }
    return flock(d->fd, LOCK_EX | LOCK_NB) == 0
               ? RESULT_OK
               : err_set(err, RESULT_BUSY, "E-OUT5", "another process is writing to %s", d->path);
}

static enum result set_identity(struct dataset *d, const struct dataset_identity *identity,
                                struct err *err)
{
    const struct str all[] = { identity->job, identity->level, identity->run };

    for (size_t i = 0; i < DATASET_TEXTS; i++) {
        d->texts[i] = str_dup(all[i]);
        if (!d->texts[i]) {
            return err_nomem(err, "opening a dataset");
        }
    }
    return RESULT_OK;
}

enum result dataset_open(struct dataset **dataset, const char *path,
                         const struct dataset_identity *identity, struct err *err)
{
    struct dataset *d = calloc(1, sizeof *d);
    bool found = false;
    enum result result;

    *dataset = NULL;
    if (!d) {
        return err_nomem(err, "opening a dataset");
    }
    d->fd = -1;
    d->path = strdup(path);
    result = d->path ? set_identity(d, identity, err) : err_nomem(err, "opening a dataset");
    result = result == RESULT_OK ? enter(d, err) : result;
    result = result == RESULT_OK ? dataset_read(d, &found, err) : result;
    if (result == RESULT_OK && !found && !is_empty(path)) {
        result = err_set(err, RESULT_INVALID, "E-ARG1",
                         "%s is not empty, and has no " DATASET_FILE
                         " of a dataset: give -o another directory",
                         path);
    }
    if (result == RESULT_OK && !found) { /* whose it is, before there are parts in it */
        result = dataset_save(d, err);
    }
    if (result != RESULT_OK) {
        dataset_close(d);
        return result;
    }
    *dataset = d;
    return RESULT_OK;
}

void dataset_close(struct dataset *d)
{
    if (!d) {
        return;
    }
    for (size_t i = 0; i < d->count; i++) {
        dataset_free_table(d->tables[i]);
    }
    for (size_t i = 0; i < DATASET_TEXTS; i++) {
        free(d->texts[i]);
    }
    if (d->fd >= 0) {
        close(d->fd); /* and with it goes the lock */
    }
    free(d->tables);
    free(d->path);
    free(d);
}

/* --- tables --------------------------------------------------------------------------------------- */

enum result dataset_find_table(struct dataset *d, struct str endpoint, struct str how,
                               struct dataset_table **table, struct err *err)
{
    for (size_t i = 0; i < d->count; i++) {
        struct dataset_table *t = d->tables[i];

        if (!str_equal(str_view(t->name), endpoint)) {
            continue;
        }
        *table = t;
        return str_equal(str_view(t->how), how)
                   ? RESULT_OK
                   : err_set(err, RESULT_INVALID, "E-ARG1",
                             "the parts of %s in %s were made with other options; all must be made "
                             "with the same: give -o another directory",
                             t->name, d->path);
    }
    return dataset_add_table(d, endpoint, how, table, err);
}

const struct known_types *dataset_known(const struct dataset_table *t)
{
    return t->known;
}

unsigned dataset_generation(const struct dataset_table *t)
{
    return t->generation;
}

/* --- columns -------------------------------------------------------------------------------------- */

static enum result learn(struct dataset_table *t, const struct table_schema *schema,
                         struct err *err)
{
    enum result result = RESULT_OK;

    t->is_changed = false;
    for (uint32_t i = 0; i < schema->count && result == RESULT_OK; i++) {
        const struct schema_column *c = &schema->columns[i];

        result = dataset_add_column(t, c->name, &c->facts,
                                    (struct dataset_type){ c->type, c->epoch_unit_us }, err);
    }
    t->generation += t->is_changed;
    return result;
}

/* --- parts ---------------------------------------------------------------------------------------- */

static struct dataset_entry *find(const struct dataset_table *t, struct str path)
{
    uint32_t node = columns_find(t->paths, COLUMNS_ROOT, path);

    return node == COLUMNS_NONE ? NULL : &t->parts[node - COLUMNS_ROOTS];
}

bool dataset_has(const struct dataset_table *t, struct str path, const struct dataset_part *part)
{
    struct dataset_entry *entry = find(t, path);
    char name[DATASET_PATH_MAX];
    struct stat st;

    if (!entry || !entry->is_there) {
        return false;
    }
    entry->is_wanted = true;
    snprintf(name, sizeof name, "%.*s", STR_ARG(path));
    return entry->part.records == part->records && entry->part.bytes == part->bytes &&
           entry->part.digest == part->digest && entry->part.generation == t->generation &&
           (!entry->part.rows || (fstatat(t->in->fd, name, &st, 0) == 0 && S_ISREG(st.st_mode)));
}

enum result dataset_foresee(struct dataset_table *t, struct str path, bool *is_new, struct err *err)
{
    struct dataset_entry *entry = find(t, path);

    *is_new = !entry || !entry->is_there;
    return *is_new ? dataset_add_part(t, path, &(struct dataset_part){ .rows = 0 }, false, err)
                   : RESULT_OK;
}

static enum result remove_file(const struct dataset *d, struct str path, struct err *err)
{
    char name[DATASET_PATH_MAX];

    snprintf(name, sizeof name, "%.*s", STR_ARG(path));
    return unlinkat(d->fd, name, 0) == 0 || errno == ENOENT
               ? RESULT_OK
               : err_set_errno(err, errno, "E-OUT1", "cannot remove %s/%s", d->path, name);
}

enum result dataset_put(struct dataset_table *t, struct str path, const struct dataset_part *part,
                        const struct table_schema *schema, struct err *err)
{
    struct dataset_part made = *part;
    enum result result = schema ? learn(t, schema, err) : RESULT_OK;

    made.generation = t->generation; /* what it has just been made with */
    return result == RESULT_OK ? dataset_add_part(t, path, &made, true, err) : result;
}

enum result dataset_drop_others(struct dataset_table *t, struct str prefix, uint64_t *dropped,
                                struct err *err)
{
    uint32_t count = columns_node_count(t->paths) - COLUMNS_ROOTS;

    for (uint32_t i = 0; i < count; i++) {
        struct str path = columns_node_name(t->paths, i + COLUMNS_ROOTS);
        struct dataset_entry *entry = &t->parts[i];
        enum result result;

        if (!entry->is_there || entry->is_wanted || path.len < prefix.len ||
            memcmp(path.data, prefix.data, prefix.len) != 0) {
            continue;
        }
        result = remove_file(t->in, path, err);
        if (result != RESULT_OK) {
            return result;
        }
        entry->is_there = false;
        *dropped += 1;
    }
    return RESULT_OK;
}

enum result dataset_save(const struct dataset *d, struct err *err)
{
    struct buf path = { 0 }, json = { 0 };
    struct output_file *file = NULL;
    enum result result = buf_printf(&path, "%s/" DATASET_FILE, d->path);

    result = result == RESULT_OK ? dataset_write(d, &json) : result;
    if (result != RESULT_OK) {
        result = err_nomem(err, "writing " DATASET_FILE);
    }
    if (result == RESULT_OK && !dataset_says(d, buf_view(&json))) {
        result = output_open(&file, buf_cstr(&path), err);
    }
    if (file) {
        result = output_write(file, json.data, json.len, err);
        if (result == RESULT_OK) {
            result = output_commit(file, err);
        } else {
            output_abandon(file);
        }
    }
    buf_release(&path);
    buf_release(&json);
    return result;
}
