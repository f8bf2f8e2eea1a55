# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Keeps the plugin small without making connections slower. docs/packaging.md has the numbers.

include(CheckIPOSupported)

# Of Qt's files and the adapter's, those that handle the data of connections. They are compiled as the builder says, the
# others for size: reading certificates and keys and preparing connections is OpenSSL's work for the most part.
set(_qdtls_rs_fast_sources
    qdtls_openssl.cpp
    qtls_openssl.cpp
    qdtlsrs_base.cpp
    qdtlsrs_connection.cpp
    qdtlsrs_private_access.cpp
    qdtlsrs_timer.cpp
    qdtlsrs_transport.cpp
    qdtlsrs_verifier.cpp)

function(qdtls_rs_limit_size plugin)
    # The linker drops sections that nothing refers to.
    target_compile_options(${plugin} PRIVATE -ffunction-sections -fdata-sections)
    get_target_property(sources ${plugin} SOURCES)
    list(FILTER sources INCLUDE REGEX "\\.cpp$")
    foreach(source IN LISTS sources)
        get_filename_component(name "${source}" NAME)
        if(NOT name IN_LIST _qdtls_rs_fast_sources)
            set_property(SOURCE "${source}" TARGET_DIRECTORY ${plugin}
                APPEND PROPERTY COMPILE_OPTIONS "$<$<NOT:$<CONFIG:Debug>>:-Os>")
        endif()
    endforeach()
    if(NOT DEFINED CMAKE_INTERPROCEDURAL_OPTIMIZATION)
        check_ipo_supported(RESULT has_lto OUTPUT unused LANGUAGES CXX)
        set_target_properties(${plugin} PROPERTIES
            INTERPROCEDURAL_OPTIMIZATION ${has_lto}
            INTERPROCEDURAL_OPTIMIZATION_DEBUG OFF)
    endif()
endfunction()
