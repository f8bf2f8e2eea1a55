# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Lets the plugin leave its place to Qt's own in a program with another Qt than the one it is built for.

get_filename_component(adapter_dir "${CMAKE_CURRENT_LIST_DIR}/../../src/qt" ABSOLUTE)
target_sources(qopensslbackend PRIVATE "${adapter_dir}/qdtlsrs_plugin.cpp" "${adapter_dir}/qdtlsrs_plugin_p.h")
target_compile_options(qopensslbackend PRIVATE "SHELL:-include \"${adapter_dir}/qdtlsrs_plugin_p.h\"")

# Only what Qt and applications look for is exported, and not moc's function under its other name.
set(exports "${CMAKE_CURRENT_LIST_DIR}/exports.map")
target_link_options(qopensslbackend PRIVATE "LINKER:--version-script,${exports}")
set_property(TARGET qopensslbackend APPEND PROPERTY LINK_DEPENDS "${exports}")
