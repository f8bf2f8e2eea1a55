/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "catcher.h"

#include <stdint.h>

uint32_t other_count_digits(uint32_t end);

int main(void)
{
    return other_count_digits(11) == 13 && catcher_catches_panics() ? 0 : 1;
}
