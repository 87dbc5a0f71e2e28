// A disk that fails on demand, for SQLite: a VFS around the default one.
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace rockdove::test {

/// Registered under name() while it lives; connections that use it must be gone before it is. The faults may
/// be set from any thread at any time.
class FailingVfs {
 public:
  enum class Fault {
    none,
    full,          ///< writes find no space (ENOSPC)
    write_error,   ///< writes fail (EIO)
    short_writes,  ///< half of the bytes are written, then EIO
    sync_error,    ///< fsync fails (EIO)
    read_error,    ///< reads fail (EIO)
    read_only,     ///< writes find that the file system is mounted read-only by now
  };

  std::atomic<Fault> fault{Fault::none};
  /// The next fsync of a database fails and what it should have made safe never will be, though the cache
  /// shows it and later ones succeed: what Linux does after an error of the device. Once; then `fault` is
  /// this.
  std::atomic<bool> next_sync_loses{false};
  std::atomic<Fault> fault_after_loss{Fault::none};
  std::atomic<int> write_budget{-1};  ///< after so many writes `fault` begins; -1: at once
  std::atomic<std::chrono::milliseconds> sync_delay{std::chrono::milliseconds(0)};
  std::atomic<std::int64_t> rotten_from{-1};   ///< pages of the database read from this offset on …
  std::atomic<std::int64_t> rotten_until{-1};  ///< … up to this one are full of 0xff; -1: none
  std::atomic<int> writes{0}, syncs{0}, opens{0};

  FailingVfs() : base_(*sqlite3_vfs_find(nullptr)), name_("failing-" + std::to_string(counter()++)) {
    vfs_ = base_;
    vfs_.pNext = nullptr;
    vfs_.zName = name_.c_str();
    vfs_.szOsFile = static_cast<int>(header_size()) + base_.szOsFile;
    vfs_.pAppData = this;
    vfs_.xOpen = &open;
    if (sqlite3_vfs_register(&vfs_, 0) != SQLITE_OK) throw std::runtime_error("no VFS");
  }
  ~FailingVfs() { sqlite3_vfs_unregister(&vfs_); }
  FailingVfs(const FailingVfs&) = delete;
  FailingVfs& operator=(const FailingVfs&) = delete;

  const std::string& name() const { return name_; }

  void heal() {
    fault = Fault::none;
    write_budget = -1;
    rotten_from = rotten_until = -1;
  }

  /// What a power cut would leave of the file `from`: everything that was synced, nothing that was not.
  void copy_synced(const std::filesystem::path& from, const std::filesystem::path& to) {
    const std::lock_guard lock(mutex_);
    std::filesystem::copy_file(from, to, std::filesystem::copy_options::overwrite_existing);
    const auto unsynced = unsynced_.find(from.string());
    if (unsynced == unsynced_.end()) return;
    for (auto each = unsynced->second.rbegin(); each != unsynced->second.rend(); ++each) {
      std::string old = each->old;
      if (each->is_lost) old.resize(each->size);  // the file has grown, there is nothing in it
      if (!old.empty()) {
        std::fstream file(to, std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(each->offset);
        file.write(old.data(), static_cast<std::streamsize>(old.size()));
      }
      if (!each->is_lost) std::filesystem::resize_file(to, static_cast<std::uintmax_t>(each->old_size));
    }
  }

 private:
  struct Undo {
    sqlite3_int64 offset = 0, old_size = 0;
    std::size_t size = 0;
    std::string old;
    bool is_lost = false;  // no later fsync makes it safe, only another write
  };
  struct File {
    sqlite3_file base;
    FailingVfs* vfs;
    std::string* name;
    bool is_database;
    sqlite3_file* real() {
      return reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(this) + header_size());
    }
  };
  static constexpr std::size_t header_size() { return (sizeof(File) + 15) / 16 * 16; }
  static std::atomic<int>& counter() {
    static std::atomic<int> count{0};
    return count;
  }
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static FailingVfs& of(sqlite3_vfs* vfs) { return *static_cast<FailingVfs*>(vfs->pAppData); }

  static int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* out, int flags, int* out_flags) {
    FailingVfs& self = of(vfs);
    ++self.opens;
    File* const file = of(out);
    std::memset(out, 0, header_size());
    const int code = self.base_.xOpen(&self.base_, name, file->real(), flags, out_flags);
    if (!file->real()->pMethods) return code;
    file->base.pMethods = methods();
    file->vfs = &self;
    file->name = new std::string(name ? name : "");
    file->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    return code;
  }

  static int close(sqlite3_file* file) {
    delete of(file)->name;
    return of(file)->real()->pMethods->xClose(of(file)->real());
  }

  static int read(sqlite3_file* file, void* into, int size, sqlite3_int64 offset) {
    FailingVfs& self = *of(file)->vfs;
    if (self.fault == Fault::read_error) return SQLITE_IOERR_READ;
    const int code = of(file)->real()->pMethods->xRead(of(file)->real(), into, size, offset);
    if (of(file)->is_database && offset >= self.rotten_from && offset < self.rotten_until)
      std::memset(into, 0xff, static_cast<std::size_t>(size));
    return code;
  }

  static int write(sqlite3_file* file, const void* from, int size, sqlite3_int64 offset) {
    FailingVfs& self = *of(file)->vfs;
    ++self.writes;
    const Fault fault = self.fault;
    const bool has_begun = self.write_budget < 0 || self.write_budget-- <= 0;
    if (has_begun && fault == Fault::full) return SQLITE_FULL;
    if (has_begun && fault == Fault::write_error) return SQLITE_IOERR_WRITE;
    if (has_begun && fault == Fault::read_only) return SQLITE_READONLY;
    self.remember(*of(file), size, offset);
    sqlite3_file* const real = of(file)->real();
    if (has_begun && fault == Fault::short_writes) {
      real->pMethods->xWrite(real, from, size / 2, offset);
      return SQLITE_IOERR_WRITE;
    }
    return real->pMethods->xWrite(real, from, size, offset);
  }

  static int truncate(sqlite3_file* file, sqlite3_int64 size) {
    sqlite3_file* const real = of(file)->real();
    sqlite3_int64 old_size = 0;
    real->pMethods->xFileSize(real, &old_size);
    if (old_size > size) of(file)->vfs->remember(*of(file), static_cast<int>(old_size - size), size);
    return real->pMethods->xTruncate(real, size);
  }

  static int sync(sqlite3_file* file, int flags) {
    FailingVfs& self = *of(file)->vfs;
    ++self.syncs;
    std::this_thread::sleep_for(self.sync_delay.load());
    if (self.fault == Fault::sync_error) return SQLITE_IOERR_FSYNC;
    const std::lock_guard lock(self.mutex_);
    std::vector<Undo>& unsynced = self.unsynced_[*of(file)->name];
    if (of(file)->is_database && self.next_sync_loses.exchange(false)) {
      for (Undo& each : unsynced) each.is_lost = true;
      self.fault = self.fault_after_loss.load();
      return SQLITE_IOERR_FSYNC;
    }
    std::set<sqlite3_int64> written_again;
    for (const Undo& each : unsynced)
      if (!each.is_lost) written_again.insert(each.offset);
    std::erase_if(unsynced, [&](const Undo& each) { return written_again.contains(each.offset); });
    return of(file)->real()->pMethods->xSync(of(file)->real(), flags);
  }

  /// The bytes that are about to be overwritten or cut off.
  void remember(File& file, int size, sqlite3_int64 offset) {
    Undo undo;
    undo.offset = offset;
    undo.size = static_cast<std::size_t>(size);
    sqlite3_file* const real = file.real();
    real->pMethods->xFileSize(real, &undo.old_size);
    const auto kept = std::max<sqlite3_int64>(0, std::min<sqlite3_int64>(size, undo.old_size - offset));
    undo.old.resize(static_cast<std::size_t>(kept));
    if (kept > 0) real->pMethods->xRead(real, undo.old.data(), static_cast<int>(kept), offset);
    const std::lock_guard lock(mutex_);
    unsynced_[*file.name].push_back(std::move(undo));
  }

  template <auto Method>
  struct Forward;
  template <class... Arguments, int (*sqlite3_io_methods::*Method)(sqlite3_file*, Arguments...)>
  struct Forward<Method> {
    static int call(sqlite3_file* file, Arguments... arguments) {
      return (of(file)->real()->pMethods->*Method)(of(file)->real(), arguments...);
    }
  };

  static void barrier(sqlite3_file* file) { of(file)->real()->pMethods->xShmBarrier(of(file)->real()); }

  static const sqlite3_io_methods* methods() {
    using M = sqlite3_io_methods;
    static const sqlite3_io_methods table{2,  // without mapped pages
                                          &close,
                                          &read,
                                          &write,
                                          &truncate,
                                          &sync,
                                          &Forward<&M::xFileSize>::call,
                                          &Forward<&M::xLock>::call,
                                          &Forward<&M::xUnlock>::call,
                                          &Forward<&M::xCheckReservedLock>::call,
                                          &Forward<&M::xFileControl>::call,
                                          &Forward<&M::xSectorSize>::call,
                                          &Forward<&M::xDeviceCharacteristics>::call,
                                          &Forward<&M::xShmMap>::call,
                                          &Forward<&M::xShmLock>::call,
                                          &barrier,
                                          &Forward<&M::xShmUnmap>::call,
                                          nullptr,
                                          nullptr};
    return &table;
  }

  sqlite3_vfs& base_;
  const std::string name_;
  sqlite3_vfs vfs_{};
  std::mutex mutex_;
  std::map<std::string, std::vector<Undo>> unsynced_;
};

}  // namespace rockdove::test
