# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The shared library, linked from the static one: the component `runtime`, and its link for linkers in `dev`.

include(declared.cmake)

set(header "${CMAKE_CURRENT_LIST_DIR}/../../include/qdtls_rs.h")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${header}")
qdtls_rs_abi_version(abi_version "${header}")
# ABI 4 was the first with a shared library. From there on soname and ABI version change together.
math(EXPR soversion "${abi_version} - 4")

# What the header declares is exported, with a version, and nothing else.
qdtls_rs_declared_functions(exported "${header}")
list(JOIN exported "; " exported)
set(version_script "${CMAKE_CURRENT_BINARY_DIR}/qdtls_rs.map")
file(CONFIGURE OUTPUT "${version_script}"
    CONTENT "QDTLS_RS_${soversion} { global: ${exported}; local: *; };\n" @ONLY)

# A library of CMake's has a source.
file(CONFIGURE OUTPUT empty.c CONTENT "" @ONLY)
add_library(qdtls_rs_shared SHARED "${CMAKE_CURRENT_BINARY_DIR}/empty.c")
add_dependencies(qdtls_rs_shared qdtls_rs_package_cargo)
set_target_properties(qdtls_rs_shared PROPERTIES
    OUTPUT_NAME qdtls_rs
    SOVERSION "${soversion}"
    VERSION "${soversion}.${PROJECT_VERSION_MINOR}.${PROJECT_VERSION_PATCH}"
    LINK_DEPENDS "${library};${version_script}")
target_link_libraries(qdtls_rs_shared PRIVATE
    -Wl,--whole-archive "${library}" -Wl,--no-whole-archive OpenSSL::SSL OpenSSL::Crypto ${native_libraries})
# `nodelete`: a program's SSL_CTX keeps pointers to callbacks of the library, as Rust's threads do to destructors.
target_link_options(qdtls_rs_shared PRIVATE
    "-Wl,--version-script=${version_script}" -Wl,--gc-sections -Wl,-z,defs -Wl,-z,relro -Wl,-z,now
    -Wl,-z,noexecstack -Wl,-z,nodelete)

install(TARGETS qdtls_rs_shared LIBRARY
    DESTINATION "${CMAKE_INSTALL_LIBDIR}" COMPONENT runtime NAMELINK_COMPONENT dev)
