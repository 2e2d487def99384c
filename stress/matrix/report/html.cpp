// SPDX-License-Identifier: MIT
#include <absl/strings/str_replace.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "matrix_page.hpp"
#include "stress/matrix/report/report.hpp"
#include "testing/text.hpp"

namespace threadref::stress {

namespace {

constexpr std::string_view documents[] = {"matrix.json", "matrix.md", "matrix.html"};

std::string path_of(const std::string& folder, std::string_view document) {
  return (std::filesystem::path(folder) / document).string();
}

}  // namespace

std::string matrix_html(const std::string& json) {
  // The data must not contain "</script>".
  const std::string data = absl::StrReplaceAll(json, {{"<", "\\u003c"}});
  return absl::StrReplaceAll(matrix_page, {{"@DATA@", data}});
}

std::string why_no_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return testing::concat("--out=", folder, " can't be made: ", error.message());
  for (const std::string_view d : documents) {
    if (std::string why = why_not_writable(path_of(folder, d)); !why.empty()) return why;
  }
  return {};
}

std::string write_matrix(const std::string& folder, const program_info& program,
                         const matrix_result& r) {
  const std::string json = matrix_json(program, r);
  return write_whole({{path_of(folder, documents[0]), json},
                      {path_of(folder, documents[1]), matrix_markdown(r)},
                      {path_of(folder, documents[2]), matrix_html(json)}});
}

}  // namespace threadref::stress
