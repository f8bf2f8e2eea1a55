# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Turns the archive INPUT into OUTPUT, an archive of one object in which only the functions that HEADER declares are
# global. LINKER, OBJCOPY, NM and AR are the tools. isolate.cmake gives the reason.

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

# Everything reachable from the functions of the header, as one object. Groups are resolved: by their names the linker
# could take another library's copy of what is hidden here.
list(TRANSFORM exported PREPEND "--undefined=" OUTPUT_VARIABLE roots)
run("${LINKER}" -r --gc-sections --force-group-allocation ${roots} -o "${parts}/linked.o" "${INPUT}")

# Parts of the standard library carry LLVM bitcode, which is useless here and invalid once joined.
run("${OBJCOPY}" "--keep-global-symbols=${parts}/exported" --remove-section=.llvmbc --remove-section=.llvmcmd
    "${parts}/linked.o" "${parts}/hidden.o")

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
