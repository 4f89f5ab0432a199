/* Preloaded into stsctl by the crash test: kills the process (SIGKILL) at its Nth change of the file
 * system, as a machine that loses power would. A write is cut in half first, so that a torn file
 * would be seen. Counts calls that change files; output on stdout and stderr does not count. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;

static int is_turn(void) {
  const char *at = getenv("STSCTL_KILL_AT");
  return at != NULL && atomic_fetch_add(&calls, 1) + 1 == atoi(at);
}

static void die(void) { kill(getpid(), SIGKILL); }

ssize_t write(int fd, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (real == NULL) real = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  if (fd > 2 && is_turn()) {
    real(fd, data, size / 2);
    die();
  }
  return real(fd, data, size);
}

#define KILL_BEFORE(type, name, parameters, arguments)                     \
  type name parameters {                                                   \
    static type(*real) parameters;                                         \
    if (real == NULL) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);  \
    if (is_turn()) die();                                                  \
    return real arguments;                                                 \
  }

KILL_BEFORE(int, rename, (const char *from, const char *to), (from, to))
KILL_BEFORE(int, unlink, (const char *path), (path))
KILL_BEFORE(int, mkdir, (const char *path, mode_t mode), (path, mode))
KILL_BEFORE(int, mkostemp, (char *name, int flags), (name, flags))
KILL_BEFORE(int, fsync, (int fd), (fd))
KILL_BEFORE(int, fchmod, (int fd, mode_t mode), (fd, mode))
