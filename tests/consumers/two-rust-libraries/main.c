/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Uses two static libraries of Rust by turns. */
#include "../handshake.h"

#include <stdint.h>

uint32_t other_count_digits(uint32_t end);

int main(void)
{
    const int good = other_count_digits(11) == 13 && shake_hands() && other_count_digits(11) == 14
        && shake_hands();
    return good ? 0 : 1;
}
