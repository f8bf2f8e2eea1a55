// SPDX-License-Identifier: MIT OR Apache-2.0
#pragma once

#include "settings.h"

namespace lossy {

// Both sides' configurations, from NAME.crt, the server's certificate and the intermediate ones,
// NAME.key, and NAME-root.crt, what the client trusts. False when one cannot be read.
bool configure(Settings &settings, const QString &folder, const QString &name);

} // namespace lossy
