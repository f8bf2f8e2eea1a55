# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Builds for the architecture that the environment names, with Debian's cross compilers and Multi-Arch libraries.
# architecture.rs sets the variables.

set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR "$ENV{QDTLS_PROCESSOR}")
set(CMAKE_C_COMPILER "$ENV{QDTLS_TOOLS}-gcc")
set(CMAKE_CXX_COMPILER "$ENV{QDTLS_TOOLS}-g++")
set(CMAKE_LIBRARY_ARCHITECTURE "$ENV{QDTLS_LIBRARIES}")

# Qt's tools are in one folder for all architectures.
set(QT_HOST_PATH /usr)
set(QT_HOST_PATH_CMAKE_DIR "/usr/lib/$ENV{QDTLS_LIBRARIES}/cmake")
