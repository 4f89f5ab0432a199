#include "io/form.h"

#include <gtest/gtest.h>

namespace stsctl::io {
namespace {

const std::vector<FormPart> two_parts{
    {.name = "metadata", .type = "application/json", .content = R"({"main_module":"worker.js"})"},
    {.name = "worker.js",
     .filename = "worker.js",
     .type = "application/javascript+module",
     .content = std::string("a\r\n--b\r\n\0\xff", 11)}};

TEST(Form, IsWrittenAsRfc7578Says) {
  const Form form = write_form({{.name = "a", .filename = "a.txt", .type = "text/plain"}});
  ASSERT_TRUE(form.type.starts_with("multipart/form-data; boundary=stsctl-"));
  const std::string boundary = form.type.substr(form.type.find('=') + 1);
  EXPECT_LE(boundary.size(), 71U);  // RFC 2046 §5.1.1 ends at 70, without the hyphens in front
  EXPECT_EQ(form.body, "--" + boundary +
                           "\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.txt\"\r\n"
                           "Content-Type: text/plain\r\n\r\n\r\n--" +
                           boundary + "--\r\n");
}

TEST(Form, ComesBackAsItWasWritten) {
  const Form form = write_form(two_parts);
  EXPECT_EQ(read_form(form.type, form.body), two_parts);
  EXPECT_EQ(write_form(two_parts).body, form.body);
}

TEST(Form, NoBoundaryIsInTheContent) {
  std::vector<FormPart> parts = two_parts;
  const std::string type = write_form(parts).type;
  parts[1].content += "\r\n--" + type.substr(type.find('=') + 1) + "--\r\n";
  const Form form = write_form(parts);
  EXPECT_EQ(read_form(form.type, form.body), parts);
}

TEST(Form, IsReadAsOthersWriteIt) {
  const auto parts = read_form("Multipart/Form-Data; charset=x; boundary=\"a;b\"",
                               "preamble\r\n--a;b \t\r\n"
                               "content-type: text/plain\r\nX: y\r\n"
                               "CONTENT-DISPOSITION: form-data; filename=w.js; name=\"w\"\r\n\r\n"
                               "1\n\r\n--a;b\r\nContent-Disposition: form-data; name=v\r\n\r\n"
                               "\r\n--a;b--\r\nepilogue");
  ASSERT_TRUE(parts) << to_string(parts.error());
  EXPECT_EQ(*parts, (std::vector<FormPart>{
                        {.name = "w", .filename = "w.js", .type = "text/plain", .content = "1\n"},
                        {.name = "v"}}));
}

TEST(Form, WhatIsNoneIsRefused) {
  const std::string type = "multipart/form-data; boundary=b";
  const std::string head = "Content-Disposition: form-data; name=\"a\"\r\n\r\n";
  ASSERT_TRUE(read_form(type, "--b\r\n" + head + "x\r\n--b--"));
  struct Case {
    std::string type, body;
  };
  for (const Case& bad :
       std::vector<Case>{{"text/plain; boundary=b", "--b\r\n" + head + "x\r\n--b--"},
                         {"multipart/form-data", "--b\r\n" + head + "x\r\n--b--"},
                         {"multipart/form-data; boundary=\"b", "--b\r\n" + head + "x\r\n--b--"},
                         {type, ""},
                         {type, "--c\r\n" + head + "x\r\n--c--"},
                         {type, "--b\r\n" + head + "x"},
                         {type, "--b\r\n" + head + "x\r\n--b"},
                         {type, "--b\r\n" + head + "x\r\n--b-"},
                         {type, "--bb\r\n" + head + "x\r\n--b--"},
                         {type, "--b\r\nno head\r\n--b--"},
                         {type, "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--"},
                         {type, "--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--"}}) {
    const auto parts = read_form(bad.type, bad.body);
    ASSERT_FALSE(parts) << bad.type << '\n' << bad.body;
    EXPECT_EQ(parts.error().code, Code::protocol);
  }
}

}  // namespace
}  // namespace stsctl::io
