/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Two functions of glibc's that Debian's libunwind.a calls for its messages, and musl does not
 * have. */
#include <stdarg.h>
#include <stdio.h>

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments);
int __vsnprintf_chk(char *buffer, size_t size, int flag, size_t capacity, const char *format,
                    va_list arguments);

int __vfprintf_chk(FILE *file, int flag, const char *format, va_list arguments)
{
    (void)flag;
    return vfprintf(file, format, arguments);
}

int __vsnprintf_chk(char *buffer, size_t size, int flag, size_t capacity, const char *format,
                    va_list arguments)
{
    (void)flag;
    (void)capacity;
    return vsnprintf(buffer, size, format, arguments);
}
