# Warnings and sanitizers, for every target of ours.
add_library(stsctl_options INTERFACE)
target_compile_options(stsctl_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Wold-style-cast -Wcast-align -Woverloaded-virtual
  # Designated initializers that leave members to their defaults are an idiom here.
  -Wno-missing-field-initializers
  # GoogleTest's EXPECT_ macros are an if of their own.
  -Wno-dangling-else
  # False alarms of g++ 12 on std::string (GCC bug 105651).
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>
  # libstdc++ 12's own std::get_temporary_buffer, below std::stable_sort.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  # Known to clang alone.
  $<$<CXX_COMPILER_ID:Clang>:-Wreserved-identifier>)
if(STSCTL_WERROR)
  target_compile_options(stsctl_options INTERFACE -Werror)
endif()
if(STSCTL_SANITIZE)
  target_compile_options(stsctl_options INTERFACE
    -fsanitize=${STSCTL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(stsctl_options INTERFACE -fsanitize=${STSCTL_SANITIZE})
endif()
if(STSCTL_FUZZ)
  target_compile_options(stsctl_options INTERFACE
    -fsanitize=fuzzer-no-link,address,undefined -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(stsctl_options INTERFACE -fsanitize=fuzzer-no-link,address,undefined)
endif()

# stsctl_library(NAME DEPENDS…): one library of every .cpp in the current folder, named
# stsctl_NAME. A folder is a namespace is a library.
function(stsctl_library name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    add_library(stsctl_${name} INTERFACE)
    target_link_libraries(stsctl_${name} INTERFACE ${ARGN})
    return()
  endif()
  add_library(stsctl_${name} STATIC ${sources})
  target_include_directories(stsctl_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR})
  target_link_libraries(stsctl_${name} PUBLIC ${ARGN} PRIVATE stsctl_options)
endfunction()

# stsctl_test(NAME LIBRARIES…): one GoogleTest program of every *_test.cpp in the current folder.
function(stsctl_test name)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${name}_test ${sources})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${name}_test PRIVATE STSCTL_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name}_test PRIVATE ${ARGN} GTest::gmock GTest::gtest_main stsctl_options)
  gtest_discover_tests(${name}_test TEST_PREFIX ${name}/ DISCOVERY_TIMEOUT 60)
endfunction()
