# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Turns the archive INPUT into OUTPUT, an archive of one object in which only the functions that HEADER declares are
# global, without std's reader of debug information. LINKER, OBJCOPY, NM and AR are the tools. isolate.cmake gives the
# reason.

cmake_minimum_required(VERSION 3.18)

include("${CMAKE_CURRENT_LIST_DIR}/declared.cmake")

function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
        string(REPLACE ";" " " command "${ARGV}")
        message(FATAL_ERROR "`${command}` failed: ${status}\n${errors}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

# A line of nm's POSIX format is `name kind value size`.
function(undefined_names result object)
    run("${NM}" --undefined-only --format=posix "${object}")
    string(REGEX REPLACE " [^\n]*\n" ";" names "${output}")
    list(REMOVE_ITEM names "")
    set(${result} "${names}" PARENT_SCOPE)
endfunction()

# Finds a function by a pattern for its name. Sets <result> to its section, and <result>_size; both are empty if there is
# none or more than one.
function(find_function result object pattern)
    run("${NM}" --defined-only --format=posix "${object}")
    string(REGEX MATCHALL "${pattern} [tT] [0-9a-f]+ [0-9a-f]+" found "${output}")
    set(section)
    set(size)
    if(found MATCHES "^([^ ]+) [tT] [0-9a-f]+ ([0-9a-f]+)$")
        set(section ".text.${CMAKE_MATCH_1}")
        set(size "0x${CMAKE_MATCH_2}")
    endif()
    set(${result} "${section}" PARENT_SCOPE)
    set(${result}_size "${size}" PARENT_SCOPE)
endfunction()

# Gives the code of src/backtrace.rs to std's function that prints a panic's backtrace, so that nothing refers to std's
# readers of debug information, which are a fifth of Qt's plugin and find nothing in a stripped one. The code is filled
# up to the length that the tables for unwinding name. With a Rust that names the functions otherwise, or a tool
# that cannot do it, all stays.
function(cut_backtraces object)
    set(legacy_end "(17h[0-9a-f]+E)?")
    find_function(printer "${object}" "(_RNvX|_ZN)[^ \n]*DisplayBacktrace[^ \n]*3fmt${legacy_end}")
    find_function(ours "${object}" "(_RNv|_ZN)[^ \n]*9backtrace17without_backtrace${legacy_end}")
    if(NOT printer OR NOT ours)
        return()
    endif()
    execute_process(
        COMMAND "${OBJCOPY}" --output-target=binary "--only-section=${ours}" "--pad-to=${printer_size}"
            "${object}" "${parts}/without_backtrace"
        RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
    # LLVM's tool of Debian 12 cannot fill up.
    if(NOT result EQUAL 0)
        return()
    endif()
    run("${OBJCOPY}" "--remove-section=.rela${printer}" "--remove-section=.rel${printer}"
        "--update-section=${printer}=${parts}/without_backtrace" "${object}")
endfunction()

function(write_lines file items)
    string(REPLACE ";" "\n" lines "${items}")
    file(WRITE "${file}" "${lines}\n")
endfunction()

qdtls_rs_declared_functions(exported "${HEADER}")
set(parts "${OUTPUT}.parts")
set(object "${parts}/qdtls_rs.o")
file(REMOVE_RECURSE "${parts}")
file(MAKE_DIRECTORY "${parts}")
write_lines("${parts}/exported" "${exported}")

# All that the archive has for the functions of the header, as one object. Groups are resolved: by their names the linker
# could take another library's copy of what is hidden here. Parts of the standard library carry LLVM bitcode, which is
# useless here and invalid once joined: nm would fail where it has LLVM's plugin.
list(TRANSFORM exported PREPEND "--undefined=" OUTPUT_VARIABLE roots)
run("${LINKER}" -r --force-group-allocation ${roots} -o "${parts}/joined.o" "${INPUT}")
run("${OBJCOPY}" --remove-section=.llvmbc --remove-section=.llvmcmd "${parts}/joined.o")
cut_backtraces("${parts}/joined.o")

# What those functions reach.
run("${LINKER}" -r --gc-sections ${roots} -o "${parts}/linked.o" "${parts}/joined.o")
run("${OBJCOPY}" "--keep-global-symbols=${parts}/exported" "${parts}/linked.o" "${parts}/hidden.o")

# The linker keeps undefined names that only dropped sections referred to. They would require more of the system's
# libraries than is used, and strongly even where Rust refers weakly. Stripping what no relocation names reveals them.
run("${OBJCOPY}" --strip-unneeded "${parts}/hidden.o" "${parts}/stripped.o")
undefined_names(needed "${parts}/stripped.o")
undefined_names(superfluous "${parts}/hidden.o")
list(REMOVE_ITEM superfluous ${needed})
write_lines("${parts}/superfluous" "${superfluous}")
run("${OBJCOPY}" "--strip-symbols=${parts}/superfluous" "${parts}/hidden.o" "${object}")

file(REMOVE "${OUTPUT}")
run("${AR}" rcsD "${OUTPUT}" "${object}")
file(REMOVE_RECURSE "${parts}")
