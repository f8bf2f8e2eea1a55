// SPDX-License-Identifier: MIT OR Apache-2.0
#include "handshake.h"

#include <iostream>
#include <qdtls_rs.h>

int main()
{
    if (!shake_hands())
        return 1;
    std::cout << "C++: " << qdtls_version() << '\n';
}
