# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The static library, linked to OpenSSL, as the component `dev`; beside it the shared one.

find_package(OpenSSL 1.1.1 REQUIRED)
include(cargo.cmake)
include(CMakeDependentOption)
include(CMakePackageConfigHelpers)

cmake_dependent_option(QDTLS_RS_SHARED_LIBRARY "Build and install also a shared library" ON
    "UNIX;NOT APPLE;NOT ANDROID" OFF)
option(QDTLS_RS_REFERENCE "Build and install a reference from the header, by Doxygen" OFF)
# An OpenSSL inside the library would be a second one in the process.
if(QDTLS_RS_SHARED_LIBRARY AND "${OPENSSL_SSL_LIBRARY};${OPENSSL_CRYPTO_LIBRARY}" MATCHES "\\.a(;|$)")
    message(NOTICE "qdtls-rs: OpenSSL is static, so no shared library is built")
    set(QDTLS_RS_SHARED_LIBRARY OFF)
endif()

qdtls_rs_add_library(qdtls_rs_package LINKED)
add_custom_target(qdtls_rs_library ALL DEPENDS qdtls_rs_package_cargo)
get_target_property(library qdtls_rs_package IMPORTED_LOCATION)
get_target_property(native_libraries qdtls_rs_package QDTLS_RS_NATIVE_LIBRARIES)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/QDtlsRs")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

get_filename_component(library_name "${library}" NAME)
set(library_file "${CMAKE_INSTALL_LIBDIR}/${library_name}")
set(shared_library_file "${CMAKE_INSTALL_LIBDIR}/libqdtls_rs.so")
configure_package_config_file(package/QDtlsRsConfig.cmake.in QDtlsRsConfig.cmake
    INSTALL_DESTINATION "${config_dir}"
    PATH_VARS library_file shared_library_file CMAKE_INSTALL_INCLUDEDIR
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may be incompatible.
write_basic_package_version_file(QDtlsRsConfigVersion.cmake COMPATIBILITY SameMinorVersion)

foreach(folder IN ITEMS LIBDIR INCLUDEDIR)
    set(pc_${folder} "${CMAKE_INSTALL_${folder}}")
    if(NOT IS_ABSOLUTE "${pc_${folder}}")
        set(pc_${folder} "\${prefix}/${pc_${folder}}")
    endif()
endforeach()
list(JOIN native_libraries " " pc_native_libraries)
# Linkers prefer a shared library beside a static one, unless the file is named.
set(pc_library "qdtls_rs")
if(QDTLS_RS_SHARED_LIBRARY)
    set(pc_library ":${library_name}")
endif()
# Known when it is installed.
set(pc_prefix "@PREFIX@")

function(install_for_pkg_config name)
    configure_file("package/${name}.pc.in" "${name}.pc.in" @ONLY)
    set(file "${CMAKE_CURRENT_BINARY_DIR}/${name}.pc")
    install(CODE "
        file(READ \"${file}.in\" text)
        string(REPLACE @PREFIX@ \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
        file(WRITE \"${file}\" \"\${text}\")" COMPONENT dev)
    install(FILES "${file}" DESTINATION "${pkgconfig_dir}" COMPONENT dev)
endfunction()

install(FILES "${library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
install(FILES
    "${CMAKE_CURRENT_LIST_DIR}/../../include/qdtls_rs.h"
    "${CMAKE_CURRENT_LIST_DIR}/../../include/qdtls_rs_qt.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/QDtlsRsConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/QDtlsRsConfigVersion.cmake"
    DESTINATION "${config_dir}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/../../docs/abi.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
install_for_pkg_config(qdtls_rs)
if(QDTLS_RS_SHARED_LIBRARY)
    include(package/shared.cmake)
    install_for_pkg_config(qdtls_rs-shared)
endif()
if(QDTLS_RS_REFERENCE)
    include(package/reference.cmake)
endif()
