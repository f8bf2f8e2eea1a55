# SPDX-License-Identifier: MIT OR Apache-2.0
#
# An overlay port that builds the sources around it. cargo and rustc are those that CMake finds on the machine.

get_filename_component(SOURCE_PATH "${CURRENT_PORT_DIR}/../../.." ABSOLUTE)

# Ports build one kind of library.
vcpkg_check_linkage(ONLY_STATIC_LIBRARY)
# One library serves both: CMAKE_BUILD_TYPE has no influence on cargo's profile.
set(VCPKG_BUILD_TYPE release)

vcpkg_cmake_configure(
    SOURCE_PATH "${SOURCE_PATH}/cmake"
    OPTIONS "-DCMAKE_INSTALL_DOCDIR=share/${PORT}" -DQDTLS_RS_SHARED_LIBRARY=OFF)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME QDtlsRs CONFIG_PATH lib/cmake/QDtlsRs)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE-MIT" "${SOURCE_PATH}/LICENSE-APACHE")
