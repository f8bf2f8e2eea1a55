# SPDX-License-Identifier: MIT OR Apache-2.0
#
# The comments of the C header as web pages and as a man page, qdtls_rs.h(3), in the component `dev`.

find_package(Doxygen REQUIRED)
get_filename_component(include_dir "${CMAKE_CURRENT_LIST_DIR}/../../include" ABSOLUTE)
set(DOXYGEN_STRIP_FROM_PATH "${include_dir}")
set(DOXYGEN_PROJECT_NAME qdtls-rs)
set(DOXYGEN_OUTPUT_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}/reference")
set(DOXYGEN_OPTIMIZE_OUTPUT_FOR_C YES)
set(DOXYGEN_EXTRACT_ALL YES)
set(DOXYGEN_GENERATE_MAN YES)
set(DOXYGEN_HAVE_DOT NO)
set(DOXYGEN_WARN_AS_ERROR YES)
doxygen_add_docs(qdtls_rs_reference "${include_dir}/qdtls_rs.h" ALL)

install(DIRECTORY "${DOXYGEN_OUTPUT_DIRECTORY}/html" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT dev)
install(FILES "${DOXYGEN_OUTPUT_DIRECTORY}/man/man3/qdtls_rs.h.3"
    DESTINATION "${CMAKE_INSTALL_MANDIR}/man3" COMPONENT dev)
