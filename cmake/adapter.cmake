# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Replaces the DTLS of Qt's OpenSSL plugin by that of qdtls-rs:
#
#   qdtls_rs_take_over(<plugin> <folder of qtlsbackend_openssl.cpp> <library from qdtls_rs_add_library()>)
#
# qdtls_rs_replace() does the same without linking the library.

cmake_policy(VERSION 3.21)

get_filename_component(_qdtls_rs_adapter_dir "${CMAKE_CURRENT_LIST_DIR}/../src/qt" ABSOLUTE)

function(qdtls_rs_take_over plugin plugin_source_dir library)
    qdtls_rs_replace("${plugin}" "${plugin_source_dir}" "${library}")
    _qdtls_rs_link("${plugin}" "${library}")
endfunction()

function(qdtls_rs_replace plugin plugin_source_dir library)
    _qdtls_rs_remove_stock("${plugin}")

    list(TRANSFORM _qdtls_rs_adapter_sources PREPEND "${_qdtls_rs_adapter_dir}/" OUTPUT_VARIABLE adapter)
    target_sources(${plugin} PRIVATE ${adapter})
    target_include_directories(${plugin} PRIVATE "$<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>")

    # qtlsbackend_openssl.cpp creates the DTLS objects. It includes Qt's header, which the definition of its include
    # guard in the whole plugin empties: it compiles only if the adapter's header is included first. The option and the
    # file are two list items, because CMake does not expand "SHELL:" in the options of a source file.
    set(backend "${plugin_source_dir}/qtlsbackend_openssl.cpp")
    set(include_first -include)
    if(MSVC)
        set(include_first /FI)
    endif()
    target_compile_definitions(${plugin} PRIVATE QDTLS_OPENSSL_P_H)
    # Qt compiles its plugins without exceptions. Its containers then write to memory that they did not get, where they
    # are inline, and throw where they are not (A4). The whole plugin, for the linker keeps one copy of inline code.
    set(with_exceptions -fexceptions)
    if(MSVC)
        set(with_exceptions /EHsc)
    endif()
    target_compile_options(${plugin} PRIVATE ${with_exceptions} -UQT_NO_EXCEPTIONS)
    set_property(SOURCE "${backend}" TARGET_DIRECTORY ${plugin}
        APPEND PROPERTY COMPILE_OPTIONS "${include_first}" "${_qdtls_rs_adapter_dir}/qdtls_openssl_p.h")

    # Each of these files depends on what it includes first, so none may be part of a unity build.
    set_property(SOURCE "${backend}" ${adapter} TARGET_DIRECTORY ${plugin}
        PROPERTY SKIP_UNITY_BUILD_INCLUSION ON)
    set_property(SOURCE "${backend}" ${adapter} TARGET_DIRECTORY ${plugin}
        PROPERTY SKIP_PRECOMPILE_HEADERS ON)
    set_property(SOURCE ${adapter} TARGET_DIRECTORY ${plugin}
        APPEND PROPERTY COMPILE_OPTIONS ${QDTLS_RS_ADAPTER_COMPILE_OPTIONS})
endfunction()

set(_qdtls_rs_adapter_sources
    qdtls_openssl_p.h
    qdtlsrs_base.cpp
    qdtlsrs_base_p.h
    qdtlsrs_callbacks.cpp
    qdtlsrs_connection.cpp
    qdtlsrs_connection_p.h
    qdtlsrs_connection_peer.cpp
    qdtlsrs_connection_setup.cpp
    qdtlsrs_context.cpp
    qdtlsrs_context_cache.cpp
    qdtlsrs_context_cache_p.h
    qdtlsrs_context_p.h
    qdtlsrs_context_sweeper.cpp
    qdtlsrs_context_sweeper_p.h
    qdtlsrs_memory_p.h
    qdtlsrs_interface.cpp
    qdtlsrs_peer_name.cpp
    qdtlsrs_peer_name_p.h
    qdtlsrs_private_access.cpp
    qdtlsrs_private_access_p.h
    qdtlsrs_recent_p.h
    qdtlsrs_timer.cpp
    qdtlsrs_timer_p.h
    qdtlsrs_transport.cpp
    qdtlsrs_transport_p.h
    qdtlsrs_verifier.cpp
    qdtlsrs_verifier_p.h)

# Removes Qt's own DTLS from the plugin; an error if it has none.
function(_qdtls_rs_remove_stock plugin)
    get_target_property(sources ${plugin} SOURCES)
    foreach(name IN ITEMS qdtls_openssl.cpp qdtls_openssl_p.h)
        set(stock "${sources}")
        list(FILTER stock INCLUDE REGEX "(^|/)${name}$")
        list(LENGTH stock count)
        if(NOT count EQUAL 1)
            message(FATAL_ERROR "qdtls-rs: ${name} is ${count} times in ${plugin}, not once: is its dtls feature off?")
        endif()
        list(REMOVE_ITEM sources ${stock})
    endforeach()
    set_property(TARGET ${plugin} PROPERTY SOURCES ${sources})
endfunction()

function(_qdtls_rs_link plugin library)
    target_link_libraries(${plugin} PRIVATE ${library})
    if(MSVC OR APPLE)
        return()
    endif()
    # Hide the symbols of the Rust library, which could clash with those of another Rust library.
    get_target_property(location ${library} IMPORTED_LOCATION)
    get_filename_component(name "${location}" NAME)
    target_link_options(${plugin} PRIVATE "LINKER:--exclude-libs,${name}")
endfunction()
