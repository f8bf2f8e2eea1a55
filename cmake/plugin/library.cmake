# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The target qdtls_rs, the Rust library: QDTLS_RS_LIBRARY, or one built by cargo.

if(NOT QDTLS_RS_LIBRARY)
    include(../cargo.cmake)
    if(OPENSSL_LINKED)
        qdtls_rs_add_library(qdtls_rs LINKED)
    else()
        qdtls_rs_add_library(qdtls_rs RUNTIME)
    endif()
    return()
endif()

find_package(Threads REQUIRED)
get_filename_component(include_dir "${CMAKE_CURRENT_LIST_DIR}/../../include" ABSOLUTE)
add_library(qdtls_rs STATIC IMPORTED)
set_target_properties(qdtls_rs PROPERTIES
    IMPORTED_LOCATION "${QDTLS_RS_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${include_dir}")
if(OPENSSL_LINKED)
    target_link_libraries(qdtls_rs INTERFACE OpenSSL::SSL OpenSSL::Crypto)
endif()
target_link_libraries(qdtls_rs INTERFACE Threads::Threads ${CMAKE_DL_LIBS} m)
