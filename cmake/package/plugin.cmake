# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Qt's TLS plugin with the DTLS of qdtls-rs, as the component `plugin`.

add_subdirectory(plugin)
find_package(Qt6 REQUIRED COMPONENTS Core)

# Qt's plugin folder below the prefix: only with Qt's own prefix is it Qt's own folder.
set(QDTLS_RS_PLUGIN_INSTALL_DIR "${QT6_INSTALL_PLUGINS}" CACHE STRING
    "Plugin folder, below the prefix or absolute: the plugin goes to tls/ in it")
option(QDTLS_RS_REPLACE_QT_PLUGIN "Let the installation overwrite Qt's own TLS plugin" OFF)

set(plugin_name "${CMAKE_SHARED_MODULE_PREFIX}qopensslbackend${CMAKE_SHARED_MODULE_SUFFIX}")
configure_file(package/keep_qts_plugin.cmake.in keep_qts_plugin.cmake @ONLY)
install(SCRIPT "${CMAKE_CURRENT_BINARY_DIR}/keep_qts_plugin.cmake" COMPONENT plugin)
install(TARGETS qopensslbackend
    LIBRARY DESTINATION "${QDTLS_RS_PLUGIN_INSTALL_DIR}/tls"
    RUNTIME DESTINATION "${QDTLS_RS_PLUGIN_INSTALL_DIR}/tls"
    COMPONENT plugin)
