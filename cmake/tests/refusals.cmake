# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Which Qt builds the hook refuses: `cmake -DWORK_DIR=<folder> -P` prints the number of refusals that are right.

cmake_minimum_required(VERSION 3.21)

find_program(NINJA ninja REQUIRED)
set(count 0)
set(cmake_dir "${CMAKE_CURRENT_LIST_DIR}/..")
set(build_dir "${WORK_DIR}/build")

# refuse(<error> <option>...): configures the stand-in for qtbase with the hook and these options, which must fail with
# this error.
function(refuse error)
    file(REMOVE_RECURSE "${build_dir}")
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -E env ${environment} "${CMAKE_COMMAND}" -G Ninja -S "${cmake_dir}/tests/qtbase"
            -B "${build_dir}" "-DCMAKE_PROJECT_QtBase_INCLUDE=${cmake_dir}/qt-build.cmake" ${ARGN}
        RESULT_VARIABLE result
        OUTPUT_QUIET
        ERROR_VARIABLE errors)
    # CMake breaks the lines of its errors.
    string(REGEX REPLACE "[ \n]+" " " errors "${errors}")
    string(FIND "${errors}" "${error}" position)
    if(result EQUAL 0 OR position EQUAL -1)
        message(FATAL_ERROR "expected with ${ARGN}: ${error}\nresult ${result}: ${errors}")
    endif()
    math(EXPR count "${count} + 1")
    set(count ${count} PARENT_SCOPE)
endfunction()

refuse("qdtls-rs: not known to work with Qt 6.5.3, but with 6.4.2," -DVERSION=6.5.3)
refuse("qdtls-rs: Qt 6.5.3 is untested;" -DVERSION=6.5.3 -DQDTLS_RS_ALLOW_UNTESTED_QT=ON)
refuse("qdtls-rs: tested with Qt 6.4.2; this is 6.4.3" -DVERSION=6.4.3)
refuse("qdtls-rs: this Qt is configured without its openssl feature" -DVERSION=6.4.2 -DFEATURES=dtls)
refuse("qdtls-rs: this Qt is configured without its dtls feature" -DVERSION=6.4.2 -DFEATURES=openssl)

# A program that prints what Debian 12's rustc prints as its version.
file(WRITE "${WORK_DIR}/rustc" "#!/bin/sh\nprintf 'rustc 1.63.0\\nrelease: 1.63.0\\nhost: x86_64-unknown-linux-gnu\\n'\n")
file(CHMOD "${WORK_DIR}/rustc" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
refuse("is 1.63.0, but 1.85 or later is needed" -DVERSION=6.4.2 "-DQDTLS_RS_RUSTC=${WORK_DIR}/rustc")

# CMake finds no program but ninja.
set(environment PATH=/nonexistent HOME=/nonexistent --unset=CARGO_HOME)
refuse("qdtls-rs: no cargo found" -DVERSION=6.4.2 "-DCMAKE_MAKE_PROGRAM=${NINJA}"
    -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF)

message(NOTICE "${count} passed")
