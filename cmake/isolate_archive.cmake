# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Makes OUTPUT, an archive of one object, of the archive INPUT; only the functions that HEADER declares are global in
# it. LINKER, OBJCOPY, NM and AR are the tools. isolate.cmake says what for.

cmake_minimum_required(VERSION 3.18)

function(run)
    execute_process(COMMAND ${ARGV} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    if(NOT status EQUAL 0)
        string(REPLACE ";" " " command "${ARGV}")
        message(FATAL_ERROR "`${command}` failed: ${status}\n${errors}")
    endif()
    set(output "${output}" PARENT_SCOPE)
endfunction()

# nm's lines of POSIX's format are `name kind value size`.
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

# Declarations, and nothing else in the header, begin at the first column and have a parenthesis.
file(STRINGS "${HEADER}" declarations REGEX "^[a-z].*\\(")
list(TRANSFORM declarations REPLACE "^([^(]*[ *])?([A-Za-z0-9_]+)\\(.*" "\\2" OUTPUT_VARIABLE exported)
if(NOT exported)
    message(FATAL_ERROR "${HEADER} declares no function")
endif()

set(parts "${OUTPUT}.parts")
set(object "${parts}/qdtls_rs.o")
file(REMOVE_RECURSE "${parts}")
file(MAKE_DIRECTORY "${parts}")
write_lines("${parts}/exported" "${exported}")

# What the functions of the header reach, as one object. Groups are resolved: their names would let the linker take
# another library's copy of what is hidden here.
list(TRANSFORM exported PREPEND "--undefined=" OUTPUT_VARIABLE roots)
run("${LINKER}" -r --gc-sections --force-group-allocation ${roots} -o "${parts}/linked.o" "${INPUT}")

# LLVM's bitcode of the standard library, which parts of it carry, is of no use here, and is broken by being joined.
run("${OBJCOPY}" "--keep-global-symbols=${parts}/exported" --remove-section=.llvmbc --remove-section=.llvmcmd
    "${parts}/linked.o" "${parts}/hidden.o")

# The linker leaves the names that only dropped sections asked for. They would ask for more of the system's libraries
# than is used, and strongly even where Rust asks weakly. Stripped of what no relocation names, an object tells them.
run("${OBJCOPY}" --strip-unneeded "${parts}/hidden.o" "${parts}/stripped.o")
undefined_names(needed "${parts}/stripped.o")
undefined_names(superfluous "${parts}/hidden.o")
list(REMOVE_ITEM superfluous ${needed})
write_lines("${parts}/superfluous" "${superfluous}")
run("${OBJCOPY}" "--strip-symbols=${parts}/superfluous" "${parts}/hidden.o" "${object}")

file(REMOVE "${OUTPUT}")
run("${AR}" rcsD "${OUTPUT}" "${object}")
file(REMOVE_RECURSE "${parts}")
