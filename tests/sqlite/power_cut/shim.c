/* Notes what a process writes below a folder, and what it syncs, in the order in which it does. LD_PRELOAD puts it before libc.
 *
 * Each note is a kind ('w'rite, 't'runcate, 's'ync, 'u'nlink), the lengths of a path and of the data, an offset, the path
 * and the data; numbers are 64 bits in the machine's own order. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void append(const void *data, uint64_t length) {
    static long notes = -1;
    const char *at = data;
    if (notes < 0) {
        notes = syscall(SYS_openat, AT_FDCWD, getenv("POWER_CUT_NOTES"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    }
    while (length > 0) {
        long written = syscall(SYS_write, notes, at, length);
        if (written <= 0) {
            abort();
        }
        at += written;
        length -= (uint64_t)written;
    }
}

static void note(char kind, const char *path, uint64_t offset, const void *data, uint64_t length) {
    const char *folder = getenv("POWER_CUT_FOLDER");
    if (folder == NULL || strncmp(path, folder, strlen(folder)) != 0) {
        return;
    }
    uint64_t head[4] = {(uint64_t)kind, strlen(path), length, offset};
    append(head, sizeof head);
    append(path, head[1]);
    append(data, length);
}

static void note_file(char kind, int file, uint64_t offset, const void *data, uint64_t length) {
    char link[64];
    char path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t bytes = readlink(link, path, sizeof path - 1);
    if (bytes > 0) {
        path[bytes] = 0;
        note(kind, path, offset, data, length);
    }
}

ssize_t write(int file, const void *data, size_t length) {
    off_t offset = lseek(file, 0, SEEK_CUR);
    ssize_t written = syscall(SYS_write, file, data, length);
    if (written > 0) {
        note_file('w', file, offset < 0 ? 0 : (uint64_t)offset, data, (uint64_t)written);
    }
    return written;
}

ssize_t pwrite64(int file, const void *data, size_t length, off64_t offset) {
    ssize_t written = syscall(SYS_pwrite64, file, data, length, offset);
    if (written > 0) {
        note_file('w', file, (uint64_t)offset, data, (uint64_t)written);
    }
    return written;
}

ssize_t pwrite(int file, const void *data, size_t length, off_t offset) {
    return pwrite64(file, data, length, offset);
}

int ftruncate64(int file, off64_t length) {
    int outcome = (int)syscall(SYS_ftruncate, file, length);
    if (outcome == 0) {
        note_file('t', file, (uint64_t)length, "", 0);
    }
    return outcome;
}

int ftruncate(int file, off_t length) {
    return ftruncate64(file, length);
}

int fsync(int file) {
    int outcome = (int)syscall(SYS_fsync, file);
    if (outcome == 0) {
        note_file('s', file, 0, "", 0);
    }
    return outcome;
}

int fdatasync(int file) {
    return fsync(file);
}

int unlink(const char *path) {
    int outcome = (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
    if (outcome == 0) {
        note('u', path, 0, "", 0);
    }
    return outcome;
}
