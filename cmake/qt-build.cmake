# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds qtbase with the DTLS of qdtls-rs in its OpenSSL plugin. Qt's source is not changed; this file is a variable on
# its configure line:
#
#   cmake -S qtbase -B build -DCMAKE_PROJECT_QtBase_INCLUDE=<absolute path of this file> ...
#   configure ... -- -DCMAKE_PROJECT_QtBase_INCLUDE=<absolute path of this file>
#
# CMake reads it at the end of project(QtBase), before the plugin exists. Errors that can be detected then stop at once;
# the rest is deferred to the end of qtbase's CMakeLists.txt.

cmake_policy(VERSION 3.21)

include("${CMAKE_CURRENT_LIST_DIR}/adapter.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/cargo.cmake")
include("${CMAKE_CURRENT_LIST_DIR}/versions.cmake")

# Of an unknown version the build says what is missing: Qt's headers are not all there yet.
qdtls_rs_check_qt_version("${PROJECT_VERSION}" is_unknown)
qdtls_rs_find_cargo()

function(_qdtls_rs_change_qt)
    set(plugin QTlsBackendOpenSSLPlugin)
    foreach(feature IN ITEMS openssl dtls)
        if(NOT TARGET Qt::Network OR NOT QT_FEATURE_${feature})
            message(FATAL_ERROR
                "qdtls-rs: this Qt is configured without its ${feature} feature, so its TLS plugin has no DTLS to "
                "replace: see config.summary, or leave CMAKE_PROJECT_QtBase_INCLUDE out")
        endif()
    endforeach()

    if(QT_FEATURE_openssl_linked)
        qdtls_rs_add_library(qdtls_rs LINKED)
    else()
        qdtls_rs_add_library(qdtls_rs RUNTIME)
    endif()
    get_target_property(plugin_source_dir ${plugin} SOURCE_DIR)
    get_target_property(plugin_type ${plugin} TYPE)
    if(plugin_type STREQUAL "STATIC_LIBRARY")
        qdtls_rs_replace(${plugin} "${plugin_source_dir}" qdtls_rs)
        _qdtls_rs_bring_along(${plugin})
    else()
        qdtls_rs_take_over(${plugin} "${plugin_source_dir}" qdtls_rs)
    endif()
    message(NOTICE "qdtls-rs: the DTLS of Qt ${PROJECT_VERSION}'s OpenSSL plugin is that of qdtls-rs")
endfunction()

# Applications link a static plugin from the installed Qt. So the library, an archive of one object, becomes part of the
# plugin's archive; where it is not one object (isolate.cmake), it is installed beside it.
function(_qdtls_rs_bring_along plugin)
    add_dependencies(${plugin} qdtls_rs_cargo)
    get_target_property(library qdtls_rs IMPORTED_LOCATION)
    get_target_property(native_libraries qdtls_rs QDTLS_RS_NATIVE_LIBRARIES)
    get_filename_component(folder "${library}" DIRECTORY)
    get_filename_component(name "${library}" NAME)

    _qdtls_rs_isolation_obstacle(obstacle)
    if(obstacle)
        message(NOTICE "qdtls-rs: ${name} is installed beside the static plugin: ${obstacle}")
        qt_install(FILES "${library}" DESTINATION "${INSTALL_PLUGINSDIR}/tls")
        target_link_libraries(${plugin} PRIVATE
            "$<BUILD_INTERFACE:${library}>"
            "$<INSTALL_INTERFACE:$<INSTALL_PREFIX>/${INSTALL_PLUGINSDIR}/tls/${name}>")
    else()
        set(object "${folder}/qdtls_rs.o")
        add_custom_command(
            OUTPUT "${object}"
            COMMAND "${CMAKE_AR}" x "${library}" qdtls_rs.o
            DEPENDS "${library}"
            WORKING_DIRECTORY "${folder}"
            COMMENT "Taking the Rust library out of its archive"
            VERBATIM)
        add_custom_target(qdtls_rs_object DEPENDS "${object}")
        add_dependencies(qdtls_rs_object qdtls_rs_cargo)
        add_dependencies(${plugin} qdtls_rs_object)
        target_sources(${plugin} PRIVATE "${object}")
        set_source_files_properties("${object}" TARGET_DIRECTORY ${plugin}
            PROPERTIES EXTERNAL_OBJECT ON GENERATED ON)
    endif()
    target_link_libraries(${plugin} PRIVATE ${native_libraries})
endfunction()

cmake_language(DEFER CALL _qdtls_rs_change_qt)
