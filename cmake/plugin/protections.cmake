# SPDX-License-Identifier: MIT OR Apache-2.0
#
# Protections of the binary, as distributions build Qt's own plugin with. They are added here, because a plugin that
# replaces another must not depend on the builder's flags for them.

include(CheckCXXCompilerFlag)

function(qdtls_rs_protect plugin)
    # The last two are for x86 and for 64-bit ARM: each compiler takes one of them at most. clang takes the other with a
    # warning.
    set(CMAKE_REQUIRED_FLAGS -Werror)
    foreach(option -fstack-protector-strong -fstack-clash-protection -fcf-protection -mbranch-protection=standard)
        string(MAKE_C_IDENTIFIER "QDTLS_RS_HAS${option}" has)
        check_cxx_compiler_flag("${option}" ${has})
        if(${has})
            target_compile_options(${plugin} PRIVATE "${option}")
        endif()
    endforeach()
    # Needs an optimising build. Level 3 is that of gcc 12 and glibc 2.34; earlier ones take it as 2.
    target_compile_options(${plugin} PRIVATE
        "$<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=3>")
    target_link_options(${plugin} PRIVATE -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack)
endfunction()
