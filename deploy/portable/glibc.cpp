// What a portable program needs of glibc and glibc 2.28 does not have. Linked into nothing else:
// old_glibc.py.
#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <ctime>

// glibc's own headers must have declared them, so that a change of a signature does not compile.
extern "C" {

using Main = int(int, char**, char**);
using Hook = void();

extern void _init();
extern void (*__init_array_start[])(int, char**, char**);
extern void (*__init_array_end[])(int, char**, char**);
int __real___libc_start_main(Main* main, int argc, char** argv, Main* init, Hook* fini, Hook* loader_fini,
                             void* stack_end);

/// Before 2.34 a program brought the function that runs its constructors along, and start-up code of today
/// passes none. Later versions call ours as well and leave the rest alone.
static int run_constructors(int argc, char** argv, char** environment) {
  _init();
  for (auto each = __init_array_start; each != __init_array_end; ++each) (*each)(argc, argv, environment);
  return 0;
}

int __wrap___libc_start_main(Main* main, int argc, char** argv, Main*, Hook*, Hook* loader_fini,
                             void* stack_end) {
  return __real___libc_start_main(main, argc, argv, run_constructors, nullptr, loader_fini, stack_end);
}

/// Of 2.32: whether there is but one thread, which saves atomic operations. There may be more.
char __libc_single_threaded = 0;

/// Of 2.33; macros with a hidden call before that. The kernel's structure is glibc's where a long has 64
/// bits.
int fstatat(int directory, const char* path, struct stat* found, int flags) noexcept {
  static_assert(sizeof(long) == 8);
  return static_cast<int>(syscall(SYS_newfstatat, directory, path, found, flags));
}
int stat(const char* path, struct stat* found) noexcept {
  return fstatat(AT_FDCWD, path, found, 0);
}
int lstat(const char* path, struct stat* found) noexcept {
  return fstatat(AT_FDCWD, path, found, AT_SYMLINK_NOFOLLOW);
}
int fstat(int file, struct stat* found) noexcept {
  return static_cast<int>(syscall(SYS_fstat, file, found));
}
int stat64(const char* path, struct stat64* found) noexcept {
  return stat(path, reinterpret_cast<struct stat*>(found));
}
int lstat64(const char* path, struct stat64* found) noexcept {
  return lstat(path, reinterpret_cast<struct stat*>(found));
}
int fstat64(int file, struct stat64* found) noexcept {
  return fstat(file, reinterpret_cast<struct stat*>(found));
}

/// Of 2.30: a wait by a clock of one's choice. Where glibc has it, glibc's. Else the wall clock's, so that a
/// clock that is set meanwhile makes the wait shorter or longer; waking early is allowed.
int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until) {
  using Wait = int(pthread_cond_t*, pthread_mutex_t*, clockid_t, const timespec*);
  static auto* const real = reinterpret_cast<Wait*>(dlsym(RTLD_NEXT, "pthread_cond_clockwait"));
  if (real) return real(condition, mutex, clock, until);
  if (clock == CLOCK_REALTIME) return pthread_cond_timedwait(condition, mutex, until);
  constexpr std::int64_t second = 1'000'000'000;
  const auto now = [](clockid_t of) {
    timespec time{};
    clock_gettime(of, &time);
    return time.tv_sec * second + time.tv_nsec;
  };
  const std::int64_t rest = until->tv_sec * second + until->tv_nsec - now(clock);
  if (rest <= 0) return ETIMEDOUT;
  const std::int64_t end = now(CLOCK_REALTIME) + rest;
  const timespec wall{end / second, end % second};
  return pthread_cond_timedwait(condition, mutex, &wall);
}

/// Of 2.36: std::random_device may ask for it. It cannot say that it failed.
unsigned arc4random() noexcept {
  unsigned number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) std::abort();
  return number;
}

namespace {

struct Search {
  std::uintptr_t address;
  dl_find_object* result;
};

/// Called for each loaded file; 1 ends the search.
int look_into(dl_phdr_info* file, std::size_t, void* of) {
  const Search& search = *static_cast<Search*>(of);
  const ElfW(Phdr)* frames = nullptr;
  const ElfW(Phdr)* place = nullptr;
  for (const auto* each = file->dlpi_phdr; each != file->dlpi_phdr + file->dlpi_phnum; ++each) {
    if (each->p_type == PT_GNU_EH_FRAME) frames = each;
    const std::uintptr_t begin = file->dlpi_addr + each->p_vaddr;
    if (each->p_type == PT_LOAD && search.address - begin < each->p_memsz) place = each;
  }
  if (!place || !frames) return 0;
  dl_find_object& result = *search.result;
  result = {};
  result.dlfo_map_start = reinterpret_cast<void*>(file->dlpi_addr + place->p_vaddr);
  result.dlfo_map_end = static_cast<char*>(result.dlfo_map_start) + place->p_memsz;
  result.dlfo_eh_frame = reinterpret_cast<void*>(file->dlpi_addr + frames->p_vaddr);
  return 1;
}

}  // namespace

/// Of 2.35: where the tables are that say how to unwind the code at `address`. GCC's unwinder calls it.
int _dl_find_object(void* address, dl_find_object* result) noexcept {
  Search search{reinterpret_cast<std::uintptr_t>(address), result};
  return dl_iterate_phdr(look_into, &search) == 1 ? 0 : -1;
}

}  // extern "C"
