# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Checks the Rust targets of a list of toolchains; `cmake -P` prints the number that passed.

cmake_minimum_required(VERSION 3.21)
include("${CMAKE_CURRENT_LIST_DIR}/../rust_target.cmake")

set(count 0)
set(host x86_64-unknown-linux-gnu)

# expect(<triple> <variable>=<value>...): the given CMake variables, all others unset, yield the triple.
function(expect triple)
    foreach(name IN ITEMS ANDROID ANDROID_ABI CMAKE_ANDROID_ARCH_ABI CMAKE_CROSSCOMPILING CMAKE_CXX_COMPILER
            CMAKE_CXX_COMPILER_ARCHITECTURE_ID CMAKE_CXX_COMPILER_TARGET CMAKE_CXX_LIBRARY_ARCHITECTURE
            CMAKE_OSX_ARCHITECTURES CMAKE_OSX_SYSROOT CMAKE_SIZEOF_VOID_P CMAKE_SYSTEM_NAME CMAKE_SYSTEM_PROCESSOR MINGW)
        set(${name} "")
    endforeach()
    foreach(assignment IN LISTS ARGN)
        string(REGEX MATCH "^([^=]+)=(.*)$" _ "${assignment}")
        set(${CMAKE_MATCH_1} "${CMAKE_MATCH_2}")
    endforeach()
    qdtls_rs_rust_target(found "${host}")
    if(NOT found STREQUAL triple)
        message(FATAL_ERROR "'${found}' in place of '${triple}' for ${ARGN}")
    endif()
    math(EXPR count "${count} + 1")
    set(count "${count}" PARENT_SCOPE)
endfunction()

set(linux CMAKE_SYSTEM_NAME=Linux)
set(windows CMAKE_SYSTEM_NAME=Windows)
set(cross CMAKE_CROSSCOMPILING=ON)

expect(x86_64-unknown-linux-gnu ${linux} CMAKE_SYSTEM_PROCESSOR=x86_64)
expect(i686-unknown-linux-gnu ${linux} CMAKE_SYSTEM_PROCESSOR=x86_64 CMAKE_SIZEOF_VOID_P=4)
expect(aarch64-unknown-linux-gnu ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=aarch64)
expect(aarch64-unknown-linux-musl ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=aarch64
    CMAKE_CXX_COMPILER=/opt/bin/aarch64-linux-musl-g++)
expect(armv7-unknown-linux-gnueabihf ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=armv7l)
expect(armv7-unknown-linux-gnueabihf ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=aarch64 CMAKE_SIZEOF_VOID_P=4)
expect(riscv64gc-unknown-linux-gnu ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=riscv64)
expect(powerpc64le-unknown-linux-gnu ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=ppc64le)
expect("" ${linux} ${cross} CMAKE_SYSTEM_PROCESSOR=mips)
expect("" CMAKE_SYSTEM_NAME=QNX ${cross} CMAKE_SYSTEM_PROCESSOR=aarch64)

expect(x86_64-pc-windows-msvc ${windows} ${cross} CMAKE_CXX_COMPILER_ARCHITECTURE_ID=x64)
expect(aarch64-pc-windows-msvc ${windows} ${cross} CMAKE_SYSTEM_PROCESSOR=AMD64 CMAKE_CXX_COMPILER_ARCHITECTURE_ID=ARM64)
expect(x86_64-pc-windows-gnu ${windows} ${cross} CMAKE_SYSTEM_PROCESSOR=AMD64 MINGW=ON)

expect(aarch64-apple-darwin CMAKE_SYSTEM_NAME=Darwin ${cross} CMAKE_SYSTEM_PROCESSOR=x86_64 CMAKE_OSX_ARCHITECTURES=arm64)
expect(aarch64-apple-ios CMAKE_SYSTEM_NAME=iOS ${cross} CMAKE_OSX_ARCHITECTURES=arm64 CMAKE_OSX_SYSROOT=iphoneos)
expect(aarch64-apple-ios-sim CMAKE_SYSTEM_NAME=iOS ${cross} CMAKE_OSX_ARCHITECTURES=arm64 CMAKE_OSX_SYSROOT=iphonesimulator)
expect(aarch64-linux-android CMAKE_SYSTEM_NAME=Android ANDROID=ON ${cross} CMAKE_ANDROID_ARCH_ABI=arm64-v8a)
expect(armv7-linux-androideabi CMAKE_SYSTEM_NAME=Android ANDROID=ON ${cross} ANDROID_ABI=armeabi-v7a)
expect(x86_64-unknown-freebsd CMAKE_SYSTEM_NAME=FreeBSD ${cross} CMAKE_SYSTEM_PROCESSOR=amd64)

# In a native build rustc knows the C library.
set(host x86_64-unknown-linux-musl)
expect(x86_64-unknown-linux-musl ${linux} CMAKE_SYSTEM_PROCESSOR=x86_64)
set(host mips64el-unknown-linux-gnuabi64)
expect(mips64el-unknown-linux-gnuabi64 ${linux} CMAKE_SYSTEM_PROCESSOR=mips64)

set(QDTLS_RS_RUST_TARGET "aarch64-unknown-nto-qnx710")
expect(aarch64-unknown-nto-qnx710 CMAKE_SYSTEM_NAME=QNX ${cross})

message(NOTICE "${count} passed")
