/* Answers EIO to fsync, fdatasync and sync_file_range of files under a journal folder.
 *
 * CUSTODY_FAULT names a trigger file. While it does not exist, nothing is changed. Its first byte says what happens:
 *   1   the next sync fails; whoever removes the file first is the one that fails
 *   *   every sync fails for as long as the file is there
 * The failing call does not reach the kernel, like a device that lost the write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fails(int fd)
{
    const char *trigger = getenv("CUSTODY_FAULT");
    char link[64], path[4096], mode = 0;
    if (!trigger || access(trigger, F_OK) != 0)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    int file = open(trigger, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return 0;
    if (read(file, &mode, 1) != 1)
        mode = 0;
    close(file);
    if (mode == '1')
        return strstr(path, "/journal/segment-") && unlink(trigger) == 0;
    return strstr(path, "/journal") != NULL;
}

#define WRAP(name, parameters, arguments)                            \
    int name parameters                                              \
    {                                                                \
        static int (*real) parameters;                               \
        if (!real)                                                   \
            real = (int(*) parameters)dlsym(RTLD_NEXT, #name);       \
        if (fails(fd)) {                                             \
            errno = EIO;                                             \
            return -1;                                               \
        }                                                            \
        return real arguments;                                       \
    }

WRAP(fsync, (int fd), (fd))
WRAP(fdatasync, (int fd), (fd))
WRAP(sync_file_range, (int fd, off64_t offset, off64_t length, unsigned flags), (fd, offset, length, flags))
