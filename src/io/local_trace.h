#pragma once
// Shows in the log what is done on this machine: files read and written, programs run. Knows no
// format.

#include "io/clock.h"
#include "io/files.h"
#include "io/log.h"
#include "io/process.h"

namespace stsctl::io {

/// Files over Files: at level debug one line a call, never the content.
class FilesTrace : public Files {
 public:
  FilesTrace(Files& next, Clock& clock, Log& log) : next_(next), clock_(clock), log_(log) {}
  Result<std::string> read(const std::string& path, std::size_t limit) override;
  Result<std::unique_ptr<Input>> open(const std::string& path) override;
  Result<std::string> read_stream(const std::string& path, std::size_t limit) override;
  Result<Done> replace(const std::string& path, std::string_view content, bool make_folders,
                       unsigned mode) override;
  Result<Done> remove(const std::string& path) override;
  Result<Done> remove_empty_folder(const std::string& folder) override;
  Result<std::vector<std::string>> list(const std::string& folder) override;
  Result<FileState> state(const std::string& path) override;
  Result<std::vector<std::string>> glob(const std::string& pattern) override;
  Result<std::unique_ptr<Lock>> lock(const std::string& folder) override;

 private:
  Files& next_;
  Clock& clock_;
  Log& log_;
};

/// Process over Process: at level debug the program, how it ended, and its stderr where it failed.
/// Its arguments and input, which may carry secrets, are not shown.
class ProcessTrace : public Process {
 public:
  ProcessTrace(Process& next, Clock& clock, Log& log) : next_(next), clock_(clock), log_(log) {}
  Result<Exit> run(const std::vector<std::string>& argv, const std::string& input,
                   Duration deadline) override;
  Result<std::unique_ptr<Dialogue>> start(const std::vector<std::string>& argv) override;

 private:
  Process& next_;
  Clock& clock_;
  Log& log_;
};

}  // namespace stsctl::io
