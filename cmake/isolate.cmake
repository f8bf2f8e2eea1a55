# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Hides the symbols of Rust in the archive:
#
#   qdtls_rs_isolate_command(<result> <input.a> <output.a>)
#
# A static library written in Rust contains Rust's run time, under global names. Two of them in one program therefore do
# not link or, worse, share the run time that comes first (rust#44322, rust#33221): beside one built with panic=abort
# this library could not catch a panic. So the archive becomes one object in which only the functions of the C header
# are global.
#
# <result> is set to the command that creates <output.a>. Where the tools are missing it is a plain copy, with a notice:
# the library works, but a program can link no other static library written in Rust.

set(_qdtls_rs_isolate_dir "${CMAKE_CURRENT_LIST_DIR}")

option(QDTLS_RS_ISOLATE "Hide Rust's symbols, so that a program can link another static library in Rust" ON)

function(qdtls_rs_isolate_command result input output)
    _qdtls_rs_isolation_obstacle(obstacle)
    if(obstacle)
        get_property(noticed GLOBAL PROPERTY _qdtls_rs_isolation_noticed)
        if(NOT noticed)
            message(NOTICE "qdtls-rs: Rust's symbols stay visible in the static library: ${obstacle}")
            set_property(GLOBAL PROPERTY _qdtls_rs_isolation_noticed ON)
        endif()
        set(${result} "${CMAKE_COMMAND}" -E copy "${input}" "${output}" PARENT_SCOPE)
        return()
    endif()
    set(${result}
        "${CMAKE_COMMAND}"
        "-DLINKER=${CMAKE_LINKER}" "-DOBJCOPY=${CMAKE_OBJCOPY}" "-DNM=${CMAKE_NM}" "-DAR=${CMAKE_AR}"
        "-DHEADER=${_qdtls_rs_isolate_dir}/../include/qdtls_rs.h" "-DINPUT=${input}" "-DOUTPUT=${output}"
        -P "${_qdtls_rs_isolate_dir}/isolate_archive.cmake"
        PARENT_SCOPE)
endfunction()

# The reason why it cannot be done, or nothing.
function(_qdtls_rs_isolation_obstacle result)
    set(obstacle)
    if(NOT QDTLS_RS_ISOLATE)
        set(obstacle "QDTLS_RS_ISOLATE is off")
    elseif(WIN32 OR APPLE)
        set(obstacle "hiding them is written for ELF only")
    elseif("${CMAKE_C_FLAGS} ${CMAKE_CXX_FLAGS}" MATCHES "-m(32|x32)( |$)")
        set(obstacle "the linker is called for the machine's own kind of object files")
    elseif(NOT CMAKE_LINKER OR NOT CMAKE_OBJCOPY OR NOT CMAKE_NM OR NOT CMAKE_AR)
        set(obstacle "it takes ld, objcopy, nm and ar, and CMake has not found them all")
    else()
        execute_process(COMMAND "${CMAKE_LINKER}" --help OUTPUT_VARIABLE help ERROR_QUIET)
        if(NOT help MATCHES "--force-group-allocation")
            set(obstacle "${CMAKE_LINKER} has no --force-group-allocation: set CMAKE_LINKER to binutils' ld, or lld 19")
        endif()
    endif()
    set(${result} "${obstacle}" PARENT_SCOPE)
endfunction()
