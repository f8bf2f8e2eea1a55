# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The check of a Qt of unknown version, with the installed Qt and one that lacks something: `cmake -DWORK_DIR=<folder>
# -DQT_SOURCE_DIR=<source of qtbase> -P` prints the number that passed.

cmake_minimum_required(VERSION 3.21)

set(count 0)

# expect(<succeeds> <regular expression> <option>...): configuring the plugin with these options says this.
function(expect succeeds text)
    file(REMOVE_RECURSE "${WORK_DIR}/build")
    execute_process(
        COMMAND "${CMAKE_COMMAND}" -G Ninja -S "${CMAKE_CURRENT_LIST_DIR}/../plugin" -B "${WORK_DIR}/build"
            "-DQT_SOURCE_DIR=${QT_SOURCE_DIR}" ${ARGN}
        RESULT_VARIABLE result
        OUTPUT_VARIABLE output
        ERROR_VARIABLE output)
    # CMake breaks the lines of its errors.
    string(REGEX REPLACE "[ \n]+" " " output "${output}")
    if(succeeds AND NOT result EQUAL 0 OR NOT succeeds AND result EQUAL 0 OR NOT output MATCHES "${text}")
        message(FATAL_ERROR "expected with ${ARGN}: ${text}\nresult ${result}: ${output}")
    endif()
    math(EXPR count "${count} + 1")
    set(count "${count}" PARENT_SCOPE)
endfunction()

set(compiled "qdtls-rs: compiling the adapter for Qt 6")
expect(TRUE "${compiled}.*Configuring done" -DQDTLS_RS_CHECK_QT=ON)
# A header of Qt's that is empty, by its include guard. Files fail in any order: the first error names what is missing.
set(without_base -DQDTLS_RS_ADAPTER_COMPILE_OPTIONS=-DQDTLS_BASE_P_H)
expect(FALSE "${compiled}.*lacks what the adapter needs: [^ ]+cpp[^ ]+ error: [^ ]*QDtlsBasePrivate"
    -DQDTLS_RS_CHECK_QT=ON ${without_base})
# Not checked, though it would fail.
expect(TRUE "Configuring done" ${without_base})

message(NOTICE "${count} passed")
