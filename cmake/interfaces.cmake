# SPDX-License-Identifier: MIT OR Apache-2.0
#
# qdtls_rs_check_interfaces(<folder of Qt's plugin> <include folder>...): stops unless the adapter compiles with the Qt
# that was found, and names what is missing.

include("${CMAKE_CURRENT_LIST_DIR}/adapter.cmake")

function(qdtls_rs_check_interfaces plugin_source_dir)
    set(adapter ${_qdtls_rs_adapter_sources})
    list(FILTER adapter INCLUDE REGEX "\\.cpp$")
    list(TRANSFORM adapter PREPEND "${_qdtls_rs_adapter_dir}/")
    set(include_dirs "${plugin_source_dir}/openssl" "${plugin_source_dir}/shared" ${ARGN})
    message(STATUS "qdtls-rs: compiling the adapter for Qt ${Qt6_VERSION}")
    # A library needs nothing that the adapter calls.
    set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
    try_compile(compiles "${CMAKE_BINARY_DIR}/qdtls_rs_interfaces" SOURCES ${adapter}
        CMAKE_FLAGS "-DINCLUDE_DIRECTORIES=${include_dirs}"
        COMPILE_DEFINITIONS -DQDTLS_OPENSSL_P_H ${QDTLS_RS_ADAPTER_COMPILE_OPTIONS}
        LINK_LIBRARIES Qt6::CorePrivate Qt6::NetworkPrivate
        OUTPUT_VARIABLE output
        CXX_STANDARD 17
        CXX_STANDARD_REQUIRED ON)
    set(is_complete "${compiles}")
    unset(compiles CACHE)
    if(is_complete)
        return()
    endif()
    string(REPLACE ";" "," output "${output}")
    # An error of a header comes once for each file that includes it. The line of code behind it has the name that is
    # missing where the error's own text has none; brackets would join entries of a list.
    string(REPLACE "[" "(" output "${output}")
    string(REPLACE "]" ")" output "${output}")
    string(REGEX MATCHALL "[^\n]*error[: ][^\n]*(\n *[0-9]* \\|[^\n]*)?" errors "${output}")
    list(REMOVE_DUPLICATES errors)
    list(SUBLIST errors 0 10 errors)
    list(JOIN errors "\n" errors)
    message(FATAL_ERROR "qdtls-rs: Qt ${Qt6_VERSION} lacks what the adapter needs:\n${errors}")
endfunction()
