# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Which Qt builds the hook refuses, and a copied recipe of the Debian package: `cmake -DWORK_DIR=<folder> -P` prints the
# number of refusals that are right.

cmake_minimum_required(VERSION 3.21)

find_program(NINJA ninja REQUIRED)
set(cmake_dir "${CMAKE_CURRENT_LIST_DIR}/..")
set(build_dir "${WORK_DIR}/build")

# refuse(<error> <option>...): configures the stand-in for qtbase with the hook and these options, which must fail with
# this error.
function(refuse error)
    file(REMOVE_RECURSE "${build_dir}")
    fails("${error}" "${CMAKE_COMMAND}" -E env ${environment} "${CMAKE_COMMAND}" -G Ninja
        -S "${cmake_dir}/tests/qtbase" -B "${build_dir}"
        "-DCMAKE_PROJECT_QtBase_INCLUDE=${cmake_dir}/qt-build.cmake" ${ARGN})
endfunction()

# fails(<error> <command>...): the command must fail with this error, and without what `unsaid` matches if that is set.
function(fails error)
    execute_process(
        COMMAND ${ARGN}
        WORKING_DIRECTORY "${WORK_DIR}"
        RESULT_VARIABLE result
        OUTPUT_QUIET
        ERROR_VARIABLE errors)
    # CMake breaks the lines of its errors.
    string(REGEX REPLACE "[ \n]+" " " errors "${errors}")
    string(FIND "${errors}" "${error}" position)
    if(result EQUAL 0 OR position EQUAL -1)
        message(FATAL_ERROR "expected with ${ARGN}: ${error}\nresult ${result}: ${errors}")
    endif()
    if(unsaid AND errors MATCHES "${unsaid}")
        message(FATAL_ERROR "not expected with ${ARGN}: ${errors}")
    endif()
    set_property(GLOBAL APPEND PROPERTY passed 1)
endfunction()

# What is said about versions of Qt. None of these is refused for its version; all lack the features.
set(said_of_known "qdtls-rs: tested with Qt ")
set(said_of_likely "is likely to work: ")
set(said_of_unknown "is untested: ")
set(unsaid "${said_of_known}|${said_of_likely}|${said_of_unknown}")
foreach(version 6.4.2 6.8.2 6.11.2)
    refuse("without its openssl feature" -DVERSION=${version})
endforeach()
set(unsaid "${said_of_likely}|${said_of_unknown}")
refuse("${said_of_known}6.4.2; this is 6.4.3" -DVERSION=6.4.3)
refuse("${said_of_known}6.11.2; this is 6.11.0" -DVERSION=6.11.0)
set(unsaid "${said_of_known}|${said_of_unknown}")
foreach(version 6.5.3 6.6.1 6.7.0 6.9.3 6.10.9)
    refuse("qdtls-rs: Qt ${version} ${said_of_likely}" -DVERSION=${version})
endforeach()
set(unsaid "${said_of_known}|${said_of_likely}")
foreach(version 6.1.2 6.3.2 6.12.0 6.40.2 7.4.2)
    refuse("qdtls-rs: Qt ${version} ${said_of_unknown}" -DVERSION=${version})
endforeach()
unset(unsaid)
refuse("qdtls-rs: this Qt is configured without its openssl feature" -DVERSION=6.4.2 -DFEATURES=dtls)
refuse("qdtls-rs: this Qt is configured without its dtls feature" -DVERSION=6.4.2 -DFEATURES=openssl)

# E8: a program that prints what an old cargo or rustc prints as its version; Debian 12 has 1.63.
foreach(version 1.63.0 1.84.1)
    file(WRITE "${WORK_DIR}/old" "#!/bin/sh\nprintf 'release: ${version}\\nhost: x86_64-unknown-linux-gnu\\n'\n")
    file(CHMOD "${WORK_DIR}/old" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    foreach(program CARGO RUSTC)
        refuse("is ${version}, but 1.85 or later is needed: set QDTLS_RS_CARGO and QDTLS_RS_RUSTC to a later one"
            -DVERSION=6.4.2 "-DQDTLS_RS_${program}=${WORK_DIR}/old")
    endforeach()
endforeach()
refuse("qdtls-rs: QDTLS_RS_RUST_PROFILE=debug builds no library: set it to release or dev"
    -DVERSION=6.4.2 -DQDTLS_RS_RUST_PROFILE=debug)

# E8: packaging/debian alone is no source package.
fails("make the package with `cargo xtask deb-source`" make -f "${cmake_dir}/../packaging/debian/rules" clean)

# CMake finds no program but ninja.
set(environment PATH=/nonexistent HOME=/nonexistent --unset=CARGO_HOME)
refuse("qdtls-rs: no cargo found" -DVERSION=6.4.2 "-DCMAKE_MAKE_PROGRAM=${NINJA}"
    -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF)

get_property(passed GLOBAL PROPERTY passed)
list(LENGTH passed count)
message(NOTICE "${count} passed")
