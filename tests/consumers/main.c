/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#include "handshake.h"

#include <qdtls_rs.h>
#include <stdio.h>

int main(void)
{
    if (!shake_hands())
        return 1;
    printf("C: %s\n", qdtls_version());
    return 0;
}
