# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Puts our DTLS into the target qopensslbackend, which has been made without Qt's.

get_filename_component(repository "${CMAKE_CURRENT_LIST_DIR}/../.." ABSOLUTE)
file(GLOB adapter CONFIGURE_DEPENDS "${repository}/src/qt/*.cpp")
set(adapter_header "${repository}/src/qt/qdtls_openssl_p.h")

target_sources(qopensslbackend PRIVATE ${adapter} "${adapter_header}")
target_include_directories(qopensslbackend PRIVATE "${repository}/include")
set_property(SOURCE ${adapter} APPEND PROPERTY COMPILE_OPTIONS ${ADAPTER_COMPILE_OPTIONS})

# This file of Qt's makes the DTLS objects. Our header comes first and has the include guard of Qt's header, which
# is thereby left out. The two options stay two list items: "SHELL:" is not expanded for a source file.
set_property(SOURCE "${tls_source_dir}/openssl/qtlsbackend_openssl.cpp"
    APPEND PROPERTY COMPILE_OPTIONS -include "${adapter_header}")

add_library(qdtls_rs STATIC IMPORTED)
set_target_properties(qdtls_rs PROPERTIES IMPORTED_LOCATION "${QDTLS_RS_LIBRARY}")
find_package(Threads REQUIRED)
target_link_libraries(qopensslbackend PRIVATE qdtls_rs Threads::Threads ${CMAKE_DL_LIBS})

# No symbol of the Rust library becomes one of the plugin, where it could clash with another Rust library's. Rust's
# unwinder is linked in, so that the plugin needs no shared library that Qt's own does not need.
get_filename_component(library_name "${QDTLS_RS_LIBRARY}" NAME)
target_link_options(qopensslbackend PRIVATE "-Wl,--exclude-libs,${library_name}" -static-libgcc)
