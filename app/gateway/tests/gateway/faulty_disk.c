/* A disk that fails when it is told to: preloaded into a gateway, between it and the system.
 *
 * MOTIF_FAULT names a file that does not exist yet. Once it does, its one word says what goes
 * wrong from then on, with files whose names end as MOTIF_FAULT_PATH says:
 *
 *   eio      synchronising fails, once; afterwards it claims to work again, as disks do
 *   enospc   nothing can be written any more
 *   short    one write ends in its middle, with an error
 *   torn     one write ends in its middle, and so does the process, as when the power goes
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int done;

static const char *fault(int fd)
{
    static _Thread_local char word[16];
    const char *control = getenv("MOTIF_FAULT"), *ending = getenv("MOTIF_FAULT_PATH");
    char link[64], path[4096];
    if (!control || !ending || access(control, F_OK) != 0)
        return "";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return "";
    path[length] = 0;
    size_t wanted = strlen(ending);
    if ((size_t)length < wanted || strcmp(path + length - wanted, ending) != 0)
        return "";
    FILE *file = fopen(control, "r");
    if (!file)
        return "";
    word[0] = 0;
    if (fscanf(file, "%15s", word) != 1)
        word[0] = 0;
    fclose(file);
    return word;
}

static int is(int fd, const char *wanted)
{
    return strcmp(fault(fd), wanted) == 0;
}

static int once(void)
{
    return atomic_exchange(&done, 1) == 0;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int synchronise(int fd, int (*real)(int))
{
    if (is(fd, "eio") && once()) {
        errno = EIO;
        return -1;
    }
    return real(fd);
}

int fsync(int fd) { return synchronise(fd, REAL(fsync)); }
int fdatasync(int fd) { return synchronise(fd, REAL(fdatasync)); }

typedef ssize_t (*pwriter)(int, const void *, size_t, off64_t);

static ssize_t put(int fd, const void *bytes, size_t length, off64_t at, pwriter real)
{
    if (is(fd, "enospc")) {
        errno = ENOSPC;
        return -1;
    }
    if (is(fd, "short") && length > 1 && once()) {
        real(fd, bytes, length / 2, at);
        errno = EIO;
        return -1;
    }
    if (is(fd, "torn") && length > 1 && once()) {
        real(fd, bytes, length / 2, at);
        kill(getpid(), SIGKILL);
    }
    return real(fd, bytes, length, at);
}

ssize_t pwrite64(int fd, const void *bytes, size_t length, off64_t at)
{
    return put(fd, bytes, length, at, (pwriter)REAL(pwrite64));
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t at)
{
    return put(fd, bytes, length, at, (pwriter)REAL(pwrite64));
}
