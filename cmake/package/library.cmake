# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The static library, linked to OpenSSL, as the component `dev`.

find_package(OpenSSL 1.1.1 REQUIRED)
include(cargo.cmake)
include(CMakePackageConfigHelpers)

qdtls_rs_add_library(qdtls_rs_package LINKED)
add_custom_target(qdtls_rs_library ALL DEPENDS qdtls_rs_package_cargo)
get_target_property(library qdtls_rs_package IMPORTED_LOCATION)
get_target_property(native_libraries qdtls_rs_package QDTLS_RS_NATIVE_LIBRARIES)

set(config_dir "${CMAKE_INSTALL_LIBDIR}/cmake/QDtlsRs")
set(pkgconfig_dir "${CMAKE_INSTALL_LIBDIR}/pkgconfig")

get_filename_component(library_name "${library}" NAME)
set(library_file "${CMAKE_INSTALL_LIBDIR}/${library_name}")
configure_package_config_file(package/QDtlsRsConfig.cmake.in QDtlsRsConfig.cmake
    INSTALL_DESTINATION "${config_dir}"
    PATH_VARS library_file CMAKE_INSTALL_INCLUDEDIR
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
# Known when it is installed.
set(pc_prefix "@PREFIX@")
configure_file(package/qdtls_rs.pc.in qdtls_rs.pc.in @ONLY)

install(FILES "${library}" DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/../../include/qdtls_rs.h"
    DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/QDtlsRsConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/QDtlsRsConfigVersion.cmake"
    DESTINATION "${config_dir}" COMPONENT dev)
install(CODE "
    file(READ \"${CMAKE_CURRENT_BINARY_DIR}/qdtls_rs.pc.in\" text)
    string(REPLACE @PREFIX@ \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
    file(WRITE \"${CMAKE_CURRENT_BINARY_DIR}/qdtls_rs.pc\" \"\${text}\")" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/qdtls_rs.pc" DESTINATION "${pkgconfig_dir}" COMPONENT dev)
install(FILES "${CMAKE_CURRENT_LIST_DIR}/../../docs/abi.md" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
